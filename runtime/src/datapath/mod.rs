//! The datapath: frames in, frames and reports out, time as an argument.

mod report;

use std::sync::Arc;

use redan_vm::{Engine, Instant, Ruleset, State};

pub use report::{CtReport, Decision, Frame, Offload, OutFrame, Report, Verdict};

use crate::log::Observer;
use crate::reason::Reason;
use crate::site::{PortId, Site, SiteError};

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
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The site.
    pub site: Site,
    /// Real neighbours stand behind the ports: redan asks for their link addresses and answers for its own. A replay does neither.
    pub live: bool,
    /// Transport checksums.
    pub checksums: Checksums,
    /// Seed of whatever is random.
    pub seed: u64,
    /// Time is measured per phase (see [`Profile`]).
    pub profile: bool,
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

    /// Frames in all.
    pub fn packets(&self) -> u64 {
        self.verdicts.iter().sum()
    }
}

/// One owner of a ruleset's state and of the connection table.
pub struct Datapath {
    ruleset: Arc<Ruleset>,
    #[expect(dead_code, reason = "the signature comes before the body")]
    engine: Box<dyn Engine + Send>,
    #[expect(dead_code, reason = "the signature comes before the body")]
    observer: Box<dyn Observer>,
    state: State,
    settings: Settings,
    counters: Counters,
    profile: Profile,
}

impl Datapath {
    /// A datapath for a ruleset.
    ///
    /// # Errors
    /// The first thing that is wrong with the site ([`Site::check`] gives all).
    pub fn new(
        ruleset: Arc<Ruleset>,
        engine: Box<dyn Engine + Send>,
        observer: Box<dyn Observer>,
        settings: Settings,
    ) -> Result<Self, SiteError> {
        if let Some(error) = settings.site.check().into_iter().next() {
            return Err(error);
        }
        Ok(Self {
            ruleset,
            engine,
            observer,
            state: State::default(),
            settings,
            counters: Counters::default(),
            profile: Profile::default(),
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
        let _ = (now, port, frame, out);
        Report {
            verdict: Verdict::Other,
            reason: Some(Reason::NotIp),
            decision: None,
            ct: None,
        }
    }

    /// Takes a batch in, in order; `report` hears of each. The frames' buffers are taken.
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

    /// Does what is due: timeouts of connections, fragments and neighbours.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<OutFrame>) {
        let _ = (now, out);
    }

    /// When [`Self::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Puts another engine in place, for the same ruleset.
    pub fn set_engine(&mut self, engine: Box<dyn Engine + Send>) {
        let _ = engine;
    }

    /// The ruleset.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// Counters, limits, sets that changed.
    pub fn state(&self) -> &State {
        &self.state
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

    /// Gives buffers back for reuse.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        let _ = bytes;
    }
}
