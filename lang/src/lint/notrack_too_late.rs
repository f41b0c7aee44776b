//! L045: `notrack` where conntrack has already run.

use redan_vm::family::Hook;
use redan_vm::instr::Instr;

use super::Facts;
use crate::diag::{Code, Diagnostic};

/// Conntrack's own priority (`netfilter_ipv4.h: NF_IP_PRI_CONNTRACK`).
pub(super) const CONNTRACK_PRIORITY: i32 = -200;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain) in facts.chains() {
        let Some(base) = &chain.base else { continue };
        let early = matches!(base.hook, Hook::Prerouting | Hook::Output)
            && base.priority < CONNTRACK_PRIORITY;
        if early || matches!(base.hook, Hook::Ingress) {
            continue;
        }
        for rule in facts.reachable_rules(id) {
            if facts
                .rule(rule)
                .is_some_and(|r| r.code.iter().any(|i| matches!(i, Instr::Notrack)))
            {
                found.push(
                    Diagnostic::new(
                        Code::NotrackTooLate,
                        facts.rule_span(rule),
                        "this `notrack` has no effect: conntrack has seen the packet before",
                    )
                    .related(
                        facts.chain_span(id),
                        format!("runs at {} priority {}", base.hook, base.priority),
                    )
                    .help("put it into a chain of hook prerouting or output with `priority raw`"),
                );
            }
        }
    }
}
