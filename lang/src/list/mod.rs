//! A ruleset as `nft list ruleset` shows it once it is loaded.
//!
//! nft lists what it reads back from the kernel, so what a file said in a roundabout way comes out plain: `depend` leaves out what fields
//! imply, `set` reads elements back from their bytes, `rule` and `value` name the rest. `text` prints; JSON is written in
//! [`crate::json`], from the same [`model`].

mod depend;
pub mod model;
mod rule;
mod set;
mod text;
mod value;
pub(crate) mod words;

pub(crate) use text::stmt::stmt_text;
pub use text::{print, print_numbered};

use crate::compile::Compiled;
use crate::typed::Numbered;
use model::{Chain, Listing, Object, Rule, Table};
use redan_vm::ids::{ChainId, StateId, TableId};

/// Everything that is there once all commands of a file have run.
pub fn list(compiled: &Compiled) -> Listing {
    let live = &compiled.program.notes.live;
    let tables = live
        .iter()
        .filter_map(|(id, names)| table(compiled, *id, names));
    Listing {
        tables: tables.collect(),
    }
}

/// The number of something; all that is listed has one.
fn handle(compiled: &Compiled, thing: Numbered) -> u64 {
    compiled.program.notes.handles.of(thing).unwrap_or_default()
}

fn table(compiled: &Compiled, id: TableId, names: &crate::typed::LiveTable) -> Option<Table> {
    let found = compiled.ruleset.tables.get(id.index())?;
    // sets of meters show in their rules alone
    let declared = |id: &&redan_vm::ids::SetId| compiled.program.notes.sets.contains_key(id);
    let sets = names.sets.iter().filter(declared);
    let sets = sets.filter_map(|id| set::set(compiled, *id));
    let objects = names.objects.iter();
    let chains = names.chains.iter();
    let flags = compiled.program.notes.table_flags.get(&id);
    Some(Table {
        family: found.family,
        name: found.name.clone(),
        handle: handle(compiled, Numbered::Table(id)),
        flags: flags.into_iter().flatten().copied().collect(),
        comment: compiled.program.notes.tables.get(&id).cloned(),
        objects: objects.filter_map(|id| object(compiled, *id)).collect(),
        sets: sets.collect(),
        flowtables: names.flowtables.clone(),
        chains: chains
            .filter_map(|id| chain(compiled, found.family, *id))
            .collect(),
    })
}

fn object(compiled: &Compiled, state: StateId) -> Option<Object> {
    let objects = &compiled.ruleset.objects;
    let found = objects.iter().find(|object| object.state == state)?;
    Some(Object {
        name: found.name.clone(),
        handle: handle(compiled, Numbered::Object(state)),
        kind: found.kind,
        spec: compiled.ruleset.states.get(state.index())?.clone(),
        comment: compiled.program.notes.objects.get(&state).cloned(),
    })
}

fn chain(compiled: &Compiled, family: redan_vm::family::Family, id: ChainId) -> Option<Chain> {
    let found = compiled.ruleset.chains.get(id.index())?;
    let rules = found.rules.iter().filter_map(|rule| {
        let typed = compiled.program.rules.get(rule.index())?;
        let compiled_rule = compiled.ruleset.rules.get(rule.index())?;
        Some(Rule {
            handle: typed.handle,
            stmts: rule::rule(compiled, family, typed),
            comment: compiled_rule.comment.clone(),
        })
    });
    Some(Chain {
        name: found.name.clone(),
        handle: handle(compiled, Numbered::Chain(id)),
        comment: compiled.program.notes.chains.get(&id).cloned(),
        base: found.base.clone(),
        rules: rules.collect(),
    })
}
