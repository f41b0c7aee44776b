//! Rules and their statements.

use super::{ChainBody, Element, Expr, Number, ObjectKind, Str, Word};
use crate::source::Span;
use serde::Serialize;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// From its first token to its last.
    #[serde(skip)]
    pub span: Span,
    /// Its statements in order, matches included.
    pub stmts: Vec<Stmt>,
    /// `comment "..."` at its end.
    pub comment: Option<Str>,
}

/// A statement and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stmt {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// Every kind of statement. What is rare and large is boxed: there may be hundreds of thousands of statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum StmtKind {
    /// `tcp dport 22`.
    Match(Box<Match>),
    /// `accept`, `jump x`, ...
    Verdict(Verdict),
    /// `tcp dport vmap { ... }`.
    Vmap {
        /// What is looked up.
        key: Box<Expr>,
        /// A set literal, a set reference or a variable.
        map: Box<Expr>,
    },
    /// `counter [packets N bytes N]`.
    Counter {
        /// Start value.
        packets: Option<Box<Number>>,
        /// Start value.
        bytes: Option<Box<Number>>,
    },
    /// `limit rate ...`.
    Limit(Box<Limit>),
    /// `quota [over|until] N unit [used N unit]`.
    Quota(Box<Quota>),
    /// `last [used never|T]`; in milliseconds, `None` for never.
    Last {
        /// When it was last used, before now.
        used_ms: Option<u64>,
    },
    /// `ct count [over] N`.
    CtCount {
        /// Whether it matches above instead of up to the number.
        over: bool,
        /// Number of connections.
        count: Number,
    },
    /// `log ...`.
    Log(Box<Log>),
    /// `reject [with ...]`.
    Reject(Option<RejectWith>),
    /// `snat`, `dnat`, `masquerade`, `redirect`.
    Nat(Box<Nat>),
    /// `tproxy [ip|ip6] to [address][:port]`.
    Tproxy {
        /// `ip` or `ip6`.
        family: Option<Box<Word>>,
        /// Where to.
        addr: Option<Box<Expr>>,
        /// Where to.
        port: Option<Box<Expr>>,
    },
    /// `notrack`.
    Notrack,
    /// `meta mark set 1`, `ip ttl set 64`, `tcp option maxseg size set rt mtu`.
    Set {
        /// The field that is written.
        field: Box<Expr>,
        /// What is written.
        value: Box<Expr>,
    },
    /// `reset tcp option sack-perm`.
    ResetTcpOption {
        /// The option's name or number.
        kind: Word,
    },
    /// `counter name "x"`, `ct helper set "x"`, `synproxy name tcp dport map @m`.
    Objref {
        /// Which kind of object.
        kind: ObjectKind,
        /// A name, or an expression that a map turns into one.
        name: Box<Expr>,
    },
    /// `add @s { ... }`, `update`, `delete`; also of maps.
    Dynset(Box<Dynset>),
    /// `meter m { key stmt }`.
    Meter(Box<Meter>),
    /// `flow add @f`, `flow offload @f`.
    Flow {
        /// The flowtable.
        flowtable: Word,
    },
    /// `queue ...`.
    Queue {
        /// Number, range, or an expression that gives it.
        num: Option<Box<Expr>>,
        /// `bypass`, `fanout`.
        flags: Box<[Word]>,
    },
    /// `dup to address [device d]`; in netdev `dup to device`.
    Dup {
        /// An address, or a device in netdev.
        to: Box<Expr>,
        /// A device.
        device: Option<Box<Expr>>,
    },
    /// `fwd [ip|ip6] to ... [device d]`.
    Fwd {
        /// `ip` or `ip6`.
        family: Option<Box<Word>>,
        /// A device, or an address with `family`.
        to: Box<Expr>,
        /// A device.
        device: Option<Box<Expr>>,
    },
    /// `synproxy [mss N] [wscale N] [timestamp] [sack-perm]`.
    Synproxy(Box<Synproxy>),
    /// `xt target "X"`: how nft lists what only iptables can write.
    Xt(Vec<Word>),
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Stmt>() <= 48);

/// How the sides of a match compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum MatchOp {
    /// None written: equal, in the set, any of the flags.
    Implicit,
    /// `==`, `eq`.
    Eq,
    /// `!=`, `ne`.
    Ne,
    /// `<`, `lt`.
    Lt,
    /// `>`, `gt`.
    Gt,
    /// `<=`, `le`.
    Le,
    /// `>=`, `ge`.
    Ge,
    /// `!`: none of the flags.
    Not,
}

/// A relation between a field and values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// A field, a concatenation of fields, or one with masks.
    pub left: Expr,
    /// How they compare.
    pub op: MatchOp,
    /// Place of the operator; empty for the implicit one.
    #[serde(skip)]
    pub op_span: Span,
    /// Values.
    pub right: Expr,
}

/// What becomes of the packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// `accept`.
    Accept,
    /// `drop`.
    Drop,
    /// `continue`.
    Continue,
    /// `return`.
    Return,
    /// `queue`, as data of a verdict map (older nft).
    Queue,
    /// `jump c`.
    Jump(Target),
    /// `goto c`.
    Goto(Target),
}

/// Where a jump goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Target {
    /// A chain by name (a symbol) or by variable.
    Chain(Box<Expr>),
    /// A chain without a name, written in place.
    Block(Box<ChainBody>),
}

/// `limit rate [over] N[unit]/time [burst N unit]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Whether it matches above the rate.
    pub over: bool,
    /// Rate, in packets or in `unit`.
    pub rate: Number,
    /// `bytes`, `kbytes`, `mbytes`; packets where it is missing.
    pub unit: Option<Word>,
    /// `second`, `minute`, `hour`, `day`, `week`.
    pub per: Word,
    /// Burst, with its unit (`packets`, `bytes`, ...).
    pub burst: Option<(Number, Option<Word>)>,
}

/// `quota [over|until] N unit [used N unit]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Whether it matches once the quota is used up.
    pub over: bool,
    /// The quota, in `unit`.
    pub size: Number,
    /// `bytes`, `kbytes`, `mbytes`.
    pub unit: Word,
    /// What is used already, with its unit.
    pub used: Option<(Number, Word)>,
}

/// `log ...`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Log {
    /// A string or a variable; variables inside the string (`"$x: "`) are part of its text.
    pub prefix: Option<Expr>,
    /// `emerg` to `debug`, `audit`, `warn`.
    pub level: Option<Word>,
    /// Netlink group.
    pub group: Option<Number>,
    /// Bytes to copy.
    pub snaplen: Option<Number>,
    /// Packets to collect.
    pub queue_threshold: Option<Number>,
    /// `flags ...`.
    pub flags: Vec<LogFlag>,
}

/// What a log line shows besides the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LogFlag {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// Which.
    pub kind: LogFlagKind,
}

/// Which log flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum LogFlagKind {
    /// `tcp sequence`.
    TcpSequence,
    /// `tcp options`.
    TcpOptions,
    /// `ip options`.
    IpOptions,
    /// `skuid`.
    Skuid,
    /// `ether`.
    Ether,
    /// `all`.
    All,
}

/// What `reject` answers with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RejectWith {
    /// `with icmp X`, `with icmp type X`.
    Icmp(Box<Expr>),
    /// `with icmpv6 X`.
    Icmpv6(Box<Expr>),
    /// `with icmpx X`.
    Icmpx(Box<Expr>),
    /// `with tcp reset`.
    TcpReset,
}

/// Which NAT statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum NatKind {
    /// Source.
    Snat,
    /// Destination.
    Dnat,
    /// Source, to the outgoing device's address.
    Masquerade,
    /// Destination, to the machine itself.
    Redirect,
}

/// `snat`, `dnat`, `masquerade`, `redirect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nat {
    /// Which.
    pub kind: NatKind,
    /// `ip` or `ip6`.
    pub family: Option<Word>,
    /// `addr . port`, `interval`, `prefix` before `to`.
    pub mode: Option<NatMode>,
    /// An address, a range, a prefix, a map, or a concatenation of address and port.
    pub addr: Option<Expr>,
    /// A port, a range of ports, or a map.
    pub port: Option<Expr>,
    /// `random`, `fully-random`, `persistent`.
    pub flags: Vec<Word>,
}

/// What a NAT statement's map yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum NatMode {
    /// `ip addr . port to`: address and port.
    AddrPort,
    /// `interval to`: ranges.
    Interval,
    /// `prefix to`: networks.
    Prefix,
}

/// Which way a set changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum DynsetOp {
    /// `add`: the timeout of an element that is there stays.
    Add,
    /// `update`: the timeout starts again.
    Update,
    /// `delete`.
    Delete,
}

/// `add @s { key timeout 1m counter : data }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dynset {
    /// Which way.
    pub op: DynsetOp,
    /// The set or map, without `@`.
    pub set: Word,
    /// Key, timeout, statements and data.
    pub element: Element,
}

/// `meter m size 1000 { ip saddr limit rate 10/second }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meter {
    /// The name of the set that it makes.
    pub name: Word,
    /// Room in that set.
    pub size: Option<Number>,
    /// Key, timeout and statements.
    pub element: Element,
}

/// `synproxy ...`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Synproxy {
    /// Maximum segment size to announce.
    pub mss: Option<Number>,
    /// Window scale to announce.
    pub wscale: Option<Number>,
    /// Whether to announce timestamps.
    pub timestamp: bool,
    /// Whether to announce selective acknowledgements.
    pub sack_perm: bool,
}
