//! Sets that packets change, or whose elements expire: a hash table over numbered slots.
//!
//! Who sends packets chooses the keys, so the hash is a keyed one (SipHash-1-3). An expired element is as good as gone from its moment on; its slot is freed
//! when other elements come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use super::Changed;
use super::exact::key_at;
use crate::time::Instant;

/// Lives for ever.
pub(super) const NEVER: u64 = u64::MAX;
/// Expiry of a slot without an element.
const GONE: u64 = 0;
/// Elements for which there is room in the index from the start, so that it does not grow in one packet's time.
const ROOM: usize = 1 << 16;
/// How many due slots are looked at whenever an element is added, so that freeing keeps up with adding and no packet pays for many.
const DUE_PER_ADD: usize = 4;

/// The set.
#[derive(Debug)]
pub(super) struct Dynamic {
    key_len: usize,
    /// Slots in use.
    table: HashTable<u32>,
    /// A key a slot.
    keys: Vec<u8>,
    /// When each slot's element expires, in nanoseconds.
    expires: Vec<u64>,
    /// Slots to be used again.
    free: Vec<u32>,
    /// When slots are due to be looked at; an element whose timeout was refreshed is queued anew when its first date comes.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    /// The date under which a slot is in the queue; others are stale.
    queued: Vec<u64>,
    /// Most elements.
    size: usize,
    /// What an element lives without a timeout of its own, in milliseconds.
    timeout_ms: Option<u64>,
    hasher: SipHasher13,
}

/// The moment a timeout ends; no timeout and a timeout of zero never do.
pub(super) fn expiry(now: Instant, timeout_ms: Option<u64>) -> u64 {
    match timeout_ms {
        None | Some(0) => NEVER,
        Some(ms) => now
            .as_nanos()
            .saturating_add(ms.saturating_mul(1_000_000))
            .min(NEVER - 1),
    }
}

impl Dynamic {
    pub(super) fn new(
        key_len: usize,
        size: Option<u32>,
        timeout_ms: Option<u64>,
        seed: u64,
    ) -> Self {
        let size = size.map_or(usize::MAX, |size| size as usize);
        Self {
            key_len,
            table: HashTable::with_capacity(size.min(ROOM)),
            keys: Vec::new(),
            expires: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            queued: Vec::new(),
            size,
            timeout_ms,
            hasher: SipHasher13::new_with_keys(seed, seed.rotate_left(32) ^ 0x7265_6461_6e5f_7365),
        }
    }

    /// Takes the next slot for an element of the file; one that is no key of its own (a catch-all, a double) takes its slot all the same.
    pub(super) fn load(&mut self, key: Option<&[u8]>, expires: u64) {
        let slot = self.new_slot();
        if let Some(key) = key.filter(|key| self.slot_of(key).is_none()) {
            self.occupy(slot, key, expires);
        }
    }

    /// Slots ever used.
    pub(super) fn slots(&self) -> usize {
        self.expires.len()
    }

    /// The element with this key, unless it has expired.
    #[inline]
    pub(super) fn find(&self, key: &[u8], now: Instant) -> Option<u32> {
        self.slot_of(key).filter(|slot| self.is_live(*slot, now))
    }

    /// Finds or makes the element with this key; `None` when the set is full.
    pub(super) fn add(
        &mut self,
        key: &[u8],
        timeout_ms: Option<u64>,
        refresh: bool,
        now: Instant,
    ) -> Option<Changed> {
        let expires = expiry(now, timeout_ms.or(self.timeout_ms));
        match self.slot_of(key) {
            Some(slot) if self.is_live(slot, now) => {
                if refresh && self.expires_of(slot) != NEVER && expires != NEVER {
                    self.set_expiry(slot, expires);
                }
                Some(Changed {
                    element: slot,
                    created: false,
                })
            }
            Some(slot) => {
                self.set_expiry(slot, expires);
                Some(Changed {
                    element: slot,
                    created: true,
                })
            }
            None => {
                self.free_due(now, DUE_PER_ADD);
                if self.table.len() >= self.size && !self.free_one(now) {
                    return None;
                }
                let slot = self.free.pop().unwrap_or_else(|| self.new_slot());
                self.occupy(slot, key, expires);
                Some(Changed {
                    element: slot,
                    created: true,
                })
            }
        }
    }

    /// Removes the element with this key; gives its slot if it had not expired.
    pub(super) fn remove(&mut self, key: &[u8], now: Instant) -> Option<u32> {
        let slot = self.slot_of(key)?;
        let was_live = self.is_live(slot, now);
        self.vacate(slot);
        was_live.then_some(slot)
    }

    /// Removes the element in a slot, if there is one.
    pub(super) fn remove_slot(&mut self, slot: u32) {
        if self.expires_of(slot) != GONE {
            self.vacate(slot);
        }
    }

    /// Elements with their keys and the nanosecond at which they expire ([`NEVER`]), by number.
    pub(super) fn entries(&self, now: Instant) -> impl Iterator<Item = (u32, &[u8], u64)> {
        (0..)
            .zip(&self.expires)
            .filter(move |(_, expires)| **expires > now.as_nanos())
            .map(|(slot, expires)| (slot, key_at(&self.keys, self.key_len, slot), *expires))
    }

    fn slot_of(&self, key: &[u8]) -> Option<u32> {
        let is_it = |slot: &u32| key_at(&self.keys, self.key_len, *slot) == key;
        self.table.find(self.hasher.hash(key), is_it).copied()
    }

    fn expires_of(&self, slot: u32) -> u64 {
        self.expires.get(slot as usize).copied().unwrap_or(GONE)
    }

    fn is_live(&self, slot: u32, now: Instant) -> bool {
        self.expires_of(slot) > now.as_nanos()
    }

    fn new_slot(&mut self) -> u32 {
        let slot = u32::try_from(self.expires.len()).unwrap_or(u32::MAX);
        self.keys.resize(self.keys.len() + self.key_len, 0);
        self.expires.push(GONE);
        self.queued.push(NEVER);
        slot
    }

    /// Puts an element into a slot that is not in the table.
    fn occupy(&mut self, slot: u32, key: &[u8], expires: u64) {
        let start = slot as usize * self.key_len;
        if let Some(place) = self.keys.get_mut(start..start + self.key_len) {
            place.copy_from_slice(key);
        }
        let (keys, key_len, hasher) = (&self.keys, self.key_len, &self.hasher);
        let hash = |slot: &u32| hasher.hash(key_at(keys, key_len, *slot));
        self.table.insert_unique(hash(&slot), slot, hash);
        self.set_expiry(slot, expires);
    }

    /// Takes a slot's element out of the table.
    fn vacate(&mut self, slot: u32) {
        let key = key_at(&self.keys, self.key_len, slot);
        if let Ok(entry) = self
            .table
            .find_entry(self.hasher.hash(key), |found| *found == slot)
        {
            entry.remove();
            self.free.push(slot);
        }
        if let Some(place) = self.expires.get_mut(slot as usize) {
            *place = GONE;
        }
    }

    fn set_expiry(&mut self, slot: u32, expires: u64) {
        if let Some(place) = self.expires.get_mut(slot as usize) {
            *place = expires;
        }
        if let Some(queued) = self
            .queued
            .get_mut(slot as usize)
            .filter(|queued| expires < **queued)
        {
            *queued = expires;
            self.due.push(Reverse((expires, slot)));
        }
    }

    /// Looks at up to `most` slots that are due and frees the expired ones; whether it freed one.
    fn free_due(&mut self, now: Instant, most: usize) -> bool {
        let mut freed = false;
        for _ in 0..most {
            let Some(&Reverse((date, slot))) =
                self.due.peek().filter(|next| next.0.0 <= now.as_nanos())
            else {
                break;
            };
            self.due.pop();
            let Some(queued) = self
                .queued
                .get_mut(slot as usize)
                .filter(|queued| **queued == date)
            else {
                continue;
            };
            *queued = NEVER;
            match self.expires_of(slot) {
                GONE => {}
                expires if expires > now.as_nanos() => self.set_expiry(slot, expires),
                _ => {
                    self.vacate(slot);
                    freed = true;
                }
            }
        }
        freed
    }

    /// Frees at least one slot if any has expired.
    fn free_one(&mut self, now: Instant) -> bool {
        while self
            .due
            .peek()
            .is_some_and(|next| next.0.0 <= now.as_nanos())
        {
            if self.free_due(now, 1) {
                return true;
            }
        }
        false
    }
}
