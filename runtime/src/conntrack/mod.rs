//! Connection tracking as Linux does it.
//!
//! One owner, no locks, no clock: time comes in with every call. The datapath calls [`Conntrack::handle_packet`] at prerouting and output
//! (priority -200), [`Conntrack::confirm`] last in input and postrouting, and [`Conntrack::release`] for every packet that ends before that.
//! Address translation and helpers have their places here (two tuples an entry, status bits) but live elsewhere.

mod reason;
mod tunables;

use redan_vm::ct::{CtKey, Direction};
use redan_vm::{Instant, Packet};

pub use reason::InvalidReason;
pub use tunables::{Tunable, TunableError, TunableKind, Tunables};

/// Where conntrack meets a packet first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackHook {
    /// Arriving: checksums are verified.
    Prerouting,
    /// Made here: checksums are trusted.
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
}

impl Conntrack {
    /// An empty table. `seed` keys its hash: random on a machine that faces strangers, fixed where runs must repeat.
    pub fn new(tunables: Tunables, seed: u128) -> Self {
        let _ = seed;
        Self { tunables }
    }

    /// Classifies a packet: finds or makes its entry, runs the protocol's tracker and fills `packet.ct`.
    pub fn handle_packet(&mut self, now: Instant, packet: &mut Packet, hook: TrackHook) -> Track {
        let _ = (now, packet, hook);
        Track::Invalid(InvalidReason::NoEntry)
    }

    /// The last thing in input and postrouting: puts a new connection into the table and hands out the packet's events.
    ///
    /// # Errors
    /// The packet must be dropped.
    pub fn confirm(&mut self, now: Instant, packet: &mut Packet) -> Result<(), CtDrop> {
        let _ = (now, packet);
        Ok(())
    }

    /// A packet ends before [`Self::confirm`]: a connection that only it knew is gone.
    pub fn release(&mut self, packet: &mut Packet) {
        let _ = packet;
    }

    /// `notrack`: the packet stays without an entry. Does nothing once it has one.
    pub fn notrack(&self, packet: &mut Packet) {
        let _ = packet;
    }

    /// Attaches a packet made in answer to `offending` (ICMP error, reset) to its entry: RELATED, the other way. Call [`Self::release`] for both.
    pub fn attach_related(&mut self, packet: &mut Packet, offending: &Packet) {
        let _ = (packet, offending);
    }

    /// Body of [`Host::ct_load`](redan_vm::Host::ct_load).
    pub fn load(
        &self,
        now: Instant,
        packet: &Packet,
        key: CtKey,
        direction: Option<Direction>,
        out: &mut [u8],
    ) -> bool {
        let _ = (now, packet, key, direction, out);
        false
    }

    /// Body of [`Host::ct_store`](redan_vm::Host::ct_store).
    pub fn store(
        &mut self,
        packet: &mut Packet,
        key: CtKey,
        direction: Option<Direction>,
        value: &[u8],
    ) {
        let _ = (packet, key, direction, value);
    }

    /// Removes what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// When [`Self::handle_timeout`] wants to be called; `None` when there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The settings.
    pub const fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    /// Entries there are, unconfirmed ones too (`nf_conntrack_count`).
    pub fn count(&self) -> usize {
        0
    }

    /// Writes the table as `/proc/net/nf_conntrack` shows it.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_proc(&self, now: Instant, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let _ = (now, out);
        Ok(())
    }
}
