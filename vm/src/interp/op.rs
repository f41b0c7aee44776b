//! The interpreter's operations.

use crate::Reg;
use crate::ids::SetId;
use crate::instr::{Base, Verdict};
use crate::ops::set::Lookup;
use crate::regs::Slot;

/// One decoded operation. The first ones load a word, store it, and break unless it is (or is not) a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// From the network header, 1 to 4 bytes.
    Network1(Test),
    Network2(Test),
    Network3(Test),
    Network4(Test),
    /// From the transport header.
    Transport1(Test),
    Transport2(Test),
    Transport4(Test),
    CtState(Test),
    L4proto(Test),
    Nfproto(Test),
    /// Breaks unless a word of a register, under the mask, is (or is not) the value.
    Word(Test),
    /// Loads an interface's name and compares all of it.
    Name {
        out: bool,
        dst: Reg,
        negated: bool,
        name: u32,
    },
    Load {
        base: Base,
        offset: u32,
        len: u8,
        dst: Reg,
    },
    /// `dst = (src & mask) ^ xor` of one word.
    BitwiseWord {
        src: Slot,
        dst: Slot,
        mask: u32,
        xor: u32,
    },
    /// Index into the state's counters.
    Counter(u32),
    Verdict(Verdict),
    Lookup(Lookup),
    LookupVerdict {
        set: SetId,
        src: Reg,
    },
    /// Index of an instruction kept as it is.
    Other(u32),
}

/// A test of one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test {
    /// The register that is loaded or read.
    pub(super) slot: Slot,
    /// Breaks when equal.
    pub(super) negated: bool,
    /// Bytes from the header, for packet bytes.
    pub(super) offset: u16,
    /// Bits of the word that count.
    pub(super) and: u32,
    /// What they must be.
    pub(super) value: u32,
}
