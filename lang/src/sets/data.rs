//! What elements of maps map to.

#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::collected::push_padded;
use super::{DataShape, Shape};
use crate::ast::{Element as Written, Expr};
use crate::check::Constant;
use crate::datatype::Type;
use crate::diag::Code;
use crate::resolve::Context;
use redan_vm::Data;
use redan_vm::ruleset::ElementData;

impl Context<'_> {
    /// What an element maps to; `Some(None)` in sets.
    pub(super) fn element_data(
        &mut self,
        element: &Written,
        shape: &Shape,
    ) -> Option<Option<ElementData>> {
        match (&element.data, &shape.data) {
            (None, DataShape::None) => Some(None),
            (Some(data), DataShape::None) => self.error(
                Code::DataMismatch,
                data.span,
                "a set's elements have no data; only those of maps do",
            ),
            (None, _) => self.error(
                Code::DataMismatch,
                element.span,
                "an element of a map needs data: `key : data`",
            ),
            (Some(data), DataShape::Verdict) => self
                .verdict_data(data, shape)
                .map(|verdict| Some(ElementData::Verdict(verdict))),
            (Some(data), DataShape::Object(kind)) => self
                .object_data(data, *kind, shape.table)
                .map(|state| Some(ElementData::Object(state))),
            (Some(data), DataShape::Values { types, interval }) => {
                self.value_data(data, types, *interval).map(Some)
            }
        }
    }

    fn value_data(&mut self, data: &Expr, types: &[Type], interval: bool) -> Option<ElementData> {
        let mut items = Vec::new();
        self.flatten_concat(data, &mut items)?;
        if items.len() != types.len() {
            let message = format!(
                "the map's data has {} parts, the element's {}",
                types.len(),
                items.len()
            );
            return self.error(Code::WrongType, data.span, message);
        }
        let single = types.len() == 1 && !interval;
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        let before = self.scope;
        for ((item, scope), ty) in items.into_iter().zip(types) {
            self.scope = scope;
            let constant = self.constant(item, *ty);
            self.scope = before;
            let constant = constant?;
            if !interval && !matches!(constant, Constant::Value(_)) {
                return self.error(
                    Code::NotConstant,
                    item.span,
                    "a range cannot stand here, a single value is wanted",
                );
            }
            let (low, high) = constant.bounds(*ty);
            if single {
                return Some(ElementData::Value(ty.encode(low)));
            }
            push_padded(&mut lows, *ty, low);
            push_padded(&mut highs, *ty, high);
        }
        if interval {
            lows.extend_from_slice(&highs);
        }
        Some(wide(&lows))
    }
}

/// Bytes of a map's data as one or several registers.
fn wide(bytes: &[u8]) -> ElementData {
    if let Some(data) = Data::new(bytes) {
        return ElementData::Value(data);
    }
    let mut parts = [Data::zero(0); 4];
    for (part, chunk) in parts.iter_mut().zip(bytes.chunks(16)) {
        *part = Data::new(chunk).unwrap_or(Data::zero(0));
    }
    ElementData::Wide(parts)
}
