//! `cmp` and `range`: comparisons of register bytes with constants, as memcmp orders them.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use redan_vm::instr::CmpOp;
use redan_vm::{Data, Reg};

use super::{Reach, RuleEmitter};

/// A constant's bytes as big-endian numbers: the first 8 bytes, and the rest when there are more. Each is shifted down, so that the last
/// byte is the least significant.
struct BigEndian {
    high: u64,
    low: Option<u64>,
}

impl BigEndian {
    fn of(data: &Data) -> Self {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, &b| (n << 8) | u64::from(b));
        let bytes = data.as_bytes();
        match bytes.split_at_checked(8) {
            Some((high, low)) if !low.is_empty() => Self {
                high: number(high),
                low: Some(number(low)),
            },
            Some(_) | None => Self {
                high: number(bytes),
                low: None,
            },
        }
    }
}

impl RuleEmitter<'_, '_> {
    /// `cmp`: breaks unless the register relates to the constant.
    pub(super) fn cmp(&mut self, op: CmpOp, src: Reg, data: &Data) -> Reach {
        let (code, breaks_when_true) = match op {
            CmpOp::Eq | CmpOp::Neq => {
                let (difference, value) = self.difference(src, data);
                let differs = self.fb.ins().icmp_imm_u(
                    IntCC::NotEqual,
                    difference,
                    i64::from_ne_bytes(value.to_ne_bytes()),
                );
                self.break_if(differs, op == CmpOp::Eq);
                return Reach::On;
            }
            CmpOp::Lt => (IntCC::UnsignedLessThan, false),
            CmpOp::Gte => (IntCC::UnsignedLessThan, true),
            CmpOp::Gt => (IntCC::UnsignedGreaterThan, false),
            CmpOp::Lte => (IntCC::UnsignedGreaterThan, true),
        };
        let holds = self.ordered(code, src, data);
        self.break_if(holds, breaks_when_true);
        Reach::On
    }

    /// `range`: breaks unless the register lies within the closed range, or, negated, outside.
    pub(super) fn range(&mut self, negated: bool, src: Reg, from: &Data, to: &Data) -> Reach {
        let below = self.ordered(IntCC::UnsignedLessThan, src, from);
        let above = self.ordered(IntCC::UnsignedGreaterThan, src, to);
        let outside = self.fb.ins().bor(below, above);
        self.break_if(outside, !negated);
        Reach::On
    }

    /// A value and a constant that are equal when the register's bytes are the constant's.
    fn difference(&mut self, src: Reg, data: &Data) -> (Value, u64) {
        let at = src.offset();
        let len = usize::from(data.len());
        let bits = u32::from(data.len()) * 8;
        let [low, high] = dwords(data);
        match len {
            0 => (self.fb.ins().iconst(types::I32, 0), 0),
            1..=4 => {
                let word = self.registers.word(self.fb, at);
                let value = if word.bits > bits && bits < 32 {
                    self.fb.ins().band_imm_u(word.value, (1_i64 << bits) - 1)
                } else {
                    word.value
                };
                (value, low)
            }
            5..=8 => (self.masked_dword(at, bits), low),
            _ => {
                let first = self.registers.dword(self.fb, at);
                let first = self.xor_dword(first, low);
                let second = self.masked_dword(at + 8, bits - 64);
                let second = self.xor_dword(second, high);
                (self.fb.ins().bor(first, second), 0)
            }
        }
    }

    /// The low `bits` of eight register bytes.
    fn masked_dword(&mut self, at: usize, bits: u32) -> Value {
        if bits <= 32 {
            let word = self.registers.word(self.fb, at);
            let wide = self.fb.ins().uextend(types::I64, word.value);
            return if word.bits > bits {
                self.and_dword(wide, low_mask(bits))
            } else {
                wide
            };
        }
        let dword = self.registers.dword(self.fb, at);
        self.and_dword(dword, low_mask(bits))
    }

    /// Whether the register's bytes are below (or above) the constant's, by memcmp.
    fn ordered(&mut self, code: IntCC, src: Reg, data: &Data) -> Value {
        let at = src.offset();
        let len = usize::from(data.len());
        let constant = BigEndian::of(data);
        let high = self.big_endian(at, len.min(8));
        let high_constant = self.constant(high, constant.high);
        let decided = self.fb.ins().icmp(code, high, high_constant);
        let Some(low_constant) = constant.low else {
            return decided;
        };
        let tied = self.fb.ins().icmp(IntCC::Equal, high, high_constant);
        let low = self.big_endian(at + 8, len - 8);
        let low_constant = self.constant(low, low_constant);
        let low_decided = self.fb.ins().icmp(code, low, low_constant);
        let by_low = self.fb.ins().band(tied, low_decided);
        self.fb.ins().bor(decided, by_low)
    }

    /// `len` register bytes (at most 8) as a big-endian number: an `i32` up to 4 bytes, else an `i64`.
    fn big_endian(&mut self, at: usize, len: usize) -> Value {
        let (value, width) = match len {
            0 => return self.fb.ins().iconst(types::I32, 0),
            1..=4 => (self.registers.word(self.fb, at).value, 4),
            _ => (self.registers.dword(self.fb, at), 8),
        };
        let swapped = self.fb.ins().bswap(value);
        match width - len {
            0 => swapped,
            excess => {
                let bits = i64::try_from(excess * 8).unwrap_or(0);
                self.fb.ins().ushr_imm_u(swapped, bits)
            }
        }
    }

    /// A constant of the value's type.
    fn constant(&mut self, like: Value, constant: u64) -> Value {
        let ty = self.fb.func.dfg.value_type(like);
        self.fb
            .ins()
            .iconst(ty, i64::from_ne_bytes(constant.to_ne_bytes()))
    }
}

/// A constant's bytes as two little-endian numbers, zero behind its end.
pub(super) fn dwords(data: &Data) -> [u64; 2] {
    let padded = u128::from_le_bytes(*data.padded());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are what is wanted"
    )]
    [padded as u64, (padded >> 64) as u64]
}

/// The lowest `bits` set.
pub(super) fn low_mask(bits: u32) -> u64 {
    u64::MAX
        .checked_shr(64_u32.saturating_sub(bits))
        .unwrap_or(0)
}
