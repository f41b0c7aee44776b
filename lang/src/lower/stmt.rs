//! Statements.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::{Lower, LowerError, WIDE, slots};
use crate::datatype::{encode, mask};
use crate::typed::{Dynset, Load, Nat, NatArg, NatStmt, StmtKind, Value, ValueKind};
use redan_vm::family::nfproto;
use redan_vm::field::Field;
use redan_vm::ids::StateId;
use redan_vm::instr::{self, Base, ChecksumKind, ExthdrOp};
use redan_vm::meta::ByteOrder;
use redan_vm::ruleset::StateSpec;
use redan_vm::{Instr, Reg};

impl Lower<'_> {
    pub(super) fn stmt(&mut self, stmt: &StmtKind) -> Result<(), LowerError> {
        match stmt {
            StmtKind::Match(found) => return self.matching(found),
            StmtKind::Vmap { key, set } => {
                // what a part of the key needs beside itself stands behind whole wide registers
                let slot = self.take(slots(key).next_multiple_of(WIDE))?;
                self.key(key, *set, slot)?;
                let src = self.reg(slot)?;
                self.code.push(Instr::LookupVerdict { set: *set, src });
            }
            StmtKind::ObjrefMap { key, set } => {
                let slot = self.take_for(key)?;
                self.key(key, *set, slot)?;
                let src = self.reg(slot)?;
                self.code.push(Instr::ObjrefMap { set: *set, src });
            }
            StmtKind::Nat(nat) => return self.nat(nat),
            StmtKind::Tproxy {
                nfproto,
                addr,
                port,
            } => {
                let addr = self.optional(addr.as_deref())?;
                let port = self.optional(port.as_deref())?;
                self.code.push(Instr::Tproxy {
                    nfproto: *nfproto,
                    addr,
                    port,
                });
            }
            StmtKind::Set { target, value } => return self.set(target, value),
            StmtKind::Dynset(dynset) => return self.dynset(dynset),
            StmtKind::Queue {
                num,
                value,
                bypass,
                fanout,
            } => {
                let sreg = self.optional(value.as_deref())?;
                self.code.push(Instr::Queue {
                    num: *num,
                    bypass: *bypass,
                    fanout: *fanout,
                    sreg,
                });
            }
            StmtKind::Dup { addr, device } => {
                let addr = self.optional(addr.as_deref())?;
                let dev = self.optional(device.as_deref())?;
                self.code.push(Instr::Dup { addr, dev });
            }
            StmtKind::Fwd {
                device,
                addr,
                nfproto,
            } => {
                let dev = self.argument(device)?;
                let addr = self.optional(addr.as_deref())?;
                self.code.push(Instr::Fwd {
                    dev,
                    addr,
                    nfproto: *nfproto,
                });
            }
            StmtKind::Stateful { state, spec } => return self.stateful(*state, spec),
            StmtKind::Verdict(_)
            | StmtKind::Objref { .. }
            | StmtKind::Log(_)
            | StmtKind::Reject(_)
            | StmtKind::Notrack
            | StmtKind::ResetTcpOption(_)
            | StmtKind::Flow(_)
            | StmtKind::Synproxy { .. } => self.plain(stmt),
        }
        Ok(())
    }

    /// Statements that need no register.
    fn plain(&mut self, stmt: &StmtKind) {
        let instr = match stmt {
            StmtKind::Verdict(verdict) => Instr::ImmediateVerdict { verdict: *verdict },
            StmtKind::Objref { kind, state } => Instr::Objref {
                kind: *kind,
                state: *state,
            },
            StmtKind::Log(log) => Instr::Log(log.clone()),
            StmtKind::Reject(reject) => Instr::Reject(*reject),
            StmtKind::ResetTcpOption(kind) => Instr::ExthdrReset {
                op: ExthdrOp::Tcpopt,
                kind: *kind,
            },
            StmtKind::Flow(name) => Instr::FlowOffload {
                flowtable: name.as_str().into(),
            },
            StmtKind::Synproxy { mss, wscale, flags } => Instr::Synproxy {
                mss: *mss,
                wscale: *wscale,
                flags: *flags,
            },
            _ => Instr::Notrack,
        };
        self.code.push(instr);
    }

    fn stateful(&mut self, state: StateId, spec: &StateSpec) -> Result<(), LowerError> {
        self.code.push(match spec {
            StateSpec::Counter { .. } => Instr::Counter { state },
            StateSpec::Limit(_) => Instr::Limit { state },
            StateSpec::Quota { .. } => Instr::Quota { state },
            StateSpec::Last { .. } => Instr::Last { state },
            StateSpec::Connlimit { .. } => Instr::Connlimit { state },
            StateSpec::Numgen
            | StateSpec::CtHelper { .. }
            | StateSpec::CtTimeout { .. }
            | StateSpec::CtExpectation { .. }
            | StateSpec::Tunnel(_)
            | StateSpec::Secmark(_)
            | StateSpec::Synproxy { .. } => return self.fail("this is kept by named objects only"),
        });
        Ok(())
    }

    /// Computes a value into a register of its own.
    fn argument(&mut self, value: &Value) -> Result<Reg, LowerError> {
        let slot = self.take(WIDE)?;
        self.value(value, slot)?;
        self.reg(slot)
    }

    fn optional(&mut self, value: Option<&Value>) -> Result<Option<Reg>, LowerError> {
        value.map(|value| self.argument(value)).transpose()
    }

    fn pair(&mut self, arg: Option<&NatArg>) -> Result<(Option<Reg>, Option<Reg>), LowerError> {
        Ok(match arg {
            None => (None, None),
            Some(NatArg::One(value)) => (Some(self.argument(value)?), None),
            Some(NatArg::Range(low, high)) => {
                (Some(self.argument(low)?), Some(self.argument(high)?))
            }
        })
    }

    fn nat(&mut self, nat: &Nat) -> Result<(), LowerError> {
        let (addr_min, mut addr_max) = self.pair(nat.addr.as_ref())?;
        let (mut proto_min, mut proto_max) = (None, None);
        if nat.layout.with_port || nat.layout.interval {
            // a map's data lie side by side from the first register on: address, port, last address, last port
            let address = if nat.nfproto == nfproto::IPV6 {
                WIDE
            } else {
                1
            };
            let mut at = address;
            if nat.layout.with_port {
                proto_min = Some(self.reg(at)?);
                at += 1;
            }
            if nat.layout.interval {
                addr_max = Some(self.reg(at)?);
                at += address;
                if nat.layout.with_port {
                    proto_max = Some(self.reg(at)?);
                }
            }
        }
        if nat.port.is_some() {
            (proto_min, proto_max) = self.pair(nat.port.as_ref())?;
        }
        let flags = nat.flags;
        self.code.push(match nat.kind {
            NatStmt::Nat(kind) => Instr::Nat(Box::new(instr::Nat {
                kind,
                nfproto: nat.nfproto,
                addr_min,
                addr_max,
                proto_min,
                proto_max,
                flags,
            })),
            NatStmt::Masquerade => Instr::Masq {
                proto_min,
                proto_max,
                flags,
            },
            NatStmt::Redirect => Instr::Redir {
                proto_min,
                proto_max,
                flags,
            },
        });
        Ok(())
    }

    fn dynset(&mut self, dynset: &Dynset) -> Result<(), LowerError> {
        let slot = self.take_for(&dynset.key)?;
        self.value(&dynset.key, slot)?;
        let key = self.reg(slot)?;
        let data = match &dynset.data {
            None => None,
            Some(data) => {
                let slot = self.take_for(data)?;
                self.value(data, slot)?;
                Some(self.reg(slot)?)
            }
        };
        self.code.push(Instr::Dynset(Box::new(instr::Dynset {
            op: dynset.op,
            set: dynset.set,
            key,
            data,
            timeout_ms: dynset.timeout_ms,
            exprs: dynset.exprs.clone(),
        })));
        Ok(())
    }

    fn set(&mut self, target: &Load, value: &Value) -> Result<(), LowerError> {
        if let Load::Payload {
            field,
            base,
            bit_offset,
            bits,
        } = target
        {
            return self.set_payload(*field, *base, *bit_offset, *bits, value);
        }
        let src = self.argument(value)?;
        let instr = match target {
            Load::Meta(key) => Instr::MetaSet { key: *key, src },
            Load::Ct { key, dir } => Instr::CtSet {
                key: *key,
                direction: *dir,
                src,
            },
            Load::Exthdr {
                op,
                kind,
                bit_offset,
                bits,
                ..
            } => {
                let len = u8::try_from(bits.div_ceil(8)).unwrap_or(u8::MAX);
                Instr::ExthdrWrite {
                    op: *op,
                    kind: *kind,
                    offset: bit_offset / 8,
                    len,
                    src,
                }
            }
            _ => return self.fail("this cannot be set"),
        };
        self.code.push(instr);
        Ok(())
    }

    /// Writes a header field. Checksums are mended in words of two bytes, so a part of one is written with the rest of it.
    fn set_payload(
        &mut self,
        field: Option<&'static Field>,
        base: Base,
        bit_offset: u32,
        bits: u32,
        value: &Value,
    ) -> Result<(), LowerError> {
        // A raw place belongs to no header, so that none is mended; but what lies behind a transport header is in its checksum.
        let (csum, csum_offset) = field.map_or((ChecksumKind::None, 0), |field| {
            field.header.info().checksum
        });
        let csum_flags = u32::from(field.map_or(base == Base::Inner, |field| field.pseudo));
        let needs_checksum = csum != ChecksumKind::None || (field.is_none() && csum_flags != 0);
        let (mut start, mut end) = (bit_offset / 8, (bit_offset + bits).div_ceil(8));
        if needs_checksum && (end - start) % 2 == 1 {
            if start % 2 == 1 { start -= 1 } else { end += 1 }
        }
        let len = u8::try_from(end - start).unwrap_or(u8::MAX);
        let shift = end * 8 - (bit_offset + bits);
        let src = if shift == 0 && start * 8 == bit_offset {
            self.argument(value)?
        } else {
            // the field's new bits: those of it that stay, and those that are added
            let (stay, number) = match &value.kind {
                ValueKind::Const(number) => (0, *number),
                ValueKind::Bits { from, mask, xor } if is_load_of(from, base, bit_offset, bits) => {
                    (*mask, *xor)
                }
                _ => {
                    return self.fail("only constants, and what is computed from the field itself, can be written to a part of a byte or checksum word");
                }
            };
            let slot = self.take(WIDE)?;
            let reg = self.reg(slot)?;
            self.code.push(Instr::PayloadLoad {
                base,
                offset: start,
                len,
                dst: reg,
            });
            let keep = mask(u32::from(len) * 8) & !((mask(bits) & !stay) << shift);
            let (mask, xor) = (
                encode(keep, len, ByteOrder::Network),
                encode(number << shift, len, ByteOrder::Network),
            );
            self.code.push(Instr::Bitwise {
                src: reg,
                dst: reg,
                mask,
                xor,
            });
            reg
        };
        self.code.push(Instr::PayloadWrite {
            base,
            offset: start,
            len,
            src,
            csum,
            csum_offset: u32::from(csum_offset),
            csum_flags,
        });
        Ok(())
    }
}

/// Whether a value is what a payload field holds.
fn is_load_of(value: &Value, base: Base, bit_offset: u32, bits: u32) -> bool {
    let ValueKind::Load(load) = &value.kind else {
        return false;
    };
    matches!(load.as_ref(), Load::Payload { base: from, bit_offset: at, bits: width, .. }
        if (*from, *at, *width) == (base, bit_offset, bits))
}
