//! A replay's frames, as people and as programs read them.

pub(crate) mod json;
pub(crate) mod tally;
pub(crate) mod text;

use redan_runtime::{OutFrame, Report, Site};
use redan_vm::family::Hook;
use redan_vm::{Instant, Ruleset, Step, Visit};

use crate::way::Texts;

/// A rule that a frame visited.
#[derive(Clone, Debug)]
pub(crate) struct Visited {
    /// At which hook.
    pub(crate) hook: Hook,
    /// Which rule, and how it ended.
    pub(crate) visit: Visit,
}

impl Visited {
    /// Whether all of the rule held.
    pub(crate) fn held(&self) -> bool {
        self.visit.step != Step::Break
    }
}

/// What a replay speaks of.
pub(crate) struct Setting<'a> {
    /// The rules.
    pub(crate) ruleset: &'a Ruleset,
    /// Their text, when visits are told.
    pub(crate) texts: Option<&'a Texts>,
    /// The ports.
    pub(crate) site: &'a Site,
    /// When the first frame came in.
    pub(crate) start: Instant,
    /// Whether lines are as long as what they say.
    pub(crate) everything: bool,
}

/// A frame that came in, and what became of it.
pub(crate) struct Event<'a> {
    /// Its number in the capture, from 1.
    pub(crate) number: u64,
    /// When it came in.
    pub(crate) time: Instant,
    /// By which port.
    pub(crate) port: &'a str,
    /// Its bytes.
    pub(crate) frame: &'a [u8],
    /// The frame that it is, captured a second time on its way out.
    pub(crate) copy_of: Option<u64>,
    /// What became of it.
    pub(crate) report: &'a Report,
    /// Every frame that left because of it.
    pub(crate) out: &'a [OutFrame],
    /// The rules that it visited; nothing when that is not recorded.
    pub(crate) visits: Option<&'a [Visited]>,
}

/// Seconds from one time to another, with six decimals.
pub(crate) fn since(start: Instant, time: Instant) -> String {
    let since = time.since(start);
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}

/// Seconds and nanoseconds since 1970 with at least six decimals.
fn seconds(time: Instant) -> String {
    let (secs, nanos) = (
        time.as_nanos() / 1_000_000_000,
        time.as_nanos() % 1_000_000_000,
    );
    if nanos % 1000 == 0 {
        format!("{secs}.{:06}", nanos / 1000)
    } else {
        format!("{secs}.{nanos:09}")
    }
}

/// A port's name.
fn port_name<'a>(site: &'a Site, frame: &OutFrame) -> &'a str {
    site.ports
        .get(frame.port.index())
        .map_or("", |port| &port.name)
}
