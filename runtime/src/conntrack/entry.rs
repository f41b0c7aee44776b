//! A connection: its two tuples, its life, its protocol's state.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::{Direction, status};
use redan_vm::packet::protocol;

use super::event::change;
use super::gre::Gre;
use super::sctp::Sctp;
use super::tcp::Tcp;
use super::tuple::{Tuple, Zone};
use super::udp::Udp;
use crate::bounded::arena::NONE;

/// Packets and bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes from the network header on.
    pub bytes: u64,
}

/// What decides how long an entry lives, and what of it was not reported yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// Bits of [`status`].
    pub(super) status: u32,
    /// Bits of [`change`] since the last event.
    pub(super) changes: u16,
    /// Packets under way that hold the entry while it is not in the table: not yet confirmed, or dead already.
    pub(super) holders: u8,
    /// Whether traffic is counted.
    pub(super) is_counted: bool,
    /// Confirmed: when it expires. Before that: the time to live as nanoseconds since 1970.
    deadline: Instant,
}

impl Life {
    /// Whether any of these [`status`] bits is set.
    pub(super) const fn has(&self, bits: u32) -> bool {
        self.status & bits != 0
    }

    /// Whether the entry is in the table, or was.
    pub(super) const fn is_confirmed(&self) -> bool {
        self.has(status::CONFIRMED)
    }

    /// Sets a status bit; `change` is reported when it was not set before.
    pub(super) const fn set(&mut self, bit: u32, change: u16) {
        if !self.has(bit) {
            self.status |= bit;
            self.changes |= change;
        }
    }

    /// Time to live from `now` on.
    pub(super) fn remaining(&self, now: Instant) -> Duration {
        if self.is_confirmed() {
            self.deadline.since(now)
        } else {
            Duration::from_nanos(self.deadline.as_nanos())
        }
    }

    /// Whether its time is over.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.is_confirmed() && self.deadline <= now
    }

    /// Gives it `timeout` from `now` on, whatever it had.
    pub(super) fn set_timeout(&mut self, now: Instant, timeout: Duration) {
        let start = if self.is_confirmed() {
            now
        } else {
            Instant::default()
        };
        self.deadline = start + timeout;
    }

    /// When it expires; meaningful once it is confirmed.
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Into the table: from here on the deadline is a moment.
    pub(super) fn confirm(&mut self, now: Instant) {
        let timeout = self.remaining(now);
        self.status |= status::CONFIRMED;
        self.set_timeout(now, timeout);
    }
}

/// What the trackers keep.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proto {
    /// TCP.
    Tcp(Tcp),
    /// SCTP.
    Sctp(Sctp),
    /// UDP.
    Udp(Udp),
    /// GRE.
    Gre(Gre),
    /// A protocol whose tracker remembers nothing.
    Stateless,
}

impl Proto {
    /// A fresh one for a layer 4 protocol.
    fn new(l4proto: u8) -> Self {
        match l4proto {
            protocol::TCP => Self::Tcp(Tcp::default()),
            protocol::SCTP => Self::Sctp(Sctp::default()),
            protocol::UDP => Self::Udp(Udp::default()),
            protocol::GRE => Self::Gre(Gre::default()),
            _ => Self::Stateless,
        }
    }

    /// The state's name in listings.
    pub(super) const fn state_name(&self) -> Option<&'static str> {
        match self {
            Self::Tcp(tcp) => Some(tcp.state().name()),
            Self::Sctp(sctp) => Some(sctp.state().name()),
            Self::Udp(_) | Self::Gre(_) | Self::Stateless => None,
        }
    }

    /// Whether the connection has ended, though its entry is still there.
    pub(super) const fn is_over(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.state().is_over(),
            Self::Sctp(_) | Self::Udp(_) | Self::Gre(_) | Self::Stateless => false,
        }
    }

    /// Whether the connection is ending, so that it may be evicted under pressure though assured.
    pub(super) const fn is_closing(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.state().is_closing(),
            Self::Sctp(sctp) => sctp.state().is_closing(),
            Self::Udp(_) | Self::Gre(_) | Self::Stateless => false,
        }
    }
}

/// An entry of the table.
///
/// What every packet reads lies in the first cache line, the tracker's state in the third. An entry that is translated has its reply tuple in its
/// extension; the others answer with the mirror of the original one.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Entry {
    /// The original tuple, as it lies on the wire.
    original: Tuple,
    /// The zone; one that covers no direction marks a vacant slot.
    pub(super) zone: Zone,
    /// How often the slot has been used, mod 2^16.
    pub(super) generation: u16,
    /// `ct mark`.
    pub(super) mark: u32,
    /// Life.
    pub(super) life: Life,
    /// Number of its extension (`extension.rs`).
    pub(super) extension: u32,
    /// The first of its places in lists of connections that are counted (`connlimit.rs`).
    pub(super) counted: u32,
    /// When it was confirmed; 1970 where that is not remembered.
    pub(super) start: Instant,
    /// How many entries were made before it.
    pub(super) serial: u64,
    /// The tracker's state.
    pub(super) proto: Proto,
    /// Traffic by direction.
    pub(super) traffic: [Traffic; 2],
}

const _: () = {
    assert!(std::mem::offset_of!(Entry, extension) == 64);
    assert!(size_of::<Proto>() == 64);
};

impl Entry {
    /// A new, unconfirmed entry that one packet holds.
    pub(super) fn new(original: Tuple, zone: Zone, serial: u64) -> Self {
        Self {
            original,
            extension: NONE,
            life: Life {
                status: 0,
                changes: 0,
                holders: 1,
                is_counted: false,
                deadline: Instant::default(),
            },
            proto: Proto::new(original.l4proto),
            zone,
            mark: 0,
            counted: NONE,
            generation: 0,
            traffic: [Traffic::default(); 2],
            start: Instant::default(),
            serial,
        }
    }

    /// The tuple of its first packet, as it lay on the wire.
    pub(super) const fn original(&self) -> &Tuple {
        &self.original
    }

    /// Whether its reply tuple is the mirror of the original one.
    pub(super) const fn is_mirrored(&self) -> bool {
        !self.life.has(status::SRC_NAT | status::DST_NAT)
    }

    /// Whether the slot is free.
    pub(super) const fn is_vacant(&self) -> bool {
        self.zone.directions == 0
    }

    /// Frees the slot.
    pub(super) const fn vacate(&mut self) {
        self.zone.directions = 0;
    }

    /// When it was confirmed, where that is remembered.
    pub(super) fn start(&self) -> Option<Instant> {
        (self.start != Instant::default()).then_some(self.start)
    }

    /// Counts a packet of `bytes` bytes, if the entry counts.
    pub(super) fn account(&mut self, direction: Direction, bytes: u32) {
        if self.life.is_counted
            && let Some(traffic) = self.traffic.get_mut(direction as usize)
        {
            traffic.packets += 1;
            traffic.bytes += u64::from(bytes);
        }
    }

    /// The first answer has come.
    pub(super) const fn see_reply(&mut self) {
        self.life.set(status::SEEN_REPLY, change::REPLY);
    }
}
