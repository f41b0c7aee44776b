//! What a driver knows of a packet beside its bytes: whether the transport checksum is whole, and whether several segments travel as one
//! (`skbuff.h: ip_summed`, `skb_shared_info`).

use super::checksum::{self, Sum};
use super::header::put;
use super::{Packet, protocol};

/// What is known of the transport checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportSum {
    /// It is whole and may be wrong (`CHECKSUM_NONE`).
    #[default]
    Unverified,
    /// Its field holds the pseudo-header's sum alone; whoever takes the packet does the rest (`CHECKSUM_PARTIAL`).
    Partial {
        /// Where the rest starts, in bytes from the frame's start.
        start: u16,
        /// Where the field lies, in bytes from there.
        field: u16,
    },
    /// It is whole, and right or beyond verifying, as in a capture that cuts frames short (`CHECKSUM_UNNECESSARY`).
    Trusted,
}

/// What the segments are that travel as one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// TCP over IPv4.
    Tcp4,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over either.
    Udp,
}

/// Segments that travel as one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// What they are.
    pub kind: SegmentKind,
    /// Bytes of payload in each but the last.
    pub size: u16,
    /// The first has "congestion window reduced" set, and it alone is to have it.
    pub has_cwr: bool,
    /// Bytes in front of the payload, or more: a hint from one driver to another.
    pub header_bytes: u16,
}

/// What is left to whoever takes the packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// The transport checksum.
    pub sum: TransportSum,
    /// Segments; `None` for one packet.
    pub segments: Option<Segments>,
}

impl Offload {
    /// A checksum that need not be verified.
    pub const TRUSTED: Self = Self {
        sum: TransportSum::Trusted,
        segments: None,
    };

    /// Whether the bytes are as they are to be on a wire.
    pub const fn is_finished(&self) -> bool {
        self.segments.is_none() && !matches!(self.sum, TransportSum::Partial { .. })
    }

    /// The frame has lost bytes in front of its network header.
    pub const fn shorten(&mut self, bytes: u16) {
        if let TransportSum::Partial { start, .. } = &mut self.sum {
            *start = start.saturating_sub(bytes);
        }
        if let Some(segments) = &mut self.segments {
            segments.header_bytes = segments.header_bytes.saturating_sub(bytes);
        }
    }

    /// Does what is left of a frame's checksum (`dev.c: skb_checksum_help`); of segments it is the sum of the whole.
    pub fn complete(&mut self, frame: &mut [u8]) {
        let TransportSum::Partial { start, field } = self.sum else {
            return;
        };
        self.sum = TransportSum::Trusted;
        let Some(rest) = frame.get(usize::from(start)..) else {
            return;
        };
        let sum = match Sum::new().add_bytes(rest).finish() {
            0 => 0xffff,
            sum => sum,
        };
        let at = usize::from(start) + usize::from(field);
        if at + 2 <= frame.len() {
            put(frame, at, &sum.to_be_bytes());
        }
    }
}

impl Packet {
    /// Whether the field of the transport checksum holds the pseudo-header's sum alone. In a tunnel's packet that may be so of the inner
    /// header, while the outer one's is whole.
    pub const fn is_partial(&self) -> bool {
        match self.offload.sum {
            TransportSum::Partial { start, .. } => start as u32 == self.layout.transport,
            TransportSum::Unverified | TransportSum::Trusted => false,
        }
    }

    /// Whether some checksum is left to whoever takes the packet.
    pub const fn is_sum_open(&self) -> bool {
        matches!(self.offload.sum, TransportSum::Partial { .. })
    }

    /// Whether the transport checksum need not be verified.
    pub const fn is_sum_trusted(&self) -> bool {
        !matches!(self.offload.sum, TransportSum::Unverified)
    }

    /// Does what is left of the transport checksum.
    pub fn complete(&mut self) {
        self.offload.complete(&mut self.frame);
    }

    /// Computes the transport checksum afresh, over all that the packet is now.
    pub fn fill_transport_sum(&mut self) {
        checksum::fill(&mut self.frame, &self.layout);
        self.offload.sum = TransportSum::Trusted;
    }

    /// Bytes of one segment from the network header on; of a packet that is none, its own (`gso.c: skb_gso_network_seglen`).
    pub fn segment_len(&self) -> u32 {
        let Some(segments) = self.offload.segments else {
            return self.layout.network_len();
        };
        let headers = match segments.kind {
            SegmentKind::Tcp4 | SegmentKind::Tcp6 => self.tcp().map_or(0, |tcp| tcp.header_len()),
            SegmentKind::Udp => super::udp::LEN,
        };
        let headers = u32::try_from(headers).unwrap_or(u32::MAX);
        let layout = &self.layout;
        layout
            .transport
            .saturating_sub(layout.network)
            .saturating_add(headers)
            .saturating_add(u32::from(segments.size))
            .min(layout.network_len())
    }

    /// Whether a packet's segments are of the kind that its headers are.
    pub fn has_sound_segments(&self) -> bool {
        let Some(segments) = self.offload.segments else {
            return true;
        };
        let layout = &self.layout;
        let is_kind = match segments.kind {
            SegmentKind::Tcp4 => layout.is_ipv4() && layout.is_l4(protocol::TCP),
            SegmentKind::Tcp6 => layout.is_ipv6() && layout.is_l4(protocol::TCP),
            SegmentKind::Udp => layout.is_l4(protocol::UDP),
        };
        is_kind && segments.size > 0 && layout.has_inner() && !layout.is_fragment()
    }
}
