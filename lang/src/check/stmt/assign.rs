//! Statements that write: `meta mark set 1`, `ip ttl set 64`, `reset tcp option`; what can be written, and with values of which type.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use crate::ast::{Expr, ExprKind, ObjectKind, Word};
use crate::check::describe;
use crate::check::map::storable;
use crate::check::rule::RuleCheck;
use crate::datatype::{Base, Type};
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Load, StmtKind, Value, ValueKind};
use redan_vm::ct::CtKey;
use redan_vm::datatype::DataType;
use redan_vm::instr::ExthdrOp;
use redan_vm::meta::{ByteOrder, MetaKey};

impl RuleCheck<'_, '_> {
    /// `meta mark set 1`, `ip ttl set 64`, ...
    pub(super) fn set(&mut self, span: Span, field: &Expr, value: &Expr) -> Option<()> {
        let target = match &field.kind {
            ExprKind::Meta { key, .. } if matches!(self.cx.text(*key), "secpath" | "ipsec") => {
                return self
                    .cx
                    .error(Code::BadFlag, field.span, "this meta key cannot be set");
            }
            ExprKind::Ct {
                key, family: None, ..
            } if self.cx.text(*key) == "zone" || self.cx.text(*key) == "event" => {
                self.field(field)??
            }
            _ => match self.field(field)? {
                Some(target) => target,
                None => {
                    return self
                        .cx
                        .error(Code::NotConstant, field.span, "only a field can be set");
                }
            },
        };
        let ValueKind::Load(load) = &target.kind else {
            return None;
        };
        self.check_settable(load, field.span)?;
        if matches!(load.as_ref(), Load::Meta(MetaKey::Secmark)) && self.names_object(value)? {
            return self.objref(span, ObjectKind::Secmark, value);
        }
        let mut want = target.ty;
        if matches!(load.as_ref(), Load::Meta(MetaKey::Nftrace)) {
            want = Type::new(DataType::Boolean, 1, ByteOrder::Host);
        }
        let (resolved, scope) = self.cx.resolve(value)?;
        let value = match &resolved.kind {
            ExprKind::List(items) => {
                let flags =
                    self.scoped(scope, |check| check.cx.flags(resolved.span, items, want))?;
                Value::constant(resolved.span, want, flags)
            }
            _ => self.value(value, want)?,
        };
        self.check_stored(&value, want)?;
        if load.is_secmark() && matches!(value.kind, ValueKind::Const(_)) {
            return self.cx.error_help(
                Code::NotConstant,
                value.span,
                "secmark must not be set to constant value",
                "numbers of security marks change: name a secmark object, or copy the other secmark",
            );
        }
        let target = load.clone();
        self.push(
            span,
            StmtKind::Set {
                target,
                value: Box::new(value),
            },
        );
        Some(())
    }

    /// Whether a value is the name of an object, or a map that gives one.
    fn names_object(&mut self, value: &Expr) -> Option<bool> {
        let (resolved, _) = self.cx.resolve(value)?;
        Some(matches!(
            resolved.kind,
            ExprKind::Symbol(_) | ExprKind::Str(_) | ExprKind::Map(_)
        ))
    }

    fn check_settable(&mut self, load: &Load, span: Span) -> Option<()> {
        let settable = match load {
            Load::Meta(key) => matches!(
                key,
                MetaKey::Mark
                    | MetaKey::Priority
                    | MetaKey::Nftrace
                    | MetaKey::Pkttype
                    | MetaKey::Secmark
                    | MetaKey::Broute
            ),
            Load::Ct { key, .. } => matches!(
                key,
                CtKey::Mark | CtKey::Zone | CtKey::Event | CtKey::Label | CtKey::Secmark
            ),
            Load::Payload { .. } => true,
            // nft_exthdr.c: nft_exthdr_tcp_set_init
            Load::Exthdr {
                op: ExthdrOp::Tcpopt,
                present: false,
                bits,
                ..
            } if !matches!(bits.div_ceil(8), 2 | 4) => {
                return self.cx.error(
                    Code::BadFlag,
                    span,
                    "in TCP options only fields of 2 or 4 bytes can be set",
                );
            }
            Load::Exthdr { op, present, .. } => *op == ExthdrOp::Tcpopt && !present,
            Load::Inner { .. } => {
                return self.cx.error(
                    Code::BadFlag,
                    span,
                    "fields of packets inside a tunnel cannot be set",
                );
            }
            Load::Fib { .. }
            | Load::Rt(_)
            | Load::Socket(_)
            | Load::Osf { .. }
            | Load::Xfrm { .. }
            | Load::Tunnel(_)
            | Load::Numgen(_)
            | Load::Symhash { .. } => false,
        };
        if !settable {
            return self.cx.error(
                Code::BadFlag,
                span,
                format!("`{}` can be read, but not set", self.cx.sources.text(span)),
            );
        }
        Some(())
    }

    /// Whether a value's type may be stored there.
    pub(super) fn check_stored(&mut self, value: &Value, want: Type) -> Option<()> {
        let load = match &value.kind {
            ValueKind::Const(_) => return Some(()),
            ValueKind::Load(load) => Some(load),
            ValueKind::Swap(from) => match &from.kind {
                ValueKind::Load(load) => Some(load),
                _ => None,
            },
            _ => None,
        };
        // plain numbers of a packet are as wide as they are; other numbers, and bits of a byte, are made to fit
        let exact = load.is_some_and(|load| {
            matches!(load.as_ref(), Load::Payload { .. }) && load.bit_field().is_none()
        }) && value.ty.datatype == DataType::Integer;
        if storable(value.ty, want)
            && !(exact && (value.ty.bits != want.bits || want.base() != Base::Integer))
        {
            return Some(());
        }
        let message = format!(
            "datatype mismatch: expected {}, expression has type {}",
            describe(want),
            describe(value.ty)
        );
        self.cx.error(Code::WrongType, value.span, message)
    }

    pub(super) fn reset_option(&mut self, span: Span, kind: Word) -> Option<()> {
        let found = self.tcp_option(span, kind, None)?;
        match found.0 {
            Load::Exthdr { kind, .. } => {
                self.push(span, StmtKind::ResetTcpOption(kind));
                Some(())
            }
            _ => None,
        }
    }
}
