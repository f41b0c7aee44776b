//! `queue`: packets that a program decides about.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use crate::ast::{self, Expr, ExprKind, Word};
use crate::check::Constant;
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::StmtKind;
use redan_vm::datatype::DataType;

impl RuleCheck<'_, '_> {
    pub(super) fn queue(&mut self, span: Span, num: Option<&Expr>, flags: &[Word]) -> Option<()> {
        let (mut bypass, mut fanout) = (false, false);
        for word in flags {
            match self.cx.text(*word) {
                "bypass" => bypass = true,
                "fanout" => fanout = true,
                other => {
                    return self.cx.unknown(
                        Code::BadFlag,
                        word.span,
                        "queue flag",
                        other,
                        ["bypass", "fanout"],
                    );
                }
            }
        }
        let want = Type::of(DataType::Queue);
        let mut value = None;
        let mut range = (0, 0);
        // without a number it is queue 0, which nft lets fan out
        let mut is_range = num.is_none();
        if let Some(num) = num {
            let (resolved, scope) = self.cx.resolve(num)?;
            let computed = matches!(
                resolved.kind,
                ExprKind::Numgen { .. }
                    | ExprKind::Jhash { .. }
                    | ExprKind::Symhash { .. }
                    | ExprKind::Map(_)
            );
            if computed {
                let before = Span::new(span.source, span.start, num.span.start.max(span.start));
                if self
                    .cx
                    .sources
                    .text(before)
                    .split_whitespace()
                    .any(|word| word == "num")
                {
                    return self.cx.error_help(
                        Code::NotConstant,
                        num.span,
                        "`queue num` takes a number or a range",
                        "write `queue to` in front of an expression",
                    );
                }
                self.check_queue_modulus(resolved)?;
                value = Some(Box::new(
                    self.scoped(scope, |check| check.value(resolved, want))?,
                ));
            } else if self.is_field(resolved) {
                return self.cx.error(
                    Code::NotConstant,
                    resolved.span,
                    "queue numbers come from numgen, a hash, a map or a constant",
                );
            } else {
                is_range = matches!(resolved.kind, ExprKind::Range(_));
                range = self.queue_numbers(resolved, want)?;
            }
        }
        if fanout && !is_range {
            return self.cx.error(
                Code::BadFlag,
                span,
                "fanout requires a range to be specified",
            );
        }
        self.terminal(span);
        self.push(
            span,
            StmtKind::Queue {
                num: range,
                value,
                bypass,
                fanout,
            },
        );
        Some(())
    }

    fn check_queue_modulus(&mut self, expr: &Expr) -> Option<()> {
        let (modulus, offset) = match &expr.kind {
            ExprKind::Numgen {
                modulus, offset, ..
            }
            | ExprKind::Jhash {
                modulus, offset, ..
            }
            | ExprKind::Symhash { modulus, offset } => {
                (modulus.value(), offset.map_or(0, ast::Integer::value))
            }
            _ => return Some(()),
        };
        if modulus.saturating_add(offset) > 65536 {
            return self.cx.error(
                Code::ValueOutOfRange,
                expr.span,
                "queue numbers exceed valid range 0-65535",
            );
        }
        Some(())
    }

    fn queue_numbers(&mut self, expr: &Expr, want: Type) -> Option<(u16, u16)> {
        let (low, high) = match self.cx.constant(expr, want)? {
            Constant::Prefix { .. } => {
                return self.cx.error(
                    Code::NotConstant,
                    expr.span,
                    "a queue number or a range of them is wanted",
                );
            }
            constant => constant.bounds(want),
        };
        Some((u16::try_from(low).ok()?, u16::try_from(high).ok()?))
    }
}
