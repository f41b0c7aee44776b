//! L018: `ip protocol` in an inet table, where IPv6 was probably meant too.

use std::collections::BTreeSet;

use redan_vm::family::{Family, nfproto};
use redan_vm::field::Header;
use redan_vm::instr::{Base, Instr};

use super::Facts;
use crate::diag::{Code, Diagnostic};
use crate::typed::{Load, Match, Rule, Stmt, StmtKind, ValueKind};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        if facts.family(chain) != Some(Family::Inet) {
            continue;
        }
        let rules = || chain.rules.iter().filter_map(|id| facts.typed_rule(*id));
        // What other rules say of IPv6.
        let twins: BTreeSet<&str> = rules()
            .flat_map(|rule| matches(rule).map(move |m| (rule, m)))
            .filter(|(_, m)| is_field(m, Header::Ip6, "nexthdr"))
            .filter_map(|(rule, m)| right_text(facts, rule, m))
            .collect();
        for rule in rules() {
            for m in matches(rule).filter(|m| is_field(m, Header::Ip, "protocol")) {
                let Some(value) = right_text(facts, rule, m) else {
                    continue;
                };
                // ICMP and IGMP are IPv4's own.
                if ["icmp", "igmp", "1", "2"].contains(&value) || is_for_ipv4(facts, rule) {
                    continue;
                }
                if twins.contains(value) {
                    continue;
                }
                found.push(
                    Diagnostic::new(Code::IpProtocolInInet, m.left.span, "`ip protocol` matches IPv4 alone")
                        .note("IPv6 packets pass this rule by")
                        .help(format!("write `meta l4proto {value}` to match both; if IPv4 alone is meant, `meta nfproto ipv4` says so"))
                        .fix("replace with `meta l4proto`", m.left.span, "meta l4proto"),
                );
            }
        }
    }
}

/// The matches that somebody wrote.
pub(super) fn matches(rule: &Rule) -> impl Iterator<Item = &Match> {
    rule.stmts
        .iter()
        .filter(|stmt| !stmt.implied)
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Match(m) => Some(&**m),
            _ => None,
        })
}

/// Whether a match is of a header field.
pub(super) fn is_field(m: &Match, header: Header, name: &str) -> bool {
    matches!(&m.left.kind, ValueKind::Load(load) if matches!(&**load, Load::Payload { field: Some(field), .. } if field.header == header && field.name == name))
}

/// What a match compares with, as it is written.
pub(super) fn right_text<'a>(facts: &Facts<'a>, rule: &Rule, m: &Match) -> Option<&'a str> {
    let stmt: &Stmt = rule
        .stmts
        .iter()
        .find(|stmt| matches!(&stmt.kind, StmtKind::Match(other) if std::ptr::eq::<Match>(other.as_ref(), m)))?;
    let whole = facts.sources.text(stmt.span);
    let left = facts.sources.text(m.left.span);
    Some(whole.strip_prefix(left)?.trim().trim_start_matches("== "))
}

/// Whether the rule speaks of IPv4 anyhow: other bytes of its header, or its addresses in NAT.
fn is_for_ipv4(facts: &Facts<'_>, rule: &Rule) -> bool {
    facts.rule(rule.id).is_some_and(|rule| {
        rule.code.iter().any(|instr| match instr {
            Instr::PayloadLoad { base, offset, .. } => *base == Base::Network && *offset != 9,
            Instr::PayloadWrite { base, .. } => *base == Base::Network,
            Instr::Nat(nat) => nat.nfproto == nfproto::IPV4,
            _ => false,
        })
    }) || matches(rule).any(|m| {
        matches!(&m.left.kind, ValueKind::Concat(_))
            || facts.sources.text(m.left.span).contains("nfproto")
    })
}
