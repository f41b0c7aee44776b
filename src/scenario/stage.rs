//! A datapath that packets in words are put through, one after the other: who answers, by which port, and at what time.

use std::net::IpAddr;
use std::time::Duration;

use redan_runtime::{Datapath, Frame, Mac, Mode, OutFrame, PortId, Report, Side, Verdict};
use redan_vm::{Engine, Instant};

use super::{Step, Way, What, words};
use crate::craft::Spec;
use crate::engine;
use crate::way::{self, Recorder};

/// When everything starts; any time does.
const START: Instant = Instant::from_secs(1_700_000_000);

/// Time between two packets.
const PAUSE: Duration = Duration::from_millis(1);

/// Where a packet starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// It comes in by a port.
    Port(PortId),
    /// The machine sends it by a port.
    Machine(PortId),
}

/// The packet before, and where it went.
struct Last {
    spec: Spec,
    from: From,
    /// Where its answer would start.
    answered: Option<From>,
}

/// What became of a packet.
pub(crate) struct Played {
    /// The packet.
    pub(crate) spec: Spec,
    /// `in PORT` or `out PORT`.
    pub(crate) way: String,
    /// What became of it.
    pub(crate) report: Report,
    /// Every frame that left because of it.
    pub(crate) out: Vec<OutFrame>,
    /// Its way; empty where nothing is traced.
    pub(crate) steps: Vec<way::Step>,
}

/// A datapath and what has been put through it.
pub(crate) struct Stage {
    datapath: Datapath,
    recorder: Recorder,
    now: Instant,
    last: Option<Last>,
}

impl Stage {
    /// With a datapath whose observer is `recorder`.
    pub(crate) fn new(datapath: Datapath, recorder: Recorder) -> Self {
        Self {
            datapath,
            recorder,
            now: START,
            last: None,
        }
    }

    /// The datapath.
    pub(crate) fn datapath(&self) -> &Datapath {
        &self.datapath
    }

    /// Gives back the engine.
    pub(crate) fn into_engine(mut self) -> Box<dyn Engine + Send> {
        self.datapath.set_engine(Box::new(engine::Nothing))
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Takes a step; `None` where it sends nothing.
    pub(crate) fn step(&mut self, step: &Step) -> Option<Result<Played, String>> {
        match step {
            Step::Wait(time) => {
                self.wait(*time);
                None
            }
            Step::Local(_) | Step::Host(..) => None,
            Step::Send { packet, way, .. } => Some(self.send(packet, way.as_ref())),
        }
    }

    /// Sends a packet.
    pub(crate) fn send(&mut self, what: &What, way: Option<&Way>) -> Result<Played, String> {
        self.now = self.now + PAUSE;
        let (spec, from) = self.packet(what, way)?;
        let mut out: Vec<OutFrame> = Vec::new();
        self.datapath.handle_timeout(self.now, &mut out);
        out.clear();
        drop(self.recorder.take());
        let report = self.play(&spec, from, &mut out)?;
        let steps = self.recorder.take();
        let answered = match (report.verdict, from, out.first()) {
            (Verdict::Accept, _, Some(frame)) => Some(self.start_of_answer(frame.port)),
            (Verdict::Local, From::Port(port), _) => Some(From::Machine(port)),
            _ => None,
        };
        let (word, port) = match from {
            From::Port(port) => ("in", self.name(port)),
            From::Machine(port) => ("out", self.name(port)),
        };
        self.last = Some(Last {
            spec: spec.clone(),
            from,
            answered,
        });
        Ok(Played {
            spec,
            way: format!("{word} {port}"),
            report,
            out,
            steps,
        })
    }

    /// Where the answer to what left by a port comes from: in host mode, from the machine when that is behind the port.
    fn start_of_answer(&self, port: PortId) -> From {
        let site = self.datapath.site();
        let inside = site.mode == Mode::Host
            && (site.ports.get(port.index())).is_some_and(|port| port.side == Side::Inside);
        let other = PortId(1 - port.0.min(1));
        if inside {
            From::Machine(other)
        } else {
            From::Port(port)
        }
    }

    fn name(&self, port: PortId) -> String {
        let port = self.datapath.site().ports.get(port.index());
        port.map_or_else(String::new, |port| port.name.clone())
    }

    fn packet(&self, what: &What, way: Option<&Way>) -> Result<(Spec, From), String> {
        let named = way.map(|way| self.start(way)).transpose()?;
        let before =
            || (self.last.as_ref()).ok_or_else(|| "there is no packet before this one".to_owned());
        let nowhere = "the packet before went nowhere; say `in PORT`";
        match what {
            What::New(spec) => Ok(((**spec).clone(), named.ok_or("say `in PORT`")?)),
            What::Again => {
                let last = before()?;
                Ok((last.spec.clone(), named.unwrap_or(last.from)))
            }
            What::Answer => {
                let last = before()?;
                Ok((last.spec.answer(), named.or(last.answered).ok_or(nowhere)?))
            }
            What::Error(kind, code) => {
                let last = before()?;
                let is_v4 = last.spec.src.is_ipv4();
                let family = if is_v4 { "icmp" } else { "icmpv6" };
                let kind = words::icmp_type(is_v4, kind)
                    .ok_or_else(|| format!("`{kind}` is no type of {family}"))?;
                Ok((
                    last.spec.error(kind, *code),
                    named.or(last.answered).ok_or(nowhere)?,
                ))
            }
        }
    }

    fn start(&self, way: &Way) -> Result<From, String> {
        let site = self.datapath.site();
        let port = site.port_by_name(way.port()).ok_or_else(|| {
            let known: Vec<&str> = site.ports.iter().map(|port| port.name.as_str()).collect();
            format!(
                "the site has no port `{}`; it has {}",
                way.port(),
                known.join(", ")
            )
        })?;
        Ok(match way {
            Way::In(_) => From::Port(port),
            Way::Out(_) => From::Machine(port),
        })
    }

    fn play(&mut self, spec: &Spec, from: From, out: &mut Vec<OutFrame>) -> Result<Report, String> {
        let (mode, now) = (self.datapath.site().mode, self.now);
        match (from, mode) {
            (From::Port(port), _) => {
                let frame = self.frame(spec, port, false).into();
                Ok(self.datapath.handle_frame(now, port, frame, out))
            }
            (From::Machine(_), Mode::Router) => {
                let frame = Frame::from(spec.frame(Mac::default(), Mac::default()));
                Ok(self.datapath.handle_own(now, frame, out))
            }
            (From::Machine(port), Mode::Wire) => {
                if !self.datapath.site().local.contains(&spec.src) {
                    return Err(format!(
                        "{} is not the machine's own address; say so with `local {}`",
                        spec.src, spec.src
                    ));
                }
                let frame = self.frame(spec, port, true).into();
                Ok(self.datapath.handle_frame(now, port, frame, out))
            }
            (From::Machine(port), Mode::Host) => {
                let inside = PortId(1 - port.0.min(1));
                let frame = self.frame(spec, inside, true).into();
                Ok(self.datapath.handle_frame(now, inside, frame, out))
            }
        }
    }

    /// The frame of a packet on a port's link.
    fn frame(&self, spec: &Spec, port: PortId, own: bool) -> Vec<u8> {
        let site = self.datapath.site();
        let mac = (site.ports.get(port.index())).map_or(Mac::default(), |port| port.mac);
        let from = spec.mac.unwrap_or(Mac::made_up(spec.src));
        let to = group(spec.dst);
        match (own, site.mode) {
            (true, _) => spec.frame(mac, to.unwrap_or(Mac::made_up(spec.dst))),
            (false, Mode::Wire) => spec.frame(from, to.unwrap_or(Mac::made_up(spec.dst))),
            (false, Mode::Router | Mode::Host) => spec.frame(from, to.unwrap_or(mac)),
        }
    }
}

/// The link address of a group (RFC 1112, section 6.4; RFC 2464, section 7) or of everybody.
fn group(address: IpAddr) -> Option<Mac> {
    match address {
        IpAddr::V4(v4) if v4.is_broadcast() => Some(Mac::BROADCAST),
        IpAddr::V4(v4) if v4.is_multicast() => {
            let [_, b, c, d] = v4.octets();
            Some(Mac([1, 0, 0x5e, b & 0x7f, c, d]))
        }
        IpAddr::V6(v6) if v6.is_multicast() => {
            let [.., a, b, c, d] = v6.octets();
            Some(Mac([0x33, 0x33, a, b, c, d]))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}
