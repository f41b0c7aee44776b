//! L040: rules that allow services in a chain that allows everything.

use redan_vm::family::{ChainType, Hook};
use redan_vm::instr::{Instr, Verdict};
use redan_vm::ruleset::Policy;

use super::Facts;
use super::port_without_protocol::is_port;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain, base) in facts.base_chains(Hook::Input) {
        if base.policy != Policy::Accept || base.chain_type != ChainType::Filter {
            continue;
        }
        let rules = || facts.reachable_rules(id);
        // Whatever may refuse, mark or count shows that the chain is there for more than an allow list.
        let does_more = rules().any(|rule| {
            facts.rejects(rule)
                || facts.has_limit(rule)
                || facts.predicate(rule).is_some_and(|p| {
                    p.verdict == Some(Verdict::Drop)
                        || p.verdict_map.is_some()
                        || p.verdict.is_none()
                })
                || facts.rule(rule).is_some_and(|rule| {
                    rule.code.iter().any(|i| {
                        matches!(
                            i,
                            Instr::Queue { .. }
                                | Instr::MetaSet { .. }
                                | Instr::CtSet { .. }
                                | Instr::Log(_)
                        )
                    })
                })
        });
        // The chain's own rules: what other programs put into chains of theirs (libvirt, docker) is no list of its author.
        let allows = chain.rules.iter().find(|rule| {
            facts.predicate(**rule).is_some_and(|p| {
                p.verdict == Some(Verdict::Accept) && p.tests.iter().any(|t| is_port(&t.subject))
            })
        });
        if let (false, Some(rule)) = (does_more, allows) {
            found.push(
                Diagnostic::new(
                    Code::PolicyAcceptWithAllowList,
                    facts.chain_span(id),
                    format!(
                        "chain `{}` accepts everything, also what none of its rules allows",
                        chain.name
                    ),
                )
                .related(facts.rule_span(*rule), "this makes no difference")
                .help("end the first line with `policy drop;`"),
            );
        }
    }
}
