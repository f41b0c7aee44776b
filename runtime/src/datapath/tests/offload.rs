//! Frames that a driver left open: what leaves is whole where it has to be, and each packet is what its headers say.

use redan_vm::packet::checksum::{Sum, Verified};

use super::*;
use crate::frame::{SegmentKind, Segments, Takes, TransportSum};

const ALL: Takes = Takes {
    partial: true,
    tcp: true,
    udp: true,
};

/// The frame with only the pseudo-header's sum in its checksum field, as a host leaves it to its card.
fn open(mut bytes: Vec<u8>, segments: impl Into<Option<Segments>>) -> Frame {
    let layout = redan_vm::packet::dissect(&bytes, LinkKind::Ethernet).unwrap();
    let field = if layout.is_l4(protocol::TCP) { 16 } else { 6 };
    let packet = Packet::new(bytes.clone(), layout);
    let (l4proto, len) = (layout.l4proto, layout.transport_len());
    let sum = packet.ipv4().map_or_else(
        || {
            let ip = packet.ipv6().unwrap();
            Sum::pseudo_v6(ip.src(), ip.dst(), l4proto, len)
        },
        |ip| Sum::pseudo_v4(ip.src(), ip.dst(), l4proto, len),
    );
    let at = layout.transport as usize + field;
    bytes[at..at + 2].copy_from_slice(&sum.fold().to_be_bytes());
    Frame {
        bytes,
        offload: Offload {
            sum: TransportSum::Partial {
                start: u16::try_from(layout.transport).unwrap(),
                field: u16::try_from(field).unwrap(),
            },
            segments: segments.into(),
        },
        made_link: false,
    }
}

/// A segment with everything set that only one of several may have.
fn tcp_frame(src: &str, dst: &str, payload: usize) -> Vec<u8> {
    let mut bytes = vec![0; tcp::LEN + payload];
    let mut header = Tcp::new_checked(bytes.as_mut_slice()).unwrap();
    header.set_src_port(1000);
    header.set_dst_port(80);
    header.set_seq(u32::MAX - 100);
    header.set_data_offset(0x50);
    header.set_flags(tcp::flags::ACK | tcp::flags::PSH | tcp::flags::FIN | tcp::flags::CWR);
    for (n, byte) in bytes[tcp::LEN..].iter_mut().enumerate() {
        *byte = (n % 251).to_le_bytes()[0];
    }
    ip(src, dst, protocol::TCP, 64, &bytes)
}

const fn of(kind: SegmentKind, size: u16) -> Segments {
    Segments {
        kind,
        size,
        has_cwr: true,
        header_bytes: 54,
    }
}

/// What leaves of a frame that comes in by the first port, where the way out takes this.
fn sent(site: Site, takes: Takes, frame: Frame) -> (Report, Vec<OutFrame>) {
    let mut datapath = datapath(site, none, false, false);
    datapath.settings.takes = takes;
    let mut out = Vec::new();
    let report = datapath.handle_frame(NOW, PortId(0), frame, &mut out);
    (report, out)
}

fn seen(out: &OutFrame) -> Packet {
    let layout = redan_vm::packet::dissect(&out.bytes, LinkKind::Ethernet).unwrap();
    Packet::new(out.bytes.clone(), layout)
}

/// Two ports, the first of which takes longer packets than the second.
fn narrowing() -> Site {
    let mut site = router();
    site.ports[0].mtu = 9000;
    site
}

#[test]
fn an_open_checksum_is_completed_before_its_packet_is_cut() {
    let mut bytes = ip(
        "10.1.0.2",
        "8.8.8.8",
        protocol::UDP,
        64,
        &udp_bytes(1, 3000),
    );
    bytes[50..].fill(7);
    let (_, out) = sent(narrowing(), ALL, open(bytes.clone(), None));
    assert_eq!(out.len(), 3);
    let mut joined = bytes[..34].to_vec();
    for piece in &out {
        assert_eq!(piece.offload, Offload::default());
        joined.extend_from_slice(&piece.bytes[34..]);
    }
    let layout = redan_vm::packet::dissect(&joined, LinkKind::Ethernet).unwrap();
    assert_eq!(checksum::verify(&joined, &layout), Verified::Right);
}

#[test]
fn what_the_way_out_takes_is_left_to_it() {
    let whole = tcp_frame("10.1.0.2", "8.8.8.8", 4000);
    let frame = open(whole, of(SegmentKind::Tcp4, 1400));
    let (_, out) = sent(router(), ALL, frame.clone());
    let [left] = &out[..] else { panic!("{out:?}") };
    assert_eq!(left.offload, frame.offload);
    assert_eq!(left.bytes[34..], frame.bytes[34..]);
}

/// Checks segments that were cut here against the packet that they travelled as.
#[track_caller]
fn check_segments(whole: &Frame, out: &[OutFrame], count: usize) {
    assert_eq!(out.len(), count);
    let layout = redan_vm::packet::dissect(&whole.bytes, LinkKind::Ethernet).unwrap();
    let first = Packet::new(whole.bytes.clone(), layout);
    let mut payload = Vec::new();
    for (n, frame) in out.iter().enumerate() {
        assert!(frame.offload.is_finished());
        let packet = seen(frame);
        assert_eq!(packet.frame.len(), packet.layout.end as usize);
        assert_eq!(
            checksum::verify(&packet.frame, &packet.layout),
            Verified::Right
        );
        if let (Some(ip), Some(was)) = (packet.ipv4(), first.ipv4()) {
            assert_eq!(usize::from(ip.id().wrapping_sub(was.id())), n);
        }
        if let (Some(segment), Some(was)) = (packet.tcp(), first.tcp()) {
            let ahead = segment.seq().wrapping_sub(was.seq());
            assert_eq!(ahead as usize, payload.len());
            let mut flags = tcp::flags::ACK;
            if n == 0 {
                flags |= tcp::flags::CWR;
            }
            if n + 1 == count {
                flags |= tcp::flags::PSH | tcp::flags::FIN;
            }
            assert_eq!(segment.flags(), flags);
        }
        if let Some(datagram) = packet.udp() {
            assert_eq!(u32::from(datagram.len()), packet.layout.transport_len());
        }
        payload.extend_from_slice(&frame.bytes[packet.layout.inner as usize..]);
    }
    assert_eq!(payload, whole.bytes[layout.inner as usize..]);
}

#[test]
fn segments_are_cut_where_the_way_out_takes_none() {
    let (lan, wan) = ("10.1.0.2", "8.8.8.8");
    let mut datagrams = ip(lan, wan, protocol::UDP, 64, &udp_bytes(443, 2500));
    datagrams[44..].fill(9);
    let (lan6, wan6) = ("fd01::2", "2001::8");
    let datagrams6 = ip(lan6, wan6, protocol::UDP, 64, &udp_bytes(443, 2400));
    for (bytes, kind, size, count) in [
        (tcp_frame(lan, wan, 4000), SegmentKind::Tcp4, 1400, 3),
        (tcp_frame(lan, wan, 2800), SegmentKind::Tcp4, 1400, 2),
        (tcp_frame(lan6, wan6, 4001), SegmentKind::Tcp6, 1000, 5),
        (datagrams, SegmentKind::Udp, 1200, 3),
        (datagrams6, SegmentKind::Udp, 1200, 2),
    ] {
        let frame = open(bytes, of(kind, size));
        let takes = Takes {
            partial: true,
            ..Takes::default()
        };
        for takes in [takes, Takes::default()] {
            let (report, out) = sent(router(), takes, frame.clone());
            assert_eq!(report.verdict, Verdict::Accept);
            check_segments(&frame, &out, count);
        }
    }
}

#[test]
fn a_way_out_without_offload_gets_a_whole_checksum() {
    for bytes in [
        udp("10.1.0.2", "8.8.8.8", 64),
        udp("fd01::2", "2001::8", 64),
        syn("10.1.0.2", "8.8.8.8"),
    ] {
        let (_, out) = sent(router(), Takes::default(), open(bytes.clone(), None));
        assert_eq!(out[0].bytes[26..], bytes[26..]);
        let packet = seen(&out[0]);
        let verified = checksum::verify(&packet.frame, &packet.layout);
        assert_eq!(
            (verified, out[0].offload.is_finished()),
            (Verified::Right, true)
        );
    }
    let tagged = {
        let mut bytes = udp("10.1.0.2", "8.8.8.8", 64);
        bytes.splice(12..12, [0x81, 0, 0, 0]);
        bytes
    };
    let (_, out) = sent(router(), Takes::default(), open(tagged, None));
    let packet = seen(&out[0]);
    assert_eq!(
        checksum::verify(&packet.frame, &packet.layout),
        Verified::Right,
        "behind a priority tag"
    );
}

#[test]
fn segments_longer_than_the_next_link_takes() {
    let (lan, lan6) = ("10.1.0.2", "fd01::2");
    let forbid = |mut bytes: Vec<u8>| {
        let mut ip = Ipv4::new_checked(&mut bytes[14..]).unwrap();
        ip.set_frag_off(ipv4::frag::DF);
        ip.fill_checksum();
        bytes
    };
    let frame = |bytes, kind| open(bytes, of(kind, 2000));
    let whole = tcp_frame(lan, "8.8.8.8", 6000);
    let (report, out) = sent(
        narrowing(),
        ALL,
        frame(forbid(whole.clone()), SegmentKind::Tcp4),
    );
    assert_eq!(report.reason, Some(Reason::TooBig));
    let told = seen(&out[0]);
    assert_eq!(told.icmp().map(|told| told.code()), Some(4));
    let (report, out) = sent(
        narrowing(),
        ALL,
        frame(tcp_frame(lan6, "2001::8", 6000), SegmentKind::Tcp6),
    );
    assert_eq!(report.reason, Some(Reason::TooBig));
    let told = seen(&out[0]);
    assert_eq!(told.icmpv6().map(|told| told.icmpv6_type()), Some(2));
    // ip_output.c: ip_finish_output_gso: three segments, each in two parts.
    let (report, out) = sent(narrowing(), ALL, frame(whole, SegmentKind::Tcp4));
    assert_eq!(report.verdict, Verdict::Accept);
    assert_eq!(out.len(), 6);
    for pair in out.chunks(2) {
        let mut joined = pair[0].bytes.clone();
        joined.extend_from_slice(&pair[1].bytes[34..]);
        let len = u16::try_from(joined.len() - 14).unwrap();
        let mut ip = Ipv4::new_checked(&mut joined[14..]).unwrap();
        ip.set_frag_off(0);
        ip.set_total_len(len);
        ip.fill_checksum();
        let layout = redan_vm::packet::dissect(&joined, LinkKind::Ethernet).unwrap();
        assert_eq!(layout.transport_len(), 2020);
        assert_eq!(checksum::verify(&joined, &layout), Verified::Right);
        assert!(pair.iter().all(|part| part.offload == Offload::default()));
    }
}

#[test]
fn a_buffer_comes_back_whatever_becomes_of_its_frame() {
    fn drop_forward(hook: Hook, _: &Packet) -> Option<Final> {
        (hook == Hook::Forward).then_some(Final::Drop)
    }
    for (rules, dst, live) in [
        (drop_forward as Rules, "8.8.8.8", false),
        (none, "10.1.0.1", false),
        (none, "9.9.9.9", false),
        (none, "10.2.0.77", true),
    ] {
        let mut datapath = datapath(router(), rules, live, true);
        let mut bytes = datapath.pool().take();
        bytes.extend(udp("10.1.0.2", dst, 64));
        let place = bytes.as_ptr();
        let mut out = Vec::new();
        datapath.handle_frame(NOW, PortId(0), bytes.into(), &mut out);
        let again = datapath.pool().take();
        assert_eq!(again.as_ptr(), place, "to {dst}");
    }
}
