//! A connection: its tuple, its life, its protocol's state.

use redan_vm::Instant;
use redan_vm::ct::{Direction, status};

use super::change;
use super::life::Life;
use super::proto::Proto;
use super::tuple::{Tuple, Zone};
use crate::bounded::arena::NONE;

/// Packets and bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes from the network header on.
    pub bytes: u64,
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
            life: Life::new(),
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

    /// Whether it can be found by its tuples.
    pub(super) const fn is_in_table(&self) -> bool {
        self.life.is_confirmed() && !self.life.has(status::DYING)
    }
}
