//! A compiled ruleset: where lang and runtime meet. Tables, chains, rules, sets and the initial state of stateful objects.

mod needs;
mod set;
mod tunnel;

pub use needs::{Needs, Protocols};
pub use set::{Element, ElementData, Elements, Set, SetData, set_flags};
pub use tunnel::{GeneveOption, Tunnel, TunnelKind};

use crate::family::{ChainType, Family, Hook};
use crate::ids::{ChainId, FileId, RuleId, SetId, StateId, TableId};
use crate::instr::{Instr, ObjectKind};

/// Everything that was loaded together.
#[derive(Clone, Debug, Default)]
pub struct Ruleset {
    /// Tables in order of creation.
    pub tables: Vec<Table>,
    /// Chains in order of creation, which is the order of registration: of two base chains with one hook and priority the later runs first.
    pub chains: Vec<Chain>,
    /// Rules in the order in which the file adds them; [`Chain::rules`] has them in the order in which they run.
    pub rules: Vec<Rule>,
    /// Sets and maps, anonymous ones included.
    pub sets: Vec<Set>,
    /// Initial values of every counter, limit, quota, ...: a [`StateId`] is an index into it.
    pub states: Vec<StateSpec>,
    /// Named stateful objects.
    pub objects: Vec<Object>,
    /// Interface names by index: index 1 is the first, always `lo`; then a site's ports, then names in order of mention.
    pub interfaces: Vec<String>,
    /// Names of the files that the rules came from.
    pub files: Vec<String>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its family.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// Base chains of a dormant table are not registered.
    pub dormant: bool,
}

/// A chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its table.
    pub table: TableId,
    /// Its name.
    pub name: String,
    /// Hook and policy, for a base chain.
    pub base: Option<BaseChain>,
    /// Its rules, in the order in which they run.
    pub rules: Vec<RuleId>,
    /// Whether the chain is gone again by the end of the file (its rules stay in [`Ruleset::rules`] for printing).
    pub deleted: bool,
}

/// What makes a chain a base chain.
#[derive(Clone, Debug)]
pub struct BaseChain {
    /// Its type.
    pub chain_type: ChainType,
    /// Where it hangs.
    pub hook: Hook,
    /// Lower runs first.
    pub priority: i32,
    /// What happens at its end.
    pub policy: Policy,
    /// Devices of an ingress or egress chain.
    pub devices: Vec<String>,
}

/// A base chain's policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Go on.
    #[default]
    Accept,
    /// Gone.
    Drop,
}

/// Where something stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Which file.
    pub file: FileId,
    /// Line, from 1.
    pub line: u32,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its chain.
    pub chain: ChainId,
    /// Its instructions.
    pub code: Vec<Instr>,
    /// Where it stands.
    pub origin: Origin,
    /// Its comment, which serves as its name.
    pub comment: Option<String>,
    /// Anonymous sets that it uses, in the order in which they are printed.
    pub sets: Vec<SetId>,
}

/// A named stateful object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its table.
    pub table: TableId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ObjectKind,
    /// Its state.
    pub state: StateId,
    /// Whether the object is gone again by the end of the file (rules of old still name it).
    pub deleted: bool,
}

/// The initial value of a stateful expression or object; instances in set elements are made from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StateSpec {
    /// `counter packets P bytes B`.
    Counter {
        /// Packets so far.
        packets: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// `limit rate ...`.
    Limit(LimitSpec),
    /// `quota ...`.
    Quota {
        /// The budget.
        bytes: u64,
        /// Spent so far.
        consumed: u64,
        /// Match when it is spent.
        over: bool,
    },
    /// `last`: nanoseconds since 1970, if it ever ran.
    Last {
        /// Milliseconds ago, as written in the file (`used`), if given.
        used_ms: Option<u64>,
    },
    /// `ct count N`.
    Connlimit {
        /// How many.
        count: u32,
        /// Match when there are more.
        over: bool,
    },
    /// `numgen inc`: the next value.
    Numgen,
    /// `ct helper`.
    CtHelper {
        /// The helper's name.
        name: String,
        /// Layer 4 protocol.
        l4proto: u8,
        /// [`nfproto`](crate::family::nfproto), when restricted.
        l3proto: Option<u8>,
    },
    /// `ct timeout`: seconds by state name.
    CtTimeout {
        /// Layer 4 protocol.
        l4proto: u8,
        /// [`nfproto`](crate::family::nfproto), when restricted.
        l3proto: Option<u8>,
        /// State name and seconds.
        policy: Vec<(String, u32)>,
    },
    /// `ct expectation`.
    CtExpectation {
        /// Layer 4 protocol.
        l4proto: u8,
        /// Destination port.
        dport: u16,
        /// How long it waits, in milliseconds.
        timeout_ms: u64,
        /// How many at once.
        size: u8,
        /// [`nfproto`](crate::family::nfproto), when restricted.
        l3proto: Option<u8>,
    },
    /// `tunnel`.
    Tunnel(Box<Tunnel>),
    /// `secmark`.
    Secmark(String),
    /// `synproxy`.
    Synproxy {
        /// Maximum segment size.
        mss: u16,
        /// Window scale.
        wscale: u8,
        /// 1 mss, 2 wscale, 4 sack-perm, 8 timestamp.
        flags: u32,
    },
}

/// A token bucket (`nft_limit.c`): the arithmetic is in spec order, see the state module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitSpec {
    /// Packets or bytes per unit.
    pub rate: u64,
    /// The unit, in seconds.
    pub unit_secs: u64,
    /// Packets or bytes on top.
    pub burst: u32,
    /// Counts bytes.
    pub bytes: bool,
    /// Matches when exceeded.
    pub over: bool,
}
