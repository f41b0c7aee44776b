//! What elements map to, flat, under the elements' numbers.

use super::Value;
use crate::Data;
use crate::ids::StateId;
use crate::instr::Verdict;
use crate::ruleset::{ElementData, SetData};

/// The data of all elements of a map.
#[derive(Debug)]
pub(super) enum Values {
    None,
    Bytes { width: usize, bytes: Vec<u8> },
    Verdicts(Vec<Verdict>),
    Objects(Vec<StateId>),
}

impl Values {
    pub(super) fn new(data: SetData, elements: &[ElementData]) -> Self {
        let mut values = match data {
            SetData::None => Self::None,
            SetData::Value(width) => Self::Bytes {
                width: usize::from(width),
                bytes: Vec::with_capacity(usize::from(width) * elements.len()),
            },
            SetData::Verdict => Self::Verdicts(Vec::with_capacity(elements.len())),
            SetData::Object(_) => Self::Objects(Vec::with_capacity(elements.len())),
        };
        for (element, data) in elements.iter().enumerate() {
            values.set(element, data);
        }
        values
    }

    /// Sets an element's data; data of another kind than the map's counts as none, which is zeros, `continue` or a state that is not there.
    pub(super) fn set(&mut self, element: usize, data: &ElementData) {
        match self {
            Self::None => {}
            Self::Bytes { width, bytes } => {
                let start = element * *width;
                if bytes.len() < start + *width {
                    bytes.resize(start + *width, 0);
                }
                if let Some(place) = bytes.get_mut(start..start + *width) {
                    write_bytes(place, data);
                }
            }
            Self::Verdicts(verdicts) => {
                let verdict = if let ElementData::Verdict(verdict) = data {
                    *verdict
                } else {
                    Verdict::Continue
                };
                put(verdicts, element, verdict, Verdict::Continue);
            }
            Self::Objects(states) => {
                let state = if let ElementData::Object(state) = data {
                    *state
                } else {
                    NO_STATE
                };
                put(states, element, state, NO_STATE);
            }
        }
    }

    /// An element's data.
    #[inline]
    pub(super) fn get(&self, element: u32) -> Value<'_> {
        let element = element as usize;
        match self {
            Self::None => Value::None,
            Self::Bytes { width, bytes } => bytes
                .get(element * width..(element + 1) * width)
                .map_or(Value::None, Value::Bytes),
            Self::Verdicts(verdicts) => verdicts
                .get(element)
                .map_or(Value::None, |verdict| Value::Verdict(*verdict)),
            Self::Objects(states) => states
                .get(element)
                .filter(|state| **state != NO_STATE)
                .map_or(Value::None, |state| Value::Object(*state)),
        }
    }
}

/// An object map's element without an object.
const NO_STATE: StateId = StateId(u32::MAX);

fn put<T: Clone>(values: &mut Vec<T>, at: usize, value: T, filler: T) {
    if values.len() <= at {
        values.resize(at + 1, filler);
    }
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}

/// Writes a value's bytes, zeros behind them.
fn write_bytes(place: &mut [u8], data: &ElementData) {
    let parts = match data {
        ElementData::Value(value) => std::slice::from_ref(value),
        ElementData::Wide(parts) => parts.as_slice(),
        ElementData::None | ElementData::Verdict(_) | ElementData::Object(_) => &[],
    };
    let bytes = parts
        .iter()
        .flat_map(Data::as_bytes)
        .copied()
        .chain(std::iter::repeat(0));
    place
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = from);
}
