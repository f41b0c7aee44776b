//! Why a rule did not hold: from the instruction that ended it back to the match in its text, and from what was loaded to nft's words.
//!
//! It reads what a tracing engine tells of a rule that was compiled without
//! [`Options::peephole`](crate::compile::Options::peephole) and with [`Options::keep_rules`](crate::compile::Options::keep_rules):
//! then a statement's instructions stand together.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use crate::datatype::{Base, Type, decode, mask, write};
use crate::lower;
use crate::source::Span;
use crate::typed::{Load, Program, Stmt, StmtKind, Value, ValueKind};
use redan_vm::family::Family;
use redan_vm::instr::{FibResult, ObjectKind};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::StateSpec;
use redan_vm::{Data, Ruleset, Visit};

/// The match of a rule that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Its text; for a protocol that nobody wrote, that of the match that asks for it.
    pub span: Span,
    /// What stood in its way: `was 443`.
    pub because: String,
}

/// Which match of a visited rule failed; `None` where all of it held.
pub fn failed(program: &Program, ruleset: &Ruleset, visit: &Visit) -> Option<Failed> {
    if visit.step != redan_vm::Step::Break {
        return None;
    }
    let rule = program.rules.get(visit.rule.index())?;
    let chain = ruleset.chains.get(rule.chain.index())?;
    let family = ruleset.tables.get(chain.table.index())?.family;
    let ends = lower::ends(&rule.stmts, &program.sets, family);
    let at = ends.iter().position(|end| visit.at < *end)?;
    let start = at
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .map_or(0, |end| *end);
    let stmt = rule.stmts.get(at)?;
    let written = rule.stmts.get(at..)?.iter().find(|stmt| !stmt.implied);
    let loads: Vec<Data> = visit
        .loads
        .iter()
        .filter(|load| load.at >= start)
        .map(|load| load.data)
        .collect();
    Some(Failed {
        span: written.unwrap_or(stmt).span,
        because: because(ruleset, stmt, &loads),
    })
}

/// The text of every value that a statement looks at, with those that the packet has.
fn because(ruleset: &Ruleset, stmt: &Stmt, loads: &[Data]) -> String {
    match &stmt.kind {
        StmtKind::Match(found) => seen(ruleset, &found.left, loads),
        StmtKind::Vmap { key, .. } | StmtKind::ObjrefMap { key, .. } => {
            format!(
                "{}, for which there is no element",
                seen(ruleset, key, loads)
            )
        }
        StmtKind::Stateful { spec, .. } => stateful(spec).to_owned(),
        StmtKind::Objref { kind, .. } => match kind {
            ObjectKind::Limit => "the limit says no".to_owned(),
            ObjectKind::Quota => "the quota says no".to_owned(),
            _ => "the object says no".to_owned(),
        },
        StmtKind::Dynset(dynset) => {
            if loads.len() < values(&dynset.key).len() {
                return seen(ruleset, &dynset.key, loads);
            }
            format!("{}, and the set says no", seen(ruleset, &dynset.key, loads))
        }
        StmtKind::Set { value, .. } => seen(ruleset, value, loads),
        _ => "not possible with this packet".to_owned(),
    }
}

fn stateful(spec: &StateSpec) -> &'static str {
    match spec {
        StateSpec::Limit(limit) if limit.over => "within the limit",
        StateSpec::Limit(_) => "the limit is used up",
        StateSpec::Quota { over: true, .. } => "within the quota",
        StateSpec::Quota { .. } => "the quota is used up",
        StateSpec::Connlimit { over: true, .. } => "there are not so many connections",
        StateSpec::Connlimit { .. } => "there are more connections",
        _ => "it says no",
    }
}

/// `was VALUE`, or what is not there.
fn seen(ruleset: &Ruleset, value: &Value, loads: &[Data]) -> String {
    let wanted = values(value);
    if let Some((_, missing)) = wanted.get(loads.len()) {
        return absent(missing).to_owned();
    }
    let texts: Vec<String> = wanted
        .iter()
        .zip(loads)
        .map(|((ty, load), data)| text(ruleset, *ty, load, data))
        .collect();
    format!("was {}", texts.join(" . "))
}

/// Why a load gives nothing.
fn absent(load: &Load) -> &'static str {
    match load {
        Load::Payload { .. } => "the packet does not reach so far",
        Load::Exthdr { .. } => "the packet has none",
        Load::Ct { .. } => "the packet belongs to no connection",
        Load::Inner { .. } => "the packet carries no such tunnel",
        Load::Rt(_) => "the packet has no route here",
        _ => "the packet has none here",
    }
}

/// Everything that a value loads, in the order in which it is loaded.
fn values(value: &Value) -> Vec<(Type, &Load)> {
    match &value.kind {
        ValueKind::Const(_) => Vec::new(),
        ValueKind::Load(load) => vec![(value.ty, load)],
        ValueKind::Bits { from, .. } | ValueKind::Shift { from, .. } | ValueKind::Swap(from) => {
            values(from)
        }
        ValueKind::BitsOf { sides, .. } => {
            let mut all = values(&sides.0);
            all.extend(values(&sides.1));
            all
        }
        ValueKind::Concat(parts) => parts.iter().flat_map(values).collect(),
        ValueKind::Map { key, .. } => values(key),
        ValueKind::Jhash(jhash) => values(&jhash.key),
    }
}

/// A loaded value in nft's words.
fn text(ruleset: &Ruleset, ty: Type, load: &Load, data: &Data) -> String {
    if let Load::Inner { load, .. } = load {
        return text(ruleset, ty, load, data);
    }
    let bytes = |len: u8| data.as_bytes().get(..usize::from(len)).unwrap_or(&[]);
    if let Load::Exthdr { present: true, .. } = load {
        let there = bytes(1).first().is_some_and(|byte| *byte != 0);
        return if there { "exists" } else { "missing" }.to_owned();
    }
    if let Some((shift, bits)) = load.bit_field() {
        let len = lower::covering(shift, bits);
        let number = decode(bytes(len), redan_vm::meta::ByteOrder::Network);
        return write(ty, number >> shift & mask(bits));
    }
    let number = decode(bytes(ty.bytes()), ty.order);
    let is_index = matches!(
        load,
        Load::Meta(MetaKey::Iif | MetaKey::Oif)
            | Load::Fib {
                result: FibResult::Oif,
                ..
            }
    );
    if is_index {
        let at = usize::try_from(number).unwrap_or(0).checked_sub(1);
        let name = at.and_then(|at| ruleset.interfaces.get(at));
        return name.map_or_else(|| "none".to_owned(), Clone::clone);
    }
    if matches!(load, Load::Meta(MetaKey::Nfproto)) && number == 5 {
        return Family::Netdev.word().to_owned();
    }
    let written = write(ty, number);
    if ty.base() == Base::String {
        let bare = written.trim_matches('"');
        return if bare.is_empty() { "none" } else { bare }.to_owned();
    }
    written
}
