//! Variables: `define`, `redefine`, `undefine`, `$x`.
//!
//! A scope is a place in a chain of definitions, newest first. Whoever comes later keeps its own place, so a rule sees what was defined before it, in its own
//! block or around it, however late it is looked at.

use super::extent::Extent;
use crate::ast::Expr;
use crate::source::Span;
use crate::typed::DefineUse;

/// A place in the chain of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scope(Option<u32>);

#[derive(Debug)]
struct Link<'a> {
    name: &'a str,
    /// `None` after `undefine`, and for what is refused.
    value: Option<(&'a Expr, Scope)>,
    parent: Scope,
    use_index: u32,
    extent: Extent,
}

/// All definitions of a ruleset.
#[derive(Debug, Default)]
pub(crate) struct Scopes<'a> {
    links: Vec<Link<'a>>,
    uses: Vec<DefineUse>,
}

impl<'a> Scopes<'a> {
    /// The scope behind a definition.
    pub(crate) fn define(
        &mut self,
        scope: Scope,
        name: &'a str,
        span: Span,
        value: &'a Expr,
        extent: Extent,
    ) -> Scope {
        let use_index = u32::try_from(self.uses.len()).unwrap_or(u32::MAX);
        self.uses.push(DefineUse {
            name: span,
            used: false,
        });
        self.push(Link {
            name,
            value: (!extent.is_refused()).then_some((value, scope)),
            parent: scope,
            use_index,
            extent,
        })
    }

    /// The scope behind an `undefine`.
    pub(crate) fn undefine(&mut self, scope: Scope, name: &'a str) -> Scope {
        self.push(Link {
            name,
            value: None,
            parent: scope,
            use_index: u32::MAX,
            extent: Extent::ONE,
        })
    }

    /// What a variable stands for, with the scope in which its own variables are looked up.
    pub(crate) fn find(&mut self, scope: Scope, name: &str) -> Option<(&'a Expr, Scope)> {
        let link = self.link(scope, name)?;
        let (found, use_index) = (link.value, link.use_index);
        if let Some(seen) = self.uses.get_mut(use_index as usize) {
            seen.used = true;
        }
        found
    }

    /// What a variable comes to, if it is known.
    pub(super) fn extent(&self, scope: Scope, name: &str) -> Option<Extent> {
        self.link(scope, name).map(|link| link.extent)
    }

    /// Whether a variable is known and its value is more than there may be.
    pub(super) fn is_refused(&self, scope: Scope, name: &str) -> bool {
        self.extent(scope, name).is_some_and(Extent::is_refused)
    }

    fn link(&self, scope: Scope, name: &str) -> Option<&Link<'a>> {
        let mut at = scope;
        while let Some(link) = at.0.and_then(|index| self.links.get(index as usize)) {
            if link.name == name {
                return Some(link);
            }
            at = link.parent;
        }
        None
    }

    /// Where a variable was defined, if it is known.
    pub(crate) fn place(&self, scope: Scope, name: &str) -> Option<Span> {
        let link = self.link(scope, name)?;
        link.value?;
        let found = self.uses.get(link.use_index as usize);
        found.map(|found| found.name)
    }

    /// Names that a scope knows, for did-you-mean.
    pub(crate) fn names(&self, scope: Scope) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut at = scope;
        while let Some(link) = at.0.and_then(|index| self.links.get(index as usize)) {
            names.push(link.name);
            at = link.parent;
        }
        names
    }

    /// Definitions and whether they are used.
    pub(crate) fn into_uses(self) -> Vec<DefineUse> {
        self.uses
    }

    fn push(&mut self, link: Link<'a>) -> Scope {
        let index = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        self.links.push(link);
        Scope(Some(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{ExprKind, Integer};

    fn number(value: u128) -> Expr {
        Expr {
            span: Span::default(),
            kind: ExprKind::Number(Integer::new(value)),
        }
    }

    #[test]
    fn newest_definition_counts_and_old_places_keep_theirs() {
        let (one, two) = (number(1), number(2));
        let mut scopes = Scopes::default();
        let first = scopes.define(Scope::default(), "x", Span::default(), &one, Extent::ONE);
        let second = scopes.define(first, "x", Span::default(), &two, Extent::ONE);
        let gone = scopes.undefine(second, "x");
        assert_eq!(scopes.find(first, "x").map(|found| found.0), Some(&one));
        assert_eq!(scopes.find(second, "x").map(|found| found.0), Some(&two));
        assert!(scopes.find(gone, "x").is_none());
        assert!(scopes.find(Scope::default(), "x").is_none());
        assert!(scopes.place(second, "x").is_some());
        assert!(scopes.place(gone, "x").is_none());
        assert_eq!(scopes.names(second), ["x", "x"]);
    }
}
