//! What the datapath says of a frame: what the command prints as JSON or text.

use redan_vm::family::Hook;
use redan_vm::ids::{ChainId, RuleId};

use crate::conntrack::CtReport;
use crate::reason::Reason;
use crate::site::PortId;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// It left.
    Accept,
    /// It is gone.
    Drop,
    /// It is gone, and its sender was told.
    Reject,
    /// It was delivered to the machine itself.
    Local,
    /// A fragment that waits.
    Held,
    /// Queued to a program.
    Queue,
    /// Not IP, or not for this machine.
    Other,
}

impl Verdict {
    /// Every verdict, in order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::Accept,
        Self::Drop,
        Self::Reject,
        Self::Local,
        Self::Held,
        Self::Queue,
        Self::Other,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Drop => "drop",
            Self::Reject => "reject",
            Self::Local => "local",
            Self::Held => "held",
            Self::Queue => "queue",
            Self::Other => "other",
        }
    }
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The rule; its chain, table and place are in the ruleset.
    pub rule: RuleId,
    /// The hook at which it ran.
    pub hook: Hook,
}

/// What became of one frame that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of it.
    pub verdict: Verdict,
    /// Why, where no rule decided.
    pub reason: Option<Reason>,
    /// The rule that dropped or rejected, or the last that accepted in a filter chain.
    pub decision: Option<Decision>,
    /// The chain whose policy decided, where the reason is [`Reason::Policy`].
    pub policy: Option<ChainId>,
    /// The port that it leaves by, or would have left by as far as its way was known when it ended.
    pub leaves_by: Option<PortId>,
    /// What conntrack made of it; `None` when it is off or did not see the frame.
    pub ct: Option<CtReport>,
}
