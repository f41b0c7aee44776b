//! L008: a chain that drops by default and with it the neighbour discovery that IPv6 lives on.

use redan_vm::ct::state;
use redan_vm::family::{Family, Hook, nfproto};
use redan_vm::instr::Base;
use redan_vm::predicate::Subject;

use super::packet::Sample;
use super::{Facts, packet};
use crate::diag::{Code, Diagnostic};

/// ICMPv6 types without which neighbours do not find each other (RFC 4861).
const NEEDED: [(u8, &str); 2] = [(135, "nd-neighbor-solicit"), (136, "nd-neighbor-advert")];

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain, _) in facts
        .base_chains(Hook::Input)
        .filter(|(_, chain, base)| facts.drops_by_default(chain, base))
    {
        if !matches!(facts.family(chain), Some(Family::Ip6 | Family::Inet)) {
            continue;
        }
        if !packet::accepts_family(facts, id, nfproto::IPV6) {
            continue;
        }
        let lost: Vec<&str> = NEEDED
            .iter()
            .filter(|(kind, _)| discovery(*kind).accepting_rule(facts, id).is_none())
            .map(|(_, name)| *name)
            .collect();
        if !lost.is_empty() {
            found.push(
                Diagnostic::new(Code::DropNoNdp, facts.chain_span(id), format!("chain `{}` drops IPv6 neighbour discovery ({})", chain.name, lost.join(", ")))
                    .note("IPv6 stops working within minutes")
                    .help(
                        "add `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept`; \
                         `ct state established,related` does not cover them, they are untracked",
                    ),
            );
        }
    }
}

/// A message of a neighbour on the link, as conntrack leaves it alone.
fn discovery(kind: u8) -> Sample {
    let neighbour = 0xfe80_0000_0000_0000_0000_0000_0000_0002;
    let own = 0xfe80_0000_0000_0000_0000_0000_0000_0001;
    Sample::new(nfproto::IPV6, 58, state::UNTRACKED)
        .outside()
        .addresses(nfproto::IPV6, neighbour, own)
        .icmp_type(kind)
        .with(
            Subject::Payload {
                base: Base::Network,
                offset: 7,
                len: 1,
            },
            255,
        )
}
