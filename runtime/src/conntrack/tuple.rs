//! What identifies a connection: tuples, their inversion, zones.

use redan_vm::ct::Direction;
use redan_vm::family::nfproto;
use redan_vm::packet::icmp::icmp_type;
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::{Icmp, protocol};

use super::reason::InvalidReason;
use super::transport::Transport;

/// One direction of a connection. What the keys mean depends on the protocol (`nf_conntrack_tuple.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tuple {
    /// Source address in network order; IPv4 in the first four bytes, zeros behind.
    pub src: [u8; 16],
    /// Destination address, likewise.
    pub dst: [u8; 16],
    /// Source port, ICMP identifier, GRE key; host order.
    pub src_key: u16,
    /// Destination port, ICMP type (high byte) and code, GRE key; host order.
    pub dst_key: u16,
    /// [`nfproto`] of the addresses.
    pub l3proto: u8,
    /// Layer 4 protocol.
    pub l4proto: u8,
}

impl Tuple {
    /// The tuple of a packet as it lies on the wire.
    ///
    /// # Errors
    /// The bytes that make the keys are not there, or the protocol's version is one that cannot be told apart.
    pub(super) fn of(packet: &Transport<'_>) -> Result<Self, InvalidReason> {
        let (src_key, dst_key) = match packet.protocol {
            protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP => {
                let &[a, b, c, d] = packet
                    .bytes
                    .first_chunk::<4>()
                    .ok_or(InvalidReason::Truncated)?;
                (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
            }
            protocol::ICMP | protocol::ICMPV6 => {
                // The identifier is read whatever the type: types without one have no inverse and end there.
                let icmp = Icmp::new_checked(packet.bytes).ok_or(InvalidReason::Truncated)?;
                (
                    icmp.id(),
                    u16::from_be_bytes([icmp.icmp_type(), icmp.code()]),
                )
            }
            protocol::GRE => (0, gre_key(packet.bytes)?),
            _ => (0, 0),
        };
        Ok(Self {
            src: packet.src,
            dst: packet.dst,
            src_key,
            dst_key,
            l3proto: packet.nfproto,
            l4proto: packet.protocol,
        })
    }

    /// The tuple of the answer; `None` for an ICMP type that has none.
    pub fn inverse(&self) -> Option<Self> {
        let (src_key, dst_key) = match self.l4proto {
            protocol::ICMP | protocol::ICMPV6 => {
                let [kind, code] = self.dst_key.to_be_bytes();
                let kind = if self.l4proto == protocol::ICMP {
                    icmp_answer(kind)?
                } else {
                    icmpv6_answer(kind)?
                };
                (self.src_key, u16::from_be_bytes([kind, code]))
            }
            _ => (self.dst_key, self.src_key),
        };
        Some(Self {
            src: self.dst,
            dst: self.src,
            src_key,
            dst_key,
            ..*self
        })
    }

    /// The address bytes that count: 4 or 16.
    pub(super) fn address<'a>(&self, address: &'a [u8; 16]) -> &'a [u8] {
        if self.l3proto == nfproto::IPV4 {
            address.first_chunk::<4>().map_or(&[], |bytes| &bytes[..])
        } else {
            address
        }
    }

    /// ICMP type and code.
    pub(super) const fn icmp_type_code(&self) -> (u8, u8) {
        let [kind, code] = self.dst_key.to_be_bytes();
        (kind, code)
    }
}

/// The answer to an ICMP query and the query to an answer.
const fn icmp_answer(kind: u8) -> Option<u8> {
    Some(match kind {
        icmp_type::ECHO_REQUEST => icmp_type::ECHO_REPLY,
        icmp_type::ECHO_REPLY => icmp_type::ECHO_REQUEST,
        icmp_type::TIMESTAMP_REQUEST => icmp_type::TIMESTAMP_REPLY,
        icmp_type::TIMESTAMP_REPLY => icmp_type::TIMESTAMP_REQUEST,
        icmp_type::INFO_REQUEST => icmp_type::INFO_REPLY,
        icmp_type::INFO_REPLY => icmp_type::INFO_REQUEST,
        icmp_type::ADDRESS_MASK_REQUEST => icmp_type::ADDRESS_MASK_REPLY,
        icmp_type::ADDRESS_MASK_REPLY => icmp_type::ADDRESS_MASK_REQUEST,
        _ => return None,
    })
}

/// The same for ICMPv6.
const fn icmpv6_answer(kind: u8) -> Option<u8> {
    Some(match kind {
        icmpv6_type::ECHO_REQUEST => icmpv6_type::ECHO_REPLY,
        icmpv6_type::ECHO_REPLY => icmpv6_type::ECHO_REQUEST,
        icmpv6_type::NODE_INFO_QUERY => icmpv6_type::NODE_INFO_REPLY,
        icmpv6_type::NODE_INFO_REPLY => icmpv6_type::NODE_INFO_QUERY,
        _ => return None,
    })
}

/// The destination key of GRE: PPTP's call id in version 1, 0 in version 0. The source key comes from the control connection's helper,
/// and is 0 without one.
fn gre_key(bytes: &[u8]) -> Result<u16, InvalidReason> {
    /// EtherType of PPP in GRE.
    const PPP: [u8; 2] = [0x88, 0x0b];
    match *bytes {
        [_, flags, proto0, proto1, _, _, call0, call1, ..] if flags & 7 == 1 => {
            if [proto0, proto1] == PPP {
                Ok(u16::from_be_bytes([call0, call1]))
            } else {
                Err(InvalidReason::BadGre)
            }
        }
        _ => Ok(0),
    }
}

/// A conntrack zone: tuples of different zones never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone's number.
    pub id: u16,
    /// Directions that it covers: 1 original, 2 reply, 3 both.
    pub directions: u8,
}

impl Zone {
    /// Zone 0 in both directions.
    pub const DEFAULT: Self = Self {
        id: 0,
        directions: Self::BOTH,
    };
    /// Covers the original direction.
    pub const ORIGINAL: u8 = 1;
    /// Covers the reply direction.
    pub const REPLY: u8 = 2;
    /// Covers both.
    pub const BOTH: u8 = 3;

    /// The number that counts for tuples of this direction.
    pub const fn id_for(self, direction: Direction) -> u16 {
        if self.directions & (1 << direction as u8) == 0 {
            0
        } else {
            self.id
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::DEFAULT
    }
}
