//! L003: a rule that says again what an earlier one of its chain said.

use std::collections::HashMap;

use redan_vm::ids::SetId;
use redan_vm::instr::Instr;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        let mut seen = HashMap::new();
        for id in &chain.rules {
            let Some(rule) = facts.rule(*id) else {
                continue;
            };
            // Rules that count, limit or log run on every packet, so that the second is not idle.
            let Some(predicate) = facts
                .predicate(*id)
                .filter(|p| p.verdict.is_some() || p.verdict_map.is_some())
            else {
                continue;
            };
            if !predicate.is_terminal() && predicate.verdict_map.is_none() {
                continue;
            }
            let key: Vec<String> = rule
                .code
                .iter()
                .filter(|i| !is_counter(i))
                .map(|i| text(facts, i))
                .collect();
            if let Some(first) = seen.get(&key) {
                found.push(
                    Diagnostic::new(Code::DuplicateRule, facts.rule_span(*id), "this rule repeats an earlier one of its chain")
                        .related(facts.rule_span(*first), "the same matches and the same verdict")
                        .help("remove one of the two; rules that stand twice often mean that a file was loaded twice without a flush"),
                );
            } else {
                seen.insert(key, *id);
            }
        }
    }
}

fn is_counter(instr: &Instr) -> bool {
    matches!(instr, Instr::Counter { .. } | Instr::Log(_))
}

/// An instruction with the contents of an anonymous set in place of its number.
fn text(facts: &Facts<'_>, instr: &Instr) -> String {
    let contents = |id: &SetId| {
        facts
            .ruleset
            .sets
            .get(id.index())
            .filter(|s| s.flags & redan_vm::ruleset::set_flags::ANONYMOUS != 0)
            .map(|set| format!("{:?}", set.elements))
    };
    match instr {
        Instr::Lookup {
            set,
            src,
            dst,
            inverted,
        } => contents(set).map_or_else(
            || format!("{instr:?}"),
            |c| format!("{src:?} {dst:?} {inverted} {c}"),
        ),
        Instr::LookupVerdict { set, src } => {
            contents(set).map_or_else(|| format!("{instr:?}"), |c| format!("{src:?} {c}"))
        }
        Instr::Limit { state } | Instr::Quota { state } => format!("state {state:?}"),
        other => format!("{other:?}"),
    }
}
