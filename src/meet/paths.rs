//! The ways to a chain: which rules jump to it, from which base chain on, and by which element where a verdict map jumps.

use redan_vm::Ruleset;
use redan_vm::ids::{ChainId, RuleId, SetId};
use redan_vm::instr::Verdict;
use redan_vm::predicate::{self, Predicate, Row};
use redan_vm::ruleset::ElementData;

/// Most ways to one chain that are looked at.
const WAYS: usize = 24;

/// Longest way, as the kernel's jump stack (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// A rule that jumps.
#[derive(Clone, Debug)]
pub(super) struct Jump {
    /// The rule.
    pub(super) rule: RuleId,
    /// The chain that it goes to.
    pub(super) to: ChainId,
    /// The element of its verdict map that does.
    pub(super) row: Option<(SetId, Row)>,
}

/// A base chain and the jumps from it on.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// Where it starts.
    pub(super) base: ChainId,
    /// The jumps, first to last.
    pub(super) jumps: Vec<Jump>,
}

/// What every rule asks, and every jump.
pub(crate) struct Map {
    /// By rule.
    predicates: Vec<Predicate>,
    jumps: Vec<Jump>,
}

impl Map {
    /// Reads a ruleset.
    pub(crate) fn new(ruleset: &Ruleset) -> Self {
        let ids = (0..).map(RuleId).zip(&ruleset.rules).map(|(id, _)| id);
        let predicates: Vec<Predicate> = ids.map(|id| predicate::read(ruleset, id)).collect();
        let mut jumps = Vec::new();
        for (rule, predicate) in (0..).map(RuleId).zip(&predicates) {
            if let Some(to) = predicate.verdict.and_then(target) {
                jumps.push(Jump {
                    rule,
                    to,
                    row: None,
                });
            }
            jumps.extend(from_map(ruleset, rule, predicate));
        }
        Self { predicates, jumps }
    }

    /// What a rule asks.
    pub(crate) fn predicate(&self, rule: RuleId) -> Option<&Predicate> {
        self.predicates.get(rule.index())
    }

    /// The chains that a base chain leads to, itself included.
    pub(crate) fn from(&self, ruleset: &Ruleset, base: ChainId) -> Vec<ChainId> {
        let mut found = vec![base];
        let mut at = 0;
        while let Some(chain) = found.get(at).copied() {
            at += 1;
            let leaves = |jump: &&Jump| {
                ruleset
                    .rules
                    .get(jump.rule.index())
                    .is_some_and(|rule| rule.chain == chain)
            };
            for jump in self.jumps.iter().filter(leaves) {
                if !found.contains(&jump.to) {
                    found.push(jump.to);
                }
            }
        }
        found
    }

    /// The ways to a chain, short ones first.
    pub(super) fn to(&self, ruleset: &Ruleset, chain: ChainId) -> Vec<Path> {
        let mut found = Vec::new();
        let mut open = std::collections::VecDeque::from([(chain, Vec::<Jump>::new())]);
        while let Some((at, jumps)) = open.pop_front() {
            if found.len() >= WAYS || open.len() > 16 * WAYS {
                break;
            }
            if ruleset
                .chains
                .get(at.index())
                .is_some_and(|chain| chain.base.is_some())
            {
                found.push(Path {
                    base: at,
                    jumps: jumps.iter().rev().cloned().collect(),
                });
            } else if jumps.len() < DEPTH {
                for jump in self.jumps.iter().filter(|jump| jump.to == at) {
                    let from = ruleset.rules.get(jump.rule.index()).map(|rule| rule.chain);
                    if let Some(from) = from {
                        let mut longer = jumps.clone();
                        longer.push(jump.clone());
                        open.push_back((from, longer));
                    }
                }
            }
        }
        found
    }
}

/// Where a verdict goes.
const fn target(verdict: Verdict) -> Option<ChainId> {
    match verdict {
        Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
        Verdict::Accept | Verdict::Drop | Verdict::Continue | Verdict::Return => None,
    }
}

/// The elements of a rule's verdict map that jump.
fn from_map(ruleset: &Ruleset, rule: RuleId, predicate: &Predicate) -> Vec<Jump> {
    let (Some(id), Some(subject)) = (predicate.verdict_map, &predicate.map_key) else {
        return Vec::new();
    };
    let Some(set) = ruleset.sets.get(id.index()) else {
        return Vec::new();
    };
    predicate::rows(set, subject)
        .into_iter()
        .filter_map(|row| match &row.data {
            Some(ElementData::Verdict(verdict)) => Some(Jump {
                rule,
                to: target(*verdict)?,
                row: Some((id, row)),
            }),
            _ => None,
        })
        .collect()
}
