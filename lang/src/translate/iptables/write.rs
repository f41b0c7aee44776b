//! The text of the translation.

use super::nft::{Chain, Counter, Item, Match, Object, Op, Rule, Stmt, Table, is_bits};
use std::fmt::Write as _;

/// Characters of a set that stand on one line.
const MAX_LINE: usize = 100;

/// Where a rule of a chain starts in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Offset of its first byte.
    pub(super) offset: u32,
    /// Which table.
    pub(super) table: usize,
    /// Which of its chains.
    pub(super) chain: usize,
    /// Which of its items.
    pub(super) item: usize,
}

/// The text of all tables, and where each rule starts.
pub(super) fn tables(tables: &[Table]) -> (String, Vec<Place>) {
    let mut out = "#!/usr/sbin/nft -f\n# Translated from iptables.\n".to_owned();
    let mut places = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        out.push('\n');
        self::table(&mut out, at, table, &mut places);
    }
    (out, places)
}

fn table(out: &mut String, at: usize, table: &Table, places: &mut Vec<Place>) {
    for line in &table.above {
        _ = writeln!(out, "# {line}");
    }
    // a table of empty chains is a comment
    if table.objects.is_empty() && table.chains.is_empty() {
        return;
    }
    _ = writeln!(out, "table {} {} {{", table.family, table.name);
    let mut first = true;
    let mut apart = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push('\n');
        }
    };
    for object in &table.objects {
        apart(out);
        self::object(out, object);
    }
    for (number, chain) in table.chains.iter().enumerate() {
        apart(out);
        self::chain(out, chain, |item, offset| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            places.push(Place {
                offset,
                table: at,
                chain: number,
                item,
            });
        });
    }
    out.push_str("}\n");
}

fn object(out: &mut String, object: &Object) {
    _ = writeln!(out, "\t{} {} {{", object.kind, object.name);
    for line in &object.body {
        _ = writeln!(out, "\t\t{line}");
    }
    out.push_str("\t}\n");
}

fn chain(out: &mut String, chain: &Chain, mut starts: impl FnMut(usize, usize)) {
    _ = writeln!(out, "\tchain {} {{", chain.name);
    if let Some(hook) = chain.hook {
        _ = writeln!(out, "\t\ttype {hook}; policy {};", chain.policy);
        if !chain.items.is_empty() {
            out.push('\n');
        }
    }
    for (at, item) in chain.items.iter().enumerate() {
        match item {
            Item::Comment(text) => _ = writeln!(out, "\t\t# {}", text.trim()),
            Item::Rule(rule) => {
                for line in &rule.above {
                    _ = writeln!(out, "\t\t# {}", line.trim());
                }
                starts(at, out.len());
                _ = writeln!(out, "\t\t{}", self::rule(rule));
            }
        }
    }
    out.push_str("\t}\n");
}

/// A rule on its line.
pub(super) fn rule(rule: &Rule) -> String {
    let mut parts: Vec<String> = rule.matches.iter().map(stmt).collect();
    match rule.counter {
        Counter::None => {}
        Counter::Fresh => parts.push("counter".to_owned()),
        Counter::From(packets, bytes) => {
            parts.push(format!("counter packets {packets} bytes {bytes}"));
        }
    }
    parts.extend(rule.actions.iter().cloned());
    if !rule.verdict.text().is_empty() {
        parts.push(rule.verdict.text().to_owned());
    }
    if let Some(comment) = &rule.comment {
        parts.push(format!("comment \"{comment}\""));
    }
    parts.join(" ")
}

/// A match or a statement.
pub(super) fn stmt(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Match(this) => comparison(this),
        Stmt::Test(text) | Stmt::Act(text) => text.clone(),
    }
}

fn comparison(this: &Match) -> String {
    let key = &this.key;
    let texts: Vec<&str> = this
        .values
        .iter()
        .map(|value| value.text.as_str())
        .collect();
    let sign = match this.op {
        Op::Eq => "",
        Op::Ne if is_bits(key) => "! ",
        Op::Ne => "!= ",
    };
    match texts.as_slice() {
        [one] => format!("{key} {sign}{one}"),
        many if is_bits(key) => format!("{key} {sign}{}", many.join(",")),
        many => format!("{key} {sign}{}", set(many)),
    }
}

/// Elements in braces, on several lines where they are long.
pub(super) fn set(elements: &[&str]) -> String {
    let whole: usize = elements.iter().map(|text| text.len() + 2).sum();
    if whole <= MAX_LINE {
        return format!("{{ {} }}", elements.join(", "));
    }
    let mut out = "{\n".to_owned();
    let mut line = String::new();
    for (at, text) in elements.iter().enumerate() {
        if !line.is_empty() && line.len() + text.len() > MAX_LINE {
            _ = writeln!(out, "\t\t\t{}", line.trim_end());
            line.clear();
        }
        line.push_str(text);
        if at + 1 < elements.len() {
            line.push_str(", ");
        }
    }
    _ = write!(out, "\t\t\t{}\n\t\t}}", line.trim_end());
    out
}
