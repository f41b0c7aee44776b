//! What tables hold: chains, sets, maps, named objects, flowtables.

use super::{Define, Expr, Ident, Limit, Number, Quota, Rule, Stmt, Str, Synproxy, Word};
use crate::source::Span;
use serde::Serialize;

/// One line of a table block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableItem {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// What it is.
    pub kind: TableItemKind,
}

/// What may stand in a table block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TableItemKind {
    /// `define`, `redefine`.
    Define(Box<Define>),
    /// `undefine x`.
    Undefine(Word),
    /// `flags dormant`.
    Flags(Vec<Word>),
    /// `comment "..."`.
    Comment(Str),
    /// `chain c { ... }`.
    Chain(Box<ChainBlock>),
    /// `set s { ... }`, `map m { ... }`.
    Set(Box<SetBlock>),
    /// `counter c { ... }` and others.
    Object(Box<ObjectBlock>),
    /// `flowtable f { ... }`.
    Flowtable(Box<FlowtableBlock>),
}

/// `chain c { ... }` in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainBlock {
    /// The chain's name.
    pub name: Word,
    /// Its block.
    pub body: ChainBody,
}

/// The lines of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ChainBody {
    /// From brace to brace.
    #[serde(skip)]
    pub span: Span,
    /// The lines in order.
    pub items: Vec<ChainItem>,
}

/// What may stand in a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ChainItem {
    /// A rule.
    Rule(Box<Rule>),
    /// `type filter hook input priority 0`.
    Hook(Box<HookSpec>),
    /// `policy accept`: a word or a variable.
    Policy(Box<Expr>),
    /// `flags offload`.
    Flags(Vec<Word>),
    /// `comment "..."`.
    Comment(Str),
    /// `devices = { ... }` on a line of its own.
    Devices(Box<Expr>),
    /// `define`, `redefine`.
    Define(Box<Define>),
    /// `undefine x`.
    Undefine(Word),
}

/// `type filter hook ingress device "eth0" priority filter + 5`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookSpec {
    /// The whole of it.
    #[serde(skip)]
    pub span: Span,
    /// `filter`, `nat`, `route`.
    pub chain_type: Word,
    /// `input`, ...
    pub hook: Word,
    /// `device "x"`, `device $x`, `devices = { a, b }`.
    pub devices: Option<Expr>,
    /// When it runs.
    pub priority: Priority,
}

/// `priority filter + 5`, `priority -100`, `priority $x`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Priority {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// A symbol or a variable; `None` for a plain number.
    pub base: Option<Expr>,
    /// The number, or what is added to the name.
    pub offset: i64,
}

/// `set s { ... }` or `map m { ... }` in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetBlock {
    /// The set's name.
    pub name: Word,
    /// Whether the word was `map`.
    pub is_map: bool,
    /// Its block.
    pub body: SetBody,
}

/// The lines of a set or map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetBody {
    /// From brace to brace.
    #[serde(skip)]
    pub span: Span,
    /// The lines in order.
    pub items: Vec<SetBodyItem>,
    /// Lines that cannot be read are missing; that has been reported.
    #[serde(skip)]
    pub spoilt: bool,
}

/// What may stand in a set or map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SetBodyItem {
    /// `type ipv4_addr . inet_service [: verdict]`.
    Type(SetType),
    /// `typeof ip saddr . tcp dport [: meta mark]`.
    Typeof(SetTypeof),
    /// `flags interval, timeout`.
    Flags(Vec<Word>),
    /// `timeout 1m`, in milliseconds.
    Timeout(u64, #[serde(skip)] Span),
    /// `gc-interval 1m`, in milliseconds.
    GcInterval(u64, #[serde(skip)] Span),
    /// `size 1000`.
    Size(Number),
    /// `policy performance`.
    Policy(Word),
    /// `auto-merge`.
    AutoMerge(#[serde(skip)] Span),
    /// `counter`, `limit ...` and others: made for each element.
    Stmt(Stmt),
    /// `elements = { ... }` or `elements = $x`.
    Elements(Expr),
    /// `comment "..."`.
    Comment(Str),
    /// `define`, `redefine`.
    Define(Box<Define>),
    /// `undefine x`.
    Undefine(Word),
}

/// Datatypes of a set's key and of a map's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetType {
    /// One, or several for a concatenation. A word may be two (`ct_state` is one, `ct label` are two in one span).
    pub key: Vec<Word>,
    /// `interval` before the data's type.
    pub data_interval: bool,
    /// The data of a map.
    pub data: Option<MapData>,
}

/// What a map yields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum MapData {
    /// Datatypes (`verdict` included), one or several.
    Types(Vec<Word>),
    /// Named objects.
    Object(ObjectKind, #[serde(skip)] Span),
}

/// Expressions that give a set's key and a map's data their types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetTypeof {
    /// A field, or a concatenation of fields.
    pub key: Expr,
    /// `interval` before the data's expression.
    pub data_interval: bool,
    /// Of a map; `verdict` and object kinds come as symbols.
    pub data: Option<Expr>,
}

/// Which kind of named object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ObjectKind {
    /// `counter`.
    Counter,
    /// `quota`.
    Quota,
    /// `limit`.
    Limit,
    /// `ct helper`.
    CtHelper,
    /// `ct timeout`.
    CtTimeout,
    /// `ct expectation`.
    CtExpectation,
    /// `secmark`.
    Secmark,
    /// `synproxy`.
    Synproxy,
    /// `tunnel`.
    Tunnel,
}

impl ObjectKind {
    /// Its words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Quota => "quota",
            Self::Limit => "limit",
            Self::CtHelper => "ct helper",
            Self::CtTimeout => "ct timeout",
            Self::CtExpectation => "ct expectation",
            Self::Secmark => "secmark",
            Self::Synproxy => "synproxy",
            Self::Tunnel => "tunnel",
        }
    }
}

/// `counter c { ... }` in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectBlock {
    /// Which kind.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Word,
    /// Its block.
    pub body: ObjectBody,
}

/// The lines of a named object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ObjectBody {
    /// From brace to brace.
    #[serde(skip)]
    pub span: Span,
    /// The lines in order.
    pub items: Vec<ObjectItem>,
}

/// What may stand in a named object; which of them, depends on its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ObjectItem {
    /// `packets N bytes N`.
    Counter(Number, Number),
    /// `over 1 mbytes used 0 bytes`.
    Quota(Quota),
    /// `rate 1/second`.
    Limit(Limit),
    /// `mss 1460`, `wscale 7`, `timestamp`, `sack-perm`.
    Synproxy(Synproxy),
    /// `"system_u:object_r:ssh_server_packet_t:s0"`.
    Secmark(Str),
    /// `type "ftp" protocol tcp` of a helper.
    Helper(Str, Word),
    /// `protocol tcp`.
    Protocol(Word),
    /// `l3proto ip`.
    L3proto(Word),
    /// `policy = { established : 100, ... }`: states with seconds.
    TimeoutPolicy(Vec<(Word, u64)>),
    /// `dport 9876` of an expectation.
    Dport(Expr),
    /// `timeout 2m` of an expectation, in milliseconds.
    Timeout(u64),
    /// `size 12` of an expectation.
    Size(Number),
    /// `id 10` of a tunnel, and its other numbers.
    TunnelNumber(Word, Number),
    /// `ip saddr 192.0.2.1` of a tunnel: family, side, address.
    TunnelAddr(Word, Word, Expr),
    /// `direction ingress` of an ERSPAN tunnel.
    TunnelDirection(Word),
    /// `class 1 opt-type 2 data "0x01020304"` of a Geneve tunnel.
    TunnelOption(Number, Number, Str),
    /// `vxlan { ... }` of a tunnel.
    TunnelKind(Word, Vec<Self>),
    /// `comment "..."`.
    Comment(Str),
}

/// `flowtable f { ... }` in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowtableBlock {
    /// Name or handle.
    pub id: Ident,
    /// Its block.
    pub items: Vec<FlowtableItem>,
}

/// What may stand in a flowtable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FlowtableItem {
    /// `hook ingress priority 0`.
    Hook(Word, Priority),
    /// `devices = { a, b }` or `devices = $x`.
    Devices(Expr),
    /// `counter`.
    Counter,
    /// `flags offload`.
    Flags(Vec<Word>),
}
