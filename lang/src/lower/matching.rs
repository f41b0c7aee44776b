//! Matches.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::load::covering;
use super::{Lower, LowerError, WIDE, network, slots};
use crate::datatype::{Base, Type, encode, mask};
use crate::typed::{Load, Match, Operand, Relation, Value, ValueKind, flips};
use redan_vm::instr::CmpOp;
use redan_vm::meta::ByteOrder;
use redan_vm::{Data, Instr, Reg};

/// Where a value ended up, and how constants must look to be compared with it.
struct Loaded {
    slot: u8,
    len: u8,
    order: ByteOrder,
    shift: u32,
    xor: u128,
}

impl Loaded {
    fn data(&self, value: u128) -> Data {
        encode((value ^ self.xor) << self.shift, self.len, self.order)
    }
}

impl Lower<'_> {
    pub(super) fn matching(&mut self, found: &Match) -> Result<(), LowerError> {
        match &found.right {
            Operand::Set(set) => {
                let slot = self.take(slots(&found.left))?;
                self.key(&found.left, *set, slot)?;
                let src = self.reg(slot)?;
                self.code.push(Instr::Lookup {
                    set: *set,
                    src,
                    dst: None,
                    inverted: found.relation == Relation::Ne,
                });
                Ok(())
            }
            Operand::Value(value) => self.against_value(found, *value),
            Operand::Range(low, high) => self.against_range(found, *low, *high),
            Operand::Prefix { value, len } => self.against_prefix(found, *value, *len),
            Operand::Flags(flags) => self.against_flags(found, *flags),
        }
    }

    /// Loads the left side; for comparisons by size in network order.
    fn left(&mut self, left: &Value, ordered: bool) -> Result<Loaded, LowerError> {
        let slot = self.take(WIDE)?;
        let ty = left.ty;
        let mut loaded = Loaded {
            slot,
            len: ty.bytes(),
            order: ty.order,
            shift: 0,
            xor: 0,
        };
        match &left.kind {
            ValueKind::Load(load) if load.bit_field().is_some() => {
                self.masked_load(load, slot)?;
                let (shift, bits) = load.bit_field().unwrap_or((0, ty.bits));
                loaded.len = covering(shift, bits);
                loaded.shift = shift;
                loaded.order = ByteOrder::Network;
            }
            // a last flip of bits moves to the other side
            ValueKind::Bits {
                from,
                mask: keep,
                xor,
            } if flips(*keep, *xor) && !ordered => {
                if *keep == from.whole_bits() {
                    self.value(from, slot)?;
                } else {
                    let kind = ValueKind::Bits {
                        from: from.clone(),
                        mask: *keep,
                        xor: 0,
                    };
                    self.value(
                        &Value {
                            kind,
                            ..left.clone()
                        },
                        slot,
                    )?;
                }
                loaded.xor = *xor;
            }
            _ => self.value(left, slot)?,
        }
        if ordered && ty.needs_swap() && loaded.order == ByteOrder::Host {
            self.swap(slot, ty)?;
            loaded.order = ByteOrder::Network;
        }
        Ok(loaded)
    }

    fn against_value(&mut self, found: &Match, value: u128) -> Result<(), LowerError> {
        let op = match found.relation {
            Relation::Eq => CmpOp::Eq,
            Relation::Ne => CmpOp::Neq,
            Relation::Lt => CmpOp::Lt,
            Relation::Le => CmpOp::Lte,
            Relation::Gt => CmpOp::Gt,
            Relation::Ge => CmpOp::Gte,
        };
        let loaded = self.left(&found.left, !matches!(op, CmpOp::Eq | CmpOp::Neq))?;
        let src = self.reg(loaded.slot)?;
        self.code.push(Instr::Cmp {
            op,
            src,
            data: loaded.data(value),
        });
        Ok(())
    }

    fn against_range(&mut self, found: &Match, low: u128, high: u128) -> Result<(), LowerError> {
        let loaded = self.left(&found.left, true)?;
        let src = self.reg(loaded.slot)?;
        let (from, to) = (loaded.data(low), loaded.data(high));
        if found.relation == Relation::Ne {
            self.code.push(Instr::Range {
                negated: true,
                src,
                from,
                to,
            });
        } else {
            self.code.push(Instr::Cmp {
                op: CmpOp::Gte,
                src,
                data: from,
            });
            self.code.push(Instr::Cmp {
                op: CmpOp::Lte,
                src,
                data: to,
            });
        }
        Ok(())
    }

    fn against_prefix(&mut self, found: &Match, value: u128, len: u32) -> Result<(), LowerError> {
        let op = if found.relation == Relation::Ne {
            CmpOp::Neq
        } else {
            CmpOp::Eq
        };
        let ty = found.left.ty;
        let bytes = u8::try_from(len.div_ceil(8)).unwrap_or(16);
        if ty.base() == Base::String {
            let loaded = self.left(&found.left, false)?;
            let src = self.reg(loaded.slot)?;
            self.code.push(Instr::Cmp {
                op,
                src,
                data: first_bytes(ty, value, bytes),
            });
            return Ok(());
        }
        let whole = len > 0 && len.is_multiple_of(8);
        if let ValueKind::Load(load) = &found.left.kind
            && whole
            && self.peephole
            && can_shorten(load)
        {
            let slot = self.take(WIDE)?;
            let src = self.reg(slot)?;
            let instr = self.load(load, src, Some(bytes))?;
            self.code.push(instr);
            self.code.push(Instr::Cmp {
                op,
                src,
                data: first_bytes(ty, value, bytes),
            });
            return Ok(());
        }
        if let ValueKind::Load(load) = &found.left.kind
            && whole
            && self.peephole
            && ty.order == ByteOrder::Network
            && load.bit_field().is_none()
        {
            // other loads cannot stop early, but the comparison can
            let loaded = self.left(&found.left, false)?;
            let src = self.reg(loaded.slot)?;
            self.code.push(Instr::Cmp {
                op,
                src,
                data: first_bytes(ty, value, bytes),
            });
            return Ok(());
        }
        if let ValueKind::Load(load) = &found.left.kind
            && load.bit_field().is_some()
        {
            return self.against_bit_prefix(load, ty, op, value, len);
        }
        let loaded = self.left(&found.left, false)?;
        let src = self.reg(loaded.slot)?;
        let keep = mask(ty.bits) & !mask(ty.bits.saturating_sub(len));
        let bits = encode(keep << loaded.shift, loaded.len, loaded.order);
        self.masked(src, bits, op, loaded.data(value));
        Ok(())
    }

    /// A prefix of a bit field: the field as a number, then the mask.
    fn against_bit_prefix(
        &mut self,
        load: &Load,
        ty: Type,
        op: CmpOp,
        value: u128,
        len: u32,
    ) -> Result<(), LowerError> {
        let slot = self.take(WIDE)?;
        self.whole_load(load, slot)?;
        let src = self.reg(slot)?;
        let keep = mask(ty.bits) & !mask(ty.bits.saturating_sub(len));
        let order = if load.bit_field().is_some_and(|(shift, _)| shift > 0) {
            ByteOrder::Host
        } else {
            ty.order
        };
        let data = |number| encode(number, ty.bytes(), order);
        self.masked(src, data(keep), op, data(value));
        Ok(())
    }

    fn against_flags(&mut self, found: &Match, flags: u128) -> Result<(), LowerError> {
        let loaded = self.left(&found.left, false)?;
        let src = self.reg(loaded.slot)?;
        let op = if found.relation == Relation::Ne {
            CmpOp::Eq
        } else {
            CmpOp::Neq
        };
        let bits = encode(flags << loaded.shift, loaded.len, loaded.order);
        self.masked(src, bits, op, Data::zero(loaded.len));
        Ok(())
    }

    /// Keeps some bits of a register and compares them.
    fn masked(&mut self, src: Reg, mask: Data, op: CmpOp, want: Data) {
        self.code.push(Instr::Bitwise {
            src,
            dst: src,
            mask,
            xor: Data::zero(mask.len()),
        });
        self.code.push(Instr::Cmp {
            op,
            src,
            data: want,
        });
    }
}

/// The first bytes of a value in network order.
fn first_bytes(ty: Type, value: u128, bytes: u8) -> Data {
    let all = network(ty, value);
    all.as_bytes()
        .get(..usize::from(bytes))
        .and_then(Data::new)
        .unwrap_or(all)
}

/// Whether a load can stop after a prefix.
fn can_shorten(load: &Load) -> bool {
    match load {
        Load::Payload {
            bit_offset, bits, ..
        }
        | Load::Exthdr {
            bit_offset,
            bits,
            present: false,
            ..
        } => bit_offset % 8 == 0 && bits % 8 == 0,
        Load::Inner { load, .. } => can_shorten(load),
        Load::Exthdr { .. }
        | Load::Meta(_)
        | Load::Ct { .. }
        | Load::Fib { .. }
        | Load::Rt(_)
        | Load::Socket(_)
        | Load::Osf { .. }
        | Load::Xfrm { .. }
        | Load::Tunnel(_)
        | Load::Numgen(_)
        | Load::Symhash { .. } => false,
    }
}
