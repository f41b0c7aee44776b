//! Constants, comparisons and arithmetic on registers.

use super::Step;
use crate::instr::{BitwiseRegOp, ByteorderOp, CmpOp, Instr, ShiftOp, Verdict};
use crate::regs::Regs;
use crate::{Data, REGISTER_BYTES, Reg};

/// Runs an instruction that works on registers alone; any other breaks.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
pub fn run(instr: &Instr, regs: &mut Regs) -> Step {
    match instr {
        Instr::Immediate { dst, data } => regs.set_data(*dst, data),
        Instr::ImmediateVerdict {
            verdict: Verdict::Continue,
        } => {}
        Instr::ImmediateVerdict { verdict } => return Step::Verdict(*verdict),
        Instr::Cmp { op, src, data } => return Step::when(cmp(*op, *src, data, regs)),
        Instr::Range {
            negated,
            src,
            from,
            to,
        } => return Step::when(range(*src, from, to, regs) != *negated),
        Instr::Bitwise {
            src,
            dst,
            mask,
            xor,
        } => bitwise(*src, *dst, mask, xor, regs),
        Instr::BitwiseShift {
            op,
            src,
            dst,
            len,
            bits,
        } => shift(*op, (*src, *dst), *len, *bits, regs),
        Instr::BitwiseReg {
            op,
            src,
            src2,
            dst,
            len,
        } => combine(*op, (*src, *src2), *dst, *len, regs),
        Instr::Byteorder {
            op,
            src,
            dst,
            size,
            len,
        } => byteorder(*op, (*src, *dst), *size, *len, regs),
        _ => return Step::Break,
    }
    Step::Next
}

/// Compares as memcmp does.
#[inline]
pub fn cmp(op: CmpOp, src: Reg, data: &Data, regs: &Regs) -> bool {
    let order = regs.get(src, usize::from(data.len())).cmp(data.as_bytes());
    match op {
        CmpOp::Eq => order.is_eq(),
        CmpOp::Neq => order.is_ne(),
        CmpOp::Lt => order.is_lt(),
        CmpOp::Lte => order.is_le(),
        CmpOp::Gt => order.is_gt(),
        CmpOp::Gte => order.is_ge(),
    }
}

/// Whether a register lies within a closed range.
#[inline]
pub fn range(src: Reg, from: &Data, to: &Data, regs: &Regs) -> bool {
    let value = regs.get(src, usize::from(from.len()));
    value >= from.as_bytes() && value <= to.as_bytes()
}

/// `dst = (src & mask) ^ xor`, in whole words.
#[inline]
pub fn bitwise(src: Reg, dst: Reg, mask: &Data, xor: &Data, regs: &mut Regs) {
    let len = usize::from(mask.len()).next_multiple_of(4);
    let mut value = [0; 16];
    let from = regs.get(src, len);
    for (((out, byte), mask), xor) in value
        .iter_mut()
        .zip(from)
        .zip(mask.padded())
        .zip(xor.padded())
    {
        *out = (byte & mask) ^ xor;
    }
    regs.set(dst, value.get(..len).unwrap_or(&[]));
}

/// The register's bytes as words of the (little-endian) machine, and how many.
fn words(reg: Reg, len: u8, regs: &Regs) -> ([u32; REGISTER_BYTES / 4], usize) {
    let mut out = [0; REGISTER_BYTES / 4];
    let bytes = regs.get(reg, usize::from(len).next_multiple_of(4));
    let (chunks, _) = bytes.as_chunks::<4>();
    for (word, chunk) in out.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*chunk);
    }
    (out, chunks.len())
}

fn set_words(reg: Reg, words: &[u32], regs: &mut Regs) {
    let bytes = regs.get_mut(reg, words.len() * 4);
    let (chunks, _) = bytes.as_chunks_mut::<4>();
    for (chunk, word) in chunks.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
}

/// Shifts words, the first one most significant, each in the machine's order.
pub fn shift(op: ShiftOp, (src, dst): (Reg, Reg), len: u8, bits: u32, regs: &mut Regs) {
    let (mut all, count) = words(src, len, regs);
    let values = all.get_mut(..count).unwrap_or(&mut []);
    let back = 32_u32.saturating_sub(bits);
    let mut carry = 0;
    let mut one = |word: &mut u32| {
        let old = *word;
        match op {
            ShiftOp::Left => {
                *word = old.checked_shl(bits).unwrap_or(0) | carry;
                carry = old.checked_shr(back).unwrap_or(0);
            }
            ShiftOp::Right => {
                *word = carry | old.checked_shr(bits).unwrap_or(0);
                carry = old.checked_shl(back).unwrap_or(0);
            }
        }
    };
    match op {
        ShiftOp::Left => values.iter_mut().rev().for_each(&mut one),
        ShiftOp::Right => values.iter_mut().for_each(&mut one),
    }
    set_words(dst, values, regs);
}

/// `dst = src OP src2`, in whole words.
pub fn combine(op: BitwiseRegOp, (src, src2): (Reg, Reg), dst: Reg, len: u8, regs: &mut Regs) {
    let (mut all, count) = words(src, len, regs);
    let (other, _) = words(src2, len, regs);
    let values = all.get_mut(..count).unwrap_or(&mut []);
    for (left, right) in values.iter_mut().zip(other) {
        match op {
            BitwiseRegOp::And => *left &= right,
            BitwiseRegOp::Or => *left |= right,
            BitwiseRegOp::Xor => *left ^= right,
        }
    }
    set_words(dst, values, regs);
}

/// Reverses the bytes of each number of `size` bytes (the machine is little-endian, so both directions do the same).
pub fn byteorder(_op: ByteorderOp, (src, dst): (Reg, Reg), size: u8, len: u8, regs: &mut Regs) {
    let mut value = [0; REGISTER_BYTES];
    let from = regs.get(src, usize::from(len));
    let value = value.get_mut(..from.len()).unwrap_or(&mut []);
    value.copy_from_slice(from);
    for number in value.chunks_exact_mut(usize::from(size).max(1)) {
        number.reverse();
    }
    regs.get_mut(dst, value.len()).copy_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(bytes: &[u8]) -> Data {
        Data::new(bytes).unwrap()
    }

    #[test]
    fn compares_as_memcmp() {
        let check = |op, left: &[u8], right: &[u8], want| {
            let mut regs = Regs::default();
            regs.set(Reg::R1, left);
            assert_eq!(
                cmp(op, Reg::R1, &data(right), &regs),
                want,
                "{left:?} {op:?} {right:?}"
            );
        };
        check(CmpOp::Eq, &[1, 2], &[1, 2], true);
        check(CmpOp::Eq, &[1, 2, 3], &[1, 2], true);
        check(CmpOp::Neq, &[1, 2], &[1, 3], true);
        check(CmpOp::Lt, &[1, 255], &[2, 0], true);
        check(CmpOp::Lt, &[2, 0], &[2, 0], false);
        check(CmpOp::Lte, &[2, 0], &[2, 0], true);
        check(CmpOp::Gt, &[2, 1], &[2, 0], true);
        check(CmpOp::Gte, &[1, 255], &[2, 0], false);
    }

    #[test]
    fn ranges_include_both_ends() {
        let check = |value: u8, want| {
            let mut regs = Regs::default();
            regs.set(Reg::R1, &[value]);
            assert_eq!(range(Reg::R1, &Data::u8(3), &Data::u8(5), &regs), want);
        };
        check(2, false);
        check(3, true);
        check(5, true);
        check(6, false);
    }

    #[test]
    fn bitwise_works_in_whole_words() {
        let mut regs = Regs::default();
        regs.set(Reg::R1, &[0xff; 16]);
        bitwise(
            Reg::R1,
            Reg::R2,
            &data(&[0x0f, 0xf0]),
            &data(&[1, 0]),
            &mut regs,
        );
        assert_eq!(regs.get(Reg::R2, 6), [0x0e, 0xf0, 0, 0, 0, 0]);
    }

    #[test]
    fn shifts_carry_between_words() {
        let check = |op, bits, words: &[u32], want: &[u32]| {
            let mut regs = Regs::default();
            set_words(Reg::R1, words, &mut regs);
            let len = u8::try_from(words.len() * 4).unwrap();
            shift(op, (Reg::R1, Reg::R1), len, bits, &mut regs);
            let (got, count) = super::words(Reg::R1, len, &regs);
            assert_eq!(&got[..count], want, "{op:?} {bits}");
        };
        check(ShiftOp::Left, 8, &[0x0102_0304], &[0x0203_0400]);
        check(ShiftOp::Right, 8, &[0x0102_0304], &[0x0001_0203]);
        check(ShiftOp::Left, 4, &[1, 0xf000_0000], &[0x1f, 0]);
        check(ShiftOp::Right, 4, &[0x1f, 0], &[1, 0xf000_0000]);
        check(ShiftOp::Left, 0, &[1, 0xf000_0000], &[1, 0xf000_0000]);
    }

    #[test]
    fn byteorder_reverses_each_number() {
        let check = |size, len, from: &[u8], want: &[u8]| {
            let mut regs = Regs::default();
            regs.set(Reg::R1, from);
            byteorder(ByteorderOp::Ntoh, (Reg::R1, Reg::R1), size, len, &mut regs);
            assert_eq!(regs.get(Reg::R1, from.len()), want);
        };
        check(2, 2, &[1, 2, 3, 4], &[2, 1, 3, 4]);
        check(2, 4, &[1, 2, 3, 4], &[2, 1, 4, 3]);
        check(4, 4, &[1, 2, 3, 4], &[4, 3, 2, 1]);
        check(8, 8, &[1, 2, 3, 4, 5, 6, 7, 8], &[8, 7, 6, 5, 4, 3, 2, 1]);
        check(16, 16, &[1; 16], &[1; 16]);
    }
}
