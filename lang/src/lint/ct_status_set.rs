//! L025: `ct status` compared with a set.

use redan_vm::ct::CtKey;

use super::Facts;
use super::ip_protocol_in_inet::matches;
use crate::diag::{Code, Diagnostic};
use crate::typed::{Load, Operand, ValueKind};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        for rule in chain.rules.iter().filter_map(|id| facts.typed_rule(*id)) {
            for m in matches(rule) {
                let is_status = matches!(&m.left.kind, ValueKind::Load(load) if matches!(&**load, Load::Ct { key: CtKey::Status, .. }));
                if is_status && matches!(m.right, Operand::Set(_)) {
                    found.push(
                        Diagnostic::new(
                            Code::CtStatusSet,
                            m.left.span,
                            "a set compares all bits of the status at once, and a connection always has several",
                        )
                        .help("write the flags without braces: `ct status snat,dnat` asks for any of them"),
                    );
                }
            }
        }
    }
}
