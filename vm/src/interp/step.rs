//! Runs the operations of one rule.

use super::decode::{Load, Op, Program, RuleCode};
use crate::Reg;
use crate::engine::Env;
use crate::ops::{self, Step, payload, set};
use crate::packet::{Packet, layout_flags};
use crate::regs::Regs;

/// Runs a rule until an operation breaks it or decides.
#[inline]
pub(super) fn rule(
    program: &Program,
    rule: RuleCode,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    for op in program.ops(rule) {
        let step = match *op {
            Op::Load1(at) => load::<1>(packet, at, regs),
            Op::Load2(at) => load::<2>(packet, at, regs),
            Op::Load4(at) => load::<4>(packet, at, regs),
            Op::Load16(at) => load::<16>(packet, at, regs),
            Op::Word {
                src,
                negated,
                mask,
                value,
            } => Step::when((regs.u32(src) & mask == value) != negated),
            Op::BitwiseWord {
                src,
                dst,
                mask,
                xor,
            } => store(dst, (regs.u32(src) & mask) ^ xor, regs),
            Op::CtState(dst) => store(dst, packet.ct.state, regs),
            Op::L4proto(dst) => {
                if packet.layout.flags & layout_flags::L4PROTO == 0 {
                    Step::Break
                } else {
                    store(dst, u32::from(packet.layout.l4proto), regs)
                }
            }
            Op::Nfproto(dst) => store(dst, u32::from(packet.meta.nfproto), regs),
            Op::Counter(index) => {
                let len = packet.meta.len;
                if let Some(counter) = env.state.counters_mut().get_mut(index as usize) {
                    counter.count(len);
                }
                Step::Next
            }
            Op::Verdict(verdict) => Step::Verdict(verdict),
            Op::Lookup(ask) => set::lookup(packet, ask, regs, env),
            Op::LookupVerdict { set, src } => set::lookup_verdict(packet, set, src, regs, env),
            Op::Other(index) => match program.other(index) {
                Some(instr) => ops::run(instr, rule.id, packet, regs, env),
                None => Step::Break,
            },
        };
        if step != Step::Next {
            return step;
        }
    }
    Step::Next
}

#[inline]
fn store(dst: Reg, value: u32, regs: &mut Regs) -> Step {
    regs.set_u32(dst, value);
    Step::Next
}

/// A load of a width known beforehand, with zeros up to the end of its word.
#[inline]
fn load<const N: usize>(packet: &Packet, at: Load, regs: &mut Regs) -> Step {
    let bytes = payload::locate(&packet.layout, at.base, at.offset, N)
        .and_then(|range| packet.frame.get(range.start..)?.first_chunk::<N>());
    let Some(bytes) = bytes else {
        return Step::Break;
    };
    regs.set(at.dst, bytes);
    Step::Next
}
