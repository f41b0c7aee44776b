//! What is wanted of a packet, subject by subject: what the rules on its way ask, less what rules before them take.

use redan_vm::Ruleset;
use redan_vm::ids::SetId;
use redan_vm::instr::Base;
use redan_vm::predicate::{self, Intervals, Pass, Row, Subject, Test, max_of};

use super::Unmet;

/// What is wanted of one subject.
#[derive(Clone, Debug)]
struct Want {
    subject: Subject,
    bits: u32,
    allowed: Intervals,
    /// `value & mask == want`, or not.
    masks: Vec<(u128, u128, bool)>,
}

/// What is wanted of a packet.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    wants: Vec<Want>,
    /// What is asked that no packet's bytes decide.
    pub(super) beyond: Vec<String>,
}

impl Wants {
    /// Adds a test. Of a set's elements, number `choice` is taken.
    pub(super) fn require(
        &mut self,
        ruleset: &Ruleset,
        test: &Test,
        choice: usize,
    ) -> Result<(), Unmet> {
        match (&test.subject, &test.pass) {
            (Subject::Other(_, text), _) => {
                self.beyond.push(text.clone());
                Ok(())
            }
            (subject, Pass::In(values)) => self.allow(subject, test.bits, values),
            (subject, Pass::Masked { mask, want, equal }) => {
                self.want(subject, test.bits)
                    .masks
                    .push((*mask, *want, *equal));
                Ok(())
            }
            (
                subject,
                Pass::Set {
                    set,
                    inverted: false,
                },
            ) => {
                let rows = elements(ruleset, *set, subject)?;
                let row = rows
                    .get(choice % rows.len().max(1))
                    .ok_or(Unmet::Empty(*set))?;
                self.require_row(subject, row)
            }
            (subject, Pass::Set { set, .. }) => self.forbid_set(ruleset, *set, subject),
        }
    }

    /// Adds what an element asks.
    pub(super) fn require_row(&mut self, subject: &Subject, row: &Row) -> Result<(), Unmet> {
        for (part, (low, high)) in subject.parts().iter().zip(&row.parts) {
            let bits = width(part);
            self.allow(part, bits, &Intervals::range(*low, *high))?;
        }
        Ok(())
    }

    /// Adds the opposite of a test; an error where nothing is left.
    pub(super) fn forbid(&mut self, ruleset: &Ruleset, test: &Test) -> Result<(), Unmet> {
        match (&test.subject, &test.pass) {
            (Subject::Other(..) | Subject::Concat(_), _) => Err(Unmet::Contradiction),
            (subject, Pass::In(values)) => self.allow(subject, test.bits, &values.not(test.bits)),
            (subject, Pass::Masked { mask, want, equal }) => {
                self.want(subject, test.bits)
                    .masks
                    .push((*mask, *want, !equal));
                Ok(())
            }
            (subject, Pass::Set { set, inverted }) if *inverted => {
                let rows = elements(ruleset, *set, subject)?;
                let row = rows.first().ok_or(Unmet::Empty(*set))?;
                self.require_row(subject, row)
            }
            (subject, Pass::Set { set, .. }) => self.forbid_set(ruleset, *set, subject),
        }
    }

    /// Keeps a single subject out of a set.
    fn forbid_set(
        &mut self,
        ruleset: &Ruleset,
        set: SetId,
        subject: &Subject,
    ) -> Result<(), Unmet> {
        if matches!(subject, Subject::Concat(_)) {
            return Ok(());
        }
        let rows = elements(ruleset, set, subject)?;
        let ranges = rows.iter().flat_map(|row| row.parts.iter().copied());
        let bits = width(subject);
        self.allow(
            subject,
            bits,
            &Intervals::from_ranges(ranges.collect()).not(bits),
        )
    }

    fn allow(&mut self, subject: &Subject, bits: u32, values: &Intervals) -> Result<(), Unmet> {
        let want = self.want(subject, bits);
        want.allowed = want.allowed.and(values);
        if want.allowed.is_empty() {
            Err(Unmet::Contradiction)
        } else {
            Ok(())
        }
    }

    fn want(&mut self, subject: &Subject, bits: u32) -> &mut Want {
        let at = self.wants.iter().position(|want| want.subject == *subject);
        let at = at.unwrap_or_else(|| {
            self.wants.push(Want {
                subject: subject.clone(),
                bits,
                allowed: Intervals::range(0, max_of(bits)),
                masks: Vec::new(),
            });
            self.wants.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found, or pushed above")]
        &mut self.wants[at]
    }

    fn find(&self, subject: &Subject) -> Option<&Want> {
        self.wants.iter().find(|want| want.subject == *subject)
    }

    /// Whether a subject may have a value.
    pub(super) fn takes(&self, subject: &Subject, value: u128) -> bool {
        self.find(subject).is_none_or(|want| want.takes(value))
    }

    /// Whether anything is asked of a subject.
    pub(super) fn asks(&self, subject: &Subject) -> bool {
        self.find(subject).is_some()
    }

    /// A value for a subject: the first of `liked` that fits, else one that does.
    pub(super) fn choose(&self, subject: &Subject, liked: &[u128]) -> Option<u128> {
        let Some(want) = self.find(subject) else {
            return liked.first().copied();
        };
        let fits = |value: &u128| want.takes(*value);
        liked.iter().copied().find(|value| fits(value)).or_else(|| {
            // Behind a network's own address; then its ends, and what masks ask for.
            let ranges = || want.allowed.ranges().iter();
            let within =
                ranges().filter_map(|(low, high)| low.checked_add(5).filter(|value| value <= high));
            let ends = ranges().flat_map(|(low, high)| [*low, *high]);
            let masked = want.masks.iter().flat_map(|(mask, value, _)| {
                [*value, value ^ mask, value ^ (mask & mask.wrapping_neg())]
            });
            let mixed: Vec<u128> = liked
                .iter()
                .flat_map(|like| {
                    want.masks
                        .iter()
                        .map(move |(mask, value, _)| like & !mask | value)
                })
                .collect();
            let found = within.chain(ends).chain(masked).chain(mixed).find(fits);
            found.or_else(|| (want.bits <= 16).then(|| (0..=max_of(want.bits)).find(fits))?)
        })
    }

    /// The lowest value of each range that a subject may lie in.
    pub(super) fn lows(&self, subject: &Subject) -> Vec<u128> {
        let ranges = self.find(subject).map(|want| want.allowed.ranges());
        ranges.into_iter().flatten().map(|(low, _)| *low).collect()
    }

    /// What the masked bits of a subject shall be, the others being 0.
    pub(super) fn masked(&self, subject: &Subject) -> Vec<u128> {
        let masks = self.find(subject).map(|want| &want.masks);
        masks
            .into_iter()
            .flatten()
            .map(|(_, want, _)| *want)
            .collect()
    }

    /// Payload that is asked for: base, offset, length, in bytes.
    pub(super) fn payload(&self) -> impl Iterator<Item = (&Subject, Base, u32, u8)> {
        self.wants.iter().filter_map(|want| match want.subject {
            Subject::Payload { base, offset, len } => Some((&want.subject, base, offset, len)),
            Subject::Meta(_) | Subject::Ct(..) | Subject::Concat(_) | Subject::Other(..) => None,
        })
    }
}

impl Want {
    fn takes(&self, value: u128) -> bool {
        self.allowed.contains(value)
            && self
                .masks
                .iter()
                .all(|(mask, want, equal)| (value & mask == *want) == *equal)
    }
}

/// A subject's width in bits.
fn width(subject: &Subject) -> u32 {
    match subject {
        Subject::Payload { len, .. } => u32::from(*len) * 8,
        Subject::Meta(key) => key.bits().next_multiple_of(8),
        Subject::Ct(key, _) => key.bits().next_multiple_of(8),
        Subject::Concat(_) | Subject::Other(..) => 128,
    }
}

fn elements(ruleset: &Ruleset, set: SetId, subject: &Subject) -> Result<Vec<Row>, Unmet> {
    let found = ruleset.sets.get(set.index()).ok_or(Unmet::Empty(set))?;
    Ok(predicate::rows(found, subject))
}
