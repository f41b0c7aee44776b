//! Collected elements into the ruleset's flat form.

use super::{Collected, DataShape, Intervals, Shape};
use crate::datatype::encode;
use crate::diag::{Code, Diagnostic};
use crate::resolve::Context;
use redan_vm::ids::SetId;
use redan_vm::ruleset::Elements;
use std::collections::HashMap;

impl Context<'_> {
    /// Adds elements to a set; ranges wait in [`Context::pending`] until the end, since later commands may add more.
    pub(crate) fn add_elements(&mut self, set: SetId, shape: &Shape, mut collected: Collected) {
        if !shape.interval
            && let Some((earlier, later)) = contradiction(&collected)
        {
            let span = self.program.sets.get(set.index()).map(|set| set.span);
            let (earlier, later) = (earlier + 1, later + 1);
            let finding = Diagnostic::new(
                Code::ConflictingIntervals,
                span.unwrap_or_default(),
                format!("element {later} has the key of element {earlier} and other data"),
            );
            self.report(finding.help("remove one of them: a key has one value"));
        }
        if shape.interval && !shape.is_concat() {
            self.add_ranges(set, shape, collected);
        } else if let Some(target) = self.ruleset.sets.get_mut(set.index()) {
            let base = u32::try_from(target.elements.len()).unwrap_or(u32::MAX);
            append(&mut target.elements, shape, &mut collected);
            let extras = collected.extras.into_iter();
            let extras = extras.map(|(at, extra)| (base + at, extra));
            target.elements.extras.extend(extras);
        }
    }

    fn add_ranges(&mut self, set: SetId, shape: &Shape, collected: Collected) {
        let is_map = !matches!(shape.data, DataShape::None);
        let intervals = self.pending.entry(set).or_insert_with(|| shape.intervals());
        intervals.reserve(collected.bounds.len());
        let mut extras = collected.extras;
        let places = collected.bounds.iter().zip(&collected.spans);
        for (at, (bounds, span)) in places.enumerate() {
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let data = if is_map {
                collected.data.get(at).copied()
            } else {
                None
            };
            let extra = extras.remove(&number);
            if collected.catchall == Some(number) {
                intervals.add_catchall(*span, data, extra);
            } else {
                intervals.add(bounds.0, bounds.1, *span, data, extra);
            }
        }
    }

    /// Turns the ranges of a set into boundaries, now that all are there; overlaps are errors.
    pub(crate) fn settle(&mut self, set: SetId, shape: &Shape, mut intervals: Intervals) {
        let merge = self
            .program
            .sets
            .get(set.index())
            .is_some_and(|info| info.auto_merge);
        if let Some(overlap) = intervals.settle(merge, 1 << shape.shift) {
            let help = if matches!(shape.data, DataShape::None) {
                "remove one of them, or add `auto-merge` to the set"
            } else {
                "elements of a map must not overlap"
            };
            self.report(
                Diagnostic::new(
                    Code::ConflictingIntervals,
                    overlap.later,
                    "conflicting intervals specified",
                )
                .note("overlaps with another element")
                .related(overlap.earlier, "this one")
                .help(help),
            );
        } else if let Some(target) = self.ruleset.sets.get_mut(set.index()) {
            target.elements = write_elements(&intervals, shape);
        }
    }
}

/// The first two elements of a map with one key and different data.
fn contradiction(collected: &Collected) -> Option<(usize, usize)> {
    let len = collected.lows.len().checked_div(collected.data.len())?;
    let mut seen = HashMap::with_capacity(collected.data.len());
    let keys = collected.lows.chunks_exact(len.max(1));
    keys.zip(&collected.data)
        .enumerate()
        .find_map(|(at, (key, data))| {
            let (first, before) = *seen.entry(key).or_insert((at, data));
            (before != data && collected.catchall.is_none()).then_some((first, at))
        })
}

/// Appends elements that are no ranges of single values.
fn append(out: &mut Elements, shape: &Shape, collected: &mut Collected) {
    if out.keys.is_empty() {
        out.keys = std::mem::take(&mut collected.lows);
        out.keys.shrink_to_fit();
        out.data = std::mem::take(&mut collected.data);
    } else {
        out.keys.extend_from_slice(&collected.lows);
        out.data.extend_from_slice(&collected.data);
    }
    if shape.interval {
        out.key_ends.extend_from_slice(&collected.highs);
    }
    let base = out.flags.len();
    out.flags.resize(base + collected.len(), 0);
    if let Some(flag) = collected
        .catchall
        .and_then(|at| out.flags.get_mut(base + at as usize))
    {
        *flag = Elements::CATCHALL;
    }
}

/// Boundaries of a settled interval set.
fn write_elements(intervals: &Intervals, shape: &Shape) -> Elements {
    let Some(ty) = shape.key.first() else {
        return Elements::default();
    };
    let kept = shape.key_type(*ty);
    let is_map = !matches!(shape.data, DataShape::None);
    intervals.write(kept.max(), is_map, |key, out| {
        out.extend_from_slice(encode(key, kept.bytes(), kept.order).as_bytes());
    })
}
