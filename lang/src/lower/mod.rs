//! From typed statements to instructions.
//!
//! Every statement starts with all registers free; what it needs is taken from the lowest slot on, as nft takes them, so that the printed form is nft's own.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

mod load;
mod matching;
mod stmt;

pub(crate) use load::covering;

use crate::datatype::{Base, Type, encode, mask};
use crate::peephole;
use crate::source::Span;
use crate::typed::{Jhash, SetInfo, ShiftDir, Stmt, Value, ValueKind};
use redan_vm::family::Family;
use redan_vm::ids::SetId;
use redan_vm::instr::{ByteorderOp, ShiftOp};
use redan_vm::meta::ByteOrder;
use redan_vm::{Data, Instr, Reg};

/// 4-byte slots of the register file.
const SLOTS: u8 = 16;
/// Slots of a wide register.
const WIDE: u8 = 4;

/// What cannot be compiled, and where.
#[derive(Debug, Clone)]
pub(crate) struct LowerError {
    /// The statement.
    pub(crate) span: Span,
    /// Why.
    pub(crate) message: &'static str,
}

/// The state of one rule.
struct Lower<'s> {
    code: Vec<Instr>,
    free: u8,
    sets: &'s [SetInfo],
    peephole: bool,
    span: Span,
}

/// The instructions of a rule.
pub(crate) fn rule(
    stmts: &[Stmt],
    sets: &[SetInfo],
    family: Family,
    peephole: bool,
) -> Result<Vec<Instr>, LowerError> {
    let merged = if peephole {
        peephole::run(stmts, family)
    } else {
        stmts.into()
    };
    let mut lower = Lower {
        code: Vec::with_capacity(merged.len() * 2),
        free: 0,
        sets,
        peephole,
        span: Span::default(),
    };
    for stmt in merged.iter() {
        lower.free = 0;
        lower.span = stmt.span;
        lower.stmt(&stmt.kind)?;
    }
    // hundreds of thousands of rules are kept: without slack
    lower.code.shrink_to_fit();
    Ok(lower.code)
}

/// Where each statement's instructions end, in a rule that is lowered without peephole pass.
pub(crate) fn ends(stmts: &[Stmt], sets: &[SetInfo], family: Family) -> Vec<usize> {
    let mut ends = Vec::with_capacity(stmts.len());
    let mut end = 0;
    for stmt in stmts {
        let code = rule(std::slice::from_ref(stmt), sets, family, false);
        end += code.map_or(0, |code| code.len());
        ends.push(end);
    }
    ends
}

impl Lower<'_> {
    fn fail<T>(&self, message: &'static str) -> Result<T, LowerError> {
        Err(LowerError {
            span: self.span,
            message,
        })
    }

    fn reg(&self, slot: u8) -> Result<Reg, LowerError> {
        Reg::at_slot(slot).ok_or(LowerError {
            span: self.span,
            message: "this needs more registers than the machine has",
        })
    }

    /// Takes slots; the first one.
    fn take(&mut self, slots: u8) -> Result<u8, LowerError> {
        let first = self.free;
        if first + slots > SLOTS {
            return self.fail("this needs more registers than the machine has");
        }
        self.free += slots;
        Ok(first)
    }

    /// Takes room for a value.
    fn take_for(&mut self, value: &Value) -> Result<u8, LowerError> {
        self.take(slots(value))
    }

    /// Computes a value into a slot.
    fn value(&mut self, value: &Value, slot: u8) -> Result<(), LowerError> {
        let dst = self.reg(slot)?;
        match &value.kind {
            ValueKind::Const(number) => {
                self.code.push(Instr::Immediate {
                    dst,
                    data: value.ty.encode(*number),
                });
                Ok(())
            }
            ValueKind::Load(load) => self.whole_load(load, slot),
            ValueKind::Bits { from, mask, xor } => {
                let mask = mask & self.unmasked(from, slot)?;
                self.code.push(Instr::Bitwise {
                    src: dst,
                    dst,
                    mask: value.ty.encode(mask),
                    xor: value.ty.encode(*xor),
                });
                Ok(())
            }
            ValueKind::Shift { from, dir, bits } => {
                self.value(from, slot)?;
                let op = match dir {
                    ShiftDir::Left => ShiftOp::Left,
                    ShiftDir::Right => ShiftOp::Right,
                };
                self.code.push(Instr::BitwiseShift {
                    op,
                    src: dst,
                    dst,
                    len: value.ty.bytes(),
                    bits: *bits,
                });
                Ok(())
            }
            ValueKind::BitsOf { op, sides } => {
                self.value(&sides.0, slot)?;
                let other = self.take(WIDE)?;
                self.value(&sides.1, other)?;
                let src2 = self.reg(other)?;
                self.code.push(Instr::BitwiseReg {
                    op: *op,
                    src: dst,
                    src2,
                    dst,
                    len: value.ty.bytes(),
                });
                Ok(())
            }
            ValueKind::Swap(from) => {
                self.value(from, slot)?;
                self.swap(slot, from.ty)
            }
            ValueKind::Concat(parts) => {
                let mut at = slot;
                for part in parts {
                    self.value(part, at)?;
                    at += part.ty.padded_bytes() / 4;
                }
                Ok(())
            }
            ValueKind::Map { key, set } => {
                self.key(key, *set, slot)?;
                self.code.push(Instr::Lookup {
                    set: *set,
                    src: dst,
                    dst: Some(dst),
                    inverted: false,
                });
                Ok(())
            }
            ValueKind::Jhash(jhash) => self.jhash(jhash, dst),
        }
    }

    /// Computes what is masked next into a slot; the bits that count of it. A bit field's own mask becomes part of the next one.
    fn unmasked(&mut self, from: &Value, slot: u8) -> Result<u128, LowerError> {
        match &from.kind {
            ValueKind::Load(load) if load.bit_field().is_some_and(is_low) => {
                self.plain_load(load, slot)?;
                Ok(mask(from.ty.bits))
            }
            _ => {
                self.value(from, slot)?;
                Ok(u128::MAX)
            }
        }
    }

    fn jhash(&mut self, jhash: &Jhash, dst: Reg) -> Result<(), LowerError> {
        let before = self.free;
        let slot = self.take_for(&jhash.key)?;
        self.value(&jhash.key, slot)?;
        let src = self.reg(slot)?;
        let len = match &jhash.key.kind {
            ValueKind::Concat(parts) => parts
                .iter()
                .map(|part| part.ty.padded_bytes())
                .fold(0, u8::saturating_add),
            _ => jhash.key.ty.bytes(),
        };
        self.code.push(Instr::Jhash {
            src,
            len,
            dst,
            seed: jhash.seed,
            modulus: jhash.modulus,
            offset: jhash.offset,
        });
        self.free = before;
        Ok(())
    }

    /// Swaps a value's bytes, when it has more than one.
    fn swap(&mut self, slot: u8, ty: Type) -> Result<(), LowerError> {
        let reg = self.reg(slot)?;
        let op = match ty.order {
            ByteOrder::Network => ByteorderOp::Ntoh,
            ByteOrder::Host => ByteorderOp::Hton,
        };
        let len = ty.bytes();
        if matches!(len, 2 | 4 | 8 | 16) {
            self.code.push(Instr::Byteorder {
                op,
                src: reg,
                dst: reg,
                size: len.min(8),
                len,
            });
        }
        Ok(())
    }

    /// Swaps a part of a concatenated range; nft asks for it even where one byte has nothing to swap.
    fn swap_part(&mut self, slot: u8, ty: Type) -> Result<(), LowerError> {
        if ty.needs_swap() {
            return self.swap(slot, ty);
        }
        if ty.order == ByteOrder::Host && ty.base() != Base::String {
            let reg = self.reg(slot)?;
            self.code.push(Instr::Byteorder {
                op: ByteorderOp::Hton,
                src: reg,
                dst: reg,
                size: 2,
                len: 1,
            });
        }
        Ok(())
    }

    /// Computes the key of a set into a slot, in the form in which the set keeps it.
    fn key(&mut self, key: &Value, set: SetId, slot: u8) -> Result<(), LowerError> {
        let (in_place, swapped) = self
            .sets
            .get(set.index())
            .map_or((false, false), |info| (info.in_place, info.swapped));
        match &key.kind {
            ValueKind::Load(load) if in_place && load.bit_field().is_some() => {
                self.masked_load(load, slot)
            }
            ValueKind::Concat(parts) => {
                let mut at = slot;
                for part in parts {
                    self.value(part, at)?;
                    if swapped {
                        self.swap_part(at, part.ty)?;
                    }
                    at += part.ty.padded_bytes() / 4;
                }
                Ok(())
            }
            _ => {
                self.value(key, slot)?;
                if swapped && key.ty.needs_swap() {
                    self.swap(slot, key.ty)?;
                }
                Ok(())
            }
        }
    }
}

/// Whether a bit field ends with its byte, so that only bits above it must go.
fn is_low(field: (u32, u32)) -> bool {
    field.0 == 0
}

/// Room that a value needs: a concatenation its own size, anything else a wide register.
fn slots(value: &Value) -> u8 {
    match &value.kind {
        ValueKind::Concat(parts) => parts
            .iter()
            .map(|part| part.ty.padded_bytes() / 4)
            .fold(0, u8::saturating_add),
        _ => WIDE,
    }
}

/// A value in network order, as many bytes as a type has.
fn network(ty: Type, value: u128) -> Data {
    encode(value, ty.bytes(), ByteOrder::Network)
}
