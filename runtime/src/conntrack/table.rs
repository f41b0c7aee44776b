//! The table: entries with their extensions, an index over both tuples of each, and the wheel that ends them.

use redan_vm::Instant;
use redan_vm::ct::{Direction, status};
use siphasher::sip::SipHasher13;

use super::change;
use super::entry::Entry;
use super::extension::{Extension, Extensions, Rare};
use super::index::Index;
use super::reservations::Reservations;
use super::slab::{EntryId, Slab};
use super::tuple::{Tuple, Zone};
use super::wheel::Wheel;
use crate::bounded::arena::NONE;

/// Entries, extensions, index and wheel.
#[derive(Debug)]
pub(super) struct Table {
    hasher: SipHasher13,
    /// Keys [`Self::public_id`].
    id_hasher: SipHasher13,
    slab: Slab,
    extensions: Extensions,
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
            extensions: Extensions::default(),
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

    /// Makes both tuples of an entry known and arms its timer. One that has lost its original tuple to another is known by its reply tuple alone.
    pub(super) fn link(&mut self, id: EntryId, now: Instant) {
        let Some(entry) = self.slab.find(id) else {
            return;
        };
        let deadline = entry.life.deadline();
        let [original, reply] = self.hashes(entry);
        // The reply tuple first: where both are the same, Linux finds that one.
        self.index
            .insert(reply, reference(id.slot(), Direction::Reply));
        if !entry.life.has(status::NAT_CLASH) {
            self.index
                .insert(original, reference(id.slot(), Direction::Original));
        }
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

    /// Frees an unlinked entry, and what it has beside it.
    pub(super) fn remove(&mut self, id: EntryId) {
        if let Some(entry) = self.slab.find(id) {
            self.extensions.free(entry.extension);
            self.slab.remove(id);
        }
    }

    /// The tuple that answers have.
    pub(super) fn reply(&self, entry: &Entry) -> Tuple {
        let original = entry.original();
        let translated = || self.extensions.get(entry.extension)?.reply(original);
        if entry.is_mirrored() {
            original.inverse().unwrap_or(*original)
        } else {
            translated().unwrap_or(*original)
        }
    }

    /// Both tuples, the original one first.
    pub(super) fn tuples(&self, entry: &Entry) -> [Tuple; 2] {
        [*entry.original(), self.reply(entry)]
    }

    /// Gives an entry that is not linked another reply tuple. The status bits that say so ([`status::SRC_NAT`], [`status::DST_NAT`]) belong to it.
    pub(super) fn set_reply(&mut self, id: EntryId, reply: &Tuple) {
        if let Some(entry) = self.slab.find_mut(id)
            && let Some(extension) = self.extensions.open(&mut entry.extension)
        {
            extension.set_reply(reply);
        }
    }

    /// `ct label`.
    pub(super) fn labels(&self, entry: &Entry) -> u128 {
        let extension = self.extensions.get(entry.extension);
        extension.map_or(0, Extension::labels)
    }

    /// Sets `ct label`.
    pub(super) fn set_labels(&mut self, id: EntryId, labels: u128) {
        if let Some(entry) = self.slab.find_mut(id)
            && (labels != 0 || entry.extension != NONE)
            && let Some(extension) = self.extensions.open(&mut entry.extension)
            && extension.labels() != labels
        {
            extension.set_labels(labels);
            entry.life.changes |= change::LABEL;
        }
    }

    /// What is rare of an entry.
    pub(super) fn rare(&self, entry: &Entry) -> Option<&Rare> {
        self.extensions.rare(entry.extension)
    }

    /// The same, to change; made where there is none.
    pub(super) fn rare_mut(&mut self, id: EntryId) -> Option<&mut Rare> {
        let entry = self.slab.find_mut(id)?;
        self.extensions.open_rare(&mut entry.extension)
    }

    /// The number of an entry's timeout policy.
    #[inline]
    pub(super) fn policy(&self, id: EntryId) -> Option<u16> {
        let entry = self.entry(id).filter(|entry| entry.has_policy())?;
        let extension = self.extensions.get(entry.extension)?;
        Some(extension.policy)
    }

    /// Sets it.
    pub(super) fn set_policy(&mut self, id: EntryId, policy: u16) {
        if let Some(entry) = self.slab.find_mut(id)
            && let Some(extension) = self.extensions.open(&mut entry.extension)
        {
            extension.policy = policy;
            entry.take_policy();
        }
    }

    /// `ct secmark`.
    pub(super) fn secmark(&self, entry: &Entry) -> u32 {
        let rare = self.extensions.rare(entry.extension);
        rare.map_or(0, |rare| rare.secmark)
    }

    /// Sets `ct secmark`.
    pub(super) fn set_secmark(&mut self, id: EntryId, secmark: u32) {
        if let Some(entry) = self.slab.find_mut(id)
            && (secmark != 0 || entry.extension != NONE)
            && let Some(rare) = self.extensions.open_rare(&mut entry.extension)
            && rare.secmark != secmark
        {
            rare.secmark = secmark;
            entry.life.changes |= change::SECMARK;
        }
    }

    /// Places for extensions that have ever been used.
    #[cfg(test)]
    pub(super) fn extension_places(&self) -> (usize, usize) {
        self.extensions.places()
    }

    /// Hashes of both tuples.
    fn hashes(&self, entry: &Entry) -> [u32; 2] {
        let [original, reply] = self.tuples(entry);
        [
            self.hash(&original, entry.zone().id_for(Direction::Original)),
            self.hash(&reply, entry.zone().id_for(Direction::Reply)),
        ]
    }

    /// Whether this is an entry's tuple of a direction. Without translation the entry's first cache line tells.
    #[inline]
    fn has_tuple(&self, entry: &Entry, direction: Direction, tuple: &Tuple) -> bool {
        match direction {
            Direction::Original => entry.original() == tuple,
            Direction::Reply if entry.is_mirrored() => tuple.inverse() == Some(*entry.original()),
            Direction::Reply => self.reply(entry) == *tuple,
        }
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
        self.find_other(tuple, zone, zone_id, |_, _| true)
    }

    /// The same among entries that `is_wanted` takes.
    #[inline]
    fn find_other(
        &self,
        tuple: &Tuple,
        zone: Zone,
        zone_id: u16,
        is_wanted: impl Fn(EntryId, &Entry) -> bool,
    ) -> Option<(EntryId, Direction)> {
        let found = self.index.find(self.hash(tuple, zone_id), |reference| {
            let direction = direction_of(reference);
            self.slab.at(reference >> 1).is_some_and(|(id, entry)| {
                self.has_tuple(entry, direction, tuple)
                    && entry.zone().id_for(direction) == zone.id_for(direction)
                    && is_wanted(id, entry)
            })
        })?;
        let (id, _) = self.slab.at(found >> 1)?;
        Some((id, direction_of(found)))
    }

    /// The entry that a new one would clash with: it has the tuple in the zone of that direction.
    pub(super) fn find_clash(
        &self,
        tuple: &Tuple,
        zone: Zone,
        direction: Direction,
    ) -> Option<EntryId> {
        let (id, _) = self.find_in(tuple, zone, zone.id_for(direction))?;
        Some(id)
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
    pub(super) fn public_id(&self, id: EntryId) -> u32 {
        let number = u64::from(id.slot()) | u64::from(id.generation()) << 32;
        let sum = self.id_hasher.hash(&number.to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "32 bits are wanted")]
        let id = sum as u32;
        id
    }

    /// The first place of an entry in lists of connections that are counted (`connlimit.rs`).
    pub(super) fn counted(&self, id: EntryId) -> u32 {
        let extension = self
            .entry(id)
            .and_then(|entry| self.extensions.get(entry.extension));
        extension.map_or(NONE, |extension| extension.counted)
    }

    /// Sets it.
    pub(super) fn set_counted(&mut self, id: EntryId, member: u32) {
        if let Some(entry) = self.slab.find_mut(id)
            && (member != NONE || entry.extension != NONE)
            && let Some(extension) = self.extensions.open(&mut entry.extension)
        {
            extension.counted = member;
        }
    }
}

impl Reservations for Table {
    /// `nf_conntrack_core.c: nf_conntrack_tuple_taken`.
    fn is_taken(&self, tuple: &Tuple, ours: EntryId, now: Instant) -> bool {
        let Some((original, zone)) = self.entry(ours).map(|own| (*own.original(), own.zone()))
        else {
            return false;
        };
        let is_another = |id: EntryId, entry: &Entry| {
            let is_same_flow = *entry.original() == original
                && entry.zone().id_for(Direction::Original) == zone.id_for(Direction::Original);
            id != ours && !is_same_flow && !entry.life.is_expired(now)
        };
        let zone_id = zone.id_for(Direction::Reply);
        self.find_other(tuple, zone, zone_id, is_another).is_some()
    }
}
