//! L013: a log that anybody can flood.

use redan_vm::instr::Instr;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (chain_id, chain) in facts.chains() {
        let drops = facts.chains().any(|(id, c)| {
            c.base
                .as_ref()
                .is_some_and(|b| facts.drops_by_default(c, b))
                && facts.reachable(id).contains(&chain_id)
        });
        if !drops {
            continue;
        }
        for id in &chain.rules {
            let Some(rule) = facts.rule(*id) else {
                continue;
            };
            let logs = rule.code.iter().any(|i| matches!(i, Instr::Log(_)));
            let keeps = facts
                .predicate(*id)
                .is_some_and(|p| p.verdict == Some(redan_vm::Verdict::Accept));
            if logs && !keeps && !facts.has_limit(*id) && !is_entered_through_limit(facts, chain_id)
            {
                found.push(
                    Diagnostic::new(
                        Code::LogWithoutLimit,
                        facts.rule_span(*id),
                        "this rule writes a log line for every packet that is turned away",
                    )
                    .help("put `limit rate 10/minute` before `log`"),
                );
            }
        }
    }
}

/// Whether every jump into a chain is limited already.
fn is_entered_through_limit(facts: &Facts<'_>, chain: redan_vm::ids::ChainId) -> bool {
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
