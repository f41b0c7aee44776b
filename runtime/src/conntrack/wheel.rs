//! When entries expire: a timer wheel of two levels, threaded through the slab.
//!
//! A packet that lengthens its entry's life writes the deadline and nothing else; the wheel notices when the slot comes up and arms it again. Only
//! a life that gets shorter moves the entry at once.

use std::cell::Cell;

use redan_vm::Instant;

use super::slab::{Link, NONE, Slab};

/// Slots of one second.
const FINE: u64 = 512;
/// Slots of [`STEP`] seconds.
const COARSE: u64 = 4096;
/// Seconds in a coarse slot.
const STEP: u64 = 64;
/// All slots.
const SLOTS: usize = 512 + 4096;

/// The wheel.
#[derive(Debug)]
pub(super) struct Wheel {
    heads: Box<[u32]>,
    /// One bit a slot: whether anything is in it.
    occupied: [u64; SLOTS / 64],
    /// All slots up to this second have come up.
    tick: u64,
    len: usize,
    /// What [`Self::next`] found last, while it holds: it is asked for every packet, and changes with few of them.
    found: Cell<Found>,
}

/// What [`Wheel::next`] found last.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// It has to look again.
    Stale,
    /// This, or that nothing is armed.
    Next(Option<Instant>),
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            heads: vec![NONE; SLOTS].into_boxed_slice(),
            occupied: [0; SLOTS / 64],
            tick: 0,
            len: 0,
            found: Cell::new(Found::Stale),
        }
    }

    /// Arms an entry that is not in the wheel.
    pub(super) fn arm(&mut self, slab: &mut Slab, index: u32, now: Instant, deadline: Instant) {
        if self.len == 0 {
            self.tick = now.as_nanos() / 1_000_000_000;
        }
        let tick = seconds_up(deadline).max(self.tick + 1);
        let (place, tick) = if tick - self.tick < FINE {
            (tick % FINE, tick)
        } else {
            let coarse = (tick / STEP).min(self.tick / STEP + COARSE - 1);
            (FINE + coarse % COARSE, coarse * STEP)
        };
        let Ok(place) = u32::try_from(place) else {
            return;
        };
        let head = self.head(place);
        if let Some(slot) = slab.slot_mut(head) {
            slot.link.prev = index;
        }
        if let Some(slot) = slab.slot_mut(index) {
            slot.link = Link {
                prev: NONE,
                next: head,
                place,
                tick: u32::try_from(tick).unwrap_or(u32::MAX),
            };
            self.set_head(place, index);
            self.len += 1;
            let found = self.found.get_mut();
            let due = Instant::from_secs(tick);
            if matches!(found, Found::Next(next) if next.is_none_or(|next| next > due)) {
                *found = Found::Next(Some(due));
            }
        }
    }

    /// Takes an entry out of the wheel, if it is in there.
    pub(super) fn disarm(&mut self, slab: &mut Slab, index: u32) {
        let Some(slot) = slab.slot_mut(index) else {
            return;
        };
        let link = std::mem::replace(&mut slot.link, Link::UNARMED);
        if link.place == NONE {
            return;
        }
        if let Some(next) = slab.slot_mut(link.next) {
            next.link.prev = link.prev;
        }
        if let Some(prev) = slab.slot_mut(link.prev) {
            prev.link.next = link.next;
        } else {
            self.set_head(link.place, link.next);
            if link.next == NONE {
                self.found.set(Found::Stale);
            }
        }
        self.len -= 1;
    }

    /// Arms an entry anew when its slot comes up too late for `deadline`.
    pub(super) fn hasten(&mut self, slab: &mut Slab, index: u32, now: Instant, deadline: Instant) {
        let is_late = slab.slot(index).is_some_and(|slot| {
            slot.link.place != NONE
                && u64::from(slot.link.tick) > seconds_up(deadline).max(self.tick + 1)
        });
        if is_late {
            self.disarm(slab, index);
            self.arm(slab, index, now, deadline);
        }
    }

    /// Takes out the next entry whose slot has come up; it is to be armed again unless its time is over.
    pub(super) fn pop(&mut self, slab: &mut Slab, now: Instant) -> Option<u32> {
        let now_tick = now.as_nanos() / 1_000_000_000;
        self.found.set(Found::Stale);
        loop {
            if let Some(index) = self.current() {
                self.disarm(slab, index);
                return Some(index);
            }
            match self.next_tick() {
                Some(tick) if tick <= now_tick => self.tick = tick,
                _ => {
                    self.tick = self.tick.max(now_tick);
                    return None;
                }
            }
        }
    }

    /// When the next slot comes up that has anything in it.
    pub(super) fn next(&self) -> Option<Instant> {
        if let Found::Next(found) = self.found.get() {
            return found;
        }
        let tick = self.current().map(|_| self.tick);
        let next = tick.or_else(|| self.next_tick()).map(Instant::from_secs);
        self.found.set(Found::Next(next));
        next
    }

    /// An entry in a slot of the current second.
    fn current(&self) -> Option<u32> {
        let fine = self.tick % FINE;
        let coarse = FINE + self.tick / STEP % COARSE;
        let places = [Some(fine), self.tick.is_multiple_of(STEP).then_some(coarse)];
        places
            .into_iter()
            .flatten()
            .filter_map(|place| u32::try_from(place).ok())
            .map(|place| self.head(place))
            .find(|head| *head != NONE)
    }

    fn next_tick(&self) -> Option<u64> {
        let fine = self
            .distance(0, FINE, (self.tick + 1) % FINE)
            .map(|ahead| self.tick + 1 + ahead);
        let step = self.tick / STEP + 1;
        let coarse = self
            .distance(FINE, COARSE, step % COARSE)
            .map(|ahead| (step + ahead) * STEP);
        match (fine, coarse) {
            (Some(fine), Some(coarse)) => Some(fine.min(coarse)),
            (fine, coarse) => fine.or(coarse),
        }
    }

    /// How many slots from `start` on, around a level of `len` slots that begins at slot `base`, the first occupied one is.
    fn distance(&self, base: u64, len: u64, start: u64) -> Option<u64> {
        let words = len / 64;
        // The first word is looked at twice: from `start` on, and last for the slots before it.
        (0..=words).find_map(|step| {
            let at = (start / 64 + step) % words;
            let word = *self.occupied.get(usize::try_from(base / 64 + at).ok()?)?;
            let mask = match step {
                0 => u64::MAX << (start % 64),
                _ if step == words => !(u64::MAX << (start % 64)),
                _ => u64::MAX,
            };
            let bits = word & mask;
            (bits != 0).then(|| (at * 64 + u64::from(bits.trailing_zeros()) + len - start) % len)
        })
    }

    fn head(&self, place: u32) -> u32 {
        self.heads.get(place as usize).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, place: u32, index: u32) {
        if let Some(head) = self.heads.get_mut(place as usize) {
            *head = index;
        }
        if let Some(word) = self.occupied.get_mut(place as usize / 64) {
            let bit = 1 << (place % 64);
            if index == NONE {
                *word &= !bit;
            } else {
                *word |= bit;
            }
        }
    }
}

/// The first whole second not before `moment`.
const fn seconds_up(moment: Instant) -> u64 {
    moment.as_nanos().div_ceil(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::entry::Entry;
    use crate::conntrack::tuple::{Tuple, Zone};
    use proptest::prelude::*;

    fn slab_of(len: usize) -> (Slab, Vec<u32>) {
        let mut slab = Slab::new();
        let entry = Entry::new(Tuple::default(), Zone::DEFAULT, false);
        let slots = (0..len)
            .map(|_| slab.insert(entry.clone()).unwrap().slot())
            .collect();
        (slab, slots)
    }

    proptest! {
        #[test]
        fn every_entry_comes_up_once_its_time_is_over_and_never_before(
            start in 0_u64..2_000_000_000,
            waits in prop::collection::vec(0_u64..500_000, 1..80),
            steps in prop::collection::vec(1_u64..200_000, 1..40),
        ) {
            let (mut slab, slots) = slab_of(waits.len());
            let mut wheel = Wheel::new();
            let begin = Instant::from_secs(start);
            for (slot, wait) in slots.iter().zip(&waits) {
                wheel.arm(&mut slab, *slot, begin, Instant::from_secs(start + wait));
            }
            let mut pending = waits.len();
            let mut now = start;
            for step in steps.into_iter().chain([600_000]) {
                now += step;
                prop_assert_eq!(wheel.next(), { wheel.found.set(Found::Stale); wheel.next() });
                while let Some(slot) = wheel.pop(&mut slab, Instant::from_secs(now)) {
                    let at = slots.iter().position(|s| *s == slot).unwrap();
                    let deadline = start + waits[at];
                    if deadline > now {
                        wheel.arm(&mut slab, slot, Instant::from_secs(now), Instant::from_secs(deadline));
                    } else {
                        pending -= 1;
                    }
                }
                let left = waits.iter().filter(|wait| start + **wait > now).count();
                prop_assert!(pending <= left.max(waits.iter().filter(|w| start + **w >= now).count()));
                prop_assert_eq!(wheel.next().is_some(), pending > 0);
            }
            prop_assert_eq!(pending, 0);
        }
    }
}
