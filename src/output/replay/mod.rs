//! A replay's frames, as people and as programs read them.

pub(crate) mod json;
pub(crate) mod text;

use redan_runtime::{OutFrame, Report, Site};
use redan_vm::family::Hook;
use redan_vm::ids::RuleId;
use redan_vm::{Instant, Ruleset};

/// A rule that a frame visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// At which hook.
    pub(crate) hook: Hook,
    /// Which rule.
    pub(crate) rule: RuleId,
    /// Whether all of it held.
    pub(crate) matched: bool,
}

/// What a replay speaks of.
pub(crate) struct Setting<'a> {
    /// The rules.
    pub(crate) ruleset: &'a Ruleset,
    /// The ports.
    pub(crate) site: &'a Site,
    /// When the first frame came in.
    pub(crate) start: Instant,
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
    /// What became of it.
    pub(crate) report: &'a Report,
    /// Every frame that left because of it.
    pub(crate) out: &'a [OutFrame],
    /// The rules that it visited; nothing when that is not recorded.
    pub(crate) visits: Option<&'a [Visit]>,
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
