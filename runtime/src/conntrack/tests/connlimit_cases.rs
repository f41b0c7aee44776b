//! Lists of connections for `ct count`: who is counted, and until when.

use std::time::Duration;

use redan_vm::packet::layout_flags;
use redan_vm::{Instant, Packet};

use super::packets::Builder;
use super::{EPOCH_SECS, Script};
use crate::conntrack::{Conntrack, TrackHook, Tunables};

const NOW: Instant = Instant::from_secs(EPOCH_SECS);

/// A table and the packets that are sent through it, each counted in a list before it is confirmed.
struct Counted {
    conntrack: Conntrack,
    builder: Builder,
    now: Instant,
}

impl Counted {
    fn new(max: u32) -> Self {
        let tunables = Tunables {
            max,
            ..Tunables::default()
        };
        Self {
            conntrack: Conntrack::new(tunables, 7),
            builder: Builder::new([1000, 5000]),
            now: NOW,
        }
    }

    fn packet(&mut self, text: &str) -> Packet {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut packet = self.builder.build(&words);
        packet.layout.flags |= layout_flags::L4PROTO;
        self.conntrack
            .handle_packet(self.now, &mut packet, TrackHook::Prerouting);
        packet
    }

    /// How many there are for a packet that goes on.
    fn pass(&mut self, list: u64, text: &str) -> Option<u32> {
        let mut packet = self.packet(text);
        let count = self.conntrack.count_connection(self.now, &packet, list);
        self.conntrack.confirm(self.now, &mut packet).unwrap();
        count
    }

    /// How many there are for a packet that a rule drops then.
    fn drop(&mut self, list: u64, text: &str) -> Option<u32> {
        let mut packet = self.packet(text);
        let count = self.conntrack.count_connection(self.now, &packet, list);
        self.conntrack.release(&mut packet);
        count
    }
}

#[test]
fn a_connection_counts_once_in_each_list_whichever_way_its_packets_go() {
    let mut counted = Counted::new(100);
    for (list, text, count) in [
        (1, "a>b udp sport=1", 1),
        (1, "a>b udp sport=2", 2),
        (1, "a>b udp sport=1", 2),
        (2, "a>b udp sport=1", 1),
        (1, "a6>b6 udp sport=1", 3),
        (1, "a>c udp sport=3", 4),
        (2, "a>b udp sport=2", 2),
    ] {
        assert_eq!(counted.pass(list, text), Some(count), "{text}");
    }
    assert_eq!(counted.drop(1, "a>b udp sport=9"), Some(5));
    assert_eq!(counted.drop(1, "a>b udp sport=9"), Some(5), "it is gone");
    assert_eq!(counted.pass(1, "a>b udp sport=1"), Some(4));
    counted.conntrack.flush(NOW);
    assert_eq!(counted.pass(1, "a>b udp sport=1"), Some(1));
}

#[test]
fn what_is_over_counts_for_its_own_packets_alone() {
    let mut counted = Counted::new(100);
    for (text, count) in [
        ("a>b S", 1),
        ("b>a SA", 1),
        ("a>b A", 1),
        ("a>c udp", 2),
        ("a>b FA", 2),
        ("b>a A ack=2", 2),
        ("b>a FA ack=2", 2),
    ] {
        assert_eq!(counted.pass(1, text), Some(count), "{text}");
    }
    // The last acknowledgement takes it to TIME_WAIT.
    assert_eq!(counted.pass(1, "a>b A seq=2 ack=2"), Some(2));
    assert_eq!(counted.conntrack.counted(1), 1);
    assert_eq!(counted.pass(1, "a>c udp"), Some(1));
    assert_eq!(counted.pass(1, "a>b A seq=2 ack=2"), Some(2));
}

#[test]
fn what_has_expired_counts_no_more_though_the_wheel_has_not_come_to_it() {
    let mut counted = Counted::new(100);
    counted.now = NOW + Duration::from_millis(100);
    assert_eq!(counted.pass(1, "a>b udp sport=1"), Some(1));
    counted.now = counted.now + Duration::from_secs(30);
    assert_eq!(counted.pass(1, "a>b udp sport=2"), Some(1));
}

#[test]
fn a_list_that_nobody_asks_for_leaves_nothing() {
    let mut counted = Counted::new(100);
    for list in 1..3_000 {
        assert_eq!(counted.pass(list, "a>b udp sport=1"), Some(1));
        assert_eq!(counted.pass(list, "a>b udp sport=2"), Some(2));
        counted.conntrack.forget_list(list);
        assert_eq!(counted.conntrack.counted(list), 0);
    }
    assert_eq!(counted.conntrack.lists.places(), (2, 1));
    assert_eq!(counted.pass(5, "a>b udp sport=1"), Some(1));
}

#[test]
fn strangers_fill_lists_no_further_than_the_table() {
    let mut counted = Counted::new(500);
    for port in 1..20_000 {
        let count = counted.pass(1, &format!("a>b udp sport={port}")).unwrap();
        assert!(count <= 500);
        assert_eq!(
            counted.conntrack.counted(1) as usize,
            counted.conntrack.count()
        );
    }
    let (members, lists) = counted.conntrack.lists.places();
    assert!(members <= 501, "{members}");
    assert_eq!(lists, 1);
}

#[test]
fn a_slot_that_has_been_used_again_many_times_is_not_taken_for_the_entry_before() {
    let mut counted = Counted::new(100);
    let stale = counted.packet("a>b udp sport=1");
    let mut packet = stale.clone();
    counted.conntrack.release(&mut packet);
    for _ in 0..300 {
        let mut packet = counted.packet("a>b udp sport=2");
        assert_eq!(packet.ct.entry, stale.ct.entry);
        assert!(counted.conntrack.entry_info(NOW, &stale).is_none());
        counted.conntrack.release(&mut packet);
    }
}

#[test]
fn a_flood_of_half_open_connections_costs_no_ping_and_no_connection() {
    let mut script = Script::new([1000, 5000]);
    script.run(
        "
        0 a>b S => new
        0 b>a SA => est
        0 a>b A => est
        0 a>b icmp id=7 => new
        0 b>a icmp type=0 id=7 => est
        ",
    );
    for port in 1..20_000 {
        let dst = ["b", "c"][port % 2];
        script.run(&format!("1 c>{dst} S sport={port} => new"));
        if port % 100 == 0 {
            script.run("1 a>b icmp id=7 => est\n1 b>a icmp type=0 id=7 => est\n1 a>b A => est");
        }
    }
    assert!((950..=1000).contains(&script.conntrack.count()));
    assert!(script.conntrack.stats().early_drop > 18_000);
}
