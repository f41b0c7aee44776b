//! L020: a port asked of a packet whose protocol nobody asked for.

use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{Predicate, Subject};

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        for id in &chain.rules {
            if facts
                .predicate(*id)
                .is_some_and(|p| asks_for_port(p) && !knows_protocol(p))
            {
                found.push(
                    Diagnostic::new(
                        Code::PortWithoutProtocol,
                        facts.rule_span(*id),
                        "this rule reads a port of packets of any protocol",
                    )
                    .help(
                        "say which: `meta l4proto { tcp, udp } th dport ...`, or `tcp dport ...`",
                    ),
                );
            }
        }
    }
}

fn asks_for_port(predicate: &Predicate) -> bool {
    predicate.tests.iter().any(|test| is_port(&test.subject))
}

/// Whether a test is of a port.
pub(super) fn is_port(subject: &Subject) -> bool {
    match subject {
        Subject::Payload { base, offset, len } => {
            *base == Base::Transport && offset + u32::from(*len) <= 4
        }
        Subject::Concat(parts) => parts.iter().any(is_port),
        Subject::Meta(_) | Subject::Ct(..) | Subject::Other(..) => false,
    }
}

/// Whether some test is of the protocol: `meta l4proto`, `ip protocol` or `ip6 nexthdr`.
fn knows_protocol(predicate: &Predicate) -> bool {
    predicate
        .tests
        .iter()
        .any(|test| is_protocol(&test.subject))
}

fn is_protocol(subject: &Subject) -> bool {
    match subject {
        Subject::Meta(key) => *key == MetaKey::L4proto,
        Subject::Payload { base, offset, len } => {
            *base == Base::Network && *len == 1 && matches!(offset, 6 | 9)
        }
        Subject::Concat(parts) => parts.iter().any(is_protocol),
        Subject::Ct(..) | Subject::Other(..) => false,
    }
}
