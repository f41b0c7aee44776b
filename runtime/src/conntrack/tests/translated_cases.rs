//! Connections whose answers do not mirror them.

use redan_vm::ct::{Direction, state, status};
use redan_vm::{Instant, Packet};

use super::packets::Builder;
use super::{EPOCH_SECS, Tunables};
use crate::conntrack::{Conntrack, CtDrop, TrackHook, Tuple};

const NOW: Instant = Instant::from_secs(EPOCH_SECS);
const SNAT: u32 = status::SRC_NAT | status::SRC_NAT_DONE;

struct Bench {
    conntrack: Conntrack,
    builder: Builder,
}

impl Bench {
    fn new() -> Self {
        Self {
            conntrack: Conntrack::new(Tunables::default(), 7),
            builder: Builder::new([1000, 5000]),
        }
    }

    fn packet(&mut self, text: &str) -> Packet {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut packet = self.builder.build(&words);
        self.conntrack
            .handle_packet(NOW, &mut packet, TrackHook::Prerouting);
        packet
    }

    /// Translates the source of a new connection to `c` and a port.
    fn snat(&mut self, packet: &mut Packet, port: u16) -> Tuple {
        let [_, mut reply] = self.conntrack.tuples(packet).unwrap();
        reply.dst[..4].copy_from_slice(&[10, 0, 3, 2]);
        reply.dst_key = port;
        assert!(self.conntrack.set_reply(packet, &reply, SNAT));
        reply
    }

    fn confirm(&mut self, packet: &mut Packet) -> Result<(), CtDrop> {
        self.conntrack.confirm(NOW, packet)
    }
}

#[test]
fn answers_are_found_by_the_reply_tuple_alone() {
    let mut bench = Bench::new();
    let mut first = bench.packet("a>b udp");
    let reply = bench.snat(&mut first, 6000);
    bench.confirm(&mut first).unwrap();
    assert_eq!(first.ct.status & SNAT, SNAT);

    let answer = bench.packet("b>c udp cport=6000");
    assert_eq!(answer.ct.state, state::ESTABLISHED);
    assert_eq!(answer.ct.direction, Direction::Reply);
    let mirror = bench.packet("b>a udp");
    assert_eq!(mirror.ct.state, state::NEW);

    let info = bench.conntrack.entry_info(NOW, &answer).unwrap();
    assert_eq!(info.reply, reply);
    let mut text = String::new();
    bench.conntrack.write_proc(NOW, &mut text).unwrap();
    assert!(
        text.contains("src=10.0.2.2 dst=10.0.3.2 sport=80 dport=6000 mark=0"),
        "{text}"
    );
    assert!(!bench.conntrack.set_reply(&mut first, &reply, SNAT));
}

#[test]
fn a_tuple_is_taken_while_its_connection_lives() {
    let mut bench = Bench::new();
    let mut first = bench.packet("a>b udp");
    let reply = bench.snat(&mut first, 6000);
    let second = bench.packet("a>b udp cport=40001");
    let same = bench.packet("a>b udp");
    assert!(!bench.conntrack.is_taken(NOW, &second, &reply), "not yet");
    bench.confirm(&mut first).unwrap();
    assert!(bench.conntrack.is_taken(NOW, &second, &reply));
    assert!(!bench.conntrack.is_taken(NOW, &first, &reply), "its own");
    assert!(!bench.conntrack.is_taken(NOW, &same, &reply), "same flow");
    let later = Instant::from_secs(EPOCH_SECS + 31);
    assert!(!bench.conntrack.is_taken(later, &second, &reply));
}

#[test]
fn two_that_want_one_reply_tuple_clash() {
    for kind in ["udp", "S"] {
        let mut bench = Bench::new();
        let mut first = bench.packet(&format!("a>b {kind}"));
        let mut second = bench.packet(&format!("a>b {kind} cport=40001"));
        bench.snat(&mut first, 6000);
        bench.snat(&mut second, 6000);
        bench.confirm(&mut first).unwrap();
        assert_eq!(bench.confirm(&mut second), Err(CtDrop::Clash), "{kind}");
        assert_eq!(bench.conntrack.count(), 1);
        assert_eq!(bench.conntrack.stats().insert_failed, 1);
    }
}

#[test]
fn a_udp_clash_with_a_free_reply_tuple_waits_a_second_for_its_answer() {
    let mut bench = Bench::new();
    let mut first = bench.packet("a>b udp");
    let mut second = bench.packet("a>b udp");
    bench.snat(&mut first, 6000);
    bench.snat(&mut second, 6001);
    bench.confirm(&mut first).unwrap();
    bench.confirm(&mut second).unwrap();
    assert_eq!(bench.conntrack.stats().clash_resolve, 1);
    assert_eq!(bench.conntrack.count(), 2);
    assert_eq!(bench.conntrack.entries(NOW).count(), 1, "it is not shown");
    for port in [6000, 6001] {
        let answer = bench.packet(&format!("b>c udp cport={port}"));
        assert_eq!(answer.ct.direction, Direction::Reply, "{port}");
    }
    bench
        .conntrack
        .handle_timeout(Instant::from_secs(EPOCH_SECS + 2));
    assert_eq!(bench.conntrack.count(), 1);
}

#[test]
fn what_lies_beside_an_entry_is_freed_with_it() {
    use redan_vm::ct::CtKey;
    let mut bench = Bench::new();
    for _ in 0..3 {
        let mut first = bench.packet("a>b udp");
        bench.snat(&mut first, 6000);
        let (labels, secmark) = ([1; 16], 7_u32.to_le_bytes());
        let conntrack = &mut bench.conntrack;
        conntrack.store(&mut first, CtKey::Label, None, &labels);
        conntrack.store(&mut first, CtKey::Secmark, None, &secmark);
        bench.confirm(&mut first).unwrap();
        let info = bench.conntrack.entry_info(NOW, &first).unwrap();
        assert_eq!(
            (info.labels, info.secmark),
            (u128::from_le_bytes(labels), 7)
        );
        bench.conntrack.flush(NOW);
        let mut dropped = bench.packet("a>b udp");
        bench.snat(&mut dropped, 6000);
        bench.conntrack.release(&mut dropped);
    }
    assert_eq!(bench.conntrack.table.extension_places(), (1, 1));
}
