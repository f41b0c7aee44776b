//! Set literals, element by element.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::collected::Collected;
use super::plain::{fast_element, is_wildcard};
use super::{DataShape, Shape};
use crate::ast::{Element as Written, Expr, ExprKind, PlainToken, PlainTokenKind, SetItem, SetLit};
use crate::check::{Constant, stateful_specs};
use crate::diag::Code;
use crate::resolve::{Context, Scope};
use crate::source::Span;
use redan_vm::ruleset::Element;

impl<'a> Context<'a> {
    /// Whether a literal, or its data, has ranges or prefixes, so that it needs a set that can hold them.
    pub(crate) fn has_ranges(&mut self, lit: &SetLit, of_data: bool) -> bool {
        let text = self.sources.whole(lit.span.source);
        let plain = |tokens: &[PlainToken]| {
            tokens.iter().any(|token| match token.kind {
                PlainTokenKind::Slash | PlainTokenKind::Dash | PlainTokenKind::WildcardWord => true,
                PlainTokenKind::Str => is_wildcard(
                    text.get(token.start as usize..token.start as usize + usize::from(token.len))
                        .unwrap_or_default(),
                ),
                _ => false,
            })
        };
        lit.items.iter().any(|item| match item {
            SetItem::Plain { first, count } => !of_data && plain(lit.plain(*first, *count)),
            SetItem::Full(element) => {
                let expr = if of_data {
                    element.data.as_ref()
                } else {
                    Some(&element.key)
                };
                expr.is_some_and(|expr| self.is_ranged(expr, of_data))
            }
        })
    }

    /// Whether a literal has the element `*`.
    pub(crate) fn has_catchall(&mut self, lit: &SetLit) -> bool {
        lit.items.iter().any(|item| match item {
            SetItem::Plain { .. } => false,
            SetItem::Full(element) => self.is_catchall(&element.key),
        })
    }

    fn is_catchall(&mut self, key: &Expr) -> bool {
        match &key.kind {
            ExprKind::CatchAll => true,
            ExprKind::Set(lit) => self.has_catchall(lit),
            ExprKind::Var(word) => self.holds_of(*word, Self::is_catchall),
            _ => false,
        }
    }

    fn is_ranged(&mut self, expr: &Expr, of_data: bool) -> bool {
        match &expr.kind {
            ExprKind::Range(_) | ExprKind::Prefix(_) | ExprKind::WildcardWord(_) => true,
            ExprKind::Str(text) => text.wildcard,
            ExprKind::Concat(items) => items.iter().any(|item| self.is_ranged(item, of_data)),
            ExprKind::Set(lit) => self.has_ranges(lit, of_data),
            ExprKind::Var(word) => self.holds_of(*word, |cx, value| cx.is_ranged(value, of_data)),
            _ => false,
        }
    }

    /// Reads a literal's elements.
    pub(crate) fn collect(&mut self, lit: &SetLit, shape: &Shape) -> Option<Collected> {
        let mut out = Collected::default();
        if shape.interval && !shape.is_concat() {
            out.bounds.reserve(lit.len());
            out.spans.reserve(lit.len());
        } else {
            out.lows.reserve(lit.len() * usize::from(shape.key_bytes()));
        }
        self.collect_into(lit, shape, &mut out).then_some(out)
    }

    fn collect_into(&mut self, lit: &SetLit, shape: &Shape, out: &mut Collected) -> bool {
        if self.too_deep() {
            self.error::<()>(Code::TooDeep, lit.span, "sets nest too deeply");
            return false;
        }
        let mut sound = true;
        let text = self.sources.whole(lit.span.source);
        for at in 0..lit.items.len() {
            if let Some(SetItem::Plain { first, count }) = lit.items.get(at) {
                let tokens = lit.plain(*first, *count);
                if matches!(shape.data, DataShape::None)
                    && fast_element(tokens, text, lit.span.source, shape, out)
                {
                    continue;
                }
            }
            sound &= self.collect_one(lit, at, shape, out).is_some();
        }
        sound
    }

    fn collect_one(
        &mut self,
        lit: &SetLit,
        at: usize,
        shape: &Shape,
        out: &mut Collected,
    ) -> Option<()> {
        match lit.items.get(at)? {
            SetItem::Full(element) => self.element(element, shape, out),
            SetItem::Plain { .. } => {
                let element = lit.element(at, self.sources)?.into_owned();
                self.simple_element(&element, shape, out)
            }
        }
    }

    fn element(&mut self, element: &Written, shape: &Shape, out: &mut Collected) -> Option<()> {
        let before = self.scope;
        let (key, scope) = self.resolve(&element.key)?;
        if let ExprKind::Set(nested) = &key.kind {
            self.scope = scope;
            let sound = self.collect_into(nested, shape, out);
            self.scope = before;
            return sound.then_some(());
        }
        self.simple_element(element, shape, out)
    }

    /// An element whose key is no set.
    fn simple_element(
        &mut self,
        element: &Written,
        shape: &Shape,
        out: &mut Collected,
    ) -> Option<()> {
        let number = out.count;
        if matches!(element.key.kind, ExprKind::CatchAll) {
            out.push_catchall(shape, element.span);
        } else if shape.is_concat() {
            self.concat_element(&element.key, shape, out)?;
        } else {
            let ty = *shape.key.first()?;
            let constant = self.constant(&element.key, ty)?;
            self.check_interval(constant, shape, element.key.span)?;
            out.push_single(shape, ty, constant, element.span);
        }
        let data = self.element_data(element, shape)?;
        out.data.extend(data);
        let exprs = stateful_specs(self, &element.stmts)?;
        let comment = element
            .comment
            .map(|comment| comment.text(self.sources).to_owned());
        let extra = Element {
            timeout_ms: element.timeout_ms,
            expires_ms: element.expires_ms,
            comment,
            exprs,
        };
        if extra != Element::default() {
            out.extras.insert(number, extra);
            out.places.insert(number, element.span);
        }
        Some(())
    }

    /// Ranges need a set that can hold them.
    pub(crate) fn check_interval(
        &mut self,
        constant: Constant,
        shape: &Shape,
        span: Span,
    ) -> Option<()> {
        match constant {
            Constant::Value(_) => Some(()),
            Constant::Range(low, high) if low > high => self.error_help(
                Code::BadRange,
                span,
                "this range of hours passes midnight in UTC, which a set cannot hold",
                "match it by itself, outside of a set",
            ),
            Constant::Range(..) | Constant::Prefix { .. } if shape.interval => Some(()),
            Constant::Range(..) | Constant::Prefix { .. } => self.error_help(
                Code::IntervalFlagMissing,
                span,
                "you must add `flags interval` to the set's declaration to hold ranges and prefixes",
                "add the line `flags interval` to the set",
            ),
        }
    }

    fn concat_element(&mut self, key: &Expr, shape: &Shape, out: &mut Collected) -> Option<()> {
        let resolved = self.resolve(key)?;
        let before = std::mem::replace(&mut self.scope, resolved.1);
        let done = self.concat_parts(resolved.0, shape, out);
        self.scope = before;
        done
    }

    fn concat_parts(&mut self, key: &Expr, shape: &Shape, out: &mut Collected) -> Option<()> {
        let mut items: Vec<(&Expr, Scope)> = Vec::new();
        self.flatten_concat(key, &mut items)?;
        if items.len() != shape.key.len() {
            let message = format!(
                "the key has {} parts, the element {}",
                shape.key.len(),
                items.len()
            );
            return self.error(Code::WrongType, key.span, message);
        }
        let mut sound = true;
        let mut bounds = Vec::with_capacity(items.len());
        let before = self.scope;
        for ((item, scope), ty) in items.into_iter().zip(&shape.key) {
            self.scope = scope;
            let constant = self.constant(item, *ty).and_then(|constant| {
                self.check_interval(constant, shape, item.span)
                    .map(|()| constant)
            });
            self.scope = before;
            match constant {
                Some(constant) => bounds.push((*ty, constant.bounds(*ty))),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        out.push_parts(shape, bounds.into_iter());
        Some(())
    }

    /// The parts of a concatenation; a variable may hold several of them.
    pub(super) fn flatten_concat<'e>(
        &mut self,
        expr: &'e Expr,
        out: &mut Vec<(&'e Expr, Scope)>,
    ) -> Option<()>
    where
        'a: 'e,
    {
        let (expr, scope) = self.resolve(expr)?;
        let ExprKind::Concat(items) = &expr.kind else {
            out.push((expr, scope));
            return Some(());
        };
        let before = std::mem::replace(&mut self.scope, scope);
        let sound = items
            .iter()
            .map(|item| self.flatten_concat(item, out))
            .filter(Option::is_none)
            .count()
            == 0;
        self.scope = before;
        sound.then_some(())
    }
}
