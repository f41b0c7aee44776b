//! L033: a prefix with bits behind its length.

use super::{Facts, syntax};
use crate::ast::{Expr, ExprKind};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    syntax::rules(facts.file, facts.sources, |_, rule| {
        for m in syntax::matches(rule) {
            look(facts, &m.right, found);
        }
    });
}

fn look(facts: &Facts<'_>, value: &Expr, found: &mut Vec<Diagnostic>) {
    match &value.kind {
        ExprKind::Set(set) if set.len() <= 64 => set
            .elements(facts.sources)
            .for_each(|element| look(facts, &element.key, found)),
        ExprKind::Prefix(parts) => {
            let ExprKind::Number(len) = &parts.1.kind else {
                return;
            };
            if let Some(network) = network(&parts.0.kind, len.value()) {
                let text = facts.sources.text(value.span);
                found.push(
                    Diagnostic::new(
                        Code::HostBitsSet,
                        value.span,
                        format!("`{text}` means `{network}`"),
                    )
                    .help("write the network's address; for the one host, leave the length out"),
                );
            }
        }
        _ => {}
    }
}

/// The prefix without host bits, if it has some.
fn network(address: &ExprKind, len: u128) -> Option<String> {
    let len = u32::try_from(len).ok()?;
    match address {
        ExprKind::Ipv4(bytes) => {
            let address = u32::from_be_bytes(*bytes);
            let kept = address & !u32::MAX.checked_shr(len).unwrap_or(0);
            // Everybody writes the loopback network so, and nobody means one host.
            if bytes[0] == 127 {
                return None;
            }
            (kept != address).then(|| format!("{}/{len}", std::net::Ipv4Addr::from(kept)))
        }
        ExprKind::Ipv6(bytes) => {
            let address = u128::from_be_bytes(*bytes);
            let kept = address & !u128::MAX.checked_shr(len).unwrap_or(0);
            (kept != address).then(|| format!("{}/{len}", std::net::Ipv6Addr::from(kept)))
        }
        _ => None,
    }
}
