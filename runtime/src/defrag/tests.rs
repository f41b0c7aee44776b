//! Fragments in every order, one letter each for what became of them; as seen from the kernel.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use redan_vm::packet::{Ipv4, LinkKind, dissect, ethernet, ethertype, ipv4, ipv6};

use super::*;

const NOW: Instant = Instant::from_secs(1000);

/// Bytes of the payload from one to another.
fn payload(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect()
}

/// The fragment with payload bytes from `from` to `to` of a packet with this TOS.
fn fragment(v6: bool, from: usize, to: usize, more: bool, tos: u8) -> Packet {
    let part = payload(from, to);
    let (offset, len) = (
        u16::try_from(from).unwrap(),
        u16::try_from(to - from).unwrap(),
    );
    let kind = if v6 { ethertype::IPV6 } else { ethertype::IPV4 };
    let mut frame = ethernet::emit([2; 6], [4; 6], kind).to_vec();
    if v6 {
        let (src, dst) = (
            Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, 2),
            Ipv6Addr::new(0xfd02, 0, 0, 0, 0, 0, 0, 2),
        );
        frame.extend(ipv6::emit(
            src,
            dst,
            ipv6::next_header::FRAGMENT,
            64,
            len + 8,
        ));
        let [o0, o1] = (offset | u16::from(more)).to_be_bytes();
        frame.extend([17, 0, o0, o1, 0, 0, 0, 9]);
    } else {
        let mut header = ipv4::emit(
            Ipv4Addr::new(10, 1, 0, 2),
            Ipv4Addr::new(10, 2, 0, 2),
            17,
            64,
            len,
        );
        let mut ip = Ipv4::new_checked(&mut header).unwrap();
        ip.set_id(9);
        ip.set_tos(tos);
        ip.set_frag_off((offset / 8) | if more { ipv4::frag::MF } else { 0 });
        ip.fill_checksum();
        frame.extend(header);
    }
    frame.extend(part);
    let layout = dissect(&frame, LinkKind::Ethernet).unwrap();
    Packet::new(frame, layout)
}

fn letter(gathered: &Gathered) -> char {
    match gathered {
        Gathered::Whole => 'w',
        Gathered::Held => 'h',
        Gathered::Complete(_) => 'c',
        Gathered::Dropped(Reason::FragmentDuplicate) => 'd',
        Gathered::Dropped(Reason::FragmentOverlap) => 'o',
        Gathered::Dropped(_) => 'x',
    }
}

#[track_caller]
fn check(fragments: &[(usize, usize, bool)], v4: &str, v6: &str) {
    for (is_v6, expected) in [(false, v4), (true, v6)] {
        let mut defrag = Defrag::new(3);
        let mut seen = String::new();
        for &(from, to, more) in fragments {
            let mut packet = fragment(is_v6, from, to, more, 0);
            let gathered = defrag.gather(NOW, User::Conntrack(Hook::Prerouting), &mut packet);
            seen.push(letter(&gathered));
            if matches!(gathered, Gathered::Complete(_)) {
                let layout = dissect(&packet.frame, LinkKind::Ethernet).unwrap();
                assert!(!layout.is_fragment());
                assert_eq!(layout.l4proto, 17);
                let end = fragments.iter().map(|fragment| fragment.1).max().unwrap();
                assert_eq!(packet.frame[layout.transport as usize..], payload(0, end));
            }
        }
        assert_eq!(seen, expected, "IPv6: {is_v6}");
        let bytes = if is_v6 {
            defrag.v6.bytes
        } else {
            defrag.v4.bytes
        };
        assert_eq!(defrag.waiting() == 0, bytes == 0);
    }
}

#[test]
fn fragments_in_any_order_make_the_packet() {
    check(
        &[(0, 64, true), (64, 192, true), (192, 232, false)],
        "hhc",
        "hhc",
    );
    check(
        &[(192, 232, false), (64, 192, true), (0, 64, true)],
        "hhc",
        "hhc",
    );
    check(
        &[(64, 192, true), (192, 232, false), (0, 64, true)],
        "hhc",
        "hhc",
    );
}

#[test]
fn repetitions_are_dropped_alone() {
    check(
        &[
            (0, 64, true),
            (0, 64, true),
            (64, 128, true),
            (128, 168, false),
        ],
        "hdhc",
        "hdhc",
    );
    check(
        &[
            (0, 64, true),
            (64, 128, true),
            (0, 128, true),
            (128, 168, false),
        ],
        "hhdc",
        "hhdc",
    );
}

#[test]
fn overlaps_end_the_packet() {
    check(
        &[(0, 64, true), (0, 72, true), (64, 128, true)],
        "hoh",
        "hoh",
    );
    check(
        &[(0, 64, true), (128, 168, false), (64, 136, true)],
        "hho",
        "hho",
    );
}

#[test]
fn two_ends_contradict() {
    check(
        &[(0, 64, true), (128, 168, false), (128, 176, false)],
        "hho",
        "hhx",
    );
    check(&[(128, 168, false), (64, 256, true)], "ho", "hx");
}

#[test]
fn lengths_that_are_no_multiple_of_eight() {
    check(&[(0, 61, true)], "h", "w");
}

#[test]
fn too_long_a_packet_is_none() {
    check(&[(65_528, 65_600, false)], "o", "x");
}

#[test]
fn an_atomic_fragment_is_a_whole_packet_at_once() {
    check(&[(0, 64, false)], "w", "c");
}

#[test]
fn ecn_marks_join_and_must_not_mix() {
    for (first, second, expected) in [
        (1, 2, Some(1)),
        (3, 2, Some(3)),
        (2, 3, Some(3)),
        (0, 0, Some(0)),
        (3, 0, None),
        (0, 1, None),
    ] {
        let mut defrag = Defrag::new(3);
        let mut packets = [
            fragment(false, 0, 64, true, first),
            fragment(false, 64, 100, false, second),
        ];
        let gathered = packets
            .each_mut()
            .map(|packet| defrag.gather(NOW, User::Local, packet));
        let tos = matches!(gathered[1], Gathered::Complete(_))
            .then(|| Ipv4::new_checked(&packets[1].frame[14..]).unwrap().tos());
        assert_eq!(tos, expected, "{first} and {second}");
    }
}

#[test]
fn what_takes_too_long_is_given_up() {
    for (v6, secs) in [(false, 30), (true, 60)] {
        let mut defrag = Defrag::new(3);
        defrag.gather(NOW, User::Local, &mut fragment(v6, 0, 64, true, 0));
        let due = NOW + Duration::from_secs(secs);
        assert_eq!(defrag.poll_timeout(), Some(due));
        assert_eq!(
            defrag.handle_timeout(due - Duration::from_nanos(1)).len(),
            0
        );
        assert_eq!(defrag.handle_timeout(due).len(), 1);
        assert_eq!((defrag.waiting(), defrag.poll_timeout()), (0, None));
    }
}

#[test]
fn memory_is_bounded() {
    let mut defrag = Defrag::new(3);
    let mut refused = 0;
    for id in 0..10_000_u16 {
        let mut packet = fragment(false, 0, 1400, true, 0);
        packet.ipv4_mut().unwrap().set_id(id);
        let gathered = defrag.gather(NOW, User::Local, &mut packet);
        refused += usize::from(gathered == Gathered::Dropped(Reason::FragmentLimit));
    }
    assert!(refused > 5_000 && defrag.v4.bytes < MOST_BYTES + 4096);
}

#[test]
fn strays_take_no_more_than_the_limit_says_and_queues_leave_nothing_behind() {
    for v6 in [false, true] {
        let mut defrag = Defrag::new(3);
        let mut packet = fragment(v6, 8, 16, true, 0);
        let number = |packet: &mut Packet, id: u32| match packet.ipv4_mut() {
            Some(mut ip) => ip.set_src(Ipv4Addr::from_bits(id)),
            None => packet.frame[58..62].copy_from_slice(&id.to_be_bytes()),
        };
        for id in 0..40_000 {
            number(&mut packet, id);
            defrag.gather(NOW, User::Local, &mut packet.clone());
        }
        let table = if v6 { &defrag.v6 } else { &defrag.v4 };
        let slots = table.queues.slots();
        assert!(slots * Queues::ENTRY_BYTES <= MOST_BYTES, "{slots} slots");
        assert!(slots > 1_000 && defrag.waiting() == slots);
        assert_eq!(defrag.handle_timeout(NOW + WAIT_V6).len(), 0);
        assert_eq!(
            (defrag.v4.bytes, defrag.v6.bytes, defrag.waiting()),
            (0, 0, 0)
        );

        let mut defrag = Defrag::new(3);
        for id in 0..10_000 {
            for (from, more) in [(0, true), (8, false)] {
                let mut packet = fragment(v6, from, from + 8, more, 0);
                number(&mut packet, id);
                defrag.gather(NOW, User::Local, &mut packet);
            }
        }
        let table = if v6 { &defrag.v6 } else { &defrag.v4 };
        assert_eq!((table.queues.slots(), table.bytes), (1, 0));
        assert_eq!(defrag.poll_timeout(), None);
    }
}

#[test]
fn over_the_limit_no_fragment_is_taken_whatever_it_belongs_to() {
    let mut defrag = Defrag::new(3);
    for n in 0..10_000_u16 {
        let mut packet = fragment(false, 0, 1400, true, 0);
        packet.ipv4_mut().unwrap().set_id(n);
        defrag.gather(NOW, User::Local, &mut packet);
    }
    let mut packet = fragment(false, 1400, 1408, false, 0);
    packet.ipv4_mut().unwrap().set_id(1);
    let gathered = defrag.gather(NOW, User::Local, &mut packet);
    assert_eq!(gathered, Gathered::Dropped(Reason::FragmentLimit));
}

proptest! {
    /// Cut and joined again, whatever the cuts and the order, a packet is itself; and it leaves in the parts in which it came.
    #[test]
    fn cut_and_joined_a_packet_is_itself(cuts in prop::collection::btree_set(1..400_usize, 1..8), last in 1..300_usize, seed: u64, v6: bool) {
        let starts: Vec<_> = std::iter::once(0).chain(cuts.iter().map(|cut| cut * 8)).collect();
        let end = starts.last().unwrap() + last;
        let mut order: Vec<_> = (0..starts.len()).collect();
        order.sort_by_key(|n| (*n as u64 + 1).wrapping_mul(seed | 1));
        let mut defrag = Defrag::new(3);
        let mut whole = None;
        for n in order {
            let to = starts.get(n + 1).copied().unwrap_or(end);
            let mut packet = fragment(v6, starts[n], to, n + 1 < starts.len(), 0);
            if let Gathered::Complete(parts) = defrag.gather(NOW, User::Local, &mut packet) {
                whole = Some((packet, parts));
            }
        }
        let (packet, parts) = whole.unwrap();
        prop_assert_eq!(&packet.frame[if v6 { 54 } else { 34 }..], payload(0, end));
        let again = if v6 {
            crate::router::fragment::cut_v6(packet.frame, 14, 9000, &parts, 9)
        } else {
            crate::router::fragment::cut_v4(packet.frame, 14, 9000, &parts)
        };
        for (n, frame) in again.iter().enumerate() {
            let to = starts.get(n + 1).copied().unwrap_or(end);
            let mut expected = fragment(v6, starts[n], to, n + 1 < starts.len(), 0);
            if let Some(mut ip) = expected.ipv4_mut() {
                // The identification is the first fragment's, which is the packet's.
                ip.fill_checksum();
            }
            prop_assert_eq!(frame, &expected.frame);
        }
        prop_assert_eq!(again.len(), starts.len());
    }
}
