//! A packet's way through the rules, as a datapath that traces tells of it, kept for printing.

mod texts;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use redan_runtime::hook::Layer;
use redan_runtime::router::answer::Fault;
use redan_runtime::router::fib::Hop;
use redan_runtime::{CtReport, LogEntry, Observer, PortId, Step as Told};
use redan_vm::family::Hook;
use redan_vm::ids::ChainId;
use redan_vm::{Outcome, Visit};

pub(crate) use texts::{Failed, Texts};

/// A step of the way: [`Told`](redan_runtime::Step), kept, and what was logged.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// At a hook; the layer is `None` at a device's own.
    Hook(Hook, Option<Layer>),
    /// Conntrack has looked at it.
    Tracked(CtReport),
    /// A base chain starts.
    Chain(ChainId),
    /// A rule was visited.
    Rule(Visit),
    /// The base chain has ended.
    Ended(ChainId, Outcome),
    /// Where the routing table sends it.
    Route(IpAddr, Option<Hop>),
    /// It is to be forwarded.
    Forward {
        /// Hops that it may still go.
        hops: u8,
        /// Its length.
        bytes: u32,
        /// What the link takes.
        mtu: u32,
    },
    /// An answer is made.
    Answer(Fault),
    /// The answer's way is over.
    Answered,
    /// A frame leaves.
    Leaves(PortId),
    /// A line was logged.
    Log(String),
}

impl From<Told<'_>> for Step {
    fn from(told: Told<'_>) -> Self {
        match told {
            Told::Hook(hook, layer) => Self::Hook(hook, layer),
            Told::Tracked(report) => Self::Tracked(report),
            Told::Chain(chain) => Self::Chain(chain),
            Told::Rule(visit) => Self::Rule(visit.clone()),
            Told::Ended(chain, outcome) => Self::Ended(chain, outcome),
            Told::Route(to, hop) => Self::Route(to, hop),
            Told::Forward { hops, bytes, mtu } => Self::Forward { hops, bytes, mtu },
            Told::Answer(fault) => Self::Answer(fault),
            Told::Answered => Self::Answered,
            Told::Leaves(port) => Self::Leaves(port),
        }
    }
}

/// Keeps the steps of a packet; shared with the datapath.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Step>>>);

impl Recorder {
    /// Takes what there is.
    pub(crate) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, step: Step) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(step);
    }
}

impl Observer for Recorder {
    fn log(&mut self, entry: &LogEntry<'_>) {
        self.push(Step::Log(entry.to_string()));
    }

    fn trace(&mut self, step: Told<'_>) {
        self.push(step.into());
    }
}
