//! Every writer on a packet whose checksum is whole and on the same packet with only the pseudo-header's sum: once that is completed, both
//! are the same, and right.

use std::net::IpAddr;

use super::rewrite::End;
use super::*;
use crate::instr::{Base, ChecksumKind};
use crate::ops::{exthdr, payload, tcp_option};

/// Frames, and where in their transport header the checksum lies.
fn samples() -> Vec<(Vec<u8>, u16)> {
    let mut icmp = vec![8, 0, 0, 0, 0, 7, 0, 1];
    icmp.extend(1..=33);
    let mut icmp6 = vec![128, 0, 0, 0, 0, 7, 0, 1];
    icmp6.extend(1..=33);
    vec![
        (eth(0x800, &v4(6, &tcp(&[2, 4, 5, 180], &[9; 31]))), 16),
        (
            eth(0x800, &v4(6, &tcp(&[1, 2, 4, 5, 180, 4, 2, 1], &[9; 31]))),
            16,
        ),
        (eth(0x86dd, &v6(6, &tcp(&[2, 4, 5, 180], &[7; 8]))), 16),
        (eth(0x800, &v4(17, &udp(&[5; 13]))), 6),
        (eth(0x86dd, &v6(17, &udp(&[5; 12]))), 6),
        (
            eth(0x86dd, &v6(60, &join(&[&ext(17), &udp(&[1, 2, 3])]))),
            6,
        ),
        (
            eth(0x8100, &join(&[&[0, 5, 8, 0], &v4(17, &udp(&[5; 2]))])),
            6,
        ),
        (eth(0x800, &v4(1, &icmp)), 2),
        (eth(0x86dd, &v6(58, &icmp6)), 2),
    ]
}

/// The packet with its checksum whole, and with the pseudo-header's sum alone.
fn pair(mut frame: Vec<u8>, field: u16) -> (Packet, Packet) {
    let layout = dissect(&frame, LinkKind::Ethernet).unwrap();
    checksum::fill(&mut frame, &layout);
    let whole = Packet::new(frame, layout);
    let mut partial = whole.clone();
    let at = layout.transport as usize + usize::from(field);
    let network = whole.network();
    let len = layout.transport_len();
    let sum = if layout.is_l4(protocol::ICMP) {
        checksum::Sum::new()
    } else if layout.is_ipv4() {
        let ip = Ipv4::new_checked(network).unwrap();
        checksum::Sum::pseudo_v4(ip.src(), ip.dst(), layout.l4proto, len)
    } else {
        let ip = Ipv6::new_checked(network).unwrap();
        checksum::Sum::pseudo_v6(ip.src(), ip.dst(), layout.l4proto, len)
    };
    partial.frame[at..at + 2].copy_from_slice(&sum.fold().to_be_bytes());
    partial.offload.sum = TransportSum::Partial {
        start: u16::try_from(layout.transport).unwrap(),
        field,
    };
    (whole, partial)
}

/// Has both written to; they must come to the same.
#[track_caller]
fn check(name: &str, write: impl Fn(&mut Packet)) {
    let mut changed = 0;
    for (frame, field) in samples() {
        let (mut whole, mut partial) = pair(frame, field);
        let before = whole.frame.clone();
        write(&mut whole);
        write(&mut partial);
        partial.complete();
        assert!(partial.offload.is_finished());
        assert_eq!(whole.frame, partial.frame, "{name}");
        assert_eq!(
            checksum::verify(&whole.frame, &whole.layout),
            checksum::Verified::Right,
            "{name}"
        );
        assert!(whole.ipv4().is_none_or(|ip| ip.is_checksum_ok()), "{name}");
        changed += usize::from(whole.frame != before);
    }
    assert!(changed > 0, "{name} wrote nothing");
}

#[test]
fn addresses_and_ports_and_identifiers() {
    for end in [End::Source, End::Destination] {
        for address in ["203.0.113.77", "2001:db8:7::99"] {
            let address: IpAddr = address.parse().unwrap();
            check("address", |packet| _ = packet.set_address(end, address));
        }
        for port in [0, 1, 8080, 65535] {
            check("port", |packet| _ = packet.set_port(end, port));
        }
    }
    check("identifier", |packet| _ = packet.set_icmp_id(0x1234));
}

/// Writes as nft's compiler asks for it.
fn payload_write(base: Base, offset: u32, sums: (u32, u32), value: &[u8]) -> impl Fn(&mut Packet) {
    move |packet| {
        let to = payload::Write {
            base,
            offset,
            csum: ChecksumKind::Inet,
            csum_offset: sums.0,
            csum_flags: sums.1,
        };
        let has_field = if base == Base::Network {
            packet.layout.is_ipv4()
        } else if sums.0 == 16 {
            packet.layout.is_l4(protocol::TCP)
        } else {
            packet.layout.is_l4(protocol::UDP)
        };
        if has_field {
            _ = payload::write(packet, &to, value);
        }
    }
}

#[test]
fn statements_of_rules() {
    let network = |offset, value| payload_write(Base::Network, offset, (10, 1), value);
    check("ip saddr", network(12, &[192, 0, 2, 1]));
    check("ip daddr", network(16, &[192, 0, 2, 1]));
    check(
        "ip dscp",
        payload_write(Base::Network, 0, (10, 0), &[0x45, 0xb8]),
    );
    check(
        "udp dport",
        payload_write(Base::Transport, 2, (6, 0), &[0, 99]),
    );
    check(
        "tcp sport",
        payload_write(Base::Transport, 0, (16, 0), &[0, 99]),
    );
    check(
        "tcp seq",
        payload_write(Base::Transport, 4, (16, 0), &[1, 2, 3, 4]),
    );
    check("tcp option maxseg", |packet| {
        let place = exthdr::Place {
            kind: 2,
            offset: 2,
            len: 2,
        };
        tcp_option::write(packet, place, &[4, 210]);
    });
    check("reset tcp option", |packet| {
        _ = tcp_option::reset(packet, 2);
    });
}

#[test]
fn a_tunnels_open_inner_checksum_leaves_the_outer_one_alone() {
    let (mut packet, _) = pair(eth(0x800, &v4(17, &udp(&[5; 40]))), 6);
    packet.offload.sum = TransportSum::Partial {
        start: 60,
        field: 6,
    };
    packet.set_address(End::Source, "192.0.2.1".parse().unwrap());
    assert_eq!(
        checksum::verify(&packet.frame, &packet.layout),
        checksum::Verified::Right
    );
}

#[test]
fn what_cannot_be_written_stays() {
    let (packet, _) = pair(eth(0x800, &v4(17, &udp(&[5; 3]))), 6);
    let check = |write: fn(&mut Packet) -> Option<()>| {
        let mut written = packet.clone();
        assert_eq!(write(&mut written), None);
        assert_eq!(written.frame, packet.frame);
    };
    check(|packet| packet.set_address(End::Source, "::1".parse().unwrap()));
    check(|packet| packet.set_icmp_id(3));
    check(|packet| {
        packet.layout.end = packet.layout.transport + 4;
        packet.set_port(End::Source, 3)
    });
    let mut none = packet;
    none.frame[40..42].copy_from_slice(&[0, 0]);
    none.set_port(End::Source, 3).unwrap();
    assert_eq!(none.frame[40..42], [0, 0], "no checksum stays none");
}

#[test]
fn an_open_checksum_that_comes_to_nothing_is_written_as_all_ones() {
    let (_, mut partial) = pair(eth(0x800, &v4(17, &udp(&[0, 0]))), 6);
    // The payload takes what the rest sums up to.
    let rest = checksum::Sum::new().add_bytes(&partial.frame[34..]).fold();
    partial.frame[42..44].copy_from_slice(&(!rest).to_be_bytes());
    partial.complete();
    assert_eq!(partial.frame[40..42], [0xff, 0xff]);
}
