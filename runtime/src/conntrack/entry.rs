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

/// Bits of [`Entry::flags`] above those of a zone's directions.
mod flag {
    /// Traffic is counted.
    pub(super) const COUNTED: u8 = 4;
    /// A timeout policy holds for it.
    pub(super) const POLICY: u8 = 8;
}

/// An entry of the table: two cache lines and most of a third, which its place in the wheel fills.
///
/// The first line finds and judges, the second is the tracker's, the third counts. What few entries have lies in an extension; the reply tuple of
/// one that is not translated is the mirror of the original one.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Entry {
    /// The original tuple, as it lies on the wire.
    original: Tuple,
    zone_id: u16,
    /// The directions that the zone covers, none in a vacant slot, and [`flag`].
    flags: u8,
    /// Packets under way that hold the entry while it is not in the table: not yet confirmed, or dead already.
    pub(super) holders: u8,
    /// How often the slot has been used, mod 2^16.
    pub(super) generation: u16,
    /// `ct mark`.
    pub(super) mark: u32,
    /// Number of its extension (`extension.rs`).
    pub(super) extension: u32,
    /// Life.
    pub(super) life: Life,
    /// The tracker's state.
    pub(super) proto: Proto,
    /// When it was confirmed; 1970 where that is not remembered.
    pub(super) start: Instant,
    /// Traffic by direction.
    pub(super) traffic: [Traffic; 2],
    /// Room for what will be remembered of the way and the verdict of a connection's packets.
    _room: [u32; 4],
}

const _: () = {
    assert!(std::mem::offset_of!(Entry, proto) == 64);
    assert!(std::mem::offset_of!(Entry, traffic) == 128);
    assert!(size_of::<Entry>() == 176);
};

impl Entry {
    /// A new, unconfirmed entry that one packet holds.
    pub(super) fn new(original: Tuple, zone: Zone, is_counted: bool) -> Self {
        let counted = if is_counted { flag::COUNTED } else { 0 };
        Self {
            original,
            zone_id: zone.id,
            flags: (zone.directions & Zone::BOTH) | counted,
            holders: 1,
            generation: 0,
            mark: 0,
            extension: NONE,
            life: Life::new(),
            proto: Proto::new(original.l4proto),
            start: Instant::default(),
            traffic: [Traffic::default(); 2],
            _room: [0; 4],
        }
    }

    /// Its zone.
    pub(super) const fn zone(&self) -> Zone {
        Zone {
            id: self.zone_id,
            directions: self.flags & Zone::BOTH,
        }
    }

    /// Whether its traffic is counted.
    pub(super) const fn is_counted(&self) -> bool {
        self.flags & flag::COUNTED != 0
    }

    /// Whether its timeouts are those of a policy, which its extension names.
    pub(super) const fn has_policy(&self) -> bool {
        self.flags & flag::POLICY != 0
    }

    /// A policy holds for it from here on.
    pub(super) const fn take_policy(&mut self) {
        self.flags |= flag::POLICY;
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
        self.flags & Zone::BOTH == 0
    }

    /// Frees the slot.
    pub(super) const fn vacate(&mut self) {
        self.flags = 0;
    }

    /// When it was confirmed, where that is remembered.
    pub(super) fn start(&self) -> Option<Instant> {
        (self.start != Instant::default()).then_some(self.start)
    }

    /// Counts a packet of `bytes` bytes, if the entry counts.
    pub(super) fn account(&mut self, direction: Direction, bytes: u32) {
        if self.is_counted()
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
