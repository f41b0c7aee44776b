//! L014: a limit whose excess is accepted too.

use redan_vm::family::{ChainType, Hook};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::{Instr, ObjectKind, Verdict};
use redan_vm::predicate::{Pass, Predicate};
use redan_vm::ruleset::{Policy, StateSpec};

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let hooks = [Hook::Input, Hook::Forward, Hook::Output, Hook::Prerouting];
    for hook in hooks {
        for (id, chain, base) in facts.base_chains(hook) {
            if base.chain_type == ChainType::Filter {
                check_chain(facts, id, &chain.rules, base.policy, found);
            }
        }
    }
}

fn check_chain(
    facts: &Facts<'_>,
    chain: ChainId,
    rules: &[RuleId],
    policy: Policy,
    found: &mut Vec<Diagnostic>,
) {
    for (at, id) in rules.iter().enumerate() {
        let Some(predicate) = facts.predicate(*id) else {
            continue;
        };
        if predicate.verdict != Some(Verdict::Accept) || !has_upper_limit(facts, *id) {
            continue;
        }
        let span = facts.rule_span(*id);
        let finding = |label| {
            Diagnostic::new(
                Code::LimitFallthrough,
                span,
                "this limit has no effect: what exceeds it is accepted too",
            )
            .related(label, "here")
        };
        match excess(facts, predicate, rules.get(at + 1..).unwrap_or_default(), policy) {
            Excess::Refused => {}
            Excess::AcceptedBy(rule) => found.push(
                finding(facts.rule_span(rule)).help("put a rule that drops the same packets between both"),
            ),
            Excess::AcceptedByPolicy => found.push(
                finding(facts.chain_span(chain))
                    .help("put a rule that drops the same packets behind it, or end the chain's first line with `policy drop;`"),
            ),
        }
    }
}

/// What becomes of the packets that a limit does not let on.
enum Excess {
    /// They may be refused.
    Refused,
    AcceptedBy(RuleId),
    AcceptedByPolicy,
}

fn excess(facts: &Facts<'_>, limited: &Predicate, behind: &[RuleId], policy: Policy) -> Excess {
    for id in behind {
        let Some(predicate) = facts.predicate(*id) else {
            return Excess::Refused;
        };
        if !may_meet(limited, predicate) {
            continue;
        }
        if may_refuse(facts, *id, predicate) {
            return Excess::Refused;
        }
        let accepts = predicate.verdict == Some(Verdict::Accept) && predicate.is_exact;
        if accepts && limited.is_within(predicate) {
            return Excess::AcceptedBy(*id);
        }
    }
    match policy {
        Policy::Accept => Excess::AcceptedByPolicy,
        Policy::Drop => Excess::Refused,
    }
}

/// Whether a rule, or a chain that it leads to, refuses packets or hands them on.
fn may_refuse(facts: &Facts<'_>, id: RuleId, predicate: &Predicate) -> bool {
    let refuses = |id: RuleId| {
        facts.rejects(id)
            || facts
                .predicate(id)
                .is_some_and(|p| p.verdict == Some(Verdict::Drop))
            || facts.rule(id).is_some_and(|rule| {
                let gives_up =
                    |i: &Instr| matches!(i, Instr::Queue { .. } | Instr::Synproxy { .. });
                rule.code.iter().any(gives_up)
            })
    };
    let map = predicate.verdict_map.into_iter();
    let by_map = map
        .flat_map(|set| facts.verdicts(set))
        .any(|v| v == Verdict::Drop);
    let Some(rule) = facts.rule(id) else {
        return true;
    };
    let mut behind = facts.targets(rule).into_iter();
    refuses(id) || by_map || behind.any(|chain| facts.reachable_rules(chain).any(refuses))
}

/// Whether some packet may pass the tests of both.
fn may_meet(a: &Predicate, b: &Predicate) -> bool {
    a.tests.iter().all(|test| {
        let other = b.test(&test.subject).map(|other| &other.pass);
        match (&test.pass, other) {
            (Pass::In(left), Some(Pass::In(right))) => !left.and(right).is_empty(),
            _ => true,
        }
    })
}

/// Whether a rule lets packets on up to a limit alone.
fn has_upper_limit(facts: &Facts<'_>, id: RuleId) -> bool {
    let upper = |spec: &StateSpec| match spec {
        StateSpec::Limit(limit) => !limit.over,
        StateSpec::Quota { over, .. } | StateSpec::Connlimit { over, .. } => !over,
        _ => false,
    };
    facts.rule(id).is_some_and(|rule| {
        rule.code.iter().any(|instr| match instr {
            Instr::Limit { state }
            | Instr::Quota { state }
            | Instr::Connlimit { state }
            | Instr::Objref {
                kind: ObjectKind::Limit | ObjectKind::Quota,
                state,
            } => facts.ruleset.states.get(state.index()).is_some_and(upper),
            Instr::Dynset(dynset) => {
                let declared = facts.ruleset.sets.get(dynset.set.index());
                let declared = declared.map_or(&[][..], |set| &set.exprs);
                dynset.exprs.iter().chain(declared).any(upper)
            }
            _ => false,
        })
    })
}
