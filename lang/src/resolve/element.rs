//! Elements of named sets and maps: adding, removing, and what is settled when all commands have run.

use super::command::table;
use super::{Context, set_type};
use crate::ast::{ElementCommand, Expr, ExprKind, Verb};
use crate::diag::Code;
use crate::sets::{Collected, DataShape, Shape};
use redan_vm::ids::SetId;
use redan_vm::ruleset::{Element, Elements, Set, SetData, StateSpec, set_flags};
use std::collections::BTreeSet;
use std::mem::discriminant;

/// A verb on elements.
pub(super) fn command(cx: &mut Context<'_>, command: &ElementCommand) -> Option<()> {
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
        flip: 0,
        in_place: false,
        table: set.table,
    })
}

/// Adds the elements of a literal, or of a variable that holds one.
pub(super) fn add_elements(cx: &mut Context<'_>, id: SetId, elements: &Expr) -> Option<()> {
    let shape = shape_of(cx, id)?;
    if matches!(&elements.kind, ExprKind::Set(lit) if lit.is_empty() && !lit.spoilt) {
        return cx.error_help(
            Code::EmptySet,
            elements.span,
            "the list of elements is empty",
            "leave it out: a set may be filled later",
        );
    }
    let (resolved, scope) = cx.resolve(elements)?;
    let ExprKind::Set(lit) = &resolved.kind else {
        return single_element(cx, id, &shape, resolved);
    };
    let before = std::mem::replace(&mut cx.scope, scope);
    let collected = cx.collect(lit, &shape);
    cx.scope = before;
    let collected = collected?;
    check_statements(cx, id, &collected)?;
    set_type::check_elements(cx, id, &collected)?;
    cx.add_elements(id, &shape, collected);
    Some(())
}

/// What an element carries must be what its set's declaration says of all of them; sets that packets change leave it to the elements.
fn check_statements(cx: &mut Context<'_>, id: SetId, collected: &Collected) -> Option<()> {
    let set = cx.ruleset.sets.get(id.index())?;
    let free = set.exprs.is_empty() && set.flags & set_flags::EVAL != 0;
    let wrong = |extra: &Element| {
        let kinds = |specs: &[StateSpec]| specs.iter().map(discriminant).collect::<Vec<_>>();
        !extra.exprs.is_empty() && kinds(&extra.exprs) != kinds(&set.exprs)
    };
    let first = collected.extras.iter().filter(|(_, extra)| wrong(extra));
    let Some(number) = first.map(|(number, _)| *number).min().filter(|_| !free) else {
        return Some(());
    };
    let span = collected.places.get(&number).copied().unwrap_or_default();
    cx.error_help(
        Code::BadDeclaration,
        span,
        "the element's statements are not those of the set's declaration",
        "add them to the declaration, such as a line `counter`",
    )
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
    let mut collected = Collected::default();
    collected.push_single(shape, *ty, constant, expr.span);
    cx.add_elements(id, shape, collected);
    Some(())
}

fn remove_elements(cx: &mut Context<'_>, id: SetId, elements: &Expr, quiet: bool) -> Option<()> {
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

/// How many elements count for a set's size: ranges once, repetitions not, `*` not.
fn population(set: &Set) -> usize {
    let elements = &set.elements;
    let plain = |flag: &&u8| **flag & (Elements::END | Elements::CATCHALL) == 0;
    let count = elements.flags.iter().filter(plain).count();
    let within = |count: usize| set.size.is_none_or(|size| count <= size as usize);
    if within(count) || set.flags & set_flags::INTERVAL != 0 {
        return count;
    }
    let width = usize::from(set.key_len).max(1);
    let keys = elements.keys.chunks(width).zip(&elements.flags);
    let keys: BTreeSet<&[u8]> = keys
        .filter(|(_, flag)| plain(flag))
        .map(|(key, _)| key)
        .collect();
    keys.len()
}

/// Refuses sets with more elements than they have room for, as the kernel does (`ENFILE`).
fn check_sizes(cx: &mut Context<'_>) {
    for at in 0..cx.ruleset.sets.len() {
        let Some(set) = cx.ruleset.sets.get(at) else {
            continue;
        };
        let count = population(set);
        let Some(size) = set.size.filter(|size| *size > 0 && count > *size as usize) else {
            continue;
        };
        let message = format!(
            "set `{}` has {count} elements and room for {size}",
            set.name
        );
        let span = cx.program.sets.get(at).map(|info| info.span);
        cx.error_help::<()>(
            Code::ValueOutOfRange,
            span.unwrap_or_default(),
            message,
            "give it a greater `size`, or leave `size` out",
        );
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
    check_sizes(cx);
    set_type::check_counting(cx);
}
