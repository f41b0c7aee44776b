//! Helpers, announced connections, timeout policies.

use std::time::Duration;

use redan_vm::ct::{CtKey, Direction, state, status};
use redan_vm::packet::protocol;
use redan_vm::ruleset::StateSpec;
use redan_vm::{Asked, Instant, Packet};

use super::packets::Builder;
use super::{EPOCH_SECS, Tunables};
use crate::conntrack::{Conntrack, CtDrop, TrackHook};

struct Bench {
    conntrack: Conntrack,
    builder: Builder,
    now: Instant,
}

fn helper(name: &str, l4proto: u8) -> StateSpec {
    StateSpec::CtHelper {
        name: name.to_owned(),
        l4proto,
        l3proto: None,
    }
}

impl Bench {
    fn new() -> Self {
        let tunables = Tunables {
            checksum: false,
            ..Tunables::default()
        };
        Self {
            conntrack: Conntrack::new(tunables, 7),
            builder: Builder::new([1000, 5000]),
            now: Instant::from_secs(EPOCH_SECS),
        }
    }

    /// A packet behind prerouting, its payload `text` where that is not empty.
    fn packet(&mut self, words: &str, text: &str) -> Packet {
        let len = format!("len={}", text.len().max(1));
        let mut words: Vec<&str> = words.split_whitespace().collect();
        if !text.is_empty() {
            words.push(&len);
        }
        let mut packet = self.builder.build(&words);
        let start = packet.frame.len() - text.len();
        packet.frame[start..].copy_from_slice(text.as_bytes());
        self.conntrack
            .handle_packet(self.now, &mut packet, TrackHook::Prerouting);
        packet
    }

    fn set(&mut self, packet: &mut Packet, object: &StateSpec) -> Asked {
        self.conntrack.set_object(self.now, packet, object)
    }

    fn pass(&mut self, words: &str, text: &str) -> Result<Packet, CtDrop> {
        let mut packet = self.packet(words, text);
        self.conntrack.confirm(self.now, &mut packet)?;
        Ok(packet)
    }

    /// An FTP connection with its helper, and a first line from each side.
    fn ftp() -> Self {
        let mut bench = Self::new();
        let mut syn = bench.packet("a>b S sport=21", "");
        assert_eq!(
            bench.set(&mut syn, &helper("ftp", protocol::TCP)),
            Asked::Done
        );
        bench.conntrack.confirm(bench.now, &mut syn).unwrap();
        for (words, text) in [
            ("b>a SA sport=21", ""),
            ("a>b A sport=21", ""),
            ("b>a PA sport=21", "220 hello\r\n"),
            ("a>b PA sport=21 ack=12", "USER a\r\n"),
        ] {
            bench.pass(words, text).unwrap();
        }
        bench
    }

    fn expected(&self) -> String {
        let mut text = String::new();
        self.conntrack
            .write_expect_proc(self.now, &mut text)
            .unwrap();
        text
    }
}

const PORT: &str = "PORT 10,0,1,2,156,65\r\n";

#[test]
fn an_active_ftp_connection_is_related() {
    let mut bench = Bench::ftp();
    let mut mark = bench.packet("a>b A sport=21 seq=9 ack=12", "");
    let value = 5_u32.to_le_bytes();
    bench.conntrack.store(&mut mark, CtKey::Mark, None, &value);
    bench.pass("a>b PA sport=21 seq=9 ack=12", PORT).unwrap();
    assert_eq!(
        bench.expected(),
        "300 l3proto = 2 proto=6 src=10.0.2.2 dst=10.0.1.2 sport=0 dport=40001 ftp\n"
    );
    let mut other = bench.packet("c>a S sport=20 cport=40001", "");
    assert_eq!(other.ct.state, state::NEW, "from elsewhere");
    bench.conntrack.release(&mut other);

    let mut data = bench.packet("b>a S sport=20 cport=40001", "");
    assert_eq!(data.ct.state, state::RELATED);
    assert_eq!(data.ct.mark, 5, "inherited");
    assert_eq!(data.ct.status & status::EXPECTED, status::EXPECTED);
    let mut name = [0; 16];
    let conntrack = &bench.conntrack;
    assert!(conntrack.load(bench.now, &data, CtKey::Helper, None, &mut name));
    assert_eq!(&name[..4], b"ftp\0");
    assert_eq!(bench.expected(), "", "it has come");
    bench.conntrack.confirm(bench.now, &mut data).unwrap();
    let answer = bench.pass("a>b SA sport=20 cport=40001", "").unwrap();
    assert_eq!(answer.ct.direction, Direction::Reply);
    let stats = bench.conntrack.stats();
    let counts = (stats.expect_new, stats.expect_create, stats.expect_delete);
    assert_eq!(counts, (1, 1, 1));
}

#[test]
fn a_passive_ftp_connection_is_related() {
    let mut bench = Bench::ftp();
    bench
        .pass(
            "b>a PA sport=21 seq=12 ack=9",
            "227 Entering Passive Mode (10,0,2,2,156,66)\r\n",
        )
        .unwrap();
    let data = bench.packet("a>b S sport=40002 cport=50000", "");
    assert_eq!(data.ct.state, state::RELATED);
}

#[test]
fn half_a_command_is_dropped_and_the_middle_of_a_line_is_none() {
    let mut bench = Bench::ftp();
    let dropped = bench.pass("a>b PA sport=21 seq=9 ack=12", "PORT 10,0,1,2,1");
    assert_eq!(dropped.map(|_| ()), Err(CtDrop::Helper));
    bench.pass("a>b PA sport=21 seq=10 ack=12", PORT).unwrap();
    assert_eq!(bench.expected(), "");
}

#[test]
fn what_is_announced_goes_with_its_time_and_its_master() {
    for is_flushed in [true, false] {
        let mut bench = Bench::ftp();
        bench.pass("a>b PA sport=21 seq=9 ack=12", PORT).unwrap();
        assert_eq!(bench.conntrack.expected(), 1);
        if is_flushed {
            bench.conntrack.flush(bench.now);
        } else {
            bench.now = bench.now + Duration::from_mins(5);
            assert!(bench.conntrack.poll_timeout() <= Some(bench.now));
            bench.conntrack.handle_timeout(bench.now);
        }
        assert_eq!(bench.conntrack.expected(), 0);
        let data = bench.packet("b>a S sport=20 cport=40001", "");
        assert_eq!(data.ct.state, state::NEW);
    }
}

#[test]
fn one_connection_announces_one_at_a_time_and_all_together_have_a_bound() {
    let mut bench = Bench::ftp();
    let second = "PORT 10,0,1,2,156,67\r\n";
    bench.pass("a>b PA sport=21 seq=9 ack=12", PORT).unwrap();
    let seq = 9 + PORT.len();
    bench
        .pass(&format!("a>b PA sport=21 seq={seq} ack=12"), second)
        .unwrap();
    assert!(bench.expected().contains("dport=40003"));
    assert_eq!(bench.conntrack.expected(), 1);

    let mut bench = Bench::ftp();
    bench.conntrack.tunables_mut().expect_max = 0;
    let refused = bench.pass("a>b PA sport=21 seq=9 ack=12", PORT);
    assert_eq!(refused.map(|_| ()), Err(CtDrop::Helper));
}

#[test]
fn a_tftp_answer_comes_from_any_port() {
    let mut bench = Bench::new();
    let mut request = bench.packet("a>b udp sport=69", "\0\u{1}file\0octet\0");
    bench.set(&mut request, &helper("tftp", protocol::UDP));
    bench.conntrack.confirm(bench.now, &mut request).unwrap();
    let info = bench.conntrack.entry_info(bench.now, &request).unwrap();
    assert_eq!(info.helper, Some("tftp"));
    let answer = bench.packet("b>a udp sport=3000", "");
    assert_eq!(answer.ct.state, state::RELATED);
}

#[test]
fn an_expectation_of_a_rule_lets_the_other_side_come_back() {
    let mut bench = Bench::new();
    let object = StateSpec::CtExpectation {
        l4proto: protocol::TCP,
        dport: 9000,
        timeout_ms: 3000,
        size: 1,
        l3proto: None,
    };
    let mut first = bench.packet("a>b udp", "");
    assert_eq!(bench.set(&mut first, &object), Asked::Done);
    assert_eq!(
        bench.set(&mut first, &object),
        Asked::Break,
        "one at a time"
    );
    bench.conntrack.confirm(bench.now, &mut first).unwrap();
    assert_eq!(bench.set(&mut first, &object), Asked::Break, "confirmed");
    let mut child = bench.packet("b>a S sport=20 cport=9000", "");
    assert_eq!(child.ct.state, state::RELATED);
    let mut name = [0; 16];
    let conntrack = &bench.conntrack;
    assert!(!conntrack.load(bench.now, &child, CtKey::Helper, None, &mut name));
    bench.conntrack.release(&mut child);
}

#[test]
fn a_policy_says_how_long_a_connection_lives() {
    let policy = |l4proto, states: &[(&str, u32)]| StateSpec::CtTimeout {
        l4proto,
        l3proto: None,
        policy: states
            .iter()
            .map(|(state, seconds)| ((*state).to_owned(), *seconds))
            .collect(),
    };
    let mut bench = Bench::new();
    let tcp = policy(protocol::TCP, &[("syn_sent", 7), ("established", 99)]);
    let udp = policy(protocol::UDP, &[("unreplied", 5)]);
    let left = |bench: &Bench, packet: &Packet| {
        let info = bench.conntrack.entry_info(bench.now, packet).unwrap();
        info.remaining.as_secs()
    };
    let mut syn = bench.packet("a>b S", "");
    bench.set(&mut syn, &udp);
    assert_eq!(left(&bench, &syn), 120, "another protocol's");
    bench.set(&mut syn, &tcp);
    bench.conntrack.confirm(bench.now, &mut syn).unwrap();
    assert_eq!(left(&bench, &syn), 7);
    let answer = bench.pass("b>a SA", "").unwrap();
    assert_eq!(left(&bench, &answer), 60, "not of the policy");
    let third = bench.pass("a>b A", "").unwrap();
    assert_eq!(left(&bench, &third), 99);
    let mut query = bench.packet("a>b udp", "");
    bench.set(&mut query, &udp);
    bench.conntrack.confirm(bench.now, &mut query).unwrap();
    let again = bench.pass("a>b udp", "").unwrap();
    assert_eq!(left(&bench, &again), 5);
}
