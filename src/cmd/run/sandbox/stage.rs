//! What the rules say would become of an attempt: its frames, one after the other, through a datapath of its own that runs the
//! interpreter, between hosts that are played. No kernel, no TAP and none of the live datapath's state takes part, so that agreement means
//! something. Played hosts ask for link addresses and answer for their own, since a ruleset may stop just that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use redan_runtime::router::solicit;
use redan_runtime::{
    Datapath, Frame, LogEntry, Mac, Mode, Observer, OutFrame, PortId, Report, Settings, Site, Step,
    Verdict,
};
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::{Arp, LinkKind, arp, dissect, icmp};
use redan_vm::{Instant, Packet, Ruleset};

use super::attempt::{Attempt, MARK};
use super::protocol::{Outcome, Try};
use super::scene::Scene;
use crate::craft::{Spec, Transport};
use crate::engine;
use crate::meet::{Goal, Kind};

/// Rules whose matches all held and policies that decided, in the order in which it happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Visits(Arc<Mutex<Vec<Goal>>>);

impl Visits {
    /// What has come since the last call.
    pub(super) fn take(&self) -> Vec<Goal> {
        self.0
            .lock()
            .map(|mut goals| std::mem::take(&mut *goals))
            .unwrap_or_default()
    }
}

impl Observer for Visits {
    fn log(&mut self, _entry: &LogEntry<'_>) {}

    fn trace(&mut self, step: Step<'_>) {
        let met = if let Step::Rule(visit) = step {
            (visit.step != redan_vm::Step::Break).then_some(Goal::Rule(visit.rule))
        } else if let Step::Ended(chain, outcome) = step {
            outcome.rule.is_none().then_some(Goal::Policy(chain))
        } else {
            None
        };
        if let Ok(mut goals) = self.0.lock() {
            goals.extend(met);
        }
    }
}

/// A frame that came to redan, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// From which port.
    pub(super) from: PortId,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// What became of it.
    pub(super) report: Report,
    /// The rules and policies that it met.
    pub(super) met: Vec<Goal>,
    /// Ports that something other than a question for link addresses went out of because of it.
    pub(super) out: BTreeSet<PortId>,
}

impl Seen {
    /// Whether rules stop a question for a link address, or its answer, here.
    pub(super) fn stops_search(&self) -> bool {
        let by_rules = self.report.decision.is_some() || self.report.policy.is_some();
        by_rules
            && matches!(self.report.verdict, Verdict::Drop | Verdict::Reject)
            && Talk::of(&self.bytes) != Talk::Else
    }
}

/// A datapath that tells which rules frames meet.
pub(super) fn tracing(ruleset: &Arc<Ruleset>, site: &Site) -> Result<(Datapath, Visits)> {
    let visits = Visits::default();
    let settings = Settings {
        site: site.clone(),
        live: true,
        trace: true,
        ..Settings::default()
    };
    let datapath = Datapath::new(
        ruleset.clone(),
        engine::tracing(ruleset),
        Box::new(visits.clone()),
        settings,
    )?;
    Ok((datapath, visits))
}

/// Hosts that are played around a datapath.
pub(super) struct Stage<'a> {
    scene: &'a Scene,
    datapath: Datapath,
    visits: Visits,
    /// Who has which address.
    owners: BTreeMap<IpAddr, BTreeSet<PortId>>,
    /// The link addresses that a host has learned.
    known: BTreeMap<(PortId, IpAddr), Mac>,
    now: Instant,
    /// What came to redan in the attempt that is played.
    seen: Vec<Seen>,
}

impl<'a> Stage<'a> {
    /// Sets the stage.
    pub(super) fn new(
        ruleset: &Arc<Ruleset>,
        scene: &'a Scene,
        site: &Site,
        now: Instant,
    ) -> Result<Self> {
        let (datapath, visits) = tracing(ruleset, site)?;
        let mut stage = Self {
            scene,
            datapath,
            visits,
            owners: BTreeMap::new(),
            known: BTreeMap::new(),
            now,
            seen: Vec::new(),
        };
        for (port, host) in (0..).map(PortId).zip(&scene.hosts) {
            for own in &host.addresses {
                stage.own(port, own.address);
            }
        }
        Ok(stage)
    }

    /// Time goes on.
    pub(super) const fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// Gives a host an address.
    pub(super) fn own(&mut self, port: PortId, address: IpAddr) {
        self.owners.entry(address).or_default().insert(port);
    }

    /// Plays an attempt; what became of it, and the frames that came to redan.
    pub(super) fn play(&mut self, attempt: &Attempt) -> (Outcome, Vec<Seen>) {
        self.seen.clear();
        let outcome = self.act(attempt);
        (outcome, std::mem::take(&mut self.seen))
    }

    fn act(&mut self, attempt: &Attempt) -> Outcome {
        let spec = &attempt.draft.spec;
        self.own(attempt.from, spec.src);
        if let Some(to) = attempt.to {
            self.own(to, spec.dst);
        }
        for frame in &attempt.before {
            self.feed(attempt.from, frame.clone());
        }
        match &attempt.what {
            Try::Raw { frame, .. } => self.play_frame(attempt, frame.clone()),
            Try::Udp { .. } if attempt.draft.kind == Kind::Closed => self.play_closed(attempt),
            Try::Ping { .. } | Try::Udp { .. } | Try::Tcp { .. } => self.play_talk(attempt),
        }
    }

    fn play_frame(&mut self, attempt: &Attempt, frame: Vec<u8>) -> Outcome {
        let heard = self.feed(attempt.from, frame);
        if heard.iter().any(|(port, _)| *port != attempt.from) {
            Outcome::Arrived
        } else {
            self.unheard(attempt, &heard)
        }
    }

    /// What the sender of a frame that did not arrive notices.
    fn unheard(&self, attempt: &Attempt, heard: &[(PortId, Vec<u8>)]) -> Outcome {
        let taken = self
            .seen
            .last()
            .is_some_and(|seen| seen.report.verdict == Verdict::Local);
        if heard.iter().any(|(port, _)| *port == attempt.from) {
            if taken {
                Outcome::Through
            } else {
                Outcome::Refused
            }
        } else if taken {
            Outcome::Taken
        } else {
            Outcome::Nothing
        }
    }

    fn play_closed(&mut self, attempt: &Attempt) -> Outcome {
        let (question, Some(to)) = (attempt.draft.spec.clone(), attempt.to) else {
            return Outcome::Nothing;
        };
        let Some(heard) = self.say(attempt.from, &question) else {
            return Outcome::Nothing;
        };
        if !heard.iter().any(|(port, _)| *port == to) {
            return self.unheard(attempt, &heard);
        }
        let (kind, code) = match question.src {
            IpAddr::V4(_) => (icmp::icmp_type::DEST_UNREACHABLE, 3),
            IpAddr::V6(_) => (icmpv6_type::DEST_UNREACHABLE, 4),
        };
        let mut error = Spec::new(
            question.dst,
            question.src,
            Transport::Icmp {
                kind,
                code,
                id: 0,
                seq: 0,
            },
        );
        error.payload = question.packet();
        match self.say(to, &error) {
            Some(heard) if heard.iter().any(|(port, _)| *port == attempt.from) => Outcome::Refused,
            _ => Outcome::Nothing,
        }
    }

    fn play_talk(&mut self, attempt: &Attempt) -> Outcome {
        for (is_own, spec) in dialogue(attempt) {
            let ends = (attempt.from, attempt.to);
            let (from, to) = match ends {
                (own, Some(other)) if !is_own => (other, Some(own)),
                (own, other) => (own, other),
            };
            let Some(heard) = self.say(from, &spec) else {
                return Outcome::Nothing;
            };
            let arrived = to.is_some_and(|to| heard.iter().any(|(port, _)| *port == to));
            if !arrived {
                return if is_own {
                    self.unheard(attempt, &heard)
                } else {
                    Outcome::Nothing
                };
            }
        }
        Outcome::Through
    }

    /// Sends a packet as a host's stack does: it asks for the next hop's link address first. `None` when it gets none.
    fn say(&mut self, from: PortId, spec: &Spec) -> Option<Vec<(PortId, Vec<u8>)>> {
        let next = self.next_hop(from, spec.dst)?;
        if !self.known.contains_key(&(from, next)) {
            let question = self.question(from, spec.src, next)?;
            self.feed(from, question);
        }
        let (own, mac) = (
            self.scene.hosts.get(from.index())?.mac,
            *self.known.get(&(from, next))?,
        );
        Some(self.feed(from, spec.frame(own, mac)))
    }

    fn next_hop(&self, from: PortId, to: IpAddr) -> Option<IpAddr> {
        match self.scene.site.mode {
            Mode::Router => {
                let host = self.scene.hosts.get(from.index())?;
                if host.addresses.iter().any(|own| own.contains(to)) {
                    return Some(to);
                }
                let same = |gateway: &&IpAddr| gateway.is_ipv4() == to.is_ipv4();
                host.gateways.iter().find(same).copied()
            }
            Mode::Wire | Mode::Host => Some(to),
        }
    }

    fn question(&self, from: PortId, source: IpAddr, target: IpAddr) -> Option<Vec<u8>> {
        let own = self.scene.hosts.get(from.index())?.mac;
        match (source, target) {
            (IpAddr::V4(source), IpAddr::V4(target)) => Some(solicit::arp_frame(
                arp::operation::REQUEST,
                (own, source),
                (Mac::default(), target),
                Mac::BROADCAST,
            )),
            (IpAddr::V6(source), IpAddr::V6(target)) => {
                Some(solicit::solicitation((own, source), target))
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => None,
        }
    }

    /// Puts a frame and the answers of hosts to questions for their link addresses through the datapath; what else hosts hear.
    fn feed(&mut self, from: PortId, bytes: Vec<u8>) -> Vec<(PortId, Vec<u8>)> {
        let mut heard = Vec::new();
        let mut open = vec![(from, bytes)];
        // A question, its answer, and the question of the other side that both may lead to: a bound for rulesets that copy packets.
        let mut left = 16;
        while let (Some((from, bytes)), true) = (open.pop(), left > 0) {
            left -= 1;
            let mut out: Vec<OutFrame> = Vec::new();
            self.visits.take();
            let frame = Frame::from(bytes.clone());
            let report = self.datapath.handle_frame(self.now, from, frame, &mut out);
            let mut seen = Seen {
                from,
                bytes,
                report,
                met: self.visits.take(),
                out: BTreeSet::new(),
            };
            for frame in out {
                match Talk::of(&frame.bytes) {
                    Talk::Question {
                        asker,
                        source,
                        target,
                    } => {
                        open.extend(self.answer(frame.port, (asker, source), target));
                    }
                    Talk::Answer { mac, address } => {
                        self.known.insert((frame.port, address), mac);
                    }
                    Talk::Else => {
                        seen.out.insert(frame.port);
                        heard.push((frame.port, frame.bytes));
                    }
                }
            }
            self.seen.push(seen);
        }
        heard
    }

    /// A host's answer to a question for a link address, if the address is its own.
    fn answer(
        &self,
        port: PortId,
        (asker, source): (Mac, IpAddr),
        target: IpAddr,
    ) -> Option<(PortId, Vec<u8>)> {
        let own = self.scene.hosts.get(port.index())?.mac;
        if !self.owners.get(&target)?.contains(&port) {
            return None;
        }
        let bytes = match (source, target) {
            (IpAddr::V4(source), IpAddr::V4(target)) => {
                solicit::arp_frame(arp::operation::REPLY, (own, target), (asker, source), asker)
            }
            (IpAddr::V6(source), IpAddr::V6(target)) => {
                solicit::advertisement(own, target, (asker, source))
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => return None,
        };
        Some((port, bytes))
    }
}

/// What hosts say to each other about link addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// Who has this address?
    Question {
        /// Who asks.
        asker: Mac,
        /// From which address.
        source: IpAddr,
        /// For which address.
        target: IpAddr,
    },
    /// I have.
    Answer {
        /// The link address.
        mac: Mac,
        /// Whose it is.
        address: IpAddr,
    },
    /// Something else.
    Else,
}

impl Talk {
    /// Reads a frame.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let is_tried = bytes.windows(MARK.len()).any(|part| part == MARK);
        let layout = match dissect(bytes, LinkKind::Ethernet) {
            Ok(layout) if !is_tried => layout,
            _ => return Self::Else,
        };
        let packet = Packet::new(bytes.to_vec(), layout);
        if layout.is_arp() {
            let Some(arp) = Arp::new_checked(packet.network()) else {
                return Self::Else;
            };
            let (mac, source) = (Mac(arp.sender_mac()), arp.sender_ip());
            let target: Ipv4Addr = arp.target_ip();
            return if arp.operation() == arp::operation::REQUEST {
                Self::Question {
                    asker: mac,
                    source: source.into(),
                    target: target.into(),
                }
            } else {
                Self::Answer {
                    mac,
                    address: source.into(),
                }
            };
        }
        let (Some(ip), Some(message), Some(link)) =
            (packet.ipv6(), packet.icmpv6(), packet.ethernet())
        else {
            return Self::Else;
        };
        let asker = Mac(link.src());
        match (message.icmpv6_type(), message.target(), ip.hop_limit()) {
            (icmpv6_type::NEIGHBOUR_SOLICIT, Some(target), 255) => Self::Question {
                asker,
                source: ip.src().into(),
                target: target.into(),
            },
            (icmpv6_type::NEIGHBOUR_ADVERT, Some(target), 255) => Self::Answer {
                mac: asker,
                address: target.into(),
            },
            _ => Self::Else,
        }
    }

    /// Whether it is ARP, and so IPv4.
    pub(super) const fn is_arp(self) -> bool {
        matches!(
            self,
            Self::Question {
                target: IpAddr::V4(_),
                ..
            } | Self::Answer {
                address: IpAddr::V4(_),
                ..
            }
        )
    }

    /// What people call it, with the family.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Question {
                target: IpAddr::V4(_),
                ..
            } => Some("ARP request"),
            Self::Question {
                target: IpAddr::V6(_),
                ..
            } => Some("ND solicit"),
            Self::Answer {
                address: IpAddr::V4(_),
                ..
            } => Some("ARP reply"),
            Self::Answer {
                address: IpAddr::V6(_),
                ..
            } => Some("ND advert"),
            Self::Else => None,
        }
    }
}

/// The packets of a conversation when nothing stops it: whether the trying host sends each. Each is sent because the one before arrived.
fn dialogue(attempt: &Attempt) -> Vec<(bool, Spec)> {
    let first = attempt.draft.spec.clone();
    let answer = first.answer();
    match attempt.what {
        Try::Raw { .. } => vec![(true, first)],
        Try::Ping { .. } | Try::Udp { .. } => vec![(true, first), (false, answer)],
        Try::Tcp { .. } => {
            let ack = answer.answer();
            let request = Spec {
                payload: super::tries::REQUEST.to_vec(),
                ..ack
            };
            let page = Spec {
                payload: super::host::PAGE.to_vec(),
                ..request.answer()
            };
            vec![
                (true, first),
                (false, answer),
                (true, ack),
                (true, request),
                (false, page),
            ]
        }
    }
}
