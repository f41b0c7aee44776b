//! Values of rules: what is loaded and what it is compared with.

use crate::datatype::Type;
use crate::source::Span;
use redan_vm::ct::{CtKey, Direction};
use redan_vm::field::{Field, Tunnel};
use redan_vm::ids::{SetId, StateId};
use redan_vm::instr::{
    Base, BitwiseRegOp, ExthdrOp, FibResult, RtKey, SocketKey, TunnelKey, XfrmKey,
};
use redan_vm::meta::MetaKey;

/// A value and its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its text.
    pub span: Span,
    /// Its type; of a concatenation that of its first part.
    pub ty: Type,
    /// What it is.
    pub kind: ValueKind,
}

impl Value {
    /// All bits that the value may have where it lies: a bit field that has been shifted down keeps the width of its bytes.
    pub(crate) fn whole_bits(&self) -> u128 {
        let below = if let ValueKind::Load(load) = &self.kind {
            let field = load.bit_field().filter(|(_, bits)| *bits == self.ty.bits);
            field.map_or(0, |(shift, _)| shift)
        } else {
            0
        };
        crate::datatype::mask(self.ty.bits + below)
    }
}

/// Whether the last step of `(x & mask) ^ xor` only flips bits, so that it can be undone on what it is compared with; `|` cannot.
pub(crate) fn flips(mask: u128, xor: u128) -> bool {
    xor != 0 && xor & mask == xor
}

/// Every kind of value.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// A constant.
    Const(u128),
    /// Something loaded from the packet or its surroundings.
    Load(Box<Load>),
    /// `(from & mask) ^ xor`.
    Bits {
        /// What is masked.
        from: Box<Value>,
        /// Bits that stay.
        mask: u128,
        /// Bits that flip.
        xor: u128,
    },
    /// A shift by a constant.
    Shift {
        /// What is shifted.
        from: Box<Value>,
        /// Which way.
        dir: ShiftDir,
        /// How far.
        bits: u32,
    },
    /// Two values combined bit by bit.
    BitsOf {
        /// How.
        op: BitwiseRegOp,
        /// The two sides.
        sides: Box<(Value, Value)>,
    },
    /// The same value in the other byte order, as its type says.
    Swap(Box<Value>),
    /// Parts side by side.
    Concat(Vec<Value>),
    /// What a map gives for a key.
    Map {
        /// The key.
        key: Box<Value>,
        /// The map.
        set: SetId,
    },
    /// A hash.
    Jhash(Box<Jhash>),
}

/// Which way to shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShiftDir {
    /// To more significant bits.
    Left,
    /// To less significant bits.
    Right,
}

/// `jhash`.
#[derive(Debug, Clone, PartialEq)]
pub struct Jhash {
    /// What is hashed.
    pub key: Value,
    /// Results are below it.
    pub modulus: u32,
    /// Start value.
    pub seed: Option<u32>,
    /// Added to the result.
    pub offset: u32,
}

/// `numgen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numgen {
    /// Random instead of counting.
    pub random: bool,
    /// Results are below it.
    pub modulus: u32,
    /// Added to the result.
    pub offset: u32,
    /// The counter.
    pub state: StateId,
}

/// What one load instruction reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Packet bytes.
    Payload {
        /// The field, unless raw.
        field: Option<&'static Field>,
        /// Where the offset counts from.
        base: Base,
        /// In bits.
        bit_offset: u32,
        /// In bits.
        bits: u32,
    },
    /// Metadata.
    Meta(MetaKey),
    /// The connection.
    Ct {
        /// What of it.
        key: CtKey,
        /// Which direction.
        dir: Option<Direction>,
    },
    /// An option or extension header's field, or whether it is there.
    Exthdr {
        /// How it is found.
        op: ExthdrOp,
        /// Its number.
        kind: u8,
        /// In bits, from its start.
        bit_offset: u32,
        /// In bits.
        bits: u32,
        /// 0 or 1 for absent and present.
        present: bool,
    },
    /// The routing table.
    Fib {
        /// `fib_flags`.
        flags: u32,
        /// What is asked.
        result: FibResult,
    },
    /// The packet's route.
    Rt(RtKey),
    /// The packet's socket.
    Socket(SocketKey),
    /// The sender's operating system.
    Osf {
        /// 0 exact, 1 loose, 2 skip.
        ttl: u8,
        /// With its version.
        version: bool,
    },
    /// `IPsec` state.
    Xfrm {
        /// Of the policy outward.
        outbound: bool,
        /// Position in the chain of transformations.
        spnum: u8,
        /// What.
        key: XfrmKey,
    },
    /// What a tunnel device says.
    Tunnel(TunnelKey),
    /// A number generator.
    Numgen(Numgen),
    /// The symmetric hash of the packet's flow.
    Symhash {
        /// Results are below it.
        modulus: u32,
        /// Added to the result.
        offset: u32,
    },
    /// A load from the packet in a tunnel.
    Inner {
        /// Which tunnel.
        tunnel: Tunnel,
        /// The load inside.
        load: Box<Self>,
    },
}

impl Load {
    /// Whether this is a security mark, whose numbers mean something only at run time.
    pub fn is_secmark(&self) -> bool {
        matches!(
            self,
            Self::Meta(MetaKey::Secmark)
                | Self::Ct {
                    key: CtKey::Secmark,
                    ..
                }
        )
    }

    /// Bits below and width of a bit field that does not fill its bytes; `None` where there is nothing to mask.
    pub fn bit_field(&self) -> Option<(u32, u32)> {
        match self {
            Self::Payload {
                bit_offset, bits, ..
            }
            | Self::Exthdr {
                bit_offset,
                bits,
                present: false,
                ..
            } => {
                let shift = (8 - (bit_offset + bits) % 8) % 8;
                (shift != 0 || bit_offset % 8 != 0).then_some((shift, *bits))
            }
            Self::Inner { load, .. } => load.bit_field(),
            Self::Exthdr { .. }
            | Self::Meta(_)
            | Self::Ct { .. }
            | Self::Fib { .. }
            | Self::Rt(_)
            | Self::Socket(_)
            | Self::Osf { .. }
            | Self::Xfrm { .. }
            | Self::Tunnel(_)
            | Self::Numgen(_)
            | Self::Symhash { .. } => None,
        }
    }
}

/// How both sides of a match relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Equal, in the range, in the set.
    Eq,
    /// Not so.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// The right side of a match.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// One value.
    Value(u128),
    /// Both ends included.
    Range(u128, u128),
    /// The first bits of a value.
    Prefix {
        /// Host bits are zero.
        value: u128,
        /// How many bits count.
        len: u32,
    },
    /// Any of these bits ([`Relation::Eq`]) or none of them ([`Relation::Ne`]).
    Flags(u128),
    /// A set.
    Set(SetId),
}
