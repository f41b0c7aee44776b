//! From a description to bytes, checksums included.

use std::net::IpAddr;

use redan_runtime::Mac;
use redan_vm::packet::checksum::Sum;
use redan_vm::packet::{
    Ipv4, Ipv6, Tcp, Udp, ethernet, ethertype, icmpv6, ipv4, ipv6, protocol, tcp, udp,
};

use super::{Spec, Transport};

/// Bytes of an ICMP or ICMPv6 header.
const ICMP_LEN: usize = 8;

/// Where the checksum lies in an ICMP header.
const ICMP_CHECKSUM: usize = 2;

impl Spec {
    /// The frame, from and to these link addresses.
    pub(crate) fn frame(&self, from: Mac, to: Mac) -> Vec<u8> {
        let (kind, packet) = match self.src {
            IpAddr::V4(_) => (ethertype::IPV4, self.packet()),
            IpAddr::V6(_) => (ethertype::IPV6, self.packet()),
        };
        let mut frame = ethernet::emit(to.0, from.0, kind).to_vec();
        if let Some(id) = self.vlan {
            // IEEE 802.1Q: the tag stands in front of the EtherType.
            let [a, b] = ethertype::VLAN.to_be_bytes();
            let [c, d] = id.to_be_bytes();
            frame.splice(12..12, [a, b, c, d]);
        }
        frame.extend(packet);
        frame
    }

    /// The packet from the network header on.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut body = self.transport_bytes();
        body.extend(&self.payload);
        self.fill_checksum(&mut body);
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let mut packet = match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let mut bytes = ipv4::emit(src, dst, self.protocol(), self.hop_limit, length);
                if let Some(mut ip) = Ipv4::new_checked(&mut bytes) {
                    ip.set_tos(self.dscp << 2);
                    ip.fill_checksum();
                }
                bytes.to_vec()
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let mut bytes = ipv6::emit(src, dst, self.protocol(), self.hop_limit, length);
                if let Some(mut ip) = Ipv6::new_checked(&mut bytes) {
                    ip.set_version_class_flow(6 << 28 | u32::from(self.dscp) << 22);
                }
                bytes.to_vec()
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
        };
        packet.extend(body);
        packet
    }

    /// The layer 4 protocol number.
    pub(crate) const fn protocol(&self) -> u8 {
        match (self.transport, self.src) {
            (Transport::Tcp { .. }, _) => protocol::TCP,
            (Transport::Udp { .. }, _) => protocol::UDP,
            (Transport::Icmp { .. }, IpAddr::V4(_)) => protocol::ICMP,
            (Transport::Icmp { .. }, IpAddr::V6(_)) => protocol::ICMPV6,
            (Transport::Other(protocol), _) => protocol,
        }
    }

    fn transport_bytes(&self) -> Vec<u8> {
        match self.transport {
            Transport::Tcp {
                sport,
                dport,
                flags,
                seq,
                ack,
            } => {
                let mut bytes = vec![0; tcp::LEN];
                if let Some(mut header) = Tcp::new_checked(&mut bytes) {
                    header.set_src_port(sport);
                    header.set_dst_port(dport);
                    header.set_seq(seq);
                    header.set_ack(ack);
                    header.set_data_offset(5 << 4);
                    header.set_flags(flags);
                    header.set_window(0xffff);
                }
                bytes
            }
            Transport::Udp { sport, dport } => {
                let mut bytes = vec![0; udp::LEN];
                if let Some(mut header) = Udp::new_checked(&mut bytes) {
                    header.set_src_port(sport);
                    header.set_dst_port(dport);
                    header
                        .set_len(u16::try_from(udp::LEN + self.payload.len()).unwrap_or(u16::MAX));
                }
                bytes
            }
            Transport::Icmp {
                kind,
                code,
                id,
                seq,
            } => {
                let mut bytes = vec![kind, code, 0, 0];
                bytes.extend(id.to_be_bytes());
                bytes.extend(seq.to_be_bytes());
                // Neighbour discovery carries a target behind the header (RFC 4861, section 4.3).
                let is_neighbour = matches!(
                    kind,
                    icmpv6::icmpv6_type::NEIGHBOUR_SOLICIT | icmpv6::icmpv6_type::NEIGHBOUR_ADVERT
                );
                if let (IpAddr::V6(target), true) = (self.dst, is_neighbour) {
                    bytes.truncate(4);
                    bytes.resize(ICMP_LEN, 0);
                    bytes.extend(target.octets());
                }
                bytes
            }
            Transport::Other(_) => Vec::new(),
        }
    }

    fn fill_checksum(&self, body: &mut [u8]) {
        let (at, has_pseudo) = match (self.transport, self.src) {
            (Transport::Tcp { .. }, _) => (16, true),
            (Transport::Udp { .. }, _) => (6, true),
            (Transport::Icmp { .. }, IpAddr::V4(_)) => (ICMP_CHECKSUM, false),
            (Transport::Icmp { .. }, IpAddr::V6(_)) => (ICMP_CHECKSUM, true),
            (Transport::Other(_), _) => return,
        };
        let length = u32::try_from(body.len()).unwrap_or(0);
        let start = match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) if has_pseudo => {
                Sum::pseudo_v4(src, dst, self.protocol(), length)
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => Sum::pseudo_v6(src, dst, self.protocol(), length),
            (IpAddr::V4(_) | IpAddr::V6(_), _) => Sum::new(),
        };
        let sum = match start.add_bytes(body).finish() {
            // UDP's 0 means that there is no checksum (RFC 768).
            0 if matches!(self.transport, Transport::Udp { .. }) => u16::MAX,
            sum => sum,
        };
        if let Some(place) = body.get_mut(at..at + 2) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
    }
}
