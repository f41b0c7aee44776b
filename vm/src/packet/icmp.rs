//! ICMP for IPv4 (RFC 792).

use super::header::header;

header! {
    /// An ICMP header.
    Icmp, 8 {
        /// [`icmp_type`].
        icmp_type, set_icmp_type: u8 = 0;
        /// Code.
        code, set_code: u8 = 1;
        /// Checksum over header and payload.
        checksum, set_checksum: u16 = 2;
        /// Echo and other queries: identifier.
        id, set_id: u16 = 4;
        /// Echo and other queries: sequence number; fragmentation needed: MTU of the next hop.
        sequence, set_sequence: u16 = 6;
        /// The four bytes behind the checksum, whatever they mean (redirect: gateway).
        rest, set_rest: [u8; 4] = 4;
    }
}

/// ICMP types.
pub mod icmp_type {
    /// Answer to an echo request.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const DEST_UNREACHABLE: u8 = 3;
    /// Source quench.
    pub const SOURCE_QUENCH: u8 = 4;
    /// Redirect.
    pub const REDIRECT: u8 = 5;
    /// Echo request.
    pub const ECHO_REQUEST: u8 = 8;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Timestamp request.
    pub const TIMESTAMP_REQUEST: u8 = 13;
    /// Timestamp reply.
    pub const TIMESTAMP_REPLY: u8 = 14;
    /// Information request.
    pub const INFO_REQUEST: u8 = 15;
    /// Information reply.
    pub const INFO_REPLY: u8 = 16;
    /// Address mask request.
    pub const ADDRESS_MASK_REQUEST: u8 = 17;
    /// Address mask reply.
    pub const ADDRESS_MASK_REPLY: u8 = 18;
}

/// Whether a type is an error message, which carries the head of the packet that caused it.
pub const fn is_error(icmp_type: u8) -> bool {
    matches!(
        icmp_type,
        icmp_type::DEST_UNREACHABLE
            | icmp_type::SOURCE_QUENCH
            | icmp_type::REDIRECT
            | icmp_type::TIME_EXCEEDED
            | icmp_type::PARAMETER_PROBLEM
    )
}

impl<T: AsRef<[u8]>> Icmp<T> {
    /// What lies behind the eight bytes; the packet that caused it, for an error.
    pub fn payload(&self) -> &[u8] {
        self.bytes().get(LEN..).unwrap_or(&[])
    }
}
