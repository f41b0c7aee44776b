//! L003: a rule that says again what an earlier one of its chain said.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use redan_vm::ids::{RuleId, SetId};
use redan_vm::instr::Instr;
use redan_vm::ruleset::Rule;

use super::Facts;
use super::shadowed_rule::tests_come_first;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        // By a short hash first: most rules are alone with theirs, and need not be written out.
        let mut seen: HashMap<u64, Vec<RuleId>> = HashMap::with_capacity(chain.rules.len());
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
            if !tests_come_first(facts, *id) {
                continue;
            }
            if !predicate.is_terminal() && predicate.verdict_map.is_none() {
                continue;
            }
            let alike = seen.entry(short(facts, rule)).or_default();
            let same = |first: &&RuleId| {
                facts
                    .rule(**first)
                    .is_some_and(|first| texts(facts, first).eq(texts(facts, rule)))
            };
            if let Some(first) = alike.iter().find(same) {
                found.push(
                    Diagnostic::new(Code::DuplicateRule, facts.rule_span(*id), "this rule repeats an earlier one of its chain")
                        .related(facts.rule_span(*first), "the same matches and the same verdict")
                        .help("remove one of the two; rules that stand twice often mean that a file was loaded twice without a flush"),
                );
            } else {
                alike.push(*id);
            }
        }
    }
}

/// The same number for all rules whose [`texts`] are the same, and rarely for others.
fn short(facts: &Facts<'_>, rule: &Rule) -> u64 {
    let mut hasher = DefaultHasher::new();
    for instr in rule.code.iter().filter(|i| !is_counter(i)) {
        match instr {
            Instr::Lookup { set, .. } | Instr::LookupVerdict { set, .. } => {
                if let Some(set) = facts.ruleset.sets.get(set.index()) {
                    set.elements.keys.hash(&mut hasher);
                }
            }
            Instr::Limit { state } | Instr::Quota { state } => state.hash(&mut hasher),
            other => other.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// What a rule does, without its counters and logs.
fn texts<'a>(facts: &'a Facts<'_>, rule: &'a Rule) -> impl Iterator<Item = String> + 'a {
    rule.code
        .iter()
        .filter(|i| !is_counter(i))
        .map(|i| text(facts, i))
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
