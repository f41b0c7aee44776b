//! The datapath: frames in, frames and reports out, time as an argument.
//!
//! [`Datapath::handle_frame`] is the door; each mode has its file (`route`, `wire`), which takes a packet from hook to hook
//! (`hooks`) and puts it on a link (`send`). Nothing here reads a clock but the stopwatch of [`Settings::profile`].

mod copies;
mod hooks;
mod local;
mod report;
mod route;
mod send;
mod stations;
mod trip;
mod wire;
mod world;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redan_vm::family::Hook;
use redan_vm::packet::{Ethernet, LinkKind, dissect_bridge, pkttype};
use redan_vm::ruleset::{Needs, Protocols};
use redan_vm::{Engine, Instant, Packet, Ruleset, State};

pub use report::{Decision, Report, Verdict};
pub use trip::direction_name;

use crate::conntrack::{Conntrack, Tunables};
use crate::defrag::Defrag;
use crate::frame::{Frame, OutFrame, Pool, Takes};
use crate::hook::HookList;
use crate::log::{Observer, Step};
use crate::reason::Reason;
use crate::router::fib::Fib;
use crate::router::neighbor::{Lost, Neighbors};
use crate::router::pace::Pace;
use crate::site::{Mode, PortId, Site, SiteError, Tracking};
use stations::Stations;
use trip::{End, Trip};
use world::{Interface, World};

/// Whether checksums of transport headers are verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksums {
    /// A wrong one makes a packet invalid, as in Linux.
    #[default]
    Verify,
    /// They are taken as right (captures made on a machine that leaves them to its network card).
    Ignore,
}

/// How a datapath is set up.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The site.
    pub site: Site,
    /// Real neighbours stand behind the ports: redan asks for their link addresses and answers for its own. A replay does neither.
    pub live: bool,
    /// Transport checksums.
    pub checksums: Checksums,
    /// A router takes frames to any unicast link address as its own (captures made on another machine than the site's).
    pub any_mac: bool,
    /// What the ports' devices finish; what they do not is finished before it leaves.
    pub takes: Takes,
    /// Seed of whatever is random.
    pub seed: u64,
    /// Time is measured per phase (see [`Profile`]).
    pub profile: bool,
    /// The observer is told of every step of every packet; for rules, the engine must be one that traces, too.
    pub trace: bool,
}

/// Where time went, in nanoseconds over all frames; filled when [`Settings::profile`] is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// All of a frame's way.
    pub total_ns: u64,
    /// Finding headers.
    pub dissect_ns: u64,
    /// Conntrack.
    pub conntrack_ns: u64,
    /// Chains.
    pub rules_ns: u64,
}

/// How many frames met which fate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    verdicts: [u64; Verdict::ALL.len()],
    drops: [u64; Reason::ALL.len()],
}

impl Counters {
    /// Frames with a verdict.
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict as usize).copied().unwrap_or(0)
    }

    /// Frames that did not go on for a reason.
    pub fn dropped(&self, reason: Reason) -> u64 {
        self.drops.get(reason as usize).copied().unwrap_or(0)
    }

    fn count(&mut self, report: &Report) {
        if let Some(count) = self.verdicts.get_mut(report.verdict as usize) {
            *count += 1;
        }
        let gone = !matches!(
            report.verdict,
            Verdict::Accept | Verdict::Local | Verdict::Held | Verdict::Queue
        );
        if let Some(reason) = report.reason.filter(|_| gone) {
            self.count_reason(reason, 1);
        }
    }

    fn count_reason(&mut self, reason: Reason, times: u64) {
        if let Some(count) = self.drops.get_mut(reason as usize) {
            *count += times;
        }
    }

    /// Frames in all.
    pub fn packets(&self) -> u64 {
        self.verdicts.iter().sum()
    }
}

/// One owner of a ruleset's state and of the connection table.
pub struct Datapath {
    ruleset: Arc<Ruleset>,
    engine: Box<dyn Engine + Send>,
    state: State,
    hooks: HookList,
    world: World,
    neighbors: Neighbors,
    defrag: Defrag,
    pace: Pace,
    settings: Settings,
    /// Who is behind which port, where a wire has more than two.
    stations: Stations,
    /// Frames that leave; the caller's vector while a frame is handled.
    out: Vec<OutFrame>,
    /// Buffers of frames that went no further, for the drivers.
    pool: Pool,
    /// Packets made in answer to packets made in answer.
    depth: u8,
    counters: Counters,
    profile: Profile,
    /// Whether the state's clock has been set by a first frame.
    is_started: bool,
}

impl Datapath {
    /// A datapath for a ruleset.
    ///
    /// # Errors
    /// The first thing that is wrong with the site ([`Site::check`] gives all that does not depend on conntrack's settings).
    pub fn new(
        ruleset: Arc<Ruleset>,
        engine: Box<dyn Engine + Send>,
        observer: Box<dyn Observer>,
        settings: Settings,
    ) -> Result<Self, SiteError> {
        let site = &settings.site;
        if let Some(error) = site.check().into_iter().next() {
            return Err(error);
        }
        let mut tunables = tunables(site)?;
        let mut needs = Needs::of(&ruleset);
        if site.tracking == Tracking::Always {
            needs.conntrack = Protocols::BOTH;
            needs.defrag = Protocols::BOTH;
        }
        tunables.acct |= needs.acct;
        let names: Vec<&str> = site.ports.iter().map(|port| port.name.as_str()).collect();
        let hooks = HookList::new(&ruleset, &names, needs);
        let conntrack = needs
            .conntrack
            .any()
            .then(|| Conntrack::new(tunables, u128::from(settings.seed) << 64 | 0x7265_6461_6e00));
        let fib = Fib::new(site);
        let on_link = |address| fib.on_link(address);
        let neighbors = Neighbors::new(site, settings.live, settings.seed, on_link);
        let stations = Stations::new(site.ports.len(), settings.seed);
        let world = World::new(
            conntrack,
            observer,
            fib,
            interfaces(site, &ruleset),
            settings.seed,
        );
        Ok(Self {
            state: State::new(&ruleset),
            ruleset,
            engine,
            hooks,
            world,
            neighbors,
            defrag: Defrag::new(settings.seed),
            pace: Pace::default(),
            settings,
            stations,
            out: Vec::new(),
            pool: Pool::default(),
            depth: 0,
            counters: Counters::default(),
            profile: Profile::default(),
            is_started: false,
        })
    }

    /// Takes a frame in from a port; frames that leave because of it are appended to `out`.
    pub fn handle_frame(
        &mut self,
        now: Instant,
        port: PortId,
        frame: Frame,
        out: &mut Vec<OutFrame>,
    ) -> Report {
        self.handle(now, out, |datapath, report| {
            datapath.receive(now, port, frame, report);
        })
    }

    /// Takes a packet of the machine itself, in router mode, to where routes lead; the frame's link header is room alone.
    pub fn handle_own(&mut self, now: Instant, frame: Frame, out: &mut Vec<OutFrame>) -> Report {
        self.handle(now, out, |datapath, report| {
            datapath.route_own(now, frame.bytes, report);
        })
    }

    /// Takes a frame that the machine itself sends out of a port, as a capture made there shows it: it passes output and postrouting.
    pub fn handle_sent(
        &mut self,
        now: Instant,
        port: PortId,
        frame: Frame,
        out: &mut Vec<OutFrame>,
    ) -> Report {
        self.handle(now, out, |datapath, report| {
            datapath.start_here(now, port, frame, report, Self::sent);
        })
    }

    /// Takes a frame that the machine sends to itself through its loopback device: it passes output and postrouting, and comes in again.
    pub fn handle_looped(
        &mut self,
        now: Instant,
        port: PortId,
        frame: Frame,
        out: &mut Vec<OutFrame>,
    ) -> Report {
        self.handle(now, out, |datapath, report| {
            datapath.start_here(now, port, frame, report, Self::looped);
        })
    }

    fn handle(
        &mut self,
        now: Instant,
        out: &mut Vec<OutFrame>,
        receive: impl FnOnce(&mut Self, &mut Report),
    ) -> Report {
        if !self.is_started {
            self.start(now);
        }
        let watch = self.watch();
        let before = out.len();
        std::mem::swap(&mut self.out, out);
        let mut report = Report {
            verdict: Verdict::Drop,
            reason: Some(Reason::Internal),
            decision: None,
            policy: None,
            leaves_by: None,
            ct: None,
        };
        let handled = catch_unwind(AssertUnwindSafe(|| {
            receive(self, &mut report);
        }));
        if handled.is_err() {
            self.recover(before);
        }
        std::mem::swap(&mut self.out, out);
        self.counters.count(&report);
        if let Some(watch) = watch {
            self.profile.total_ns += watch.elapsed_ns();
        }
        report
    }

    /// Takes a batch in, in order. The frames' buffers are taken.
    pub fn handle_frames(
        &mut self,
        now: Instant,
        port: PortId,
        frames: &mut Vec<Frame>,
        out: &mut Vec<OutFrame>,
    ) {
        for frame in frames.drain(..) {
            self.handle_frame(now, port, frame, out);
        }
    }

    /// Timeouts that the file gives to elements count from the first frame: that is when the ruleset is loaded.
    fn start(&mut self, now: Instant) {
        self.is_started = true;
        self.state = State::starting_at(&self.ruleset, now, self.settings.seed);
    }

    fn receive(&mut self, now: Instant, port: PortId, frame: Frame, report: &mut Report) {
        let mut trip = Trip::new(now, Some(port));
        self.world.route = None;
        let mut packet = Packet {
            frame: frame.bytes,
            offload: frame.offload,
            ..Packet::default()
        };
        let own = match self.settings.site.mode {
            Mode::Router if !frame.made_link && !self.settings.any_mac => self
                .settings
                .site
                .ports
                .get(port.index())
                .map(|port| port.mac.0),
            Mode::Router | Mode::Wire | Mode::Host => None,
        };
        packet.meta.pkttype = Ethernet::new_checked(packet.frame.as_slice())
            .map_or(pkttype::HOST, |header| pkttype::classify(header.dst(), own));
        self.set_in(&mut packet, Some(port));
        let end = self.ingress(&mut trip, &mut packet, port).and_then(|()| {
            match self.settings.site.mode {
                Mode::Router => self.route_in(&mut trip, &mut packet, port),
                Mode::Wire => self.wire_in(&mut trip, &mut packet, port),
                Mode::Host => self.host_in(&mut trip, &mut packet, port),
            }
        });
        *report = self.end(&trip, packet, end);
    }

    /// A packet's way is over.
    fn end(&mut self, trip: &Trip, mut packet: Packet, end: Result<Verdict, End>) -> Report {
        let mut told = trip.report(&packet, end);
        told.leaves_by = self.world.port_of(packet.meta.oif);
        self.release(&mut packet);
        self.pool.give(packet.frame);
        told
    }

    /// A packet starts its way at the machine itself.
    fn start_here(
        &mut self,
        now: Instant,
        port: PortId,
        frame: Frame,
        report: &mut Report,
        way: fn(&mut Self, &mut Trip, &mut Packet, PortId) -> Result<Verdict, End>,
    ) {
        let mut trip = Trip::new(now, Some(port));
        self.world.route = None;
        let mut packet = Packet {
            frame: frame.bytes,
            offload: frame.offload,
            ..Packet::default()
        };
        packet.meta.pkttype = pkttype::HOST;
        let end = way(self, &mut trip, &mut packet, port);
        *report = self.end(&trip, packet, end);
    }

    fn ingress(&mut self, trip: &mut Trip, packet: &mut Packet, port: PortId) -> Result<(), End> {
        if self.hooks.ingress(port).is_empty() {
            return Ok(());
        }
        let seen = dissect_bridge(&packet.frame, LinkKind::Ethernet);
        packet.layout = seen.map_err(|_| End::drop(Reason::Malformed))?;
        packet.refresh();
        self.pass_device(trip, packet, Hook::Ingress)
    }

    /// Does what is due: timeouts of connections and neighbours.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<OutFrame>) {
        let before = out.len();
        std::mem::swap(&mut self.out, out);
        if catch_unwind(AssertUnwindSafe(|| self.expire(now))).is_err() {
            self.recover(before);
            self.count_drop(Reason::Internal);
        }
        std::mem::swap(&mut self.out, out);
    }

    /// After a panic: whatever was sent by then is taken back, so that it fails closed, and nothing of it is left for the next frame.
    fn recover(&mut self, sent_before: usize) {
        self.out.truncate(sent_before);
        self.depth = 0;
        self.world.forget_packet();
    }

    fn expire(&mut self, now: Instant) {
        if let Some(conntrack) = &mut self.world.conntrack {
            conntrack.handle_timeout(now);
        }
        let due = self.neighbors.handle_timeout(now);
        for (port, address) in due.ask {
            self.ask(now, port, address);
        }
        self.fail(now, due.failed);
        for first in self.defrag.handle_timeout(now) {
            self.count_drop(Reason::FragmentTimeout);
            self.tell_timeout(now, &first);
        }
    }

    /// When [`Self::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let conntrack = self
            .world
            .conntrack
            .as_ref()
            .and_then(Conntrack::poll_timeout);
        [
            conntrack,
            self.neighbors.poll_timeout(),
            self.defrag.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Puts another engine in place, for the same ruleset, and gives back the one before.
    pub fn set_engine(&mut self, engine: Box<dyn Engine + Send>) -> Box<dyn Engine + Send> {
        std::mem::replace(&mut self.engine, engine)
    }

    /// Buffers for frames: a driver takes one for what it receives and gives it back when it is sent.
    pub const fn pool(&mut self) -> &mut Pool {
        &mut self.pool
    }

    /// The ruleset.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// Counters, limits, sets that changed.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The connection table; `None` when connections are not tracked.
    pub fn conntrack(&self) -> Option<&Conntrack> {
        self.world.conntrack.as_ref()
    }

    /// The connection table, to be changed.
    pub fn conntrack_mut(&mut self) -> Option<&mut Conntrack> {
        self.world.conntrack.as_mut()
    }

    /// The site.
    pub fn site(&self) -> &Site {
        &self.settings.site
    }

    /// How many frames met which fate.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where time went.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Tells the observer of a step, while tracing.
    #[inline]
    fn tell(&mut self, step: impl FnOnce() -> Step<'static>) {
        if self.settings.trace {
            self.world.observer.trace(step());
        }
    }

    /// Counts a packet that was made here or had waited, and did not go out.
    fn count_drop(&mut self, reason: Reason) {
        self.counters.count_reason(reason, 1);
    }

    /// Counts what the bounds of the neighbour tables have cost.
    fn count_lost(&mut self) {
        let Lost { frames, neighbors } = self.neighbors.take_lost();
        self.counters.count_reason(Reason::NeighbourLimit, frames);
        self.counters
            .count_reason(Reason::NeighbourEvicted, neighbors);
    }
}

/// The site's conntrack settings.
fn tunables(site: &Site) -> Result<Tunables, SiteError> {
    let mut tunables = Tunables::default();
    for (name, &value) in &site.conntrack {
        tunables
            .set(name, value)
            .map_err(|error| SiteError::BadTunable(name.clone(), error.to_string()))?;
    }
    Ok(tunables)
}

/// The ports as rules see them: by the ruleset's indices, or numbers behind those for ports that it does not know.
fn interfaces(site: &Site, ruleset: &Ruleset) -> Vec<Interface> {
    let known = ruleset.interfaces.len().max(1);
    let number = |(at, port): (usize, &crate::site::Port)| {
        let index = ruleset
            .interfaces
            .iter()
            .position(|name| *name == port.name)
            .map_or(known + 1 + at, |index| index + 1);
        let mut name = [0; 16];
        for (to, from) in name
            .iter_mut()
            .zip(port.name.bytes().take(crate::site::NAME_BYTES))
        {
            *to = from;
        }
        Interface {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            name,
            mtu: port.mtu,
        }
    };
    site.ports.iter().enumerate().map(number).collect()
}
