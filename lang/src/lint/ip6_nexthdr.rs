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
                .help(instead(value));
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

/// Extension headers by number, the name of the protocol, and the word that finds them. `meta l4proto` looks behind all of them
/// (`exthdrs_core.c: ipv6_ext_hdr`).
const EXTENSION_HEADERS: [(&[&str], &str); 5] = [
    (&["0", "hopopt", "ip"], "hbh"),
    (&["43", "ipv6-route"], "rt"),
    (&["44", "ipv6-frag"], "frag"),
    (&["51", "ah"], "ah"),
    (&["60", "ipv6-opts"], "dst"),
];

/// What finds the same wherever it stands in the packet.
fn instead(value: &str) -> String {
    let (sign, values) = match value.strip_prefix("!= ") {
        Some(rest) => ("!= ", rest),
        None => ("", value),
    };
    let braces = |c: char| c == '{' || c == '}' || c.is_whitespace();
    let words = || values.split(',').map(|word| word.trim_matches(braces));
    let header = |word: &str| {
        let mut known = EXTENSION_HEADERS.iter();
        known.find_map(|(names, found)| names.contains(&word).then_some(*found))
    };
    let others: Vec<&str> = words().filter(|word| header(word).is_none()).collect();
    let (presence, join) = if sign.is_empty() {
        ("exists", " or ")
    } else {
        ("missing", " and ")
    };
    let exthdr: Vec<String> = words()
        .filter_map(header)
        .map(|name| format!("`exthdr {name} {presence}`"))
        .collect();
    let behind = |values: &str| {
        format!("write `meta l4proto {sign}{values}`, which looks behind extension headers")
    };
    match (exthdr.as_slice(), others.as_slice()) {
        ([], _) => behind(values),
        (headers, []) => format!(
            "write {}, which finds the header wherever it stands",
            headers.join(join)
        ),
        (headers, others) => format!(
            "{}; for extension headers write {}",
            behind(&format!("{{ {} }}", others.join(", "))),
            headers.join(join)
        ),
    }
}
