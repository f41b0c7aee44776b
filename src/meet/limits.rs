//! How many packets it takes to use up what a rule grants: rates and counts of connections.

use redan_vm::Ruleset;
use redan_vm::ids::{RuleId, StateId};
use redan_vm::instr::Instr;
use redan_vm::ruleset::StateSpec;

/// Most packets that are sent to use something up.
const MOST: u64 = 80;

/// Beside what is granted: the packet that is one too many, and some for what is granted anew meanwhile.
const SPARE: u64 = 3;

/// Packets after which a rule matches that does so only above a limit.
pub(super) fn above(ruleset: &Ruleset, rule: RuleId) -> Option<u16> {
    granted(ruleset, rule, true)
}

/// Packets after which a rule matches no more.
pub(super) fn below(ruleset: &Ruleset, rule: RuleId) -> Option<u16> {
    granted(ruleset, rule, false)
}

fn granted(ruleset: &Ruleset, rule: RuleId, over: bool) -> Option<u16> {
    let code = &ruleset.rules.get(rule.index())?.code;
    let state = |id: &StateId| ruleset.states.get(id.index());
    let specs = code.iter().flat_map(|instr| {
        if let Instr::Limit { state: id } | Instr::Connlimit { state: id } = instr {
            return state(id).map_or(&[][..], std::slice::from_ref);
        }
        if let Instr::Dynset(dynset) = instr {
            return &dynset.exprs;
        }
        &[]
    });
    specs.filter_map(|spec| packets(spec, over)).max()
}

fn packets(spec: &StateSpec, wanted: bool) -> Option<u16> {
    let (count, over) = if let StateSpec::Limit(limit) = spec {
        // A twentieth of a second's worth comes anew while they are sent.
        let anew = limit.rate / (limit.unit_secs.max(1) * 20);
        (u64::from(limit.burst) + anew, limit.over)
    } else if let StateSpec::Connlimit { count, over } = spec {
        (u64::from(*count), *over)
    } else {
        return None;
    };
    let counts_bytes = matches!(spec, StateSpec::Limit(limit) if limit.bytes);
    let count = count + SPARE;
    (over == wanted && !counts_bytes && count <= MOST).then_some(u16::try_from(count).ok()?)
}
