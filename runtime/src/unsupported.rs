//! What compiles but cannot run yet. Whoever loads a ruleset says so before it runs, so that no rule is silently without effect.

use redan_vm::Ruleset;
use redan_vm::ids::RuleId;
use redan_vm::instr::Instr;
use redan_vm::ruleset::{SetData, StateSpec};

use crate::conntrack::is_helper;

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
        Instr::Objref { state, .. } => missing_object(ruleset.states.get(state.index())?),
        Instr::ObjrefMap { set, .. } => match ruleset.sets.get(set.index())?.data {
            // Any object of the kind may come into the map.
            SetData::Object(kind) => ruleset
                .objects
                .iter()
                .filter(|object| object.kind == kind)
                .find_map(|object| missing_object(ruleset.states.get(object.state.index())?)),
            _ => None,
        },
        _ => None,
    }
}

/// What an object would need.
fn missing_object(object: &StateSpec) -> Option<&'static str> {
    match object {
        StateSpec::CtHelper { name, l4proto, .. } if !is_helper(name, *l4proto) => {
            Some("this connection tracking helper")
        }
        StateSpec::Tunnel(_) => Some("a tunnel device"),
        StateSpec::CtHelper { .. }
        | StateSpec::CtTimeout { .. }
        | StateSpec::CtExpectation { .. }
        | StateSpec::Counter { .. }
        | StateSpec::Limit(_)
        | StateSpec::Quota { .. }
        | StateSpec::Last { .. }
        | StateSpec::Connlimit { .. }
        | StateSpec::Numgen
        | StateSpec::Secmark(_)
        | StateSpec::Synproxy { .. } => None,
    }
}
