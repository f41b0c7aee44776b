//! L046: `ct state` asked before conntrack has run.

use redan_vm::ct::CtKey;
use redan_vm::family::Hook;
use redan_vm::instr::Instr;

use super::Facts;
use super::notrack_too_late::CONNTRACK_PRIORITY;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for hook in [Hook::Prerouting, Hook::Output] {
        for (id, _, base) in facts
            .base_chains(hook)
            .filter(|(_, _, base)| base.priority < CONNTRACK_PRIORITY)
        {
            for rule in facts.reachable_rules(id) {
                if facts.rule(rule).is_some_and(|r| {
                    r.code.iter().any(|i| {
                        matches!(
                            i,
                            Instr::CtLoad {
                                key: CtKey::State,
                                ..
                            }
                        )
                    })
                }) {
                    found.push(
                        Diagnostic::new(Code::CtInRaw, facts.rule_span(rule), "every packet is `invalid` here: conntrack has not run yet")
                            .related(facts.chain_span(id), format!("priority {} comes before conntrack's, which is {CONNTRACK_PRIORITY}", base.priority))
                            .help("ask for `ct state` at priority mangle (-150) or later"),
                    );
                }
            }
        }
    }
}
