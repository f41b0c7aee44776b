//! Packets made from a description: what `.test` files and the sandbox's forecast put through the datapath.

mod frame;

use std::net::IpAddr;

use redan_runtime::Mac;
use redan_vm::packet::{icmp, icmpv6, tcp};

/// Sequence number with which the answering side of a TCP connection starts.
const ANSWER_ISN: u32 = 0x1000_0000;

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// Source address.
    pub(crate) src: IpAddr,
    /// Destination address, of the same family.
    pub(crate) dst: IpAddr,
    /// TTL or hop limit.
    pub(crate) hop_limit: u8,
    /// Differentiated services code point, 0 to 63.
    pub(crate) dscp: u8,
    /// The VLAN that the frame is tagged with.
    pub(crate) vlan: Option<u16>,
    /// The link address that the frame comes from, where it is not made up from the source address.
    pub(crate) mac: Option<Mac>,
    /// The transport header.
    pub(crate) transport: Transport,
    /// Bytes of payload behind it.
    pub(crate) payload: Vec<u8>,
}

/// A transport header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP.
    Tcp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// Flag bits.
        flags: u8,
        /// Sequence number.
        seq: u32,
        /// Acknowledgement number.
        ack: u32,
    },
    /// UDP.
    Udp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
    },
    /// ICMP or ICMPv6, as the addresses are.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier of an echo.
        id: u16,
        /// Sequence number of an echo.
        seq: u16,
    },
    /// Another protocol, with nothing behind the network header.
    Other(u8),
}

impl Spec {
    /// A packet with TTL 64 and nothing in it.
    pub(crate) const fn new(src: IpAddr, dst: IpAddr, transport: Transport) -> Self {
        Self {
            src,
            dst,
            hop_limit: 64,
            dscp: 0,
            vlan: None,
            mac: None,
            transport,
            payload: Vec::new(),
        }
    }

    /// What the other end answers: addresses and ports swapped, SYN answered by SYN/ACK and other segments by ACK, an echo request by
    /// its reply.
    pub(crate) fn answer(&self) -> Self {
        let transport = match self.transport {
            Transport::Tcp {
                sport,
                dport,
                flags,
                seq,
                ack,
            } => {
                let opens = flags & tcp::flags::SYN != 0;
                let acknowledges = flags & tcp::flags::ACK != 0;
                let length = u32::try_from(self.payload.len()).unwrap_or(0);
                let counted = length + u32::from(opens) + u32::from(flags & tcp::flags::FIN != 0);
                Transport::Tcp {
                    sport: dport,
                    dport: sport,
                    flags: tcp::flags::ACK
                        | if opens && !acknowledges {
                            tcp::flags::SYN
                        } else {
                            0
                        },
                    seq: if acknowledges { ack } else { ANSWER_ISN },
                    ack: seq.wrapping_add(counted),
                }
            }
            Transport::Udp { sport, dport } => Transport::Udp {
                sport: dport,
                dport: sport,
            },
            Transport::Icmp {
                kind,
                code,
                id,
                seq,
            } => Transport::Icmp {
                kind: self.answered_kind(kind),
                code,
                id,
                seq,
            },
            Transport::Other(protocol) => Transport::Other(protocol),
        };
        Self {
            transport,
            vlan: self.vlan,
            ..Self::new(self.dst, self.src, self.transport)
        }
    }

    /// An ICMP error about this packet, as from the machine that it was sent to.
    pub(crate) fn error(&self, kind: u8, code: u8) -> Self {
        // RFC 792 and 4443: the second four bytes are unused, but for the MTU of "too big".
        let transport = Transport::Icmp {
            kind,
            code,
            id: 0,
            seq: 1280,
        };
        Self {
            vlan: self.vlan,
            payload: self.packet(),
            ..Self::new(self.dst, self.src, transport)
        }
    }

    /// The type that answers an ICMP type; the same one where nothing does.
    const fn answered_kind(&self, kind: u8) -> u8 {
        match (self.src, kind) {
            (IpAddr::V4(_), icmp::icmp_type::ECHO_REQUEST) => icmp::icmp_type::ECHO_REPLY,
            (IpAddr::V6(_), icmpv6::icmpv6_type::ECHO_REQUEST) => icmpv6::icmpv6_type::ECHO_REPLY,
            _ => kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_tcp_continue_the_connection() {
        let syn = Spec::new(
            IpAddr::from([10, 0, 0, 1]),
            IpAddr::from([10, 0, 0, 2]),
            Transport::Tcp {
                sport: 1,
                dport: 2,
                flags: tcp::flags::SYN,
                seq: 7,
                ack: 0,
            },
        );
        let syn_ack = syn.answer();
        let wanted = Transport::Tcp {
            sport: 2,
            dport: 1,
            flags: tcp::flags::SYN | tcp::flags::ACK,
            seq: ANSWER_ISN,
            ack: 8,
        };
        assert_eq!(syn_ack.transport, wanted);
        let ack = Transport::Tcp {
            sport: 1,
            dport: 2,
            flags: tcp::flags::ACK,
            seq: 8,
            ack: ANSWER_ISN + 1,
        };
        assert_eq!(syn_ack.answer().transport, ack);
    }
}
