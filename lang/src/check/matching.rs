//! Matches: a field and what it is compared with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::rule::RuleCheck;
use super::{Constant, describe};
use crate::ast::{self, Expr, ExprKind, MatchOp, SetLit, Word};
use crate::datatype::{Base, Type};
use crate::diag::Code;
use crate::sets::{DataShape, Shape};
use crate::source::Span;
use crate::typed::{Load, Match, Operand, Relation, SetInfo, StmtKind, Value, ValueKind};
use redan_vm::datatype::DataType;
use redan_vm::ids::SetId;
use redan_vm::instr::FibResult;
use redan_vm::ruleset::{Set, SetData, set_flags};

impl<'a> RuleCheck<'_, 'a> {
    /// Types a match.
    pub(super) fn matching(&mut self, span: Span, found: &'a ast::Match) -> Option<()> {
        let mut left = self.key(&found.left)?;
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
            *flags |= redan_vm::instr::fib_flags::PRESENT;
            left.ty = Type::of(DataType::Boolean);
        }
    }

    fn compare(
        &mut self,
        left: Value,
        op: MatchOp,
        op_span: Span,
        right: &'a Expr,
    ) -> Option<Match> {
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
                        key: redan_vm::ct::CtKey::Saddr | redan_vm::ct::CtKey::Daddr,
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
        let finish = |relation, right| {
            Some(Match {
                left: left.clone(),
                relation,
                right,
                explicit,
            })
        };
        if matches!(&left.kind, ValueKind::Load(load) if super::stmt::is_secmark(load)) {
            return self.cx.error(
                Code::NotConstant,
                span,
                "secmark cannot be compared with a constant: its numbers change",
            );
        }
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
            MatchOp::Lt => self.ordered(left, Relation::Lt, value, explicit, span),
            MatchOp::Gt => self.ordered(left, Relation::Gt, value, explicit, span),
            MatchOp::Le => self.ordered(left, Relation::Le, value, explicit, span),
            MatchOp::Ge => self.ordered(left, Relation::Ge, value, explicit, span),
        }
    }

    fn ordered(
        &mut self,
        left: Value,
        relation: Relation,
        value: u128,
        explicit: bool,
        span: Span,
    ) -> Option<Match> {
        if left.ty.base() == Base::String {
            return self
                .cx
                .error(Code::WrongType, span, "strings have no order");
        }
        Some(Match {
            left,
            relation,
            right: Operand::Value(value),
            explicit,
        })
    }

    /// `tcp flags syn / syn,ack`.
    fn flag_match(
        &mut self,
        left: Value,
        op: MatchOp,
        op_span: Span,
        value: &'a Expr,
        mask: &'a Expr,
    ) -> Option<Match> {
        let relation = self.equality(op, op_span)?;
        if left.ty.base() != Base::Bitmask {
            return self.cx.error(
                Code::WrongType,
                value.span,
                format!("`value / mask` is for flags, not for {}", describe(left.ty)),
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
        lit: &'a SetLit,
    ) -> Option<Match> {
        let mut shape = self.shape(&left, DataShape::None);
        shape.interval = self.cx.has_ranges(lit, false);
        let collected = self.cx.collect(lit, &shape)?;
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
            left,
            relation,
            right: Operand::Set(set),
            explicit,
        })
    }

    /// What elements of a set for this key look like.
    pub(super) fn shape(&self, key: &Value, data: DataShape) -> Shape {
        let (shift, wide_bits) = match &key.kind {
            ValueKind::Load(load) => load.bit_field().map_or((0, key.ty.bits), |(shift, bits)| {
                (shift, (shift + bits).div_ceil(8) * 8)
            }),
            _ => (0, key.ty.bits),
        };
        Shape {
            key: key.types(),
            data,
            interval: false,
            shift,
            wide_bits,
            table: self.place.table,
        }
    }

    /// Makes an anonymous set or map.
    pub(super) fn anonymous(
        &mut self,
        span: Span,
        name: &str,
        shape: &Shape,
        collected: crate::sets::Collected,
    ) -> Option<SetId> {
        let mut flags = set_flags::ANONYMOUS | set_flags::CONSTANT;
        if shape.interval {
            flags |= set_flags::INTERVAL
                | if shape.is_concat() {
                    set_flags::CONCAT
                } else {
                    0
                };
        }
        flags |= match &shape.data {
            DataShape::None => 0,
            DataShape::Values { .. } | DataShape::Verdict => set_flags::MAP,
            DataShape::Object(_) => set_flags::OBJECT,
        };
        let info = SetInfo {
            span,
            key: shape.key.clone(),
            data: data_types(&shape.data),
            data_interval: matches!(shape.data, DataShape::Values { interval: true, .. }),
            auto_merge: matches!(shape.data, DataShape::None),
            in_place: true,
            swapped: shape.interval,
            is_typeof: true,
            used: true,
        };
        let set = self.cx.add_set(new_set(name, flags, shape), info);
        self.sets.push(set);
        self.cx.add_elements(set, shape, collected);
        if let Some(pending) = self.cx.pending.remove(&set) {
            let before = self.cx.diagnostics.len();
            self.cx.settle(set, shape, pending);
            if self.cx.diagnostics.len() > before {
                return None;
            }
        }
        Some(set)
    }

    /// An anonymous set of plain values, for matches that a field implies.
    pub(super) fn value_set(&mut self, span: Span, ty: Type, values: &[u128]) -> SetId {
        let shape = Shape {
            key: vec![ty],
            data: DataShape::None,
            interval: false,
            shift: 0,
            wide_bits: ty.bits,
            table: self.place.table,
        };
        let mut set = new_set(
            "__set%d",
            set_flags::ANONYMOUS | set_flags::CONSTANT,
            &shape,
        );
        for value in values {
            set.elements
                .keys
                .extend_from_slice(ty.encode(*value).as_bytes());
            set.elements.flags.push(0);
        }
        let info = SetInfo {
            span,
            key: shape.key,
            data: Vec::new(),
            data_interval: false,
            auto_merge: true,
            in_place: true,
            swapped: false,
            is_typeof: true,
            used: true,
        };
        let id = self.cx.add_set(set, info);
        self.sets.push(id);
        id
    }

    /// Checks that a named set can hold a key.
    pub(super) fn check_set_key(&mut self, key: &Value, set: SetId, word: Word) -> Option<()> {
        let Some(info) = self.cx.set_info(set) else {
            return Some(());
        };
        let have = key.types();
        let fits = have.len() == info.key.len()
            && have
                .iter()
                .zip(&info.key)
                .all(|(have, want)| compatible(*have, *want));
        if fits {
            return Some(());
        }
        let (want, have) = (words(&info.key), words(&have));
        let (place, span) = (info.span, word.span);
        let name = self.cx.text(word);
        self.cx.report(
            crate::diag::Diagnostic::new(
                Code::WrongType,
                span,
                format!("datatype mismatch: set `{name}` holds {want}, the expression is {have}"),
            )
            .related(place, "the set"),
        );
        None
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
            }
            Operand::Range(..) | Operand::Prefix { .. } | Operand::Flags(_) => {}
        }
    }

    /// The single values of an anonymous set without ranges.
    fn anonymous_values(&self, set: SetId, ty: Type) -> Vec<u128> {
        let Some(set) = self.cx.ruleset.sets.get(set.index()) else {
            return Vec::new();
        };
        let plain = set.flags & set_flags::ANONYMOUS != 0
            && set.flags & set_flags::INTERVAL == 0
            && set.key_parts.len() == 1;
        if !plain || set.elements.len() > 64 {
            return Vec::new();
        }
        let width = usize::from(set.key_len).max(1);
        set.elements
            .keys
            .chunks(width)
            .map(|key| crate::datatype::decode(key, ty.order))
            .collect()
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

/// An empty anonymous set.
pub(crate) fn new_set(name: &str, flags: u32, shape: &Shape) -> Set {
    let parts: Vec<u8> = match shape.key.as_slice() {
        [only] => vec![shape.key_type(*only).bytes()],
        parts => parts.iter().map(|ty| ty.bytes()).collect(),
    };
    let data = match &shape.data {
        DataShape::None => SetData::None,
        DataShape::Values { .. } => SetData::Value(shape.data.bytes()),
        DataShape::Verdict => SetData::Verdict,
        DataShape::Object(kind) => SetData::Object(*kind),
    };
    Set {
        table: shape.table,
        name: name.to_owned(),
        flags,
        key_len: shape.key_bytes(),
        key_parts: parts,
        key_types: shape.key.iter().map(|ty| ty.datatype).collect(),
        data,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: redan_vm::ruleset::Elements::default(),
    }
}

/// Types of a map's data.
pub(crate) fn data_types(data: &DataShape) -> Vec<Type> {
    match data {
        DataShape::Values { types, .. } => types.clone(),
        DataShape::None | DataShape::Verdict | DataShape::Object(_) => Vec::new(),
    }
}

/// Whether values of one type can be looked up among those of another.
pub(crate) fn compatible(have: Type, want: Type) -> bool {
    have.datatype == want.datatype
        || (have.datatype == DataType::Integer
            && want.base() == Base::Integer
            && have.bits == want.bits)
        || (want.datatype == DataType::Integer
            && have.base() == Base::Integer
            && have.bits == want.bits)
}

fn words(types: &[Type]) -> String {
    types
        .iter()
        .map(|ty| describe(*ty))
        .collect::<Vec<_>>()
        .join(" . ")
}
