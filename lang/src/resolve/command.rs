//! Commands of a file, one after another.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::{Context, Scope, chain, element, extent, flowtable, handle, object, rule, set};
use crate::ast::{
    ChainCommand, ChainItem, Command, CommandKind, Define, File, FlushCommand, Ident,
    ObjectCommand, RenameChain, SetBodyItem, Str, TableCommand, TableItem, TableItemKind, TableRef,
    Verb, Word,
};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use redan_vm::family::Family;
use redan_vm::ids::{ChainId, TableId};
use redan_vm::ruleset::Table;
use std::sync::Arc;

/// Runs every command of a file.
pub(crate) fn run(cx: &mut Context<'_>, file: &mut File) {
    for command in &mut file.commands {
        command_of(cx, command);
    }
    element::finish(cx);
}

fn command_of(cx: &mut Context<'_>, command: &mut Command) -> Option<()> {
    match &mut command.kind {
        CommandKind::Define(define) => {
            define_in(cx, define);
            Some(())
        }
        CommandKind::Undefine(word) => {
            undefine_in(cx, *word);
            Some(())
        }
        CommandKind::Table(table) => table_command(cx, table),
        CommandKind::Chain(chain) => chain_command(cx, chain),
        CommandKind::RenameChain(rename) => rename_chain(cx, rename),
        CommandKind::Rule(command) => rule::command(cx, command),
        CommandKind::Set(command) => set::command(cx, command),
        CommandKind::Element(command) => element::command(cx, command),
        CommandKind::Object(command) => object_command(cx, command),
        CommandKind::Flowtable(command) => flowtable::command(cx, command),
        CommandKind::Flush(flush) => flush_command(cx, flush, command.span),
        // they show something, or set counters back: nothing in the ruleset changes
        CommandKind::Query(_) => Some(()),
    }
}

/// Refuses comments that the kernel would not keep.
pub(crate) fn check_comment(cx: &mut Context<'_>, comment: Str) -> Option<()> {
    if comment.text(cx.sources).len() > 128 {
        return cx.error(
            Code::BadString,
            comment.span,
            "comment too long: at most 128 bytes",
        );
    }
    Some(())
}

/// Makes a variable known from here on.
pub(super) fn define_in(cx: &mut Context<'_>, define: &Define) {
    let name = cx.text(define.name);
    if !define.redefine
        && let Some(earlier) = cx.scopes.place(cx.scope, name)
    {
        cx.report(
            Diagnostic::new(
                Code::AlreadyExists,
                define.name.span,
                format!("variable `{name}` is defined already"),
            )
            .related(earlier, "first defined here")
            .help(format!(
                "write `redefine {name} = ...` to change it from here on"
            )),
        );
    }
    let extent = extent::bearable(cx, define);
    let value = cx.values.alloc(Arc::clone(&define.value));
    let place = define.name.span;
    cx.scope = cx.scopes.define(cx.scope, name, place, value, extent);
}

fn undefine_in(cx: &mut Context<'_>, word: Word) {
    let name = cx.text(word);
    let scope = cx.scope;
    if cx.scopes.find(scope, name).is_none() {
        let known = cx.scopes.names(scope);
        cx.unknown::<()>(Code::UnknownVariable, word.span, "variable", name, known);
        return;
    }
    cx.scope = cx.scopes.undefine(scope, name);
}

/// The family that a word names; `ip` where it is missing.
pub(super) fn family(cx: &mut Context<'_>, word: Option<Word>) -> Option<Family> {
    let Some(word) = word else {
        return Some(Family::Ip);
    };
    let text = cx.text(word);
    match Family::from_word(text) {
        Some(family) => Some(family),
        None => cx.unknown(
            Code::UnknownKeyword,
            word.span,
            "family",
            text,
            Family::ALL.iter().map(|family| family.word()),
        ),
    }
}

/// The table that a command means.
pub(super) fn table(cx: &mut Context<'_>, table: &TableRef) -> Option<TableId> {
    let family = family(cx, table.family)?;
    find_table(cx, family, table.name)
}

pub(super) fn find_table(cx: &mut Context<'_>, family: Family, word: Word) -> Option<TableId> {
    let name = cx.text(word);
    if let Some(id) = cx.names.table(family, name) {
        return Some(id);
    }
    let same_name = cx
        .names
        .tables(None)
        .into_iter()
        .find(|table| table.1 == name);
    let finding = Diagnostic::new(
        Code::UnknownTable,
        word.span,
        format!("unknown table `{name}` of family {family}"),
    );
    let known: Vec<String> = cx
        .names
        .tables(Some(family))
        .into_iter()
        .map(|table| table.1)
        .collect();
    let finding = match same_name {
        Some((other, _)) => finding.help(format!("there is a table `{name}` of family {other}")),
        None => super::suggest(finding, word.span, name, known.iter().map(String::as_str)),
    };
    cx.report(finding);
    None
}

/// Refuses names that nft refuses.
pub(super) fn check_name(cx: &mut Context<'_>, word: Word) -> Option<()> {
    if cx.text(word).len() > 255 {
        return cx.error(
            Code::BadString,
            word.span,
            "name too long: at most 255 bytes",
        );
    }
    Some(())
}

fn table_command(cx: &mut Context<'_>, command: &mut TableCommand) -> Option<()> {
    let family = family(cx, command.family)?;
    let word = match (command.verb, command.id) {
        (Verb::Delete, id) | (Verb::Destroy, id @ Ident::Handle(_)) => {
            let name = handle::table(cx, family, id)?;
            drop_table(cx, family, &name);
            return Some(());
        }
        (_, id) => handle::name(cx, id)?,
    };
    let name = cx.text(word);
    match command.verb {
        Verb::Delete | Verb::Destroy => {
            drop_table(cx, family, name);
            Some(())
        }
        Verb::Create if cx.names.table(family, name).is_some() => cx.error(
            Code::AlreadyExists,
            word.span,
            format!("table `{name}` exists"),
        ),
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            check_name(cx, word)?;
            let id = add_table(cx, family, name);
            if let Some(body) = &mut command.body {
                table_body(cx, id, body);
            }
            Some(())
        }
    }
}

/// A table by name, made where it is new.
fn add_table(cx: &mut Context<'_>, family: Family, name: &str) -> TableId {
    if let Some(id) = cx.names.table(family, name) {
        return id;
    }
    let id = TableId(u32::try_from(cx.ruleset.tables.len()).unwrap_or(u32::MAX));
    cx.ruleset.tables.push(Table {
        family,
        name: name.to_owned(),
        dormant: false,
    });
    cx.names.add_table(family, name, id);
    cx.program.notes.handles.give_table(id);
    id
}

fn drop_table(cx: &mut Context<'_>, family: Family, name: &str) {
    let Some((id, names)) = cx.names.remove_table(family, name) else {
        return;
    };
    for id in names.chains.into_values() {
        chain::drop_chain(cx, id);
    }
    for id in names.sets.into_values() {
        set::drop_set(cx, id);
    }
    object::drop_objects(cx, |object| object.table == id);
}

/// What a block declares, with the scope of each line: chains first, then objects, sets, elements, and rules last, since nft orders them so.
fn table_body(cx: &mut Context<'_>, table: TableId, body: &mut [TableItem]) {
    let outer = cx.scope;
    let scopes = scopes(cx, body);
    for (item, scope) in body.iter().zip(&scopes) {
        cx.scope = *scope;
        match &item.kind {
            TableItemKind::Flags(words) => table_flags(cx, table, words),
            TableItemKind::Comment(comment) => {
                check_comment(cx, *comment);
                let text = comment.text(cx.sources).to_owned();
                cx.program.notes.tables.insert(table, text);
            }
            TableItemKind::Chain(block) => {
                chain::declare(cx, table, block.name, Some(&block.body), Verb::Add);
            }
            _ => {}
        }
    }
    for (item, scope) in body.iter().zip(&scopes) {
        cx.scope = *scope;
        if let TableItemKind::Object(block) = &item.kind {
            let body = Some(&block.body);
            object::declare(cx, table, block.kind, block.name, body, Verb::Add);
        }
    }
    let mut declared = Vec::new();
    for (item, scope) in body.iter().zip(&scopes) {
        cx.scope = *scope;
        if let TableItemKind::Set(block) = &item.kind {
            let id = set::declare(cx, table, block.name, block.is_map, &block.body, Verb::Add);
            declared.extend(id.map(|id| (id, &block.body, *scope)));
        }
    }
    for (item, scope) in body.iter().zip(&scopes) {
        cx.scope = *scope;
        if let TableItemKind::Flowtable(block) = &item.kind {
            flowtable::declare(cx, table, block.id, &block.items, Verb::Add);
        }
    }
    for (id, body, scope) in declared {
        cx.scope = scope;
        for item in &body.items {
            match item {
                SetBodyItem::Define(define) => define_in(cx, define),
                SetBodyItem::Undefine(word) => undefine_in(cx, *word),
                SetBodyItem::Elements(elements) => {
                    element::add_elements(cx, id, elements);
                }
                _ => {}
            }
        }
    }
    for (item, scope) in body.iter_mut().zip(scopes) {
        cx.scope = scope;
        if let TableItemKind::Chain(block) = &mut item.kind {
            let name = cx.text(block.name);
            if let Some(id) = cx.names.chain(table, name) {
                chain_block(cx, table, id, &mut block.body.items);
            }
        }
    }
    cx.scope = outer;
}

/// The scope of each line of a block, in which its variables are looked up.
fn scopes(cx: &mut Context<'_>, body: &[TableItem]) -> Vec<Scope> {
    let mut scopes = Vec::with_capacity(body.len());
    for item in body {
        match &item.kind {
            TableItemKind::Define(define) => define_in(cx, define),
            TableItemKind::Undefine(word) => undefine_in(cx, *word),
            TableItemKind::Flags(_)
            | TableItemKind::Comment(_)
            | TableItemKind::Chain(_)
            | TableItemKind::Set(_)
            | TableItemKind::Object(_)
            | TableItemKind::Flowtable(_) => {}
        }
        scopes.push(cx.scope);
    }
    scopes
}

/// Flags of tables, in the order in which nft lists them.
const TABLE_FLAGS: [&str; 3] = ["dormant", "owner", "persist"];

fn table_flags(cx: &mut Context<'_>, table: TableId, words: &[Word]) {
    for word in words {
        let text = cx.text(*word);
        let Some(flag) = TABLE_FLAGS.iter().find(|flag| **flag == text) else {
            cx.unknown::<()>(Code::BadFlag, word.span, "table flag", text, TABLE_FLAGS);
            continue;
        };
        if let Some(table) = cx.ruleset.tables.get_mut(table.index()) {
            table.dormant |= *flag == "dormant";
        }
        let flags = cx.program.notes.table_flags.entry(table).or_default();
        flags.insert(flag);
    }
}

/// Rules of a chain's block.
pub(super) fn chain_rules(
    cx: &mut Context<'_>,
    table: TableId,
    chain: ChainId,
    items: &[ChainItem],
) {
    let before = cx.scope;
    for item in items {
        chain_item(cx, table, chain, item);
    }
    cx.scope = before;
}

/// The same where the tree may go. Rules are most of a big file, so each leaves when it is compiled: tree and bytecode of all rules never
/// stand in memory together.
fn chain_block(cx: &mut Context<'_>, table: TableId, chain: ChainId, items: &mut Vec<ChainItem>) {
    if cx.options.keep_rules {
        return chain_rules(cx, table, chain, items);
    }
    let before = cx.scope;
    for item in std::mem::take(items) {
        chain_item(cx, table, chain, &item);
    }
    cx.scope = before;
}

fn chain_item(cx: &mut Context<'_>, table: TableId, chain: ChainId, item: &ChainItem) {
    match item {
        ChainItem::Rule(rule) => {
            rule::add(cx, table, chain, rule, rule::At::default());
        }
        ChainItem::Define(define) => define_in(cx, define),
        ChainItem::Undefine(word) => undefine_in(cx, *word),
        ChainItem::Hook(_)
        | ChainItem::Policy(_)
        | ChainItem::Flags(_)
        | ChainItem::Comment(_)
        | ChainItem::Devices(_) => {}
    }
}

fn chain_command(cx: &mut Context<'_>, command: &mut ChainCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            let word = handle::name(cx, command.id)?;
            let id = chain::declare(cx, table, word, command.body.as_ref(), command.verb)?;
            if let Some(body) = &mut command.body {
                chain_block(cx, table, id, &mut body.items);
            }
            Some(())
        }
        Verb::Delete => {
            let id = handle::chain(cx, table, command.id)?;
            cx.chain_is_free(table, id, command.id.span())?;
            forget_chain(cx, table, id);
            chain::drop_chain(cx, id);
            Some(())
        }
        Verb::Destroy => {
            let id = match command.id {
                Ident::Name(word) => cx.names.chain(table, cx.text(word)),
                Ident::Handle(_) => handle::chain(cx, table, command.id),
            };
            if let Some(id) = id {
                cx.chain_is_free(table, id, command.id.span())?;
                forget_chain(cx, table, id);
                chain::drop_chain(cx, id);
            }
            Some(())
        }
    }
}

fn forget_chain(cx: &mut Context<'_>, table: TableId, id: ChainId) {
    if let (Some(names), Some(chain)) = (cx.names.of_mut(table), cx.ruleset.chains.get(id.index()))
    {
        names.chains.remove(&chain.name);
    }
}

fn rename_chain(cx: &mut Context<'_>, rename: &RenameChain) -> Option<()> {
    let table = table(cx, &rename.table)?;
    let id = chain::find(cx, table, rename.chain)?;
    let name = cx.text(rename.new_name).to_owned();
    if cx.names.chain(table, &name).is_some() {
        return cx.error(
            Code::AlreadyExists,
            rename.new_name.span,
            format!("chain `{name}` exists"),
        );
    }
    forget_chain(cx, table, id);
    if let Some(names) = cx.names.of_mut(table) {
        names.chains.insert(name.clone(), id);
    }
    if let Some(chain) = cx.ruleset.chains.get_mut(id.index()) {
        chain.name = name;
    }
    Some(())
}

fn object_command(cx: &mut Context<'_>, command: &ObjectCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            let word = handle::name(cx, command.id)?;
            let body = command.body.as_ref();
            object::declare(cx, table, command.kind, word, body, command.verb)
        }
        Verb::Delete | Verb::Destroy => {
            let quiet = command.verb == Verb::Destroy;
            object::remove(cx, table, command.kind, command.id, quiet)
        }
    }
}

fn flush_command(cx: &mut Context<'_>, flush: &FlushCommand, _span: Span) -> Option<()> {
    match flush {
        FlushCommand::Ruleset { family: word } => {
            let wanted = match word {
                None => None,
                Some(word) => Some(family(cx, Some(*word))?),
            };
            for (family, name) in cx.names.tables(wanted) {
                drop_table(cx, family, &name);
            }
            Some(())
        }
        FlushCommand::Table(reference) => {
            let id = table(cx, reference)?;
            let chains: Vec<_> = cx
                .names
                .of(id)
                .map(|names| names.chains.values().copied().collect())
                .unwrap_or_default();
            for chain in chains {
                chain::flush(cx, chain);
            }
            Some(())
        }
        FlushCommand::Chain(reference, word) => {
            let table = table(cx, reference)?;
            let id = chain::find(cx, table, *word)?;
            chain::flush(cx, id);
            Some(())
        }
        FlushCommand::Set(reference, word) => {
            let table = table(cx, reference)?;
            let id = cx.find_set(table, *word)?;
            element::clear(cx, id);
            Some(())
        }
    }
}
