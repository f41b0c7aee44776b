//! Frames: what comes in from a port and what leaves by one, each with what its driver knows of it.

mod pool;
mod segment;

pub use pool::{BUFFER, Pool};
pub use redan_vm::packet::{Offload, SegmentKind, Segments, TransportSum};
pub use segment::segments;

use crate::site::PortId;

/// A frame that comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The bytes, Ethernet header first.
    pub bytes: Vec<u8>,
    /// What the driver knows of it.
    pub offload: Offload,
    /// The Ethernet header was made up by the driver (a capture without link headers): the frame counts as addressed to the port.
    pub made_link: bool,
}

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

/// A frame that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutFrame {
    /// The port that it leaves by.
    pub port: PortId,
    /// The bytes, Ethernet header first.
    pub bytes: Vec<u8>,
    /// What is left to the device.
    pub offload: Offload,
}

/// What the ways out take: what they do not take is done before a frame leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Checksums that are not whole.
    pub partial: bool,
    /// Segments of TCP that travel as one packet.
    pub tcp: bool,
    /// Segments of UDP that travel as one packet.
    pub udp: bool,
}

impl Takes {
    /// Whether a frame may leave with this left to the device.
    pub const fn takes(self, offload: &Offload) -> bool {
        let takes_segments = match &offload.segments {
            None => true,
            Some(segments) => match segments.kind {
                SegmentKind::Tcp4 | SegmentKind::Tcp6 => self.tcp,
                SegmentKind::Udp => self.udp,
            },
        };
        takes_segments && (self.partial || !matches!(offload.sum, TransportSum::Partial { .. }))
    }

    /// What both take.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            partial: self.partial && other.partial,
            tcp: self.tcp && other.tcp,
            udp: self.udp && other.udp,
        }
    }
}
