//! Floods from strangers, beside a connection and a ping that lose nothing. What each flood fills is bounded: how far is asserted where the
//! tables are (`runtime/src`); here whole datapaths are flooded, and their counters say what had to go.
//!
//! `cargo test --release --test bounds -- --ignored --nocapture` sends ten million frames of each kind and prints what memory they took.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and the long run says what it has found"
)]

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use redan_lang::compile::{Options, compile};
use redan_lang::parse;
use redan_lang::source::Sources;
use redan_runtime::{
    Checksums, Datapath, Mode, OutFrame, Port, PortId, Reason, Settings, Silent, Site,
};
use redan_vm::packet::{arp, ethernet, ethertype, icmp::icmp_type, ipv4, ipv6, protocol, tcp, udp};
use redan_vm::{Instant, Interpreter};

/// What strangers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flood {
    /// Packets to addresses behind which nobody is.
    Neighbours,
    /// Questions for the router's own address, each from another neighbour.
    Claims,
    /// Frames from made-up stations of a wire.
    Stations,
    /// First fragments whose rest never comes.
    Fragments,
    /// Connections from made-up addresses, which a rule counts by address.
    Counted,
    /// SYNs that nobody answers.
    HalfOpen,
}

const FLOODS: [Flood; 6] = [
    Flood::Neighbours,
    Flood::Claims,
    Flood::Stations,
    Flood::Fragments,
    Flood::Counted,
    Flood::HalfOpen,
];

const RULES: &str = "
table inet filter {
    set many {
        type ipv4_addr
        size 65535
        flags dynamic
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        ct state invalid drop
        udp dport 9 add @many { ip saddr ct count over 20 } drop
        tcp dport 22 accept
        meta l4proto { icmp, ipv6-icmp, udp } accept
    }
}
";

const START: Instant = Instant::from_secs(1_700_000_000);
/// Time between two frames of a flood.
const STEP: Duration = Duration::from_micros(20);
/// Frames of a flood between two exchanges of those who are in use.
const BETWEEN: u64 = 500;

/// The two hosts that are in use.
const HOSTS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 1, 0, 2), Ipv4Addr::new(10, 2, 0, 2)];
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 1, 2], [2, 0, 0, 0, 2, 2]];
const ROUTER: [[u8; 6]; 2] = [[2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 2, 1]];

/// A datapath under a flood.
struct Lab {
    datapath: Datapath,
    is_wire: bool,
    now: Instant,
    out: Vec<OutFrame>,
    random: u64,
    lost: u64,
    exchanges: u64,
}

impl Lab {
    /// A wire or a router, with room for so many connections.
    fn new(is_wire: bool, connections: u64) -> Self {
        let mut sources = Sources::new();
        let root = sources.add("flood.rules", RULES.to_owned());
        let (file, _) = parse::parse(&mut sources, root, &parse::NoLoader, &[]);
        let (ruleset, findings) = compile(file, &sources, &Options::default());
        let ruleset = Arc::new(ruleset.unwrap_or_else(|| panic!("{findings:?}")));
        let port = |name: &str, index: usize, addresses: &[&str]| Port {
            addresses: addresses
                .iter()
                .map(|a| a.parse().expect("a prefix"))
                .collect(),
            ..Port::new(name, index)
        };
        let (lan, wan): (&[&str], &[&str]) = if is_wire {
            (&[], &[])
        } else {
            (
                &["10.1.0.1/16", "fd01::1/64"],
                &["10.2.0.1/16", "fd02::1/64"],
            )
        };
        let mut ports = vec![port("lan0", 0, lan), port("wan0", 1, wan)];
        if is_wire {
            ports.push(port("dmz0", 2, &[]));
        }
        let settings = Settings {
            site: Site {
                mode: if is_wire { Mode::Wire } else { Mode::Router },
                ports,
                conntrack: [("max".to_owned(), connections)].into(),
                ..Site::default()
            },
            live: true,
            checksums: Checksums::Ignore,
            seed: 0x5eed,
            ..Settings::default()
        };
        let engine = Box::new(Interpreter::new(&ruleset));
        let datapath = Datapath::new(ruleset, engine, Box::new(Silent), settings);
        let mut lab = Self {
            datapath: datapath.expect("a sound site"),
            is_wire,
            now: START,
            out: Vec::new(),
            random: 1,
            lost: 0,
            exchanges: 0,
        };
        lab.open();
        lab
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
        self.random >> 16
    }

    /// A frame comes in; what leaves is in `self.out`.
    fn send(&mut self, port: usize, frame: Vec<u8>) {
        self.out.clear();
        let port = PortId(u16::try_from(port).unwrap_or(0));
        self.datapath
            .handle_frame(self.now, port, frame.into(), &mut self.out);
    }

    /// The link header of a frame from one of the hosts to the other.
    fn link(&self, from: usize) -> [u8; 14] {
        let to = if self.is_wire {
            MACS[1 - from]
        } else {
            ROUTER[from]
        };
        ethernet::emit(to, MACS[from], ethertype::IPV4)
    }

    /// A packet from one of the hosts to the other, through a middle that may have to ask where that is; whether it arrived.
    fn passes(&mut self, from: usize, l4proto: u8, transport: &[u8]) -> bool {
        let len = u16::try_from(transport.len()).unwrap_or(0);
        let mut frame = self.link(from).to_vec();
        frame.extend(ipv4::emit(HOSTS[from], HOSTS[1 - from], l4proto, 64, len));
        frame.extend(transport);
        self.send(from, frame);
        let is_question = |frame: &OutFrame| frame.bytes[12..14] == [8, 6];
        if self.out.iter().any(is_question) {
            let question = arp_frame(
                arp::operation::REPLY,
                (MACS[1 - from], HOSTS[1 - from]),
                (
                    ROUTER[1 - from],
                    Ipv4Addr::from_bits(HOSTS[1 - from].to_bits() - 1),
                ),
            );
            let before = std::mem::take(&mut self.out);
            self.send(1 - from, question);
            self.out.extend(before);
        }
        let arrived = |frame: &&OutFrame| {
            usize::from(frame.port.0) == 1 - from && frame.bytes[34..].starts_with(transport)
        };
        self.out.iter().filter(arrived).count() == 1
    }

    fn exchange(&mut self, packets: &[(usize, u8, Vec<u8>)]) {
        for (from, l4proto, transport) in packets {
            self.exchanges += 1;
            self.lost += u64::from(!self.passes(*from, *l4proto, transport));
        }
    }

    /// Opens the connection and sends the first ping.
    fn open(&mut self) {
        self.exchange(&[
            (0, protocol::TCP, segment(0, tcp::flags::SYN, 100, 0)),
            (
                1,
                protocol::TCP,
                segment(1, tcp::flags::SYN | tcp::flags::ACK, 900, 101),
            ),
            (0, protocol::TCP, segment(0, tcp::flags::ACK, 101, 901)),
        ]);
        self.exchange(&pings());
        assert_eq!(self.lost, 0, "before the flood");
    }

    fn flood(&mut self, flood: Flood, frames: u64) {
        for n in 0..frames {
            self.now = self.now + STEP;
            let (port, frame) = self.stranger(flood);
            self.send(port, frame);
            if n % BETWEEN != 0 {
                continue;
            }
            if self
                .datapath
                .poll_timeout()
                .is_some_and(|at| at <= self.now)
            {
                self.out.clear();
                self.datapath.handle_timeout(self.now, &mut self.out);
            }
            self.exchange(&[
                (0, protocol::TCP, segment(0, tcp::flags::ACK, 101, 901)),
                (1, protocol::TCP, segment(1, tcp::flags::ACK, 901, 101)),
            ]);
            self.exchange(&pings());
        }
    }

    /// A frame of the flood, and the port by which it comes.
    fn stranger(&mut self, flood: Flood) -> (usize, Vec<u8>) {
        let number = self.random();
        let [.., a, b, c, d] = number.to_be_bytes();
        let v6 = number & (1 << 40) != 0;
        let any = Ipv4Addr::new(a | 1, b, c, d);
        let behind =
            |net: u16| Ipv6Addr::from_bits(u128::from(net) << 112 | u128::from(number << 8 | 0xff));
        let payload = udp_bytes(9, 4);
        let (src, dst) = (HOSTS[0], HOSTS[1]);
        let mut frame = ethernet::emit(ROUTER[0], MACS[0], ethertype::IPV4).to_vec();
        if v6 && matches!(flood, Flood::Neighbours | Flood::Fragments) {
            frame = ethernet::emit(ROUTER[0], MACS[0], ethertype::IPV6).to_vec();
        }
        match flood {
            Flood::Neighbours if v6 => {
                frame.extend(ipv6::emit(
                    behind(0xfd01),
                    behind(0xfd02),
                    protocol::UDP,
                    64,
                    12,
                ));
                frame.extend(udp_bytes(8, 4));
            }
            Flood::Neighbours => {
                let nobody = Ipv4Addr::new(10, 2, 1 | c, d);
                frame.extend(ipv4::emit(src, nobody, protocol::UDP, 64, 12));
                frame.extend(udp_bytes(8, 4));
            }
            Flood::Claims => {
                let claimed = (MACS[0], Ipv4Addr::new(10, 1, 1 | c, d));
                let router = ([0; 6], Ipv4Addr::new(10, 1, 0, 1));
                frame = arp_frame(arp::operation::REQUEST, claimed, router);
            }
            Flood::Stations => {
                frame =
                    ethernet::emit([0xff; 6], [2, 0x10 | a, b, c, d, a], ethertype::IPV4).to_vec();
                frame.extend(ipv4::emit(any, Ipv4Addr::BROADCAST, 253, 64, 0));
            }
            Flood::Fragments if v6 => {
                frame.extend(ipv6::emit(
                    behind(0xfd01),
                    behind(0xfd02),
                    ipv6::next_header::FRAGMENT,
                    64,
                    16,
                ));
                frame.extend([protocol::UDP, 0, 0, 1, a, b, c, d]);
                frame.extend(&payload[..8]);
            }
            Flood::Fragments => {
                let mut header = ipv4::emit(any, dst, protocol::UDP, 64, 8);
                if let Some(mut ip) = redan_vm::packet::Ipv4::new_checked(&mut header) {
                    ip.set_id(u16::from_be_bytes([c, d]));
                    ip.set_frag_off(ipv4::frag::MF);
                    ip.fill_checksum();
                }
                frame.extend(header);
                frame.extend(&payload[..8]);
            }
            Flood::Counted => {
                frame.extend(ipv4::emit(any, dst, protocol::UDP, 64, 12));
                frame.extend(&payload);
            }
            Flood::HalfOpen => {
                frame.extend(ipv4::emit(any, dst, protocol::TCP, 64, 20));
                frame.extend(segment(0, tcp::flags::SYN, 1, 0));
            }
        }
        (0, frame)
    }
}

/// A segment of the connection from one of the hosts.
fn segment(from: usize, flags: u8, seq: u32, ack: u32) -> Vec<u8> {
    let mut bytes = vec![0; tcp::LEN];
    let mut header = redan_vm::packet::Tcp::new_checked(bytes.as_mut_slice()).expect("room");
    header.set_src_port([40_000, 22][from]);
    header.set_dst_port([22, 40_000][from]);
    header.set_seq(seq);
    header.set_ack(ack);
    header.set_data_offset(0x50);
    header.set_flags(flags);
    header.set_window(1000);
    bytes
}

fn udp_bytes(dst_port: u16, payload: usize) -> Vec<u8> {
    let mut bytes = vec![0; udp::LEN + payload];
    let mut header = redan_vm::packet::Udp::new_checked(bytes.as_mut_slice()).expect("room");
    header.set_src_port(7);
    header.set_dst_port(dst_port);
    header.set_len(u16::try_from(udp::LEN + payload).unwrap_or(0));
    bytes
}

/// A ping and its answer.
fn pings() -> [(usize, u8, Vec<u8>); 2] {
    [(0, icmp_type::ECHO_REQUEST), (1, icmp_type::ECHO_REPLY)]
        .map(|(from, kind)| (from, protocol::ICMP, vec![kind, 0, 0, 0, 0, 7, 0, 1]))
}

fn arp_frame(
    operation: u16,
    (from, sender): ([u8; 6], Ipv4Addr),
    (to, target): ([u8; 6], Ipv4Addr),
) -> Vec<u8> {
    let mut frame = ethernet::emit([0xff; 6], from, ethertype::ARP).to_vec();
    frame.extend([0, 1, 8, 0, 6, 4]);
    frame.extend(operation.to_be_bytes());
    for (link, address) in [(from, sender), (to, target)] {
        frame.extend(link);
        frame.extend(address.octets());
    }
    frame
}

/// Memory of this process that is in use, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0)
        * 4
}

/// The counters that say what a flood has cost, in one line.
fn costs(datapath: &Datapath) -> String {
    let mut line = String::new();
    for reason in Reason::ALL {
        let count = datapath.counters().dropped(*reason);
        if count != 0 {
            _ = write!(line, " {}={count}", reason.name());
        }
    }
    if let Some(conntrack) = datapath.conntrack() {
        let early = conntrack.stats().early_drop;
        _ = write!(
            line,
            " connections={} early_drop={early}",
            conntrack.count()
        );
    }
    line
}

#[test]
fn what_is_in_use_loses_nothing_under_any_flood() {
    for flood in FLOODS {
        let mut lab = Lab::new(flood == Flood::Stations, 4096);
        lab.flood(flood, 12_000);
        assert_eq!(lab.lost, 0, "{flood:?}:{}", costs(&lab.datapath));
        assert!(lab.exchanges > 90);
        let counter = match flood {
            Flood::Neighbours => Reason::NeighbourLimit,
            Flood::Claims => Reason::NeighbourEvicted,
            Flood::Stations => Reason::StationEvicted,
            Flood::Fragments => Reason::FragmentLimit,
            Flood::Counted | Flood::HalfOpen => {
                let conntrack = lab.datapath.conntrack().expect("it is on");
                assert!(conntrack.stats().early_drop > 5_000 && conntrack.count() <= 4096);
                continue;
            }
        };
        let count = lab.datapath.counters().dropped(counter);
        assert!(count > 100, "{flood:?}: {count}");
    }
}

#[test]
fn elements_whose_connections_are_over_make_room() {
    let mut lab = Lab::new(false, 4096);
    let one = || udp_bytes(9, 4);
    lab.exchange(&[(0, protocol::UDP, one())]);
    let elements = |lab: &Lab| {
        let state = lab.datapath.state();
        let set = state.set(redan_vm::ids::SetId(0)).expect("the set");
        set.table.entries(lab.now).count()
    };
    assert_eq!(elements(&lab), 1);
    // A minute later the connection is over, and so is its element as soon as another packet comes to the set.
    lab.now = lab.now + Duration::from_mins(1);
    lab.out.clear();
    lab.datapath.handle_timeout(lab.now, &mut lab.out);
    lab.exchange(&[(1, protocol::UDP, one())]);
    assert_eq!(elements(&lab), 1, "the other host's");
    assert_eq!(lab.lost, 0);
}

#[test]
#[ignore = "ten million frames of each kind, in release: docs/benchmarks.md"]
fn memory_is_flat_under_ten_million_frames_of_each_kind() {
    const FRAMES: u64 = 10_000_000;
    for flood in FLOODS {
        let mut lab = Lab::new(flood == Flood::Stations, 262_144);
        let mut line = format!("{flood:?}: {} KiB at first", resident());
        for part in 1..=4 {
            lab.flood(flood, FRAMES / 4);
            _ = write!(line, ", {} after {part}/4", resident());
        }
        println!(
            "{line}; lost {} of {};{}",
            lab.lost,
            lab.exchanges,
            costs(&lab.datapath)
        );
        assert_eq!(lab.lost, 0);
    }
}
