//! From instructions to the interpreter's own code: what most rules do has operations of its own, all else is kept as it is.

use super::op::{Op, Test};
use crate::ct::CtKey;
use crate::ids::{ChainId, RuleId};
use crate::instr::{Base, CmpOp, Instr};
use crate::meta::MetaKey;
use crate::ops::set::Lookup;
use crate::regs::Slot;
use crate::ruleset::{Policy, Ruleset};
use crate::state::counter_indices;
use crate::{Data, Reg};

/// A piece of a vector.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    at: u32,
    end: u32,
}

/// A rule's operations.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleCode {
    pub(super) id: RuleId,
    code: Span,
}

/// A decoded ruleset.
#[derive(Clone, Debug)]
pub(super) struct Program {
    ops: Vec<Op>,
    others: Vec<Instr>,
    /// What [`Op::Name`] compares with.
    names: Vec<u128>,
    /// Chain by chain, in the order in which they run.
    rules: Vec<RuleCode>,
    chains: Vec<(Span, Policy)>,
}

impl Program {
    pub(super) fn new(ruleset: &Ruleset) -> Self {
        let counters = counter_indices(ruleset);
        Self::with(ruleset, |program, code| program.decode(code, &counters))
    }

    /// A program of [`Op::Other`] alone, one operation an instruction.
    pub(super) fn plain(ruleset: &Ruleset) -> Self {
        Self::with(ruleset, |program, code| {
            for instr in code {
                program.keep(instr);
            }
        })
    }

    fn with(ruleset: &Ruleset, decode: impl Fn(&mut Self, &[Instr])) -> Self {
        let mut program = Self {
            ops: Vec::new(),
            others: Vec::new(),
            names: Vec::new(),
            rules: Vec::with_capacity(ruleset.rules.len()),
            chains: Vec::with_capacity(ruleset.chains.len()),
        };
        for chain in &ruleset.chains {
            let start = program.rules.len();
            for id in &chain.rules {
                let Some(rule) = ruleset.rules.get(id.index()) else {
                    continue;
                };
                let first = program.ops.len();
                decode(&mut program, &rule.code);
                let code = span(first, program.ops.len());
                program.rules.push(RuleCode { id: *id, code });
            }
            let policy = chain
                .base
                .as_ref()
                .map_or(Policy::Accept, |base| base.policy);
            program
                .chains
                .push((span(start, program.rules.len()), policy));
        }
        program
    }

    fn decode(&mut self, mut code: &[Instr], counters: &[Option<u32>]) {
        while let Some((first, rest)) = code.split_first() {
            if let Some((op, used)) = fused(code) {
                self.ops.push(op);
                code = code.get(used..).unwrap_or(&[]);
                continue;
            }
            if let Some(op) = self.name(code) {
                self.ops.push(op);
                code = code.get(2..).unwrap_or(&[]);
                continue;
            }
            match single(first, counters) {
                Some(op) => self.ops.push(op),
                None => self.keep(first),
            }
            code = rest;
        }
    }

    /// An instruction as it is.
    fn keep(&mut self, instr: &Instr) {
        self.others.push(instr.clone());
        self.ops.push(Op::Other(number(self.others.len() - 1)));
    }

    /// A comparison of a whole interface name.
    fn name(&mut self, code: &[Instr]) -> Option<Op> {
        let [
            Instr::MetaLoad {
                key: key @ (MetaKey::Iifname | MetaKey::Oifname),
                dst,
            },
            Instr::Cmp { op, src, data },
            ..,
        ] = code
        else {
            return None;
        };
        if src != dst || data.len() != 16 {
            return None;
        }
        let negated = negated(*op)?;
        self.names.push(u128::from_ne_bytes(*data.padded()));
        Some(Op::Name {
            out: *key == MetaKey::Oifname,
            dst: *dst,
            negated,
            name: number(self.names.len() - 1),
        })
    }

    /// The rules of a chain.
    pub(super) fn chain(&self, chain: ChainId) -> Span {
        self.chains
            .get(chain.index())
            .map_or_else(Span::default, |(rules, _)| *rules)
    }

    pub(super) fn policy(&self, chain: ChainId) -> Policy {
        self.chains
            .get(chain.index())
            .map_or(Policy::Accept, |(_, policy)| *policy)
    }

    /// The next rule of a chain; `None` at its end.
    #[inline]
    pub(super) fn next_rule(&self, chain: &mut Span) -> Option<RuleCode> {
        if chain.at == chain.end {
            return None;
        }
        let rule = self.rules.get(chain.at as usize).copied();
        chain.at += 1;
        rule
    }

    #[inline]
    pub(super) fn ops(&self, rule: RuleCode) -> &[Op] {
        self.ops
            .get(rule.code.at as usize..rule.code.end as usize)
            .unwrap_or(&[])
    }

    /// The instructions of a rule that are kept as they are.
    pub(super) fn instrs(&self, rule: RuleCode) -> impl Iterator<Item = &Instr> {
        self.ops(rule).iter().filter_map(|op| {
            let Op::Other(index) = op else { return None };
            self.other(*index)
        })
    }

    pub(super) fn other(&self, index: u32) -> Option<&Instr> {
        self.others.get(index as usize)
    }

    #[inline]
    pub(super) fn name_at(&self, index: u32) -> u128 {
        self.names.get(index as usize).copied().unwrap_or(0)
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn span(at: usize, end: usize) -> Span {
    Span {
        at: number(at),
        end: number(end),
    }
}

/// Whether a comparison for (in)equality is negated; `None` for the others.
const fn negated(op: CmpOp) -> Option<bool> {
    match op {
        CmpOp::Eq => Some(false),
        CmpOp::Neq => Some(true),
        CmpOp::Lt | CmpOp::Lte | CmpOp::Gt | CmpOp::Gte => None,
    }
}

/// A load, perhaps a mask, and a comparison of one word as one operation, with the number of instructions that it stands for.
fn fused(code: &[Instr]) -> Option<(Op, usize)> {
    let (load, rest) = code.split_first()?;
    let (dst, len) = loaded(load)?;
    let all = width_mask(len)?;
    let (and, rest) = match rest {
        [
            Instr::Bitwise {
                src,
                dst: to,
                mask,
                xor,
            },
            rest @ ..,
        ] if *src == dst && *to == dst && mask.len() == len && word(xor)? == 0 => {
            (word(mask)?, rest)
        }
        _ => (all, rest),
    };
    let [Instr::Cmp { op, src, data }, rest @ ..] = rest else {
        return None;
    };
    if *src != dst || data.len() != len {
        return None;
    }
    let test = Test {
        slot: Slot::of(dst),
        negated: negated(*op)?,
        offset: offset(load)?,
        and,
        value: word(data)?,
    };
    Some((test_op(load, test)?, code.len() - rest.len()))
}

/// Where and how much a load that can be part of a fused operation loads.
#[expect(clippy::wildcard_enum_match_arm, reason = "few loads are fused")]
const fn loaded(load: &Instr) -> Option<(Reg, u8)> {
    match *load {
        Instr::PayloadLoad { len, dst, .. } => Some((dst, len)),
        Instr::CtLoad {
            key: CtKey::State,
            dst,
            ..
        } => Some((dst, 4)),
        Instr::MetaLoad {
            key: MetaKey::L4proto | MetaKey::Nfproto,
            dst,
        } => Some((dst, 1)),
        _ => None,
    }
}

fn offset(load: &Instr) -> Option<u16> {
    if let Instr::PayloadLoad { offset, .. } = load {
        u16::try_from(*offset).ok()
    } else {
        Some(0)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "few loads are fused")]
fn test_op(load: &Instr, test: Test) -> Option<Op> {
    Some(match *load {
        Instr::PayloadLoad { base, len, .. } => match (base, len) {
            (Base::Network, 1) => Op::Network1(test),
            (Base::Network, 2) => Op::Network2(test),
            (Base::Network, 3) => Op::Network3(test),
            (Base::Network, 4) => Op::Network4(test),
            (Base::Transport, 1) => Op::Transport1(test),
            (Base::Transport, 2) => Op::Transport2(test),
            (Base::Transport, 4) => Op::Transport4(test),
            _ => return None,
        },
        Instr::CtLoad { .. } => Op::CtState(test),
        Instr::MetaLoad {
            key: MetaKey::Nfproto,
            ..
        } => Op::Nfproto(test),
        Instr::MetaLoad { .. } => Op::L4proto(test),
        _ => return None,
    })
}

/// The operation of its own that an instruction has, if any.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other instruction is kept as it is"
)]
fn single(instr: &Instr, counters: &[Option<u32>]) -> Option<Op> {
    Some(match *instr {
        Instr::PayloadLoad {
            base,
            offset,
            len,
            dst,
        } => Op::Load {
            base,
            offset,
            len,
            dst,
        },
        Instr::Cmp { op, src, ref data } => Op::Word(Test {
            slot: Slot::of(src),
            negated: negated(op)?,
            offset: 0,
            and: width_mask(data.len())?,
            value: word(data)?,
        }),
        Instr::Bitwise {
            src,
            dst,
            ref mask,
            ref xor,
        } => Op::BitwiseWord {
            src: Slot::of(src),
            dst: Slot::of(dst),
            mask: word(mask)?,
            xor: word(xor)?,
        },
        Instr::Counter { state } => Op::Counter((*counters.get(state.index())?)?),
        Instr::ImmediateVerdict { verdict } => Op::Verdict(verdict),
        Instr::Lookup {
            set,
            src,
            dst,
            inverted,
        } => Op::Lookup(Lookup {
            set,
            src,
            dst,
            inverted,
        }),
        Instr::LookupVerdict { set, src } => Op::LookupVerdict { set, src },
        _ => return None,
    })
}

/// The bits of a word that this many bytes fill.
const fn width_mask(len: u8) -> Option<u32> {
    match len {
        1 => Some(0xff),
        2 => Some(0xffff),
        3 => Some(0x00ff_ffff),
        4 => Some(u32::MAX),
        _ => None,
    }
}

/// Data of up to four bytes as a little-endian word.
fn word(data: &Data) -> Option<u32> {
    let [a, b, c, d, ..] = *data.padded();
    Some(u32::from_le_bytes([a, b, c, d]) & width_mask(data.len())?)
}
