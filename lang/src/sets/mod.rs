//! Elements of sets and maps: from set literals to the flat bytes that the machine looks up.
//!
//! [`Shape`] says what elements look like, [`collect`] reads a literal into [`Collected`], and [`Intervals`] turns ranges into the sorted half-open boundaries
//! that the kernel gets (spec: language.md 3.6).

mod collect;
mod collected;
mod data;
mod finish;
mod intervals;
mod plain;

pub(crate) use collected::Collected;
pub(crate) use intervals::Intervals;

use crate::datatype::Type;
use redan_vm::ids::TableId;
use redan_vm::instr::ObjectKind;

/// What a set's elements look like.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Types of the key's parts.
    pub(crate) key: Vec<Type>,
    /// What elements map to.
    pub(crate) data: DataShape,
    /// Whether keys may be ranges.
    pub(crate) interval: bool,
    /// Bits to shift keys to the left, for bit fields that are looked up where they lie.
    pub(crate) shift: u32,
    /// Width of a shifted key in bits.
    pub(crate) wide_bits: u32,
    /// Bits of keys that flip, where `field ^ constant` is looked up as the field alone.
    pub(crate) flip: u128,
    /// Whether bit fields are looked up where they lie.
    pub(crate) in_place: bool,
    /// Where chains, objects and variables are looked up.
    pub(crate) table: TableId,
}

/// What a set's elements map to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataShape {
    /// Nothing.
    None,
    /// Values.
    Values {
        /// Types of the parts.
        types: Vec<Type>,
        /// First all lower ends, then all upper ends.
        interval: bool,
    },
    /// Verdicts.
    Verdict,
    /// Named objects.
    Object(ObjectKind),
}

impl DataShape {
    /// Bytes of one value.
    pub(crate) fn bytes(&self) -> u8 {
        match self {
            Self::Values { types, interval } => {
                let bytes = match (types.as_slice(), interval) {
                    ([only], false) => only.bytes(),
                    _ => types
                        .iter()
                        .map(|ty| ty.padded_bytes())
                        .fold(0, u8::saturating_add),
                };
                if *interval {
                    bytes.saturating_mul(2)
                } else {
                    bytes
                }
            }
            Self::None | Self::Verdict | Self::Object(_) => 0,
        }
    }
}

impl Shape {
    /// Bytes of a key.
    pub(crate) fn key_bytes(&self) -> u8 {
        match self.key.as_slice() {
            [only] => self.key_type(*only).bytes(),
            parts => parts
                .iter()
                .map(|ty| ty.padded_bytes())
                .fold(0, u8::saturating_add),
        }
    }

    /// No ranges yet.
    pub(crate) fn intervals(&self) -> Intervals {
        Intervals::new(self.key.first().map_or(0, |ty| self.key_type(*ty).bits))
    }

    /// Whether the key is a concatenation.
    pub(crate) fn is_concat(&self) -> bool {
        self.key.len() > 1
    }

    /// The type in which a single key is kept: as wide as its bytes where it is shifted, in network order where it may be a range.
    pub(crate) fn key_type(&self, ty: Type) -> Type {
        let mut kept = ty;
        if self.shift > 0 {
            kept.bits = self.wide_bits;
        }
        if self.interval && kept.needs_swap() {
            kept.order = redan_vm::meta::ByteOrder::Network;
        }
        kept
    }
}
