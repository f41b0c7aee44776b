//! What was read of a set literal, laid out flat.

use super::Shape;
use crate::check::Constant;
use crate::datatype::{Type, encode};
use crate::source::Span;
use redan_vm::ruleset::{Element, ElementData};
use std::collections::BTreeMap;

/// Elements of a literal. A list of a million addresses is common, so that keys lie flat, and places are kept only where overlaps may have to be shown.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// First and last value of each key, in sets of ranges of single values.
    pub(crate) bounds: Vec<(u128, u128)>,
    /// Keys of all other sets, or their lower ends, as they lie in registers.
    pub(crate) lows: Vec<u8>,
    /// Upper ends of concatenated ranges.
    pub(crate) highs: Vec<u8>,
    /// Where the elements of `bounds` stand.
    pub(crate) spans: Vec<Span>,
    /// What each maps to.
    pub(crate) data: Vec<ElementData>,
    /// What few have beside.
    pub(crate) extras: BTreeMap<u32, Element>,
    /// Where those stand.
    pub(crate) places: BTreeMap<u32, Span>,
    /// Which one is `*`.
    pub(crate) catchall: Option<u32>,
    /// The constant of the last element whose key is a single one.
    pub(crate) only: Option<Constant>,
    /// How many there are.
    pub(super) count: u32,
}

impl Collected {
    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// Adds a key that is a single constant.
    pub(crate) fn push_single(&mut self, shape: &Shape, ty: Type, constant: Constant, span: Span) {
        let (low, high) = constant.bounds(ty);
        let (low, high) = (low ^ shape.flip, high ^ shape.flip);
        self.only = Some(constant);
        self.count += 1;
        if shape.interval {
            self.bounds.push((low << shape.shift, high << shape.shift));
            self.spans.push(span);
        } else {
            let kept = shape.key_type(ty);
            let key = encode(low << shape.shift, kept.bytes(), kept.order);
            self.lows.extend_from_slice(key.as_bytes());
        }
    }

    /// Adds the element that matches whatever no other one matches.
    pub(super) fn push_catchall(&mut self, shape: &Shape, span: Span) {
        self.catchall = Some(self.count);
        self.count += 1;
        if shape.interval && !shape.is_concat() {
            self.bounds.push((0, 0));
            self.spans.push(span);
        } else {
            let width = usize::from(shape.key_bytes());
            self.lows.extend(std::iter::repeat_n(0, width));
            if shape.interval {
                self.highs.extend(std::iter::repeat_n(0, width));
            }
        }
    }

    /// Adds a key of several parts.
    pub(super) fn push_parts(
        &mut self,
        shape: &Shape,
        parts: impl Iterator<Item = (Type, (u128, u128))>,
    ) {
        self.count += 1;
        for (ty, (low, high)) in parts {
            let kept = shape.key_type(ty);
            push_padded(&mut self.lows, kept, low);
            if shape.interval {
                push_padded(&mut self.highs, kept, high);
            }
        }
    }
}

/// Appends a part of a concatenation, padded to 4 bytes.
pub(super) fn push_padded(out: &mut Vec<u8>, ty: Type, value: u128) {
    let data = encode(value, ty.bytes(), ty.order);
    out.extend_from_slice(data.as_bytes());
    let pad = usize::from(ty.padded_bytes())
        - usize::from(data.len()).min(usize::from(ty.padded_bytes()));
    out.extend(std::iter::repeat_n(0, pad));
}

#[cfg(test)]
mod tests {
    use super::*;
    use redan_vm::datatype::DataType;

    #[test]
    fn parts_are_padded_to_words() {
        let mut out = Vec::new();
        push_padded(&mut out, Type::of(DataType::InetService), 22);
        push_padded(&mut out, Type::of(DataType::Mark), 1);
        assert_eq!(out, [0, 22, 0, 0, 1, 0, 0, 0]);
    }
}
