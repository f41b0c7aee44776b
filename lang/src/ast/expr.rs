//! Expressions: what is matched, and what it is matched against.

use super::{SetLit, Str, Verdict, Word};
use crate::source::Span;
use serde::{Serialize, Serializer};

/// An expression and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expr {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// A number of up to 128 bits, kept unaligned so that expressions stay small.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Integer([u8; 16]);

impl Integer {
    /// Keeps a value.
    pub fn new(value: u128) -> Self {
        Self(value.to_ne_bytes())
    }

    /// The value.
    pub fn value(self) -> u128 {
        u128::from_ne_bytes(self.0)
    }
}

impl std::fmt::Debug for Integer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.value()) {
            Ok(value) => serializer.serialize_u64(value),
            Err(_) => serializer.collect_str(&format_args!("{:#x}", self.value())),
        }
    }
}

/// Every kind of expression. Left sides (fields) and right sides (values) share it, since map keys and set elements may be either. Rare kinds
/// keep some of their parts in boxes, so that the common ones stay small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ExprKind {
    // values
    /// A word whose datatype decides what it means: `ssh`, `established`, `tcp`, `eth0`, `exists`, a host name.
    Symbol(Word),
    /// A string in quotes.
    Str(Str),
    /// A bare word with a trailing `*`: `eth*`.
    WildcardWord(Str),
    /// `*` alone: the catch-all element.
    CatchAll,
    /// A number, decimal or `0x`.
    Number(Integer),
    /// An IPv4 address.
    Ipv4([u8; 4]),
    /// An IPv6 address.
    Ipv6([u8; 16]),
    /// A link-layer address of six bytes.
    Mac([u8; 6]),
    /// A time with units (`1d2h3m4s5ms`), in milliseconds.
    Time(u64),
    /// `a-b`.
    Range(Box<(Expr, Expr)>),
    /// `a/len`.
    Prefix(Box<(Expr, Expr)>),
    /// `@name`.
    SetRef(Word),
    /// `$name`; the word is without `$`.
    Var(Word),
    /// `{ ... }`.
    Set(Box<SetLit>),
    /// `a . b`.
    Concat(Vec<Expr>),
    /// `a, b`.
    List(Vec<Expr>),
    /// `a & b`, `a | b`, `a ^ b`, `a << b`, `a >> b`.
    Binary(BinaryOp, Box<(Expr, Expr)>),
    /// The right side `value / mask` of a flag match.
    FlagMatch(Box<(Expr, Expr)>),
    /// A verdict as data of a map element.
    Verdict(Box<Verdict>),

    // fields
    /// `tcp dport`, `vxlan vni`. The header is also `th`, `ether`, ... (language.md 3.4).
    Payload {
        /// The header's word.
        header: Word,
        /// The field's word.
        field: Word,
        /// The second word of `arp saddr ip`, `arp daddr ether`.
        of: Option<Word>,
    },
    /// `@nh,0,32`.
    RawPayload {
        /// `ll`, `nh`, `th`, `ih`, without the `@`.
        base: Word,
        /// In bits.
        offset: Integer,
        /// In bits.
        len: Integer,
    },
    /// `vxlan ip saddr`: a field of the packet inside.
    Inner {
        /// `vxlan`, `geneve`, `gre`, `gretap`.
        tunnel: Word,
        /// The field inside; a payload.
        field: Box<Expr>,
    },
    /// An IPv6 extension header's field: `frag id`, `rt0 addr[1]`, `srh sid[2]`.
    Exthdr {
        /// `hbh`, `rt`, `rt0`, `rt2`, `srh`, `frag`, `dst`, `mh`.
        header: Word,
        /// The field.
        field: Word,
        /// The number in brackets.
        index: Option<Integer>,
    },
    /// `exthdr hbh`: whether the header is there.
    ExthdrPresent(Word),
    /// `tcp option maxseg size`; without a field: whether it is there.
    TcpOption {
        /// The option's name or number.
        kind: Word,
        /// Its field; `left`, `right` of `sack`.
        field: Option<Word>,
    },
    /// `tcp option @34,16,8`.
    RawTcpOption {
        /// The option's number.
        kind: Box<Integer>,
        /// In bits.
        offset: Integer,
        /// In bits.
        len: Integer,
    },
    /// `ip option rr ptr`; without a field: whether it is there.
    IpOption {
        /// The option's name.
        kind: Word,
        /// Its field.
        field: Option<Word>,
    },
    /// `sctp chunk init num-outbound-streams`; without a field: whether it is there.
    SctpChunk {
        /// The chunk's name.
        kind: Word,
        /// Its field.
        field: Option<Word>,
    },
    /// `dccp option 40`: whether it is there.
    DccpOption(Integer),
    /// `meta mark`, or a key alone where nft allows it.
    Meta {
        /// The key.
        key: Word,
        /// Whether `meta` was written.
        explicit: bool,
    },
    /// `ct state`, `ct original ip saddr`.
    Ct {
        /// `original` or `reply`.
        dir: Option<Word>,
        /// `ip` or `ip6`.
        family: Option<Word>,
        /// The key.
        key: Word,
    },
    /// `fib saddr . iif oif`.
    Fib {
        /// `saddr`, `daddr`, `mark`, `iif`, `oif`.
        flags: Vec<Word>,
        /// `oif`, `oifname`, `type`.
        result: Word,
    },
    /// `rt classid`, `rt ip nexthop`.
    Rt {
        /// `ip` or `ip6`.
        family: Option<Word>,
        /// `classid`, `nexthop`, `mtu`, `ipsec`.
        key: Word,
    },
    /// `socket transparent`, `socket cgroupv2 level 1`.
    Socket {
        /// The key.
        key: Word,
        /// Of `cgroupv2`.
        level: Option<Integer>,
    },
    /// `osf ttl skip name`.
    Osf {
        /// `loose` or `skip`.
        ttl: Option<Word>,
        /// `name` or `version`.
        key: Word,
    },
    /// `ipsec in spnum 1 ip saddr`.
    Ipsec {
        /// `in` or `out`.
        dir: Word,
        /// Position in the chain of transformations.
        spnum: Option<Box<Integer>>,
        /// `ip` or `ip6`.
        family: Option<Box<Word>>,
        /// `reqid`, `spi`, `saddr`, `daddr`.
        key: Word,
    },
    /// `tunnel id`.
    Tunnel {
        /// `id` or `path`.
        key: Word,
    },
    /// `numgen inc mod 10 offset 100`.
    Numgen {
        /// `inc` or `random`.
        mode: Word,
        /// Values are below it.
        modulus: Integer,
        /// Added to the result.
        offset: Option<Integer>,
    },
    /// `jhash ip saddr . ip daddr mod 2 seed 0xdeadbeef offset 100`.
    Jhash {
        /// What is hashed, and the seed of the hash: random where it is missing.
        key: Box<(Expr, Option<Integer>)>,
        /// Values are below it.
        modulus: Integer,
        /// Added to the result.
        offset: Option<Integer>,
    },
    /// `symhash mod 2 offset 100`.
    Symhash {
        /// Values are below it.
        modulus: Integer,
        /// Added to the result.
        offset: Option<Integer>,
    },
    /// `key map { ... }`: the second is a set literal, a set reference or a variable.
    Map(Box<(Expr, Expr)>),
}

// A rule has several expressions, and a file may have a hundred thousand rules.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Expr>() <= 64);

/// An operator between bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum BinaryOp {
    /// `&`, `and`.
    And,
    /// `|`, `or`.
    Or,
    /// `^`, `xor`.
    Xor,
    /// `<<`, `lshift`.
    Shl,
    /// `>>`, `rshift`.
    Shr,
}

impl BinaryOp {
    /// The sign.
    pub fn text(self) -> &'static str {
        match self {
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::Shl => "<<",
            Self::Shr => ">>",
        }
    }
}
