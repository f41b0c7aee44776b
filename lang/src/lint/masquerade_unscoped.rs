//! L043: `masquerade` for whatever leaves the machine.

use redan_vm::instr::Instr;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::Subject;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains().filter(|(_, chain)| chain.base.is_some()) {
        for id in &chain.rules {
            let masquerades = facts
                .rule(*id)
                .is_some_and(|rule| rule.code.iter().any(|i| matches!(i, Instr::Masq { .. })));
            let unscoped = facts.predicate(*id).is_some_and(|p| {
                p.verdict_map.is_none()
                    && p.tests.iter().all(|test| {
                        matches!(
                            test.subject,
                            Subject::Meta(MetaKey::Nfproto | MetaKey::L4proto | MetaKey::Protocol)
                        )
                    })
            });
            // Rules above may have let out what is not meant.
            let is_first = chain.rules.first() == Some(id);
            if masquerades && unscoped && is_first {
                found.push(
                    Diagnostic::new(
                        Code::MasqueradeUnscoped,
                        facts.rule_span(*id),
                        "this rule rewrites the source of whatever leaves, on every device",
                    )
                    .note("hosts inside see this machine in place of the real client")
                    .help("say where: `oifname \"wan0\" masquerade`"),
                );
            }
        }
    }
}
