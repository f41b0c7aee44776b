//! The fragments of one packet.

use redan_vm::Packet;
use redan_vm::packet::{Ipv4, Ipv6, Offload, TransportSum, ipv4, ipv6};

use super::parse::{Parts, Piece};

/// Bits of ECN codepoints seen, as `1 << codepoint`.
mod ecn {
    pub(super) const NOT: u8 = 1;
    pub(super) const CE: u8 = 1 << 3;
    /// Congestion experienced.
    pub(super) const MARK: u8 = 3;
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// More are missing.
    Waits,
    /// It repeats what is there.
    Repeated,
    /// It contradicts what is there and goes alone (IPv6).
    Refused,
    /// It is nothing to put together, and ends the packet; it goes on as it is (IPv6 with a length that is no multiple of 8).
    Passed,
    /// It contradicts what is there, and ends the packet.
    Broken,
    /// Nothing is missing.
    Complete,
}

/// What a payload costs beside its bytes: its place in a vector that is half full, and what the allocator adds to both.
const PART_BYTES: usize = 2 * size_of::<(usize, Vec<u8>)>() + 32;

/// The fragments of one packet, in order, with no overlap.
#[derive(Debug)]
pub(super) struct Queue {
    parts: Vec<(usize, Vec<u8>)>,
    /// The packet of the first fragment, whose headers the whole one gets.
    first: Option<Box<(Packet, Piece)>>,
    /// Highest end so far.
    len: usize,
    /// Whether the fragment without a follower has come.
    last_seen: bool,
    /// Payload bytes so far.
    bytes: usize,
    ecn: u8,
    /// Some fragment's bytes cannot be verified, so the whole cannot.
    is_trusted: bool,
    /// Longest fragment, and longest with "do not fragment", in bytes from the network header on.
    longest: usize,
    longest_df: usize,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            parts: Vec::new(),
            first: None,
            len: 0,
            last_seen: false,
            bytes: 0,
            ecn: 0,
            is_trusted: false,
            longest: 0,
            longest_df: 0,
        }
    }

    /// Bytes that it keeps outside of itself.
    pub(super) fn bytes_held(&self) -> usize {
        let first = self.first.as_ref().map_or(0, |first| {
            size_of::<(Packet, Piece)>() + first.0.frame.capacity() + 32
        });
        self.bytes + self.parts.len() * PART_BYTES + first
    }

    /// The first fragment, if it came.
    pub(super) fn into_first(self) -> Option<Packet> {
        self.first.map(|first| first.0)
    }

    /// Adds a fragment (`ip_frag_queue`, `nf_ct_frag6_queue`).
    pub(super) fn insert(&mut self, piece: Piece, packet: &Packet) -> Inserted {
        let is_ipv4 = piece.src.is_ipv4();
        let mut len = piece.end.saturating_sub(piece.start);
        if piece.more && !len.is_multiple_of(8) {
            if !is_ipv4 {
                return Inserted::Passed;
            }
            len &= !7;
        }
        let end = piece.offset + len;
        let refused = if is_ipv4 {
            Inserted::Broken
        } else {
            Inserted::Refused
        };
        let contradicts = if piece.more {
            end > self.len && self.last_seen
        } else {
            end < self.len || (self.last_seen && end != self.len)
        };
        if contradicts || len == 0 || end > usize::from(u16::MAX) {
            return refused;
        }
        let Some(payload) = packet.frame.get(piece.start..piece.start + len) else {
            return refused;
        };
        match self.place(piece.offset, end) {
            Err(inserted) => return inserted,
            Ok(at) => self.parts.insert(at, (piece.offset, payload.to_vec())),
        }
        self.note(&piece, packet, end);
        if self.last_seen && self.first.is_some() && self.bytes == self.len {
            Inserted::Complete
        } else {
            Inserted::Waits
        }
    }

    fn note(&mut self, piece: &Piece, packet: &Packet, end: usize) {
        self.bytes += end - piece.offset;
        self.len = self.len.max(end);
        self.last_seen |= !piece.more;
        self.ecn |= 1 << (piece.class & 3);
        self.is_trusted |= packet.offload.sum == TransportSum::Trusted;
        let network = packet.layout.network as usize;
        let whole = piece.start.saturating_sub(network) + (end - piece.offset);
        self.longest = self.longest.max(whole);
        if piece.dont_fragment {
            self.longest_df = self.longest_df.max(whole);
        }
        if piece.offset == 0 {
            self.first = Some(Box::new((packet.clone(), *piece)));
        }
    }

    /// Where a fragment belongs, or that it overlaps (`inet_fragment.c: inet_frag_queue_insert`): what lies within one run without gaps
    /// repeats, anything else that overlaps breaks the packet.
    fn place(&self, start: usize, end: usize) -> Result<usize, Inserted> {
        let at = self
            .parts
            .partition_point(|(offset, bytes)| offset + bytes.len() <= start);
        let overlaps = self.parts.get(at).is_some_and(|(offset, _)| *offset < end);
        if !overlaps {
            return Ok(at);
        }
        let mut covered = start;
        for (offset, bytes) in self.parts.get(at..).unwrap_or(&[]) {
            if *offset > covered || covered >= end {
                break;
            }
            covered = offset + bytes.len();
        }
        Err(if covered >= end {
            Inserted::Repeated
        } else {
            Inserted::Broken
        })
    }

    /// The whole packet takes the place of `packet`, which keeps its metadata; `None` when it cannot be one.
    pub(super) fn join(self, packet: &mut Packet) -> Option<Parts> {
        if self.ecn & ecn::NOT != 0 && self.ecn != ecn::NOT {
            // RFC 3168 5.3: some fragments say that their ends understand ECN, some that they do not.
            return None;
        }
        let mark = if self.ecn & ecn::CE != 0 && self.ecn != ecn::CE {
            ecn::MARK
        } else {
            0
        };
        let (first, piece) = *self.first?;
        let head_end = if piece.src.is_ipv4() {
            piece.start
        } else {
            piece.header
        };
        // The whole goes on in the buffer of the part that came last.
        let mut frame = std::mem::take(&mut packet.frame);
        frame.clear();
        frame.reserve(head_end + self.len);
        frame.extend_from_slice(first.frame.get(..head_end)?);
        for (_, bytes) in &self.parts {
            frame.extend_from_slice(bytes);
        }
        let network = first.layout.network as usize;
        let total = u16::try_from(frame.len() - network).ok()?;
        if let Some(mut ip) =
            Ipv4::new_checked(frame.get_mut(network..)?).filter(|_| piece.src.is_ipv4())
        {
            ip.set_total_len(total);
            ip.set_tos(piece.class | mark);
            ip.set_frag_off(if self.longest_df == self.longest {
                ipv4::frag::DF
            } else {
                0
            });
            ip.fill_checksum();
        } else {
            let next = *first.frame.get(piece.header)?;
            *frame.get_mut(piece.announced_at)? = next;
            let mut ip = Ipv6::new_checked(frame.get_mut(network..)?)?;
            ip.set_payload_len(total - u16::try_from(ipv6::LEN).ok()?);
            ip.set_version_class_flow(ip.version_class_flow() | (u32::from(mark) << 20));
        }
        packet.frame = frame;
        packet.offload = if self.is_trusted {
            Offload::TRUSTED
        } else {
            Offload::default()
        };
        let cuts = self
            .parts
            .iter()
            .skip(1)
            .map(|(offset, _)| u16::try_from(*offset).unwrap_or(u16::MAX))
            .collect();
        Some(Parts {
            cuts,
            longest: u32::try_from(self.longest).ok()?,
        })
    }
}
