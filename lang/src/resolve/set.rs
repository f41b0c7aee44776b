//! Sets and maps: declaration, removal, and the sets that meters make.

use super::command::{check_name, table};
use super::element::{add_elements, clear};
use super::set_body::{Declared, read_body};
use super::{Context, handle};
use crate::ast::{Ident, SetBody, SetBodyItem, SetCommand, Verb, Word};
use crate::check::{RuleCheck, data_types, new_set, shape_flags};
use crate::diag::{Code, Diagnostic};
use crate::sets::{DataShape, Shape};
use crate::typed::SetInfo;
use redan_vm::ids::{SetId, TableId};
use redan_vm::ruleset::set_flags;

/// A verb on a set.
pub(super) fn command(cx: &mut Context<'_>, command: &SetCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            let word = handle::name(cx, command.id)?;
            let Some(body) = &command.body else {
                return cx.error_help(
                    Code::BadDeclaration,
                    word.span,
                    "a set needs a type",
                    "`{ type ipv4_addr; }`",
                );
            };
            let id = declare(cx, table, word, command.is_map, body, command.verb)?;
            for item in &body.items {
                if let SetBodyItem::Elements(elements) = item {
                    add_elements(cx, id, elements);
                }
            }
            Some(())
        }
        Verb::Delete => {
            let id = handle::set(cx, table, command.id)?;
            cx.set_is_free(table, id, command.id.span())?;
            let name = cx.ruleset.sets.get(id.index())?.name.clone();
            forget(cx, table, &name);
            drop_set(cx, id);
            Some(())
        }
        Verb::Destroy => {
            let id = match command.id {
                Ident::Name(word) => cx.names.set(table, cx.text(word)),
                Ident::Handle(_) => handle::set(cx, table, command.id),
            };
            if let Some(id) = id {
                cx.set_is_free(table, id, command.id.span())?;
                let name = cx.ruleset.sets.get(id.index())?.name.clone();
                forget(cx, table, &name);
                drop_set(cx, id);
            }
            Some(())
        }
    }
}

/// Takes a set out of use; what rules of old say of it stays for printing.
pub(super) fn drop_set(cx: &mut Context<'_>, id: SetId) {
    clear(cx, id);
    if let Some(set) = cx.ruleset.sets.get_mut(id.index()) {
        set.exprs.clear();
    }
}

fn forget(cx: &mut Context<'_>, table: TableId, name: &str) {
    if let Some(names) = cx.names.of_mut(table) {
        names.sets.remove(name);
    }
}

/// Adds a set or map; one that exists must be the same.
pub(super) fn declare(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    is_map: bool,
    body: &SetBody,
    verb: Verb,
) -> Option<SetId> {
    let id = declare_sound(cx, table, word, is_map, body, verb);
    if id.is_none() {
        let name = cx.text(word).to_owned();
        cx.faulty_sets.insert((table, name));
    }
    id
}

fn declare_sound(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    is_map: bool,
    body: &SetBody,
    verb: Verb,
) -> Option<SetId> {
    check_name(cx, word)?;
    let name = cx.text(word);
    let declared = read_body(cx, table, word, is_map, body)?;
    let data = declared.data.clone().unwrap_or(DataShape::None);
    if is_map != (data != DataShape::None) {
        let message = if is_map {
            "a map needs data: `type key : data`"
        } else {
            "a set has no data; declare it with `map`"
        };
        return cx.error(Code::BadDeclaration, word.span, message);
    }
    if let Some(id) = cx.names.set(table, name) {
        return existing(cx, id, word, &declared, verb);
    }
    let interval = declared.flags & set_flags::INTERVAL != 0;
    let shape = Shape {
        key: declared.key,
        data,
        interval,
        shift: 0,
        wide_bits: 0,
        flip: 0,
        in_place: false,
        table,
    };
    let mut flags = declared.flags | shape_flags(&shape);
    flags |= if declared.timeout_ms.is_some() {
        set_flags::TIMEOUT
    } else {
        0
    };
    flags |= if declared.exprs.is_empty() {
        0
    } else {
        set_flags::EXPR
    };
    let mut set = new_set(name, flags, &shape);
    set.timeout_ms = declared.timeout_ms;
    set.size = declared.size;
    set.exprs = declared.exprs;
    let info = SetInfo {
        span: word.span,
        data: data_types(&shape.data),
        data_interval: matches!(shape.data, DataShape::Values { interval: true, .. }),
        key: shape.key,
        auto_merge: declared.auto_merge,
        in_place: false,
        swapped: interval,
        is_typeof: declared.is_typeof,
        used: false,
    };
    let id = cx.add_set(set, info);
    cx.program.notes.sets.insert(id, declared.note);
    if let Some(names) = cx.names.of_mut(table) {
        names.sets.insert(name.to_owned(), id);
    }
    Some(id)
}

fn existing(
    cx: &mut Context<'_>,
    id: SetId,
    word: Word,
    declared: &Declared,
    verb: Verb,
) -> Option<SetId> {
    let name = cx.text(word);
    if verb == Verb::Create {
        return cx.error(
            Code::AlreadyExists,
            word.span,
            format!("set `{name}` exists"),
        );
    }
    let info = cx.set_info(id)?;
    if info.key == declared.key {
        return Some(id);
    }
    let place = info.span;
    cx.report(
        Diagnostic::new(
            Code::AlreadyExists,
            word.span,
            format!("set `{name}` exists with another type"),
        )
        .related(place, "first declared here"),
    );
    None
}

/// The dynamic set of a `meter` statement.
pub(crate) fn meter_set(
    check: &mut RuleCheck<'_, '_>,
    word: Word,
    name: &str,
    shape: &Shape,
    timeout_ms: Option<u64>,
    size: Option<u32>,
) -> Option<SetId> {
    let table = check.place.table;
    if check.cx.names.set(table, name).is_some() {
        return check.cx.error(
            Code::AlreadyExists,
            word.span,
            format!("set `{name}` exists"),
        );
    }
    let flags = set_flags::EVAL
        | if timeout_ms.is_some() {
            set_flags::TIMEOUT
        } else {
            0
        };
    let mut set = new_set(name, flags, shape);
    set.size = size.or(Some(65535));
    let info = SetInfo {
        span: word.span,
        key: shape.key.clone(),
        data: Vec::new(),
        data_interval: false,
        auto_merge: false,
        in_place: false,
        swapped: false,
        is_typeof: true,
        used: true,
    };
    let id = check.cx.add_set(set, info);
    if let Some(names) = check.cx.names.of_mut(table) {
        names.sets.insert(name.to_owned(), id);
    }
    Some(id)
}
