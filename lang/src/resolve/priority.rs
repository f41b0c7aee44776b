//! Priorities of base chains: numbers, the names of the families, and names with an offset.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::Context;
use crate::ast::{Expr, ExprKind, Priority};
use crate::diag::{Code, Diagnostic};
use redan_vm::family::{Family, Hook};

/// A named priority and where it may be used: name, value, hooks (none: any).
pub type Named = (&'static str, i32, &'static [Hook]);

/// Named priorities of a family (nft(8), "CHAINS").
pub fn named_priorities(family: Family) -> &'static [Named] {
    match family {
        Family::Ip | Family::Ip6 | Family::Inet => &[
            ("raw", -300, &[]),
            ("mangle", -150, &[]),
            ("dstnat", -100, &[Hook::Prerouting, Hook::Output]),
            ("filter", 0, &[]),
            ("security", 50, &[]),
            ("srcnat", 100, &[Hook::Postrouting, Hook::Input]),
        ],
        Family::Bridge => &[
            ("dstnat", -300, &[Hook::Prerouting]),
            ("filter", -200, &[]),
            ("out", 100, &[Hook::Output]),
            ("srcnat", 300, &[Hook::Postrouting]),
        ],
        Family::Arp | Family::Netdev => &[("filter", 0, &[])],
    }
}

/// The number of a priority.
pub(super) fn priority(
    cx: &mut Context<'_>,
    family: Family,
    hook: Hook,
    priority: &Priority,
) -> Option<i32> {
    let base = match &priority.base {
        None => 0,
        Some(base) => base_priority(cx, family, hook, base)?,
    };
    match i32::try_from(i64::from(base).saturating_add(priority.offset)) {
        Ok(value) => Some(value),
        Err(_) => cx.error(Code::BadPriority, priority.span, "a priority has 32 bits"),
    }
}

fn base_priority(cx: &mut Context<'_>, family: Family, hook: Hook, base: &Expr) -> Option<i32> {
    let (base, _) = cx.resolve(base)?;
    let text = match &base.kind {
        ExprKind::Number(number) => {
            return match i32::try_from(number.value()) {
                Ok(value) => Some(value),
                Err(_) => cx.error(Code::BadPriority, base.span, "a priority has 32 bits"),
            };
        }
        ExprKind::Str(text) => text.text(cx.sources).trim(),
        _ => cx.sources.text(base.span),
    };
    let named = named_priorities(family);
    let (name, offset) = match text.find(['+', '-']) {
        Some(at) if at > 0 => {
            let (name, rest) = text.split_at(at);
            (
                name.trim(),
                rest.replace(' ', "").parse::<i32>().unwrap_or(0),
            )
        }
        _ => (text, 0),
    };
    if let Ok(number) = text.replace(' ', "").parse::<i32>() {
        return Some(number);
    }
    let Some((_, value, at)) = named.iter().find(|(known, ..)| *known == name) else {
        let finding = Diagnostic::new(
            Code::BadPriority,
            base.span,
            format!("`{text}` is invalid priority expression for family {family}"),
        );
        let known: Vec<&str> = named.iter().map(|row| row.0).collect();
        let help = format!("known names: {}", known.join(", "));
        cx.report(finding.help(help));
        return None;
    };
    if !at.is_empty() && !at.contains(&hook) {
        let words = at
            .iter()
            .map(|hook| hook.word())
            .collect::<Vec<_>>()
            .join(" or ");
        return cx.error_help(
            Code::BadPriority,
            base.span,
            format!("`{name}` is invalid priority at hook {hook}"),
            format!("`{name}` belongs to hook {words}; use a number here ({value})"),
        );
    }
    Some(value + offset)
}
