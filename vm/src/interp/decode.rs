//! From instructions to the interpreter's own code: what most rules do has operations of its own, all else is kept as it is.

use crate::ct::CtKey;
use crate::ids::{ChainId, RuleId, SetId};
use crate::instr::{Base, CmpOp, Instr, Verdict};
use crate::meta::MetaKey;
use crate::ops::set::Lookup;
use crate::ruleset::{Policy, Ruleset};
use crate::state::counter_indices;
use crate::{Data, Reg};

/// One decoded operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// Loads 1, 2, 4 or 16 bytes of the packet.
    Load1(Load),
    Load2(Load),
    Load4(Load),
    Load16(Load),
    /// Breaks unless the word under the mask is (or, negated, is not) the value.
    Word {
        src: Reg,
        negated: bool,
        mask: u32,
        value: u32,
    },
    /// `dst = (src & mask) ^ xor` of one word.
    BitwiseWord {
        src: Reg,
        dst: Reg,
        mask: u32,
        xor: u32,
    },
    CtState(Reg),
    L4proto(Reg),
    Nfproto(Reg),
    /// Index into the state's counters.
    Counter(u32),
    Verdict(Verdict),
    Lookup(Lookup),
    LookupVerdict {
        set: SetId,
        src: Reg,
    },
    /// Index of an instruction kept as it is.
    Other(u32),
}

/// Operands of a load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) base: Base,
    pub(super) dst: Reg,
    pub(super) offset: u32,
}

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
    /// Chain by chain, in the order in which they run.
    rules: Vec<RuleCode>,
    chains: Vec<(Span, Policy)>,
}

impl Program {
    pub(super) fn new(ruleset: &Ruleset) -> Self {
        let counters = counter_indices(ruleset);
        let mut program = Self {
            ops: Vec::new(),
            others: Vec::new(),
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
                for instr in &rule.code {
                    program.decode(instr, &counters);
                }
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

    fn decode(&mut self, instr: &Instr, counters: &[Option<u32>]) {
        let op = fast(instr, counters).unwrap_or_else(|| {
            self.others.push(instr.clone());
            Op::Other(number(self.others.len() - 1))
        });
        self.ops.push(op);
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

    pub(super) fn other(&self, index: u32) -> Option<&Instr> {
        self.others.get(index as usize)
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

/// The operation of its own that an instruction has, if any.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other instruction is kept as it is"
)]
fn fast(instr: &Instr, counters: &[Option<u32>]) -> Option<Op> {
    Some(match *instr {
        Instr::PayloadLoad {
            base,
            offset,
            len,
            dst,
        } => {
            let load = Load { base, dst, offset };
            match len {
                1 => Op::Load1(load),
                2 => Op::Load2(load),
                4 => Op::Load4(load),
                16 => Op::Load16(load),
                _ => return None,
            }
        }
        Instr::Cmp {
            op: op @ (CmpOp::Eq | CmpOp::Neq),
            src,
            ref data,
        } => {
            let (mask, value) = word(data)?;
            Op::Word {
                src,
                negated: op == CmpOp::Neq,
                mask,
                value,
            }
        }
        Instr::Bitwise {
            src,
            dst,
            ref mask,
            ref xor,
        } => Op::BitwiseWord {
            src,
            dst,
            mask: word(mask)?.1,
            xor: word(xor)?.1,
        },
        Instr::CtLoad {
            key: CtKey::State,
            dst,
            ..
        } => Op::CtState(dst),
        Instr::MetaLoad {
            key: MetaKey::L4proto,
            dst,
        } => Op::L4proto(dst),
        Instr::MetaLoad {
            key: MetaKey::Nfproto,
            dst,
        } => Op::Nfproto(dst),
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

/// Data of up to four bytes as mask and value of a little-endian word.
fn word(data: &Data) -> Option<(u32, u32)> {
    let mask = match data.len() {
        1 => 0xff,
        2 => 0xffff,
        3 => 0x00ff_ffff,
        4 => u32::MAX,
        _ => return None,
    };
    let [a, b, c, d, ..] = *data.padded();
    Some((mask, u32::from_le_bytes([a, b, c, d]) & mask))
}
