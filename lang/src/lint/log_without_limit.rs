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
    let limited = limited_chains(facts);
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
            if keeps || before.iter().any(is_limit) || limited.contains(&chain_id) {
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

/// Chains that are only entered through rules with a limit.
fn limited_chains(facts: &Facts<'_>) -> BTreeSet<ChainId> {
    let (mut limited, mut open) = (BTreeSet::new(), BTreeSet::new());
    for id in facts.chains().flat_map(|(_, chain)| &chain.rules) {
        let entered = if facts.has_limit(*id) {
            &mut limited
        } else {
            &mut open
        };
        let rule = facts.rule(*id);
        entered.extend(rule.into_iter().flat_map(|rule| facts.targets(rule)));
    }
    &limited - &open
}
