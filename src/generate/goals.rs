//! What a test is to reach, and what a packet has reached.

use std::collections::BTreeSet;

use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ids::ChainId;
use redan_vm::{Ruleset, Step as Ended};

use crate::meet::Goal;
use crate::way::Step;

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
