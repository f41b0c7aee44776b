//! Packets and conversations that may reach a goal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::Mac;
use redan_vm::Ruleset;
use redan_vm::ct::state;
use redan_vm::family::Hook;
use redan_vm::ids::ChainId;
use redan_vm::packet::{protocol, tcp};
use redan_vm::predicate::Subject;

use super::field::{self, Header};
use super::goals;
use super::scene::{Course, Scene};
use crate::craft::{Spec, Transport};
use crate::meet::{self, Wants};
use crate::scenario::{Step, Way, What};

/// The steps of a conversation.
pub(super) type Conversation = Vec<Step>;

/// Ports that rules seldom speak of, which no other rule is to decide about.
const DPORTS: &[u128] = &[33_333, 443, 22, 53];

/// ICMP errors that conntrack relates to a connection.
const ERRORS: &[&str] = &[
    "destination-unreachable",
    "time-exceeded",
    "packet-too-big",
    "parameter-problem",
];

/// Gives conversations numbers of their own, so that none is taken for another's.
#[derive(Default)]
pub(super) struct Numbers(u16);

impl Numbers {
    fn next(&mut self) -> u16 {
        self.0 = (self.0 + 1) % 20_000;
        self.0
    }

    /// The same packet, but of a connection of its own.
    pub(super) fn fresh(&mut self, spec: &Spec) -> Spec {
        let number = self.next();
        let mut spec = spec.clone();
        match &mut spec.transport {
            Transport::Tcp { sport, .. } | Transport::Udp { sport, .. } if *sport >= 40_000 => {
                *sport = 40_000 + number;
            }
            Transport::Icmp { id, .. } => *id = number,
            Transport::Tcp { .. } | Transport::Udp { .. } | Transport::Other(_) => {}
        }
        spec
    }
}

/// Conversations for what is wanted below a base chain, the likeliest first.
pub(super) fn conversations(
    ruleset: &Ruleset,
    scene: &Scene,
    base: ChainId,
    wants: &Wants,
    numbers: &mut Numbers,
) -> Vec<Conversation> {
    let Some((family, hook)) = goals::place(ruleset, base) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for course in scene.courses(hook) {
        for is_v4 in [true, false] {
            if !meet::sees(family, is_v4) {
                continue;
            }
            for number in protocols(wants, is_v4) {
                let packet = Packet {
                    scene,
                    ruleset,
                    wants,
                    course,
                    is_v4,
                    number,
                    hook,
                };
                packet.conversations(numbers, &mut found);
            }
        }
    }
    found
}

/// The protocols that lines have words for, and one that is asked for beside them.
fn protocols(wants: &Wants, is_v4: bool) -> impl Iterator<Item = u8> {
    let usual = [protocol::TCP, protocol::UDP, icmp(is_v4), protocol::GRE];
    let asked = (wants.choose(&field::PROTOCOL, &[]))
        .or_else(|| wants.choose(&header(is_v4).protocol, &[]))
        .and_then(|number| u8::try_from(number).ok())
        .filter(|number| !usual.contains(number));
    usual.into_iter().chain(asked)
}

const fn header(is_v4: bool) -> &'static Header {
    if is_v4 { &field::V4 } else { &field::V6 }
}

const fn icmp(is_v4: bool) -> u8 {
    if is_v4 {
        protocol::ICMP
    } else {
        protocol::ICMPV6
    }
}

/// One packet to be made.
struct Packet<'a> {
    scene: &'a Scene,
    ruleset: &'a Ruleset,
    wants: &'a Wants,
    course: Course,
    is_v4: bool,
    number: u8,
    hook: Hook,
}

impl Packet<'_> {
    fn conversations(&self, numbers: &mut Numbers, found: &mut Vec<Conversation>) {
        if !self.wants.takes_headers(self.is_v4, self.number) || !self.takes_ports() {
            return;
        }
        let Some(spec) = self.spec() else { return };
        let first = found.len();
        let takes = |state: u32| self.wants.takes(&field::STATE, state.into());
        let send = |spec: Spec, course: Course| self.send(spec, course);
        let step = |packet: What| Step::Send {
            packet,
            way: None,
            expected: None,
        };
        if takes(state::NEW) || takes(state::UNTRACKED) {
            found.push(vec![send(numbers.fresh(&spec), self.course)]);
        }
        if takes(state::INVALID)
            && let Transport::Tcp { .. } = spec.transport
            && !self.wants.asks(&field::FLAGS)
        {
            let mut stray = numbers.fresh(&spec);
            if let Transport::Tcp { flags, ack, .. } = &mut stray.transport {
                *flags = tcp::flags::SYN | tcp::flags::ACK;
                *ack = 1;
            }
            found.push(vec![send(stray, self.course)]);
        }
        if takes(state::ESTABLISHED) {
            let answer = || step(What::Answer);
            let opening = send(numbers.fresh(&spec), self.course);
            found.push(vec![opening, answer(), answer()]);
            let opening = send(numbers.fresh(&opened(&spec)), self.back());
            found.push(vec![opening, answer()]);
        }
        if takes(state::RELATED) {
            for kind in ERRORS {
                let opening = send(numbers.fresh(&spec), self.course);
                let error = step(What::Error((*kind).to_owned(), 0));
                found.push(vec![opening, error]);
            }
        }
        for conversation in found.iter_mut().skip(first) {
            conversation.splice(0..0, self.hosts(&spec));
        }
    }

    /// Where both ends stand, where lines must say so.
    fn hosts(&self, spec: &Spec) -> Vec<Step> {
        let Course::Through(from, to) = self.course else {
            return Vec::new();
        };
        if !self.scene.says_local() {
            return Vec::new();
        }
        let host = |address, port: usize| {
            let port = self.scene.ports.get(port)?;
            Some(Step::Host(address, port.clone()))
        };
        [host(spec.src, from), host(spec.dst, to)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether the ports of the course are those that are asked for.
    fn takes_ports(&self) -> bool {
        let (from, to) = match self.course {
            Course::Through(from, to) => (Some(from), Some(to)),
            Course::ToMachine(from) => (Some(from), None),
            Course::FromMachine(to) => (None, Some(to)),
        };
        let sees_out = !matches!(self.hook, Hook::Prerouting | Hook::Ingress);
        let name = |port: Option<usize>| self.scene.ports.get(port?).map(String::as_str);
        let oif = name(to.filter(|_| sees_out));
        self.wants.takes_devices(self.ruleset, name(from), oif)
    }

    fn spec(&self) -> Option<Spec> {
        let (src, dst) = match self.course {
            Course::Through(from, to) => (
                self.scene.host(from, self.is_v4)?,
                self.scene
                    .host(to, self.is_v4)
                    .map(|host| if from == to { next(host) } else { host })?,
            ),
            Course::ToMachine(from) => (
                self.scene.host(from, self.is_v4)?,
                self.scene.own(from, self.is_v4)?,
            ),
            Course::FromMachine(to) => (
                self.scene.own(to, self.is_v4)?,
                self.scene.host(to, self.is_v4)?,
            ),
        };
        let header = header(self.is_v4);
        let src = self.address(&header.src, src)?;
        let dst = self.address(&header.dst, dst)?;
        let mut spec = Spec::new(src, dst, self.transport()?);
        // Behind routing, one hop has been taken.
        let behind = matches!(self.course, Course::Through(..))
            && matches!(self.hook, Hook::Forward | Hook::Postrouting | Hook::Egress);
        let hops = self.wants.choose(&header.hops, &[64, 255])?;
        spec.hop_limit = u8::try_from(hops).ok()?;
        if behind && self.wants.asks(&header.hops) {
            spec.hop_limit = spec.hop_limit.saturating_add(1);
        }
        if self.wants.asks(&field::TOS) {
            spec.dscp = u8::try_from(self.wants.choose(&field::TOS, &[0])?).ok()? >> 2;
        }
        for length in [&field::LENGTH, &field::TOTAL_LENGTH] {
            if !self.wants.asks(length) {
                continue;
            }
            let length = self.wants.choose(length, &[40, 100, 500, 1000, 1400])?;
            let headers = spec.packet().len();
            let bytes = usize::try_from(length).ok()?.checked_sub(headers)?;
            spec.payload = vec![0; bytes];
        }
        if self.wants.asks(&field::MAC) {
            let value = self.wants.choose(&field::MAC, &[])?.to_be_bytes();
            spec.mac = value.last_chunk().copied().map(Mac);
        }
        if matches!(
            spec.transport,
            Transport::Icmp {
                kind: 133..=137,
                ..
            }
        ) && !self.is_v4
        {
            spec.hop_limit = 255;
        }
        Some(spec)
    }

    fn address(&self, field: &Subject, usual: IpAddr) -> Option<IpAddr> {
        let number = match usual {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let value = self.wants.choose(field, &[number])?;
        if self.is_v4 {
            let bits = u32::try_from(value).ok()?;
            Some(Ipv4Addr::from_bits(bits).into())
        } else {
            Some(Ipv6Addr::from_bits(value).into())
        }
    }

    fn transport(&self) -> Option<Transport> {
        let byte = |field: &Subject, usual: &[u128]| {
            let value = self.wants.choose(field, usual)?;
            u8::try_from(value).ok()
        };
        let port = |field: &Subject, usual: &[u128]| {
            let value = self.wants.choose(field, usual)?;
            u16::try_from(value).ok()
        };
        Some(match self.number {
            protocol::TCP => Transport::Tcp {
                sport: port(&field::SPORT, &[40_000])?,
                dport: port(&field::DPORT, DPORTS)?,
                flags: byte(&field::FLAGS, &[2, 0x10, 0x12, 4, 1, 3, 0, 0x29])?,
                seq: 1000,
                ack: 0,
            },
            protocol::UDP => Transport::Udp {
                sport: port(&field::SPORT, &[40_000])?,
                dport: port(&field::DPORT, DPORTS)?,
            },
            number if number == icmp(self.is_v4) => {
                let echo = if self.is_v4 { 8 } else { 128 };
                // A match of the type is one of the first two bytes, where ports lie in other protocols.
                let types = std::iter::once(echo).chain(0..=255);
                let usual: Vec<u128> = types.map(|kind| kind << 8).collect();
                let asked = self.wants.choose(&field::SPORT, &usual)?;
                Transport::Icmp {
                    kind: byte(&field::TYPE, &[asked >> 8])?,
                    code: byte(&field::CODE, &[asked & 0xff])?,
                    id: 1,
                    seq: 1,
                }
            }
            number => Transport::Other(number),
        })
    }

    /// The course of what comes back.
    const fn back(&self) -> Course {
        match self.course {
            Course::Through(from, to) => Course::Through(to, from),
            Course::ToMachine(port) => Course::FromMachine(port),
            Course::FromMachine(port) => Course::ToMachine(port),
        }
    }

    fn send(&self, spec: Spec, course: Course) -> Step {
        let name = |port: usize| self.scene.ports.get(port).cloned().unwrap_or_default();
        let way = match course {
            Course::Through(from, _) | Course::ToMachine(from) => Way::In(name(from)),
            Course::FromMachine(to) => Way::Out(name(to)),
        };
        Step::Send {
            packet: What::New(Box::new(spec)),
            way: Some(way),
            expected: None,
        }
    }
}

/// Another host beside one.
fn next(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() + 1).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() + 1).into(),
    }
}

/// The packet that a packet answers: ends swapped.
fn opened(spec: &Spec) -> Spec {
    let transport = match spec.transport {
        Transport::Tcp {
            sport, dport, seq, ..
        } => Transport::Tcp {
            sport: dport,
            dport: sport,
            flags: tcp::flags::SYN,
            seq,
            ack: 0,
        },
        Transport::Udp { sport, dport } => Transport::Udp {
            sport: dport,
            dport: sport,
        },
        Transport::Icmp { .. } | Transport::Other(_) => spec.transport,
    };
    Spec {
        hop_limit: 64,
        ..Spec::new(spec.dst, spec.src, transport)
    }
}
