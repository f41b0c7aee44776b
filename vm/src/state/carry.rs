//! Reading counters back, and carrying state over to a ruleset that takes another's place.

use std::collections::HashMap;
use std::collections::VecDeque;

use super::{Counter, SetState, State, Stateful};
use crate::family::Family;
use crate::ids::{RuleId, SetId, StateId, TableId};
use crate::instr::Instr;
use crate::ruleset::{Object, Rule, Ruleset, set_flags};
use crate::text::print_instr;

/// What makes two rules of two rulesets the same: where they stand, and their printed code.
type RuleKey<'a> = (Family, &'a str, &'a str, String);

impl State {
    /// Each rule that counts, with its first counter, in the order in which the file adds them.
    pub fn rule_counters<'a>(
        &'a self,
        ruleset: &'a Ruleset,
    ) -> impl Iterator<Item = (RuleId, Counter)> + 'a {
        (0..).zip(&ruleset.rules).filter_map(|(id, rule)| {
            let counter = rule.code.iter().find_map(counter_of)?;
            Some((RuleId(id), self.counter(counter)?))
        })
    }

    /// Each named counter.
    pub fn named_counters<'a>(
        &'a self,
        ruleset: &'a Ruleset,
    ) -> impl Iterator<Item = (&'a Object, Counter)> + 'a {
        let counter = |object: &'a Object| Some((object, self.counter(object.state)?));
        let alive = ruleset.objects.iter().filter(|object| !object.deleted);
        alive.filter_map(counter)
    }

    /// Takes over what another ruleset's state has counted: of rules with the same code in the same chain, of named objects, and the
    /// elements of sets that only packets fill.
    pub fn inherit(&mut self, ruleset: &Ruleset, mut old: Self, old_ruleset: &Ruleset) {
        self.renumber_lists(old.lists);
        for (new, from) in same_rules(ruleset, old_ruleset) {
            let pairs = states_of(new).zip(states_of(from));
            for (to, from) in pairs {
                self.take(to, &old, from);
            }
        }
        for object in ruleset.objects.iter().filter(|object| !object.deleted) {
            let same = |other: &&Object| {
                !other.deleted
                    && other.name == object.name
                    && other.kind == object.kind
                    && table(ruleset, object.table) == table(old_ruleset, other.table)
            };
            if let Some(from) = old_ruleset.objects.iter().find(same) {
                self.take(object.state, &old, from.state);
            }
        }
        for (id, from) in same_sets(ruleset, old_ruleset) {
            if let (Some(to), Some(from)) = (self.set_mut(id), old.set_mut(from)) {
                std::mem::swap(to, from);
            }
        }
    }

    /// Copies one expression's state, when both are of one kind and, for budgets and limits, of one size.
    fn take(&mut self, to: StateId, old: &Self, from: StateId) {
        if let (Some(counter), Some(value)) = (self.counter_mut(to), old.counter(from)) {
            *counter = value;
            return;
        }
        let (Some(to), Some(from)) = (self.stateful_mut(to), old.stateful(from)) else {
            return;
        };
        match (to, from) {
            (Stateful::Limit(to), Stateful::Limit(from)) => to.take_tokens(from),
            (Stateful::Quota { consumed, .. }, Stateful::Quota { consumed: from, .. }) => {
                *consumed = *from;
            }
            (Stateful::Last { at, .. }, Stateful::Last { at: from, .. }) => *at = *from,
            (Stateful::Connlimit { list, .. }, Stateful::Connlimit { list: from, .. }) => {
                *list = *from;
            }
            (Stateful::Numgen(to), Stateful::Numgen(from)) => *to = *from,
            _ => {}
        }
    }

    /// Keeps the host's lists of connections of the old ruleset apart from this one's.
    fn renumber_lists(&mut self, taken: u64) {
        self.lists += taken;
        let own = self.others.iter_mut();
        let elements = self.sets.iter_mut().flat_map(SetState::elements_mut);
        for stateful in own.chain(elements) {
            if let Stateful::Connlimit { list, .. } = stateful {
                *list += taken;
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one instruction counts")]
const fn counter_of(instr: &Instr) -> Option<StateId> {
    match instr {
        Instr::Counter { state } => Some(*state),
        _ => None,
    }
}

/// The states that a rule's own expressions have, in order.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "named objects are carried over by name, the rest has no state"
)]
fn states_of(rule: &Rule) -> impl Iterator<Item = StateId> {
    rule.code.iter().filter_map(|instr| match instr {
        Instr::Counter { state }
        | Instr::Limit { state }
        | Instr::Quota { state }
        | Instr::Last { state }
        | Instr::Connlimit { state }
        | Instr::Numgen { state, .. } => Some(*state),
        _ => None,
    })
}

fn table(ruleset: &Ruleset, id: TableId) -> Option<(Family, &str)> {
    let table = ruleset.tables.get(id.index())?;
    Some((table.family, &table.name))
}

fn rule_key<'a>(ruleset: &'a Ruleset, rule: &Rule) -> Option<RuleKey<'a>> {
    let chain = ruleset.chains.get(rule.chain.index())?;
    let (family, table) = table(ruleset, chain.table)?;
    let mut code = String::new();
    for instr in &rule.code {
        print_instr(ruleset, instr, &mut code).ok()?;
    }
    Some((family, table, &chain.name, code))
}

/// Pairs of rules that are the same, in order where one chain has several.
fn same_rules<'a>(new: &'a Ruleset, old: &'a Ruleset) -> Vec<(&'a Rule, &'a Rule)> {
    let mut known: HashMap<RuleKey<'_>, VecDeque<&Rule>> = HashMap::new();
    for rule in &old.rules {
        if let Some(key) = rule_key(old, rule).filter(|_| states_of(rule).next().is_some()) {
            known.entry(key).or_default().push_back(rule);
        }
    }
    let pair = |rule: &'a Rule| {
        states_of(rule).next()?;
        let from = known.get_mut(&rule_key(new, rule)?)?.pop_front()?;
        Some((rule, from))
    };
    new.rules.iter().filter_map(pair).collect()
}

/// Named sets of one shape in both rulesets whose elements come from packets alone.
fn same_sets(new: &Ruleset, old: &Ruleset) -> Vec<(SetId, SetId)> {
    let mut pairs = Vec::new();
    for (id, set) in (0..).zip(&new.sets) {
        if set.flags & set_flags::EVAL == 0 || !set.elements.is_empty() {
            continue;
        }
        let from = (0..).zip(&old.sets).find(|(_, other)| {
            other.name == set.name
                && table(old, other.table) == table(new, set.table)
                && (other.flags, other.key_len, other.data) == (set.flags, set.key_len, set.data)
                && (other.size, other.timeout_ms) == (set.size, set.timeout_ms)
                && other.exprs == set.exprs
        });
        pairs.extend(from.map(|(from, _)| (SetId(id), SetId(from))));
    }
    pairs
}
