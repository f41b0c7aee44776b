//! What changes a value in registers: masks and byte order.

use cranelift_codegen::ir::{InstBuilder, Value, types};
use redan_vm::{Data, Reg};

use super::compare::{dwords, low_mask};
use super::registers::Word;
use super::{Reach, RuleEmitter};

impl RuleEmitter<'_, '_> {
    /// `bitwise`: `dst = (src & mask) ^ xor`, in whole words.
    pub(super) fn bitwise(&mut self, src: Reg, dst: Reg, mask: &Data, xor: &Data) -> Reach {
        let len = usize::from(mask.len()).next_multiple_of(4);
        let masks = dwords(mask);
        let xors = dwords(xor);
        // All of the source is read before any of the result is written: the registers may overlap.
        let mut results = Vec::with_capacity(2);
        for ((half, mask), xor) in (0..2).zip(masks).zip(xors) {
            let from = src.offset() + half * 8;
            match len.saturating_sub(half * 8) {
                0 => {}
                1..=4 => {
                    let value = self.masked_word(from, mask, xor);
                    results.push((half, Err(value)));
                }
                _ => {
                    let value = self.registers.dword(self.fb, from);
                    let value = self.and_dword(value, mask);
                    results.push((half, Ok(self.xor_dword(value, xor))));
                }
            }
        }
        for (half, result) in results {
            let at = dst.offset() + half * 8;
            match result {
                Ok(value) => self.registers.set_dword(self.fb, at, value),
                Err(word) => self.registers.set_word(self.fb, at, word),
            }
        }
        Reach::On
    }

    fn masked_word(&mut self, from: usize, mask: u64, xor: u64) -> Word {
        let word = self.registers.word(self.fb, from);
        let masked = if low_mask(word.bits) & !mask == 0 {
            word.value
        } else {
            let imm = i64::from_ne_bytes(mask.to_ne_bytes());
            self.fb.ins().band_imm_u(word.value, imm)
        };
        let value = match xor {
            0 => masked,
            xor => {
                let imm = i64::from_ne_bytes(xor.to_ne_bytes());
                self.fb.ins().bxor_imm_u(masked, imm)
            }
        };
        let possible = (low_mask(word.bits) & mask) | xor;
        Word {
            value,
            bits: u64::BITS - possible.leading_zeros(),
        }
    }

    /// A wide value and a constant.
    pub(super) fn and_dword(&mut self, value: Value, mask: u64) -> Value {
        if mask == u64::MAX {
            return value;
        }
        let mask = self
            .fb
            .ins()
            .iconst(types::I64, i64::from_ne_bytes(mask.to_ne_bytes()));
        self.fb.ins().band(value, mask)
    }

    /// A wide value exclusive-or a constant.
    pub(super) fn xor_dword(&mut self, value: Value, xor: u64) -> Value {
        if xor == 0 {
            return value;
        }
        let xor = self
            .fb
            .ins()
            .iconst(types::I64, i64::from_ne_bytes(xor.to_ne_bytes()));
        self.fb.ins().bxor(value, xor)
    }

    /// `byteorder` of one number of `size` bytes, as [`byteorder_in_line`] allows.
    pub(super) fn byteorder(&mut self, src: Reg, dst: Reg, size: u8) -> Reach {
        if size == 8 {
            let value = self.registers.dword(self.fb, src.offset());
            let value = self.fb.ins().bswap(value);
            self.registers.set_dword(self.fb, dst.offset(), value);
            return Reach::On;
        }
        let word = self.registers.word(self.fb, src.offset());
        let swapped = self.fb.ins().bswap(word.value);
        let word = if size == 4 {
            Word {
                value: swapped,
                bits: 32,
            }
        } else {
            let low = self.fb.ins().ushr_imm_u(swapped, 16);
            self.with_high_half_of(low, dst)
        };
        self.registers.set_word(self.fb, dst.offset(), word);
        Reach::On
    }

    /// A number of two bytes with the two bytes that lie behind it in the register, which it leaves alone.
    fn with_high_half_of(&mut self, low: Value, dst: Reg) -> Word {
        let old = self.registers.word(self.fb, dst.offset());
        if old.bits <= 16 {
            return Word {
                value: low,
                bits: 16,
            };
        }
        let high = self.fb.ins().band_imm_u(old.value, 0xffff_0000);
        Word {
            value: self.fb.ins().bor(high, low),
            bits: 32,
        }
    }
}

/// Whether a `byteorder` is emitted in line.
pub(crate) const fn byteorder_in_line(size: u8, len: u8) -> bool {
    matches!((size, len), (2, 2) | (4, 4) | (8, 8))
}
