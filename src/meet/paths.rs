//! The ways to a goal: which rules jump to its chain, from which base chain on, and by which element where a verdict map jumps; and what
//! they ask together.

use redan_vm::Ruleset;
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::Verdict;
use redan_vm::predicate::{self, Pass, Predicate, Row, Test};
use redan_vm::ruleset::ElementData;

use super::unmet::Unmet;
use super::wants::Wants;

/// Most ways to one chain that are looked at.
const WAYS: usize = 24;

/// Longest way, as the kernel's jump stack (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// What is to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Goal {
    /// All of a rule's matches hold.
    Rule(RuleId),
    /// A base chain comes to its end.
    Policy(ChainId),
}

impl Goal {
    /// The chain that it belongs to.
    pub(crate) fn chain(self, ruleset: &Ruleset) -> Option<ChainId> {
        match self {
            Self::Rule(rule) => ruleset.rules.get(rule.index()).map(|rule| rule.chain),
            Self::Policy(chain) => Some(chain),
        }
    }
}

/// A rule that jumps.
#[derive(Clone, Debug)]
struct Jump {
    /// The rule.
    rule: RuleId,
    /// The chain that it goes to.
    to: ChainId,
    /// The element of its verdict map that does.
    row: Option<Row>,
}

/// A base chain and the jumps from it on.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// Where it starts.
    pub(crate) base: ChainId,
    /// The jumps, first to last.
    jumps: Vec<Jump>,
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

    /// The ways to a goal, short ones first.
    pub(crate) fn to(&self, ruleset: &Ruleset, goal: Goal) -> Vec<Path> {
        let mut found = Vec::new();
        let Some(chain) = goal.chain(ruleset) else {
            return found;
        };
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

    /// The rules of a way with the elements by which they jump, and the goal's own.
    fn rules<'a>(
        &'a self,
        path: &'a Path,
        goal: Goal,
    ) -> impl Iterator<Item = (&'a Predicate, Option<&'a Row>)> {
        let own = match goal {
            Goal::Rule(rule) => Some((rule, None)),
            Goal::Policy(_) => None,
        };
        let jumps = path.jumps.iter();
        let rules = jumps.map(|jump| (jump.rule, jump.row.as_ref())).chain(own);
        rules.filter_map(|(rule, row)| Some((self.predicate(rule)?, row)))
    }

    /// How many different packets the sets that are asked on a way give.
    pub(crate) fn elements(&self, ruleset: &Ruleset, path: &Path, goal: Goal) -> usize {
        let size = |test: &Test| match &test.pass {
            Pass::Set {
                set,
                inverted: false,
            } => (ruleset.sets.get(set.index()))
                .map_or(0, |set| predicate::rows(set, &test.subject).len()),
            Pass::Set { .. } | Pass::In(_) | Pass::Masked { .. } => 1,
        };
        let tests = self.rules(path, goal).flat_map(|(predicate, row)| {
            let map = row.is_none().then(|| map_test(predicate)).flatten();
            predicate.tests.iter().cloned().chain(map)
        });
        tests.map(|test| size(&test)).max().unwrap_or(1).max(1)
    }

    /// What the rules on a way ask together. Of each set's elements, number `choice` is taken.
    pub(crate) fn wants(
        &self,
        ruleset: &Ruleset,
        path: &Path,
        goal: Goal,
        choice: usize,
    ) -> Result<Wants, Unmet> {
        let mut wants = Wants::default();
        for (predicate, row) in self.rules(path, goal) {
            for test in &predicate.tests {
                wants.require(ruleset, test, choice)?;
            }
            match (&predicate.map_key, row) {
                (Some(subject), Some(row)) => wants.require_row(subject, row)?,
                _ => {
                    if let Some(test) = map_test(predicate) {
                        wants.require(ruleset, &test, choice)?;
                    }
                }
            }
        }
        Ok(wants)
    }
}

/// The lookup of a rule's verdict map: any of its elements.
fn map_test(predicate: &Predicate) -> Option<Test> {
    Some(Test {
        subject: predicate.map_key.clone()?,
        bits: 128,
        pass: Pass::Set {
            set: predicate.verdict_map?,
            inverted: false,
        },
    })
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
                row: Some(row),
            }),
            _ => None,
        })
        .collect()
}
