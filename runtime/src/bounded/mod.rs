//! A table that strangers may fill: a cap, a hash that they cannot aim at, and an order in which entries make room for new ones, which the
//! owner counts by a [`Reason`](crate::Reason).
//!
//! Entries stand in ranks, each from the oldest to the youngest. An owner puts into low ranks what strangers have claimed, and into the
//! highest what has been used. Room is made by the oldest entry of the lowest rank that has any; where low ranks hold less than a quarter of
//! the table, by the oldest of the highest rank, so that newcomers have a chance to be used. What the owner spares, because it is in use at
//! this time, never goes.

pub(crate) mod arena;
#[cfg(test)]
mod tests;

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

/// No slot.
const NONE: u32 = u32::MAX;

/// The key of the hashes of tables that strangers may fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret(SipHasher13);

impl Secret {
    /// The key for one table of a datapath; `table` tells the tables of one seed apart.
    pub(crate) fn new(seed: u64, table: u64) -> Self {
        Self(SipHasher13::new_with_keys(seed, table))
    }

    /// The hash of a key.
    #[inline]
    pub(crate) fn hash(&self, key: &impl Hash) -> u64 {
        let mut hasher = self.0;
        key.hash(&mut hasher);
        hasher.finish()
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// In one of the ranks, 0 the first to make room.
    At(u8),
    /// In none: it is not counted, and never makes room.
    Pinned,
}

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    /// `None` when the slot is free.
    value: Option<V>,
    rank: Rank,
    /// The next older of the rank.
    older: u32,
    /// The next younger of the rank; of a free slot, the next free one.
    younger: u32,
}

/// The ends of a rank.
#[derive(Clone, Copy, Debug)]
struct Ends {
    oldest: u32,
    youngest: u32,
    len: usize,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Bounded<K, V, const RANKS: usize> {
    secret: Secret,
    index: HashTable<u32>,
    slots: Vec<Slot<K, V>>,
    free: u32,
    /// The slot that was asked for last: packets come in trains.
    latest: u32,
    ranks: [Ends; RANKS],
    /// Entries in ranks.
    counted: usize,
    /// Most of them.
    most: usize,
}

impl<K: Copy + Eq + Hash, V, const RANKS: usize> Bounded<K, V, RANKS> {
    /// Bytes that an entry takes beside what its value points to: its slot, and its places in an index and in a vector that are half full.
    pub(crate) const ENTRY_BYTES: usize = 2 * (size_of::<Slot<K, V>>() + size_of::<u32>() + 1);

    /// An empty table for `most` entries.
    pub(crate) const fn new(secret: Secret, most: usize) -> Self {
        Self {
            secret,
            index: HashTable::new(),
            slots: Vec::new(),
            free: NONE,
            latest: NONE,
            ranks: [Ends {
                oldest: NONE,
                youngest: NONE,
                len: 0,
            }; RANKS],
            counted: 0,
            most,
        }
    }

    /// Entries in ranks.
    pub(crate) const fn len(&self) -> usize {
        self.counted
    }

    #[inline]
    fn find(&self, key: &K) -> Option<u32> {
        let is_it = |slot: &u32| {
            self.slots
                .get(*slot as usize)
                .is_some_and(|s| s.key == *key)
        };
        self.index.find(self.secret.hash(key), is_it).copied()
    }

    #[inline]
    fn slot_mut(&mut self, slot: u32) -> Option<&mut Slot<K, V>> {
        self.slots.get_mut(slot as usize)
    }

    /// An entry.
    #[cfg(test)]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.slots.get(self.find(key)? as usize)?.value.as_ref()
    }

    /// An entry, to change.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let is_latest = |slot: &Slot<K, V>| slot.key == *key && slot.value.is_some();
        if !self.slots.get(self.latest as usize).is_some_and(is_latest) {
            self.latest = self.find(key)?;
        }
        self.slot_mut(self.latest)?.value.as_mut()
    }

    /// The oldest entry of a rank.
    pub(crate) fn oldest(&self, rank: usize) -> Option<(&K, &V)> {
        let slot = self.slots.get(self.ranks.get(rank)?.oldest as usize)?;
        slot.value.as_ref().map(|value| (&slot.key, value))
    }

    /// Makes room for one entry where the table is full; what had to go for it. `spares` says whether an entry of the highest rank is in use.
    ///
    /// # Errors
    /// The table is full of what is in use.
    pub(crate) fn make_room(
        &mut self,
        spares: impl FnOnce(&V) -> bool,
    ) -> Result<Option<(K, V)>, Full> {
        if self.counted < self.most {
            return Ok(None);
        }
        let highest = RANKS - 1;
        let low = self.counted - self.ranks.get(highest).map_or(0, |ends| ends.len);
        let used = if low < self.most.div_ceil(4) {
            self.oldest(highest).filter(|(_, value)| !spares(value))
        } else {
            None
        };
        let (key, _) = used
            .or_else(|| (0..highest).find_map(|rank| self.oldest(rank)))
            .ok_or(Full)?;
        let key = *key;
        Ok(self.remove(&key).map(|value| (key, value)))
    }

    /// Puts an entry in as the youngest of its rank. The key must be new; a full table gives the value back.
    pub(crate) fn insert(&mut self, key: K, value: V, rank: Rank) -> Result<(), V> {
        if rank != Rank::Pinned && self.counted >= self.most {
            return Err(value);
        }
        let entry = Slot {
            key,
            value: Some(value),
            rank,
            older: NONE,
            younger: NONE,
        };
        let mut slot = self.free;
        if let Some(place) = self.slots.get_mut(slot as usize) {
            self.free = place.younger;
            *place = entry;
        } else {
            slot = u32::try_from(self.slots.len()).unwrap_or(NONE);
            self.slots.push(entry);
        }
        let (secret, slots) = (&self.secret, &self.slots);
        let rehash = |slot: &u32| {
            slots
                .get(*slot as usize)
                .map_or(0, |slot| secret.hash(&slot.key))
        };
        self.index.insert_unique(secret.hash(&key), slot, rehash);
        self.link(slot);
        Ok(())
    }

    /// Makes an entry the youngest of a rank.
    pub(crate) fn renew(&mut self, key: &K, rank: Rank) {
        let Some(slot) = self.find(key) else { return };
        self.unlink(slot);
        if let Some(place) = self.slot_mut(slot) {
            place.rank = rank;
        }
        self.link(slot);
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let is_it = |slot: &u32| {
            self.slots
                .get(*slot as usize)
                .is_some_and(|s| s.key == *key)
        };
        let found = self.index.find_entry(self.secret.hash(key), is_it).ok()?;
        let (slot, _) = found.remove();
        self.unlink(slot);
        let free = std::mem::replace(&mut self.free, slot);
        let place = self.slot_mut(slot)?;
        place.younger = free;
        place.value.take()
    }

    /// Puts a slot at the young end of the rank that it names.
    fn link(&mut self, slot: u32) {
        let Some(Rank::At(rank)) = self.slots.get(slot as usize).map(|place| place.rank) else {
            return;
        };
        let Some(ends) = self.ranks.get_mut(usize::from(rank)) else {
            return;
        };
        ends.len += 1;
        let older = std::mem::replace(&mut ends.youngest, slot);
        if older == NONE {
            ends.oldest = slot;
        }
        if let Some(place) = self.slot_mut(older) {
            place.younger = slot;
        }
        if let Some(place) = self.slot_mut(slot) {
            (place.older, place.younger) = (older, NONE);
        }
        self.counted += 1;
    }

    /// Takes a slot out of the rank that it names.
    fn unlink(&mut self, slot: u32) {
        let Some(place) = self.slots.get(slot as usize) else {
            return;
        };
        let (Rank::At(rank), older, younger) = (place.rank, place.older, place.younger) else {
            return;
        };
        match self.slot_mut(older) {
            Some(place) => place.younger = younger,
            None => self.set_ends(rank, |ends| ends.oldest = younger),
        }
        match self.slot_mut(younger) {
            Some(place) => place.older = older,
            None => self.set_ends(rank, |ends| ends.youngest = older),
        }
        self.set_ends(rank, |ends| ends.len -= 1);
        self.counted -= 1;
    }

    fn set_ends(&mut self, rank: u8, set: impl FnOnce(&mut Ends)) {
        if let Some(ends) = self.ranks.get_mut(usize::from(rank)) {
            set(ends);
        }
    }

    /// Slots that have ever been used: what the table's memory is in proportion to.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }
}

/// The table is full of what is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;
