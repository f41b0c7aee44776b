//! L038: a set, a map or a definition that nothing uses.

use redan_vm::ids::SetId;
use redan_vm::ruleset::set_flags;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    const HELP: &str = "use it or remove it";
    // Without rules the file is a part of something.
    if facts.ruleset.rules.is_empty() {
        return;
    }
    let named = (0..)
        .map(SetId)
        .zip(facts.ruleset.sets.iter().zip(&facts.program.sets));
    for (id, (set, info)) in named {
        let passed_over = facts.program.passed_over.contains(&set.table);
        let is_part = passed_over
            || !facts
                .chains()
                .any(|(_, chain)| chain.table == set.table && !chain.rules.is_empty());
        let is_named = set.flags & set_flags::ANONYMOUS == 0;
        if is_named && !info.used && !is_part && !is_looked_up(facts, id) {
            let what = if set.flags & set_flags::MAP == 0 {
                "set"
            } else {
                "map"
            };
            found.push(
                Diagnostic::new(
                    Code::UnusedSet,
                    info.span,
                    format!("nothing uses {what} `{}`", set.name),
                )
                .help(HELP),
            );
        }
    }
    for define in facts.program.defines.iter().filter(|define| !define.used) {
        let name = facts.sources.text(define.name);
        found.push(
            Diagnostic::new(
                Code::UnusedSet,
                define.name,
                format!("nothing uses `${name}`"),
            )
            .help(HELP),
        );
    }
}

/// Whether a rule's bytecode names a set.
fn is_looked_up(facts: &Facts<'_>, id: SetId) -> bool {
    use redan_vm::instr::Instr;
    let mut code = facts.ruleset.rules.iter().flat_map(|rule| &rule.code);
    code.any(|instr| match instr {
        Instr::Lookup { set, .. }
        | Instr::LookupVerdict { set, .. }
        | Instr::ObjrefMap { set, .. } => *set == id,
        Instr::Dynset(dynset) => dynset.set == id,
        _ => false,
    })
}
