//! L032: a range of all values.

use super::{Facts, syntax};
use crate::ast::{Expr, ExprKind, Match, MatchOp};
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    syntax::rules(facts.file, facts.sources, |_, rule| {
        for m in syntax::matches(rule) {
            look(facts, m, &m.right, found);
        }
    });
}

fn look(facts: &Facts<'_>, m: &Match, value: &Expr, found: &mut Vec<Diagnostic>) {
    match &value.kind {
        ExprKind::Set(set) if set.len() <= 64 => set
            .elements(facts.sources)
            .for_each(|element| look(facts, m, &element.key, found)),
        ExprKind::Prefix(..) | ExprKind::Range(..) if is_everything(value) => {
            let never = m.op == MatchOp::Ne;
            let text = facts.sources.text(value.span);
            found.push(
                Diagnostic::new(
                    Code::SlashZero,
                    value.span,
                    format!(
                        "`{text}` is every value: this {} matches",
                        if never { "never" } else { "always" }
                    ),
                )
                .help(if never {
                    "remove the rule"
                } else {
                    "leave the match out; to ask for the family alone, `meta nfproto ipv4` says so"
                }),
            );
        }
        _ => {}
    }
}

/// Whether a range leaves nothing out.
fn is_everything(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Prefix(parts) => {
            matches!(&parts.1.kind, ExprKind::Number(bits) if bits.value() == 0)
        }
        ExprKind::Range(ends) => match (&ends.0.kind, &ends.1.kind) {
            (ExprKind::Number(low), ExprKind::Number(high)) => {
                low.value() == 0 && high.value() == 65_535
            }
            (ExprKind::Ipv4(low), ExprKind::Ipv4(high)) => *low == [0; 4] && *high == [255; 4],
            (ExprKind::Ipv6(low), ExprKind::Ipv6(high)) => *low == [0; 16] && *high == [255; 16],
            _ => false,
        },
        _ => false,
    }
}
