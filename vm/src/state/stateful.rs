//! Stateful expressions as they run: in a rule, as a named object, or in an element of a set.

use super::Limit;
use crate::engine::Host;
use crate::instr::Verdict;
use crate::ops::Step;
use crate::packet::Packet;
use crate::ruleset::StateSpec;
use crate::time::Instant;

/// A packet and byte count. The layout is fixed (`repr(C)`) because generated code counts in line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counter {
    /// Packets.
    pub packets: u64,
    /// Bytes, from the network header on.
    pub bytes: u64,
}

impl Counter {
    /// Counts one packet of `len` bytes.
    #[inline]
    pub const fn count(&mut self, len: u32) {
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(len as u64);
    }
}

/// One stateful expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stateful {
    /// `counter`.
    Counter(Counter),
    /// `limit`.
    Limit(Limit),
    /// `quota`.
    Quota {
        /// The budget in bytes.
        bytes: u64,
        /// Spent so far.
        consumed: u64,
        /// Matches when it is spent.
        over: bool,
    },
    /// `last`.
    Last {
        /// When it last ran.
        at: Option<Instant>,
        /// Milliseconds before the ruleset was loaded that it ran, as the file says.
        used_ms: Option<u64>,
    },
    /// `ct count`.
    Connlimit {
        /// How many connections.
        count: u32,
        /// Matches when there are more.
        over: bool,
        /// The host's list of connections.
        list: u64,
    },
    /// `numgen inc`: the next value.
    Numgen(u32),
    /// An object that nothing is counted in (helpers, timeouts, ...).
    Object(Box<StateSpec>),
}

impl Stateful {
    /// A fresh one. `lists` numbers the lists of connections.
    pub fn new(spec: &StateSpec, lists: &mut u64) -> Self {
        match *spec {
            StateSpec::Counter { packets, bytes } => Self::Counter(Counter { packets, bytes }),
            StateSpec::Limit(ref limit) => Self::Limit(Limit::new(limit)),
            StateSpec::Quota {
                bytes,
                consumed,
                over,
            } => Self::Quota {
                bytes,
                consumed,
                over,
            },
            StateSpec::Last { used_ms } => Self::Last { at: None, used_ms },
            StateSpec::Connlimit { count, over } => {
                *lists += 1;
                Self::Connlimit {
                    count,
                    over,
                    list: *lists,
                }
            }
            StateSpec::Numgen => Self::Numgen(0),
            StateSpec::CtHelper { .. }
            | StateSpec::CtTimeout { .. }
            | StateSpec::CtExpectation { .. }
            | StateSpec::Tunnel(_)
            | StateSpec::Secmark(_)
            | StateSpec::Synproxy { .. } => Self::Object(Box::new(spec.clone())),
        }
    }

    /// The list of connections that it counts, if it does.
    pub const fn list(&self) -> Option<u64> {
        match self {
            Self::Connlimit { list, .. } => Some(*list),
            Self::Counter(_)
            | Self::Limit(_)
            | Self::Quota { .. }
            | Self::Last { .. }
            | Self::Numgen(_)
            | Self::Object(_) => None,
        }
    }

    /// Runs it for a packet.
    pub fn run(&mut self, packet: &Packet, now: Instant, host: &mut dyn Host) -> Step {
        match self {
            Self::Counter(counter) => {
                counter.count(packet.meta.len);
                Step::Next
            }
            Self::Limit(limit) => Step::when(limit.run(now, packet.meta.len)),
            Self::Quota {
                bytes,
                consumed,
                over,
            } => {
                *consumed = consumed.saturating_add(u64::from(packet.meta.len));
                Step::when((*consumed > *bytes) == *over)
            }
            Self::Last { at, .. } => {
                *at = Some(now);
                Step::Next
            }
            Self::Connlimit { count, over, list } => match host.connections(packet, *list) {
                Some(open) => Step::when((open > *count) == *over),
                None => Step::Verdict(Verdict::Drop),
            },
            Self::Numgen(_) | Self::Object(_) => Step::Next,
        }
    }
}
