//! Sets and maps: declaration, elements, removal.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::Context;
use super::command::{check_name, named, table};
use crate::ast::{
    ElementCommand, Expr, ExprKind, MapData, Number, SetBody, SetBodyItem, SetCommand, SetType,
    SetTypeof, Verb, Word,
};
use crate::check::{Place, RuleCheck, data_types, new_set, stateful_spec, vm_kind};
use crate::datatype::{Base, Type, by_name, info};
use crate::diag::{Code, Diagnostic};
use crate::sets::{DataShape, Shape};
use crate::typed::SetInfo;
use redan_vm::datatype::DataType;
use redan_vm::ids::{SetId, TableId};
use redan_vm::instr::ObjectKind as VmKind;
use redan_vm::ruleset::{Elements, SetData, StateSpec, set_flags};

/// What a block says about a set.
#[derive(Default)]
struct Declared {
    key: Vec<Type>,
    data: Option<DataShape>,
    is_typeof: bool,
    flags: u32,
    timeout_ms: Option<u64>,
    size: Option<u32>,
    auto_merge: bool,
    exprs: Vec<StateSpec>,
}

/// A verb on a set.
pub(super) fn command<'a>(cx: &mut Context<'a>, command: &'a SetCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    let word = named(cx, command.id)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
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
            let id = cx.find_set(table, word)?;
            forget(cx, table, word);
            clear(cx, id);
            Some(())
        }
        Verb::Destroy => {
            forget(cx, table, word);
            Some(())
        }
    }
}

fn forget(cx: &mut Context<'_>, table: TableId, word: Word) {
    let name = cx.text(word);
    if let Some(names) = cx.names.of_mut(table) {
        names.sets.remove(name);
    }
}

/// Adds a set or map; one that exists must be the same.
pub(super) fn declare<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    word: Word,
    is_map: bool,
    body: &'a SetBody,
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
    let concat = declared.key.len() > 1;
    let shape = Shape {
        key: declared.key,
        data,
        interval,
        shift: 0,
        wide_bits: 0,
        table,
    };
    let mut flags = declared.flags;
    flags |= if interval && concat {
        set_flags::CONCAT
    } else {
        0
    };
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
    flags |= match shape.data {
        DataShape::None => 0,
        DataShape::Values { .. } | DataShape::Verdict => set_flags::MAP,
        DataShape::Object(_) => set_flags::OBJECT,
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

fn read_body<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    word: Word,
    is_map: bool,
    body: &'a SetBody,
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

fn read_item<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    is_map: bool,
    item: &'a SetBodyItem,
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
            "performance" | "memory" => Some(()),
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
            let name = cx.text(define.name);
            cx.scope = cx
                .scopes
                .define(cx.scope, name, define.name.span, &define.value);
            Some(())
        }
        SetBodyItem::Comment(comment) if comment.text(cx.sources).len() > 128 => cx.error(
            Code::BadString,
            comment.span,
            "comment too long: at most 128 bytes",
        ),
        SetBodyItem::GcInterval(..)
        | SetBodyItem::Elements(_)
        | SetBodyItem::Comment(_)
        | SetBodyItem::Undefine(_) => Some(()),
    }
}

fn size(cx: &mut Context<'_>, number: Number) -> Option<u32> {
    match u32::try_from(number.value) {
        Ok(value) => Some(value),
        Err(_) => cx.error(Code::ValueOutOfRange, number.span, "the size has 32 bits"),
    }
}

fn read_type(cx: &mut Context<'_>, found: &SetType, out: &mut Declared) -> Option<()> {
    let key: Vec<Option<Type>> = found.key.iter().map(|word| type_of(cx, *word)).collect();
    out.key = key.into_iter().collect::<Option<_>>()?;
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
            let types: Vec<Option<Type>> = words.iter().map(|word| type_of(cx, *word)).collect();
            let types = types.into_iter().collect::<Option<Vec<_>>>()?;
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

fn read_typeof<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    found: &'a SetTypeof,
    out: &mut Declared,
) -> Option<()> {
    out.is_typeof = true;
    out.key = types_of(cx, table, &found.key)?;
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
    }
    let types = types_of(cx, table, data)?;
    out.data = Some(DataShape::Values {
        types,
        interval: found.data_interval,
    });
    Some(())
}

/// The types of fields, with protocols that contradict each other allowed: nothing is matched here.
fn types_of(cx: &mut Context<'_>, table: TableId, expr: &Expr) -> Option<Vec<Type>> {
    let family = cx.ruleset.tables.get(table.index())?.family;
    let items: &[Expr] = match &expr.kind {
        ExprKind::Concat(items) => items,
        _ => std::slice::from_ref(expr),
    };
    let types: Vec<Option<Type>> = items
        .iter()
        .map(|item| {
            let mut check = RuleCheck::new(
                cx,
                Place {
                    table,
                    family,
                    base: None,
                },
            );
            check.for_type();
            check.key(item).map(|value| value.ty)
        })
        .collect();
    types.into_iter().collect()
}

/// What a set's elements look like.
fn shape_of(cx: &Context<'_>, id: SetId) -> Option<Shape> {
    let set = cx.ruleset.sets.get(id.index())?;
    let info = cx.set_info(id)?;
    let data = match set.data {
        SetData::None => DataShape::None,
        SetData::Value(_) => DataShape::Values {
            types: info.data.clone(),
            interval: info.data_interval,
        },
        SetData::Verdict => DataShape::Verdict,
        SetData::Object(kind) => DataShape::Object(kind),
    };
    Some(Shape {
        key: info.key.clone(),
        data,
        interval: set.flags & set_flags::INTERVAL != 0,
        shift: 0,
        wide_bits: 0,
        table: set.table,
    })
}

/// Adds the elements of a literal, or of a variable that holds one.
pub(super) fn add_elements<'a>(cx: &mut Context<'a>, id: SetId, elements: &'a Expr) -> Option<()> {
    let shape = shape_of(cx, id)?;
    let (resolved, scope) = cx.resolve(elements)?;
    let ExprKind::Set(lit) = &resolved.kind else {
        return single_element(cx, id, &shape, resolved);
    };
    let before = std::mem::replace(&mut cx.scope, scope);
    let collected = cx.collect(lit, &shape);
    cx.scope = before;
    let collected = collected?;
    mark_timeouts(cx, id, &collected);
    cx.add_elements(id, &shape, collected);
    Some(())
}

/// `elements = $x`, where the variable holds one value.
fn single_element(cx: &mut Context<'_>, id: SetId, shape: &Shape, expr: &Expr) -> Option<()> {
    let [ty] = shape.key.as_slice() else {
        return cx.error(
            Code::WrongType,
            expr.span,
            "elements are written in braces: `{ ... }`",
        );
    };
    let constant = cx.constant(expr, *ty)?;
    cx.check_interval(constant, shape, expr.span)?;
    let mut collected = crate::sets::Collected::default();
    collected.push_single(shape, *ty, constant, expr.span);
    cx.add_elements(id, shape, collected);
    Some(())
}

/// Elements with timeouts need a set that has them.
fn mark_timeouts(cx: &mut Context<'_>, id: SetId, collected: &crate::sets::Collected) {
    let timed = collected
        .extras
        .values()
        .any(|extra| extra.timeout_ms.is_some() || extra.expires_ms.is_some());
    if timed && let Some(set) = cx.ruleset.sets.get_mut(id.index()) {
        set.flags |= set_flags::TIMEOUT;
    }
}

/// A verb on elements.
pub(super) fn element_command<'a>(cx: &mut Context<'a>, command: &'a ElementCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    let id = cx.find_set(table, command.set)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            add_elements(cx, id, &command.elements)
        }
        Verb::Delete | Verb::Destroy => {
            remove_elements(cx, id, &command.elements, command.verb == Verb::Destroy)
        }
    }
}

fn remove_elements<'a>(
    cx: &mut Context<'a>,
    id: SetId,
    elements: &'a Expr,
    quiet: bool,
) -> Option<()> {
    let mut shape = shape_of(cx, id)?;
    // the data of elements to remove may be left out
    shape.data = DataShape::None;
    let (resolved, scope) = cx.resolve(elements)?;
    let ExprKind::Set(lit) = &resolved.kind else {
        return cx.error(
            Code::WrongType,
            resolved.span,
            "elements are written in braces: `{ ... }`",
        );
    };
    let before = std::mem::replace(&mut cx.scope, scope);
    let collected = cx.collect(lit, &shape);
    cx.scope = before;
    let collected = collected?;
    let all_there = if shape.interval && !shape.is_concat() {
        let intervals = cx.pending.entry(id).or_insert_with(|| shape.intervals());
        intervals.remove(&collected.bounds)
    } else {
        let set = cx.ruleset.sets.get_mut(id.index())?;
        let width = usize::from(shape.key_bytes()).max(1);
        remove_keys(&mut set.elements, width, &collected.lows)
    };
    if all_there || quiet {
        return Some(());
    }
    cx.error(Code::UnknownSymbol, resolved.span, "element does not exist")
}

/// Removes elements by key; says whether all of them were there.
fn remove_keys(elements: &mut Elements, width: usize, keys: &[u8]) -> bool {
    let mut wanted: Vec<(&[u8], bool)> = keys.chunks(width).map(|key| (key, false)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let old = std::mem::take(elements);
    for (at, key) in old.keys.chunks(width).enumerate() {
        let found = wanted.binary_search_by(|probe| probe.0.cmp(key));
        if let Some(hit) = found.ok().and_then(|found| wanted.get_mut(found)) {
            hit.1 = true;
            continue;
        }
        let number = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        if let Some(extra) = u32::try_from(at).ok().and_then(|at| old.extras.get(&at)) {
            elements.extras.insert(number, extra.clone());
        }
        elements.keys.extend_from_slice(key);
        let ends = old.key_ends.get(at * width..(at + 1) * width);
        elements
            .key_ends
            .extend_from_slice(ends.unwrap_or_default());
        elements.flags.extend(old.flags.get(at));
        elements.data.extend(old.data.get(at));
    }
    wanted.iter().all(|(_, hit)| *hit)
}

/// Removes all elements.
pub(super) fn clear(cx: &mut Context<'_>, id: SetId) {
    cx.pending.remove(&id);
    if let Some(set) = cx.ruleset.sets.get_mut(id.index()) {
        set.elements = Elements::default();
    }
}

/// Writes the boundaries of every interval set, once no command can change it any more.
pub(super) fn finish(cx: &mut Context<'_>) {
    let pending = std::mem::take(&mut cx.pending);
    for (id, intervals) in pending {
        let Some(shape) = shape_of(cx, id) else {
            continue;
        };
        cx.settle(id, &shape, intervals);
    }
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
