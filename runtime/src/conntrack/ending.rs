//! How entries end: expiry, eviction when the table is full, deletion.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::status;

use super::change;
use super::engine::Conntrack;
use super::entry::Entry;
use super::event::{Event, EventKind};
use super::info::EntryInfo;
use super::slab::{EntryId, Slab};
use super::tuple::{Tuple, Zone};

/// Entries that one call of [`Conntrack::handle_timeout`] ends at most, so that packets do not wait.
const EXPIRE_AT_ONCE: usize = 4096;
/// Slots that one pass under pressure looks at.
const SCAN_AT_ONCE: u32 = 16_384;
/// Time between two passes under pressure.
const SCAN_EVERY: Duration = Duration::from_millis(10);
/// Buckets in which an early drop looks for a victim (`NF_CT_EVICTION_RANGE`).
const EVICTION_RANGE: usize = 8;

impl Conntrack {
    /// Removes what has expired. Under pressure it also evicts entries that are not assured, and those that are closing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expectations.expire(now);
        for _ in 0..EXPIRE_AT_ONCE {
            let Some(id) = self.table.pop_expired(now) else {
                break;
            };
            self.destroy(id, now);
        }
        if self.pressure.due.is_some_and(|due| due <= now) {
            self.relieve(now);
        }
    }

    /// When [`Self::handle_timeout`] wants to be called; `None` when there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let table = self.table.poll_timeout();
        let expected = self.expectations.poll_timeout();
        let timer = table.into_iter().chain(expected).min();
        match (timer, self.pressure.due) {
            (Some(timer), Some(scan)) => Some(timer.min(scan)),
            (timer, scan) => timer.or(scan),
        }
    }

    /// Removes every entry (`conntrack -F`); those under way are dropped with their packets.
    pub fn flush(&mut self, now: Instant) -> usize {
        let mut flushed = 0;
        for slot in 0..self.table.slots() {
            if let Some((id, entry)) = self.table.at(slot)
                && entry.is_in_table()
            {
                self.destroy(id, now);
                flushed += 1;
            }
        }
        flushed
    }

    /// Removes the entry of a tuple in either direction (`conntrack -D`); the entry as it was.
    pub fn delete(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> Option<EntryInfo> {
        let (id, _) = self.table.find(tuple, zone)?;
        let info = self.info(id, self.table.entry(id)?, now);
        self.destroy(id, now);
        Some(info)
    }

    /// Makes room for a new entry of this tuple if the table is full; false when there is none to be had.
    pub(super) fn make_room(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> bool {
        let max = self.tunables.max as usize;
        let is_below = (max == 0 || self.table.len() < max) && self.table.len() < Slab::CAPACITY;
        if is_below || self.early_drop(tuple, zone, now) {
            return true;
        }
        if self.pressure.due.is_none() {
            self.pressure.due = Some(now);
        }
        false
    }

    /// Evicts what is not assured from the first bucket near the tuple's that holds any (`early_drop`); where any of them holds what nobody
    /// has answered yet, that, so that a flood of it costs no ping and no query under way.
    fn early_drop(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> bool {
        let near = |spared: u32| {
            let is_wanted = |entry: &Entry| !entry.life.has(spared);
            self.table.near(tuple, zone, EVICTION_RANGE, is_wanted)
        };
        let mut victims = near(status::ASSURED | status::SEEN_REPLY);
        if victims.is_empty() {
            victims = near(status::ASSURED);
        }
        for id in &victims {
            self.destroy(*id, now);
            self.stats.early_drop += 1;
        }
        !victims.is_empty()
    }

    /// One pass of the scan under pressure (`gc_worker` with `early_drop`).
    fn relieve(&mut self, now: Instant) {
        let enough = self.tunables.max as usize / 100 * 95;
        let slots = self.table.slots();
        for _ in 0..SCAN_AT_ONCE.min(slots) {
            if self.table.len() <= enough {
                break;
            }
            let slot = self.pressure.slot % slots.max(1);
            self.pressure.slot = slot + 1;
            if let Some((id, entry)) = self.table.at(slot)
                && entry.is_in_table()
                && (!entry.life.has(status::ASSURED) || entry.proto.is_closing())
            {
                self.destroy(id, now);
                self.stats.early_drop += 1;
            }
        }
        let is_over = self.table.len() <= enough || self.pressure.slot >= slots;
        self.pressure.due = (!is_over).then(|| now + SCAN_EVERY);
        if is_over {
            self.pressure.slot = 0;
        }
    }

    /// Takes an entry out of the table for good.
    pub(super) fn destroy(&mut self, id: EntryId, now: Instant) {
        self.table.unlink(id);
        self.report_destroy(id, now);
        self.discard(id);
    }

    /// Frees an entry that is not in the table.
    pub(super) fn discard(&mut self, id: EntryId) {
        self.leave_lists(id);
        self.expectations.forget(id);
        self.table.remove(id);
        self.arrived(id);
    }

    /// A packet under way is all that holds an entry.
    pub(super) fn depart(&mut self, id: EntryId) {
        self.under_way.push(id);
    }

    /// An entry that a packet held is in the table, or gone.
    pub(super) fn arrived(&mut self, id: EntryId) {
        if let Some(at) = self.under_way.iter().position(|other| *other == id) {
            self.under_way.swap_remove(at);
        }
    }

    /// Frees whatever packets under way held, because none is under way any more.
    pub fn release_all(&mut self) {
        while let Some(id) = self.under_way.last().copied() {
            self.discard(id);
        }
    }

    /// Takes an entry out of the table while a packet still holds it.
    pub(super) fn destroy_held(&mut self, id: EntryId, now: Instant) {
        self.table.unlink(id);
        self.report_destroy(id, now);
        self.leave_lists(id);
        self.expectations.forget(id);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.holders = 1;
            self.depart(id);
        }
    }

    fn report_destroy(&mut self, id: EntryId, now: Instant) {
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.add(status::DYING);
        }
        if self.events.is_wanted()
            && let Some(entry) = self.table.entry(id)
        {
            let event = Event {
                kind: EventKind::Destroy,
                changes: change::DESTROY,
                entry: self.info(id, entry, now),
            };
            self.events.push(event);
        }
    }

    /// Reports what has changed of an entry since the last time.
    pub(super) fn report_changes(&mut self, id: EntryId, now: Instant) {
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        let changes = std::mem::take(&mut entry.life.changes);
        if changes == 0 || !self.events.is_wanted() || entry.life.has(status::DYING) {
            return;
        }
        let kind = if changes & (change::NEW | change::RELATED) == 0 {
            EventKind::Update
        } else {
            EventKind::New
        };
        if let Some(entry) = self.table.entry(id) {
            let event = Event {
                kind,
                changes,
                entry: self.info(id, entry, now),
            };
            self.events.push(event);
        }
    }
}
