//! One packet's way through the hooks: what is noted on it for its report, and how it may end.

use redan_vm::ct::Direction;
use redan_vm::family::Hook;
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::{Instant, Packet};

use super::report::{Decision, Report, Verdict};
use crate::conntrack::{CtReport, InvalidReason};
use crate::defrag::Parts;
use crate::reason::Reason;
use crate::site::PortId;

/// What is noted of a packet on its way.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    /// Time of the packet.
    pub(super) now: Instant,
    /// The port that it came in by; `None` for a packet made here.
    pub(super) port: Option<PortId>,
    /// The fragments that it was put together from; `None` when it came whole.
    pub(super) parts: Option<Parts>,
    /// It has left by the loopback device and comes in again.
    pub(super) is_looped: bool,
    /// A copy that `dup` sent by a route.
    pub(super) is_copy: bool,
    /// How many copies it is away from a packet that is none.
    pub(super) copies: u8,
    decision: Option<Decision>,
    /// The chain whose policy decided last.
    policy: Option<ChainId>,
    tracked: bool,
    invalid: Option<InvalidReason>,
}

/// A packet's way ends before its last hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
}

impl End {
    /// The engine drops it.
    pub(super) const fn drop(reason: Reason) -> Self {
        Self {
            verdict: Verdict::Drop,
            reason: Some(reason),
        }
    }

    /// It waits for the rest of its packet.
    pub(super) const fn held() -> Self {
        Self {
            verdict: Verdict::Held,
            reason: Some(Reason::FragmentHeld),
        }
    }

    /// It is none of the engine's.
    pub(super) const fn other(reason: Reason) -> Self {
        Self {
            verdict: Verdict::Other,
            reason: Some(reason),
        }
    }
}

/// On to the next hook, or not.
pub(super) type Way = Result<(), End>;

impl Trip {
    /// A packet that starts on its way.
    pub(super) const fn new(now: Instant, port: Option<PortId>) -> Self {
        Self {
            now,
            port,
            parts: None,
            is_looped: false,
            is_copy: false,
            copies: 0,
            decision: None,
            policy: None,
            tracked: false,
            invalid: None,
        }
    }

    /// A filter chain let it pass.
    pub(super) const fn note_accept(&mut self, hook: Hook, chain: ChainId, rule: Option<RuleId>) {
        match rule {
            Some(rule) => self.decision = Some(Decision { rule, hook }),
            None => self.policy = Some(chain),
        }
    }

    /// A chain ended its way.
    pub(super) fn note_end(
        &mut self,
        hook: Hook,
        chain: ChainId,
        rule: Option<RuleId>,
        verdict: Verdict,
    ) -> End {
        self.decision = rule.map(|rule| Decision { rule, hook });
        self.policy = Some(chain);
        End {
            verdict,
            reason: rule.is_none().then_some(Reason::Policy),
        }
    }

    /// Conntrack saw it.
    pub(super) const fn note_tracked(&mut self, invalid: Option<InvalidReason>) {
        self.tracked = true;
        self.invalid = invalid;
    }

    /// What became of it.
    pub(super) fn report(&self, packet: &Packet, end: Result<Verdict, End>) -> Report {
        let (verdict, decision, reason) = match end {
            Ok(verdict) => {
                let reason = match (self.decision, self.policy) {
                    (Some(_), _) => None,
                    (None, Some(_)) => Some(Reason::Policy),
                    (None, None) => Some(Reason::NoRule),
                };
                (verdict, self.decision, reason)
            }
            Err(End {
                verdict,
                reason: None,
            }) => (verdict, self.decision, None),
            Err(End { verdict, reason }) => (verdict, None, reason),
        };
        Report {
            verdict,
            reason,
            decision,
            policy: self.policy.filter(|_| reason == Some(Reason::Policy)),
            leaves_by: None,
            ct: self.tracked.then(|| self.ct_report(packet)),
        }
    }

    /// What conntrack made of it.
    pub(super) fn ct_report(&self, packet: &Packet) -> CtReport {
        CtReport::new(packet.ct, self.invalid)
    }
}

/// The word for a direction in reports.
pub const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Original => "original",
        Direction::Reply => "reply",
    }
}
