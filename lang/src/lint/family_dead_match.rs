//! L022: a rule that no packet of its table and hook can match.

use redan_vm::family::{Family, Hook};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{Intervals, Predicate, Subject, Test};

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut hooks: Vec<Vec<Hook>> = vec![Vec::new(); facts.ruleset.chains.len()];
    for (id, chain) in facts.chains() {
        let Some(base) = &chain.base else { continue };
        for ChainId(reached) in facts.reachable(id) {
            if let Some(hooks) = hooks.get_mut(reached as usize) {
                hooks.push(base.hook);
            }
        }
    }
    for ((_, chain), hooks) in facts.all_chains().zip(&hooks) {
        if chain.deleted {
            continue;
        }
        let Some(family) = facts.family(chain) else {
            continue;
        };
        for id in &chain.rules {
            let Some(predicate) = facts.predicate(*id) else {
                continue;
            };
            if let Some(why) =
                never(predicate, family).or_else(|| nowhere(predicate, family, hooks))
            {
                found.push(finding(facts, *id, &why));
            }
        }
    }
}

fn finding(facts: &Facts<'_>, id: RuleId, why: &str) -> Diagnostic {
    Diagnostic::new(
        Code::FamilyDeadMatch,
        facts.rule_span(id),
        format!("this rule matches nothing: {why}"),
    )
    .help("remove it, or put it where such packets pass")
}

/// Why no packet of a family passes the tests.
fn never(predicate: &Predicate, family: Family) -> Option<String> {
    if predicate.tests.iter().any(Test::is_never) {
        return Some("its tests exclude each other".to_owned());
    }
    let nfproto = predicate.meta(MetaKey::Nfproto);
    let is = |version: u128| nfproto == Some(&Intervals::one(version));
    let version = match family {
        Family::Ip => Some(4),
        Family::Ip6 => Some(6),
        Family::Inet if is(2) => Some(4),
        Family::Inet if is(10) => Some(6),
        Family::Inet | Family::Arp | Family::Bridge | Family::Netdev => None,
    }?;
    let l4proto = predicate.meta(MetaKey::L4proto);
    let (foreign, name) = if version == 4 {
        (58, "ICMPv6")
    } else {
        (1, "ICMP")
    };
    if l4proto == Some(&Intervals::one(foreign)) {
        return Some(format!("IPv{version} does not carry {name}"));
    }
    let first = predicate.values(&Subject::Payload {
        base: Base::Network,
        offset: 0,
        len: 1,
    })?;
    let real = Intervals::range(version << 4, version << 4 | 15);
    first.and(&real).is_empty().then(|| {
        format!("only IPv{version} packets are looked at here, and the version field says so")
    })
}

/// Why no packet at the hooks that lead to a rule passes: a device that is not known there.
fn nowhere(predicate: &Predicate, family: Family, hooks: &[Hook]) -> Option<String> {
    if hooks.is_empty() || !matches!(family, Family::Ip | Family::Ip6 | Family::Inet) {
        return None;
    }
    let no_out = hooks
        .iter()
        .all(|hook| matches!(hook, Hook::Prerouting | Hook::Input | Hook::Ingress));
    let no_in = hooks.iter().all(|hook| *hook == Hook::Output);
    // A packet without a device has the empty name and index 0.
    let asks = |keys: &[MetaKey]| {
        keys.iter().any(|key| {
            predicate
                .meta(*key)
                .is_some_and(|values| !values.contains(0))
        })
    };
    let place = hooks.first()?;
    if no_out && asks(&[MetaKey::Oif, MetaKey::Oifname]) {
        return Some(format!(
            "at hook {place} the outgoing device is not known yet"
        ));
    }
    if no_in && asks(&[MetaKey::Iif, MetaKey::Iifname, MetaKey::Iiftype]) {
        return Some(format!("at hook {place} packets come from no device"));
    }
    None
}
