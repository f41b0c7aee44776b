//! L012: rules that accept invalid packets before the rule that drops them.

use redan_vm::ct::{CtKey, state};
use redan_vm::instr::Verdict;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{Intervals, Predicate, Subject};

use super::Facts;
use super::port_without_protocol::is_port;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        let Some(at) = chain
            .rules
            .iter()
            .position(|id| facts.predicate(*id).is_some_and(drops_invalid))
        else {
            continue;
        };
        let before = chain.rules.get(..at).unwrap_or(&[]);
        let Some(early) = before
            .iter()
            .find(|id| facts.predicate(**id).is_some_and(accepts_invalid))
        else {
            continue;
        };
        let Some(drop) = chain.rules.get(at) else {
            continue;
        };
        found.push(
            Diagnostic::new(
                Code::AcceptBeforeInvalid,
                facts.rule_span(*early),
                "this rule accepts packets that conntrack calls invalid",
            )
            .related(facts.rule_span(*drop), "they are dropped only here")
            .help("move the rule that drops them above, or add `ct state new` here"),
        );
    }
}

/// `ct state invalid drop`, with nothing else asked.
fn drops_invalid(predicate: &Predicate) -> bool {
    predicate.verdict == Some(Verdict::Drop)
        && predicate.tests.len() == 1
        && predicate.ct(CtKey::State) == Some(&Intervals::one(state::INVALID.into()))
}

fn accepts_invalid(predicate: &Predicate) -> bool {
    let state = predicate.ct(CtKey::State);
    // Whole interfaces and hosts are let through first on purpose; a service is not.
    let is_service = predicate.tests.iter().any(|test| is_port(&test.subject))
        && predicate
            .meta(MetaKey::L4proto)
            .is_none_or(|protocols| protocols.and(&icmp()).is_empty());
    let on_purpose = predicate.tests.iter().any(|test| {
        matches!(
            test.subject,
            Subject::Meta(
                MetaKey::Iif
                    | MetaKey::Iifname
                    | MetaKey::Iiftype
                    | MetaKey::Oif
                    | MetaKey::Oifname
            )
        )
    });
    predicate.verdict == Some(Verdict::Accept)
        && is_service
        && !on_purpose
        && state.is_none_or(|values| values.contains(state::INVALID.into()))
        && !predicate
            .tests
            .iter()
            .any(|test| matches!(test.subject, Subject::Ct(key, _) if key != CtKey::State))
}

/// ICMP and ICMPv6, which have no ports.
fn icmp() -> Intervals {
    Intervals::from_ranges(vec![(1, 1), (58, 58)])
}
