//! Ranges as half-open boundaries.

use crate::source::Span;
use redan_vm::ruleset::{Element, ElementData, Elements};
use std::collections::BTreeMap;

/// An end of a range: keys of up to 64 bits are kept in half the room.
trait End: Copy + Ord {
    fn from_wide(value: u128) -> Self;
    fn wide(self) -> u128;
}

impl End for u64 {
    fn from_wide(value: u128) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn wide(self) -> u128 {
        u128::from(self)
    }
}

impl End for u128 {
    fn from_wide(value: u128) -> Self {
        value
    }

    fn wide(self) -> u128 {
        self
    }
}

/// One range of a set, both ends included, with the number of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range<E> {
    low: E,
    high: E,
    element: u32,
}

/// Two elements that overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// Where the one that was added later stands.
    pub(crate) later: Span,
    /// Where the one that was there stands.
    pub(crate) earlier: Span,
}

#[derive(Debug, Clone)]
enum Ranges {
    Narrow(Vec<Range<u64>>),
    Wide(Vec<Range<u128>>),
}

/// Ranges of a set whose key is a single value, in order of addition.
#[derive(Debug, Clone)]
pub(crate) struct Intervals {
    ranges: Ranges,
    spans: Vec<Span>,
    data: Vec<ElementData>,
    extras: BTreeMap<u32, Element>,
    catchall: Option<u32>,
}

impl Intervals {
    /// None yet, for keys of that many bits.
    pub(crate) fn new(bits: u32) -> Self {
        let ranges = if bits <= 64 {
            Ranges::Narrow(Vec::new())
        } else {
            Ranges::Wide(Vec::new())
        };
        Self {
            ranges,
            spans: Vec::new(),
            data: Vec::new(),
            extras: BTreeMap::new(),
            catchall: None,
        }
    }

    /// Makes room for more ranges.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.spans.reserve(more);
        match &mut self.ranges {
            Ranges::Narrow(ranges) => ranges.reserve(more),
            Ranges::Wide(ranges) => ranges.reserve(more),
        }
    }

    /// Adds a range, both ends included.
    pub(crate) fn add(
        &mut self,
        low: u128,
        high: u128,
        span: Span,
        data: Option<ElementData>,
        extra: Option<Element>,
    ) {
        let element = self.number(span, data, extra);
        match &mut self.ranges {
            Ranges::Narrow(ranges) => ranges.push(range(low, high, element)),
            Ranges::Wide(ranges) => ranges.push(range(low, high, element)),
        }
    }

    /// Adds the element that matches whatever no other one matches.
    pub(crate) fn add_catchall(
        &mut self,
        span: Span,
        data: Option<ElementData>,
        extra: Option<Element>,
    ) {
        self.catchall = Some(self.number(span, data, extra));
    }

    fn number(&mut self, span: Span, data: Option<ElementData>, extra: Option<Element>) -> u32 {
        let element = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        self.spans.push(span);
        self.data.extend(data);
        if let Some(extra) = extra {
            self.extras.insert(element, extra);
        }
        element
    }

    /// Removes the ranges that are exactly so; says whether all of them were there.
    pub(crate) fn remove(&mut self, bounds: &[(u128, u128)]) -> bool {
        match &mut self.ranges {
            Ranges::Narrow(ranges) => remove(ranges, bounds),
            Ranges::Wide(ranges) => remove(ranges, bounds),
        }
    }

    /// Sorts, drops exact repetitions, merges what overlaps or touches where `merge` says so, and else finds what overlaps. Neighbouring keys are `step` apart.
    pub(crate) fn settle(&mut self, merge: bool, step: u128) -> Option<Overlap> {
        let step = merge.then_some(step);
        match &mut self.ranges {
            Ranges::Narrow(ranges) => settle(ranges, &self.data, &self.spans, step),
            Ranges::Wide(ranges) => settle(ranges, &self.data, &self.spans, step),
        }
    }

    /// Writes the boundaries: `encode` appends a key's bytes.
    pub(crate) fn write(
        &self,
        max: u128,
        is_map: bool,
        mut encode: impl FnMut(u128, &mut Vec<u8>),
    ) -> Elements {
        let mut out = Elements::default();
        match &self.ranges {
            Ranges::Narrow(ranges) => self.write_ranges(ranges, max, is_map, &mut encode, &mut out),
            Ranges::Wide(ranges) => self.write_ranges(ranges, max, is_map, &mut encode, &mut out),
        }
        if let Some(element) = self.catchall {
            self.start(
                element,
                0,
                Elements::CATCHALL,
                is_map,
                &mut encode,
                &mut out,
            );
        }
        out
    }

    fn write_ranges<E: End>(
        &self,
        ranges: &[Range<E>],
        max: u128,
        is_map: bool,
        encode: &mut impl FnMut(u128, &mut Vec<u8>),
        out: &mut Elements,
    ) {
        out.flags.reserve(ranges.len() * 2 + 1);
        let no_data = is_map.then_some(ElementData::None);
        if ranges.first().is_some_and(|first| first.low.wide() > 0) {
            push(out, 0, Elements::END, no_data, encode);
        }
        for (at, range) in ranges.iter().enumerate() {
            self.start(range.element, range.low.wide(), 0, is_map, encode, out);
            let high = range.high.wide();
            let next = ranges.get(at + 1).map(|next| next.low.wide());
            if high < max && next != Some(high + 1) {
                push(out, high + 1, Elements::END, no_data, encode);
            }
        }
    }

    /// Writes the start of an element, with what it carries.
    #[expect(clippy::too_many_arguments, reason = "the parts of one element")]
    fn start(
        &self,
        element: u32,
        key: u128,
        flags: u8,
        is_map: bool,
        encode: &mut impl FnMut(u128, &mut Vec<u8>),
        out: &mut Elements,
    ) {
        if let Some(extra) = self.extras.get(&element) {
            let index = u32::try_from(out.len()).unwrap_or(u32::MAX);
            out.extras.insert(index, extra.clone());
        }
        let data = self.data.get(element as usize).copied();
        let data = is_map.then(|| data.unwrap_or(ElementData::None));
        push(out, key, flags, data, encode);
    }
}

fn range<E: End>(low: u128, high: u128, element: u32) -> Range<E> {
    Range {
        low: E::from_wide(low),
        high: E::from_wide(high),
        element,
    }
}

fn remove<E: End>(ranges: &mut Vec<Range<E>>, bounds: &[(u128, u128)]) -> bool {
    let mut wanted: Vec<((u128, u128), bool)> = bounds.iter().map(|pair| (*pair, false)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    ranges.retain(|range| {
        let key = (range.low.wide(), range.high.wide());
        let found = wanted.binary_search_by(|probe| probe.0.cmp(&key));
        match found.ok().and_then(|at| wanted.get_mut(at)) {
            Some(hit) => {
                hit.1 = true;
                false
            }
            None => true,
        }
    });
    wanted.iter().all(|(_, hit)| *hit)
}

fn settle<E: End>(
    ranges: &mut Vec<Range<E>>,
    data: &[ElementData],
    spans: &[Span],
    merge: Option<u128>,
) -> Option<Overlap> {
    if !ranges.is_sorted() {
        ranges.sort_unstable();
    }
    if let Some(step) = merge {
        ranges.dedup_by(|later, earlier| {
            let joins = later.low.wide() <= earlier.high.wide().saturating_add(step);
            if joins {
                earlier.high = earlier.high.max(later.high);
            }
            joins
        });
        return None;
    }
    let same = |a: &Range<E>, b: &Range<E>| {
        (a.low, a.high) == (b.low, b.high)
            && data.get(a.element as usize) == data.get(b.element as usize)
    };
    ranges.dedup_by(|later, earlier| same(earlier, later));
    let mut pairs = ranges.iter().zip(ranges.iter().skip(1));
    let (first, second) = pairs.find(|(first, second)| second.low <= first.high)?;
    let place = |number: u32| spans.get(number as usize).copied().unwrap_or_default();
    Some(Overlap {
        later: place(first.element.max(second.element)),
        earlier: place(first.element.min(second.element)),
    })
}

fn push(
    out: &mut Elements,
    key: u128,
    flags: u8,
    data: Option<ElementData>,
    encode: &mut impl FnMut(u128, &mut Vec<u8>),
) {
    encode(key, &mut out.keys);
    out.flags.push(flags);
    out.data.extend(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundaries(
        ranges: &[(u128, u128)],
        merge: bool,
        max: u128,
    ) -> Result<Vec<(u8, u8)>, Overlap> {
        let mut intervals = Intervals::new(8);
        for (at, &(low, high)) in (0..).zip(ranges) {
            let span = Span::new(crate::source::SourceId(0), at, at + 1);
            intervals.add(low, high, span, None, None);
        }
        if let Some(overlap) = intervals.settle(merge, 1) {
            return Err(overlap);
        }
        let out = intervals.write(max, false, |key, keys| {
            keys.push(u8::try_from(key).unwrap());
        });
        Ok(out.keys.into_iter().zip(out.flags).collect())
    }

    #[test]
    fn ranges_become_starts_and_ends() {
        assert_eq!(
            boundaries(&[(80, 90), (22, 22)], true, 255),
            Ok(vec![(0, 1), (22, 0), (23, 1), (80, 0), (91, 1)])
        );
        assert_eq!(
            boundaries(&[(0, 4), (200, 255)], true, 255),
            Ok(vec![(0, 0), (5, 1), (200, 0)])
        );
        assert_eq!(
            boundaries(&[(1, 5), (3, 9), (10, 11)], true, 255),
            Ok(vec![(0, 1), (1, 0), (12, 1)])
        );
        assert_eq!(
            boundaries(&[(0, 5), (6, 9)], false, 255),
            Ok(vec![(0, 0), (6, 0), (10, 1)])
        );
        assert_eq!(boundaries(&[], false, 255), Ok(vec![]));
    }

    #[test]
    fn overlaps_are_found_and_repetitions_are_not() {
        assert_eq!(
            boundaries(&[(1, 5), (3, 9)], false, 255),
            Err(Overlap {
                later: Span::new(crate::source::SourceId(0), 1, 2),
                earlier: Span::new(crate::source::SourceId(0), 0, 1),
            })
        );
        assert_eq!(
            boundaries(&[(1, 5), (1, 5)], false, 255),
            Ok(vec![(0, 1), (1, 0), (6, 1)])
        );
    }

    #[test]
    fn removal_is_exact() {
        let mut intervals = Intervals::new(8);
        intervals.add(1, 5, Span::default(), None, None);
        assert!(!intervals.remove(&[(1, 4)]));
        assert!(intervals.remove(&[(1, 5)]));
    }
}
