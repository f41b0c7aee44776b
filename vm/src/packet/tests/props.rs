//! Hostile bytes, and pnet and slow obvious code as second opinions.

use std::panic::catch_unwind;

use pnet_packet::Packet as _;
use proptest::prelude::*;

use super::*;

/// The sum as RFC 1071 writes it, one word after another.
fn slow_checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Reads everything that can be read and rewrites what can be rewritten.
fn exercise(frame: &[u8], layout: Layout) {
    let mut packet = Packet::new(frame.to_vec(), layout);
    let _ = checksum::verify(&packet.frame, &layout);
    let _ = packet
        .ipv4()
        .map(|ip| (ip.options().len(), ip.is_checksum_ok()));
    let _ = packet
        .tcp()
        .map(|tcp| (tcp.options().count(), tcp.payload().len()));
    let _ = packet.udp().map(|udp| udp.payload().len());
    let _ = packet.sctp().map(|sctp| sctp.chunks().count());
    let _ = packet.icmp().map(|icmp| icmp.payload().len());
    let _ = packet
        .icmpv6()
        .map(|icmp| (icmp.target(), icmp.nd_options(24).count()));
    let _ = ipv6::walk(packet.network(), ipv6::Auth::IsSkipped);
    let _ = ipv6::find_header(packet.network(), 44);
    if let Some(mut ip) = packet.ipv4_mut() {
        ip.decrement_ttl();
        ip.fill_checksum();
    }
    checksum::fill(&mut packet.frame, &layout);
    let after = checksum::verify(&packet.frame, &layout);
    let _ = (after, packet.transport_mut().map(|bytes| bytes.len()));
}

fn sound_frames() -> impl Strategy<Value = Vec<u8>> {
    let payload = proptest::collection::vec(any::<u8>(), 0..80);
    (payload, 0..9u8).prop_map(|(payload, kind)| match kind {
        0 => eth(0x800, &v4(6, &tcp(&[1, 3, 3, 7], &payload))),
        1 => eth(0x800, &v4(17, &udp(&payload))),
        2 => eth(
            0x86dd,
            &v6(0, &join(&[&ext(60), &ext(6), &tcp(&[], &payload)])),
        ),
        3 => eth(
            0x86dd,
            &v6(44, &join(&[&frag6(17, 0, true), &udp(&payload)])),
        ),
        4 => eth(0x8100, &join(&[&[0, 1, 0x86, 0xdd], &v6(58, &payload)])),
        5 => eth(0x800, &v4(132, &payload)),
        6 => eth(0x800, &v4(1, &payload)),
        7 => eth(0x86dd, &v6(43, &payload)),
        _ => eth(0x806, &payload),
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut frame in sound_frames(), noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>()) {
        for (at, byte) in noise {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        frame.truncate(cut.index(frame.len() * 2).max(1));
        for link in [LinkKind::Ethernet, LinkKind::Raw] {
            for layout in [dissect_with(&frame, link, Checksums::Ignore), dissect(&frame, link), dissect_bridge(&frame, link)].into_iter().flatten() {
                prop_assert!(layout.network <= layout.end && layout.end as usize <= frame.len());
                prop_assert!(!layout.has_inner() || layout.inner <= layout.end);
                exercise(&frame, layout);
            }
        }
    }

    #[test]
    fn nothing_is_carried_behind_the_end(units in 1_u8..) {
        let frame = eth(0x86dd, &v6(43, &[4, units, 0, 0, 0, 0, 0, 0]));
        let layout = dissect_with(&frame, LinkKind::Ethernet, Checksums::Ignore);
        prop_assert!(layout.is_ok_and(|layout| !layout.has_inner()));
    }

    #[test]
    fn random_bytes_do_not_make_it_panic(frame in proptest::collection::vec(any::<u8>(), 0..120)) {
        for link in [LinkKind::Ethernet, LinkKind::Raw] {
            for layout in [dissect_with(&frame, link, Checksums::Ignore), dissect_bridge(&frame, link)].into_iter().flatten() {
                exercise(&frame, layout);
            }
        }
    }

    #[test]
    fn fast_checksum_is_the_slow_one(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        prop_assert_eq!(checksum::internet(&bytes), slow_checksum(&bytes));
        prop_assert_eq!(checksum::internet(&bytes), pnet_packet::util::checksum(&bytes, usize::MAX));
    }

    #[test]
    fn fast_crc_is_the_slow_one(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let slow = bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
        });
        prop_assert_eq!(checksum::crc32c(&bytes), !slow);
    }

    #[test]
    fn updated_checksum_is_the_recomputed_one(mut bytes in proptest::collection::vec(any::<u8>(), 40..60), at in 0..16usize, new in any::<[u8; 4]>()) {
        bytes[0] = 0x45; // as in a header: RFC 1624 and a fresh sum may differ in the sign of zero over nothing but zeros
        let before = checksum::internet(&bytes);
        let at = 2 + at * 2;
        let old = bytes[at..at + 4].to_vec();
        bytes[at..at + 4].copy_from_slice(&new);
        prop_assert_eq!(checksum::update(before, &old, &new), checksum::internet(&bytes));
    }

    #[test]
    fn pnet_reads_the_same_headers(frame in sound_frames()) {
        let Ok(layout) = dissect(&frame, LinkKind::Ethernet) else { return Ok(()) };
        let packet = Packet::new(frame, layout);
        let network = packet.network().to_vec();
        if let Some(ours) = packet.ipv4() {
            let theirs = catch_unwind(|| {
                let ip = pnet_packet::ipv4::Ipv4Packet::new(&network).unwrap();
                (ip.get_source(), ip.get_destination(), ip.get_total_length(), ip.get_next_level_protocol().0, pnet_packet::ipv4::checksum(&ip), ip.payload().to_vec())
            });
            if let Ok((src, dst, len, protocol, sum, payload)) = theirs {
                prop_assert_eq!((src, dst, len, protocol, sum), (ours.src(), ours.dst(), ours.total_len(), ours.protocol(), ours.checksum()));
                prop_assert_eq!(Some(payload.as_slice()), packet.transport());
            }
        }
        if let Some(ours) = packet.tcp() {
            let bytes = ours.bytes().to_vec();
            let theirs = catch_unwind(|| {
                let tcp = pnet_packet::tcp::TcpPacket::new(&bytes).unwrap();
                (tcp.get_source(), tcp.get_destination(), tcp.get_sequence(), tcp.get_window(), tcp.get_data_offset(), tcp.get_flags(), tcp.payload().to_vec())
            });
            if let Ok((src, dst, seq, window, offset, flags, payload)) = theirs {
                prop_assert_eq!((src, dst, seq, window), (ours.src_port(), ours.dst_port(), ours.seq(), ours.window()));
                prop_assert_eq!((offset, flags), (ours.data_offset() >> 4, ours.flags()));
                prop_assert_eq!(payload, ours.payload());
            }
        }
    }

    #[test]
    fn pnet_computes_the_same_transport_checksums(payload in proptest::collection::vec(any::<u8>(), 0..80), is_tcp in any::<bool>(), is_v6 in any::<bool>()) {
        let (number, l4) = if is_tcp { (6, tcp(&[], &payload)) } else { (17, udp(&payload)) };
        let mut bytes = if is_v6 { v6(number, &l4) } else { v4(number, &l4) };
        let layout = dissect(&bytes, LinkKind::Raw).unwrap();
        checksum::fill(&mut bytes, &layout);
        let at = layout.transport as usize;
        let ours = u16::from_be_bytes(if is_tcp { [bytes[at + 16], bytes[at + 17]] } else { [bytes[at + 6], bytes[at + 7]] });
        let theirs = catch_unwind(|| {
            use pnet_packet::{tcp, udp};
            let (t, u) = (tcp::TcpPacket::new(&l4), udp::UdpPacket::new(&l4));
            match (is_tcp, is_v6) {
                (true, false) => tcp::ipv4_checksum(&t.unwrap(), &V4_A, &V4_B),
                (true, true) => tcp::ipv6_checksum(&t.unwrap(), &V6_A, &V6_B),
                (false, false) => udp::ipv4_checksum(&u.unwrap(), &V4_A, &V4_B),
                (false, true) => udp::ipv6_checksum(&u.unwrap(), &V6_A, &V6_B),
            }
        });
        if let Ok(theirs) = theirs {
            prop_assert_eq!(ours, if theirs == 0 && !is_tcp { 0xffff } else { theirs });
        }
    }
}
