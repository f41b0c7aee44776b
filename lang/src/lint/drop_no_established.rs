//! L006: an input chain that drops by default and lets no answers in.

use redan_vm::family::{Family, Hook, nfproto};

use super::{Facts, packet};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain, base) in facts
        .base_chains(Hook::Input)
        .filter(|(_, chain, base)| facts.drops_by_default(chain, base))
    {
        let families: &[u8] = match facts.family(chain) {
            Some(Family::Ip) => &[nfproto::IPV4],
            Some(Family::Ip6) => &[nfproto::IPV6],
            Some(Family::Inet) => &[nfproto::IPV4, nfproto::IPV6],
            Some(Family::Arp | Family::Bridge | Family::Netdev) | None => &[],
        };
        let lost = families.iter().any(|family| {
            packet::accepts_family(facts, id, *family)
                && !packet::accepts_answers(facts, id, *family)
        });
        if lost && base.priority >= -200 {
            found.push(
                Diagnostic::new(
                    Code::DropNoEstablished,
                    facts.chain_span(id),
                    format!(
                        "chain `{}` drops the answers to this machine's own connections",
                        chain.name
                    ),
                )
                .note("no rule here accepts them")
                .help("begin the chain with `ct state established,related accept`"),
            );
        }
    }
}
