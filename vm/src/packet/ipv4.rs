//! IPv4 (RFC 791).

use std::net::Ipv4Addr;

use super::checksum;
use super::header::header;

header! {
    /// An IPv4 header.
    Ipv4, 20 {
        /// Version (4 bits) and header length in 4-byte words (4 bits).
        version_ihl, set_version_ihl: u8 = 0;
        /// DSCP (6 bits) and ECN (2 bits).
        tos, set_tos: u8 = 1;
        /// Bytes of header and payload.
        total_len, set_total_len: u16 = 2;
        /// Identification.
        id, set_id: u16 = 4;
        /// Flags (3 bits) and fragment offset in 8-byte units (13 bits).
        frag_off, set_frag_off: u16 = 6;
        /// Time to live.
        ttl, set_ttl: u8 = 8;
        /// Layer 4 protocol.
        protocol, set_protocol: u8 = 9;
        /// Header checksum.
        checksum, set_checksum: u16 = 10;
        /// Source address.
        src, set_src: Ipv4Addr = 12;
        /// Destination address.
        dst, set_dst: Ipv4Addr = 16;
    }
}

/// Bits of [`Ipv4::frag_off`].
pub mod frag {
    /// Do not fragment.
    pub const DF: u16 = 0x4000;
    /// More fragments follow.
    pub const MF: u16 = 0x2000;
    /// Fragment offset, in 8-byte units.
    pub const OFFSET: u16 = 0x1fff;
}

impl<T: AsRef<[u8]>> Ipv4<T> {
    /// Version; 4 in a sound header.
    #[inline]
    pub fn version(&self) -> u8 {
        self.version_ihl() >> 4
    }

    /// Bytes of the header with options, as the header says; at least 20 in a sound one.
    #[inline]
    pub fn header_len(&self) -> usize {
        usize::from(self.version_ihl() & 0xf) * 4
    }

    /// Whether the don't-fragment bit is set.
    #[inline]
    pub fn is_dont_fragment(&self) -> bool {
        self.frag_off() & frag::DF != 0
    }

    /// Whether more fragments follow.
    #[inline]
    pub fn is_more_fragments(&self) -> bool {
        self.frag_off() & frag::MF != 0
    }

    /// Fragment offset in bytes.
    #[inline]
    pub fn fragment_offset(&self) -> u16 {
        (self.frag_off() & frag::OFFSET) << 3
    }

    /// The header with its options, as far as it is there.
    #[inline]
    pub fn header(&self) -> &[u8] {
        let bytes = self.bytes();
        bytes.get(..self.header_len()).unwrap_or(bytes)
    }

    /// The options, as far as they are there.
    pub fn options(&self) -> &[u8] {
        self.header().get(LEN..).unwrap_or(&[])
    }

    /// Whether the header checksum is right.
    #[inline]
    pub fn is_checksum_ok(&self) -> bool {
        checksum::internet(self.header()) == 0
    }
}

impl<T: AsRef<[u8]> + AsMut<[u8]>> Ipv4<T> {
    /// Computes the header checksum afresh.
    pub fn fill_checksum(&mut self) {
        self.set_checksum(0);
        let sum = checksum::internet(self.header());
        self.set_checksum(sum);
    }

    /// Takes one hop off the time to live and mends the checksum (RFC 1141); does nothing at zero.
    #[inline]
    pub fn decrement_ttl(&mut self) {
        let ttl = self.ttl();
        if ttl > 0 {
            self.set_ttl(ttl - 1);
            // The word of the TTL is less by 0x100, so its complement is more by as much (ip.h: ip_decrease_ttl).
            let (sum, carry) = self.checksum().overflowing_add(0x100);
            self.set_checksum(if carry || sum == 0xffff {
                sum.wrapping_add(1)
            } else {
                sum
            });
        }
    }
}

/// An IPv4 header's bytes, with no options and a right checksum, for `payload_len` bytes behind it.
pub fn emit(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, ttl: u8, payload_len: u16) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    if let Some(mut ip) = Ipv4::new_checked(&mut bytes) {
        ip.set_version_ihl(0x45);
        ip.set_total_len(payload_len.saturating_add(20));
        ip.set_ttl(ttl);
        ip.set_protocol(protocol);
        ip.set_src(src);
        ip.set_dst(dst);
        ip.fill_checksum();
    }
    bytes
}
