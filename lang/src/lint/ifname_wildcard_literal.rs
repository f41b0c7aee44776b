//! L034: an interface name that ends in what is a wildcard elsewhere.

use redan_vm::datatype::DataType;
use redan_vm::ruleset::Elements;

use super::Facts;
use super::ip_protocol_in_inet::matches;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::typed::Operand;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        for rule in chain.rules.iter().filter_map(|id| facts.typed_rule(*id)) {
            for m in matches(rule) {
                if let Operand::Value(value) = m.right
                    && m.left.ty.datatype == DataType::Ifname
                    && let Some(name) = literal_wildcard(&value.to_be_bytes())
                {
                    found.push(finding(rule.span, &name));
                }
            }
        }
    }
    for (set, info) in facts.ruleset.sets.iter().zip(&facts.program.sets) {
        let width = usize::from(set.key_len).max(1);
        let starts = set.elements.keys.chunks(width).zip(&set.elements.flags);
        let starts = starts.filter(|(_, flags)| **flags & Elements::END == 0);
        for (key, _) in starts {
            let mut from = 0;
            for ty in &info.key {
                let part = key.get(from..from + usize::from(ty.bytes()));
                from += usize::from(ty.padded_bytes());
                let name = part
                    .filter(|_| ty.datatype == DataType::Ifname)
                    .and_then(literal_wildcard);
                found.extend(name.map(|name| finding(info.span, &name)));
            }
        }
    }
}

/// A name that ends in a sign which stands for itself.
fn literal_wildcard(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next()?;
    let ends = matches!(name.last(), Some(b'+' | b'*')) && name.len() > 1;
    ends.then(|| String::from_utf8_lossy(name).into_owned())
}

fn finding(span: Span, name: &str) -> Diagnostic {
    let stem = name.trim_end_matches(['+', '*']);
    let sign = if name.ends_with('+') { "+" } else { "\\*" };
    Diagnostic::new(
        Code::IfnameWildcardLiteral,
        span,
        format!("`{sign}` is no wildcard: this is the interface called `{name}`, letter by letter"),
    )
    .help(format!(
        "write `\"{stem}*\"` for all names that begin with `{stem}`"
    ))
}
