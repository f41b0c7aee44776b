//! What an engine is, and what a program may ask of the world.

use crate::Data;
use crate::State;
use crate::ct::{CtKey, Direction};
use crate::ids::{ChainId, RuleId};
use crate::instr::{FibResult, Log, Nat, Reject, RtKey, Verdict};
use crate::packet::Packet;
use crate::ruleset::StateSpec;
use crate::time::Instant;

/// Runs base chains against packets. Every engine gives the same outcomes, the same changes of packet and state, and the same calls of
/// the host, in the same order.
pub trait Engine {
    /// Runs a base chain. Registers start at zero.
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome;
}

/// What a run works with beside the packet.
pub struct Env<'a> {
    /// Time of the packet.
    pub now: Instant,
    /// Counters, limits, sets that change.
    pub state: &'a mut State,
    /// The world.
    pub host: &'a mut dyn Host,
}

/// What became of a packet in one base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Final,
    /// The rule that decided; `None` when it was the policy.
    pub rule: Option<RuleId>,
}

/// A base chain's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Final {
    /// On to the next base chain.
    Accept,
    /// Gone.
    Drop,
    /// Gone, and the runtime answers.
    Reject(Reject),
    /// To a program that listens on this queue; on without it when `bypass` is set and nobody listens.
    Queue {
        /// Queue number.
        num: u16,
        /// Accept when nobody listens.
        bypass: bool,
    },
    /// Taken away without a drop (`fwd`, `synproxy`).
    Stolen,
}

/// How an instruction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// On with the next instruction.
    Next,
    /// The rule does not match.
    Break,
    /// The verdict register has been written. Never with `continue`, which is [`Self::Next`].
    Verdict(Verdict),
    /// The base chain is over with a verdict that the register cannot hold (reject, queue, stolen).
    Final(Final),
}

impl Step {
    /// [`Self::Next`] when it holds, else [`Self::Break`].
    #[inline]
    pub const fn when(holds: bool) -> Self {
        if holds { Self::Next } else { Self::Break }
    }

    /// [`Self::Next`] where there is something, else [`Self::Break`].
    #[inline]
    pub const fn some(done: Option<()>) -> Self {
        Self::when(done.is_some())
    }
}

/// A rule that was visited.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Which.
    pub rule: RuleId,
    /// How many jumps deep its chain was entered.
    pub depth: usize,
    /// How it ended; [`Step::Next`] where it came to its end without a verdict.
    pub step: Step,
    /// Which of its instructions ended it: an index, the number of instructions where none did.
    pub at: usize,
    /// What the instructions before put into registers from outside, in order.
    pub loads: Vec<Loaded>,
}

/// What a load gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The load's index among the rule's instructions.
    pub at: usize,
    /// The first bytes of the register, of which as many count as the load is wide.
    pub data: Data,
}

/// How an expression that asks the world ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The rule goes on.
    Done,
    /// The rule does not match.
    Break,
    /// The packet is dropped.
    Drop,
    /// The packet leaves the base chain accepted (NAT set up).
    Accept,
}

impl Asked {
    /// What the answer does to the rule.
    pub const fn step(self) -> Step {
        match self {
            Self::Done => Step::Next,
            Self::Break => Step::Break,
            Self::Drop => Step::Verdict(Verdict::Drop),
            Self::Accept => Step::Verdict(Verdict::Accept),
        }
    }
}

/// NAT as a rule asks for it, with register values filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatRange {
    /// Lowest and highest address in network order (IPv4 in the first 4 bytes), if given.
    pub addr: Option<([u8; 16], [u8; 16])>,
    /// Lowest and highest port, if given.
    pub port: Option<(u16, u16)>,
    /// [`nat_flags`](crate::instr::nat_flags).
    pub flags: u32,
}

/// Which NAT statement asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatAsk<'a> {
    /// `snat`, `dnat`.
    Nat(&'a Nat),
    /// `masquerade`.
    Masquerade,
    /// `redirect`.
    Redirect,
}

/// What a program may ask of the world. The runtime implements it; `NoHost` is the one with nothing in it.
pub trait Host {
    /// Loads a key that [`CtView`](crate::packet::CtView) does not hold into `out`, in the key's own byte order; `false` breaks the rule.
    /// Called only when the packet has an entry.
    fn ct_load(
        &mut self,
        packet: &Packet,
        key: CtKey,
        direction: Option<Direction>,
        out: &mut [u8],
    ) -> bool;
    /// Stores a key; the host also updates the packet's view. Does nothing without an entry.
    fn ct_store(
        &mut self,
        packet: &mut Packet,
        key: CtKey,
        direction: Option<Direction>,
        value: &[u8],
    );
    /// `ct helper set`, `ct timeout set`, `ct expectation set`, `meta secmark set` with a named object. Does nothing without an entry.
    fn ct_object(&mut self, packet: &mut Packet, object: &StateSpec) -> Asked {
        let _ = (packet, object);
        Asked::Done
    }
    /// `notrack`.
    fn notrack(&mut self, packet: &mut Packet);
    /// A NAT statement.
    fn nat(&mut self, packet: &mut Packet, ask: NatAsk<'_>, range: &NatRange) -> Asked;
    /// A log statement of a rule.
    fn log(&mut self, packet: &Packet, rule: RuleId, log: &Log);
    /// 32 random bits.
    fn random(&mut self) -> u32;
    /// `fib`: writes the result (4 bytes, or 16 for a name) into `out`; zeros when there is no route.
    fn fib(&mut self, packet: &Packet, flags: u32, result: FibResult, out: &mut [u8]);
    /// `rt`: `false` breaks the rule.
    fn rt(&mut self, packet: &Packet, key: RtKey, out: &mut [u8]) -> bool;
    /// Connections now open for a tuple list (`ct count`): adds the packet's connection to list `list` and gives the list's length; `None` drops.
    fn connections(&mut self, packet: &Packet, list: u64) -> Option<u32>;
    /// Whether any connection is in list `list`.
    fn has_connections(&mut self, list: u64) -> bool;
    /// Nobody will ask for list `list` again.
    fn forget_connections(&mut self, list: u64);
    /// `dup`: sends a copy to an address or out of an interface index.
    fn dup(&mut self, packet: &Packet, addr: Option<&[u8]>, oif: Option<u32>);
    /// `fwd`: sends the packet out of an interface index.
    fn fwd(&mut self, packet: &Packet, oif: u32, addr: Option<&[u8]>);
    /// A rule has been visited; called only by engines that trace.
    fn trace(&mut self, packet: &Packet, visit: &Visit);
}
