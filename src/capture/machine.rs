//! What a frame was to the machine that captured it: something that came in, something that the machine sent, or the same packet once
//! more on its way out.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use redan_runtime::driver::capture::Heading;
use redan_runtime::{Frame, Mac, Mode, OutFrame, PortId, Site};
use redan_vm::Instant;
use redan_vm::packet::{Offload, SegmentKind, Segments, TransportSum, protocol};

use super::flow::{Flow, Key};

/// How long a router may have a packet.
const ROUTED: Duration = Duration::from_secs(1);
/// How long a bridge may have a frame. It changes nothing in it, so that nothing but the time tells it from a repetition.
const BRIDGED: Duration = Duration::from_millis(5);
/// Most packets that are remembered.
const MOST: usize = 65_536;
/// What a frame was to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It came in.
    In,
    /// The machine sent it.
    Sent,
    /// The machine sent it to itself, through its loopback device.
    Looped,
    /// It is the frame with this number on its way out.
    Copy(u64),
    /// It is an answer that redan has given itself.
    Answer,
    /// It went out, and came neither from the machine nor in.
    Elsewhere,
}

/// A frame with what is known of it.
pub(crate) struct Shown<'a> {
    pub(crate) number: u64,
    pub(crate) time: Instant,
    pub(crate) port: PortId,
    pub(crate) heading: Option<Heading>,
    pub(crate) made_link: bool,
    pub(crate) bytes: &'a [u8],
}

struct Seen {
    number: u64,
    time: Instant,
    port: PortId,
    heading: Option<Heading>,
    made_link: bool,
    flow: Flow,
}

/// What is known of the machine, and the packets that went through it lately.
pub(crate) struct Machine {
    mode: Mode,
    macs: Vec<Mac>,
    mtus: Vec<u32>,
    own: HashSet<IpAddr>,
    any_mac: bool,
    seen: HashMap<Key, VecDeque<Seen>>,
    /// When which key was seen, oldest first.
    order: VecDeque<(Instant, Key)>,
    answers: VecDeque<(Instant, Flow)>,
    /// Of the copy taken last: by which port its first came, and with which link header.
    pub(crate) original: Option<(PortId, [u8; 12])>,
    /// Frames that are longer than any port takes.
    pub(crate) joined: u64,
}

impl Machine {
    /// The machine that a site describes.
    pub(crate) fn new(site: &Site, any_mac: bool) -> Self {
        let addresses = site.ports.iter().flat_map(|port| &port.addresses);
        Self {
            mode: site.mode,
            macs: site.ports.iter().map(|port| port.mac).collect(),
            mtus: site.ports.iter().map(|port| port.mtu).collect(),
            own: addresses
                .map(|prefix| prefix.address)
                .chain(site.local.iter().copied())
                .collect(),
            any_mac,
            seen: HashMap::new(),
            order: VecDeque::new(),
            answers: VecDeque::new(),
            original: None,
            joined: 0,
        }
    }

    /// What a frame was. A packet of several segments that the device would have cut, or has joined, is marked as such.
    pub(crate) fn take(&mut self, shown: &Shown<'_>) -> (Fate, Option<Flow>) {
        let flow = Flow::of(shown.bytes);
        let fate = match &flow {
            Some(flow) => self.fate(shown, flow),
            None => self.of_others(shown),
        };
        (fate, flow)
    }

    /// Marks a frame of several segments, which is longer than its port takes.
    pub(crate) fn mark_joined(&mut self, frame: &mut Frame, port: PortId, flow: &Flow) {
        let layout = &flow.layout;
        let own = self.mtus.get(port.index()).copied().unwrap_or(1500);
        if flow.bytes <= own as usize || layout.is_fragment() {
            return;
        }
        let kind = match (&flow.segment, layout.is_ipv6()) {
            (Some(_), false) => SegmentKind::Tcp4,
            (Some(_), true) => SegmentKind::Tcp6,
            (None, _) if layout.is_l4(protocol::UDP) => SegmentKind::Udp,
            (None, _) => return,
        };
        self.joined += 1;
        // Its segments are as long as its sender's way takes: what other ports take less is not known.
        let least = self.mtus.iter().copied().min().unwrap_or(own);
        let headers = layout.inner.saturating_sub(layout.network);
        let size = |bytes: u32| u16::try_from(bytes).unwrap_or(u16::MAX);
        frame.offload = Offload {
            // The card computes each segment's checksum; there is none for the whole.
            sum: TransportSum::Trusted,
            segments: Some(Segments {
                kind,
                size: size(least.saturating_sub(headers)),
                has_cwr: false,
                header_bytes: size(layout.inner),
            }),
        };
    }

    /// Frames that redan sent on its own account, which the capture shows too where the machine did the same.
    pub(crate) fn answered(&mut self, now: Instant, frames: &[OutFrame]) {
        while let Some((time, _)) = self.answers.front() {
            if now.since(*time) <= ROUTED && self.answers.len() < MOST {
                break;
            }
            self.answers.pop_front();
        }
        let flows = frames.iter().filter_map(|frame| Flow::of(&frame.bytes));
        self.answers.extend(flows.map(|flow| (now, flow)));
    }

    fn fate(&mut self, shown: &Shown<'_>, flow: &Flow) -> Fate {
        self.forget(shown.time);
        let to_us = self.mode == Mode::Router
            && !shown.made_link
            && self.macs.get(shown.port.index()) == Some(&Mac(flow.to()));
        if let Some(number) = self.find(shown, flow).filter(|_| !to_us) {
            return Fate::Copy(number);
        }
        if shown.heading != Some(Heading::In) && self.take_answer(shown.time, flow) {
            return Fate::Answer;
        }
        let is_own = self.own.contains(&flow.key.src);
        if !self.goes_out(shown, Mac(flow.from()), is_own) {
            self.remember(shown, flow);
            return Fate::In;
        }
        let link_local = matches!(flow.key.src, IpAddr::V6(src) if src.is_unicast_link_local() || src.is_unspecified())
            || flow.key.src.is_unspecified();
        if is_own || link_local || self.mode != Mode::Router {
            Fate::Sent
        } else {
            Fate::Elsewhere
        }
    }

    /// What is not IP goes in, or out when it is known to.
    fn of_others(&self, shown: &Shown<'_>) -> Fate {
        let link: Option<[u8; 6]> = shown.bytes.get(6..).and_then(<[u8]>::first_chunk).copied();
        if link.is_some_and(|from| self.goes_out(shown, Mac(from), false)) {
            Fate::Sent
        } else {
            Fate::In
        }
    }

    fn goes_out(&self, shown: &Shown<'_>, from: Mac, is_own: bool) -> bool {
        let by_link = self.mode == Mode::Router
            && !shown.made_link
            && (self.macs.get(shown.port.index()) == Some(&from) || (self.any_mac && is_own));
        match shown.heading {
            Some(heading) => heading == Heading::Out,
            None => by_link,
        }
    }

    fn find(&mut self, shown: &Shown<'_>, flow: &Flow) -> Option<u64> {
        let is_copy = |seen: &&Seen| {
            let turned = (seen.heading, shown.heading) != (Some(Heading::In), Some(Heading::In));
            let elsewhere = seen.port != shown.port || shown.heading == Some(Heading::Out);
            let since = shown.time.since(seen.time);
            let routed = seen.flow.ttl == flow.ttl.wrapping_add(1) && since <= ROUTED;
            let bridged = seen.flow.ttl == flow.ttl && since <= BRIDGED && {
                let known = shown.heading == Some(Heading::Out) && shown.made_link;
                known || (seen.flow.link == flow.link && !shown.made_link)
            };
            let same = match (seen.flow.segment, flow.segment) {
                (Some(whole), Some(part)) => whole.holds(part),
                _ => true,
            };
            let order = seen.made_link == shown.made_link && shown.heading != Some(Heading::In);
            turned && elsewhere && same && (routed || bridged) && order
        };
        let first = self.seen.get(&flow.key)?.iter().rev().find(is_copy)?;
        self.original = Some((first.port, first.flow.link));
        Some(first.number)
    }

    fn remember(&mut self, shown: &Shown<'_>, flow: &Flow) {
        self.order.push_back((shown.time, flow.key));
        self.seen.entry(flow.key).or_default().push_back(Seen {
            number: shown.number,
            time: shown.time,
            port: shown.port,
            heading: shown.heading,
            made_link: shown.made_link,
            flow: flow.clone(),
        });
    }

    fn forget(&mut self, now: Instant) {
        while let Some((time, key)) = self.order.front().copied() {
            if now.since(time) <= ROUTED && self.order.len() < MOST {
                break;
            }
            self.order.pop_front();
            if let Some(seen) = self.seen.get_mut(&key) {
                seen.pop_front();
                if seen.is_empty() {
                    self.seen.remove(&key);
                }
            }
        }
    }

    /// Whether redan has just given this answer; IP identifiers, hops and what an ICMP error quotes beside addresses may differ.
    fn take_answer(&mut self, now: Instant, flow: &Flow) -> bool {
        let at = self.answers.iter().position(|(time, answer)| {
            let (mine, its) = (&answer.key, &flow.key);
            (mine.src, mine.dst, mine.protocol) == (its.src, its.dst, its.protocol)
                && answer.segment == flow.segment
                && (answer.segment.is_none() || mine == its)
                && now.since(*time) <= ROUTED
        });
        at.and_then(|at| self.answers.remove(at)).is_some()
    }
}
