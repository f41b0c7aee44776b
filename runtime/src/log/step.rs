//! A packet's way, step by step, as the observer is told of it while a datapath traces.

use std::net::IpAddr;

use redan_vm::family::Hook;
use redan_vm::ids::ChainId;
use redan_vm::{Outcome, Visit};

use crate::conntrack::CtReport;
use crate::hook::Layer;
use crate::router::answer::Fault;
use crate::router::fib::Hop;
use crate::site::PortId;

/// One step.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// It comes to a hook; the layer is `None` at a device's own.
    Hook(Hook, Option<Layer>),
    /// Conntrack has looked at it.
    Tracked(CtReport),
    /// A base chain starts.
    Chain(ChainId),
    /// A rule of it was visited.
    Rule(&'a Visit),
    /// The base chain has ended.
    Ended(ChainId, Outcome),
    /// The routing table was asked for its destination.
    Route(IpAddr, Option<Hop>),
    /// It is to be forwarded.
    Forward {
        /// Hops that it may still go, before this one is taken off.
        hops: u8,
        /// Its length in bytes from the network header on.
        bytes: u32,
        /// What the link takes.
        mtu: u32,
    },
    /// An answer to it is made; the answer's own steps follow.
    Answer(Fault),
    /// The answer's way is over.
    Answered,
    /// A frame leaves by a port: the next one of those that the datapath gives out.
    Leaves(PortId),
}
