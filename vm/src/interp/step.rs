//! Runs the operations of one rule.

use super::decode::{Program, RuleCode};
use super::op::{Op, Test};
use crate::engine::Env;
use crate::instr::{Base, Verdict};
use crate::ops::{self, Step, payload, set};
use crate::packet::{Packet, layout_flags};
use crate::regs::Regs;

/// Runs a rule until an operation breaks it or decides.
#[expect(
    clippy::inline_always,
    reason = "the loop over rules is twice as fast without a call for each"
)]
#[inline(always)]
pub(super) fn rule(
    program: &Program,
    rule: RuleCode,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    for op in program.ops(rule) {
        let holds = match op {
            Op::Network1(test) => network::<1>(packet, test, regs),
            Op::Network2(test) => network::<2>(packet, test, regs),
            Op::Network3(test) => network::<3>(packet, test, regs),
            Op::Network4(test) => network::<4>(packet, test, regs),
            Op::Transport1(test) => transport::<1>(packet, test, regs),
            Op::Transport2(test) => transport::<2>(packet, test, regs),
            Op::Transport4(test) => transport::<4>(packet, test, regs),
            Op::CtState(test) => loaded(packet.ct.state, test, regs),
            Op::L4proto(test) => {
                packet.layout.flags & layout_flags::L4PROTO != 0
                    && loaded(u32::from(packet.layout.l4proto), test, regs)
            }
            Op::Nfproto(test) => loaded(u32::from(packet.meta.nfproto), test, regs),
            Op::Word(test) => (regs.word(test.slot) & test.and == test.value) != test.negated,
            Op::Name {
                out,
                dst,
                negated,
                name,
            } => {
                let meta = &packet.meta;
                let found = if *out { &meta.oifname } else { &meta.iifname };
                regs.set(*dst, found);
                (u128::from_ne_bytes(*found) == program.name_at(*name)) != *negated
            }
            Op::BitwiseWord {
                src,
                dst,
                mask,
                xor,
            } => {
                regs.set_word(*dst, (regs.word(*src) & mask) ^ xor);
                true
            }
            Op::Counter(index) => {
                let len = packet.meta.len;
                if let Some(counter) = env.state.counters_mut().get_mut(*index as usize) {
                    counter.count(len);
                }
                true
            }
            Op::Verdict(Verdict::Continue) => true,
            Op::Verdict(verdict) => return Step::Verdict(*verdict),
            Op::Lookup(_) | Op::LookupVerdict { .. } | Op::Other(_) | Op::Load { .. } => {
                match other(program, op, rule, packet, regs, env) {
                    Step::Next => true,
                    step @ (Step::Break | Step::Verdict(_) | Step::Final(_)) => return step,
                }
            }
        };
        if !holds {
            return Step::Break;
        }
    }
    Step::Next
}

/// Operations that are worth a call.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller keeps the rest to itself"
)]
#[inline(never)]
fn other(
    program: &Program,
    op: &Op,
    rule: RuleCode,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    match *op {
        Op::Load {
            base,
            offset,
            len,
            dst,
        } => payload::load(packet, base, offset, len, dst, regs),
        Op::Lookup(ask) => set::lookup(packet, ask, regs, env),
        Op::LookupVerdict { set, src } => set::lookup_verdict(packet, set, src, regs, env),
        Op::Other(index) => match program.other(index) {
            Some(instr) => ops::run(instr, rule.id, packet, regs, env),
            None => Step::Break,
        },
        _ => Step::Break,
    }
}

/// Stores what has been loaded and tests it.
#[inline]
fn loaded(word: u32, test: &Test, regs: &mut Regs) -> bool {
    let word = word & test.and;
    regs.set_word(test.slot, word);
    (word == test.value) != test.negated
}

#[inline]
fn network<const N: usize>(packet: &Packet, test: &Test, regs: &mut Regs) -> bool {
    fetch::<N>(packet, Base::Network, test, regs)
}

#[inline]
fn transport<const N: usize>(packet: &Packet, test: &Test, regs: &mut Regs) -> bool {
    fetch::<N>(packet, Base::Transport, test, regs)
}

/// Loads up to four bytes of the packet and tests them.
#[inline]
fn fetch<const N: usize>(packet: &Packet, base: Base, test: &Test, regs: &mut Regs) -> bool {
    let bytes = payload::locate_load(&packet.layout, base, u32::from(test.offset), N)
        .and_then(|range| packet.frame.get(range.start..)?.first_chunk::<N>());
    let Some(bytes) = bytes else {
        return false;
    };
    let mut word = [0; 4];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    loaded(u32::from_le_bytes(word), test, regs)
}
