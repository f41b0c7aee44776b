//! Rules and their statements as text.

use super::super::model::{Expr, Nat, Rule, Stmt};
use super::super::words::{LEVELS, LOG_ALL, LOG_FLAGS, in_unit, object_word, per, synproxy_flags};
use super::element_text;
use super::expr::expr_text;
use redan_vm::instr::{DynsetOp, Log, ObjectKind};
use redan_vm::ruleset::{LimitSpec, StateSpec};
use std::fmt::Write as _;

pub(super) fn rule_text(rule: &Rule) -> String {
    let mut text = stmts_text(&rule.stmts);
    if text.is_empty() {
        // alone on its line, `comment "..."` would be the chain's
        let comment = rule.comment.iter().map(|comment| format!("# {comment}"));
        return comment.collect();
    }
    if let Some(comment) = &rule.comment {
        let _ = write!(text, " comment \"{comment}\"");
    }
    text
}

pub(super) fn stmts_text(stmts: &[Stmt]) -> String {
    stmts.iter().map(stmt_text).collect::<Vec<_>>().join(" ")
}

/// A statement as nft writes it.
pub(crate) fn stmt_text(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Match(sign, left, right) => match_text(sign, left, right),
        Stmt::FlagMatch(sign, left, value, mask) => {
            let sign = if *sign == "==" {
                String::new()
            } else {
                format!("{sign} ")
            };
            let (left, value, mask) = (expr_text(left), expr_text(value), expr_text(mask));
            format!("{left} {sign}{value} / {mask}")
        }
        Stmt::Verdict(word, chain) => verdict_text(word, chain.as_deref()),
        Stmt::Block(word, _, rules) => {
            let lines = rules.iter().fold(String::new(), |mut lines, rule| {
                let _ = writeln!(lines, "\t\t\t{}", rule_text(rule));
                lines
            });
            format!("{word} {{\n{lines}\t\t}}")
        }
        Stmt::Vmap(key, map) => format!("{} vmap {}", expr_text(key), expr_text(map)),
        Stmt::State(spec) => state_text(spec),
        Stmt::Objref(kind, name) => {
            let word = object_word(*kind);
            let set = if matches!(
                kind,
                ObjectKind::CtHelper | ObjectKind::CtTimeout | ObjectKind::CtExpectation
            ) {
                " set"
            } else if *kind == ObjectKind::Secmark {
                return format!("meta secmark set {}", expr_text(name));
            } else {
                " name"
            };
            format!("{word}{set} {}", expr_text(name))
        }
        Stmt::Log(log) => log_text(log),
        Stmt::Reject(_, _, true) => "reject".to_owned(),
        Stmt::Reject(kind, None, false) => format!("reject with {kind}"),
        Stmt::Reject(kind, Some(code), false) => format!("reject with {kind} {}", expr_text(code)),
        Stmt::Nat(nat) => nat_text(nat),
        Stmt::Tproxy(family, addr, port) => {
            let family = family.map_or_else(String::new, |family| format!(" {family}"));
            let to = match (addr, port) {
                (Some(addr), None) => bracketed(addr),
                (addr, port) => endpoint(addr.as_ref(), port.as_ref()),
            };
            format!("tproxy{family} to {to}")
        }
        Stmt::Notrack => "notrack".to_owned(),
        Stmt::Set(field, value) => format!("{} set {}", expr_text(field), expr_text(value)),
        Stmt::Reset(option) => format!("reset {}", expr_text(option)),
        Stmt::Dynset(op, set, element) => {
            let word = match op {
                DynsetOp::Add => "add",
                DynsetOp::Update => "update",
                DynsetOp::Delete => "delete",
            };
            format!("{word} @{set} {{ {} }}", element_text(element))
        }
        Stmt::Meter(name, size, element) => {
            let size = size.map_or_else(String::new, |size| format!(" size {size}"));
            format!("meter {name}{size} {{ {} }}", element_text(element))
        }
        Stmt::Flow(name) => format!("flow add @{name}"),
        Stmt::Queue(target, flags) => queue_text(target.as_ref(), flags),
        Stmt::Dup(addr, device) => match (addr, device) {
            (Some(addr), Some(device)) => {
                format!("dup to {} device {}", expr_text(addr), expr_text(device))
            }
            (Some(only), None) | (None, Some(only)) => format!("dup to {}", expr_text(only)),
            (None, None) => "dup".to_owned(),
        },
        Stmt::Fwd(device, Some((family, addr))) => {
            let (addr, device) = (expr_text(addr), expr_text(device));
            format!("fwd {family} to {addr} device {device}")
        }
        Stmt::Fwd(device, None) => format!("fwd to {}", expr_text(device)),
    }
}

fn match_text(sign: &str, left: &Expr, right: &Expr) -> String {
    let sign = match sign {
        "" | "=" => String::new(),
        sign => format!("{sign} "),
    };
    format!("{} {sign}{}", expr_text(left), expr_text(right))
}

pub(super) fn verdict_text(word: &str, chain: Option<&str>) -> String {
    match chain {
        Some(chain) => format!("{word} {chain}"),
        None => word.to_owned(),
    }
}

pub(super) fn quota_body(bytes: u64, over: bool) -> String {
    let (number, unit) = in_unit(bytes);
    let over = if over { "over " } else { "" };
    format!("{over}{number} {unit}")
}

pub(super) fn limit_body(limit: &LimitSpec) -> String {
    let over = if limit.over { "over " } else { "" };
    let per = per(limit.unit_secs);
    if !limit.bytes {
        let burst = match limit.burst {
            0 | 5 => String::new(),
            burst => format!(" burst {burst} packets"),
        };
        return format!("rate {over}{}/{per}{burst}", limit.rate);
    }
    let (rate, unit) = in_unit(limit.rate);
    let burst = match limit.burst {
        0 => String::new(),
        burst => {
            let (number, unit) = in_unit(u64::from(burst));
            format!(" burst {number} {unit}")
        }
    };
    format!("rate {over}{rate} {unit}/{per}{burst}")
}

fn state_text(spec: &StateSpec) -> String {
    match spec {
        StateSpec::Counter { .. } => "counter".to_owned(),
        StateSpec::Limit(limit) => format!("limit {}", limit_body(limit)),
        StateSpec::Quota { bytes, over, .. } => format!("quota {}", quota_body(*bytes, *over)),
        StateSpec::Last { .. } => "last".to_owned(),
        StateSpec::Connlimit { count, over } => {
            format!("ct count {}{count}", if *over { "over " } else { "" })
        }
        StateSpec::Synproxy { mss, wscale, flags } => {
            let mut text = "synproxy".to_owned();
            if flags & 1 != 0 {
                let _ = write!(text, " mss {mss}");
            }
            if flags & 2 != 0 {
                let _ = write!(text, " wscale {wscale}");
            }
            for word in synproxy_flags(*flags) {
                let _ = write!(text, " {word}");
            }
            text
        }
        StateSpec::Numgen
        | StateSpec::CtHelper { .. }
        | StateSpec::CtTimeout { .. }
        | StateSpec::CtExpectation { .. }
        | StateSpec::Tunnel(_)
        | StateSpec::Secmark(_) => String::new(),
    }
}

fn log_text(log: &Log) -> String {
    let mut text = "log".to_owned();
    if let Some(prefix) = &log.prefix {
        let _ = write!(text, " prefix \"{prefix}\"");
    }
    if let Some(group) = log.group {
        let _ = write!(text, " group {group}");
    }
    if let Some(snaplen) = log.snaplen {
        let _ = write!(text, " snaplen {snaplen}");
    }
    if let Some(threshold) = log.qthreshold {
        let _ = write!(text, " queue-threshold {threshold}");
    }
    if let Some(level) = log.level.filter(|level| *level != 4)
        && let Some(word) = LEVELS.get(usize::from(level))
    {
        let _ = write!(text, " level {word}");
    }
    if log.flags & LOG_ALL == LOG_ALL {
        text.push_str(" flags all");
        return text;
    }
    if log.flags & 3 != 0 {
        let words = [(1, "sequence"), (2, "options")];
        let words: Vec<&str> = words
            .iter()
            .filter(|(bit, _)| log.flags & bit != 0)
            .map(|(_, word)| *word)
            .collect();
        let _ = write!(text, " flags tcp {}", words.join(","));
    }
    for (bit, word) in LOG_FLAGS.iter().filter(|(bit, _)| *bit > 2) {
        if log.flags & bit != 0 {
            let _ = write!(text, " flags {word}");
        }
    }
    text
}

/// `addr:port`, with brackets where an IPv6 address has a port.
fn endpoint(addr: Option<&Expr>, port: Option<&Expr>) -> String {
    let port_text = port.map(|port| format!(":{}", expr_text(port)));
    let Some(addr) = addr else {
        return port_text.unwrap_or_default();
    };
    let text = match (addr, port) {
        (Expr::Range(ends), Some(_)) => {
            format!("{}-{}", bracketed(&ends.0), bracketed(&ends.1))
        }
        (addr, Some(_)) => bracketed(addr),
        (addr, None) => expr_text(addr),
    };
    text + port_text.as_deref().unwrap_or_default()
}

fn bracketed(addr: &Expr) -> String {
    let text = expr_text(addr);
    if matches!(addr, Expr::Word(_)) && text.contains(':') {
        format!("[{text}]")
    } else {
        text
    }
}

fn nat_text(nat: &Nat) -> String {
    let mut text = nat.word.to_owned();
    if let Some(family) = nat.family {
        let _ = write!(text, " {family}");
    }
    if nat.mode == Some("prefix") {
        text.push_str(" prefix");
    }
    if nat.addr.is_some() || nat.port.is_some() {
        let _ = write!(
            text,
            " to {}",
            endpoint(nat.addr.as_ref(), nat.port.as_ref())
        );
    }
    if !nat.flags.is_empty() {
        let _ = write!(text, " {}", nat.flags.join(","));
    }
    text
}

fn queue_text(target: Option<&Expr>, flags: &[&str]) -> String {
    let mut text = "queue".to_owned();
    if !flags.is_empty() {
        let _ = write!(text, " flags {}", flags.join(","));
    }
    if let Some(target) = target {
        let _ = write!(text, " to {}", expr_text(target));
    }
    text
}
