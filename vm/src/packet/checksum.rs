//! The Internet checksum (RFC 1071), its incremental update (RFC 1624), and SCTP's `CRC32c` (RFC 9260 appendix A).
//!
//! Sums run over big-endian 16-bit words, so that every number here is in host order and a header's checksum getter and setter fit.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Layout;
use super::header::{chunk, put};
use super::protocol;
use crate::family::nfproto;

/// A ones' complement sum under way. Pieces start at even offsets: only the last one may have an odd length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Nothing summed.
    pub const fn new() -> Self {
        Self(0)
    }

    /// A pseudo-header for IPv4: addresses, protocol, bytes from the transport header on.
    pub fn pseudo_v4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, len: u32) -> Self {
        Self::new()
            .add_bytes(&src.octets())
            .add_bytes(&dst.octets())
            .add_u32(u32::from(protocol))
            .add_u32(len)
    }

    /// A pseudo-header for IPv6.
    pub fn pseudo_v6(src: Ipv6Addr, dst: Ipv6Addr, protocol: u8, len: u32) -> Self {
        Self::new()
            .add_bytes(&src.octets())
            .add_bytes(&dst.octets())
            .add_u32(u32::from(protocol))
            .add_u32(len)
    }

    /// Adds bytes. The sum does not depend on byte order (RFC 1071 §2), so they are read as they lie and only the result is turned.
    #[inline]
    #[must_use]
    pub fn add_bytes(self, bytes: &[u8]) -> Self {
        let mut sum = 0u64;
        // Halves of 32 bits do not overflow 64 bits in any packet.
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            let word = u64::from_ne_bytes(*word);
            sum += (word >> 32) + (word & 0xffff_ffff);
        }
        let (words, rest) = rest.as_chunks::<4>();
        for word in words {
            sum += u64::from(u32::from_ne_bytes(*word));
        }
        let (words, rest) = rest.as_chunks::<2>();
        for word in words {
            sum += u64::from(u16::from_ne_bytes(*word));
        }
        if let [last] = rest {
            sum += u64::from(u16::from_ne_bytes([*last, 0]));
        }
        self.add_u16(u16::from_be(Self(sum).fold()))
    }

    /// Adds a 16-bit word.
    #[must_use]
    pub const fn add_u16(self, word: u16) -> Self {
        Self(self.0 + word as u64)
    }

    /// Adds two 16-bit words.
    #[must_use]
    pub const fn add_u32(self, words: u32) -> Self {
        Self(self.0 + words as u64)
    }

    /// The sum in 16 bits, not complemented: 0xffff over something with a right checksum in it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "four folds leave 16 bits of any 64"
    )]
    #[inline]
    pub const fn fold(self) -> u16 {
        let sum = (self.0 >> 32) + (self.0 & 0xffff_ffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        ((sum >> 16) + (sum & 0xffff)) as u16
    }

    /// The checksum: the complement of the sum.
    pub const fn finish(self) -> u16 {
        !self.fold()
    }
}

/// The checksum of bytes; 0 over bytes with a right checksum in them.
pub fn internet(bytes: &[u8]) -> u16 {
    Sum::new().add_bytes(bytes).finish()
}

/// A checksum after bytes that it covers, at an even offset, changed from `old` to `new` (RFC 1624 eqn. 3).
pub fn update(checksum: u16, old: &[u8], new: &[u8]) -> u16 {
    let removed = Sum::new().add_bytes(old).finish();
    Sum::new()
        .add_u16(!checksum)
        .add_u16(removed)
        .add_bytes(new)
        .finish()
}

/// Like [`update`] for UDP, where 0 means "no checksum": it stays 0, and a result of 0 becomes 0xffff (RFC 768).
pub fn update_udp(checksum: u16, old: &[u8], new: &[u8]) -> u16 {
    if checksum == 0 {
        return 0;
    }
    match update(checksum, old, new) {
        0 => 0xffff,
        sum => sum,
    }
}

/// Whether a packet's transport checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// UDP over IPv4 or IPv6 without one.
    Absent,
    /// The protocol has none that is known here, this is a fragment, or the header is cut off.
    Unknown,
}

/// The pseudo-header's sum of a packet from the transport header to the packet's end; nothing for a protocol without one.
fn pseudo(frame: &[u8], layout: &Layout, l4proto: u8) -> Option<Sum> {
    let network = frame.get(layout.network as usize..)?;
    let len = layout.end.checked_sub(layout.transport)?;
    match (layout.nfproto, l4proto) {
        (nfproto::IPV4, protocol::ICMP) => Some(Sum::new()),
        (nfproto::IPV4, _) => {
            let ip = super::Ipv4::new_checked(network)?;
            Some(Sum::pseudo_v4(ip.src(), ip.dst(), l4proto, len))
        }
        (nfproto::IPV6, _) => {
            let ip = super::Ipv6::new_checked(network)?;
            Some(Sum::pseudo_v6(ip.src(), ip.dst(), l4proto, len))
        }
        _ => None,
    }
}

/// Where the checksum lies in the transport header.
const fn place(nfproto: u8, l4proto: u8) -> Option<usize> {
    match (l4proto, nfproto) {
        (protocol::TCP, _) => Some(16),
        (protocol::UDP | protocol::UDPLITE, _) => Some(6),
        (protocol::ICMP, nfproto::IPV4) | (protocol::ICMPV6, nfproto::IPV6) => Some(2),
        _ => None,
    }
}

/// Bytes that the checksum covers: all to the packet's end (as `nf_ip_checksum` has it, whatever UDP's length field says), or UDP-Lite's coverage.
fn covered<'a>(frame: &'a [u8], layout: &Layout) -> Option<&'a [u8]> {
    let bytes = frame.get(layout.transport as usize..layout.end as usize)?;
    if layout.l4proto != protocol::UDPLITE {
        return Some(bytes);
    }
    match usize::from(u16::from_be_bytes(chunk(bytes, 4))) {
        0 => Some(bytes),
        1..8 => None,
        coverage => bytes.get(..coverage),
    }
}

/// Checks the transport checksum of a whole packet: TCP, UDP, UDP-Lite, ICMP, ICMPv6, SCTP.
pub fn verify(frame: &[u8], layout: &Layout) -> Verified {
    if !layout.has_transport() || layout.is_fragment() {
        return Verified::Unknown;
    }
    let Some(bytes) = covered(frame, layout) else {
        return Verified::Wrong;
    };
    if layout.l4proto == protocol::SCTP {
        return match bytes.get(8..12) {
            Some(found) if *found == sctp(bytes) => Verified::Right,
            Some(_) => Verified::Wrong,
            None => Verified::Unknown,
        };
    }
    let Some(at) = place(layout.nfproto, layout.l4proto) else {
        return Verified::Unknown;
    };
    if bytes.len() < at + 2 {
        return Verified::Unknown;
    }
    if layout.l4proto == protocol::UDP && chunk::<2>(bytes, at) == [0, 0] {
        return Verified::Absent;
    }
    match pseudo(frame, layout, layout.l4proto) {
        Some(sum) if sum.add_bytes(bytes).fold() == 0xffff => Verified::Right,
        Some(_) => Verified::Wrong,
        None => Verified::Unknown,
    }
}

/// Computes the transport checksum afresh and writes it; does nothing for fragments, cut headers and protocols without one.
pub fn fill(frame: &mut [u8], layout: &Layout) {
    if !layout.has_transport() || layout.is_fragment() {
        return;
    }
    let start = layout.transport as usize;
    if layout.l4proto == protocol::SCTP {
        let Some(sum) = covered(frame, layout).filter(|b| b.len() >= 12).map(sctp) else {
            return;
        };
        put(frame, start + 8, &sum);
        return;
    }
    let Some(at) = place(layout.nfproto, layout.l4proto) else {
        return;
    };
    if start + at + 2 > layout.end as usize {
        return;
    }
    put(frame, start + at, &[0, 0]);
    let sum = covered(frame, layout).and_then(|bytes| {
        Some(
            pseudo(frame, layout, layout.l4proto)?
                .add_bytes(bytes)
                .finish(),
        )
    });
    if let Some(sum) = sum {
        let is_udp = matches!(layout.l4proto, protocol::UDP | protocol::UDPLITE);
        let sum = if is_udp && sum == 0 { 0xffff } else { sum };
        put(frame, start + at, &sum.to_be_bytes());
    }
}

/// SCTP's checksum of a packet from its common header on, as its bytes lie on the wire; the checksum field counts as zero.
pub fn sctp(bytes: &[u8]) -> [u8; 4] {
    let (head, rest) = bytes.split_at(bytes.len().min(8));
    let state = crc32c_bytes(!0, head);
    let state = crc32c_bytes(state, &[0; 4]);
    let state = crc32c_bytes(state, rest.get(4..).unwrap_or(&[]));
    (!state).to_le_bytes()
}

/// `CRC32c` (Castagnoli) of bytes.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !crc32c_bytes(!0, bytes)
}

/// Remainders of the reflected polynomial: table `n` is for a byte with `n` bytes behind it.
#[expect(
    clippy::indexing_slicing,
    reason = "computed at compile time, where a wrong index does not compile"
)]
static CRC32C: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut behind = 1;
    while behind < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[behind - 1][byte];
            tables[behind][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        behind += 1;
    }
    tables
};

/// Takes eight bytes at a time, then the rest one by one.
fn crc32c_bytes(state: u32, bytes: &[u8]) -> u32 {
    let remainder =
        |byte: u8, table: &[u32; 256]| table.get(usize::from(byte)).copied().unwrap_or(0);
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(state, |crc, word| {
        let mixed = (u64::from_le_bytes(*word) ^ u64::from(crc)).to_le_bytes();
        mixed
            .iter()
            .zip(CRC32C.iter().rev())
            .fold(0, |crc, (byte, table)| crc ^ remainder(*byte, table))
    });
    let [one, ..] = &CRC32C;
    rest.iter().fold(state, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        remainder(low ^ byte, one) ^ (crc >> 8)
    })
}
