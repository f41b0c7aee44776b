//! Rules that differ in one value alone become one rule with a set, or one with a verdict map.
//!
//! A run of rules is one rule with a set where the first of them that matches decides: order among them does not matter then. Where packets go on behind a
//! match (a log, a jump), no two of them may match the same packet, and nothing that they do may change what is compared.

use super::nft::{Counter, Item, Match, Op, Rule, Stmt, Value, Verdict, is_bits};
use super::write;

/// Fewest rules that become a verdict map; states always do.
const MIN_MAP: usize = 3;

/// Joins rules of a chain.
pub(super) fn chain(items: Vec<Item>) -> Vec<Item> {
    let mut items = items;
    loop {
        let before = items.len();
        items = sets(items);
        if items.len() == before {
            break;
        }
    }
    maps(items)
}

/// The counter of two rules that become one; counters with numbers are kept apart.
fn counters(one: Counter, other: Counter) -> Option<Counter> {
    match (one, other) {
        (Counter::None, Counter::None) => Some(Counter::None),
        (Counter::Fresh, Counter::Fresh) => Some(Counter::Fresh),
        _ => None,
    }
}

/// Keys that no statement of a rule changes.
fn is_fixed(key: &str) -> bool {
    [
        "iifname",
        "oifname",
        "ether ",
        "ip ",
        "ip6 ",
        "tcp ",
        "udp ",
        "sctp ",
        "icmp",
        "meta l4proto",
        "ct state",
        "fib ",
    ]
    .iter()
    .any(|start| key.starts_with(start))
        && !["dscp", "ecn", "ttl", "hoplimit"]
            .iter()
            .any(|end| key.ends_with(end))
}

fn has_acts(rule: &Rule) -> bool {
    rule.matches.iter().any(|stmt| matches!(stmt, Stmt::Act(_)))
}

/// Where two rules differ, if it is in the values of one match alone.
fn difference(one: &Rule, other: &Rule) -> Option<usize> {
    let same = one.matches.len() == other.matches.len()
        && one.verdict == other.verdict
        && one.actions == other.actions
        && one.comment == other.comment
        && other.above.is_empty();
    if !same || has_acts(one) {
        return None;
    }
    let mut pairs = one
        .matches
        .iter()
        .zip(&other.matches)
        .enumerate()
        .filter(|(_, (a, b))| a != b);
    let (at, pair) = pairs.next()?;
    let (Stmt::Match(a), Stmt::Match(b)) = pair else {
        return None;
    };
    (pairs.next().is_none() && a.op == Op::Eq && b.op == Op::Eq && a.key == b.key).then_some(at)
}

/// The values of both, without what others cover; `None` where nft would find them in conflict.
fn joined(one: &Match, other: &Match, must_be_apart: bool) -> Option<Vec<Value>> {
    let wild = |value: &Value| value.text.contains('*') || value.text.contains('\\');
    if one.values.iter().chain(&other.values).any(wild) {
        return None;
    }
    let mut out = one.values.clone();
    for value in &other.values {
        if out.iter().all(|known| known.is_apart(value)) {
            out.push(value.clone());
        } else if must_be_apart {
            return None;
        } else if !out.iter().any(|known| known.covers(value)) {
            out.retain(|known| !value.covers(known));
            if !out.iter().all(|known| known.is_apart(value)) {
                return None;
            }
            out.push(value.clone());
        }
    }
    Some(out)
}

/// How far back a rule is looked for that another one can join.
const LOOK_BACK: usize = 64;

fn sets(items: Vec<Item>) -> Vec<Item> {
    let mut out: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let done = match &item {
            Item::Rule(next) => join_before(&mut out, next),
            Item::Comment(_) => false,
        };
        if !done {
            out.push(item);
        }
    }
    out
}

/// Joins a rule with the one before it, or with one further up where all between decide the same and do nothing else: their order does not matter.
fn join_before(out: &mut [Item], next: &Rule) -> bool {
    let plain = |rule: &Rule| {
        rule.verdict.ends()
            && rule.verdict == next.verdict
            && rule.actions.is_empty()
            && !has_acts(rule)
            && rule.counter == Counter::None
    };
    for (distance, item) in out.iter_mut().rev().take(LOOK_BACK).enumerate() {
        let Item::Rule(before) = item else {
            return false;
        };
        if distance > 0 && !(plain(before) && plain(next)) {
            return false;
        }
        if join(before, next).is_some() {
            return true;
        }
        if !plain(before) {
            return false;
        }
    }
    false
}

fn join(last: &mut Rule, next: &Rule) -> Option<()> {
    let counter = counters(last.counter, next.counter)?;
    let at = difference(last, next)?;
    let Some((Stmt::Match(one), Stmt::Match(other))) =
        last.matches.get(at).zip(next.matches.get(at))
    else {
        return None;
    };
    let goes_on = !last.verdict.ends();
    let only_logs = last.actions.iter().all(|action| action.starts_with("log"));
    if goes_on && !(is_fixed(&one.key) && only_logs) {
        return None;
    }
    let values = joined(one, other, goes_on)?;
    if let Some(Stmt::Match(one)) = last.matches.get_mut(at) {
        one.values = values;
    }
    last.counter = counter;
    Some(())
}

/// The last match of a rule that has nothing but matches and a verdict that a map can hold.
fn map_key(rule: &Rule) -> Option<(&[Stmt], &Match)> {
    let plain = rule.counter == Counter::None
        && rule.actions.is_empty()
        && rule.comment.is_none()
        && !has_acts(rule);
    if !plain || !matches!(rule.verdict, Verdict::Ends(_) | Verdict::Jumps(_)) {
        return None;
    }
    match rule.matches.split_last() {
        Some((Stmt::Match(this), before)) if this.op == Op::Eq && is_fixed(&this.key) => {
            let simple = this
                .values
                .iter()
                .all(|value| !value.text.contains(['*', '\\']));
            (simple && (!is_bits(&this.key) || this.key == "ct state")).then_some((before, this))
        }
        _ => None,
    }
}

fn maps(items: Vec<Item>) -> Vec<Item> {
    let mut out: Vec<Item> = Vec::with_capacity(items.len());
    let mut run: Vec<Rule> = Vec::new();
    for item in items {
        let goes_on = matches!(&item, Item::Rule(rule) if continues(&run, rule));
        if !goes_on {
            flush(&mut run, &mut out);
        }
        match item {
            Item::Rule(rule) if goes_on || map_key(&rule).is_some() => run.push(rule),
            other @ (Item::Rule(_) | Item::Comment(_)) => out.push(other),
        }
    }
    flush(&mut run, &mut out);
    out
}

fn continues(run: &[Rule], rule: &Rule) -> bool {
    let (Some(first), Some((before, this))) = (run.first().and_then(map_key), map_key(rule)) else {
        return false;
    };
    let apart = |known: &Rule| {
        map_key(known).is_some_and(|(_, known)| {
            known
                .values
                .iter()
                .all(|a| this.values.iter().all(|b| a.is_apart(b)))
        })
    };
    first.0 == before && first.1.key == this.key && rule.above.is_empty() && run.iter().all(apart)
}

fn flush(run: &mut Vec<Rule>, out: &mut Vec<Item>) {
    let run = std::mem::take(run);
    let least = match run.first().and_then(map_key) {
        Some((_, this)) if this.key == "ct state" => 2,
        _ => MIN_MAP,
    };
    if run.len() < least {
        out.extend(run.into_iter().map(Item::Rule));
        return;
    }
    let mut elements = Vec::new();
    for rule in &run {
        if let Some((_, this)) = map_key(rule) {
            let verdict = rule.verdict.text();
            elements.extend(
                this.values
                    .iter()
                    .map(|value| format!("{} : {verdict}", value.text)),
            );
        }
    }
    let Some(mut first) = run.into_iter().next() else {
        return;
    };
    if let Some(Stmt::Match(this)) = first.matches.pop() {
        let texts: Vec<&str> = elements.iter().map(String::as_str).collect();
        first.matches.push(Stmt::Act(format!(
            "{} vmap {}",
            this.key,
            write::set(&texts)
        )));
        first.verdict = Verdict::None;
    }
    out.push(Item::Rule(first));
}
