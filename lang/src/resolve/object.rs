//! Named objects.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::command::check_name;
use super::ct_object::{expectation, helper, timeout};
use super::tunnel::tunnel;
use super::{Context, handle};
use crate::ast::{Ident, ObjectBody, ObjectItem, ObjectKind, Verb, Word};
use crate::check::{kind_words, limit_spec, quota_spec, synproxy_spec, vm_kind};
use crate::diag::Code;
use crate::typed::Numbered;
use redan_vm::ids::TableId;
use redan_vm::ruleset::{Object, StateSpec};

/// Adds a named object; one that exists stays as it is.
pub(super) fn declare(
    cx: &mut Context<'_>,
    table: TableId,
    kind: ObjectKind,
    word: Word,
    body: Option<&ObjectBody>,
    verb: Verb,
) -> Option<()> {
    check_name(cx, word)?;
    let name = cx.text(word).to_owned();
    let key = (vm_kind(kind), name.clone());
    let exists = cx
        .names
        .of(table)
        .is_some_and(|names| names.objects.contains_key(&key));
    if exists && verb == Verb::Create {
        return cx.error(
            Code::AlreadyExists,
            word.span,
            format!("{} `{name}` exists", kind.text()),
        );
    }
    let items = body.map_or(&[][..], |body| body.items.as_slice());
    let spec = spec(cx, table, kind, word, items)?;
    if exists {
        return Some(());
    }
    let state = cx.add_state(spec);
    for item in items {
        if let ObjectItem::Comment(comment) = item {
            let text = comment.text(cx.sources).to_owned();
            cx.program.notes.objects.insert(state, text);
        }
    }
    let handles = &mut cx.program.notes.handles;
    handles.give(table, Numbered::Object(state));
    cx.ruleset.objects.push(Object {
        table,
        name,
        kind: key.0,
        state,
        deleted: false,
    });
    if let Some(names) = cx.names.of_mut(table) {
        names.objects.insert(key, state);
    }
    Some(())
}

fn spec(
    cx: &mut Context<'_>,
    table: TableId,
    kind: ObjectKind,
    word: Word,
    items: &[ObjectItem],
) -> Option<StateSpec> {
    match kind {
        ObjectKind::Counter => Some(items.iter().fold(
            StateSpec::Counter {
                packets: 0,
                bytes: 0,
            },
            |spec, item| match item {
                ObjectItem::Counter(packets, bytes) => StateSpec::Counter {
                    packets: packets.value,
                    bytes: bytes.value,
                },
                _ => spec,
            },
        )),
        ObjectKind::Quota => match items.iter().find_map(|item| {
            if let ObjectItem::Quota(quota) = item {
                Some(quota)
            } else {
                None
            }
        }) {
            Some(quota) => quota_spec(cx, quota),
            None => cx.error(
                Code::BadDeclaration,
                word.span,
                "a quota needs its size, such as `25 mbytes`",
            ),
        },
        ObjectKind::Limit => match items.iter().find_map(|item| {
            if let ObjectItem::Limit(limit) = item {
                Some(limit)
            } else {
                None
            }
        }) {
            Some(limit) => limit_spec(cx, limit).map(StateSpec::Limit),
            None => cx.error(
                Code::BadDeclaration,
                word.span,
                "a limit needs its rate, such as `rate 400/hour`",
            ),
        },
        ObjectKind::Synproxy => synproxy(cx, items),
        ObjectKind::Tunnel => tunnel(cx, table, word, items),
        ObjectKind::Secmark => {
            let context = items.iter().find_map(|item| {
                if let ObjectItem::Secmark(text) = item {
                    Some(*text)
                } else {
                    None
                }
            });
            match context {
                Some(text) => Some(StateSpec::Secmark(text.text(cx.sources).to_owned())),
                None => cx.error(
                    Code::BadDeclaration,
                    word.span,
                    "a secmark needs its context",
                ),
            }
        }
        ObjectKind::CtHelper => helper(cx, table, word, items),
        ObjectKind::CtTimeout => timeout(cx, table, word, items),
        ObjectKind::CtExpectation => expectation(cx, table, word, items),
    }
}

/// One line may hold one option, so several lines add up.
fn synproxy(cx: &mut Context<'_>, items: &[ObjectItem]) -> Option<StateSpec> {
    let mut all = (0, 0, 0);
    for item in items {
        if let ObjectItem::Synproxy(synproxy) = item {
            let (mss, wscale, flags) = synproxy_spec(cx, synproxy)?;
            all = (all.0 | mss, all.1 | wscale, all.2 | flags);
        }
    }
    Some(StateSpec::Synproxy {
        mss: all.0,
        wscale: all.1,
        flags: all.2,
    })
}

/// Takes objects out of use; their names stay for printing.
pub(super) fn drop_objects(cx: &mut Context<'_>, gone: impl Fn(&Object) -> bool) {
    for object in cx.ruleset.objects.iter_mut().filter(|object| gone(object)) {
        object.deleted = true;
    }
}

/// Removes a named object.
pub(super) fn remove(
    cx: &mut Context<'_>,
    table: TableId,
    kind: ObjectKind,
    id: Ident,
    quiet: bool,
) -> Option<()> {
    let key = (vm_kind(kind), handle::object(cx, table, vm_kind(kind), id)?);
    let known = cx.names.of(table).and_then(|names| names.objects.get(&key));
    if let Some(object) = known.copied() {
        cx.object_is_free(table, object, kind_words(key.0), &key.1, id.span())?;
    }
    let gone = cx
        .names
        .of_mut(table)
        .and_then(|names| names.objects.remove(&key));
    if gone.is_some() || quiet {
        drop_objects(cx, |object| Some(object.state) == gone);
        return Some(());
    }
    cx.unknown(
        Code::UnknownObject,
        id.span(),
        kind_words(key.0),
        &key.1,
        std::iter::empty(),
    )
}
