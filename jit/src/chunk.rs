//! Cutting chains into functions. Compile time grows faster than a function does, so a long chain becomes several, each of which ends in
//! a tail call of the next.

use redan_vm::ids::RuleId;
use redan_vm::{Instr, Ruleset};

/// Most instructions in a function, unless a single rule has more: some 200 blocks.
const MOST_INSTRUCTIONS: usize = 256;

/// Consecutive rules of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The rules, in the order in which they run.
    pub(crate) rules: Vec<RuleId>,
    /// The function that goes on behind them; `None` at the chain's end.
    pub(crate) next: Option<u32>,
}

/// The functions of a ruleset: chain `n`'s first is number `n`, what follows is behind all chains.
pub(crate) fn cut(ruleset: &Ruleset) -> Vec<Chunk> {
    let mut heads = Vec::with_capacity(ruleset.chains.len());
    let mut tails: Vec<Chunk> = Vec::new();
    for chain in &ruleset.chains {
        // Rules of deleted chains do not run, and nobody has verified them.
        let rules = if chain.deleted {
            &[]
        } else {
            chain.rules.as_slice()
        };
        let mut pieces = split(ruleset, rules).into_iter().peekable();
        let mut head = true;
        while let Some(rules) = pieces.next() {
            let behind = ruleset.chains.len() + tails.len() + usize::from(!head);
            let next = pieces.peek().and_then(|_| u32::try_from(behind).ok());
            let chunk = Chunk { rules, next };
            if head {
                heads.push(chunk);
            } else {
                tails.push(chunk);
            }
            head = false;
        }
    }
    heads.append(&mut tails);
    heads
}

/// Runs of rules of at most [`MOST_INSTRUCTIONS`]; one empty run for no rules.
fn split(ruleset: &Ruleset, rules: &[RuleId]) -> Vec<Vec<RuleId>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut room = MOST_INSTRUCTIONS;
    for &rule in rules {
        let code = ruleset.rules.get(rule.index()).map(|r| r.code.as_slice());
        let len = code.unwrap_or(&[]).iter().map(weight).sum::<usize>();
        if len > room && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            room = MOST_INSTRUCTIONS;
        }
        room = room.saturating_sub(len);
        piece.push(rule);
    }
    pieces.push(piece);
    pieces
}

/// How much code an instruction makes, in simple instructions.
fn weight(instr: &Instr) -> usize {
    if matches!(instr, Instr::LookupVerdict { .. }) {
        3
    } else {
        1
    }
}
