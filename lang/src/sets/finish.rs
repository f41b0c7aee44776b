//! Collected elements into the ruleset's flat form.

use super::{Collected, DataShape, Intervals, Shape};
use crate::datatype::encode;
use crate::diag::{Code, Diagnostic};
use crate::resolve::Context;
use redan_vm::ids::SetId;
use redan_vm::ruleset::Elements;

impl Context<'_> {
    /// Adds elements to a set; ranges wait in [`Context::pending`] until the end, since later commands may add more.
    pub(crate) fn add_elements(
        &mut self,
        set: SetId,
        shape: &Shape,
        mut collected: Collected,
    ) -> Option<()> {
        if shape.interval && !shape.is_concat() {
            return self.add_ranges(set, shape, collected);
        }
        let Some(target) = self.ruleset.sets.get_mut(set.index()) else {
            return Some(());
        };
        let base = u32::try_from(target.elements.len()).unwrap_or(u32::MAX);
        append(&mut target.elements, shape, &mut collected);
        target.elements.extras.extend(
            collected
                .extras
                .into_iter()
                .map(|(at, extra)| (base + at, extra)),
        );
        Some(())
    }

    fn add_ranges(&mut self, set: SetId, shape: &Shape, collected: Collected) -> Option<()> {
        let merge = self
            .program
            .sets
            .get(set.index())
            .is_some_and(|info| info.auto_merge);
        let is_map = !matches!(shape.data, DataShape::None);
        let intervals = self.pending.entry(set).or_insert_with(|| shape.intervals());
        intervals.reserve(collected.bounds.len());
        let mut extras = collected.extras;
        let first = intervals.count();
        for (at, bounds) in collected.bounds.iter().enumerate() {
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let data = if is_map {
                collected.data.get(at).copied()
            } else {
                None
            };
            let extra = extras.remove(&number);
            if collected.catchall == Some(number) {
                intervals.add_catchall(data, extra);
            } else {
                intervals.add(bounds.0, bounds.1, data, extra);
            }
        }
        let Some(overlap) = intervals.settle(merge) else {
            return Some(());
        };
        let span_of = |number: u32| {
            number
                .checked_sub(first)
                .and_then(|at| collected.spans.get(at as usize))
                .copied()
        };
        let later = span_of(overlap.later)
            .or_else(|| collected.spans.first().copied())
            .unwrap_or_default();
        let mut finding = Diagnostic::new(
            Code::ConflictingIntervals,
            later,
            "conflicting intervals specified",
        )
        .note("overlaps with another element");
        if let Some(earlier) = span_of(overlap.earlier) {
            finding = finding.related(earlier, "this one");
        }
        self.report(finding.help(if is_map {
            "elements of a map must not overlap"
        } else {
            "remove one of them, or add `auto-merge` to the set"
        }));
        None
    }
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
pub(crate) fn write_elements(intervals: &Intervals, shape: &Shape) -> Elements {
    let Some(ty) = shape.key.first() else {
        return Elements::default();
    };
    let kept = shape.key_type(*ty);
    let is_map = !matches!(shape.data, DataShape::None);
    intervals.write(kept.max(), is_map, |key, out| {
        out.extend_from_slice(encode(key, kept.bytes(), kept.order).as_bytes());
    })
}
