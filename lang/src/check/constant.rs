//! Constants: what a written value means for a type.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use crate::ast::{BinaryOp, Expr, ExprKind, Str};
use crate::datatype::{
    Base, Type, ValueError, local_to_utc, mask, read_number, read_str, read_symbol,
};
use crate::diag::Code;
use crate::resolve::Context;
use crate::source::Span;
use redan_vm::datatype::DataType;

/// A constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    /// One value.
    Value(u128),
    /// Both ends included.
    Range(u128, u128),
    /// The first `len` bits of a value whose other bits are zero.
    Prefix {
        /// The value.
        value: u128,
        /// How many bits count.
        len: u32,
    },
}

impl Constant {
    /// First and last value.
    pub(crate) fn bounds(self, ty: Type) -> (u128, u128) {
        match self {
            Self::Value(value) => (value, value),
            Self::Range(low, high) => (low, high),
            Self::Prefix { value, len } => (value, value | mask(ty.bits.saturating_sub(len))),
        }
    }
}

impl Context<'_> {
    /// What an expression means as a constant of a type.
    pub(crate) fn constant(&mut self, expr: &Expr, ty: Type) -> Option<Constant> {
        if self.too_deep() {
            return self.error(Code::TooDeep, expr.span, "expression nests too deeply");
        }
        match &expr.kind {
            ExprKind::Var(_) => self.with_resolved(expr, |cx, expr| cx.constant(expr, ty)),
            ExprKind::Symbol(word) => self.word(word.span, ty).map(Constant::Value),
            ExprKind::Meta {
                key,
                explicit: false,
            } => self.word(key.span, ty).map(Constant::Value),
            ExprKind::Str(text) | ExprKind::WildcardWord(text) => self.string(expr.span, *text, ty),
            ExprKind::Number(number) => self
                .number(expr.span, number.value(), ty)
                .map(Constant::Value),
            ExprKind::Ipv4(bytes) if ty.datatype == DataType::Ipv4Addr => {
                Some(Constant::Value(u128::from(u32::from_be_bytes(*bytes))))
            }
            ExprKind::Ipv6(bytes) if ty.datatype == DataType::Ipv6Addr => {
                Some(Constant::Value(u128::from_be_bytes(*bytes)))
            }
            ExprKind::Mac(bytes)
                if matches!(ty.datatype, DataType::EtherAddr | DataType::LlAddr) =>
            {
                Some(Constant::Value(
                    bytes
                        .iter()
                        .fold(0, |value, byte| value << 8 | u128::from(*byte)),
                ))
            }
            ExprKind::Time(ms) if matches!(ty.datatype, DataType::Time | DataType::Hour) => {
                self.time(expr.span, *ms, ty).map(Constant::Value)
            }
            ExprKind::Ipv4(_) | ExprKind::Ipv6(_) | ExprKind::Mac(_) | ExprKind::Time(_) => {
                self.other_literal(expr.span, ty)
            }
            ExprKind::Range(ends) => self.range(expr.span, &ends.0, &ends.1, ty),
            ExprKind::Prefix(parts) => self.prefix(expr.span, &parts.0, &parts.1, ty),
            ExprKind::Binary(op, sides) => self
                .fold(expr.span, *op, &sides.0, &sides.1, ty)
                .map(Constant::Value),
            ExprKind::List(items) => self.flags(expr.span, items, ty).map(Constant::Value),
            ExprKind::Set(_) | ExprKind::SetRef(_) => self.error(
                Code::NotConstant,
                expr.span,
                "a set cannot stand here, a single value is wanted",
            ),
            ExprKind::Concat(_) => self.error(
                Code::WrongType,
                expr.span,
                format!(
                    "a concatenation cannot stand here, {} is wanted",
                    describe(ty)
                ),
            ),
            ExprKind::CatchAll => self.error(
                Code::NotConstant,
                expr.span,
                "`*` stands only for all other elements of a set",
            ),
            _ => self.error(
                Code::NotConstant,
                expr.span,
                format!("a constant is wanted here: {}", describe(ty)),
            ),
        }
    }

    /// A single value.
    pub(crate) fn single(&mut self, expr: &Expr, ty: Type) -> Option<u128> {
        match self.constant(expr, ty)? {
            Constant::Value(value) => Some(value),
            Constant::Range(..) => self.error(
                Code::NotConstant,
                expr.span,
                "a range cannot stand here, a single value is wanted",
            ),
            Constant::Prefix { .. } => self.error(
                Code::NotConstant,
                expr.span,
                "a prefix cannot stand here, a single value is wanted",
            ),
        }
    }

    fn word(&mut self, span: Span, ty: Type) -> Option<u128> {
        let text = self.sources.text(span);
        if matches!(text, "exists" | "missing") && ty.datatype != DataType::Boolean {
            let message = format!(
                "datatype mismatch, expected {}, `{text}` is a boolean",
                describe(ty)
            );
            return self.error(Code::WrongType, span, message);
        }
        if ty.datatype == DataType::IfaceIndex {
            return Some(u128::from(self.interface(text)));
        }
        match read_symbol(ty, text, self.options.clock) {
            Ok(value) => Some(value),
            Err(error) => self.value_error(span, ty, &error),
        }
    }

    fn other_literal(&mut self, span: Span, ty: Type) -> Option<Constant> {
        let text = self.sources.text(span);
        match read_symbol(ty, text, self.options.clock) {
            Ok(value) => Some(Constant::Value(value)),
            Err(_) => self.error(
                Code::WrongType,
                span,
                format!("`{text}` is no {}", describe(ty)),
            ),
        }
    }

    fn string(&mut self, span: Span, text: Str, ty: Type) -> Option<Constant> {
        let body = text.text(self.sources).replace("\\*", "*");
        if ty.datatype == DataType::IfaceIndex {
            if text.wildcard {
                return self.error_help(
                    Code::BadString,
                    span,
                    "no interface has this name: one is meant by its number here",
                    "wildcards belong to names: `iifname` and `oifname` take them",
                );
            }
            return Some(Constant::Value(u128::from(self.interface(&body))));
        }
        if text.wildcard {
            if ty.base() != Base::String || body.is_empty() {
                return self.error(
                    Code::BadString,
                    span,
                    "a wildcard needs a name in front of it",
                );
            }
            let bits = u32::try_from(body.len())
                .unwrap_or(u32::MAX)
                .saturating_mul(8);
            return match read_str(ty, &body, self.options.clock) {
                Ok(value) => Some(Constant::Prefix { value, len: bits }),
                Err(error) => self.value_error(span, ty, &error),
            };
        }
        match read_str(ty, &body, self.options.clock) {
            Ok(value) => Some(Constant::Value(value)),
            Err(error) => self.value_error(span, ty, &error),
        }
    }

    fn number(&mut self, span: Span, value: u128, ty: Type) -> Option<u128> {
        let read = match ty.datatype {
            DataType::String | DataType::Ifname => {
                read_str(ty, self.sources.text(span), self.options.clock)
            }
            _ => read_number(ty, value, self.options.clock),
        };
        match read {
            Ok(value) => Some(value),
            Err(error) => self.value_error(span, ty, &error),
        }
    }

    fn time(&mut self, span: Span, ms: u64, ty: Type) -> Option<u128> {
        let value = u128::from(ms);
        if ty.datatype == DataType::Hour {
            let secs = i64::try_from(value / 1000).unwrap_or(i64::MAX);
            let offset = self.options.clock.utc_offset_secs;
            return match local_to_utc(secs, offset) {
                Some(secs) => Some(secs),
                None => self.value_error(span, ty, &ValueError::Time("time of day")),
            };
        }
        if value > ty.max() {
            return self.error(
                Code::ValueOutOfRange,
                span,
                format!("{value} ms exceed valid range 0-{}", ty.max()),
            );
        }
        Some(value)
    }

    fn range(&mut self, span: Span, low: &Expr, high: &Expr, ty: Type) -> Option<Constant> {
        let (low, high) = (self.single(low, ty), self.single(high, ty));
        let (low, high) = (low?, high?);
        if ty.base() == Base::String {
            let message = format!("ranges are undefined for {}", describe(ty));
            return self.error_help(
                Code::WrongType,
                span,
                message,
                "name each in a set, or write a name with a `*` at its end",
            );
        }
        if low > high {
            // hours of a day may pass midnight in UTC
            if ty.datatype == DataType::Hour {
                return Some(Constant::Range(low, high));
            }
            return self.error_help(
                Code::BadRange,
                span,
                "range has negative size",
                "write the smaller value first",
            );
        }
        Some(Constant::Range(low, high))
    }

    fn prefix(&mut self, span: Span, value: &Expr, len: &Expr, ty: Type) -> Option<Constant> {
        let value = self.single(value, ty)?;
        let bits = Type::new(DataType::Integer, 32, redan_vm::meta::ByteOrder::Network);
        let written = self.single(len, bits)?;
        if written > u128::from(ty.bits) || ty.base() == Base::String {
            let message = format!(
                "prefix length {written} is invalid for {} of {} bits",
                describe(ty),
                ty.bits
            );
            return self.error(Code::BadRange, span, message);
        }
        let len = u32::try_from(written).ok()?;
        Some(Constant::Prefix {
            value: value & !mask(ty.bits - len),
            len,
        })
    }

    fn fold(
        &mut self,
        span: Span,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        ty: Type,
    ) -> Option<u128> {
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        let right_type = if shift {
            Type::new(DataType::Integer, 32, ty.order)
        } else {
            ty
        };
        let (left, right) = (self.single(left, ty), self.single(right, right_type));
        let (left, right) = (left?, right?);
        let bits = u32::try_from(right).unwrap_or(u32::MAX);
        let value = match op {
            BinaryOp::And => left & right,
            BinaryOp::Or => left | right,
            BinaryOp::Xor => left ^ right,
            BinaryOp::Shl => left.checked_shl(bits).unwrap_or(0),
            BinaryOp::Shr => left.checked_shr(bits).unwrap_or(0),
        };
        if value > ty.max() {
            return self.error(
                Code::ValueOutOfRange,
                span,
                format!("value {value} exceeds valid range 0-{}", ty.max()),
            );
        }
        Some(value)
    }

    /// Flags with commas between them.
    pub(crate) fn flags(&mut self, span: Span, items: &[Expr], ty: Type) -> Option<u128> {
        if ty.base() != Base::Bitmask {
            return self.error_help(
                Code::WrongType,
                span,
                format!(
                    "a list without braces is for flags, not for {}",
                    describe(ty)
                ),
                "write a set: `{ ... }`",
            );
        }
        let values: Vec<Option<u128>> = items.iter().map(|item| self.single(item, ty)).collect();
        values
            .into_iter()
            .try_fold(0, |all, value| value.map(|value| all | value))
    }
}

/// A type in words.
pub(crate) fn describe(ty: Type) -> &'static str {
    crate::datatype::info(ty.datatype).description
}
