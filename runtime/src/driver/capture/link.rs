//! Link types of captures, each turned into an Ethernet frame: the datapath knows no other link.

use redan_vm::packet::{ethernet, ethertype};

use super::Heading;
use crate::frame::{Frame, Offload};

/// Bytes that a frame is padded to at most, where the capture cut it short.
const MOST: usize = 256 * 1024;
/// A made-up address of another machine.
const OTHER: [u8; 6] = [2, 0xff, 0xff, 0xff, 0xff, 0xff];
/// A made-up group address.
const GROUP: [u8; 6] = [1, 0, 0, 0, 0, 0];

/// How a link type's header is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Ethernet itself.
    Ethernet,
    /// IPv4 or IPv6, by version.
    Raw,
    /// A 4-byte address family in the capturing machine's order, or in network order.
    Null,
    /// "Any" device: `LINKTYPE_LINUX_SLL`.
    Sll,
    /// "Any" device: `LINKTYPE_LINUX_SLL2`.
    Sll2,
}

/// `LINKTYPE_` numbers (tcpdump.org/linktypes.html; 12 and 14 are what some systems write for raw IP).
const LINKS: &[(u32, Link)] = &[
    (0, Link::Null),
    (1, Link::Ethernet),
    (12, Link::Raw),
    (14, Link::Raw),
    (101, Link::Raw),
    (108, Link::Null),
    (113, Link::Sll),
    (228, Link::Raw),
    (229, Link::Raw),
    (276, Link::Sll2),
];

impl Link {
    pub(super) fn new(linktype: u32) -> Option<Self> {
        LINKS
            .iter()
            .find(|(number, _)| *number == linktype)
            .map(|(_, link)| *link)
    }

    /// Whether its records name the interface that each frame was captured on.
    pub(super) const fn has_indices(self) -> bool {
        matches!(self, Self::Sll2)
    }

    /// The frame of a record's bytes, which the capture may have cut from `original` bytes.
    pub(super) fn read(self, bytes: &[u8], original: usize) -> Read {
        let mut read = match self {
            Self::Ethernet => Read::from(Frame::from(bytes.to_vec())),
            Self::Raw => raw(bytes).into(),
            Self::Null => raw(bytes.get(4..).unwrap_or(&[])).into(),
            Self::Sll => cooked(bytes, &SLL),
            Self::Sll2 => cooked(bytes, &SLL2),
        };
        let frame = &mut read.frame;
        let missing = original.saturating_sub(bytes.len());
        if missing > 0 && original <= MOST {
            // The rest was not captured: its place is kept, so that lengths are right, and its checksum cannot be verified.
            frame.bytes.resize(frame.bytes.len() + missing, 0);
            frame.offload = Offload::TRUSTED;
        }
        read
    }
}

/// What a record holds.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) frame: Frame,
    /// Which way the frame went, if the record says so.
    pub(super) heading: Option<Heading>,
    /// The capturing machine's number for the interface, if the record has it.
    pub(super) index: Option<u32>,
    /// Whether the record says that the interface is the loopback device.
    pub(super) is_loopback: bool,
}

impl From<Frame> for Read {
    fn from(frame: Frame) -> Self {
        Self {
            frame,
            heading: None,
            index: None,
            is_loopback: false,
        }
    }
}

fn joined(header: [u8; 14], rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(header.len() + rest.len());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(rest);
    bytes
}

/// A frame of a packet without a link header.
fn raw(packet: &[u8]) -> Frame {
    let kind = if packet.first().is_some_and(|byte| byte >> 4 == 6) {
        ethertype::IPV6
    } else {
        ethertype::IPV4
    };
    Frame {
        bytes: joined(ethernet::emit([0; 6], [0; 6], kind), packet),
        made_link: true,
        ..Frame::default()
    }
}

/// Where a cooked header has its fields, in bytes.
struct SllAt {
    /// Its length.
    len: usize,
    /// The low byte of the packet type.
    kind: usize,
    /// The `ARPHRD_` type of the interface.
    hardware: usize,
    /// The sender's address.
    address: usize,
    /// The EtherType.
    protocol: usize,
    /// The interface's index, where it has one.
    index: Option<usize>,
}

const SLL: SllAt = SllAt {
    len: 16,
    kind: 1,
    hardware: 2,
    address: 6,
    protocol: 14,
    index: None,
};
const SLL2: SllAt = SllAt {
    len: 20,
    kind: 10,
    hardware: 8,
    address: 12,
    protocol: 0,
    index: Some(4),
};

/// `if_arp.h: ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;

/// A frame of a packet captured on the "any" device (packet types of `if_packet.h`).
fn cooked(bytes: &[u8], at: &SllAt) -> Read {
    let (Some(header), rest) = (bytes.get(..at.len), bytes.get(at.len..).unwrap_or(&[])) else {
        // Too short for any header: what comes of it is malformed.
        return Frame::from(bytes.to_vec()).into();
    };
    let half = |at: usize| {
        let bytes = header.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
    };
    let kind = header.get(at.kind);
    let (dst, made_link) = match kind {
        Some(1) => (ethernet::BROADCAST, true),
        Some(2) => (GROUP, true),
        Some(3) => (OTHER, false),
        _ => ([0; 6], true),
    };
    let src = header
        .get(at.address..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; 6]);
    let index = at.index.and_then(|at| header.get(at..)?.first_chunk());
    Read {
        frame: Frame {
            bytes: joined(ethernet::emit(dst, src, half(at.protocol)), rest),
            made_link,
            ..Frame::default()
        },
        heading: Some(if kind == Some(&4) {
            Heading::Out
        } else {
            Heading::In
        }),
        index: index.map(|index| u32::from_be_bytes(*index)),
        is_loopback: half(at.hardware) == LOOPBACK,
    }
}
