//! The typed ruleset: rules with every name resolved and every value read, before they become bytecode. Lints walk it; [`crate::lower`] compiles it.

mod notes;
mod value;

pub use notes::{Flowtable, Handles, LiveTable, Notes, Numbered, SetNote};
pub(crate) use value::flips;
pub use value::{Jhash, Load, Numgen, Operand, Relation, ShiftDir, Value, ValueKind};

use crate::datatype::Type;
use crate::source::Span;
use redan_vm::ids::{ChainId, RuleId, SetId, StateId, TableId};
use redan_vm::instr::{DynsetOp, Log, NatKind, ObjectKind, Reject, Verdict};
use redan_vm::ruleset::StateSpec;
use std::collections::BTreeSet;

/// Everything that was resolved, beside the [`redan_vm::Ruleset`] that it belongs to.
#[derive(Debug, Default)]
pub struct Program {
    /// Rules by [`RuleId`].
    pub rules: Vec<Rule>,
    /// Sets by [`SetId`].
    pub sets: Vec<SetInfo>,
    /// Where each chain is declared, by [`ChainId`].
    pub chains: Vec<Span>,
    /// Definitions and whether anything uses them.
    pub defines: Vec<DefineUse>,
    /// Tables with rules that could not be compiled and are left out.
    pub passed_over: BTreeSet<TableId>,
    /// What listings show beside.
    pub notes: Notes,
}

/// A `define` and whether anything uses it.
#[derive(Debug, Clone, Copy)]
pub struct DefineUse {
    /// Place of its name.
    pub name: Span,
    /// Whether `$name` occurs within its reach.
    pub used: bool,
}

/// What is known of a set beside its bytes.
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Debug, Clone)]
pub struct SetInfo {
    /// Where it is declared, or its literal.
    pub span: Span,
    /// Types of the key's parts.
    pub key: Vec<Type>,
    /// Types of a map's data; empty for sets, verdict and object maps.
    pub data: Vec<Type>,
    /// Whether data are ranges: first all lower ends, then all upper ends.
    pub data_interval: bool,
    /// Whether overlapping elements merge.
    pub auto_merge: bool,
    /// Whether keys of a bit field lie as on the wire, so that the load needs no shift.
    pub in_place: bool,
    /// Whether host-order keys are kept in network order, for ranges.
    pub swapped: bool,
    /// Whether the types came from `typeof`.
    pub is_typeof: bool,
    /// Whether a rule or another object refers to it.
    pub used: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its number in the ruleset.
    pub id: RuleId,
    /// Its chain.
    pub chain: ChainId,
    /// Its handle.
    pub handle: u64,
    /// Its text.
    pub span: Span,
    /// Matches and statements in order, implied matches included; none without
    /// [`Options::keep_rules`](crate::compile::Options::keep_rules).
    pub stmts: Vec<Stmt>,
}

/// A match or statement.
#[derive(Debug, Clone)]
pub struct Stmt {
    /// Its text; for an implied match that of the expression that implies it.
    pub span: Span,
    /// Whether nobody wrote it: a protocol that a field implies.
    pub implied: bool,
    /// What it is.
    pub kind: StmtKind,
}

/// Every kind of statement.
#[derive(Debug, Clone)]
pub enum StmtKind {
    /// Goes on only where a value is as wanted.
    Match(Box<Match>),
    /// Ends the rule.
    Verdict(Verdict),
    /// Looks a verdict up.
    Vmap {
        /// The key.
        key: Box<Value>,
        /// The verdict map.
        set: SetId,
    },
    /// A counter, limit, quota, last or connection count of the rule's own.
    Stateful {
        /// Its slot.
        state: StateId,
        /// What it starts as.
        spec: StateSpec,
    },
    /// Runs a named object.
    Objref {
        /// Its kind.
        kind: ObjectKind,
        /// Its state.
        state: StateId,
    },
    /// Runs the object that a map gives.
    ObjrefMap {
        /// The key.
        key: Box<Value>,
        /// The map.
        set: SetId,
    },
    /// Logs.
    Log(Box<Log>),
    /// Answers and drops.
    Reject(Reject),
    /// Address translation.
    Nat(Box<Nat>),
    /// Transparent proxy.
    Tproxy {
        /// Family of the address; 0 where none is given.
        nfproto: u8,
        /// Where to.
        addr: Option<Box<Value>>,
        /// Where to.
        port: Option<Box<Value>>,
    },
    /// Leaves the packet untracked.
    Notrack,
    /// Writes a field.
    Set {
        /// The field.
        target: Box<Load>,
        /// The value.
        value: Box<Value>,
    },
    /// Removes a TCP option.
    ResetTcpOption(u8),
    /// Changes a set.
    Dynset(Box<Dynset>),
    /// Offloads the connection.
    Flow(String),
    /// Hands the packet to a program.
    Queue {
        /// First and last queue.
        num: (u16, u16),
        /// The queue as an expression instead.
        value: Option<Box<Value>>,
        /// Go on where no program listens.
        bypass: bool,
        /// Choose the queue by processor.
        fanout: bool,
    },
    /// Sends a copy.
    Dup {
        /// To an address.
        addr: Option<Box<Value>>,
        /// Through a device.
        device: Option<Box<Value>>,
    },
    /// Sends the packet out of a device.
    Fwd {
        /// The device.
        device: Box<Value>,
        /// To a neighbour.
        addr: Option<Box<Value>>,
        /// Family of the address; 0 without one.
        nfproto: u8,
    },
    /// Answers TCP handshakes.
    Synproxy {
        /// Maximum segment size.
        mss: u16,
        /// Window scale.
        wscale: u8,
        /// 1 mss, 2 wscale, 4 sack-perm, 8 timestamp.
        flags: u32,
    },
}

/// A match.
#[derive(Debug, Clone)]
pub struct Match {
    /// What is looked at.
    pub left: Value,
    /// How both sides relate; [`Relation::Eq`] or [`Relation::Ne`] except against a single value.
    pub relation: Relation,
    /// What it is compared with.
    pub right: Operand,
    /// Whether the user wrote a comparison sign.
    pub explicit: bool,
}

/// Address translation.
#[derive(Debug, Clone)]
pub struct Nat {
    /// What is translated.
    pub kind: NatStmt,
    /// Family of the addresses: nfproto, or 1 where only ports are given in an inet table.
    pub nfproto: u8,
    /// Address, range, prefix, or a map that gives them.
    pub addr: Option<NatArg>,
    /// Port, range, or a map that gives them.
    pub port: Option<NatArg>,
    /// A map that gives address and port at once (and ranges of them).
    pub layout: NatLayout,
    /// Flags as printed.
    pub flags: u32,
}

/// Which statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatStmt {
    /// `snat`, `dnat`.
    Nat(NatKind),
    /// `masquerade`.
    Masquerade,
    /// `redirect`.
    Redirect,
}

/// One or two values.
#[derive(Debug, Clone)]
pub enum NatArg {
    /// One.
    One(Value),
    /// First and last.
    Range(Value, Value),
}

/// What the address argument yields when it is a map or concatenation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NatLayout {
    /// A port follows the address.
    pub with_port: bool,
    /// Upper ends follow.
    pub interval: bool,
}

/// `add @s { ... }`.
#[derive(Debug, Clone)]
pub struct Dynset {
    /// What to do.
    pub op: DynsetOp,
    /// Which set.
    pub set: SetId,
    /// The key.
    pub key: Value,
    /// A map's data.
    pub data: Option<Value>,
    /// The element's timeout in milliseconds.
    pub timeout_ms: Option<u64>,
    /// What each element carries.
    pub exprs: Vec<StateSpec>,
}
