//! L018: `ip protocol` in an inet table, where IPv6 was probably meant too.

use super::{Facts, syntax};
use crate::ast::{ExprKind, Match, Rule};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    syntax::rules(facts.file, facts.sources, |family, rule| {
        if family != "inet" || is_for_ipv4(facts, rule) {
            return;
        }
        for m in syntax::matches(rule).filter(|m| is_ip_protocol(facts, m)) {
            let value = facts.sources.text(m.right.span);
            // ICMP and IGMP are IPv4's own.
            if ["icmp", "igmp", "1", "2"].contains(&value) {
                continue;
            }
            found.push(
                Diagnostic::new(Code::IpProtocolInInet, m.left.span, "`ip protocol` matches IPv4 alone")
                    .note("IPv6 packets pass this rule by")
                    .help(format!("write `meta l4proto {value}` to match both; if IPv4 alone is meant, `meta nfproto ipv4` says so"))
                    .fix("replace with `meta l4proto`", m.left.span, "meta l4proto"),
            );
        }
    });
}

fn is_ip_protocol(facts: &Facts<'_>, m: &Match) -> bool {
    syntax::is_field(&m.left, facts.sources, "ip", "protocol")
}

/// Whether the rule speaks of IPv4 anyhow.
fn is_for_ipv4(facts: &Facts<'_>, rule: &Rule) -> bool {
    syntax::matches(rule).any(|m| match &m.left.kind {
        ExprKind::Payload { header, .. } => {
            ["ip", "icmp", "igmp", "arp"].contains(&header.text(facts.sources))
                && !is_ip_protocol(facts, m)
        }
        ExprKind::Meta { key, .. } => ["nfproto", "protocol"].contains(&key.text(facts.sources)),
        ExprKind::Concat(_) => true,
        _ => false,
    })
}
