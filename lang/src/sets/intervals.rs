//! Ranges as half-open boundaries.

use redan_vm::ruleset::{Element, ElementData, Elements};
use std::collections::BTreeMap;

/// One range of a set, with the number of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    low: u128,
    high: u128,
    element: u32,
}

/// Two elements that overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// The number of the one that was added later.
    pub(crate) later: u32,
    /// The number of the one that was there.
    pub(crate) earlier: u32,
}

/// Ranges of a set whose key is a single value, in order of addition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intervals {
    ranges: Vec<Range>,
    data: Vec<ElementData>,
    extras: BTreeMap<u32, Element>,
    next: u32,
    catchall: Option<u32>,
}

impl Intervals {
    /// Adds a range, both ends included; gives the element's number.
    pub(crate) fn add(
        &mut self,
        low: u128,
        high: u128,
        data: Option<ElementData>,
        extra: Option<Element>,
    ) -> u32 {
        let element = self.next;
        self.next += 1;
        self.ranges.push(Range { low, high, element });
        self.note(element, data, extra);
        element
    }

    /// Adds the element that matches whatever no other one matches.
    pub(crate) fn add_catchall(&mut self, data: Option<ElementData>, extra: Option<Element>) {
        let element = self.next;
        self.next += 1;
        self.catchall = Some(element);
        self.note(element, data, extra);
    }

    fn note(&mut self, element: u32, data: Option<ElementData>, extra: Option<Element>) {
        if let Some(data) = data {
            self.data.push(data);
        }
        if let Some(extra) = extra {
            self.extras.insert(element, extra);
        }
    }

    /// How many elements were ever added.
    pub(crate) fn count(&self) -> u32 {
        self.next
    }

    /// Removes the ranges that are exactly so; says whether there was one.
    pub(crate) fn remove(&mut self, low: u128, high: u128) -> bool {
        let before = self.ranges.len();
        self.ranges
            .retain(|range| (range.low, range.high) != (low, high));
        self.ranges.len() != before
    }

    /// Removes every range.
    pub(crate) fn clear(&mut self) {
        self.ranges.clear();
        self.catchall = None;
    }

    /// Sorts, drops exact repetitions, merges what overlaps or touches where `merge` says so, and else finds what overlaps.
    pub(crate) fn settle(&mut self, merge: bool) -> Option<Overlap> {
        if !self.ranges.is_sorted() {
            self.ranges.sort_unstable();
        }
        if merge {
            let mut kept: Vec<Range> = Vec::with_capacity(self.ranges.len());
            for range in &self.ranges {
                match kept.last_mut() {
                    Some(last) if range.low <= last.high.saturating_add(1) => {
                        last.high = last.high.max(range.high)
                    }
                    _ => kept.push(*range),
                }
            }
            self.ranges = kept;
            return None;
        }
        let data = &self.data;
        let same = |a: &Range, b: &Range| {
            (a.low, a.high) == (b.low, b.high)
                && data.get(a.element as usize) == data.get(b.element as usize)
        };
        self.ranges.dedup_by(|later, earlier| same(earlier, later));
        self.ranges
            .iter()
            .zip(self.ranges.iter().skip(1))
            .find(|(first, second)| second.low <= first.high)
            .map(|(first, second)| Overlap {
                later: first.element.max(second.element),
                earlier: first.element.min(second.element),
            })
    }

    /// Writes the boundaries: `encode` appends a key's bytes.
    pub(crate) fn write(
        &self,
        max: u128,
        is_map: bool,
        mut encode: impl FnMut(u128, &mut Vec<u8>),
    ) -> Elements {
        let mut out = Elements::default();
        let room = self.ranges.len() * 2 + 1;
        out.flags.reserve(room);
        let data_of = |element: u32| {
            self.data
                .get(element as usize)
                .copied()
                .unwrap_or(ElementData::None)
        };
        if self.ranges.first().is_some_and(|first| first.low > 0) {
            push(
                &mut out,
                0,
                Elements::END,
                is_map.then_some(ElementData::None),
                &mut encode,
            );
        }
        for (at, range) in self.ranges.iter().enumerate() {
            if let Some(extra) = self.extras.get(&range.element) {
                let index = u32::try_from(out.len()).unwrap_or(u32::MAX);
                out.extras.insert(index, extra.clone());
            }
            push(
                &mut out,
                range.low,
                0,
                is_map.then(|| data_of(range.element)),
                &mut encode,
            );
            let touches = self
                .ranges
                .get(at + 1)
                .is_some_and(|next| range.high.checked_add(1) == Some(next.low));
            if range.high < max && !touches {
                push(
                    &mut out,
                    range.high + 1,
                    Elements::END,
                    is_map.then_some(ElementData::None),
                    &mut encode,
                );
            }
        }
        if let Some(element) = self.catchall {
            if let Some(extra) = self.extras.get(&element) {
                let index = u32::try_from(out.len()).unwrap_or(u32::MAX);
                out.extras.insert(index, extra.clone());
            }
            push(
                &mut out,
                0,
                Elements::CATCHALL,
                is_map.then(|| data_of(element)),
                &mut encode,
            );
        }
        out
    }
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
        let mut intervals = Intervals::default();
        for &(low, high) in ranges {
            intervals.add(low, high, None, None);
        }
        if let Some(overlap) = intervals.settle(merge) {
            return Err(overlap);
        }
        let out = intervals.write(max, false, |key, keys| {
            keys.push(u8::try_from(key).unwrap())
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
                later: 1,
                earlier: 0
            })
        );
        assert_eq!(
            boundaries(&[(1, 5), (1, 5)], false, 255),
            Ok(vec![(0, 1), (1, 0), (6, 1)])
        );
    }

    #[test]
    fn removal_is_exact() {
        let mut intervals = Intervals::default();
        intervals.add(1, 5, None, None);
        assert!(!intervals.remove(1, 4));
        assert!(intervals.remove(1, 5));
    }
}
