//! A frame in one line: protocol, addresses, ports, flags, in the words of the rule language.

use std::net::{IpAddr, SocketAddr};

use redan_lang::datatype::{self, Type};
use redan_vm::Packet;
use redan_vm::datatype::DataType;
use redan_vm::packet::{LinkKind, arp, dissect, protocol};

/// The line for a frame that starts with an Ethernet header.
pub(crate) fn of_frame(frame: &[u8]) -> String {
    let Ok(layout) = dissect(frame, LinkKind::Ethernet) else {
        return format!("malformed frame of {} bytes", frame.len());
    };
    let packet = Packet::new(frame.to_vec(), layout);
    if layout.is_arp() {
        return of_arp(&packet).unwrap_or_else(|| "arp".to_owned());
    }
    let addresses = (packet
        .ipv4()
        .map(|ip| (IpAddr::V4(ip.src()), IpAddr::V4(ip.dst()))))
    .or_else(|| {
        packet
            .ipv6()
            .map(|ip| (IpAddr::V6(ip.src()), IpAddr::V6(ip.dst())))
    });
    let Some((src, dst)) = addresses else {
        return format!("ethertype 0x{:04x}", layout.ethertype);
    };
    of_ip(&packet, src, dst)
}

fn of_ip(packet: &Packet, src: IpAddr, dst: IpAddr) -> String {
    let layout = &packet.layout;
    let name = datatype::write(Type::of(DataType::InetProto), u128::from(layout.l4proto));
    let name = if layout.has_l4proto() {
        name
    } else {
        "ip".to_owned()
    };
    if let Some(tcp) = packet.tcp() {
        let flags = datatype::write(Type::of(DataType::TcpFlag), u128::from(tcp.flags()));
        let (src, dst) = (
            SocketAddr::new(src, tcp.src_port()),
            SocketAddr::new(dst, tcp.dst_port()),
        );
        return format!("{name} {src} > {dst} {flags}");
    }
    if let Some(udp) = packet.udp() {
        let (src, dst) = (
            SocketAddr::new(src, udp.src_port()),
            SocketAddr::new(dst, udp.dst_port()),
        );
        return format!("{name} {src} > {dst}");
    }
    if let Some(sctp) = packet.sctp() {
        let (src, dst) = (
            SocketAddr::new(src, sctp.src_port()),
            SocketAddr::new(dst, sctp.dst_port()),
        );
        return format!("{name} {src} > {dst}");
    }
    let kind = (packet.icmp().filter(|_| layout.is_l4(protocol::ICMP)))
        .map(|icmp| datatype::write(Type::of(DataType::IcmpType), u128::from(icmp.icmp_type())));
    let kind = kind.or_else(|| {
        let icmp = packet.icmpv6().filter(|_| layout.is_l4(protocol::ICMPV6))?;
        Some(datatype::write(
            Type::of(DataType::Icmpv6Type),
            u128::from(icmp.icmpv6_type()),
        ))
    });
    let name = if layout.is_l4(protocol::ICMPV6) {
        "icmpv6"
    } else {
        &name
    };
    let fragment = if layout.is_fragment() {
        format!(" fragment at {}", layout.fragment_offset)
    } else {
        String::new()
    };
    let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
    format!("{name} {src} > {dst}{kind}{fragment}")
}

fn of_arp(packet: &Packet) -> Option<String> {
    let arp = arp::Arp::new_checked(packet.network())?;
    Some(format!("arp {} > {}", arp.sender_ip(), arp.target_ip()))
}
