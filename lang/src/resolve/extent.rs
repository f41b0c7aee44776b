//! How much a definition comes to once every variable in it stands for its value. Twenty lines can double a set twenty times.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of many expressions a few hold others"
)]

use super::Context;
use super::scope::Scope;
use crate::ast::{Define, Expr, ExprKind, SetItem};
use crate::diag::Code;

/// Most values that variables in a variable may come to. What is written out may be as long as it likes.
const MAX_VALUES: u64 = 1 << 22;

/// Deepest nest of variables in variables: who adds to a set by `redefine` nests it a step deeper each time.
const MAX_DEPTH: u32 = 128;

/// What a definition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Values in it.
    values: u64,
    /// How deep variables nest in it.
    depth: u32,
}

impl Extent {
    /// A value without parts.
    pub(super) const ONE: Self = Self {
        values: 1,
        depth: 0,
    };

    /// More than there may be, which has been said.
    pub(super) const REFUSED: Self = Self {
        values: u64::MAX,
        depth: 0,
    };

    pub(super) fn is_refused(self) -> bool {
        self.values == u64::MAX
    }

    fn and(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_add(other.values),
            depth: self.depth.max(other.depth),
        }
    }
}

/// The extent of a definition; an error says of one that is too much for the compiler that it is refused.
pub(super) fn bearable(cx: &mut Context<'_>, define: &Define) -> Extent {
    let found = extent(cx, cx.scope, &define.value);
    let name = cx.text(define.name);
    let (code, message) = if found.is_refused() {
        return found;
    } else if found.depth > MAX_DEPTH {
        let message = format!("`{name}` nests variables deeper than {MAX_DEPTH}");
        (Code::TooDeep, message)
    } else if found.depth > 0 && found.values > MAX_VALUES {
        let message = format!("`{name}` stands for more than {MAX_VALUES} values");
        (Code::TooLong, message)
    } else {
        return found;
    };
    cx.error::<()>(code, define.name.span, message);
    Extent::REFUSED
}

fn extent(cx: &Context<'_>, scope: Scope, expr: &Expr) -> Extent {
    let of = |expr: &Expr| extent(cx, scope, expr);
    match &expr.kind {
        ExprKind::Var(word) => {
            let found = cx.scopes.extent(scope, cx.text(*word));
            found.map_or(Extent::ONE, |found| Extent {
                depth: found.depth + 1,
                ..found
            })
        }
        ExprKind::Set(set) => set.items.iter().fold(Extent::ONE, |sum, item| match item {
            SetItem::Plain { .. } => sum.and(Extent::ONE),
            SetItem::Full(element) => {
                let data = element.data.as_ref().map_or(Extent::ONE, of);
                sum.and(of(&element.key)).and(data)
            }
        }),
        ExprKind::Concat(parts) | ExprKind::List(parts) => {
            parts.iter().map(of).fold(Extent::ONE, Extent::and)
        }
        ExprKind::Range(sides)
        | ExprKind::Prefix(sides)
        | ExprKind::Binary(_, sides)
        | ExprKind::FlagMatch(sides)
        | ExprKind::Map(sides) => of(&sides.0).and(of(&sides.1)),
        ExprKind::Jhash { key, .. } => of(&key.0),
        _ => Extent::ONE,
    }
}
