//! What packets change: counters, limits, quotas, and the elements of dynamic sets.

mod carry;
mod element;
mod limit;
mod stateful;

pub use element::SetState;
pub use limit::Limit;
pub use stateful::{Counter, Stateful};

use crate::ids::{SetId, StateId};
use crate::ruleset::{Ruleset, StateSpec};
use crate::time::Instant;

/// Where a [`StateId`] leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// Into the counters.
    Counter(u32),
    /// Into everything else.
    Other(u32),
}

/// The changing half of a ruleset; the [`Ruleset`] itself stays as it was loaded.
#[derive(Debug, Default)]
pub struct State {
    slots: Vec<Slot>,
    counters: Vec<Counter>,
    others: Vec<Stateful>,
    sets: Vec<SetState>,
    /// The last list of connections handed out.
    lists: u64,
}

impl State {
    /// Everything as the ruleset says it starts, with timeouts that run from 1970.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self::starting_at(ruleset, Instant::default(), 0)
    }

    /// Everything as the ruleset says it starts: timeouts of its elements run from `now`, and `seed` keys the hash of sets that
    /// packets change.
    pub fn starting_at(ruleset: &Ruleset, now: Instant, seed: u64) -> Self {
        let mut state = Self::default();
        for spec in &ruleset.states {
            state.add(spec);
        }
        for set in &ruleset.sets {
            let set = SetState::new(set, now, seed, &mut state.lists);
            state.sets.push(set);
        }
        state
    }

    /// A set as it runs.
    pub fn set(&self, id: SetId) -> Option<&SetState> {
        self.sets.get(id.index())
    }

    /// A set as it runs, to be changed.
    #[inline]
    pub fn set_mut(&mut self, id: SetId) -> Option<&mut SetState> {
        self.sets.get_mut(id.index())
    }

    /// A set to be changed, and the number of the last list of connections.
    pub(crate) fn set_and_lists(&mut self, id: SetId) -> (Option<&mut SetState>, &mut u64) {
        (self.sets.get_mut(id.index()), &mut self.lists)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "counters alone lie apart")]
    fn add(&mut self, spec: &StateSpec) {
        let slot = match Stateful::new(spec, &mut self.lists) {
            Stateful::Counter(counter) => {
                self.counters.push(counter);
                Slot::Counter(index(self.counters.len() - 1))
            }
            other => {
                self.others.push(other);
                Slot::Other(index(self.others.len() - 1))
            }
        };
        self.slots.push(slot);
    }

    /// Where a counter lies in [`Self::counters_mut`]; the same in every state made from one ruleset.
    pub fn counter_index(&self, id: StateId) -> Option<usize> {
        match self.slots.get(id.index()) {
            Some(Slot::Counter(index)) => Some(*index as usize),
            Some(Slot::Other(_)) | None => None,
        }
    }

    /// All counters, to be counted in line.
    pub fn counters_mut(&mut self) -> &mut [Counter] {
        &mut self.counters
    }

    /// A counter's value.
    pub fn counter(&self, id: StateId) -> Option<Counter> {
        self.counters.get(self.counter_index(id)?).copied()
    }

    /// A counter, to be changed.
    #[inline]
    pub fn counter_mut(&mut self, id: StateId) -> Option<&mut Counter> {
        let index = self.counter_index(id)?;
        self.counters.get_mut(index)
    }

    /// Any stateful expression that is no counter.
    pub fn stateful(&self, id: StateId) -> Option<&Stateful> {
        match self.slots.get(id.index()) {
            Some(Slot::Other(index)) => self.others.get(*index as usize),
            Some(Slot::Counter(_)) | None => None,
        }
    }

    /// Any stateful expression that is no counter, to be changed.
    #[inline]
    pub fn stateful_mut(&mut self, id: StateId) -> Option<&mut Stateful> {
        match self.slots.get(id.index()) {
            Some(Slot::Other(index)) => self.others.get_mut(*index as usize),
            Some(Slot::Counter(_)) | None => None,
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Where each counter of a ruleset lies in [`State::counters_mut`], by [`StateId`]; `None` for what is no counter.
pub fn counter_indices(ruleset: &Ruleset) -> Vec<Option<u32>> {
    let mut next = 0;
    let place = |spec: &StateSpec| {
        matches!(spec, StateSpec::Counter { .. }).then(|| {
            next += 1;
            next - 1
        })
    };
    ruleset.states.iter().map(place).collect()
}
