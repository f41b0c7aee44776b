//! Sets and maps at run time, built from [`ruleset::Set`](crate::ruleset::Set).
//!
//! An element is known by a number that stays its own while it lives: its index in [`Elements`] for what the file gives,
//! a slot for what packets add. Whoever keeps state for elements (counters, limits) keeps it under that number, below [`SetTable::slots`],
//! and starts it afresh when [`Changed::created`] says so.

mod bits;
mod dynamic;
mod exact;
mod interval;
mod ranges;
mod sorted;
#[cfg(test)]
mod tests;
mod values;
mod word;

use dynamic::{Dynamic, NEVER, expiry};
use exact::{Exact, Long, key_at};
use interval::{Interval, LongInterval};
use ranges::{LongRanges, Ranges};
use values::Values;
use word::Word as _;

use crate::ids::StateId;
use crate::instr::Verdict;
use crate::ruleset::{ElementData, Elements, Set, set_flags};
use crate::time::Instant;

/// A set or map, ready for lookups.
#[derive(Debug)]
pub struct SetTable {
    key_len: usize,
    index: Index,
    values: Values,
    /// The element that matches what no other matches.
    catchall: Option<u32>,
    /// When elements expire, in nanoseconds, in sets that packets do not change; empty where none ever does.
    expires: Vec<u64>,
    slots: usize,
}

/// Finds an element by key; one variant a kind of set and width of key.
#[derive(Debug)]
enum Index {
    Exact4(Exact<u32, 8>),
    Exact8(Exact<u64, 5>),
    Exact16(Exact<u128, 3>),
    ExactLong(Long),
    Interval4(Interval<u32, 16>),
    Interval8(Interval<u64, 8>),
    Interval16(Interval<u128, 4>),
    IntervalLong(LongInterval),
    Ranges4(Ranges<u32, 16>),
    Ranges8(Ranges<u64, 8>),
    Ranges16(Ranges<u128, 4>),
    RangesLong(LongRanges),
    Dynamic(Box<Dynamic>),
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit<'a> {
    /// Which element.
    pub element: u32,
    /// What it maps to.
    pub data: Value<'a>,
}

/// What an element maps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing: a set.
    None,
    /// Register bytes.
    Bytes(&'a [u8]),
    /// A verdict.
    Verdict(Verdict),
    /// A stateful object.
    Object(StateId),
}

/// What became of an element that a packet adds or refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which element.
    pub element: u32,
    /// Whether it was not there before: its state starts afresh, even where the number has been another's.
    pub created: bool,
}

/// An element of a set that packets change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number.
    pub element: u32,
    /// Its key.
    pub key: &'a [u8],
    /// When it expires, if it does.
    pub expires: Option<Instant>,
}

impl SetTable {
    /// Builds the table at the moment from which the elements' timeouts run. The seed keys the hash of sets that packets change.
    pub fn build(set: &Set, now: Instant, seed: u64) -> Self {
        let elements = &set.elements;
        let catchall = elements
            .flags
            .iter()
            .position(|flags| flags & Elements::CATCHALL != 0);
        Self {
            key_len: usize::from(set.key_len),
            index: Index::new(set, now, seed),
            values: Values::new(set.data, &elements.data),
            catchall: catchall.and_then(|at| u32::try_from(at).ok()),
            expires: expiries(set, now),
            slots: elements.len(),
        }
    }

    /// The element that matches a key ([`Set::key_len`] bytes, padding zero), if any. More bytes than the key has are left aside.
    #[inline]
    pub fn lookup(&self, key: &[u8], now: Instant) -> Option<Hit<'_>> {
        let key = key.get(..self.key_len)?;
        let element = self
            .find(key, now)
            .or_else(|| self.catchall.filter(|element| self.is_live(*element, now)))?;
        Some(Hit {
            element,
            data: self.values.get(element),
        })
    }

    /// The element with this key, the catch-all left aside.
    #[inline]
    fn find(&self, key: &[u8], now: Instant) -> Option<u32> {
        let is_live = |element: u32| self.is_live(element, now);
        match &self.index {
            Index::Exact4(exact) => exact.find(u32::load(key)),
            Index::Exact8(exact) => exact.find(u64::load(key)),
            Index::Exact16(exact) => exact.find(u128::load(key)),
            Index::ExactLong(exact) => exact.find(key),
            Index::Interval4(interval) => interval
                .find(u32::load(key))
                .filter(|element| is_live(*element)),
            Index::Interval8(interval) => interval
                .find(u64::load(key))
                .filter(|element| is_live(*element)),
            Index::Interval16(interval) => interval
                .find(u128::load(key))
                .filter(|element| is_live(*element)),
            Index::IntervalLong(interval) => interval.find(key).filter(|element| is_live(*element)),
            Index::Ranges4(ranges) => ranges.find(key, is_live),
            Index::Ranges8(ranges) => ranges.find(key, is_live),
            Index::Ranges16(ranges) => ranges.find(key, is_live),
            Index::RangesLong(ranges) => ranges.find(key, is_live),
            Index::Dynamic(dynamic) => dynamic.find(key, now),
        }
    }

    /// Adds an element for `dynset`: finds the one with this key, or makes one. `refresh` (`update`) restarts the timeout of one that is there; its data
    /// stays. `timeout_ms` is the statement's, else the set's counts. `None` when the set is full or not made to be changed.
    pub fn add(
        &mut self,
        key: &[u8],
        data: Option<ElementData>,
        timeout_ms: Option<u64>,
        refresh: bool,
        now: Instant,
    ) -> Option<Changed> {
        let key = key.get(..self.key_len)?;
        let Index::Dynamic(dynamic) = &mut self.index else {
            return None;
        };
        let changed = dynamic.add(key, timeout_ms, refresh, now)?;
        if changed.created {
            self.values
                .set(changed.element as usize, &data.unwrap_or(ElementData::None));
        }
        Some(changed)
    }

    /// Removes an element for `dynset delete`; gives its number, if it was there.
    pub fn remove(&mut self, key: &[u8], now: Instant) -> Option<u32> {
        let key = key.get(..self.key_len)?;
        let Index::Dynamic(dynamic) = &mut self.index else {
            return None;
        };
        dynamic.remove(key, now)
    }

    /// Whether packets may change the set, or time does.
    pub const fn is_dynamic(&self) -> bool {
        matches!(self.index, Index::Dynamic(_))
    }

    /// Removes an element by its number from a set that packets change.
    pub fn remove_element(&mut self, element: u32) {
        if let Index::Dynamic(dynamic) = &mut self.index {
            dynamic.remove_slot(element);
        }
    }

    /// The elements of a set that packets change or whose elements expire, by number; nothing for other sets.
    pub fn entries(&self, now: Instant) -> impl Iterator<Item = Entry<'_>> {
        self.dynamic()
            .into_iter()
            .flat_map(move |dynamic| dynamic.entries(now))
            .map(|(element, key, expires)| Entry {
                element,
                key,
                expires: (expires != NEVER).then(|| Instant::from_nanos(expires)),
            })
    }

    /// A bound for element numbers given out so far: every number is below it.
    pub fn slots(&self) -> usize {
        self.dynamic().map_or(self.slots, Dynamic::slots)
    }

    /// Bytes of a key.
    pub const fn key_len(&self) -> usize {
        self.key_len
    }

    fn dynamic(&self) -> Option<&Dynamic> {
        if let Index::Dynamic(dynamic) = &self.index {
            Some(dynamic)
        } else {
            None
        }
    }

    fn is_live(&self, element: u32, now: Instant) -> bool {
        self.expires
            .get(element as usize)
            .is_none_or(|expires| *expires > now.as_nanos())
    }
}

/// When an element of the file expires.
fn element_expiry(set: &Set, element: u32, now: Instant) -> u64 {
    let extra = set.elements.extras.get(&element);
    let left = extra.and_then(|extra| extra.expires_ms.or(extra.timeout_ms));
    expiry(now, left.or(set.timeout_ms))
}

/// Expiries of all elements; empty where none ever expires.
fn expiries(set: &Set, now: Instant) -> Vec<u64> {
    let extras = &set.elements.extras;
    if set.timeout_ms.is_none()
        && extras
            .values()
            .all(|extra| extra.timeout_ms.or(extra.expires_ms).is_none())
    {
        return Vec::new();
    }
    let count = u32::try_from(set.elements.len()).unwrap_or(u32::MAX);
    (0..count)
        .map(|element| element_expiry(set, element, now))
        .collect()
}

impl Index {
    fn new(set: &Set, now: Instant, seed: u64) -> Self {
        let elements = &set.elements;
        let key_len = usize::from(set.key_len);
        let has = |flag: u32| set.flags & flag != 0;
        if has(set_flags::INTERVAL) && (has(set_flags::CONCAT) || !elements.key_ends.is_empty()) {
            return Self::ranges(set, key_len);
        }
        if has(set_flags::INTERVAL) {
            return match key_len {
                0..=4 => Self::Interval4(Interval::new(elements, key_len)),
                5..=8 => Self::Interval8(Interval::new(elements, key_len)),
                9..=16 => Self::Interval16(Interval::new(elements, key_len)),
                _ => Self::IntervalLong(LongInterval::new(elements, key_len)),
            };
        }
        if has(set_flags::EVAL) || has(set_flags::TIMEOUT) {
            return Self::Dynamic(Box::new(Self::dynamic(set, key_len, now, seed)));
        }
        let numbers: Vec<u32> = keyed(elements).collect();
        let key = |element: u32| key_at(&elements.keys, key_len, element);
        match key_len {
            0..=4 => Self::Exact4(Exact::new(
                numbers
                    .iter()
                    .map(|element| (u32::load(key(*element)), *element)),
                seed,
            )),
            5..=8 => Self::Exact8(Exact::new(
                numbers
                    .iter()
                    .map(|element| (u64::load(key(*element)), *element)),
                seed,
            )),
            9..=16 => Self::Exact16(Exact::new(
                numbers
                    .iter()
                    .map(|element| (u128::load(key(*element)), *element)),
                seed,
            )),
            _ => Self::ExactLong(Long::new(
                &elements.keys,
                key_len,
                numbers.into_iter(),
                seed,
            )),
        }
    }

    fn dynamic(set: &Set, key_len: usize, now: Instant, seed: u64) -> Dynamic {
        let mut dynamic = Dynamic::new(key_len, set.size, set.timeout_ms, seed);
        for (element, flags) in (0..).zip(&set.elements.flags) {
            let key = key_at(&set.elements.keys, key_len, element);
            let is_keyed = flags & Elements::CATCHALL == 0 && key.len() == key_len;
            dynamic.load(is_keyed.then_some(key), element_expiry(set, element, now));
        }
        dynamic
    }

    fn ranges(set: &Set, key_len: usize) -> Self {
        let mut at = 0;
        let mut parts = Vec::new();
        for len in set.key_parts.iter().map(|len| usize::from(*len)) {
            parts.push((at, len));
            at += len.next_multiple_of(4);
        }
        let Elements { keys, key_ends, .. } = &set.elements;
        let numbers = keyed(&set.elements).collect();
        let widest = if parts.len() > ranges::PARTS_MAX {
            usize::MAX
        } else {
            set.key_parts.iter().copied().max().unwrap_or(0).into()
        };
        match widest {
            0..=4 => Self::Ranges4(Ranges::new(keys, key_ends, key_len, parts, numbers)),
            5..=8 => Self::Ranges8(Ranges::new(keys, key_ends, key_len, parts, numbers)),
            9..=16 => Self::Ranges16(Ranges::new(keys, key_ends, key_len, parts, numbers)),
            _ => Self::RangesLong(LongRanges::new(keys, key_ends, key_len, parts, numbers)),
        }
    }
}

/// Numbers of the elements that have a key.
fn keyed(elements: &Elements) -> impl Iterator<Item = u32> {
    (0..)
        .zip(&elements.flags)
        .filter(|(_, flags)| **flags & Elements::CATCHALL == 0)
        .map(|(element, _)| element)
}
