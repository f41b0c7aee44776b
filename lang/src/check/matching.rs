//! Matches: a field and what it is compared with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::rule::RuleCheck;
use super::{Constant, describe};
use crate::ast::{self, Expr, ExprKind, MatchOp, SetLit};
use crate::datatype::{Base, Type, mask};
use crate::diag::Code;
use crate::sets::DataShape;
use crate::source::Span;
use crate::typed::{Load, Match, Operand, Relation, ShiftDir, StmtKind, Value, ValueKind};
use redan_vm::ct::CtKey;
use redan_vm::datatype::DataType;
use redan_vm::instr::{FibResult, fib_flags};
use redan_vm::meta::MetaKey;

impl RuleCheck<'_, '_> {
    /// Types a match.
    pub(super) fn matching(&mut self, span: Span, found: &ast::Match) -> Option<()> {
        let mut left = self.lookup_key(&found.left, &found.right)?;
        let (right, scope) = self.cx.resolve(&found.right)?;
        self.presence_of_route(&mut left, right);
        let typed = self.scoped(scope, |check| {
            check.compare(left, found.op, found.op_span, right)
        })?;
        self.learn_match(&typed);
        self.push(span, StmtKind::Match(Box::new(typed)));
        Some(())
    }

    /// `fib ... exists` asks whether there is a route, not which.
    fn presence_of_route(&mut self, left: &mut Value, right: &Expr) {
        let ValueKind::Load(load) = &mut left.kind else {
            return;
        };
        let asks = matches!(&right.kind, ExprKind::Symbol(word) if matches!(self.cx.text(*word), "exists" | "missing"));
        if let Load::Fib {
            flags,
            result: FibResult::Oif | FibResult::Oifname,
        } = load.as_mut()
            && asks
        {
            *flags |= fib_flags::PRESENT;
            left.ty = Type::of(DataType::Boolean);
        }
    }

    fn compare(&mut self, left: Value, op: MatchOp, op_span: Span, right: &Expr) -> Option<Match> {
        if matches!(&left.kind, ValueKind::Load(load) if load.is_secmark()) {
            return self.cx.error(
                Code::NotConstant,
                right.span,
                "secmark cannot be compared with a constant: its numbers change",
            );
        }
        let explicit = op != MatchOp::Implicit;
        let finish = |left, relation, right| {
            Some(Match {
                left,
                relation,
                right,
                explicit,
            })
        };
        match &right.kind {
            ExprKind::Set(lit) => {
                let relation = self.equality(op, op_span)?;
                self.refuse_bare_address(&left)?;
                self.in_literal(left, relation, explicit, lit)
            }
            ExprKind::SetRef(word) => {
                let relation = self.equality(op, op_span)?;
                self.refuse_bare_address(&left)?;
                let set = self.cx.find_set(self.place.table, *word)?;
                self.check_set_key(&left, set, *word)?;
                finish(left, relation, Operand::Set(set))
            }
            ExprKind::FlagMatch(sides) => self.flag_match(left, op, op_span, &sides.0, &sides.1),
            ExprKind::List(items) => {
                let flags = self.cx.flags(right.span, items, left.ty)?;
                self.with_value(left, op, Constant::Value(flags), right.span)
            }
            _ if matches!(left.kind, ValueKind::Concat(_)) => self.cx.error_help(
                Code::WrongType,
                right.span,
                "a concatenation is compared with sets and maps, not with single values",
                "write a set: `{ ... }`",
            ),
            _ if self.is_field(right) && !is_value_word(right) => self.cx.error_help(
                Code::NotConstant,
                right.span,
                "the right side of a match must be a constant",
                "compare with a value, a set or a map; two fields cannot be compared",
            ),
            _ => {
                let constant = self.cx.constant(right, left.ty)?;
                self.with_value(left, op, constant, right.span)
            }
        }
    }

    /// Connection addresses without a family have no width that a set could have.
    pub(super) fn refuse_bare_address(&mut self, value: &Value) -> Option<()> {
        for part in value.parts() {
            if let ValueKind::Load(load) = &part.kind
                && matches!(
                    load.as_ref(),
                    Load::Ct {
                        key: CtKey::Saddr | CtKey::Daddr,
                        ..
                    }
                )
            {
                return self.cx.error_help(
                    Code::MissingProtocol,
                    part.span,
                    "specify either ip or ip6 for address matching",
                    "for example `ct original ip saddr`",
                );
            }
        }
        Some(())
    }

    /// Equal or not; everything else makes no sense with a set.
    fn equality(&mut self, op: MatchOp, span: Span) -> Option<Relation> {
        match op {
            MatchOp::Implicit | MatchOp::Eq => Some(Relation::Eq),
            MatchOp::Ne => Some(Relation::Ne),
            MatchOp::Lt | MatchOp::Gt | MatchOp::Le | MatchOp::Ge | MatchOp::Not => self.cx.error(
                Code::WrongType,
                span,
                "only `==` and `!=` go with sets, ranges and prefixes",
            ),
        }
    }

    /// A match against one constant.
    fn with_value(
        &mut self,
        left: Value,
        op: MatchOp,
        constant: Constant,
        span: Span,
    ) -> Option<Match> {
        let explicit = op != MatchOp::Implicit;
        let (left, constant) = self.unshift(left, constant, span)?;
        let finish = |relation, right| {
            Some(Match {
                left: left.clone(),
                relation,
                right,
                explicit,
            })
        };
        let flags = left.ty.base() == Base::Bitmask && matches!(left.kind, ValueKind::Load(_));
        let value = match constant {
            Constant::Value(value) => value,
            Constant::Range(low, high) => {
                let relation = self.equality(op, span)?;
                // a time of day around midnight is everything but the rest of the day
                return match (low > high, relation) {
                    (true, Relation::Eq) => finish(Relation::Ne, Operand::Range(high, low)),
                    (true, _) => finish(Relation::Eq, Operand::Range(high, low)),
                    (false, _) => finish(relation, Operand::Range(low, high)),
                };
            }
            Constant::Prefix { value, len } if len == left.ty.bits && !is_bit_field(&left) => value,
            Constant::Prefix { value, len } => {
                let relation = self.equality(op, span)?;
                return finish(relation, Operand::Prefix { value, len });
            }
        };
        match op {
            MatchOp::Implicit if flags => finish(Relation::Eq, Operand::Flags(value)),
            MatchOp::Not if flags => finish(Relation::Ne, Operand::Flags(value)),
            MatchOp::Not => self.cx.error(
                Code::WrongType,
                span,
                "`!` goes with flags only; write `!=`",
            ),
            MatchOp::Implicit | MatchOp::Eq => finish(Relation::Eq, Operand::Value(value)),
            MatchOp::Ne => finish(Relation::Ne, Operand::Value(value)),
            MatchOp::Lt => finish(Relation::Lt, Operand::Value(value)),
            MatchOp::Gt => finish(Relation::Gt, Operand::Value(value)),
            MatchOp::Le => finish(Relation::Le, Operand::Value(value)),
            MatchOp::Ge => finish(Relation::Ge, Operand::Value(value)),
        }
    }

    /// A shift on the left side is undone on the right, as nft's `binop_transfer` does it: `x << 2 == 8` is `x == 2`, `x >> 2 == 1` compares x without its
    /// last two bits.
    fn unshift(
        &mut self,
        left: Value,
        constant: Constant,
        span: Span,
    ) -> Option<(Value, Constant)> {
        let ValueKind::Shift { from, dir, bits } = left.kind else {
            return Some((left, constant));
        };
        let all = from.whole_bits();
        let back = |value: u128| match dir {
            ShiftDir::Left => (value.trailing_zeros() >= bits).then(|| value >> bits),
            ShiftDir::Right => value.checked_shl(bits).filter(|value| value & !all == 0),
        };
        let found = match constant {
            Constant::Value(value) => back(value).map(Constant::Value),
            Constant::Range(low, high) => back(low)
                .zip(back(high))
                .map(|(low, high)| Constant::Range(low, high)),
            Constant::Prefix { .. } => {
                let kind = ValueKind::Shift { from, dir, bits };
                return Some((Value { kind, ..left }, constant));
            }
        };
        let Some(constant) = found else {
            return self.cx.error_help(
                Code::BadRange,
                span,
                "comparison is always false",
                "the shifted value never has such bits",
            );
        };
        let left = match dir {
            ShiftDir::Left => *from,
            ShiftDir::Right => Value {
                kind: ValueKind::Bits {
                    from,
                    mask: all & !mask(bits),
                    xor: 0,
                },
                ..left
            },
        };
        Some((left, constant))
    }

    /// `tcp flags syn / syn,ack`.
    fn flag_match(
        &mut self,
        left: Value,
        op: MatchOp,
        op_span: Span,
        value: &Expr,
        mask: &Expr,
    ) -> Option<Match> {
        let relation = self.equality(op, op_span)?;
        if left.ty.base() != Base::Bitmask {
            return self.cx.error_help(
                Code::WrongType,
                value.span,
                format!("`value / mask` is for flags, not for {}", describe(left.ty)),
                "a net is written with the number of its bits: `10.0.0.0/24`; other masks with `&`: `ip saddr & 255.0.0.255 == 10.0.0.1`",
            );
        }
        let (value, mask) = (
            self.cx.single(value, left.ty)?,
            self.cx.single(mask, left.ty)?,
        );
        let ty = left.ty;
        let masked = Value {
            span: left.span,
            ty,
            kind: ValueKind::Bits {
                from: Box::new(left),
                mask,
                xor: 0,
            },
        };
        Some(Match {
            left: masked,
            relation,
            right: Operand::Value(value),
            explicit: true,
        })
    }

    /// A match against a literal set; a single plain element is no set.
    fn in_literal(
        &mut self,
        left: Value,
        relation: Relation,
        explicit: bool,
        lit: &SetLit,
    ) -> Option<Match> {
        let (key, shape) = self.literal_shape(left.clone(), lit, DataShape::None);
        let collected = self.cx.collect(lit, &shape)?;
        if collected.len() == 0 && lit.spoilt {
            return None;
        }
        if collected.len() == 0 {
            return self.cx.error_help(
                Code::EmptySet,
                lit.span,
                "set is empty",
                "nothing could match it: name a set, which may be filled later",
            );
        }
        if collected.len() == 1
            && collected.catchall.is_none()
            && let Some(constant) = collected.only
        {
            let op = match (relation, explicit) {
                (Relation::Ne, _) => MatchOp::Ne,
                (_, false) => MatchOp::Implicit,
                (_, true) => MatchOp::Eq,
            };
            return self.with_value(left, op, constant, lit.span);
        }
        let set = self.anonymous(lit.span, "__set%d", &shape, collected)?;
        Some(Match {
            left: key,
            relation,
            right: Operand::Set(set),
            explicit,
        })
    }

    /// Narrows the protocols by a match.
    fn learn_match(&mut self, found: &Match) {
        if found.relation != Relation::Eq {
            return;
        }
        let ValueKind::Load(load) = &found.left.kind else {
            return;
        };
        let load = load.as_ref().clone();
        match &found.right {
            Operand::Value(value) => self.learn(&load, &[*value]),
            Operand::Set(set) => {
                let values = self.anonymous_values(*set, found.left.ty);
                self.learn(&load, &values);
                self.protocols.transport_in_set |=
                    values.is_empty() && matches!(load, Load::Meta(MetaKey::L4proto));
            }
            Operand::Range(..) | Operand::Prefix { .. } | Operand::Flags(_) => {}
        }
    }
}

/// Words such as `mark` that are keys elsewhere, but may be values here.
fn is_value_word(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Meta {
            explicit: false,
            ..
        }
    )
}

/// Whether a value is a load of some bits of a byte.
fn is_bit_field(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::Load(load) if load.bit_field().is_some())
}
