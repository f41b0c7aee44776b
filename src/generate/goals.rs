//! What a test is to reach: rules and policies, and the ways to them from their base chains.

use std::collections::BTreeSet;

use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::{Instr, Verdict};
use redan_vm::ruleset::ElementData;
use redan_vm::{Ruleset, Step as Ended};

use crate::way::Step;

/// Most ways to one chain that are tried.
const WAYS: usize = 6;

/// Something to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Goal {
    /// All of a rule holds.
    Rule(RuleId),
    /// A base chain's policy decides.
    Policy(ChainId),
}

/// A way from a base chain: the rules that jump, each with the chain that it jumps into.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) base: ChainId,
    pub(super) jumps: Vec<(RuleId, ChainId)>,
}

/// Every goal, in the order in which the file has them.
pub(super) fn all(ruleset: &Ruleset) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (index, chain) in ruleset.chains.iter().enumerate() {
        if chain.deleted {
            continue;
        }
        goals.extend(chain.rules.iter().map(|rule| Goal::Rule(*rule)));
        let decides = chain
            .base
            .as_ref()
            .is_some_and(|base| base.chain_type == ChainType::Filter);
        if decides {
            goals.push(Goal::Policy(ChainId(u32::try_from(index).unwrap_or(0))));
        }
    }
    goals
}

impl Goal {
    /// The chain that it belongs to.
    pub(super) fn chain(self, ruleset: &Ruleset) -> ChainId {
        match self {
            Self::Rule(rule) => {
                (ruleset.rules.get(rule.index())).map_or(ChainId(0), |rule| rule.chain)
            }
            Self::Policy(chain) => chain,
        }
    }
}

/// The ways to a chain.
pub(super) fn paths(ruleset: &Ruleset, chain: ChainId) -> Vec<Path> {
    let mut found = Vec::new();
    walk(ruleset, chain, &mut Vec::new(), &mut found);
    found
}

fn walk(
    ruleset: &Ruleset,
    chain: ChainId,
    behind: &mut Vec<(RuleId, ChainId)>,
    found: &mut Vec<Path>,
) {
    if found.len() >= WAYS || behind.len() > redan_vm::JUMP_DEPTH {
        return;
    }
    if ruleset
        .chains
        .get(chain.index())
        .is_some_and(|chain| chain.base.is_some())
    {
        found.push(Path {
            base: chain,
            jumps: behind.iter().rev().copied().collect(),
        });
    }
    for (from, rule) in jumps_into(ruleset, chain) {
        behind.push((rule, chain));
        walk(ruleset, from, behind, found);
        behind.pop();
    }
}

/// The rules that lead into a chain, with the chains that they stand in.
fn jumps_into(ruleset: &Ruleset, chain: ChainId) -> Vec<(ChainId, RuleId)> {
    let leads = |verdict: &Verdict| matches!(verdict, Verdict::Jump(to) | Verdict::Goto(to) if *to == chain);
    let jumps = |instr: &Instr| {
        if let Instr::LookupVerdict { set, .. } = instr
            && let Some(set) = ruleset.sets.get(set.index())
        {
            let mut data = set.elements.data.iter();
            return data
                .any(|data| matches!(data, ElementData::Verdict(verdict) if leads(verdict)));
        }
        matches!(instr, Instr::ImmediateVerdict { verdict } if leads(verdict))
    };
    let mut found = Vec::new();
    for other in ruleset.chains.iter().filter(|other| !other.deleted) {
        for id in &other.rules {
            let rule = ruleset.rules.get(id.index());
            if let Some(rule) = rule.filter(|rule| rule.code.iter().any(jumps)) {
                found.push((rule.chain, *id));
            }
        }
    }
    found
}

/// A base chain's family and hook.
pub(super) fn place(ruleset: &Ruleset, chain: ChainId) -> Option<(Family, Hook)> {
    let chain = ruleset.chains.get(chain.index())?;
    let table = ruleset.tables.get(chain.table.index())?;
    (!table.dormant).then_some((table.family, chain.base.as_ref()?.hook))
}

/// What a packet reached on its own way, not on that of an answer to it.
pub(super) fn reached(steps: &[Step]) -> BTreeSet<Goal> {
    let mut reached = BTreeSet::new();
    let mut answers = 0_usize;
    for step in steps {
        match step {
            Step::Answer(_) => answers += 1,
            Step::Answered => answers = answers.saturating_sub(1),
            Step::Rule(visit) if answers == 0 && visit.step != Ended::Break => {
                reached.insert(Goal::Rule(visit.rule));
            }
            Step::Ended(chain, outcome) if answers == 0 && outcome.rule.is_none() => {
                reached.insert(Goal::Policy(*chain));
            }
            Step::Rule(_)
            | Step::Ended(..)
            | Step::Hook(..)
            | Step::Tracked(_)
            | Step::Chain(_)
            | Step::Route(..)
            | Step::Forward { .. }
            | Step::Leaves(_)
            | Step::Log(_) => {}
        }
    }
    reached
}
