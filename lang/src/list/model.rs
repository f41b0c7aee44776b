//! A ruleset as `nft list ruleset` shows it: names for everything, nothing that only the machine needs. Text and JSON are written from it.

use redan_vm::family::Family;
use redan_vm::instr::{DynsetOp, Log, ObjectKind};
use redan_vm::ruleset::{BaseChain, StateSpec};

/// Tables in order of creation.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The tables.
    pub tables: Vec<Table>,
}

/// A table and all that is in it.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its family.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: u64,
    /// `dormant`, `owner`, `persist`.
    pub flags: Vec<&'static str>,
    /// Its comment.
    pub comment: Option<String>,
    /// Named objects.
    pub objects: Vec<Object>,
    /// Sets and maps.
    pub sets: Vec<Set>,
    /// Flowtables.
    pub flowtables: Vec<crate::typed::Flowtable>,
    /// Chains.
    pub chains: Vec<Chain>,
}

/// A named object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: u64,
    /// Its kind.
    pub kind: ObjectKind,
    /// What it is set to.
    pub spec: StateSpec,
    /// Its comment.
    pub comment: Option<String>,
}

/// What a set's or map's elements are, in words.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `type ipv4_addr . inet_service`.
    Types(Vec<&'static str>),
    /// `typeof ip saddr . tcp dport`.
    Fields(Expr),
    /// `verdict`, or the word of a kind of object.
    Word(&'static str),
}

/// A named set or map.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: u64,
    /// The key.
    pub key: Kind,
    /// The key by names of types alone, for JSON.
    pub key_types: Vec<&'static str>,
    /// What a map gives.
    pub data: Option<Kind>,
    /// The same by names of types alone.
    pub data_types: Vec<&'static str>,
    /// Whether data are ranges.
    pub data_interval: bool,
    /// Flags in nft's order.
    pub flags: Vec<&'static str>,
    /// How many elements stand on a line.
    pub per_line: usize,
    /// Milliseconds that elements live.
    pub timeout_ms: Option<u64>,
    /// Milliseconds between collections of dead elements.
    pub gc_interval_ms: Option<u64>,
    /// Most elements.
    pub size: Option<u32>,
    /// Whether room matters more than speed.
    pub for_memory: bool,
    /// Whether elements merge.
    pub auto_merge: bool,
    /// What each element carries.
    pub stmts: Vec<Stmt>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its elements, sorted as nft sorts them.
    pub elements: Vec<Element>,
}

/// An element of a set or map.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Its key.
    pub key: Expr,
    /// What it carries.
    pub stmts: Vec<Stmt>,
    /// Milliseconds that it lives.
    pub timeout_ms: Option<u64>,
    /// Its comment.
    pub comment: Option<String>,
    /// What it maps to.
    pub data: Option<Expr>,
}

/// A chain.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: u64,
    /// Its comment.
    pub comment: Option<String>,
    /// Hook and policy.
    pub base: Option<BaseChain>,
    /// Its rules in the order in which they run.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its handle.
    pub handle: u64,
    /// Matches and statements.
    pub stmts: Vec<Stmt>,
    /// Its comment.
    pub comment: Option<String>,
}

/// Something that has a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A word or an address.
    Word(String),
    /// Text in quotes.
    Quoted(String),
    /// A number, and how it is written.
    Number(u128, String),
    /// A name, and the number as which text writes it.
    Numbered(Box<Self>, String),
    /// Present or not.
    Present(bool),
    /// `ip/len`.
    Prefix(Box<Self>, u32),
    /// `low-high`.
    Range(Box<(Self, Self)>),
    /// `a . b`.
    Concat(Vec<Self>),
    /// `{ ... }`.
    Set(Vec<Element>),
    /// `@name`.
    SetRef(String),
    /// `a,b`: bits.
    List(Vec<Self>),
    /// `a & b` and its like.
    Binary(&'static str, Box<(Self, Self)>),
    /// `key map data`.
    Map(Box<(Self, Self)>),
    /// A verdict.
    Verdict(&'static str, Option<String>),
    /// `*`.
    CatchAll,
    /// Something loaded.
    Field(Field),
}

/// What is loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A header's field.
    Payload(&'static str, &'static str),
    /// `@th,0,16`.
    Raw(&'static str, u32, u32),
    /// A field of the packet in a tunnel.
    Inner(&'static str, Box<Self>),
    /// An extension header: word, field, index of an array.
    Exthdr(&'static str, Option<&'static str>, Option<u32>),
    /// A TCP option.
    TcpOption(&'static str, Option<&'static str>),
    /// A TCP option by numbers: kind, offset, length.
    RawTcpOption(u8, u32, u32),
    /// An IP option.
    IpOption(&'static str, Option<&'static str>),
    /// An SCTP chunk.
    SctpChunk(&'static str, Option<&'static str>),
    /// A DCCP option.
    DccpOption(u8),
    /// `meta key`.
    Meta(&'static str),
    /// `ct key`: direction, key, and the key's word in JSON.
    Ct(Option<&'static str>, &'static str, &'static str),
    /// `fib`.
    Fib(Vec<&'static str>, &'static str),
    /// `rt`: family, key.
    Rt(Option<&'static str>, &'static str),
    /// `socket`, with the level of a control group.
    Socket(&'static str, Option<u32>),
    /// `osf`: ttl mode, key.
    Osf(Option<&'static str>, &'static str),
    /// `ipsec`: direction, spnum, family, key.
    Ipsec(&'static str, u8, Option<&'static str>, &'static str),
    /// `tunnel`.
    Tunnel(&'static str),
    /// `numgen`: mode, modulus, offset.
    Numgen(&'static str, u32, u32),
    /// `jhash`: key, modulus, seed, offset.
    Jhash(Box<Expr>, u32, Option<u32>, u32),
    /// `symhash`: modulus, offset.
    Symhash(u32, u32),
}

/// A match or statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Stmt {
    /// `left op right`; an empty sign for bits that may be any of several, `=` for an equality that needs no sign.
    Match(&'static str, Expr, Expr),
    /// `flags value / mask`: sign, field, value, mask.
    FlagMatch(&'static str, Expr, Expr, Expr),
    /// A verdict.
    Verdict(&'static str, Option<String>),
    /// A chain in place: `jump` or `goto`, its name for the machine, its rules.
    Block(&'static str, String, Vec<Rule>),
    /// `key vmap map`.
    Vmap(Expr, Expr),
    /// A counter, limit and its like.
    State(StateSpec),
    /// A named object, or a map that gives it.
    Objref(ObjectKind, Expr),
    /// `log`.
    Log(Log),
    /// `reject`: type and code in words, and whether they are what is meant without any.
    Reject(&'static str, Option<Expr>, bool),
    /// Address translation.
    Nat(Nat),
    /// `tproxy`: family, address, port.
    Tproxy(Option<&'static str>, Option<Expr>, Option<Expr>),
    /// `notrack`.
    Notrack,
    /// `field set value`.
    Set(Expr, Expr),
    /// `reset tcp option`.
    Reset(Expr),
    /// `add @set { ... }`.
    Dynset(DynsetOp, String, Box<Element>),
    /// `meter name size N { ... }`.
    Meter(String, Option<u32>, Box<Element>),
    /// `flow add @x`.
    Flow(String),
    /// `queue`: number or expression, flags.
    Queue(Option<Expr>, Vec<&'static str>),
    /// `dup`: address, device.
    Dup(Option<Expr>, Option<Expr>),
    /// `fwd`: device, address, family.
    Fwd(Expr, Option<(&'static str, Expr)>),
}

/// Address translation.
#[derive(Debug, Clone, PartialEq)]
pub struct Nat {
    /// `snat`, `dnat`, `masquerade`, `redirect`.
    pub word: &'static str,
    /// Family of the address, where it is written.
    pub family: Option<&'static str>,
    /// Address.
    pub addr: Option<Expr>,
    /// Port.
    pub port: Option<Expr>,
    /// `prefix`, `interval` or `addr . port`.
    pub mode: Option<&'static str>,
    /// Flags.
    pub flags: Vec<&'static str>,
}
