//! The table: entries, an index over both tuples of each, and the wheel that ends them.

use redan_vm::Instant;
use redan_vm::ct::Direction;
use siphasher::sip::SipHasher13;

use super::entry::Entry;
use super::index::Index;
use super::slab::{EntryId, Slab};
use super::tuple::{Tuple, Zone};
use super::wheel::Wheel;

/// Entries, index and wheel.
#[derive(Debug)]
pub(super) struct Table {
    hasher: SipHasher13,
    /// Keys [`Self::public_id`].
    id_hasher: SipHasher13,
    slab: Slab,
    index: Index,
    wheel: Wheel,
}

/// A reference to one direction of the entry in a slot.
const fn reference(slot: u32, direction: Direction) -> u32 {
    slot << 1 | direction as u32
}

/// The direction of a reference.
const fn direction_of(reference: u32) -> Direction {
    if reference & 1 == 0 {
        Direction::Original
    } else {
        Direction::Reply
    }
}

impl Table {
    pub(super) fn new(seed: u128) -> Self {
        Self {
            hasher: SipHasher13::new_with_key(&seed.to_le_bytes()),
            id_hasher: SipHasher13::new_with_key(&(!seed).to_le_bytes()),
            slab: Slab::new(),
            index: Index::new(),
            wheel: Wheel::new(),
        }
    }

    /// Entries, unconfirmed ones too.
    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    /// Slots, empty ones too: the range of [`Self::at`].
    pub(super) fn slots(&self) -> u32 {
        self.slab.slots()
    }

    /// The entry in a slot.
    pub(super) fn at(&self, slot: u32) -> Option<(EntryId, &Entry)> {
        self.slab.at(slot)
    }

    pub(super) fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.slab.find(id)
    }

    pub(super) fn entry_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.slab.find_mut(id)
    }

    /// Stores an entry where only its number leads to it; `None` when there is no number left.
    pub(super) fn insert(&mut self, entry: Entry) -> Option<EntryId> {
        self.slab.insert(entry)
    }

    /// Makes both tuples of an entry known and arms its timer.
    pub(super) fn link(&mut self, id: EntryId, now: Instant) {
        let Some(entry) = self.slab.find(id) else {
            return;
        };
        let deadline = entry.life.deadline();
        let [original, reply] = self.hashes(entry);
        // The reply tuple first: where both are the same, Linux finds that one.
        self.index
            .insert(reply, reference(id.slot(), Direction::Reply));
        self.index
            .insert(original, reference(id.slot(), Direction::Original));
        self.wheel.arm(&mut self.slab, id.slot(), now, deadline);
    }

    /// Undoes [`Self::link`]; the entry stays.
    pub(super) fn unlink(&mut self, id: EntryId) {
        let Some(entry) = self.slab.find(id) else {
            return;
        };
        let [original, reply] = self.hashes(entry);
        self.index
            .remove(reply, reference(id.slot(), Direction::Reply));
        self.index
            .remove(original, reference(id.slot(), Direction::Original));
        self.wheel.disarm(&mut self.slab, id.slot());
    }

    /// Frees an unlinked entry.
    pub(super) fn remove(&mut self, id: EntryId) {
        self.slab.remove(id);
    }

    /// Hashes of both tuples.
    fn hashes(&self, entry: &Entry) -> [u32; 2] {
        [Direction::Original, Direction::Reply]
            .map(|direction| self.hash(entry.tuple(direction), entry.zone.id_for(direction)))
    }

    /// The entry of a tuple as it lies on the wire, and the direction that it goes in it.
    #[inline]
    pub(super) fn find(&self, tuple: &Tuple, zone: Zone) -> Option<(EntryId, Direction)> {
        let original = zone.id_for(Direction::Original);
        let reply = zone.id_for(Direction::Reply);
        let found = self.find_in(tuple, zone, original);
        if found.is_none() && original != reply {
            return self.find_in(tuple, zone, reply);
        }
        found
    }

    #[inline]
    fn find_in(&self, tuple: &Tuple, zone: Zone, zone_id: u16) -> Option<(EntryId, Direction)> {
        let found = self.index.find(self.hash(tuple, zone_id), |reference| {
            let direction = direction_of(reference);
            self.slab.at(reference >> 1).is_some_and(|(_, entry)| {
                entry.has_tuple(direction, tuple)
                    && entry.zone.id_for(direction) == zone.id_for(direction)
            })
        })?;
        let (id, _) = self.slab.at(found >> 1)?;
        Some((id, direction_of(found)))
    }

    /// Entries in the first of up to `buckets` buckets from a tuple's own on that holds any that `is_wanted` takes.
    pub(super) fn near(
        &self,
        tuple: &Tuple,
        zone: Zone,
        buckets: usize,
        is_wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<EntryId> {
        let tag = self.hash(tuple, zone.id_for(Direction::Original));
        for references in self.index.near(tag, buckets) {
            let mut found = Vec::new();
            for reference in references {
                if let Some((id, entry)) = self.slab.at(reference >> 1)
                    && is_wanted(entry)
                    && !found.contains(&id)
                {
                    found.push(id);
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Tells the wheel that an entry's life may have become shorter.
    pub(super) fn hasten(&mut self, id: EntryId, now: Instant) {
        let Some(deadline) = self.slab.find(id).map(|entry| entry.life.deadline()) else {
            return;
        };
        self.wheel.hasten(&mut self.slab, id.slot(), now, deadline);
    }

    /// The next entry whose time is over.
    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<EntryId> {
        while let Some(slot) = self.wheel.pop(&mut self.slab, now) {
            let Some((id, entry)) = self.slab.at(slot) else {
                continue;
            };
            if entry.life.is_expired(now) {
                return Some(id);
            }
            let deadline = entry.life.deadline();
            self.wheel.arm(&mut self.slab, slot, now, deadline);
        }
        None
    }

    /// When the wheel turns next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.wheel.next()
    }

    /// 32 bits of a keyed hash of a tuple in a zone; direction and family of the first packet do not count.
    #[inline]
    fn hash(&self, tuple: &Tuple, zone_id: u16) -> u32 {
        let keys = u64::from(tuple.src_key)
            | u64::from(tuple.dst_key) << 16
            | u64::from(zone_id) << 32
            | u64::from(tuple.l4proto) << 48
            | u64::from(tuple.l3proto) << 56;
        let mut bytes = [0; 40];
        let (head, addresses) = bytes.split_at_mut(8);
        head.copy_from_slice(&keys.to_le_bytes());
        let (src, dst) = (tuple.address(&tuple.src), tuple.address(&tuple.dst));
        let (src_place, rest) = addresses.split_at_mut(src.len());
        src_place.copy_from_slice(src);
        let (dst_place, rest) = rest.split_at_mut(dst.len());
        dst_place.copy_from_slice(dst);
        let len = 40 - rest.len();
        let sum = self.hasher.hash(bytes.get(..len).unwrap_or(&[]));
        #[expect(clippy::cast_possible_truncation, reason = "32 bits are wanted")]
        let hash = sum as u32;
        hash
    }

    /// A number that stands for an entry in listings and events, keyed apart from the index.
    pub(super) fn public_id(&self, entry: &Entry) -> u32 {
        let sum = self.id_hasher.hash(&entry.serial.to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "32 bits are wanted")]
        let id = sum as u32;
        id
    }
}
