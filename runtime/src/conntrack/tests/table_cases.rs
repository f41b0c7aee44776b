//! The table: confirmation, generated packets, zones, limits, timers, events, keys.

use redan_vm::Instant;
use redan_vm::ct::{CtKey, Direction, state, status};

use super::packets::Builder;
use super::{EPOCH_SECS, Script};
use crate::conntrack::{Conntrack, CtDrop, EventKind, Track, TrackHook, Tunables, change};

const NOW: Instant = Instant::from_secs(EPOCH_SECS);

fn table(max: u32) -> (Conntrack, Builder) {
    let tunables = Tunables {
        max,
        ..Tunables::default()
    };
    (Conntrack::new(tunables, 7), Builder::new([1000, 5000]))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Sends a packet through to its confirmation.
fn pass(conntrack: &mut Conntrack, builder: &mut Builder, now: Instant, text: &str) -> Track {
    let mut packet = builder.build(&words(text));
    let track = conntrack.handle_packet(now, &mut packet, TrackHook::Prerouting);
    if matches!(track, Track::Drop(_)) {
        conntrack.release(&mut packet);
    } else {
        conntrack.confirm(now, &mut packet).unwrap();
    }
    track
}

#[test]
fn state_is_invalid_before_conntrack_has_run() {
    let (_, mut builder) = table(10);
    assert_eq!(builder.build(&words("a>b udp")).ct.state, state::INVALID);
}

#[test]
fn second_pass_leaves_the_packet_alone() {
    let (mut conntrack, mut builder) = table(10);
    let mut packet = builder.build(&words("a>b S"));
    conntrack.handle_packet(NOW, &mut packet, TrackHook::Output);
    conntrack.confirm(NOW, &mut packet).unwrap();
    let before = packet.ct;
    let again = conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
    assert_eq!((again, packet.ct), (Track::Tracked, before));
    conntrack.confirm(NOW, &mut packet).unwrap();
    assert_eq!(conntrack.count(), 1);
}

#[test]
fn answer_made_here_is_related_and_confirms_nothing() {
    let (mut conntrack, mut builder) = table(10);
    let mut packet = builder.build(&words("a>b S"));
    conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
    let mut reset = builder.build(&words("b>a RA"));
    conntrack.attach_related(&mut reset, &packet);
    let track = conntrack.handle_packet(NOW, &mut reset, TrackHook::Output);
    assert_eq!(track, Track::Tracked);
    assert_eq!(
        (reset.ct.state, reset.ct.direction),
        (state::RELATED, Direction::Reply)
    );
    conntrack.release(&mut packet);
    conntrack.release(&mut packet);
    assert_eq!(conntrack.count(), 1, "the reset holds the entry");
    conntrack.confirm(NOW, &mut reset).unwrap();
    assert_eq!(conntrack.count(), 0);
}

#[test]
fn killed_entry_stays_readable_for_its_packet() {
    let (mut conntrack, mut builder) = table(10);
    pass(&mut conntrack, &mut builder, NOW, "a>b S");
    let mut reset = builder.build(&words("b>a RA"));
    conntrack.handle_packet(NOW, &mut reset, TrackHook::Prerouting);
    assert_eq!(conntrack.entries(NOW).count(), 0);
    let mut proto = [0];
    assert!(conntrack.load(NOW, &reset, CtKey::Protocol, None, &mut proto));
    conntrack.confirm(NOW, &mut reset).unwrap();
    assert_eq!(conntrack.count(), 0);
}

#[test]
fn entry_deleted_under_way_drops_an_unconfirmed_packet_only() {
    let (mut conntrack, mut builder) = table(10);
    let mut packet = builder.build(&words("a>b udp"));
    conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
    conntrack.confirm(NOW, &mut packet).unwrap();
    let mut second = builder.build(&words("a>b udp"));
    conntrack.handle_packet(NOW, &mut second, TrackHook::Prerouting);
    assert_eq!(conntrack.flush(NOW), 1);
    assert_eq!(conntrack.confirm(NOW, &mut second), Ok(()));
    assert_eq!(conntrack.count(), 0);
}

#[test]
fn clash_of_two_udp_packets_merges_and_of_two_syns_drops() {
    for (kind, expected) in [("udp", Ok(())), ("S", Err(CtDrop::Clash))] {
        let (mut conntrack, mut builder) = table(10);
        let text = format!("a>b {kind}");
        let mut first = builder.build(&words(&text));
        let mut second = builder.build(&words(&text));
        conntrack.handle_packet(NOW, &mut first, TrackHook::Prerouting);
        conntrack.handle_packet(NOW, &mut second, TrackHook::Prerouting);
        assert_eq!(conntrack.count(), 2);
        conntrack.confirm(NOW, &mut first).unwrap();
        assert_eq!(conntrack.confirm(NOW, &mut second), expected);
        assert_eq!(conntrack.count(), 1);
        let resolved = u64::from(expected.is_ok());
        assert_eq!(conntrack.stats().clash_resolve, resolved);
        assert_eq!(conntrack.stats().insert_failed, 1 - resolved);
    }
}

#[test]
fn full_table_evicts_what_is_not_assured_or_drops() {
    let (mut conntrack, mut builder) = table(200);
    for port in 1..=200 {
        let text = format!("a>b udp cport={port}");
        pass(&mut conntrack, &mut builder, NOW, &text);
    }
    let track = pass(&mut conntrack, &mut builder, NOW, "a>b udp cport=201");
    assert_eq!(track, Track::Tracked);
    assert!(conntrack.stats().early_drop >= 1);

    let (mut conntrack, mut builder) = table(2);
    let later = NOW + std::time::Duration::from_secs(3);
    for port in 1..=2 {
        for (now, way) in [(NOW, "a>b"), (NOW, "b>a"), (later, "a>b")] {
            let text = format!("{way} udp cport={port}");
            pass(&mut conntrack, &mut builder, now, &text);
        }
    }
    let track = pass(&mut conntrack, &mut builder, later, "a>b udp cport=4");
    assert_eq!(track, Track::Drop(CtDrop::Limit));
    assert_eq!((conntrack.stats().drop, conntrack.count()), (1, 2));
}

#[test]
fn pressure_evicts_closing_connections() {
    let (mut conntrack, mut builder) = table(1);
    for text in [
        "a>b S",
        "b>a SA",
        "a>b A",
        "a>b FA",
        "b>a FA ack=2",
        "a>b A seq=2 ack=2",
    ] {
        pass(&mut conntrack, &mut builder, NOW, text);
    }
    let blocked = pass(&mut conntrack, &mut builder, NOW, "a>b S cport=1");
    assert_eq!(blocked, Track::Drop(CtDrop::Limit));
    assert_eq!(conntrack.poll_timeout(), Some(NOW));
    conntrack.handle_timeout(NOW);
    assert_eq!(conntrack.count(), 0);
    let passed = pass(&mut conntrack, &mut builder, NOW, "a>b S cport=1");
    assert_eq!(passed, Track::Tracked);
}

#[test]
fn zone_on_one_side_keeps_answers_apart_unless_it_is_the_original_one() {
    let cases = [
        (None, None, state::NEW),
        (Some(Direction::Original), None, state::ESTABLISHED),
        (None, Some(None), state::ESTABLISHED),
    ];
    for (first, second, expected) in cases {
        let (mut conntrack, mut builder) = table(10);
        let mut packet = builder.build(&words("a>b udp"));
        conntrack.store(&mut packet, CtKey::Zone, first, &7_u16.to_le_bytes());
        assert_eq!(packet.ct.state, state::NEW);
        conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
        conntrack.confirm(NOW, &mut packet).unwrap();
        let mut answer = builder.build(&words("b>a udp"));
        if let Some(direction) = second {
            conntrack.store(&mut answer, CtKey::Zone, direction, &7_u16.to_le_bytes());
        }
        conntrack.handle_packet(NOW, &mut answer, TrackHook::Prerouting);
        assert_eq!(answer.ct.state, expected, "{first:?} {second:?}");
        let mut zone = [0; 2];
        conntrack.load(NOW, &answer, CtKey::Zone, Some(Direction::Reply), &mut zone);
    }
}

#[test]
fn timers_remove_entries_in_time() {
    let (mut conntrack, mut builder) = table(10);
    pass(&mut conntrack, &mut builder, NOW, "a>b udp");
    pass(&mut conntrack, &mut builder, NOW, "a>b S");
    for text in ["b>a SA", "a>b A"] {
        pass(&mut conntrack, &mut builder, NOW, text);
    }
    let mut expired = Vec::new();
    while let Some(due) = conntrack.poll_timeout() {
        let before = conntrack.count();
        conntrack.handle_timeout(due);
        if conntrack.count() < before {
            expired.push(due.since(NOW).as_secs());
        }
        assert!(expired.len() < 10);
    }
    assert_eq!(expired, [30, 432_000]);
}

#[test]
fn shorter_life_moves_the_timer() {
    let (mut conntrack, mut builder) = table(10);
    for text in ["a>b S", "b>a SA", "a>b A", "b>a R"] {
        pass(&mut conntrack, &mut builder, NOW, text);
    }
    conntrack.handle_timeout(NOW + std::time::Duration::from_secs(10));
    assert_eq!(conntrack.count(), 0);
}

#[test]
fn events_of_a_connection() {
    let mut script = Script::new([1000, 5000]);
    script.conntrack.set_events(true);
    script.run(
        "
        0 a>b S => new
        0 b>a SA => est
        0 a>b A => est
        0 a>b A => est
        0 a>b FA => est
        0 b>a FA ack=2 => est
        0 a>b A seq=2 ack=2 => est
        ",
    );
    script.conntrack.flush(script.now);
    let events: Vec<_> = std::iter::from_fn(|| script.conntrack.poll_event())
        .map(|event| (event.kind, event.entry.state.unwrap()))
        .collect();
    assert_eq!(
        events,
        [
            (EventKind::New, "SYN_SENT"),
            (EventKind::Update, "SYN_RECV"),
            (EventKind::Update, "ESTABLISHED"),
            (EventKind::Update, "FIN_WAIT"),
            (EventKind::Update, "LAST_ACK"),
            (EventKind::Update, "TIME_WAIT"),
            (EventKind::Destroy, "TIME_WAIT"),
        ]
    );
}

#[test]
fn no_events_without_a_reader() {
    let (mut conntrack, mut builder) = table(10);
    pass(&mut conntrack, &mut builder, NOW, "a>b udp");
    assert!(conntrack.poll_event().is_none());
    conntrack.set_events(true);
    pass(&mut conntrack, &mut builder, NOW, "b>a udp");
    let event = conntrack.poll_event().unwrap();
    assert_eq!(
        (event.kind, event.changes),
        (EventKind::Update, change::REPLY)
    );
}

#[test]
fn keys_load_what_listings_show() {
    let (mut conntrack, mut builder) = table(10);
    conntrack.tunables_mut().acct = true;
    pass(&mut conntrack, &mut builder, NOW, "a>b udp");
    let mut packet = builder.build(&words("b>a udp"));
    conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
    conntrack.store(&mut packet, CtKey::Mark, None, &0x17_u32.to_le_bytes());
    assert_eq!(packet.ct.mark, 0x17);
    let seen = status::SEEN_REPLY | status::CONFIRMED;
    let cases: [(CtKey, Option<Direction>, &[u8]); 15] = [
        (CtKey::State, None, &state::ESTABLISHED.to_le_bytes()),
        (CtKey::Direction, None, &[1]),
        (CtKey::Status, None, &seen.to_le_bytes()),
        (CtKey::Mark, None, &0x17_u32.to_le_bytes()),
        (CtKey::Expiration, None, &30_000_u32.to_le_bytes()),
        (CtKey::L3proto, None, &[2]),
        (CtKey::Protocol, None, &[17]),
        (CtKey::SaddrIp, Some(Direction::Original), &[10, 0, 1, 2]),
        (CtKey::DaddrIp, Some(Direction::Reply), &[10, 0, 1, 2]),
        (
            CtKey::ProtoSrc,
            Some(Direction::Original),
            &40000_u16.to_be_bytes(),
        ),
        (
            CtKey::ProtoDst,
            Some(Direction::Original),
            &80_u16.to_be_bytes(),
        ),
        (CtKey::Packets, None, &2_u64.to_le_bytes()),
        (CtKey::Bytes, Some(Direction::Reply), &29_u64.to_le_bytes()),
        (CtKey::Avgpkt, None, &29_u64.to_le_bytes()),
        (CtKey::Zone, None, &[0, 0]),
    ];
    for (key, direction, expected) in cases {
        let mut out = vec![0xee; expected.len()];
        assert!(
            conntrack.load(NOW, &packet, key, direction, &mut out),
            "{key:?}"
        );
        assert_eq!(out, expected, "{key:?}");
    }
    let mut out = [0; 16];
    for key in [CtKey::SaddrIp6, CtKey::Helper, CtKey::Event] {
        assert!(!conntrack.load(NOW, &packet, key, Some(Direction::Original), &mut out));
    }
    conntrack.release(&mut packet);
    assert!(!conntrack.load(NOW, &packet, CtKey::Status, None, &mut out));
}

#[test]
fn many_entries_are_found_and_removed() {
    let (mut conntrack, mut builder) = table(0);
    let names: Vec<String> = (0..5000)
        .map(|at| format!("a>b udp cport={} sport={}", at % 65536, at / 7))
        .collect();
    for name in &names {
        pass(&mut conntrack, &mut builder, NOW, name);
    }
    assert_eq!(conntrack.entries(NOW).count(), names.len());
    for name in &names {
        let answer = name.replace("a>b", "b>a");
        let mut packet = builder.build(&words(&answer));
        conntrack.handle_packet(NOW, &mut packet, TrackHook::Prerouting);
        assert_eq!(packet.ct.state, state::ESTABLISHED, "{name}");
    }
    assert_eq!(conntrack.count(), names.len());
    let end = NOW + std::time::Duration::from_secs(40);
    while conntrack.poll_timeout().is_some_and(|due| due <= end) {
        conntrack.handle_timeout(end);
    }
    assert_eq!(conntrack.count(), 0);
}
