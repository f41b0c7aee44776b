//! Loads.

use super::{Lower, LowerError};
use crate::datatype::{encode, mask};
use crate::typed::Load;
use redan_vm::instr::{ByteorderOp, ShiftOp};
use redan_vm::meta::ByteOrder;
use redan_vm::{Data, Instr, Reg};

impl Lower<'_> {
    /// Loads the bytes that a field touches.
    pub(super) fn plain_load(&mut self, load: &Load, slot: u8) -> Result<(), LowerError> {
        let instr = self.load(load, self.reg(slot)?, None)?;
        self.code.push(instr);
        Ok(())
    }

    /// Loads the bytes that a field touches, with bits of its neighbours cleared, so that it lies as on the wire.
    pub(super) fn masked_load(&mut self, load: &Load, slot: u8) -> Result<(), LowerError> {
        self.plain_load(load, slot)?;
        let dst = self.reg(slot)?;
        if let Some((shift, bits)) = load.bit_field() {
            let len = covering(shift, bits);
            let keep = encode(mask(bits) << shift, len, ByteOrder::Network);
            self.code.push(Instr::Bitwise {
                src: dst,
                dst,
                mask: keep,
                xor: Data::zero(len),
            });
        }
        Ok(())
    }

    /// Loads a field as a number: bit fields are shifted down, which wants the machine's byte order.
    pub(super) fn whole_load(&mut self, load: &Load, slot: u8) -> Result<(), LowerError> {
        self.masked_load(load, slot)?;
        let Some((shift, bits)) = load.bit_field().filter(|(shift, _)| *shift > 0) else {
            return Ok(());
        };
        let reg = self.reg(slot)?;
        let len = covering(shift, bits);
        if matches!(len, 2 | 4) {
            self.code.push(Instr::Byteorder {
                op: ByteorderOp::Ntoh,
                src: reg,
                dst: reg,
                size: len,
                len,
            });
        }
        self.code.push(Instr::BitwiseShift {
            op: ShiftOp::Right,
            src: reg,
            dst: reg,
            len,
            bits: shift,
        });
        Ok(())
    }

    /// The instruction of a load; `short` loads only that many bytes.
    #[expect(
        clippy::self_only_used_in_recursion,
        reason = "reads as the other steps do"
    )]
    pub(super) fn load(
        &self,
        load: &Load,
        dst: Reg,
        short: Option<u8>,
    ) -> Result<Instr, LowerError> {
        let touched = |bit_offset: u32, bits: u32| {
            u8::try_from((bit_offset % 8 + bits).div_ceil(8)).unwrap_or(u8::MAX)
        };
        Ok(match load {
            Load::Payload {
                base,
                bit_offset,
                bits,
                ..
            } => Instr::PayloadLoad {
                base: *base,
                offset: bit_offset / 8,
                len: short.unwrap_or(touched(*bit_offset, *bits)),
                dst,
            },
            Load::Meta(key) => Instr::MetaLoad { key: *key, dst },
            Load::Ct { key, dir } => Instr::CtLoad {
                key: *key,
                direction: *dir,
                dst,
            },
            Load::Exthdr {
                op,
                kind,
                bit_offset,
                bits,
                present,
            } => Instr::ExthdrLoad {
                op: *op,
                kind: *kind,
                offset: bit_offset / 8,
                len: short.unwrap_or(touched(*bit_offset, *bits)),
                present: *present,
                dst,
            },
            Load::Fib { flags, result } => Instr::Fib {
                flags: *flags,
                result: *result,
                dst,
            },
            Load::Rt(key) => Instr::Rt { key: *key, dst },
            Load::Socket(key) => Instr::Socket { key: *key, dst },
            Load::Osf { ttl, version } => Instr::Osf {
                ttl: *ttl,
                version: *version,
                dst,
            },
            Load::Xfrm {
                outbound,
                spnum,
                key,
            } => Instr::Xfrm {
                outbound: *outbound,
                spnum: *spnum,
                key: *key,
                dst,
            },
            Load::Tunnel(key) => Instr::Tunnel { key: *key, dst },
            Load::Numgen(numgen) => Instr::Numgen {
                random: numgen.random,
                modulus: numgen.modulus,
                offset: numgen.offset,
                state: numgen.state,
                dst,
            },
            Load::Symhash { modulus, offset } => Instr::Symhash {
                dst,
                modulus: *modulus,
                offset: *offset,
            },
            Load::Inner { tunnel, load } => Instr::Inner {
                kind: tunnel.kind,
                header_size: tunnel.header_size,
                flags: tunnel.flags,
                load: Box::new(self.load(load, dst, short)?),
            },
        })
    }
}

/// Bytes that a bit field touches.
pub(crate) fn covering(shift: u32, bits: u32) -> u8 {
    u8::try_from((shift + bits).div_ceil(8)).unwrap_or(16)
}
