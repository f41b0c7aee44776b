//! Sets: that the vectors of their elements fit together, and what they map to is there.

use super::{Place, Verifier, VerifyErrorKind, id};
use crate::REGISTER_BYTES;
use crate::ids::SetId;
use crate::instr::Verdict;
use crate::ruleset::{ElementData, Elements, Set, SetData};

impl Verifier<'_> {
    /// Checks every set.
    pub(super) fn sets(&mut self) {
        for (index, set) in self.ruleset.sets.iter().enumerate() {
            let place = Place::Set(SetId(id(index)));
            let table = self.ruleset.tables.get(set.table.index());
            self.check(table.is_some(), place, VerifyErrorKind::Dangling);
            self.shape(set, place);
            for spec in &set.exprs {
                self.state(spec, place);
            }
            for extra in set.elements.extras.values() {
                for spec in &extra.exprs {
                    self.state(spec, place);
                }
            }
            if set.data != SetData::None {
                self.set_data(set, place);
            }
        }
    }

    fn shape(&mut self, set: &Set, place: Place) {
        let (len, count) = (usize::from(set.key_len), set.elements.len());
        let data = match set.data {
            SetData::Value(bytes) => usize::from(bytes),
            SetData::None | SetData::Verdict | SetData::Object(_) => 1,
        };
        let fits = (1..=REGISTER_BYTES).contains(&len) && (1..=REGISTER_BYTES).contains(&data);
        self.check(fits, place, VerifyErrorKind::BadLength);
        let elements = &set.elements;
        let ends = elements.key_ends.len();
        let fits = elements.keys.len() == len * count
            && (ends == 0 || ends == len * count)
            && (elements.data.is_empty() || elements.data.len() == count);
        self.check(fits, place, VerifyErrorKind::BadElements);
    }

    fn set_data(&mut self, set: &Set, place: Place) {
        for (index, data) in set.elements.data.iter().enumerate() {
            let flags = set.elements.flags.get(index).copied().unwrap_or(0);
            let fits = match (set.data, data) {
                (_, ElementData::None) => flags & Elements::END != 0,
                (SetData::Value(len), ElementData::Value(data)) => data.len() == len,
                (SetData::Value(len), ElementData::Wide(parts)) => {
                    parts.iter().map(|part| u16::from(part.len())).sum::<u16>() == u16::from(len)
                }
                (SetData::Verdict, ElementData::Verdict(verdict)) => {
                    self.verdict(set, *verdict, place);
                    true
                }
                (SetData::Object(_), ElementData::Object(state)) => {
                    self.ruleset.states.get(state.index()).is_some()
                }
                (
                    SetData::None | SetData::Value(_) | SetData::Verdict | SetData::Object(_),
                    ElementData::Value(_)
                    | ElementData::Wide(_)
                    | ElementData::Verdict(_)
                    | ElementData::Object(_),
                ) => false,
            };
            self.check(fits, place, VerifyErrorKind::BadElements);
        }
    }

    fn verdict(&mut self, set: &Set, verdict: Verdict, place: Place) {
        let (Verdict::Jump(to) | Verdict::Goto(to)) = verdict else {
            return;
        };
        match self.ruleset.chains.get(to.index()) {
            Some(chain) if !chain.deleted => {
                self.check(chain.base.is_none(), place, VerifyErrorKind::JumpToBase);
                let same = chain.table == set.table;
                self.check(same, place, VerifyErrorKind::JumpToOtherTable);
            }
            Some(_) | None => self.fail(place, VerifyErrorKind::Dangling),
        }
    }
}
