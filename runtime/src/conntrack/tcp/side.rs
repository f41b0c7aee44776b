//! What is known of each side of a TCP connection, and of its latest segment.

use redan_vm::ct::Direction;

use super::segment::Segment;
use super::state::Class;

/// Bits of [`Side::flags`] and [`Last::flags`].
pub(super) mod side_flags {
    /// Offered window scaling.
    pub(in crate::conntrack::tcp) const WSCALE: u8 = 1;
    /// Permitted SACK.
    pub(in crate::conntrack::tcp) const SACK_PERM: u8 = 2;
    /// Sent the first FIN.
    pub(in crate::conntrack::tcp) const CLOSE_INIT: u8 = 4;
    /// May send outside the window.
    pub(in crate::conntrack::tcp) const LIBERAL: u8 = 8;
    /// Sent data that was not acknowledged.
    pub(in crate::conntrack::tcp) const UNACKED: u8 = 16;
    /// `maxack` counts.
    pub(in crate::conntrack::tcp) const MAXACK_SET: u8 = 32;
    /// [`super::Last`]: a challenge ACK (RFC 5961) may answer the SYN that we let through.
    pub(in crate::conntrack::tcp) const EXPECT_CHALLENGE: u8 = 64;
    /// [`super::Last`]: both sides opened at once.
    pub(in crate::conntrack::tcp) const SIMULTANEOUS: u8 = 128;
}

/// What is known of one side's sequence space.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub(super) struct Side {
    /// Behind the highest byte sent.
    pub(super) end: u32,
    /// Up to where the other side lets it send.
    pub(super) maxend: u32,
    /// Highest window offered, scaled; 0 until the side's first segment.
    pub(super) maxwin: u32,
    /// Highest acknowledgement sent.
    pub(super) maxack: u32,
    /// Window scale.
    pub(super) scale: u8,
    /// [`side_flags`].
    pub(super) flags: u8,
}

impl Side {
    pub(super) const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Starts a side from its SYN.
    pub(super) fn start(&mut self, syn: &Segment<'_>) {
        self.end = syn.end;
        self.maxend = syn.end;
        self.maxwin = u32::from(syn.window).max(1);
        self.read_options(syn);
    }

    /// Takes scale and SACK from a SYN; one without any options leaves what there was.
    pub(super) fn read_options(&mut self, syn: &Segment<'_>) {
        if !syn.has_options {
            return;
        }
        let (scale, is_sack_permitted) = syn.offers();
        self.scale = scale.unwrap_or(0);
        self.flags &= side_flags::LIBERAL;
        if scale.is_some() {
            self.flags |= side_flags::WSCALE;
        }
        if is_sack_permitted {
            self.flags |= side_flags::SACK_PERM;
        }
    }
}

/// What is remembered of the segment before.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub(super) struct Last {
    pub(super) class: Option<Class>,
    pub(super) direction: Direction,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) end: u32,
    pub(super) window: u16,
    pub(super) scale: u8,
    pub(super) flags: u8,
}

impl Last {
    pub(super) fn is(&self, class: Class, direction: Direction) -> bool {
        self.class == Some(class) && self.direction == direction
    }
}

// Packed, all that is kept of a connection and its start fill one cache line.
const _: () = assert!(size_of::<Side>() == 18 && size_of::<Last>() == 18);
