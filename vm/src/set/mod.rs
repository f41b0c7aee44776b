//! Sets and maps at run time, built from [`ruleset::Set`](crate::ruleset::Set).
//!
//! An element is known by a number that stays its own while it lives: its index in [`Elements`](crate::ruleset::Elements) for what the file gives,
//! a slot for what packets add. Whoever keeps state for elements (counters, limits) keeps it under that number, below [`SetTable::slots`],
//! and starts it afresh when [`Changed::created`] says so.

use crate::ids::StateId;
use crate::instr::Verdict;
use crate::ruleset::{ElementData, Set};
use crate::time::Instant;

/// A set or map, ready for lookups.
#[derive(Debug)]
pub struct SetTable {
    key_len: usize,
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

impl SetTable {
    /// Builds the table at the moment from which the elements' timeouts run. The seed keys the hash of sets that packets change.
    pub fn build(set: &Set, now: Instant, seed: u64) -> Self {
        let _ = (now, seed);
        Self {
            key_len: usize::from(set.key_len),
        }
    }

    /// The element that matches a key ([`Set::key_len`] bytes, padding zero), if any.
    pub fn lookup(&self, key: &[u8], now: Instant) -> Option<Hit<'_>> {
        let _ = (key, now);
        None
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
        let _ = (key, data, timeout_ms, refresh, now);
        None
    }

    /// Removes an element for `dynset delete`; gives its number, if it was there.
    pub fn remove(&mut self, key: &[u8], now: Instant) -> Option<u32> {
        let _ = (key, now);
        None
    }

    /// A bound for element numbers given out so far: every number is below it.
    pub fn slots(&self) -> usize {
        0
    }

    /// Bytes of a key.
    pub const fn key_len(&self) -> usize {
        self.key_len
    }
}
