//! A frame in a few words: protocol, addresses, ports, flags, in the words of the rule language.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use redan_lang::datatype::{self, Type};
use redan_vm::Packet;
use redan_vm::datatype::DataType;
use redan_vm::packet::{LinkKind, arp, dissect, protocol};

/// What a frame is, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The transport protocol, `arp`, or what else there is to say.
    pub(crate) protocol: String,
    /// Source and destination.
    pub(crate) addresses: Option<(IpAddr, IpAddr)>,
    /// Source and destination port.
    pub(crate) ports: Option<(u16, u16)>,
    /// TCP's flags.
    pub(crate) flags: Option<String>,
    /// ICMP's type.
    pub(crate) kind: Option<String>,
    /// Where in its packet a fragment lies, in bytes.
    pub(crate) fragment: Option<u16>,
}

/// The line for a frame that starts with an Ethernet header.
pub(crate) fn of_frame(frame: &[u8]) -> String {
    Summary::of(frame).to_string()
}

impl Summary {
    /// Of a frame that starts with an Ethernet header.
    pub(crate) fn of(frame: &[u8]) -> Self {
        let named = |protocol: String| Self {
            protocol,
            ..Self::default()
        };
        let Ok(layout) = dissect(frame, LinkKind::Ethernet) else {
            return named(format!("malformed frame of {} bytes", frame.len()));
        };
        let packet = Packet::new(frame.to_vec(), layout);
        if layout.is_arp() {
            let arp = arp::Arp::new_checked(packet.network());
            return Self {
                addresses: arp.map(|arp| (arp.sender_ip().into(), arp.target_ip().into())),
                ..named("arp".to_owned())
            };
        }
        let v4 = (packet.ipv4()).map(|ip| (IpAddr::V4(ip.src()), IpAddr::V4(ip.dst())));
        let v6 = || (packet.ipv6()).map(|ip| (IpAddr::V6(ip.src()), IpAddr::V6(ip.dst())));
        let Some(addresses) = v4.or_else(v6) else {
            return named(format!("ethertype 0x{:04x}", layout.ethertype));
        };
        Self::of_ip(&packet, addresses)
    }

    fn of_ip(packet: &Packet, addresses: (IpAddr, IpAddr)) -> Self {
        let layout = &packet.layout;
        let protocol = if layout.is_l4(protocol::ICMPV6) {
            "icmpv6".to_owned()
        } else if layout.has_l4proto() {
            datatype::write(Type::of(DataType::InetProto), u128::from(layout.l4proto))
        } else {
            "ip".to_owned()
        };
        let mut summary = Self {
            protocol,
            addresses: Some(addresses),
            ..Self::default()
        };
        let word = |data, value: u8| datatype::write(Type::of(data), u128::from(value));
        if let Some(tcp) = packet.tcp() {
            summary.ports = Some((tcp.src_port(), tcp.dst_port()));
            summary.flags = Some(word(DataType::TcpFlag, tcp.flags()));
        } else if let Some(udp) = packet.udp() {
            summary.ports = Some((udp.src_port(), udp.dst_port()));
        } else if let Some(sctp) = packet.sctp() {
            summary.ports = Some((sctp.src_port(), sctp.dst_port()));
        } else {
            let icmp = packet.icmp().filter(|_| layout.is_l4(protocol::ICMP));
            let icmpv6 = packet.icmpv6().filter(|_| layout.is_l4(protocol::ICMPV6));
            summary.kind = icmp
                .map(|icmp| word(DataType::IcmpType, icmp.icmp_type()))
                .or_else(|| icmpv6.map(|icmp| word(DataType::Icmpv6Type, icmp.icmpv6_type())));
            summary.fragment = layout.is_fragment().then_some(layout.fragment_offset);
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        match (self.addresses, self.ports) {
            (Some((src, dst)), Some((from, to))) => {
                let (src, dst) = (SocketAddr::new(src, from), SocketAddr::new(dst, to));
                write!(f, " {src} > {dst}")?;
            }
            (Some((src, dst)), None) => write!(f, " {src} > {dst}")?,
            (None, _) => {}
        }
        for word in [&self.flags, &self.kind].into_iter().flatten() {
            write!(f, " {word}")?;
        }
        match self.fragment {
            Some(at) => write!(f, " fragment at {at}"),
            None => Ok(()),
        }
    }
}
