//! What rules ask of a packet, field by field, and values that satisfy all of them.

use redan_vm::Ruleset;
use redan_vm::ids::{ChainId, RuleId, SetId};
use redan_vm::instr::Verdict;
use redan_vm::predicate::{self, Intervals, Pass, Row, Subject, Test};
use redan_vm::ruleset::{ElementData, Set};

use super::field::{self, Field};

/// What must hold of one field.
#[derive(Clone, Debug)]
enum Holds {
    In(Intervals),
    Masked { mask: u128, want: u128, equal: bool },
}

impl Holds {
    fn take(&self, value: u128) -> bool {
        match self {
            Self::In(values) => values.contains(value),
            Self::Masked { mask, want, equal } => (value & mask == *want) == *equal,
        }
    }
}

/// A concatenation that must be one of these keys, field by field.
#[derive(Clone, Debug)]
struct Keys {
    fields: Vec<Option<Field>>,
    keys: Vec<Vec<u128>>,
}

/// What one or several rules ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks {
    holds: Vec<(Field, Holds)>,
    keys: Vec<Keys>,
    /// Whether no packet can do it.
    pub(super) is_never: bool,
    /// What no line can say.
    pub(super) unsaid: Option<String>,
    /// A set that holds nothing at the start.
    pub(super) empty_set: Option<String>,
}

impl Asks {
    /// Adds what a rule asks, so that it holds; `into`: so that its verdict map jumps there.
    pub(super) fn add(&mut self, ruleset: &Ruleset, rule: RuleId, into: Option<ChainId>) {
        let predicate = predicate::read(ruleset, rule);
        for test in &predicate.tests {
            self.test(ruleset, test);
        }
        if let (Some(set), Some(key)) = (predicate.verdict_map, predicate.map_key) {
            self.lookup(ruleset, &key, set, into);
        }
    }

    fn test(&mut self, ruleset: &Ruleset, test: &Test) {
        self.is_never |= test.is_never();
        let found = field::of(&test.subject);
        let holds = match (&test.pass, found) {
            (Pass::Set { set, inverted }, _) => {
                if !inverted {
                    self.lookup(ruleset, &test.subject, *set, None);
                } else if let (Some(field), Some(set)) = (found, ruleset.sets.get(set.index())) {
                    let rows = predicate::rows(set, &test.subject);
                    let ranges = rows.iter().flat_map(|row| row.parts.iter().copied());
                    let values = Intervals::from_ranges(ranges.collect());
                    self.holds.push((field, Holds::In(values.not(test.bits))));
                }
                return;
            }
            (Pass::In(values), _) => Holds::In(values.clone()),
            (Pass::Masked { mask, want, equal }, _) => Holds::Masked {
                mask: *mask,
                want: *want,
                equal: *equal,
            },
        };
        match found {
            Some(field) => self.holds.push((field, holds)),
            // What a packet has without being told so, most often does.
            None => self.unsaid = self.unsaid.take().or_else(|| field::unsaid(&test.subject)),
        }
    }

    /// A key that is in a set, or leads into a chain.
    fn lookup(&mut self, ruleset: &Ruleset, key: &Subject, set: SetId, into: Option<ChainId>) {
        let Some(set) = ruleset.sets.get(set.index()) else {
            return;
        };
        let subjects: Vec<&Subject> = if let Subject::Concat(parts) = key {
            parts.iter().collect()
        } else {
            vec![key]
        };
        let keys = keys(set, key, into);
        if keys.is_empty() {
            self.empty_set = Some(set.name.clone());
        }
        self.unsaid = (self.unsaid.take())
            .or_else(|| subjects.iter().find_map(|subject| field::unsaid(subject)));
        self.keys.push(Keys {
            fields: subjects.iter().map(|subject| field::of(subject)).collect(),
            keys,
        });
    }

    /// How many different packets keys give.
    pub(super) fn variants(&self) -> usize {
        let keys = self.keys.iter().map(|keys| keys.keys.len());
        keys.max().unwrap_or(1).max(1)
    }

    /// The same with one key chosen of each set.
    pub(super) fn choose(&self, variant: usize) -> Self {
        let mut chosen = self.clone();
        for keys in &self.keys {
            let Some(key) = keys.keys.get(variant % keys.keys.len().max(1)) else {
                continue;
            };
            for (field, value) in keys.fields.iter().zip(key) {
                if let Some(field) = field {
                    chosen
                        .holds
                        .push((*field, Holds::In(Intervals::one(*value))));
                }
            }
        }
        chosen.keys.clear();
        chosen
    }

    /// Whether anything is asked of a field.
    pub(super) fn asks(&self, field: Field) -> bool {
        self.holds.iter().any(|(other, _)| *other == field)
    }

    /// Whether it asks for a port by name or number.
    pub(super) fn asks_for_port(&self) -> bool {
        [
            Field::InName,
            Field::InIndex,
            Field::OutName,
            Field::OutIndex,
        ]
        .iter()
        .any(|field| self.asks(*field))
    }

    /// Whether a field may have a value.
    pub(super) fn takes(&self, field: Field, value: u128) -> bool {
        self.holds
            .iter()
            .filter(|(other, _)| *other == field)
            .all(|(_, holds)| holds.take(value))
    }

    /// A value for a field: the usual one where it will do, else one that will.
    pub(super) fn value(&self, field: Field, usual: &[u128]) -> Option<u128> {
        let of_field = || self.holds.iter().filter(|(other, _)| *other == field);
        let asked = of_field().flat_map(|(_, holds)| match holds {
            Holds::In(values) => values
                .ranges()
                .iter()
                // The first of a network is no host's.
                .flat_map(|(low, high)| [(*low + 5).min(*high), (*low + 1).min(*high), *low, *high])
                .take(64)
                .collect(),
            Holds::Masked { mask, want, .. } => vec![*want, *want | !mask & 0xff, !want & mask],
        });
        let bits = usual.iter().copied().chain(asked);
        bits.into_iter().find(|value| self.takes(field, *value))
    }
}

/// A set's keys as numbers, part by part; with `into`, those that lead there.
fn keys(set: &Set, subject: &Subject, into: Option<ChainId>) -> Vec<Vec<u128>> {
    let leads = |row: &Row| {
        into.is_none_or(|into| {
            matches!(
                row.data,
                Some(ElementData::Verdict(Verdict::Jump(to) | Verdict::Goto(to))) if to == into
            )
        })
    };
    // Of a range, a value behind the first, which may be a network's own.
    let one = |(low, high): &(u128, u128)| low.saturating_add(5).min(*high);
    predicate::rows(set, subject)
        .iter()
        .filter(|row| leads(row))
        .map(|row| row.parts.iter().map(one).collect())
        .collect()
}
