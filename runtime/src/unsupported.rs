//! What compiles but cannot run yet. Whoever loads a ruleset says so before it runs, so that no rule is silently without effect.

use redan_vm::Ruleset;
use redan_vm::ids::RuleId;
use redan_vm::instr::{Instr, ObjectKind};
use redan_vm::ruleset::SetData;

/// Rules that cannot run yet, each with what it asks for.
pub fn unsupported(ruleset: &Ruleset) -> Vec<(RuleId, &'static str)> {
    (0..)
        .map(RuleId)
        .zip(&ruleset.rules)
        .filter_map(|(id, rule)| {
            Some((
                id,
                rule.code.iter().find_map(|instr| missing(ruleset, instr))?,
            ))
        })
        .collect()
}

/// What an instruction would need.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named here runs"
)]
fn missing(ruleset: &Ruleset, instr: &Instr) -> Option<&'static str> {
    match instr {
        Instr::Nat(_) | Instr::Masq { .. } | Instr::Redir { .. } => Some("address translation"),
        Instr::Objref { kind, .. } => missing_object(*kind),
        Instr::ObjrefMap { set, .. } => match ruleset.sets.get(set.index())?.data {
            SetData::Object(kind) => missing_object(kind),
            _ => None,
        },
        _ => None,
    }
}

/// What an object would need.
const fn missing_object(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::CtHelper => Some("a connection tracking helper"),
        ObjectKind::CtExpectation => Some("a connection tracking expectation"),
        ObjectKind::CtTimeout => Some("a connection timeout policy"),
        ObjectKind::Tunnel => Some("a tunnel device"),
        ObjectKind::Counter
        | ObjectKind::Quota
        | ObjectKind::Limit
        | ObjectKind::Secmark
        | ObjectKind::Synproxy => None,
    }
}
