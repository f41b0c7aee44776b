//! L010: an input chain that drops the messages that say a packet was too big.

use redan_vm::ct::state;
use redan_vm::family::{Family, Hook, nfproto};

use super::packet::Sample;
use super::{Facts, packet};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain, _) in facts
        .base_chains(Hook::Input)
        .filter(|(_, chain, base)| facts.drops_by_default(chain, base))
    {
        let families: &[u8] = match facts.family(chain) {
            Some(Family::Ip) => &[nfproto::IPV4],
            Some(Family::Ip6) => &[nfproto::IPV6],
            Some(Family::Inet) => &[nfproto::IPV4, nfproto::IPV6],
            Some(Family::Arp | Family::Bridge | Family::Netdev) | None => &[],
        };
        // Where answers are lost anyhow, that is what is said.
        let lost: Vec<&str> = families
            .iter()
            .filter(|family| {
                packet::accepts_answers(facts, id, **family)
                    && too_big(**family).accepting_rule(facts, id).is_none()
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
