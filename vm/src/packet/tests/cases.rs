//! Cases of dissection, header views and checksums.

use super::*;
use crate::family::nfproto;

/// What a case expects: ethertype, nfproto, network, transport, inner, end, l4proto, fragment offset, with 0 for what is not allowed to be read.
#[track_caller]
fn check(
    name: &str,
    frame: &[u8],
    link: LinkKind,
    expected: Result<[u32; 8], (Layer, DissectErrorKind)>,
) {
    let found = dissect(frame, link)
        .map_err(|error| (error.layer, error.kind))
        .map(|layout| {
            let allowed = |flag: u8, value: u32| if layout.flags & flag == 0 { 0 } else { value };
            [
                u32::from(layout.ethertype),
                u32::from(layout.nfproto),
                layout.network,
                allowed(layout_flags::TRANSPORT, layout.transport),
                allowed(layout_flags::INNER, layout.inner),
                layout.end,
                allowed(layout_flags::L4PROTO, u32::from(layout.l4proto)),
                u32::from(layout.fragment_offset),
            ]
        });
    assert_eq!(found, expected, "{name}");
}

#[test]
fn finds_headers_of_ipv4() {
    let plain = v4(protocol::UDP, &udp(b"abcd"));
    let sound = |network: u32, end| Ok([0x800, 2, network, network + 20, network + 28, end, 17, 0]);
    let e = LinkKind::Ethernet;
    check("plain", &eth(0x800, &plain), e, sound(14, 46));
    check("raw", &plain, LinkKind::Raw, sound(0, 32));
    check(
        "padded",
        &join(&[&eth(0x800, &plain), &[0; 14]]),
        e,
        sound(14, 46),
    );
    let tagged = join(&[&[0, 5, 8, 0], &plain]);
    check("vlan", &eth(0x8100, &tagged), e, sound(18, 50));
    let stacked = join(&[&[0, 9, 0x81, 0], &tagged]);
    check("stacked vlan", &eth(0x88a8, &stacked), e, sound(22, 54));
    check(
        "tcp",
        &v4(6, &tcp(&[1; 4], b"x")),
        LinkKind::Raw,
        Ok([0x800, 2, 0, 20, 44, 45, 6, 0]),
    );
    check(
        "tcp header cut",
        &v4(6, &tcp(&[], b"")[..19]),
        LinkKind::Raw,
        Ok([0x800, 2, 0, 20, 0, 39, 6, 0]),
    );
    check(
        "icmp",
        &v4(1, &[8, 0, 0, 0]),
        LinkKind::Raw,
        Ok([0x800, 2, 0, 20, 0, 24, 1, 0]),
    );
    check(
        "nothing behind",
        &v4(0, &[]),
        LinkKind::Raw,
        Ok([0x800, 2, 0, 20, 0, 20, 0, 0]),
    );
    let first = v4_with(&udp(b"abcdefgh"), |ip| ip.set_frag_off(ipv4::frag::MF));
    check(
        "first fragment",
        &first,
        LinkKind::Raw,
        Ok([0x800, 2, 0, 20, 28, 36, 17, 0]),
    );
    assert_eq!(dissect(&first, LinkKind::Raw).unwrap().more_fragments, 1);
    let later = v4_with(b"abcdefgh", |ip| ip.set_frag_off(185));
    check(
        "later fragment",
        &later,
        LinkKind::Raw,
        Ok([0x800, 2, 0, 0, 0, 28, 17, 1480]),
    );
    let mut options = v4(17, &join(&[&[1; 8], &udp(b"")]));
    let mut ip = Ipv4::new_checked(options.as_mut_slice()).unwrap();
    ip.set_version_ihl(0x47);
    ip.fill_checksum();
    check(
        "options",
        &options,
        LinkKind::Raw,
        Ok([0x800, 2, 0, 28, 36, 36, 17, 0]),
    );
}

#[test]
fn refuses_malformed_ipv4() {
    use DissectErrorKind as K;
    let bad = |kind| Err((Layer::Ipv4, kind));
    let raw = LinkKind::Raw;
    let whole = v4(17, &udp(b"abcd"));
    check(
        "empty",
        &eth(0x800, &[]),
        LinkKind::Ethernet,
        bad(K::Truncated),
    );
    check("header cut", &whole[..19], raw, bad(K::Truncated));
    check("payload cut", &whole[..31], raw, bad(K::Truncated));
    check(
        "version",
        &eth(0x800, &v4_with(&[], |ip| ip.set_version_ihl(0x55))),
        LinkKind::Ethernet,
        bad(K::BadVersion),
    );
    check(
        "short ihl",
        &v4_with(&[], |ip| ip.set_version_ihl(0x44)),
        raw,
        bad(K::BadHeaderLength),
    );
    check(
        "ihl beyond",
        &v4_with(&[], |ip| ip.set_version_ihl(0x46)),
        raw,
        bad(K::Truncated),
    );
    check(
        "total length",
        &v4_with(&[], |ip| ip.set_total_len(19)),
        raw,
        bad(K::BadTotalLength),
    );
    let mut wrong = whole;
    wrong[10] ^= 1;
    check("checksum", &wrong, raw, bad(K::BadChecksum));
    assert!(dissect_with(&wrong, raw, Checksums::Ignore).is_ok());
}

#[test]
fn finds_headers_of_ipv6() {
    let raw = LinkKind::Raw;
    let payload = udp(b"");
    check(
        "plain",
        &eth(0x86dd, &v6(17, &payload)),
        LinkKind::Ethernet,
        Ok([0x86dd, 10, 14, 54, 62, 62, 17, 0]),
    );
    let chain = join(&[&ext(43), &ext(60), &ext(17), &payload]);
    check(
        "three headers",
        &v6(0, &chain),
        raw,
        Ok([0x86dd, 10, 0, 64, 72, 72, 17, 0]),
    );
    check(
        "nothing follows",
        &v6(59, b"xyz"),
        raw,
        Ok([0x86dd, 10, 0, 40, 0, 43, 59, 0]),
    );
    check(
        "ah is a protocol",
        &v6(51, &[17; 24]),
        raw,
        Ok([0x86dd, 10, 0, 40, 0, 64, 51, 0]),
    );
    check(
        "header cut",
        &v6(60, &[17]),
        raw,
        Ok([0x86dd, 10, 0, 0, 0, 41, 0, 0]),
    );
    check(
        "header beyond",
        &v6(60, &[17, 9]),
        raw,
        Ok([0x86dd, 10, 0, 120, 0, 42, 17, 0]),
    );
    let first = join(&[&frag6(17, 0, true), &payload]);
    check(
        "first fragment",
        &v6(44, &first),
        raw,
        Ok([0x86dd, 10, 0, 48, 56, 56, 17, 0]),
    );
    let later = join(&[&frag6(17, 1232, true), b"abcdefgh"]);
    check(
        "later fragment",
        &v6(44, &later),
        raw,
        Ok([0x86dd, 10, 0, 0, 0, 56, 17, 1232]),
    );
    let odd = join(&[&frag6(60, 8, false), b"abcdefgh"]);
    check(
        "later fragment of options",
        &v6(44, &odd),
        raw,
        Ok([0x86dd, 10, 0, 0, 0, 56, 0, 8]),
    );
    check(
        "padded",
        &join(&[&v6(17, &payload), &[1; 9]]),
        raw,
        Ok([0x86dd, 10, 0, 40, 48, 48, 17, 0]),
    );
    check(
        "unknown option to skip",
        &v6(0, &[17, 0, 0x1e, 4, 1, 1, 1, 1]),
        raw,
        Ok([0x86dd, 10, 0, 48, 0, 48, 17, 0]),
    );
}

#[test]
fn refuses_malformed_ipv6() {
    use DissectErrorKind as K;
    let bad = |kind| Err((Layer::Ipv6, kind));
    let raw = LinkKind::Raw;
    let whole = v6(17, &udp(b""));
    check("header cut", &whole[..39], raw, bad(K::Truncated));
    check("payload cut", &whole[..47], raw, bad(K::Truncated));
    let mut wrong = whole;
    wrong[0] = 0x40;
    check(
        "version",
        &eth(0x86dd, &wrong),
        LinkKind::Ethernet,
        bad(K::BadVersion),
    );
    check(
        "hop-by-hop cut",
        &v6(0, &[17, 1, 1, 4, 0, 0, 0, 0]),
        raw,
        bad(K::Truncated),
    );
    check(
        "option cut",
        &v6(0, &[17, 0, 1, 9, 0, 0, 0, 0]),
        raw,
        bad(K::BadOptions),
    );
    check(
        "option to discard",
        &v6(0, &[17, 0, 0x5e, 4, 0, 0, 0, 0]),
        raw,
        bad(K::BadOptions),
    );
    check(
        "padding not zero",
        &v6(0, &[17, 0, 1, 4, 0, 1, 0, 0]),
        raw,
        bad(K::BadOptions),
    );
    check(
        "jumbo below 65536",
        &v6(0, &[17, 0, 0xc2, 4, 0, 0, 0, 8]),
        raw,
        bad(K::BadOptions),
    );
    check(
        "router alert",
        &v6(0, &[17, 0, 5, 3, 0, 0, 0, 0]),
        raw,
        bad(K::BadOptions),
    );
}

#[test]
fn hop_by_hop_options_are_judged_as_linux_judges_them() {
    let alert = [5, 2, 0, 0];
    let alerts = |count: usize| alert.repeat(count);
    let cases: [(&str, Vec<u8>, bool); 14] = [
        ("padding", vec![1, 4, 0, 0, 0, 0], true),
        ("padding byte by byte", vec![0; 6], true),
        ("router alert", join(&[&alert, &[0, 0]]), true),
        ("router alert of 3 bytes", vec![5, 3, 0, 0, 0, 0], false),
        ("unknown, to skip", vec![0x1e, 4, 1, 1, 1, 1], true),
        (
            "unknown that may change, to skip",
            vec![0x3e, 4, 1, 1, 1, 1],
            true,
        ),
        ("unknown, to discard", vec![0x5e, 4, 1, 1, 1, 1], false),
        ("unknown, to answer", vec![0x9e, 4, 1, 1, 1, 1], false),
        (
            "padding of 14",
            vec![1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            false,
        ),
        (
            "padding of 7 before another option",
            vec![1, 5, 0, 0, 0, 0, 0, 0x1e, 5, 1, 1, 1, 1, 1],
            true,
        ),
        (
            "eight options",
            join(&[&alerts(8), &[1, 4, 0, 0, 0, 0]]),
            true,
        ),
        ("nine options", join(&[&alerts(9), &[0, 0]]), false),
        ("trace data off its place", vec![0x31, 4, 1, 1, 1, 1], false),
        (
            "label",
            vec![7, 8, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 0, 0],
            false,
        ),
    ];
    for (name, options, is_sound) in cases {
        let units = ((options.len() + 2) / 8 - 1) as u8;
        let packet = v6(0, &join(&[&[17, units], &options, &udp(b"")]));
        assert_eq!(dissect(&packet, LinkKind::Raw).is_ok(), is_sound, "{name}");
    }
}

#[test]
fn tells_other_protocols_from_malformed_ones() {
    let e = LinkKind::Ethernet;
    let arp = arp::emit(arp::operation::REQUEST, (MAC_A, V4_A), ([0; 6], V4_B));
    check(
        "arp",
        &eth(0x806, &arp),
        e,
        Ok([0x806, 3, 14, 0, 0, 42, 0, 0]),
    );
    check(
        "arp cut",
        &eth(0x806, &arp[..27]),
        e,
        Err((Layer::Arp, DissectErrorKind::Truncated)),
    );
    check(
        "lldp",
        &eth(0x88cc, b"x"),
        e,
        Ok([0x88cc, 0, 14, 0, 0, 15, 0, 0]),
    );
    check(
        "802.3",
        &eth(3, &[0x42, 0x42, 3]),
        e,
        Ok([3, 0, 14, 0, 0, 17, 0, 0]),
    );
    check(
        "frame cut",
        &[0; 13],
        e,
        Err((Layer::Link, DissectErrorKind::Truncated)),
    );
    check(
        "tag cut",
        &eth(0x8100, &[0, 1, 8]),
        e,
        Err((Layer::Link, DissectErrorKind::Truncated)),
    );
    check(
        "raw empty",
        &[],
        LinkKind::Raw,
        Err((Layer::Link, DissectErrorKind::Truncated)),
    );
    check(
        "raw of no version",
        &[0x15],
        LinkKind::Raw,
        Ok([0, 0, 0, 0, 0, 1, 0, 0]),
    );
}

#[test]
fn bridge_sees_padding_and_malformed_packets() {
    let mut wrong = v4(17, &udp(b"abcd"));
    wrong[10] ^= 1;
    let padded = join(&[&eth(0x800, &wrong), &[0; 14]]);
    let layout = dissect_bridge(&padded, LinkKind::Ethernet).unwrap();
    assert_eq!(
        (layout.end, layout.l4proto, layout.has_transport()),
        (60, 17, true)
    );
    let cut = dissect_bridge(&padded[..40], LinkKind::Ethernet).unwrap();
    assert_eq!(
        (cut.nfproto, cut.has_l4proto(), cut.network),
        (0, false, 14)
    );
}

#[test]
fn walk_past_authentication_is_for_conntrack() {
    // An authentication header of 24 bytes: (4 + 2) * 4.
    let packet = v6(51, &join(&[&[17, 4, 0, 0], &[0; 20], &udp(b"")]));
    assert_eq!(
        ipv6::walk(&packet, ipv6::Auth::IsTransport).l4proto,
        Some(51)
    );
    let walk = ipv6::walk(&packet, ipv6::Auth::IsSkipped);
    assert_eq!((walk.l4proto, walk.transport), (Some(17), 64));
    assert_eq!(ipv6::find_header(&packet, 51), Some(40));
    assert_eq!(ipv6::find_header(&packet, 17), Some(64));
    assert_eq!(ipv6::find_header(&packet, 44), None);
}

#[test]
fn walk_tells_where_the_fragment_header_is() {
    let packet = v6(60, &join(&[&ext(44), &frag6(17, 0, true), &udp(b"")]));
    let fragment = ipv6::walk(&packet, ipv6::Auth::IsSkipped).fragment.unwrap();
    assert_eq!(
        (fragment.at, fragment.announced_at, fragment.header.id),
        (48, 40, 7)
    );
}

#[test]
fn packet_is_filled_from_its_layout() {
    let frame = join(&[&eth(0x800, &v4(17, &udp(b"abcd"))), &[0; 9]]);
    let layout = dissect(&frame, LinkKind::Ethernet).unwrap();
    let packet = Packet::new(frame, layout);
    assert_eq!(
        (packet.meta.len, packet.meta.nfproto, packet.meta.pkttype),
        (32, nfproto::IPV4, pkttype::HOST)
    );
    assert_eq!(packet.udp().unwrap().payload(), b"abcd");
    assert_eq!(packet.ipv4().unwrap().dst(), V4_B);
    assert!(packet.tcp().is_none() && packet.ipv6().is_none());
    assert_eq!(
        pkttype::classify([0xff; 6], Some(MAC_A)),
        pkttype::BROADCAST
    );
    assert_eq!(
        pkttype::classify([1, 0, 0x5e, 0, 0, 1], Some(MAC_A)),
        pkttype::MULTICAST
    );
    assert_eq!(pkttype::classify(MAC_B, Some(MAC_A)), pkttype::OTHER);
}

#[track_caller]
fn check_options(options: &[u8], expected: &[(u8, &[u8])]) {
    let segment = tcp(options, b"payload");
    let header = Tcp::new_checked(segment.as_slice()).unwrap();
    assert_eq!(header.options().collect::<Vec<_>>(), expected);
    assert_eq!(header.payload(), b"payload");
}

#[test]
fn options_end_where_they_lie() {
    check_options(&[2, 4, 5, 0xb4, 1, 3, 3, 7], &[(2, &[5, 0xb4]), (3, &[7])]);
    check_options(&[4, 2, 0, 0], &[(4, &[])]);
    check_options(&[1, 1, 1, 1], &[]);
    check_options(&[2, 0, 5, 0xb4], &[]);
    check_options(&[1, 1, 8, 10], &[]);
    let mss = tcp(&[2, 4, 5, 0xb4], &[]);
    assert_eq!(
        Tcp::new_checked(mss.as_slice())
            .unwrap()
            .options()
            .find_u16(tcp::option::MSS),
        Some(1460)
    );
}

#[test]
fn chunks_end_where_they_lie() {
    let packet = join(&[&[0; 12], &[1, 0, 0, 5, 9, 0, 0, 0], &[10, 2, 0, 99, 1]]);
    let sctp = Sctp::new_checked(packet.as_slice()).unwrap();
    let chunks: Vec<_> = sctp.chunks().collect();
    assert_eq!(chunks.len(), 2);
    assert_eq!((chunks[0].kind, chunks[0].value), (1, &[9][..]));
    assert_eq!(
        (
            chunks[1].kind,
            chunks[1].flags,
            chunks[1].len,
            chunks[1].value
        ),
        (10, 2, 99, &[1][..])
    );
    let lying = join(&[&[0; 12], &[1, 0, 0, 0], &[2, 0, 0, 4]]);
    assert_eq!(
        Sctp::new_checked(lying.as_slice())
            .unwrap()
            .chunks()
            .count(),
        1
    );
}

#[test]
fn checksums_of_every_protocol_are_filled_and_verified() {
    let echo = [8, 0, 0, 0, 1, 2, 3, 4, 9];
    let cases = [
        ("tcp", v4(6, &tcp(&[], b"odd"))),
        ("udp", v4(17, &udp(b"abc"))),
        ("udp-lite", v4(136, &udp(b"abc"))),
        ("icmp", v4(1, &echo)),
        ("sctp", v4(132, &[7; 33])),
        ("tcp6", v6(6, &tcp(&[], b"odd"))),
        ("udp6", v6(17, &udp(b"abc"))),
        ("icmpv6", v6(58, &echo)),
        ("icmpv6 behind options", v6(60, &join(&[&ext(58), &echo]))),
    ];
    for (name, mut packet) in cases {
        let layout = dissect(&packet, LinkKind::Raw).unwrap();
        checksum::fill(&mut packet, &layout);
        assert_eq!(
            checksum::verify(&packet, &layout),
            checksum::Verified::Right,
            "{name}"
        );
        *packet.last_mut().unwrap() ^= 0x10;
        assert_eq!(
            checksum::verify(&packet, &layout),
            checksum::Verified::Wrong,
            "{name}"
        );
    }
    let none = v4(17, &udp(b"abc"));
    let layout = dissect(&none, LinkKind::Raw).unwrap();
    assert_eq!(checksum::verify(&none, &layout), checksum::Verified::Absent);
    // The check value of CRC-32/ISCSI in the catalogue of CRC algorithms.
    assert_eq!(checksum::crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn ttl_steps_down_with_its_checksum() {
    let mut packet = v4(17, &udp(b""));
    for left in (0..64).rev() {
        let mut ip = Ipv4::new_checked(packet.as_mut_slice()).unwrap();
        ip.decrement_ttl();
        assert_eq!((ip.ttl(), ip.is_checksum_ok()), (left, true));
    }
    let mut ip = Ipv4::new_checked(packet.as_mut_slice()).unwrap();
    ip.decrement_ttl();
    assert_eq!(ip.ttl(), 0);
}
