//! What a command means by `handle N`: numbers are counted as a fresh kernel counts them, so that they are known before anything is loaded.

use super::{Context, chain, command};
use crate::ast::{Ident, Number, Word};
use crate::check::kind_words;
use crate::diag::Code;
use crate::typed::Numbered;
use redan_vm::family::Family;
use redan_vm::ids::{ChainId, SetId, TableId};
use redan_vm::instr::ObjectKind;

/// The name in a declaration.
pub(super) fn name(cx: &mut Context<'_>, id: Ident) -> Option<Word> {
    match id {
        Ident::Name(word) => Some(word),
        Ident::Handle(number) => cx.error(
            Code::BadDeclaration,
            number.span,
            "what is added needs a name; its handle is counted",
        ),
    }
}

fn unknown<T>(cx: &mut Context<'_>, code: Code, number: Number, what: &str) -> Option<T> {
    let message = format!("no {what} here has the handle {}", number.value);
    let help = "`redan list --handles` shows the numbers that there are in the end";
    cx.error_help(code, number.span, &message, help)
}

fn has(cx: &Context<'_>, thing: Numbered, number: Number) -> bool {
    cx.program.notes.handles.of(thing) == Some(number.value)
}

/// The name of the table that a command means.
pub(super) fn table(cx: &mut Context<'_>, family: Family, id: Ident) -> Option<String> {
    let number = match id {
        Ident::Name(word) => {
            command::find_table(cx, family, word)?;
            return Some(cx.text(word).to_owned());
        }
        Ident::Handle(number) => number,
    };
    let names = cx.names.tables(Some(family)).into_iter();
    let found = names.map(|(_, name)| name).find(|name| {
        let id = cx.names.table(family, name);
        id.is_some_and(|id| has(cx, Numbered::Table(id), number))
    });
    found.or_else(|| unknown(cx, Code::UnknownTable, number, "table"))
}

/// The chain that a command means.
pub(super) fn chain(cx: &mut Context<'_>, table: TableId, id: Ident) -> Option<ChainId> {
    let number = match id {
        Ident::Name(word) => return chain::find(cx, table, word),
        Ident::Handle(number) => number,
    };
    let mut ids = cx.names.of(table)?.chains.values().copied();
    let found = ids.find(|id| has(cx, Numbered::Chain(*id), number));
    found.or_else(|| unknown(cx, Code::UnknownChain, number, "chain"))
}

/// The set or map that a command means.
pub(super) fn set(cx: &mut Context<'_>, table: TableId, id: Ident) -> Option<SetId> {
    let number = match id {
        Ident::Name(word) => return cx.find_set(table, word),
        Ident::Handle(number) => number,
    };
    let mut ids = cx.names.of(table)?.sets.values().copied();
    let found = ids.find(|id| has(cx, Numbered::Set(*id), number));
    found.or_else(|| unknown(cx, Code::UnknownSet, number, "set"))
}

/// The name of the object that a command means.
pub(super) fn object(
    cx: &mut Context<'_>,
    table: TableId,
    kind: ObjectKind,
    id: Ident,
) -> Option<String> {
    let number = match id {
        Ident::Name(word) => return Some(cx.text(word).to_owned()),
        Ident::Handle(number) => number,
    };
    let mut objects = cx.names.of(table)?.objects.iter();
    let found = objects
        .find(|((found, _), state)| *found == kind && has(cx, Numbered::Object(**state), number));
    let found = found.map(|((_, name), _)| name.clone());
    found.or_else(|| unknown(cx, Code::UnknownObject, number, kind_words(kind)))
}

/// The name of the flowtable that a command means.
pub(super) fn flowtable(cx: &mut Context<'_>, table: TableId, id: Ident) -> Option<String> {
    let number = match id {
        Ident::Name(word) => return Some(cx.text(word).to_owned()),
        Ident::Handle(number) => number,
    };
    let mut flowtables = cx.names.of(table)?.flowtables.values();
    let found = flowtables.find(|flowtable| flowtable.handle == number.value);
    let found = found.map(|flowtable| flowtable.name.clone());
    found.or_else(|| unknown(cx, Code::UnknownObject, number, "flowtable"))
}

/// The place of a rule in its chain.
pub(super) fn rule(cx: &mut Context<'_>, chain: ChainId, number: Number) -> Option<usize> {
    let rules = &cx.ruleset.chains.get(chain.index())?.rules;
    let found = rules.iter().position(|id| {
        let rule = cx.program.rules.get(id.index());
        rule.is_some_and(|rule| rule.handle == number.value)
    });
    found.or_else(|| unknown(cx, Code::ValueOutOfRange, number, "rule"))
}
