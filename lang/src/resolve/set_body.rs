//! The block of a set's declaration: its type, flags and limits.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::command::{check_comment, define_in};
use super::context::every;
use super::{Context, set_type};
use crate::ast::{Expr, ExprKind, MapData, Number, SetBody, SetBodyItem, SetType, SetTypeof, Word};
use crate::check::{Place, RuleCheck, stateful_spec, vm_kind};
use crate::datatype::{Base, Type, by_name, info};
use crate::diag::Code;
use crate::sets::DataShape;
use crate::typed::{SetNote, Value};
use redan_vm::datatype::DataType;
use redan_vm::ids::TableId;
use redan_vm::instr::ObjectKind as VmKind;
use redan_vm::ruleset::{StateSpec, set_flags};

/// What a block says about a set.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) key: Vec<Type>,
    pub(super) data: Option<DataShape>,
    pub(super) is_typeof: bool,
    pub(super) flags: u32,
    pub(super) timeout_ms: Option<u64>,
    pub(super) size: Option<u32>,
    pub(super) auto_merge: bool,
    pub(super) exprs: Vec<StateSpec>,
    /// What listings show beside.
    pub(super) note: SetNote,
}

pub(super) fn read_body(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    is_map: bool,
    body: &SetBody,
) -> Option<Declared> {
    let mut out = Declared::default();
    let mut sound = true;
    let before = cx.scope;
    for item in &body.items {
        sound &= read_item(cx, table, is_map, item, &mut out).is_some();
    }
    cx.scope = before;
    if !sound {
        return None;
    }
    set_type::check_body(cx, body, &out)?;
    if out.key.is_empty() && body.spoilt {
        return None;
    }
    if out.key.is_empty() {
        return cx.error_help(
            Code::BadDeclaration,
            word.span,
            "a set needs a type",
            "add `type ipv4_addr` or `typeof ip saddr`",
        );
    }
    let bytes: u32 = out.key.iter().map(|ty| u32::from(ty.padded_bytes())).sum();
    if bytes > 64 {
        return cx.error(
            Code::TooWide,
            word.span,
            format!("the key has {bytes} bytes; 64 is the most"),
        );
    }
    Some(out)
}

fn read_item(
    cx: &mut Context<'_>,
    table: TableId,
    is_map: bool,
    item: &SetBodyItem,
    out: &mut Declared,
) -> Option<()> {
    match item {
        SetBodyItem::Type(found) => read_type(cx, found, out),
        SetBodyItem::Typeof(found) => read_typeof(cx, table, found, out),
        SetBodyItem::Flags(words) => {
            for word in words {
                out.flags |= match cx.text(*word) {
                    "constant" => set_flags::CONSTANT,
                    "dynamic" => set_flags::EVAL,
                    "interval" => set_flags::INTERVAL,
                    "timeout" => set_flags::TIMEOUT,
                    other => {
                        return cx.unknown(
                            Code::BadFlag,
                            word.span,
                            "set flag",
                            other,
                            ["constant", "dynamic", "interval", "timeout"],
                        );
                    }
                };
            }
            Some(())
        }
        SetBodyItem::Timeout(ms, _) => {
            out.timeout_ms = Some(*ms);
            Some(())
        }
        SetBodyItem::Size(number) => {
            out.size = Some(size(cx, *number)?);
            Some(())
        }
        SetBodyItem::Policy(word) => match cx.text(*word) {
            "performance" => Some(()),
            "memory" => {
                out.note.for_memory = true;
                Some(())
            }
            other => cx.unknown(
                Code::UnknownKeyword,
                word.span,
                "set policy",
                other,
                ["performance", "memory"],
            ),
        },
        SetBodyItem::AutoMerge(span) if is_map => cx.error(
            Code::BadFlag,
            *span,
            "auto-merge is for sets: elements of a map cannot merge",
        ),
        SetBodyItem::AutoMerge(_) => {
            out.auto_merge = true;
            Some(())
        }
        SetBodyItem::Stmt(stmt) => {
            let spec = stateful_spec(cx, stmt)?;
            out.exprs.push(spec);
            Some(())
        }
        SetBodyItem::Define(define) => {
            define_in(cx, define);
            Some(())
        }
        SetBodyItem::Comment(comment) => {
            out.note.comment = Some(comment.text(cx.sources).to_owned());
            check_comment(cx, *comment)
        }
        SetBodyItem::GcInterval(ms, _) => {
            out.note.gc_interval_ms = Some(*ms);
            Some(())
        }
        SetBodyItem::Elements(_) | SetBodyItem::Undefine(_) => Some(()),
    }
}

fn size(cx: &mut Context<'_>, number: Number) -> Option<u32> {
    match u32::try_from(number.value) {
        Ok(value) => Some(value),
        Err(_) => cx.error(Code::ValueOutOfRange, number.span, "the size has 32 bits"),
    }
}

fn read_type(cx: &mut Context<'_>, found: &SetType, out: &mut Declared) -> Option<()> {
    out.key = every(found.key.iter().map(|word| type_of(cx, *word)))?;
    match &found.data {
        None => {}
        Some(MapData::Object(kind, _)) => out.data = Some(DataShape::Object(vm_kind(*kind))),
        Some(MapData::Types(words)) => {
            if let [only] = words.as_slice() {
                let text = cx.text(*only);
                if text == "verdict" {
                    out.data = Some(DataShape::Verdict);
                    return Some(());
                }
                if let Some(kind) = object_kind(text) {
                    out.data = Some(DataShape::Object(kind));
                    return Some(());
                }
            }
            let types = every(words.iter().map(|word| type_of(cx, *word)))?;
            out.data = Some(DataShape::Values {
                types,
                interval: found.data_interval,
            });
        }
    }
    Some(())
}

fn object_kind(text: &str) -> Option<VmKind> {
    Some(match text {
        "counter" => VmKind::Counter,
        "quota" => VmKind::Quota,
        "limit" => VmKind::Limit,
        "ct helper" => VmKind::CtHelper,
        "ct timeout" => VmKind::CtTimeout,
        "ct expectation" => VmKind::CtExpectation,
        "secmark" => VmKind::Secmark,
        "synproxy" => VmKind::Synproxy,
        "tunnel" => VmKind::Tunnel,
        _ => return None,
    })
}

fn type_of(cx: &mut Context<'_>, word: Word) -> Option<Type> {
    let text = cx
        .text(word)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let found =
        by_name(&text).filter(|found| info(*found).bits > 0 && info(*found).base != Base::Verdict);
    match found {
        Some(found) => Some(Type::of(found)),
        None if matches!(
            by_name(&text),
            Some(DataType::Integer | DataType::String | DataType::Bitmask | DataType::LlAddr)
        ) =>
        {
            cx.error_help(
                Code::UnknownType,
                word.span,
                format!("`{text}` has no width of its own"),
                "use `typeof` with the field, such as `typeof ip id`",
            )
        }
        None => cx.unknown(
            Code::UnknownType,
            word.span,
            "data type",
            &text,
            DataType::ALL.iter().map(|known| known.word()),
        ),
    }
}

fn read_typeof(
    cx: &mut Context<'_>,
    table: TableId,
    found: &SetTypeof,
    out: &mut Declared,
) -> Option<()> {
    out.is_typeof = true;
    out.note.key = values_of(cx, table, &found.key)?;
    out.key = out.note.key.iter().map(|value| value.ty).collect();
    let Some(data) = &found.data else {
        return Some(());
    };
    if let ExprKind::Symbol(word) = data.kind {
        let text = cx.text(word);
        if text == "verdict" {
            out.data = Some(DataShape::Verdict);
            return Some(());
        }
        if let Some(kind) = object_kind(text) {
            out.data = Some(DataShape::Object(kind));
            return Some(());
        }
        if text == "queue" {
            out.data = Some(DataShape::Values {
                types: vec![Type::of(DataType::Queue)],
                interval: false,
            });
            return Some(());
        }
    }
    out.note.data = values_of(cx, table, data)?;
    let types = out.note.data.iter().map(|value| value.ty).collect();
    out.data = Some(DataShape::Values {
        types,
        interval: found.data_interval,
    });
    Some(())
}

/// Fields whose types are wanted, with protocols that contradict each other allowed: nothing is matched here.
fn values_of(cx: &mut Context<'_>, table: TableId, expr: &Expr) -> Option<Vec<Value>> {
    let family = cx.ruleset.tables.get(table.index())?.family;
    let items: &[Expr] = match &expr.kind {
        ExprKind::Concat(items) => items,
        _ => std::slice::from_ref(expr),
    };
    let place = Place {
        table,
        family,
        base: None,
    };
    every(items.iter().map(|item| {
        let mut check = RuleCheck::new(cx, place);
        check.for_type();
        check.key(item)
    }))
}
