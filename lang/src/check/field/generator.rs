//! Numbers that rules make themselves: counted, random, hashed.

use super::Loaded;
use crate::ast::{Integer, Word};
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Load, Numgen};
use redan_vm::datatype::DataType;
use redan_vm::meta::ByteOrder;
use redan_vm::ruleset::StateSpec;

impl RuleCheck<'_, '_> {
    pub(super) fn numgen(
        &mut self,
        span: Span,
        mode: Word,
        modulus: Integer,
        offset: Option<Integer>,
    ) -> Option<Loaded> {
        let (modulus, offset) = self.generator(span, modulus, offset)?;
        let random = self.cx.text(mode) == "random";
        let state = self.cx.add_state(StateSpec::Numgen);
        let load = Load::Numgen(Numgen {
            random,
            modulus,
            offset,
            state,
        });
        Some((load, Type::new(DataType::Integer, 32, ByteOrder::Host)))
    }

    pub(super) fn symhash(
        &mut self,
        span: Span,
        modulus: Integer,
        offset: Option<Integer>,
    ) -> Option<Loaded> {
        let (modulus, offset) = self.generator(span, modulus, offset)?;
        Some((
            Load::Symhash { modulus, offset },
            Type::new(DataType::Integer, 32, ByteOrder::Host),
        ))
    }

    /// Modulus and offset of a number generator or hash.
    pub(in crate::check) fn generator(
        &mut self,
        span: Span,
        modulus: Integer,
        offset: Option<Integer>,
    ) -> Option<(u32, u32)> {
        let fits = |value: u128| u32::try_from(value).ok();
        let (modulus, offset) = (
            fits(modulus.value()),
            fits(offset.map_or(0, Integer::value)),
        );
        match (modulus, offset) {
            (Some(modulus), Some(offset))
                if modulus > 0 && modulus.checked_add(offset).is_some() =>
            {
                Some((modulus, offset))
            }
            _ => self.cx.error(
                Code::ValueOutOfRange,
                span,
                "modulus must be 1 or more, and with the offset fit 32 bits",
            ),
        }
    }
}
