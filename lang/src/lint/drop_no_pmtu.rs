//! L010: an input or forward chain that drops the messages that say a packet was too big.

use redan_vm::ct::{CtKey, state};
use redan_vm::family::{Family, Hook, nfproto};
use redan_vm::ids::ChainId;
use redan_vm::instr::Verdict;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{Intervals, Subject};
use redan_vm::ruleset::Chain;

use super::packet::Sample;
use super::{Facts, packet};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for hook in [Hook::Input, Hook::Forward] {
        for (id, chain, base) in facts.base_chains(hook) {
            if facts.drops_by_default(chain, base) {
                check_chain(facts, id, chain, hook, found);
            }
        }
    }
}

fn check_chain(
    facts: &Facts<'_>,
    id: ChainId,
    chain: &Chain,
    hook: Hook,
    found: &mut Vec<Diagnostic>,
) {
    let families: &[u8] = match facts.family(chain) {
        Some(Family::Ip) => &[nfproto::IPV4],
        Some(Family::Ip6) => &[nfproto::IPV6],
        Some(Family::Inet) => &[nfproto::IPV4, nfproto::IPV6],
        Some(Family::Arp | Family::Bridge | Family::Netdev) | None => &[],
    };
    let error = |family| match hook {
        Hook::Forward => too_big(family).not_by(&open_interfaces(facts, id, family)),
        _ => too_big(family),
    };
    // Where answers are lost anyhow, that is what is said.
    let lost: Vec<&str> = families
        .iter()
        .filter(|family| {
            packet::accepts_answers(facts, id, **family)
                && error(**family).accepting_rule(facts, id).is_none()
        })
        .map(|family| {
            if *family == nfproto::IPV4 {
                "icmp destination-unreachable"
            } else {
                "icmpv6 packet-too-big"
            }
        })
        .collect();
    if !lost.is_empty() {
        found.push(
            Diagnostic::new(
                Code::DropNoPmtu,
                facts.chain_span(id),
                format!("chain `{}` drops {}", chain.name, lost.join(" and ")),
            )
            .note("connections over links with a smaller MTU hang")
            .help("add `related` to the rule that accepts established connections"),
        );
    }
}

const STATE: Subject = Subject::Ct(CtKey::State, None);

/// Interfaces from which everything new may pass: errors about their connections come from the others.
fn open_interfaces(facts: &Facts<'_>, base: ChainId, family: u8) -> Vec<(Subject, Intervals)> {
    let connection = Sample::new(family, 6, state::NEW);
    let subjects = [MetaKey::Iif, MetaKey::Iifname].map(Subject::Meta);
    let rules = facts.reachable_rules(base);
    let opens = rules
        .filter_map(|id| facts.predicate(id))
        .filter(|p| p.verdict == Some(Verdict::Accept) && connection.may_pass(p))
        .filter(|p| !p.tests.iter().any(|test| test.subject == STATE));
    let opens: Vec<_> = opens.collect();
    let named = |subject: &Subject| {
        let values = opens.iter().filter_map(|p| p.values(subject));
        Intervals::from_ranges(values.flat_map(|values| values.ranges().to_vec()).collect())
    };
    subjects
        .into_iter()
        .map(|subject| (subject.clone(), named(&subject)))
        .collect()
}

/// A router's word that a packet of one of this machine's connections was too big for the next link.
fn too_big(family: u8) -> Sample {
    if family == nfproto::IPV4 {
        Sample::new(family, 1, state::RELATED)
            .outside()
            .icmp_message(3, 4)
    } else {
        Sample::new(family, 58, state::RELATED)
            .outside()
            .icmp_message(2, 0)
    }
}
