//! Values: fields, constants, and what is computed from them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::rule::RuleCheck;
use super::{Constant, describe};
use crate::ast::{BinaryOp, Expr, ExprKind};
use crate::datatype::{Base, Type};
use crate::diag::Code;
use crate::resolve::{Context, every};
use crate::source::Span;
use crate::typed::{Jhash, ShiftDir, Value, ValueKind};
use redan_vm::datatype::DataType;
use redan_vm::instr::BitwiseRegOp;
use redan_vm::meta::ByteOrder;

impl Value {
    pub(crate) fn constant(span: Span, ty: Type, value: u128) -> Self {
        Self {
            span,
            ty,
            kind: ValueKind::Const(value),
        }
    }

    /// The parts of a concatenation, or the value itself.
    pub(crate) fn parts(&self) -> &[Self] {
        match &self.kind {
            ValueKind::Concat(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }

    /// The types of its parts.
    pub(crate) fn types(&self) -> Vec<Type> {
        self.parts().iter().map(|part| part.ty).collect()
    }
}

impl RuleCheck<'_, '_> {
    /// What is looked at: the left side of a match, the key of a map or of a hash. Fields only, and what is computed from them.
    pub(crate) fn key(&mut self, expr: &Expr) -> Option<Value> {
        if self.cx.too_deep() {
            return self
                .cx
                .error(Code::TooDeep, expr.span, "expression nests too deeply");
        }
        if let Some(value) = self.field(expr)? {
            return Some(value);
        }
        match &expr.kind {
            ExprKind::Concat(items) => self.concat_key(expr.span, items),
            ExprKind::Binary(op, sides) => self.binary_key(expr.span, *op, &sides.0, &sides.1),
            ExprKind::Jhash {
                key,
                modulus,
                offset,
            } => {
                let (key, seed) = &**key;
                let (modulus, offset) = self.generator(expr.span, *modulus, *offset)?;
                let seed = match seed.map(|seed| u32::try_from(seed.value())) {
                    None => None,
                    Some(Ok(seed)) => Some(seed),
                    Some(Err(_)) => {
                        return self.cx.error(
                            Code::ValueOutOfRange,
                            expr.span,
                            "the seed has 32 bits",
                        );
                    }
                };
                let key = self.key(key)?;
                let ty = Type::new(DataType::Integer, 32, ByteOrder::Host);
                Some(Value {
                    span: expr.span,
                    ty,
                    kind: ValueKind::Jhash(Box::new(Jhash {
                        key,
                        modulus,
                        seed,
                        offset,
                    })),
                })
            }
            ExprKind::Var(_) => {
                let (resolved, scope) = self.cx.resolve(expr)?;
                self.scoped(scope, |check| check.key(resolved))
            }
            ExprKind::Map(_) => self.cx.error(
                Code::NotConstant,
                expr.span,
                "a map cannot be looked up by another map's result here",
            ),
            _ => {
                let text = self.cx.sources.text(expr.span);
                self.cx.error_help(
                    Code::UnknownField,
                    expr.span,
                    format!("`{text}` is no field"),
                    "a match starts with what is looked at, for example `tcp dport` or `ip saddr`",
                )
            }
        }
    }

    /// Runs `body` with another place to look variables up.
    pub(super) fn scoped<T>(
        &mut self,
        scope: crate::resolve::Scope,
        body: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let before = std::mem::replace(&mut self.cx.scope, scope);
        let found = body(self);
        self.cx.scope = before;
        found
    }

    /// What is looked up in a set or map: in a named one, parts of the key may be constants.
    pub(super) fn lookup_key(&mut self, key: &Expr, of: &Expr) -> Option<Value> {
        let has_constants = match &key.kind {
            ExprKind::Concat(items) => items.iter().any(is_literal),
            _ => false,
        };
        if has_constants
            && let ExprKind::SetRef(word) = &self.cx.resolve(of)?.0.kind
            && let Some(id) = self.cx.names.set(self.place.table, self.cx.text(*word))
        {
            let types = self.cx.set_info(id)?.key.clone();
            return self.key_of(key, &types);
        }
        self.key(key)
    }

    /// A key for a set of known types, in which parts may be constants.
    pub(super) fn key_of(&mut self, expr: &Expr, types: &[Type]) -> Option<Value> {
        if let ExprKind::Var(_) = expr.kind {
            let (resolved, scope) = self.cx.resolve(expr)?;
            return self.scoped(scope, |check| check.key_of(resolved, types));
        }
        match (&expr.kind, types) {
            (ExprKind::Concat(items), many) if many.len() == items.len() => {
                let parts = every(
                    items
                        .iter()
                        .zip(many)
                        .map(|(item, ty)| self.key_of(item, std::slice::from_ref(ty))),
                )?;
                self.concat(expr.span, parts)
            }
            (_, [ty]) if !self.is_field(expr) => self
                .cx
                .single(expr, *ty)
                .map(|value| Value::constant(expr.span, *ty, value)),
            _ => self.key(expr),
        }
    }

    fn concat_key(&mut self, span: Span, items: &[Expr]) -> Option<Value> {
        let first_implied = self.stmts.len();
        let parts = every(items.iter().map(|item| self.key(item)))?;
        // a constant may not lead an implied match apart from its key: implied matches of all parts come first
        debug_assert!(first_implied <= self.stmts.len());
        self.concat(span, parts)
    }

    pub(super) fn concat(&mut self, span: Span, parts: Vec<Value>) -> Option<Value> {
        let bytes: u32 = parts
            .iter()
            .map(|part| u32::from(part.ty.padded_bytes()))
            .sum();
        for part in &parts {
            self.refuse_bare_address(part)?;
            if part.ty.datatype == DataType::String {
                return self.cx.error_help(
                    Code::WrongType,
                    part.span,
                    "strings without a fixed size cannot be part of a concatenation",
                    "match it by itself, beside the others",
                );
            }
        }
        if bytes > 64 {
            return self.cx.error(
                Code::TooWide,
                span,
                format!("the concatenation has {bytes} bytes; 64 is the most"),
            );
        }
        let ty = parts.first()?.ty;
        Some(Value {
            span,
            ty,
            kind: ValueKind::Concat(parts),
        })
    }

    fn binary_key(&mut self, span: Span, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Value> {
        let left = self.key(left)?;
        self.combine(span, op, left, right)
    }

    /// `left op right`, where the right side is a constant of the left side's type, or another field.
    fn combine(&mut self, span: Span, op: BinaryOp, left: Value, right: &Expr) -> Option<Value> {
        let ty = left.ty;
        if matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            let by = Type::new(DataType::Integer, 32, ByteOrder::Host);
            let bits = self.cx.single(right, by)?;
            let limit = ty.bits.max(8);
            let Some(bits) = u32::try_from(bits).ok().filter(|bits| *bits < limit) else {
                return self.cx.error(
                    Code::ValueOutOfRange,
                    right.span,
                    format!("shift of {bits} bits exceeds the {limit} bits of the value"),
                );
            };
            return Some(shift(span, left, op, bits));
        }
        if self.is_field(right) {
            if !self.in_statement {
                return self.cx.error_help(
                    Code::NotConstant,
                    right.span,
                    "the right side of an operator in a match must be a constant",
                    "fields can be combined in values of statements only",
                );
            }
            let right = self.key(right)?;
            let op = match op {
                BinaryOp::And => BitwiseRegOp::And,
                BinaryOp::Or => BitwiseRegOp::Or,
                BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => BitwiseRegOp::Xor,
            };
            return Some(Value {
                span,
                ty,
                kind: ValueKind::BitsOf {
                    op,
                    sides: Box::new((left, right)),
                },
            });
        }
        let operand = self.cx.single(right, mask_type(ty))?;
        Some(bits(span, left, op, operand))
    }

    /// Whether an expression loads something.
    pub(super) fn is_field(&mut self, expr: &Expr) -> bool {
        is_field(self.cx, expr)
    }

    /// A value for a statement that wants a type: a constant, a field, something computed, or what a map gives.
    pub(crate) fn value(&mut self, expr: &Expr, want: Type) -> Option<Value> {
        if let ExprKind::Var(_) = expr.kind {
            let (resolved, scope) = self.cx.resolve(expr)?;
            return self.scoped(scope, |check| check.value(resolved, want));
        }
        if !self.is_field(expr) {
            return match self.cx.constant(expr, want)? {
                Constant::Value(value) => Some(Value::constant(expr.span, want, value)),
                Constant::Range(..) | Constant::Prefix { .. } => self.cx.error(
                    Code::NotConstant,
                    expr.span,
                    "a range cannot stand here, a single value is wanted",
                ),
            };
        }
        match &expr.kind {
            ExprKind::Map(sides) => self.map_value(expr.span, &sides.0, &sides.1, want),
            ExprKind::Binary(op, sides) => {
                let left = self.operand(&sides.0, want)?;
                let before = std::mem::replace(&mut self.in_statement, true);
                let found = self.combine(expr.span, *op, left, &sides.1);
                self.in_statement = before;
                found
            }
            _ => {
                let value = self.key(expr)?;
                self.convert(value, want)
            }
        }
    }

    /// The left side of an operator in a statement's value: as wide as what is wanted, so that no bit is lost.
    fn operand(&mut self, expr: &Expr, want: Type) -> Option<Value> {
        let mut value = self.value(expr, want)?;
        if value.ty.bits < want.bits && want.base() == Base::Integer {
            value.ty = Type::new(want.datatype, want.bits, value_order(&value, want));
        }
        Some(value)
    }

    /// Brings a loaded value into the byte order that a statement stores.
    fn convert(&mut self, value: Value, want: Type) -> Option<Value> {
        let (have, base) = (value.ty, value.ty.base());
        if (base == Base::String) != (want.base() == Base::String) {
            let message = format!("{} is wanted here, not {}", describe(want), describe(have));
            return self.cx.error(Code::WrongType, value.span, message);
        }
        let bit_field = matches!(&value.kind, ValueKind::Load(load) if load.bit_field().is_some());
        let narrow = have.bits <= 8 || want.bits <= 8 || bit_field || base == Base::String;
        if have.order == want.order || narrow {
            return Some(value);
        }
        let ty = Type::new(have.datatype, have.bits, want.order);
        Some(Value {
            span: value.span,
            ty,
            kind: ValueKind::Swap(Box::new(value)),
        })
    }
}

/// The byte order in which a loaded value lies once it is wide: bit fields end up as numbers of the machine.
fn value_order(value: &Value, want: Type) -> ByteOrder {
    match &value.kind {
        ValueKind::Load(load) if load.bit_field().is_some() => ByteOrder::Host,
        _ => want.order,
    }
}

/// Masks are numbers of the field's width; flags keep their names.
fn mask_type(ty: Type) -> Type {
    ty
}

/// `(from & mask) ^ xor` for an operator and a constant; neighbours fold into one.
fn bits(span: Span, left: Value, op: BinaryOp, operand: u128) -> Value {
    let all = match &left.kind {
        ValueKind::Bits { from, .. } => from.whole_bits(),
        _ => left.whole_bits(),
    };
    let (keep, flip) = match op {
        BinaryOp::And => (operand, 0),
        BinaryOp::Or => (all & !operand, operand),
        BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => (all, operand),
    };
    let ty = left.ty;
    let (from, mask, xor) = match left.kind {
        ValueKind::Bits { from, mask, xor } => (from, mask & keep, xor & keep ^ flip),
        ValueKind::Const(value) => return Value::constant(span, ty, value & keep ^ flip),
        kind => (
            Box::new(Value {
                span: left.span,
                ty,
                kind,
            }),
            keep,
            flip,
        ),
    };
    Value {
        span,
        ty,
        kind: ValueKind::Bits { from, mask, xor },
    }
}

fn shift(span: Span, left: Value, op: BinaryOp, by: u32) -> Value {
    let ty = left.ty;
    if let ValueKind::Const(value) = left.kind {
        let value = if op == BinaryOp::Shl {
            value.checked_shl(by)
        } else {
            value.checked_shr(by)
        };
        return Value::constant(span, ty, value.unwrap_or(0) & ty.max());
    }
    let dir = if op == BinaryOp::Shl {
        ShiftDir::Left
    } else {
        ShiftDir::Right
    };
    Value {
        span,
        ty,
        kind: ValueKind::Shift {
            from: Box::new(left),
            dir,
            bits: by,
        },
    }
}

/// Whether an expression loads something.
/// Whether an expression is a token that stands for a value.
fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Symbol(_)
            | ExprKind::Str(_)
            | ExprKind::WildcardWord(_)
            | ExprKind::Number(_)
            | ExprKind::Ipv4(_)
            | ExprKind::Ipv6(_)
            | ExprKind::Mac(_)
            | ExprKind::Time(_)
            | ExprKind::Var(_)
    )
}

fn is_field(cx: &mut Context<'_>, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Payload { .. }
        | ExprKind::RawPayload { .. }
        | ExprKind::Inner { .. }
        | ExprKind::Exthdr { .. }
        | ExprKind::ExthdrPresent(_)
        | ExprKind::TcpOption { .. }
        | ExprKind::RawTcpOption { .. }
        | ExprKind::IpOption { .. }
        | ExprKind::SctpChunk { .. }
        | ExprKind::DccpOption(_)
        | ExprKind::Meta { .. }
        | ExprKind::Ct { .. }
        | ExprKind::Fib { .. }
        | ExprKind::Rt { .. }
        | ExprKind::Socket { .. }
        | ExprKind::Osf { .. }
        | ExprKind::Ipsec { .. }
        | ExprKind::Tunnel { .. }
        | ExprKind::Numgen { .. }
        | ExprKind::Jhash { .. }
        | ExprKind::Symhash { .. }
        | ExprKind::Map(_) => true,
        ExprKind::Binary(_, sides) => is_field(cx, &sides.0) || is_field(cx, &sides.1),
        ExprKind::Concat(items) => items.iter().any(|item| is_field(cx, item)),
        ExprKind::Var(word) => cx.holds_of(*word, is_field),
        ExprKind::Symbol(_)
        | ExprKind::Str(_)
        | ExprKind::WildcardWord(_)
        | ExprKind::CatchAll
        | ExprKind::Number(_)
        | ExprKind::Ipv4(_)
        | ExprKind::Ipv6(_)
        | ExprKind::Mac(_)
        | ExprKind::Time(_)
        | ExprKind::Range(_)
        | ExprKind::Prefix(_)
        | ExprKind::SetRef(_)
        | ExprKind::Set(_)
        | ExprKind::List(_)
        | ExprKind::FlagMatch(_)
        | ExprKind::Verdict(_) => false,
    }
}
