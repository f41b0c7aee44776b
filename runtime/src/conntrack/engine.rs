//! The engine's state: the table, the settings, the counters, what is under way; and how it is looked at from outside.

use std::fmt;

use redan_vm::ct::status;
use redan_vm::{Instant, Packet};

use super::connlimit::Lists;
use super::entry::Entry;
use super::event::{Event, Events};
use super::expectations::Expectations;
use super::info::EntryInfo;
use super::policies::Policies;
use super::slab::EntryId;
use super::stats::Stats;
use super::table::Table;
use super::text::write_proc_line;
use super::tunables::Tunables;

/// The connection table and its trackers.
#[derive(Debug)]
pub struct Conntrack {
    pub(super) tunables: Tunables,
    pub(super) table: Table,
    pub(super) stats: Stats,
    pub(super) events: Events,
    pub(super) pressure: Pressure,
    /// Connections counted for rules.
    pub(super) lists: Lists,
    /// Connections that others have announced.
    pub(super) expectations: Expectations,
    /// Timeout policies of rules.
    pub(super) policies: Policies,
    /// Entries that are not in the table: packets under way hold them.
    pub(super) under_way: Vec<EntryId>,
}

/// A scan for entries to evict, under way because the table was full.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pressure {
    /// When the next pass is due; `None` when there is no pressure.
    pub(super) due: Option<Instant>,
    /// The slot at which it starts.
    pub(super) slot: u32,
}

impl Conntrack {
    /// An empty table. `seed` keys its hash: random on a machine that faces strangers, fixed where runs must repeat.
    pub fn new(tunables: Tunables, seed: u128) -> Self {
        Self {
            tunables,
            table: Table::new(seed),
            stats: Stats::default(),
            events: Events::default(),
            pressure: Pressure::default(),
            lists: Lists::new((seed >> 64) as u64),
            expectations: Expectations::new((seed >> 64) as u64),
            policies: Policies::default(),
            under_way: Vec::new(),
        }
    }

    pub(super) fn entry_of(&self, packet: &Packet) -> Option<&Entry> {
        self.table.entry(EntryId::of(&packet.ct)?)
    }

    pub(super) fn entry_of_mut(&mut self, packet: &Packet) -> Option<&mut Entry> {
        self.table.entry_mut(EntryId::of(&packet.ct)?)
    }

    /// The settings.
    pub const fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    /// The settings, to change.
    pub const fn tunables_mut(&mut self) -> &mut Tunables {
        &mut self.tunables
    }

    /// Entries there are, unconfirmed ones too (`nf_conntrack_count`).
    pub const fn count(&self) -> usize {
        self.table.len()
    }

    /// The counters.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether [`Self::poll_event`] gives events; without a reader none are made.
    pub fn set_events(&mut self, is_wanted: bool) {
        self.events.want(is_wanted);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// Events that nobody took in time.
    pub const fn lost_events(&self) -> u64 {
        self.events.lost()
    }

    /// The entries in the table.
    pub fn entries(&self, now: Instant) -> impl Iterator<Item = EntryInfo> + '_ {
        (0..self.table.slots())
            .filter_map(|slot| self.table.at(slot))
            .filter(move |(_, entry)| is_shown(entry) && !entry.life.is_expired(now))
            .map(move |(id, entry)| self.info(id, entry, now))
    }

    /// The entry of a packet, as listings show it.
    pub fn entry_info(&self, now: Instant, packet: &Packet) -> Option<EntryInfo> {
        let id = EntryId::of(&packet.ct)?;
        Some(self.info(id, self.table.entry(id)?, now))
    }

    /// Writes the table as `/proc/net/nf_conntrack` shows it.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_proc(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        self.entries(now)
            .try_for_each(|entry| write_proc_line(&entry, out))
    }

    pub(super) fn info(&self, id: EntryId, entry: &Entry, now: Instant) -> EntryInfo {
        EntryInfo::new(&self.table, id, entry, now)
    }
}

/// Whether listings show an entry.
const fn is_shown(entry: &Entry) -> bool {
    entry.is_in_table() && !entry.life.has(status::NAT_CLASH)
}
