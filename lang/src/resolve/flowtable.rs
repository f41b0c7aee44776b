//! Flowtables: declaration and removal.

use super::command::{check_name, table};
use super::hook::device_names;
use super::priority::priority;
use super::{Context, handle};
use crate::ast::{FlowtableCommand, FlowtableItem, Ident, Verb};
use crate::diag::Code;
use crate::typed::Flowtable;
use redan_vm::family::Hook;
use redan_vm::ids::TableId;

/// Adds a flowtable.
pub(super) fn declare(
    cx: &mut Context<'_>,
    table: TableId,
    id: Ident,
    items: &[FlowtableItem],
    verb: Verb,
) -> Option<()> {
    let word = handle::name(cx, id)?;
    check_name(cx, word)?;
    let name = cx.text(word).to_owned();
    let exists = cx
        .names
        .of(table)
        .is_some_and(|names| names.flowtables.contains_key(&name));
    if exists && verb == Verb::Create {
        return cx.error(
            Code::AlreadyExists,
            word.span,
            format!("flowtable `{name}` exists"),
        );
    }
    let family = cx.ruleset.tables.get(table.index())?.family;
    let mut flowtable = Flowtable {
        name: name.clone(),
        ..Flowtable::default()
    };
    for item in items {
        match item {
            FlowtableItem::Hook(hook, prio) => {
                let text = cx.text(*hook);
                if text != "ingress" {
                    return cx.unknown(
                        Code::WrongHook,
                        hook.span,
                        "flowtable hook",
                        text,
                        ["ingress"],
                    );
                }
                flowtable.priority = priority(cx, family, Hook::Ingress, prio)?;
            }
            FlowtableItem::Devices(devices) => {
                flowtable.devices = device_names(cx, devices)?;
            }
            FlowtableItem::Counter => flowtable.counter = true,
            FlowtableItem::Flags(words) => {
                flowtable.offload = true;
                for word in words {
                    let text = cx.text(*word);
                    if text != "offload" {
                        return cx.unknown(
                            Code::BadFlag,
                            word.span,
                            "flowtable flag",
                            text,
                            ["offload"],
                        );
                    }
                }
            }
        }
    }
    let before = cx
        .names
        .of(table)
        .and_then(|names| names.flowtables.get(&name));
    flowtable.handle = match before {
        Some(before) => before.handle,
        None => cx.program.notes.handles.next(table),
    };
    if let Some(names) = cx.names.of_mut(table) {
        names.flowtables.insert(name, flowtable);
    }
    Some(())
}

/// A verb on a flowtable.
pub(super) fn command(cx: &mut Context<'_>, command: &FlowtableCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            let items = command.body.as_deref().unwrap_or_default();
            declare(cx, table, command.id, items, command.verb)
        }
        Verb::Delete | Verb::Destroy => {
            let name = handle::flowtable(cx, table, command.id)?;
            let gone = cx
                .names
                .of_mut(table)
                .is_some_and(|names| names.flowtables.remove(&name).is_some());
            if !gone && command.verb == Verb::Delete {
                return cx.unknown(
                    Code::UnknownObject,
                    command.id.span(),
                    "flowtable",
                    &name,
                    std::iter::empty(),
                );
            }
            Some(())
        }
    }
}
