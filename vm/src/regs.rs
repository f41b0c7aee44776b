//! The register file of one run.

use crate::{Data, REGISTER_BYTES, Reg};

/// The data registers: zero when a base chain starts, scratch from then on. The layout is fixed (`repr(C)`) because generated code
/// works on it.
///
/// A store fills whole 4-byte words with zeros behind the value, as the kernel's does: keys of concatenations rely on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Regs {
    bytes: [u8; REGISTER_BYTES],
}

/// A word of the register file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    /// The first word of a register.
    #[expect(clippy::cast_possible_truncation, reason = "there are 16 words")]
    pub const fn of(reg: Reg) -> Self {
        Self((reg.offset() / 4) as u8)
    }
}

impl Default for Regs {
    fn default() -> Self {
        Self {
            bytes: [0; REGISTER_BYTES],
        }
    }
}

impl Regs {
    /// All bytes, register 1 first.
    pub const fn as_bytes(&self) -> &[u8; REGISTER_BYTES] {
        &self.bytes
    }

    /// All bytes, register 1 first.
    pub const fn as_mut_bytes(&mut self) -> &mut [u8; REGISTER_BYTES] {
        &mut self.bytes
    }

    /// `len` bytes from a register on; fewer where the register file ends (the verifier refuses such reads).
    #[inline]
    pub fn get(&self, reg: Reg, len: usize) -> &[u8] {
        let rest = self.bytes.get(reg.offset()..).unwrap_or(&[]);
        rest.get(..len).unwrap_or(rest)
    }

    /// The same, to be written; for whole words, because nothing is zeroed.
    #[inline]
    pub fn get_mut(&mut self, reg: Reg, len: usize) -> &mut [u8] {
        let rest = self.bytes.get_mut(reg.offset()..).unwrap_or(&mut []);
        let len = len.min(rest.len());
        rest.get_mut(..len).unwrap_or(&mut [])
    }

    /// The four bytes of a register as a little-endian number.
    #[inline]
    pub fn u32(&self, reg: Reg) -> u32 {
        self.get(reg, 4).try_into().map_or(0, u32::from_le_bytes)
    }

    /// A word as a little-endian number.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "16 words, and 4 bits to number them"
    )]
    pub fn word(&self, slot: Slot) -> u32 {
        let (words, _) = self.bytes.as_chunks::<4>();
        u32::from_le_bytes(words[usize::from(slot.0 & 15)])
    }

    /// Stores a word in little-endian order.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "16 words, and 4 bits to number them"
    )]
    pub fn set_word(&mut self, slot: Slot, value: u32) {
        let (words, _) = self.bytes.as_chunks_mut::<4>();
        words[usize::from(slot.0 & 15)] = value.to_le_bytes();
    }

    /// Two bytes in network order, such as a port.
    #[inline]
    pub fn be16(&self, reg: Reg) -> u16 {
        self.get(reg, 2).try_into().map_or(0, u16::from_be_bytes)
    }

    /// Stores bytes and zeros up to the next word's start; what does not fit is left out.
    #[inline]
    pub fn set(&mut self, reg: Reg, value: &[u8]) {
        let words = self.get_mut(reg, value.len().next_multiple_of(4));
        let len = value.len().min(words.len());
        let (head, tail) = words.split_at_mut(len);
        head.copy_from_slice(value.get(..len).unwrap_or(&[]));
        tail.fill(0);
    }

    /// Stores a number in little-endian order.
    #[inline]
    pub fn set_u32(&mut self, reg: Reg, value: u32) {
        self.set(reg, &value.to_le_bytes());
    }

    /// Stores a constant.
    #[inline]
    pub fn set_data(&mut self, reg: Reg, data: &Data) {
        self.set(reg, data.as_bytes());
    }
}
