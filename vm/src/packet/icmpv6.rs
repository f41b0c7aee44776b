//! ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861).

use std::net::Ipv6Addr;

use super::header::{Field, header};

header! {
    /// An ICMPv6 header.
    Icmpv6, 8 {
        /// [`icmpv6_type`].
        icmpv6_type, set_icmpv6_type: u8 = 0;
        /// Code.
        code, set_code: u8 = 1;
        /// Checksum over pseudo-header, header and payload.
        checksum, set_checksum: u16 = 2;
        /// Echo: identifier.
        id, set_id: u16 = 4;
        /// Echo: sequence number.
        sequence, set_sequence: u16 = 6;
        /// The four bytes behind the checksum, whatever they mean (packet too big: MTU; advertisement: flags).
        rest, set_rest: u32 = 4;
    }
}

/// ICMPv6 types.
pub mod icmpv6_type {
    /// Destination unreachable.
    pub const DEST_UNREACHABLE: u8 = 1;
    /// Packet too big.
    pub const PACKET_TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub const ECHO_REQUEST: u8 = 128;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 129;
    /// Multicast listener query.
    pub const MLD_QUERY: u8 = 130;
    /// Multicast listener report.
    pub const MLD_REPORT: u8 = 131;
    /// Multicast listener done.
    pub const MLD_DONE: u8 = 132;
    /// Router solicitation.
    pub const ROUTER_SOLICIT: u8 = 133;
    /// Router advertisement.
    pub const ROUTER_ADVERT: u8 = 134;
    /// Neighbour solicitation.
    pub const NEIGHBOUR_SOLICIT: u8 = 135;
    /// Neighbour advertisement.
    pub const NEIGHBOUR_ADVERT: u8 = 136;
    /// Redirect.
    pub const REDIRECT: u8 = 137;
    /// Node information query.
    pub const NODE_INFO_QUERY: u8 = 139;
    /// Node information reply.
    pub const NODE_INFO_REPLY: u8 = 140;
    /// Multicast listener report, version 2.
    pub const MLD2_REPORT: u8 = 143;
}

/// Neighbour discovery options.
pub mod nd_option {
    /// The sender's link layer address.
    pub const SOURCE_LINK_ADDR: u8 = 1;
    /// The target's link layer address.
    pub const TARGET_LINK_ADDR: u8 = 2;
    /// The head of a redirected packet.
    pub const REDIRECTED_HEADER: u8 = 4;
}

impl<T: AsRef<[u8]>> Icmpv6<T> {
    /// What lies behind the eight bytes; the packet that caused it, for an error.
    pub fn payload(&self) -> &[u8] {
        self.bytes().get(LEN..).unwrap_or(&[])
    }

    /// Target address of a neighbour solicitation, advertisement or redirect; `None` when it is cut off.
    pub fn target(&self) -> Option<Ipv6Addr> {
        (self.payload().len() >= 16).then(|| Ipv6Addr::read(self.payload(), 0))
    }

    /// Options of a neighbour discovery message that start at byte `at` of the message (24 for solicitation and advertisement, 40 for redirect).
    pub fn nd_options(&self, at: usize) -> NdOptions<'_> {
        NdOptions(self.bytes().get(at..).unwrap_or(&[]))
    }
}

/// Neighbour discovery options one by one; ends at the first one that is cut off or has length zero.
#[derive(Clone, Debug)]
pub struct NdOptions<'a>(&'a [u8]);

impl<'a> Iterator for NdOptions<'a> {
    /// The kind, and the bytes behind kind and length.
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = *self.0.first()?;
        let len = usize::from(*self.0.get(1)?) * 8;
        let value = self.0.get(2..len)?;
        self.0 = self.0.get(len..)?;
        Some((kind, value))
    }
}
