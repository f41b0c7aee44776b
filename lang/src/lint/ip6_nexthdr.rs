//! L019: `ip6 nexthdr` where the transport protocol is meant.

use redan_vm::field::Header;

use super::Facts;
use super::ip_protocol_in_inet::{is_field, matches, right_text};
use crate::diag::{Code, Diagnostic, Level};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        for rule in chain.rules.iter().filter_map(|id| facts.typed_rule(*id)) {
            for m in matches(rule).filter(|m| is_field(m, Header::Ip6, "nexthdr")) {
                let Some(value) = right_text(facts, rule, m) else {
                    continue;
                };
                // Every multicast listener report has a hop-by-hop header in front; with other protocols extension headers are rare.
                let is_icmp = ["icmpv6", "ipv6-icmp", "58"]
                    .iter()
                    .any(|name| value.contains(name));
                let mut finding = Diagnostic::new(
                    Code::Ip6Nexthdr,
                    m.left.span,
                    "`ip6 nexthdr` is the first header behind IPv6's own, which need not be the protocol",
                )
                .help(format!("write `meta l4proto {value}`, which looks behind extension headers"));
                if is_icmp {
                    finding = finding.note("misses multicast listener reports");
                } else {
                    finding.level = Level::Info;
                }
                found.push(finding);
            }
        }
    }
}
