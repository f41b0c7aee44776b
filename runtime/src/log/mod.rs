//! What `log` and tracing give out: the observer that the command supplies, and the kernel's log line.

mod line;
mod step;
#[cfg(test)]
mod tests;

pub use step::Step;

use redan_vm::family::Hook;
use redan_vm::ids::RuleId;
use redan_vm::instr::Log;
use redan_vm::{Instant, Packet};

/// Hears of what rules do beside deciding.
pub trait Observer: Send {
    /// A `log` statement ran.
    fn log(&mut self, entry: &LogEntry<'_>);
    /// A packet has gone a step of its way; called only where [`Settings::trace`](crate::Settings::trace) is set.
    fn trace(&mut self, step: Step<'_>) {
        let _ = step;
    }
}

/// An observer that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn log(&mut self, _entry: &LogEntry<'_>) {}
}

/// A `log` statement that ran. Its `Display` is the kernel's line: `prefix IN=lan0 OUT= MAC=... SRC=...`.
#[derive(Clone, Copy, Debug)]
pub struct LogEntry<'a> {
    /// When.
    pub now: Instant,
    /// At which hook.
    pub hook: Hook,
    /// Which rule.
    pub rule: RuleId,
    /// What it asks for.
    pub log: &'a Log,
    /// The packet.
    pub packet: &'a Packet,
}

impl std::fmt::Display for LogEntry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        line::write(f, self.log, self.packet)
    }
}
