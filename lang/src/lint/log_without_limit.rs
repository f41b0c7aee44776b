//! L013: a log that anybody can flood.

use std::collections::BTreeSet;

use redan_vm::ids::ChainId;
use redan_vm::instr::Instr;

use super::{Facts, is_limit};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let dropping: BTreeSet<ChainId> = facts
        .chains()
        .filter(|(_, c)| {
            c.base
                .as_ref()
                .is_some_and(|b| facts.drops_by_default(c, b))
        })
        .flat_map(|(id, _)| facts.reachable(id))
        .collect();
    for (chain_id, chain) in facts.chains() {
        if !dropping.contains(&chain_id) {
            continue;
        }
        for id in &chain.rules {
            let Some(rule) = facts.rule(*id) else {
                continue;
            };
            let Some(log) = rule.code.iter().position(|i| matches!(i, Instr::Log(_))) else {
                continue;
            };
            let keeps = facts
                .predicate(*id)
                .is_some_and(|p| p.verdict == Some(redan_vm::Verdict::Accept));
            let before = rule.code.get(..log).unwrap_or(&[]);
            if keeps || before.iter().any(is_limit) || is_entered_through_limit(facts, chain_id) {
                continue;
            }
            let finding = Diagnostic::new(
                Code::LogWithoutLimit,
                facts.rule_span(*id),
                "this rule writes a log line for every packet that it matches",
            );
            found.push(if facts.has_limit(*id) {
                finding.help("statements run in order: put the limit before `log`")
            } else {
                finding.help("put `limit rate 10/minute` before `log`")
            });
        }
    }
}

/// Whether every jump into a chain is limited already.
fn is_entered_through_limit(facts: &Facts<'_>, chain: ChainId) -> bool {
    let mut jumps = facts
        .chains()
        .flat_map(|(_, c)| &c.rules)
        .filter(|id| {
            facts
                .rule(**id)
                .is_some_and(|rule| facts.targets(rule).contains(&chain))
        })
        .peekable();
    jumps.peek().is_some() && jumps.all(|id| facts.has_limit(*id))
}
