//! L007: an input chain that drops by default and cuts the machine off from itself.

use redan_vm::ct::state;
use redan_vm::family::{Family, Hook, nfproto};

use super::Facts;
use super::packet::Sample;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain, _) in facts
        .base_chains(Hook::Input)
        .filter(|(_, chain, base)| facts.drops_by_default(chain, base))
    {
        let family = match facts.family(chain) {
            Some(Family::Ip | Family::Inet) => nfproto::IPV4,
            Some(Family::Ip6) => nfproto::IPV6,
            Some(Family::Arp | Family::Bridge | Family::Netdev) | None => continue,
        };
        if local_connection(family).accepting_rule(facts, id).is_none() {
            found.push(
                Diagnostic::new(
                    Code::DropNoLoopback,
                    facts.chain_span(id),
                    format!(
                        "chain `{}` drops what the machine sends to itself",
                        chain.name
                    ),
                )
                .note("no rule here accepts the loopback interface")
                .help("add `iif \"lo\" accept` near the top"),
            );
        }
    }
}

/// The first packet of a connection over lo to an unusual port.
fn local_connection(family: u8) -> Sample {
    let own = if family == nfproto::IPV4 {
        0x7f00_0001
    } else {
        1
    };
    Sample::new(family, 6, state::NEW)
        .addresses(family, own, own)
        .ports(40_001, 45_991)
        .on_loopback()
}
