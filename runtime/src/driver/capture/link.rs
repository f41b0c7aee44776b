//! Link types of captures, each turned into an Ethernet frame: the datapath knows no other link.

use redan_vm::packet::{ethernet, ethertype};

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

    /// The frame of a record's bytes, which the capture may have cut from `original` bytes.
    pub(super) fn frame(self, bytes: &[u8], original: usize) -> Frame {
        let mut frame = match self {
            Self::Ethernet => Frame::from(bytes.to_vec()),
            Self::Raw => raw(bytes),
            Self::Null => raw(bytes.get(4..).unwrap_or(&[])),
            Self::Sll => cooked(
                bytes,
                16,
                SllAt {
                    kind: 1,
                    address: 6,
                    protocol: 14,
                },
            ),
            Self::Sll2 => cooked(
                bytes,
                20,
                SllAt {
                    kind: 10,
                    address: 12,
                    protocol: 0,
                },
            ),
        };
        let missing = original.saturating_sub(bytes.len());
        if missing > 0 && original <= MOST {
            // The rest was not captured: its place is kept, so that lengths are right, and its checksum cannot be verified.
            frame.bytes.resize(frame.bytes.len() + missing, 0);
            frame.offload = Offload::TRUSTED;
        }
        frame
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
#[derive(Clone, Copy)]
struct SllAt {
    /// The low byte of the packet type.
    kind: usize,
    /// The sender's address.
    address: usize,
    /// The EtherType.
    protocol: usize,
}

/// A frame of a packet captured on the "any" device (packet types of `if_packet.h`).
fn cooked(bytes: &[u8], len: usize, at: SllAt) -> Frame {
    let (Some(header), rest) = (bytes.get(..len), bytes.get(len..).unwrap_or(&[])) else {
        // Too short for any header: what comes of it is malformed.
        return Frame::from(bytes.to_vec());
    };
    let (dst, made_link) = match header.get(at.kind) {
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
    let kind = header
        .get(at.protocol..)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |kind| u16::from_be_bytes(*kind));
    Frame {
        bytes: joined(ethernet::emit(dst, src, kind), rest),
        made_link,
        ..Frame::default()
    }
}
