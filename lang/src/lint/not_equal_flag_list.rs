//! L023: `!=` with a list of flags, which is nearly always true.

use super::{Facts, syntax};
use crate::ast::{Expr, ExprKind, MatchOp};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    syntax::rules(facts.file, facts.sources, |_, rule| {
        for m in syntax::matches(rule) {
            let ExprKind::List(values) = &m.right.kind else {
                continue;
            };
            if m.op != MatchOp::Ne || values.len() < 2 || !has_flags(facts, &m.left) {
                continue;
            }
            let left = facts.sources.text(m.left.span);
            let list: Vec<&str> = values.iter().map(|v| facts.sources.text(v.span)).collect();
            found.push(
                Diagnostic::new(
                    Code::NotEqualFlagList,
                    m.right.span,
                    format!(
                        "`{left} != {}` is true unless all of them are set at once",
                        list.join(",")
                    ),
                )
                .note("compared as one number, which no packet has here")
                .help(format!(
                    "write `{left} != {{ {} }}` for none of these values",
                    list.join(", ")
                )),
            );
        }
    });
}

/// Whether an expression is of the connection's flags. Those of TCP are another matter: `tcp flags != syn,ack` is true of all but one kind of packet, and
/// may be meant.
fn has_flags(facts: &Facts<'_>, left: &Expr) -> bool {
    match &left.kind {
        ExprKind::Ct { key, .. } => ["state", "status"].contains(&key.text(facts.sources)),
        _ => false,
    }
}
