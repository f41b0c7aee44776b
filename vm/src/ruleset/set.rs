//! Sets and maps as lang hands them over: flat, so that a million elements cost little more than their keys.

use std::collections::BTreeMap;

use super::StateSpec;
use crate::Data;
use crate::datatype::DataType;
use crate::ids::{StateId, TableId};
use crate::instr::{ObjectKind, Verdict};

/// Set flag bits, as nft prints them.
pub mod set_flags {
    /// No name of its own.
    pub const ANONYMOUS: u32 = 0x1;
    /// Never changes.
    pub const CONSTANT: u32 = 0x2;
    /// Holds ranges.
    pub const INTERVAL: u32 = 0x4;
    /// Holds data.
    pub const MAP: u32 = 0x8;
    /// Elements expire.
    pub const TIMEOUT: u32 = 0x10;
    /// Changed from the packet path.
    pub const EVAL: u32 = 0x20;
    /// The data is a stateful object.
    pub const OBJECT: u32 = 0x40;
    /// The key is a concatenation with ranges.
    pub const CONCAT: u32 = 0x80;
    /// Elements carry expressions.
    pub const EXPR: u32 = 0x100;
}

/// A set or map.
#[derive(Clone, Debug)]
pub struct Set {
    /// Its table.
    pub table: TableId,
    /// Its name; `__set%d` and `__map%d` for anonymous ones.
    pub name: String,
    /// [`set_flags`].
    pub flags: u32,
    /// Bytes of a key, each part of a concatenation padded to 4.
    pub key_len: u8,
    /// Bytes of each part of a concatenation before padding; one part otherwise.
    pub key_parts: Vec<u8>,
    /// Types of the parts, for printing elements in nft's words.
    pub key_types: Vec<DataType>,
    /// What its elements map to.
    pub data: SetData,
    /// Milliseconds that an element lives, when its own timeout does not say otherwise.
    pub timeout_ms: Option<u64>,
    /// Most elements that it takes; for sets that packets change 65535 unless given.
    pub size: Option<u32>,
    /// What each element carries.
    pub exprs: Vec<StateSpec>,
    /// The elements from the file.
    pub elements: Elements,
}

/// What a map maps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetData {
    /// Nothing: a set.
    None,
    /// Bytes of a value.
    Value(u8),
    /// A verdict.
    Verdict,
    /// A stateful object.
    Object(ObjectKind),
}

/// Elements in the order in which they were given (a concatenation with ranges matches the first), or, for interval sets without
/// concatenation, sorted half-open boundaries as the kernel gets them: each start, and each exclusive end marked [`Elements::END`].
#[derive(Clone, Debug, Default)]
pub struct Elements {
    /// Keys back to back, [`Set::key_len`] bytes each.
    pub keys: Vec<u8>,
    /// Upper ends of the closed ranges of a concatenation with ranges, [`Set::key_len`] bytes each; else empty.
    pub key_ends: Vec<u8>,
    /// [`Elements::END`], [`Elements::CATCHALL`]: one byte an element.
    pub flags: Vec<u8>,
    /// A map's data: one an element; empty for sets.
    pub data: Vec<ElementData>,
    /// What few elements have, by index.
    pub extras: BTreeMap<u32, Element>,
}

impl Elements {
    /// The end of an interval: what lies from here to the next start is not in the set.
    pub const END: u8 = 1;
    /// Matches whatever no other element matches.
    pub const CATCHALL: u8 = 2;

    /// How many elements (boundaries, in interval sets) there are.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }
}

/// What an element of a map gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementData {
    /// Nothing (the end of an interval).
    None,
    /// A value.
    Value(Data),
    /// A value of more than 16 bytes, such as an address range with ports: the bytes from here on in [`Set::data`]'s order.
    Wide([Data; 4]),
    /// A verdict.
    Verdict(Verdict),
    /// A stateful object.
    Object(StateId),
}

/// What few elements have beside key and data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Milliseconds that it lives.
    pub timeout_ms: Option<u64>,
    /// Milliseconds that are left, as written in the file.
    pub expires_ms: Option<u64>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its stateful expressions, in place of those of the set.
    pub exprs: Vec<StateSpec>,
}
