//! Each mode, frame by frame: what goes in, and what becomes of it in one line.

mod bridge;
mod faults;
mod offload;

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use redan_vm::engine::{Env, Final, Outcome};
use redan_vm::family::{ChainType, Family};
use redan_vm::ids::{ChainId, RuleId, TableId};
use redan_vm::instr::Reject;
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::{
    Arp, Ipv4, Tcp, Udp, arp, checksum, ethernet, ethertype, icmp, ipv4, ipv6, protocol, tcp, udp,
};
use redan_vm::ruleset::{BaseChain, Chain, Policy, Table};

use super::*;
use crate::frame::Offload;
use crate::log::Silent;
use crate::site::{Mac, Neighbor, Port, Route, Side};

/// Decides by hook and packet, where an interpreter would run rules.
type Rules = fn(Hook, &Packet) -> Option<Final>;

struct Tiny {
    hooks: Vec<Hook>,
    rules: Rules,
}

impl Engine for Tiny {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, _env: &mut Env<'_>) -> Outcome {
        match (self.rules)(self.hooks[chain.index()], packet) {
            Some(verdict) => Outcome {
                verdict,
                rule: Some(RuleId(7)),
            },
            None => Outcome {
                verdict: Final::Accept,
                rule: None,
            },
        }
    }
}

const HOOKS: [Hook; 7] = [
    Hook::Prerouting,
    Hook::Input,
    Hook::Forward,
    Hook::Output,
    Hook::Postrouting,
    Hook::Ingress,
    Hook::Egress,
];

fn datapath(mut site: Site, rules: Rules, live: bool, track: bool) -> Datapath {
    if track {
        site.tracking = Tracking::Always;
    }
    let mut ruleset = Ruleset::default();
    let devices: Vec<String> = site.ports.iter().map(|port| port.name.clone()).collect();
    for (n, family) in [Family::Inet, Family::Netdev].into_iter().enumerate() {
        ruleset.tables.push(Table {
            family,
            name: "t".into(),
            dormant: false,
        });
        for hook in HOOKS
            .into_iter()
            .filter(|hook| (*hook > Hook::Postrouting) == (family == Family::Netdev))
        {
            ruleset.chains.push(Chain {
                table: TableId(u32::try_from(n).unwrap()),
                name: "c".into(),
                base: Some(BaseChain {
                    chain_type: ChainType::Filter,
                    hook,
                    priority: 0,
                    policy: Policy::Accept,
                    devices: devices.clone(),
                }),
                rules: vec![],
                deleted: false,
            });
        }
    }
    let settings = Settings {
        site,
        live,
        ..Settings::default()
    };
    let engine = Tiny {
        hooks: HOOKS.to_vec(),
        rules,
    };
    Datapath::new(
        Arc::new(ruleset),
        Box::new(engine),
        Box::new(Silent),
        settings,
    )
    .unwrap()
}

fn port(name: &str, index: usize, addresses: &[&str]) -> Port {
    Port {
        addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        ..Port::new(name, index)
    }
}

/// Two networks, a gateway in each.
fn router() -> Site {
    let route = |to: &str, via: &str| Route {
        to: to.parse().unwrap(),
        via: via.parse().unwrap(),
    };
    Site {
        mode: Mode::Router,
        ports: vec![
            port("lan0", 0, &["10.1.0.1/16", "fd01::1/64"]),
            port("wan0", 1, &["10.2.0.1/16", "fd02::1/64"]),
        ],
        routes: vec![
            route("8.0.0.0/8", "10.2.0.2"),
            route("2001::/16", "fd02::2"),
        ],
        neighbors: vec![Neighbor {
            address: "10.2.0.2".parse().unwrap(),
            mac: WAN_HOST,
        }],
        ..Site::default()
    }
}

fn wire(local: &[&str], ports: usize) -> Site {
    Site {
        mode: Mode::Wire,
        ports: ["lan0", "wan0", "dmz0"]
            .iter()
            .take(ports)
            .enumerate()
            .map(|(n, name)| port(name, n, &[]))
            .collect(),
        local: local.iter().map(|a| a.parse().unwrap()).collect(),
        ..Site::default()
    }
}

const LAN: Mac = Mac([2, 0, 0, 0, 1, 1]);
const LAN_HOST: Mac = Mac([2, 0, 0, 0, 1, 2]);
const WAN_HOST: Mac = Mac([2, 0, 0, 0, 2, 2]);
const NOW: Instant = Instant::from_secs(1_700_000_000);

fn link(dst: Mac, kind: u16, rest: &[u8]) -> Vec<u8> {
    let mut frame = ethernet::emit(dst.0, LAN_HOST.0, kind).to_vec();
    frame.extend(rest);
    frame
}

/// An IP frame from a LAN host to the router's LAN port, transport checksum filled in.
fn ip(src: &str, dst: &str, l4proto: u8, hops: u8, transport: &[u8]) -> Vec<u8> {
    let len = u16::try_from(transport.len()).unwrap();
    let mut frame = if src.contains(':') {
        let (src, dst): (Ipv6Addr, Ipv6Addr) = (src.parse().unwrap(), dst.parse().unwrap());
        link(
            LAN,
            ethertype::IPV6,
            &ipv6::emit(src, dst, l4proto, hops, len),
        )
    } else {
        let (src, dst): (Ipv4Addr, Ipv4Addr) = (src.parse().unwrap(), dst.parse().unwrap());
        link(
            LAN,
            ethertype::IPV4,
            &ipv4::emit(src, dst, l4proto, hops, len),
        )
    };
    frame.extend(transport);
    let layout = redan_vm::packet::dissect(&frame, LinkKind::Ethernet).unwrap();
    checksum::fill(&mut frame, &layout);
    frame
}

fn udp_bytes(dst_port: u16, payload: usize) -> Vec<u8> {
    let mut bytes = vec![0; udp::LEN + payload];
    let mut header = Udp::new_checked(bytes.as_mut_slice()).unwrap();
    header.set_src_port(1000);
    header.set_dst_port(dst_port);
    header.set_len(u16::try_from(udp::LEN + payload).unwrap());
    bytes
}

fn udp(src: &str, dst: &str, hops: u8) -> Vec<u8> {
    ip(src, dst, protocol::UDP, hops, &udp_bytes(53, 5))
}

fn syn(src: &str, dst: &str) -> Vec<u8> {
    let mut bytes = [0; tcp::LEN];
    let mut header = Tcp::new_checked(&mut bytes).unwrap();
    header.set_src_port(1000);
    header.set_dst_port(22);
    header.set_seq(5);
    header.set_data_offset(0x50);
    header.set_flags(tcp::flags::SYN);
    ip(src, dst, protocol::TCP, 64, &bytes)
}

fn echo(src: &str, dst: &str) -> Vec<u8> {
    let v6 = src.contains(':');
    let kind = if v6 {
        icmpv6_type::ECHO_REQUEST
    } else {
        icmp::icmp_type::ECHO_REQUEST
    };
    ip(
        src,
        dst,
        if v6 { protocol::ICMPV6 } else { protocol::ICMP },
        64,
        &[kind, 0, 0, 0, 0, 1, 0, 1, 9, 9],
    )
}

/// One line about a frame that left: port, link destination, addresses, what it is.
fn shown(datapath: &Datapath, out: &OutFrame) -> String {
    let name = &datapath.site().ports[out.port.index()].name;
    let dst = Mac(Ethernet::new_checked(out.bytes.as_slice()).unwrap().dst());
    let layout = redan_vm::packet::dissect(&out.bytes, LinkKind::Ethernet).unwrap();
    assert_ne!(
        checksum::verify(&out.bytes, &layout),
        checksum::Verified::Wrong
    );
    let packet = Packet::new(out.bytes.clone(), layout);
    let what = if let Some(arp) = Arp::new_checked(packet.network()).filter(|_| layout.is_arp()) {
        format!(
            "arp {} {}>{}",
            arp.operation(),
            arp.sender_ip(),
            arp.target_ip()
        )
    } else {
        let (from, to) = world::addresses(&packet).unwrap();
        let hops = packet.ipv4().map_or_else(
            || packet.ipv6().map_or(0, |ip| ip.hop_limit()),
            |ip| ip.ttl(),
        );
        let l4 = if let Some(header) = packet.icmp() {
            format!("icmp {}/{}", header.icmp_type(), header.code())
        } else if let Some(header) = packet.icmpv6() {
            format!("icmp6 {}/{}", header.icmpv6_type(), header.code())
        } else if let Some(header) = packet.tcp() {
            format!("tcp flags {:#x}", header.flags())
        } else {
            format!("proto {}", layout.l4proto)
        };
        format!("{from}>{to} {l4} ttl {hops}")
    };
    format!("{name} [{dst}] {what}")
}

/// Sends a frame in by the first port and says what became of it.
fn fate(datapath: &mut Datapath, port: u16, frame: Vec<u8>) -> String {
    let mut out = Vec::new();
    let report = datapath.handle_frame(NOW, PortId(port), frame.into(), &mut out);
    let reason = report.reason.map_or("-", Reason::name);
    let hook = report.decision.map_or("-", |decision| decision.hook.word());
    let ct = report.ct.map_or("-", |ct| ct.state);
    let mut line = format!("{} {reason} {hook} {ct}", report.verdict.name());
    for frame in &out {
        line.push_str(" | ");
        line.push_str(&shown(datapath, frame));
    }
    line
}

#[track_caller]
fn check(site: Site, rules: Rules, frame: Vec<u8>, expected: &str) {
    assert_eq!(
        fate(&mut datapath(site, rules, false, true), 0, frame),
        expected
    );
}

fn none(_: Hook, _: &Packet) -> Option<Final> {
    None
}

fn reject_input(hook: Hook, _: &Packet) -> Option<Final> {
    (hook == Hook::Input).then_some(Final::Reject(Reject::Icmpx(1)))
}

fn reset_forward(hook: Hook, _: &Packet) -> Option<Final> {
    (hook == Hook::Forward).then_some(Final::Reject(Reject::TcpReset))
}

#[test]
fn router_forwards_by_routes_and_neighbours() {
    check(
        router(),
        none,
        udp("10.1.0.2", "8.8.8.8", 64),
        "accept policy - new | wan0 [02:00:00:00:02:02] 10.1.0.2>8.8.8.8 proto 17 ttl 63",
    );
    check(
        router(),
        none,
        udp("10.1.0.2", "10.2.0.9", 64),
        "accept policy - new | wan0 [02:00:0a:02:00:09] 10.1.0.2>10.2.0.9 proto 17 ttl 63",
    );
    check(
        router(),
        none,
        udp("fd01::2", "fd02::9", 64),
        "accept policy - new | wan0 [02:00:00:00:00:09] fd01::2>fd02::9 proto 17 ttl 63",
    );
}

#[test]
fn a_replay_learns_neighbours_from_the_capture() {
    let mut datapath = datapath(router(), none, false, false);
    fate(&mut datapath, 0, udp("10.1.0.2", "8.8.8.8", 64));
    let mut back = udp("8.8.8.8", "10.1.0.2", 64);
    back[..6].copy_from_slice(&[2, 0, 0, 0, 2, 1]);
    assert_eq!(
        fate(&mut datapath, 1, back),
        "accept policy - - | lan0 [02:00:00:00:01:02] 8.8.8.8>10.1.0.2 proto 17 ttl 63"
    );
}

#[test]
fn router_answers_what_cannot_go_on() {
    check(
        router(),
        none,
        udp("10.1.0.2", "8.8.8.8", 1),
        "drop ttl-exceeded - new | lan0 [02:00:00:00:01:02] 10.1.0.1>10.1.0.2 icmp 11/0 ttl 64",
    );
    check(
        router(),
        none,
        udp("10.1.0.2", "9.9.9.9", 64),
        "drop no-route - new | lan0 [02:00:00:00:01:02] 10.1.0.1>10.1.0.2 icmp 3/0 ttl 64",
    );
    check(
        router(),
        none,
        udp("fd01::2", "fd09::9", 64),
        "drop no-route - new | lan0 [02:00:00:00:01:02] fd01::1>fd01::2 icmp6 1/0 ttl 64",
    );
    let long = ip("fd01::2", "2001::9", protocol::UDP, 64, &udp_bytes(1, 1500));
    check(
        router(),
        none,
        long,
        "drop too-big - new | lan0 [02:00:00:00:01:02] fd01::1>fd01::2 icmp6 2/0 ttl 64",
    );
    let mut marked = ip(
        "10.1.0.2",
        "8.8.8.8",
        protocol::UDP,
        64,
        &udp_bytes(1, 1500),
    );
    let mut header = Ipv4::new_checked(&mut marked[14..]).unwrap();
    header.set_frag_off(ipv4::frag::DF);
    header.fill_checksum();
    check(
        router(),
        none,
        marked,
        "drop too-big - new | lan0 [02:00:00:00:01:02] 10.1.0.1>10.1.0.2 icmp 3/4 ttl 64",
    );
}

#[test]
fn router_refuses_what_is_not_its_own() {
    check(
        router(),
        none,
        udp("127.0.0.1", "8.8.8.8", 64),
        "drop martian - new",
    );
    let mut other = udp("10.1.0.2", "8.8.8.8", 64);
    other[5] = 99;
    check(router(), none, other, "other other-host - -");
    let mut bad = udp("10.1.0.2", "8.8.8.8", 64);
    bad[24] ^= 1;
    check(router(), none, bad, "drop malformed - -");
    check(
        router(),
        none,
        link(LAN, 0x88cc, &[0; 40]),
        "other not-ip - -",
    );
    check(router(), none, vec![1, 2, 3], "drop malformed - -");
    let mut all = udp("10.1.0.2", "8.8.8.8", 64);
    all[..6].fill(0xff);
    check(router(), none, all, "drop not-forwarded - new");
}

#[test]
fn rules_decide_and_reject_as_the_machine_itself() {
    fn drop_forward(hook: Hook, _: &Packet) -> Option<Final> {
        (hook == Hook::Forward).then_some(Final::Drop)
    }
    fn accept_forward(hook: Hook, _: &Packet) -> Option<Final> {
        (hook == Hook::Forward).then_some(Final::Accept)
    }
    check(
        router(),
        drop_forward,
        udp("10.1.0.2", "8.8.8.8", 64),
        "drop - forward new",
    );
    check(
        router(),
        accept_forward,
        udp("10.1.0.2", "8.8.8.8", 64),
        "accept - forward new | wan0 [02:00:00:00:02:02] 10.1.0.2>8.8.8.8 proto 17 ttl 63",
    );
    check(
        router(),
        reset_forward,
        syn("10.1.0.2", "8.8.8.8"),
        "reject - forward new | lan0 [02:00:00:00:01:02] 8.8.8.8>10.1.0.2 tcp flags 0x14 ttl 64",
    );
    check(
        router(),
        reject_input,
        udp("10.1.0.2", "10.2.0.1", 64),
        "reject - input new | lan0 [02:00:00:00:01:02] 10.2.0.1>10.1.0.2 icmp 3/3 ttl 64",
    );
    check(
        router(),
        reject_input,
        udp("10.1.0.2", "10.1.255.255", 64),
        "reject - input new",
    );
}

/// Every link has `fe80::/10`, so routes do not tell where such a sender is.
#[test]
fn link_local_senders_are_answered_where_they_are() {
    let mut site = router();
    for (port, own) in site.ports.iter_mut().zip(["fe80::a/64", "fe80::b/64"]) {
        port.addresses.push(own.parse().unwrap());
    }
    let to_port = |port: u16, mut frame: Vec<u8>| {
        frame[..6].copy_from_slice(&site.ports[usize::from(port)].mac.0);
        frame
    };
    let answers = |port: u16, own: &str| {
        let mut datapath = datapath(site.clone(), reject_input, false, true);
        let frame = to_port(port, udp("fe80::9", own, 64));
        fate(&mut datapath, port, frame)
    };
    assert_eq!(
        answers(0, "fe80::a"),
        "reject - input new | lan0 [02:00:00:00:01:02] fe80::a>fe80::9 icmp6 1/4 ttl 64"
    );
    assert_eq!(
        answers(1, "fe80::b"),
        "reject - input new | wan0 [02:00:00:00:01:02] fe80::b>fe80::9 icmp6 1/4 ttl 64"
    );
    let mut datapath = datapath(site.clone(), reset_forward, false, true);
    assert_eq!(
        fate(&mut datapath, 1, to_port(1, syn("fe80::9", "2001::1"))),
        "reject - forward new | wan0 [02:00:00:00:01:02] 2001::1>fe80::9 tcp flags 0x14 ttl 64"
    );
}

#[test]
fn what_rules_do_not_let_out_is_not_answered() {
    fn quiet(hook: Hook, _: &Packet) -> Option<Final> {
        match hook {
            Hook::Forward => Some(Final::Reject(Reject::Icmpx(1))),
            Hook::Output => Some(Final::Drop),
            Hook::Prerouting | Hook::Input | Hook::Postrouting | Hook::Ingress | Hook::Egress => {
                None
            }
        }
    }
    check(
        router(),
        quiet,
        udp("10.1.0.2", "8.8.8.8", 64),
        "reject - forward new",
    );
}

#[test]
fn a_replay_answers_nothing_for_itself() {
    check(
        router(),
        none,
        echo("10.1.0.2", "10.1.0.1"),
        "local policy - new",
    );
}

#[test]
fn live_the_router_answers_pings_and_questions_for_its_addresses() {
    let mut live = datapath(router(), none, true, true);
    let question = arp::emit(
        arp::operation::REQUEST,
        (LAN_HOST.0, Ipv4Addr::new(10, 1, 0, 2)),
        ([0; 6], Ipv4Addr::new(10, 1, 0, 1)),
    );
    assert_eq!(
        fate(
            &mut live,
            0,
            link(Mac::BROADCAST, ethertype::ARP, &question)
        ),
        "other not-ip - - | lan0 [02:00:00:00:01:02] arp 2 10.1.0.1>10.1.0.2"
    );
    assert_eq!(
        fate(&mut live, 0, echo("10.1.0.2", "10.1.0.1")),
        "local policy - new | lan0 [02:00:00:00:01:02] 10.1.0.1>10.1.0.2 icmp 0/0 ttl 64"
    );
    let solicit = crate::router::solicit::solicitation(
        (LAN_HOST, "fd01::2".parse().unwrap()),
        "fd01::1".parse().unwrap(),
    );
    assert_eq!(
        fate(&mut live, 0, solicit),
        "local policy - untracked | lan0 [02:00:00:00:01:02] fd01::1>fd01::2 icmp6 136/0 ttl 255"
    );
    assert_eq!(
        fate(&mut live, 0, echo("fd01::2", "fd01::1")),
        "local policy - new | lan0 [02:00:00:00:01:02] fd01::1>fd01::2 icmp6 129/0 ttl 64"
    );
}

#[test]
fn live_frames_wait_for_their_neighbour() {
    let mut live = datapath(router(), none, true, false);
    assert_eq!(
        fate(&mut live, 0, udp("10.1.0.2", "10.2.0.9", 64)),
        "accept policy - - | wan0 [ff:ff:ff:ff:ff:ff] arp 1 10.2.0.1>10.2.0.9"
    );
    assert_eq!(
        fate(&mut live, 0, udp("10.1.0.2", "10.2.0.9", 64)),
        "accept policy - -"
    );
    let answer = arp::emit(
        arp::operation::REPLY,
        ([2, 0, 0, 0, 2, 9], Ipv4Addr::new(10, 2, 0, 9)),
        ([2, 0, 0, 0, 2, 1], Ipv4Addr::new(10, 2, 0, 1)),
    );
    let waited = "wan0 [02:00:00:00:02:09] 10.1.0.2>10.2.0.9 proto 17 ttl 63";
    assert_eq!(
        fate(
            &mut live,
            1,
            link(Mac([2, 0, 0, 0, 2, 1]), ethertype::ARP, &answer)
        ),
        format!("other not-ip - - | {waited} | {waited}")
    );
}

#[test]
fn silent_neighbours_are_reported_to_the_sender() {
    let mut live = datapath(router(), none, true, true);
    let asked = arp::emit(
        arp::operation::REQUEST,
        (LAN_HOST.0, Ipv4Addr::new(10, 1, 0, 2)),
        ([0; 6], Ipv4Addr::new(10, 1, 0, 1)),
    );
    fate(&mut live, 0, link(Mac::BROADCAST, ethertype::ARP, &asked));
    fate(&mut live, 0, udp("10.1.0.2", "10.2.0.9", 64));
    let mut out = Vec::new();
    for _ in 0..3 {
        out.clear();
        let at = live.neighbors.poll_timeout().unwrap();
        live.handle_timeout(at, &mut out);
    }
    assert_eq!(
        shown(&live, &out[0]),
        "lan0 [02:00:00:00:01:02] 10.1.0.1>10.1.0.2 icmp 3/1 ttl 64"
    );
    assert_eq!(live.counters().dropped(Reason::NoNeighbour), 1);
}

#[test]
fn long_packets_leave_in_parts() {
    let mut datapath = datapath(router(), none, false, true);
    let mut out = Vec::new();
    let long = ip(
        "10.1.0.2",
        "8.8.8.8",
        protocol::UDP,
        64,
        &udp_bytes(1, 2992),
    );
    datapath.handle_frame(NOW, PortId(0), long.into(), &mut out);
    let lengths: Vec<_> = out.iter().map(|frame| frame.bytes.len()).collect();
    assert_eq!(lengths, [14 + 1500, 14 + 1500, 14 + 20 + 40]);
}

#[test]
fn wire_passes_frames_unchanged() {
    let frame = udp("10.1.0.2", "8.8.8.8", 1);
    let mut tagged = frame.clone();
    tagged.splice(12..12, [0x81, 0, 0, 10]);
    for frame in [frame, tagged, link(Mac::BROADCAST, 0x88cc, &[7; 46])] {
        let mut datapath = datapath(wire(&[], 2), none, false, true);
        let mut out = Vec::new();
        let report = datapath.handle_frame(NOW, PortId(1), frame.clone().into(), &mut out);
        assert_eq!(report.verdict, Verdict::Accept);
        assert_eq!(
            out,
            [OutFrame {
                port: PortId(0),
                bytes: frame,
                offload: Offload::default()
            }]
        );
    }
}

#[test]
fn wire_answers_from_the_frames_destination() {
    check(
        wire(&[], 2),
        reset_forward,
        syn("10.1.0.2", "8.8.8.8"),
        "reject - forward new | lan0 [02:00:00:00:01:02] 8.8.8.8>10.1.0.2 tcp flags 0x14 ttl 64",
    );
}

#[test]
fn wire_knows_the_machines_own_addresses() {
    fn by_hook(hook: Hook, _: &Packet) -> Option<Final> {
        matches!(hook, Hook::Input | Hook::Output).then_some(Final::Accept)
    }
    let mut one = datapath(wire(&["10.1.0.2"], 1), by_hook, false, true);
    let out = "lan0 [02:00:00:00:01:01] 10.1.0.2>8.8.8.8 tcp flags 0x2 ttl 64";
    assert_eq!(
        fate(&mut one, 0, syn("10.1.0.2", "8.8.8.8")),
        format!("accept - output new | {out}")
    );
    assert_eq!(
        fate(&mut one, 0, udp("8.8.8.8", "10.1.0.2", 64)),
        "local - input new"
    );
    assert_eq!(
        fate(&mut one, 0, udp("8.8.8.8", "10.1.0.3", 64)),
        "other other-host - -"
    );
}

#[test]
fn host_mode_stands_between_the_network_and_the_machine() {
    fn by_name(hook: Hook, packet: &Packet) -> Option<Final> {
        let name = if hook == Hook::Input {
            packet.meta.iifname
        } else {
            packet.meta.oifname
        };
        let ours = matches!(hook, Hook::Input | Hook::Output) && name.starts_with(b"eth0\0");
        ours.then_some(Final::Accept)
    }
    let mut inside = port("vm0", 1, &[]);
    inside.side = Side::Inside;
    let site = Site {
        mode: Mode::Host,
        ports: vec![port("eth0", 0, &[]), inside],
        ..Site::default()
    };
    let mut host = datapath(site, by_name, false, true);
    let line = "10.1.0.2>8.8.8.8 proto 17 ttl 64";
    let frame = udp("10.1.0.2", "8.8.8.8", 64);
    assert_eq!(
        fate(&mut host, 0, frame.clone()),
        format!("accept - input new | vm0 [02:00:00:00:01:01] {line}")
    );
    assert_eq!(
        fate(&mut host, 1, frame),
        format!("accept - output new | eth0 [02:00:00:00:01:01] {line}")
    );
}

#[test]
fn a_panic_drops_the_frame_and_is_counted() {
    fn broken(hook: Hook, packet: &Packet) -> Option<Final> {
        assert!(
            hook != Hook::Postrouting || packet.layout.is_ipv6(),
            "a fault in the engine"
        );
        None
    }
    let mut datapath = datapath(router(), broken, false, true);
    assert_eq!(
        fate(&mut datapath, 0, udp("10.1.0.2", "8.8.8.8", 64)),
        "drop internal - -"
    );
    assert_eq!(datapath.counters().dropped(Reason::Internal), 1);
    assert!(fate(&mut datapath, 0, udp("fd01::2", "fd02::9", 64)).starts_with("accept"));
}

#[test]
fn ports_keep_the_rulesets_numbers() {
    let ruleset = Ruleset {
        interfaces: vec!["lo".into(), "wan0".into(), "x".into()],
        ..Ruleset::default()
    };
    let numbers: Vec<_> = interfaces(&router(), &ruleset)
        .iter()
        .map(|interface| interface.index)
        .collect();
    assert_eq!(numbers, [4, 2]);
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let sound = prop::sample::select(vec![
        udp("10.1.0.2", "8.8.8.8", 64),
        udp("10.1.0.2", "10.1.0.1", 2),
        udp("fd01::2", "2001::1", 1),
        syn("10.1.0.2", "8.8.8.8"),
        syn("fd01::2", "2001::1"),
        echo("fd01::2", "fd01::1"),
        ip(
            "10.1.0.2",
            "8.8.8.8",
            protocol::UDP,
            64,
            &udp_bytes(1, 2000),
        ),
        crate::router::solicit::solicitation(
            (LAN_HOST, "fd01::2".parse().unwrap()),
            "fd01::1".parse().unwrap(),
        ),
    ]);
    let changes = prop::collection::vec((0..120_usize, any::<u8>()), 0..6);
    let changed = (sound, changes, any::<Option<u8>>()).prop_map(|(mut frame, changes, cut)| {
        for (at, to) in changes {
            if let Some(byte) = frame.get_mut(at) {
                *byte = to;
            }
        }
        frame.truncate(cut.map_or(usize::MAX, usize::from));
        frame
    });
    prop_oneof![changed, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// No frame makes the datapath panic (it would say `internal`), whatever the mode, and every answer is sound.
    #[test]
    fn no_frame_panics(frames in prop::collection::vec((any_frame(), 0..2_u16), 1..8), mode in 0..4, live: bool) {
        let rules: Rules = [none, reject_input, reset_forward, none][usize::try_from(mode).unwrap()];
        let mut inside = port("vm0", 1, &[]);
        inside.side = Side::Inside;
        let site = match mode {
            0 | 1 => router(),
            2 => wire(&["10.1.0.1"], 2),
            _ => Site { mode: Mode::Host, ports: vec![port("eth0", 0, &[]), inside], ..Site::default() },
        };
        let mut datapath = datapath(site, rules, live, true);
        let mut out = Vec::new();
        for (frame, port) in frames {
            let report = datapath.handle_frame(NOW, PortId(port), frame.into(), &mut out);
            prop_assert_ne!(report.reason, Some(Reason::Internal));
        }
        datapath.handle_timeout(NOW + std::time::Duration::from_secs(5), &mut out);
        prop_assert_eq!(datapath.counters().dropped(Reason::Internal), 0);
    }
}
