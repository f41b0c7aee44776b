//! Connection tracking as Linux does it.
//!
//! One owner, no locks, no clock: time comes in with every call. The datapath calls [`Conntrack::handle_packet`] at prerouting and output
//! (priority -200), [`Conntrack::confirm`] last in input and postrouting, and [`Conntrack::release`] for every packet that ends before that.
//!
//! A packet finds its entry by its tuple, or makes one that is not in the table yet. The protocol's tracker (one file each) says whether the packet
//! belongs there and how long the entry lives on. Only when the packet has passed all rules does a new entry go into the table.
//!
//! Address translation and helpers have their places here (two tuples an entry, status bits) but live elsewhere.

mod connlimit;
mod entry;
mod event;
mod extension;
mod gre;
mod huge_pages;
mod icmp;
mod index;
mod info;
mod keys;
mod life;
mod reason;
mod report;
mod reservations;
mod sctp;
mod slab;
mod stats;
mod table;
mod tcp;
#[cfg(test)]
mod tests;
mod text;
mod tracker;
mod translated;
mod transport;
mod tunables;
mod tuple;
mod udp;
mod wheel;

use std::fmt;
use std::time::Duration;

use redan_vm::ct::{Direction, state, status};
use redan_vm::packet::protocol;
use redan_vm::{Instant, Packet};

pub use entry::Traffic;
pub use event::{Event, EventKind, change};
pub use info::EntryInfo;
pub use reason::InvalidReason;
pub use report::CtReport;
pub use sctp::SctpState;
pub use stats::Stats;
pub use tcp::TcpState;
pub use text::{LineOptions, write_line, write_proc_line};
pub use tunables::{Tunable, TunableError, TunableKind, Tunables};
pub use tuple::{Tuple, Zone};

use entry::{Entry, Proto};
use event::Events;
use icmp::Message;
use life::{Pressure, is_in_table};
use slab::EntryId;
use table::Table;
use tracker::{Seen, Tracked};
use transport::Transport;

/// Where conntrack meets a packet first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackHook {
    /// Arriving: checksums are verified.
    Prerouting,
    /// Made here, or arriving with a checksum that is known to be right: checksums are trusted.
    Output,
}

/// What [`Conntrack::handle_packet`] made of a packet; `packet.ct` holds the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Belongs to an entry, or had been seen already.
    Tracked,
    /// Left alone (`notrack`, neighbour discovery).
    Untracked,
    /// INVALID: goes on without an entry; rules decide.
    Invalid(InvalidReason),
    /// The packet must be dropped.
    Drop(CtDrop),
}

/// Why conntrack drops a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtDrop {
    /// The table is full and nothing in reach can be evicted (`ct-limit`).
    Limit,
    /// Another packet confirmed the same connection first, or the entry was deleted meanwhile (`ct-clash`).
    Clash,
}

/// The connection table and its trackers.
#[derive(Debug)]
pub struct Conntrack {
    tunables: Tunables,
    table: Table,
    stats: Stats,
    events: Events,
    pressure: Pressure,
    /// Entries made so far.
    serial: u64,
    /// Connections counted for rules.
    lists: connlimit::Lists,
    /// Entries that are not in the table: packets under way hold them.
    under_way: Vec<EntryId>,
}

/// A packet's place in an entry.
struct Attached {
    id: EntryId,
    state: u32,
    direction: Direction,
}

/// Why a packet gets no entry.
enum Refused {
    Untracked,
    /// INVALID before the table was asked (`error`).
    Error(InvalidReason),
    /// INVALID (`invalid`).
    Invalid(InvalidReason),
    Drop(CtDrop),
}

impl From<InvalidReason> for Refused {
    fn from(reason: InvalidReason) -> Self {
        Self::Invalid(reason)
    }
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
            lists: connlimit::Lists::new((seed >> 64) as u64),
            under_way: Vec::new(),
            serial: 0,
        }
    }

    /// Classifies a packet: finds or makes its entry, runs the protocol's tracker and fills `packet.ct`.
    /// A packet that has an entry already, or is untracked, stays as it is.
    pub fn handle_packet(&mut self, now: Instant, packet: &mut Packet, hook: TrackHook) -> Track {
        if packet.ct.has_entry != 0 {
            return Track::Tracked;
        }
        if packet.ct.state == state::UNTRACKED {
            return Track::Untracked;
        }
        let zone = take_zone(packet);
        match self.classify(now, packet, hook, zone) {
            Ok(attached) => {
                self.attach(packet, &attached);
                Track::Tracked
            }
            Err(Refused::Untracked) => {
                packet.ct.state = state::UNTRACKED;
                Track::Untracked
            }
            Err(Refused::Error(reason)) => {
                self.stats.error += 1;
                self.stats.count(reason);
                Track::Invalid(reason)
            }
            Err(Refused::Invalid(reason)) => {
                self.stats.invalid += 1;
                self.stats.count(reason);
                Track::Invalid(reason)
            }
            Err(Refused::Drop(drop)) => {
                self.stats.drop += 1;
                Track::Drop(drop)
            }
        }
    }

    /// `nf_conntrack_core.c: nf_conntrack_in`.
    fn classify(
        &mut self,
        now: Instant,
        packet: &Packet,
        hook: TrackHook,
        zone: Zone,
    ) -> Result<Attached, Refused> {
        let layout = &packet.layout;
        let bytes = packet
            .frame
            .get(layout.network as usize..layout.end as usize)
            .ok_or(InvalidReason::Truncated)?;
        let transport = Transport::locate(layout.nfproto, bytes)?;
        let is_verified = hook == TrackHook::Prerouting && self.tunables.checksum;
        match icmp::classify(&transport, is_verified).map_err(Refused::Error)? {
            Message::Query => {}
            Message::Untracked => return Err(Refused::Untracked),
            Message::Error(tuple) => return self.relate(now, &transport, &tuple, zone),
        }
        let tuple = Tuple::of(&transport)?;
        // A tracker sends a packet back once at most: the second time it meets a fresh entry.
        loop {
            let (id, direction) = match self.lookup(&tuple, zone, now) {
                Some(found) => found,
                None => (self.create(&tuple, zone, now)?, Direction::Original),
            };
            let seen = Seen {
                now,
                packet: transport,
                direction,
                is_verified,
                tunables: &self.tunables,
            };
            let Some(entry) = self.table.entry_mut(id) else {
                return Err(Refused::Drop(CtDrop::Clash));
            };
            let state = state_of(entry, direction);
            let tracked = tracker::track(entry, &seen);
            if entry.proto.is_over() {
                self.leave_lists(id);
            }
            if self.apply(id, tracked, &transport, direction, now)? {
                return Ok(Attached {
                    id,
                    state,
                    direction,
                });
            }
        }
    }

    /// Does what the tracker said; false when the packet must start over.
    fn apply(
        &mut self,
        id: EntryId,
        tracked: Tracked,
        packet: &Transport<'_>,
        direction: Direction,
        now: Instant,
    ) -> Result<bool, InvalidReason> {
        let Some(entry) = self.table.entry_mut(id) else {
            return Ok(false);
        };
        match tracked {
            Tracked::Refresh(timeout) => {
                entry.account(direction, packet.packet_len);
                if !entry.life.has(status::FIXED_TIMEOUT) {
                    let old = entry.life.deadline();
                    entry.life.set_timeout(now, timeout);
                    if entry.life.is_confirmed() && entry.life.deadline() < old {
                        self.table.hasten(id, now);
                    }
                }
            }
            Tracked::Ignore => {}
            Tracked::Kill => {
                entry.account(direction, packet.packet_len);
                if entry.life.is_confirmed() {
                    self.destroy_held(id, now);
                }
            }
            Tracked::Restart => {
                self.destroy(id, now);
                return Ok(false);
            }
            Tracked::Invalid(reason) => {
                if entry.life.is_confirmed() {
                    self.table.hasten(id, now);
                } else {
                    self.discard(id);
                }
                return Err(reason);
            }
        }
        if direction == Direction::Reply
            && let Some(entry) = self.table.entry_mut(id)
        {
            entry.see_reply();
        }
        Ok(true)
    }

    /// An ICMP error belongs to the connection whose packet it quotes, if that went to where the error goes.
    fn relate(
        &mut self,
        now: Instant,
        packet: &Transport<'_>,
        tuple: &Tuple,
        zone: Zone,
    ) -> Result<Attached, Refused> {
        let (id, direction) = self
            .lookup(tuple, zone, now)
            .ok_or(Refused::Error(InvalidReason::NoInnerEntry))?;
        if tuple.dst != packet.dst {
            return Err(Refused::Error(InvalidReason::InnerDestination));
        }
        Ok(Attached {
            id,
            state: state::RELATED,
            direction,
        })
    }

    /// Finds a living entry.
    fn lookup(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> Option<(EntryId, Direction)> {
        loop {
            let (id, direction) = self.table.find(tuple, zone)?;
            if !self.table.entry(id)?.life.is_expired(now) {
                return Some((id, direction));
            }
            self.destroy(id, now);
        }
    }

    /// Makes an entry that only its packet knows.
    fn create(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> Result<EntryId, Refused> {
        if tuple.inverse().is_none() {
            return Err(InvalidReason::BadType.into());
        }
        if !self.make_room(tuple, zone, now) {
            return Err(Refused::Drop(CtDrop::Limit));
        }
        let mut entry = Entry::new(*tuple, zone, self.serial);
        entry.life.is_counted = self.tunables.acct;
        self.serial += 1;
        let id = self.table.insert(entry);
        let id = id.ok_or(Refused::Drop(CtDrop::Limit))?;
        self.depart(id);
        Ok(id)
    }

    /// The last thing in input and postrouting: puts a new connection into the table and reports what the packet changed.
    ///
    /// # Errors
    /// The packet must be dropped.
    pub fn confirm(&mut self, now: Instant, packet: &mut Packet) -> Result<(), CtDrop> {
        let Some(id) = EntryId::of(&packet.ct) else {
            return Ok(());
        };
        let Some(entry) = self.table.entry(id) else {
            // It has expired or was deleted under way. A connection that was never in the table cannot get there any more.
            packet.ct.has_entry = 0;
            if packet.ct.status & status::CONFIRMED != 0 {
                return Ok(());
            }
            return self.fail_confirm();
        };
        if is_in_table(entry) {
            self.report_changes(id, now);
            return Ok(());
        }
        if entry.life.has(status::DYING) || packet.ct.direction == Direction::Reply {
            // What answers a packet that is not confirmed (a reset made here) does not confirm it.
            self.release(packet);
            return Ok(());
        }
        self.confirm_new(id, now, packet)
    }

    fn confirm_new(
        &mut self,
        id: EntryId,
        now: Instant,
        packet: &mut Packet,
    ) -> Result<(), CtDrop> {
        let Some(entry) = self.table.entry(id) else {
            return self.fail_confirm();
        };
        let ([original, reply], zone) = (self.table.tuples(entry), entry.zone);
        let winner = self
            .clash(&original, zone, Direction::Original, now)
            .or_else(|| self.clash(&reply, zone, Direction::Reply, now));
        if let Some(winner) = winner {
            return self.resolve_clash(id, winner, now, packet);
        }
        self.put_in(id, now, packet);
        Ok(())
    }

    /// A living entry that has the tuple which a new one would have in a direction.
    fn clash(
        &mut self,
        tuple: &Tuple,
        zone: Zone,
        direction: Direction,
        now: Instant,
    ) -> Option<EntryId> {
        loop {
            let id = self.table.find_clash(tuple, zone, direction)?;
            if !self.table.entry(id)?.life.is_expired(now) {
                return Some(id);
            }
            self.destroy(id, now);
        }
    }

    /// Puts a new connection into the table.
    fn put_in(&mut self, id: EntryId, now: Instant, packet: &mut Packet) {
        let starts = self.tunables.timestamp.then_some(now);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.confirm(now);
            entry.life.holders = 0;
            if let Some(start) = starts {
                entry.start = start;
            }
            entry.life.changes |= if entry.life.has(status::EXPECTED) {
                change::RELATED
            } else {
                change::NEW
            };
            if entry.life.has(status::NAT_CLASH) {
                entry.life.changes = 0;
            }
            packet.ct.status = entry.life.status;
        }
        self.table.link(id, now);
        self.arrived(id);
        self.report_changes(id, now);
    }

    /// Two packets want the same tuple and the other one was confirmed first (`nf_ct_resolve_clash`).
    fn resolve_clash(
        &mut self,
        id: EntryId,
        winner: EntryId,
        now: Instant,
        packet: &mut Packet,
    ) -> Result<(), CtDrop> {
        let Some((ours, theirs)) = self.table.entry(id).zip(self.table.entry(winner)) else {
            return self.fail_confirm();
        };
        let l4proto = ours.original().l4proto;
        let (tuples, zone) = (self.table.tuples(ours), ours.zone);
        let is_same = tuples == self.table.tuples(theirs) && zone == theirs.zone;
        let is_plain = !theirs.life.has(status::SRC_NAT_DONE | status::DST_NAT_DONE);
        if !matches!(l4proto, protocol::UDP | protocol::UDPLITE | protocol::GRE) {
            self.release(packet);
            return self.fail_confirm();
        }
        if is_same || is_plain {
            self.merge(id, winner, packet);
            return Ok(());
        }
        let [_, reply] = tuples;
        if let Some(winner) = self.clash(&reply, zone, Direction::Reply, now) {
            let theirs = self
                .table
                .entry(winner)
                .map(|entry| self.table.tuples(entry));
            if theirs == Some(tuples) {
                self.merge(id, winner, packet);
                return Ok(());
            }
            self.release(packet);
            return self.fail_confirm();
        }
        self.keep_for_answer(id, now, packet);
        Ok(())
    }

    /// The packet goes on in the other's entry, which counts it (`__nf_ct_resolve_clash`).
    fn merge(&mut self, id: EntryId, winner: EntryId, packet: &mut Packet) {
        let ours = self.table.entry(id).map(|entry| entry.traffic);
        self.discard(id);
        if let Some(entry) = self.table.entry_mut(winner) {
            for (traffic, more) in entry.traffic.iter_mut().zip(ours.unwrap_or_default()) {
                traffic.packets += more.packets;
                traffic.bytes += more.bytes;
            }
            winner.write(&mut packet.ct);
            packet.ct.status = entry.life.status;
            packet.ct.mark = entry.mark;
        }
        self.stats.clash_resolve += 1;
    }

    /// An entry that lost its original tuple stays for a second, so that the answer to its packet is translated back
    /// (`nf_ct_resolve_clash_harder`).
    fn keep_for_answer(&mut self, id: EntryId, now: Instant, packet: &mut Packet) {
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.set_timeout(now, Duration::from_secs(1));
            entry.life.status |= status::FIXED_TIMEOUT | status::NAT_CLASH;
        }
        self.put_in(id, now, packet);
        self.stats.clash_resolve += 1;
    }

    const fn fail_confirm(&mut self) -> Result<(), CtDrop> {
        self.stats.insert_failed += 1;
        self.stats.drop += 1;
        Err(CtDrop::Clash)
    }

    /// A packet ends before [`Self::confirm`]: a connection that only it knew is gone. The rest of `packet.ct` stays, for reports.
    pub fn release(&mut self, packet: &mut Packet) {
        let Some(id) = EntryId::of(&packet.ct) else {
            return;
        };
        packet.ct.has_entry = 0;
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        if is_in_table(entry) {
            return;
        }
        entry.life.holders = entry.life.holders.saturating_sub(1);
        if entry.life.holders == 0 {
            self.discard(id);
        }
    }

    /// A copy of a packet goes its own way, in the same connection: it sees what of that has changed since, and [`Self::release`] or
    /// [`Self::confirm`] is called for both.
    pub fn share(&mut self, copy: &mut Packet) {
        let Some(entry) = self.entry_of_mut(copy) else {
            return;
        };
        if !is_in_table(entry) {
            entry.life.holders = entry.life.holders.saturating_add(1);
        }
        (copy.ct.status, copy.ct.mark) = (entry.life.status, entry.mark);
    }

    /// Attaches a packet made in answer to `offending` (ICMP error, reset) to its entry: RELATED, the other way. Call [`Self::release`] or
    /// [`Self::confirm`] for both.
    pub fn attach_related(&mut self, packet: &mut Packet, offending: &Packet) {
        let Some(id) = EntryId::of(&offending.ct) else {
            return;
        };
        let attached = Attached {
            id,
            state: state::RELATED,
            direction: offending.ct.direction.opposite(),
        };
        if let Some(entry) = self.table.entry_mut(attached.id)
            && !is_in_table(entry)
        {
            entry.life.holders = entry.life.holders.saturating_add(1);
        }
        self.attach(packet, &attached);
    }

    /// A reset is sent for a packet: its connection is over (`nf_conntrack_proto_tcp.c: nf_conntrack_tcp_set_closing`).
    pub fn set_closing(&mut self, packet: &Packet, now: Instant) {
        let timeout = TcpState::Close.timeout(&self.tunables);
        let Some(id) = EntryId::of(&packet.ct) else {
            return;
        };
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        let Proto::Tcp(tcp) = &mut entry.proto else {
            return;
        };
        if tcp.close() == TcpState::Close || entry.life.has(status::FIXED_TIMEOUT) {
            return;
        }
        entry.life.set_timeout(now, timeout);
        entry.life.changes |= change::PROTOINFO;
        if entry.life.is_confirmed() {
            self.table.hasten(id, now);
        }
        self.leave_lists(id);
        self.report_changes(id, now);
    }

    /// Fills the packet's view.
    fn attach(&self, packet: &mut Packet, attached: &Attached) {
        let Some(entry) = self.table.entry(attached.id) else {
            return;
        };
        let ct = &mut packet.ct;
        ct.state = attached.state;
        ct.status = entry.life.status;
        ct.mark = entry.mark;
        attached.id.write(ct);
        ct.direction = attached.direction;
    }

    fn entry_of(&self, packet: &Packet) -> Option<&Entry> {
        self.table.entry(EntryId::of(&packet.ct)?)
    }

    fn entry_of_mut(&mut self, packet: &Packet) -> Option<&mut Entry> {
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
            .map(move |(_, entry)| self.info(entry, now))
    }

    /// The entry of a packet, as listings show it.
    pub fn entry_info(&self, now: Instant, packet: &Packet) -> Option<EntryInfo> {
        self.entry_of(packet).map(|entry| self.info(entry, now))
    }

    /// Writes the table as `/proc/net/nf_conntrack` shows it.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_proc(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        self.entries(now)
            .try_for_each(|entry| write_proc_line(&entry, out))
    }
}

/// Whether listings show an entry.
const fn is_shown(entry: &Entry) -> bool {
    is_in_table(entry) && !entry.life.has(status::NAT_CLASH)
}

/// A packet's state by its direction and what the entry has seen.
const fn state_of(entry: &Entry, direction: Direction) -> u32 {
    match direction {
        Direction::Reply => state::ESTABLISHED,
        Direction::Original if entry.life.has(status::SEEN_REPLY) => state::ESTABLISHED,
        Direction::Original if entry.life.has(status::EXPECTED) => state::RELATED,
        Direction::Original => state::NEW,
    }
}

/// The zone that a rule gave the packet; it has done its work then.
const fn take_zone(packet: &mut Packet) -> Zone {
    let ct = &mut packet.ct;
    if ct.zone_directions == 0 {
        return Zone::DEFAULT;
    }
    let zone = Zone {
        id: ct.zone,
        directions: ct.zone_directions,
    };
    ct.zone = 0;
    ct.zone_directions = 0;
    ct.state = state::INVALID;
    zone
}
