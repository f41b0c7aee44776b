//! What the instructions do, one function a family. Both engines call these for all that they do not do in line themselves, so that
//! they cannot differ; [`run`] does any one instruction and is what an engine falls back to.

pub mod alu;
pub mod ct;
pub mod exthdr;
pub mod generate;
pub mod inner;
pub mod meta;
pub mod nat;
pub mod payload;
pub mod set;
pub mod stateful;
pub mod tcp_option;
pub mod world;

pub use crate::engine::Step;

use crate::engine::Env;
use crate::ids::RuleId;
use crate::instr::{ExthdrOp, Instr};
use crate::packet::Packet;
use crate::regs::Regs;

/// Runs one instruction of a rule, whatever it is.
#[expect(clippy::too_many_lines, reason = "one row an instruction")]
pub fn run(
    instr: &Instr,
    rule: RuleId,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    match instr {
        Instr::PayloadLoad {
            base,
            offset,
            len,
            dst,
        } => payload::load(packet, *base, *offset, *len, *dst, regs),
        Instr::PayloadWrite {
            base,
            offset,
            len,
            src,
            csum,
            csum_offset,
            csum_flags,
        } => {
            let write = payload::Write {
                base: *base,
                offset: *offset,
                csum: *csum,
                csum_offset: *csum_offset,
                csum_flags: *csum_flags,
            };
            payload::write(packet, &write, regs.get(*src, usize::from(*len)))
        }
        Instr::MetaLoad { key, dst } => meta::load(packet, *key, *dst, regs, env),
        Instr::MetaSet { key, src } => meta::set(packet, *key, *src, regs),
        Instr::CtLoad {
            key,
            direction,
            dst,
        } => ct::load(packet, *key, *direction, *dst, regs, env),
        Instr::CtSet {
            key,
            direction,
            src,
        } => ct::set(packet, *key, *direction, *src, regs, env),
        Instr::Lookup {
            set,
            src,
            dst,
            inverted,
        } => {
            let ask = set::Lookup {
                set: *set,
                src: *src,
                dst: *dst,
                inverted: *inverted,
            };
            set::lookup(packet, ask, regs, env)
        }
        Instr::LookupVerdict { set, src } => set::lookup_verdict(packet, *set, *src, regs, env),
        Instr::Dynset(dynset) => set::dynset(packet, dynset, regs, env),
        Instr::ObjrefMap { set, src } => set::objref(packet, *set, *src, regs, env),
        Instr::Counter { state } => stateful::count(packet, *state, env),
        Instr::Limit { state }
        | Instr::Quota { state }
        | Instr::Last { state }
        | Instr::Connlimit { state }
        | Instr::Objref { state, .. } => stateful::run(packet, *state, env),
        Instr::ExthdrLoad { .. } | Instr::ExthdrWrite { .. } | Instr::ExthdrReset { .. } => {
            run_option(instr, packet, regs)
        }
        Instr::Immediate { .. }
        | Instr::ImmediateVerdict { .. }
        | Instr::Cmp { .. }
        | Instr::Range { .. }
        | Instr::Bitwise { .. }
        | Instr::BitwiseShift { .. }
        | Instr::BitwiseReg { .. }
        | Instr::Byteorder { .. } => alu::run(instr, regs),
        Instr::Numgen { .. } | Instr::Jhash { .. } | Instr::Symhash { .. } => {
            generate::run(instr, packet, regs, env)
        }
        Instr::Nat(nat) => nat::nat(packet, nat, regs, env),
        Instr::Masq {
            proto_min,
            proto_max,
            flags,
        } => nat::masquerade(packet, (*proto_min, *proto_max), *flags, regs, env),
        Instr::Redir {
            proto_min,
            proto_max,
            flags,
        } => nat::redirect(packet, (*proto_min, *proto_max), *flags, regs, env),
        Instr::Log(_)
        | Instr::Reject(_)
        | Instr::Tproxy { .. }
        | Instr::Notrack
        | Instr::Queue { .. }
        | Instr::Dup { .. }
        | Instr::Fwd { .. }
        | Instr::Synproxy { .. }
        | Instr::FlowOffload { .. }
        | Instr::Fib { .. }
        | Instr::Rt { .. }
        | Instr::Socket { .. }
        | Instr::Osf { .. }
        | Instr::Xfrm { .. }
        | Instr::Tunnel { .. } => world::run(instr, rule, packet, regs, env),
        Instr::Inner {
            kind,
            header_size,
            flags,
            load,
        } => {
            let tunnel = inner::Tunnel {
                kind: *kind,
                header_size: *header_size,
                flags: *flags,
            };
            inner::load(packet, tunnel, load, regs)
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kernel writes TCP options alone; the rest is another family's"
)]
fn run_option(instr: &Instr, packet: &mut Packet, regs: &mut Regs) -> Step {
    match instr {
        Instr::ExthdrLoad {
            op,
            kind,
            offset,
            len,
            present,
            dst,
        } => {
            let place = exthdr::Place {
                kind: *kind,
                offset: *offset,
                len: *len,
            };
            if *present {
                exthdr::present(packet, *op, place, *dst, regs)
            } else {
                exthdr::load(packet, *op, place, *dst, regs)
            }
        }
        Instr::ExthdrWrite {
            op: ExthdrOp::Tcpopt,
            kind,
            offset,
            len,
            src,
        } => {
            let place = exthdr::Place {
                kind: *kind,
                offset: *offset,
                len: *len,
            };
            tcp_option::write(packet, place, regs.get(*src, usize::from(*len)))
        }
        Instr::ExthdrReset {
            op: ExthdrOp::Tcpopt,
            kind,
        } => tcp_option::reset(packet, *kind),
        _ => Step::Break,
    }
}
