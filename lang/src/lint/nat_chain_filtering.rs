//! L044: packets dropped in a chain of type nat, which sees few of them.

use redan_vm::family::ChainType;
use redan_vm::instr::Verdict;
use redan_vm::ruleset::Policy;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    const HELP: &str = "drop in a chain of type filter";
    for (id, chain) in facts.chains() {
        let Some(base) = chain
            .base
            .as_ref()
            .filter(|base| base.chain_type == ChainType::Nat)
        else {
            continue;
        };
        if base.policy == Policy::Drop {
            found.push(
                Diagnostic::new(
                    Code::NatChainFiltering,
                    facts.chain_span(id),
                    format!("chain `{}` drops by policy, but sees only the first packet of each connection", chain.name),
                )
                .help(HELP),
            );
        }
        for rule in facts.reachable_rules(id) {
            if facts
                .predicate(rule)
                .is_some_and(|p| p.verdict == Some(Verdict::Drop))
            {
                found.push(
                    Diagnostic::new(
                        Code::NatChainFiltering,
                        facts.rule_span(rule),
                        "this rule drops in a chain of type nat, which sees only the first packet of each connection",
                    )
                    .related(facts.chain_span(id), "the chain")
                    .help(HELP),
                );
            }
        }
    }
}
