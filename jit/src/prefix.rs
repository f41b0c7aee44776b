//! What consecutive rules begin with in common, so that it is done once for all of them.
//!
//! Rules of one chain mostly begin with the same loads and the same tests (`meta l4proto`, `iifname`, an address). Doing them once equals
//! the linear walk as long as nothing in between changes what they read: a rule that is skipped fails before it has any effect.

use redan_vm::ct::CtKey;
use redan_vm::meta::MetaKey;
use redan_vm::{Instr, Ruleset, Verdict};

use crate::emit::byteorder_in_line;

/// How an instruction and its neighbours' doings go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// Gives the same for a packet whatever rules do.
    Fixed,
    /// Gives the same as long as nothing changes packet, metadata and conntrack.
    Stable,
    /// Has an effect outside the packet, or depends on one.
    Effect,
    /// May change what others read.
    Disturbs,
    /// Runs another chain and comes back.
    Calls,
}

/// Whether any rule changes packets, metadata or conntrack.
pub(crate) fn any_disturbs(ruleset: &Ruleset) -> bool {
    let mut code = ruleset.rules.iter().flat_map(|rule| &rule.code);
    code.any(disturbs)
}

/// Whether an instruction may change the packet, its metadata or its conntrack view.
pub(crate) fn disturbs(instr: &Instr) -> bool {
    nature(instr) == Nature::Disturbs
}

/// How many of `rules`, from the first on, begin with the same instructions, and how many instructions that are. At least two rules and
/// one instruction, or nothing. `calls_disturb` says whether a called chain may change what others read.
pub(crate) fn common(rules: &[&[Instr]], calls_disturb: bool) -> Option<(usize, usize)> {
    let (&first, rest) = rules.split_first()?;
    let usable = |instr: &Instr| matches!(nature(instr), Nature::Fixed | Nature::Stable);
    let head = first.first().filter(|instr| usable(instr))?;
    let mut count = 1 + rest
        .iter()
        .take_while(|code| code.first() == Some(head))
        .count();
    let is_calm = |code: &&[Instr]| {
        code.iter().all(|instr| match nature(instr) {
            Nature::Disturbs => false,
            Nature::Calls => !calls_disturb,
            Nature::Fixed | Nature::Stable | Nature::Effect => true,
        })
    };
    let fixed = |instr: &Instr| nature(instr) == Nature::Fixed;
    if !fixed(head) {
        // The last rule may disturb: nothing of the run is behind it.
        let calm = rules
            .iter()
            .take(count)
            .take_while(|code| is_calm(code))
            .count();
        count = count.min(calm + 1);
    }
    let run = rules.get(..count).filter(|run| run.len() > 1)?;
    let calm = run.iter().rev().skip(1).all(is_calm);
    let len = (0..first.len())
        .take_while(|&index| {
            let instr = first.get(index);
            instr.is_some_and(|instr| usable(instr) && (calm || fixed(instr) || index == 0))
                && run.iter().all(|code| code.get(index) == instr)
        })
        .count();
    Some((count, len))
}

fn nature(instr: &Instr) -> Nature {
    match instr {
        Instr::Immediate { .. }
        | Instr::Cmp { .. }
        | Instr::Range { .. }
        | Instr::Bitwise { .. } => Nature::Fixed,
        Instr::Byteorder { size, len, .. } if byteorder_in_line(*size, *len) => Nature::Fixed,
        Instr::MetaLoad { key, .. } if FIXED_META.contains(key) => Nature::Fixed,
        Instr::MetaLoad { key, .. } if STABLE_META.contains(key) => Nature::Stable,
        Instr::CtLoad { key, .. } if STABLE_CT.contains(key) => Nature::Stable,
        Instr::PayloadLoad { len, .. } if *len > 0 => Nature::Stable,
        // The first four may be fixed too, but a helper runs them and leaves the result in the register file, where a rule may write.
        Instr::BitwiseShift { .. }
        | Instr::BitwiseReg { .. }
        | Instr::Byteorder { .. }
        | Instr::MetaLoad { .. }
        | Instr::PayloadLoad { .. }
        | Instr::CtLoad { .. }
        | Instr::Lookup { .. }
        | Instr::Dynset(_)
        | Instr::Counter { .. }
        | Instr::Limit { .. }
        | Instr::Quota { .. }
        | Instr::Last { .. }
        | Instr::Connlimit { .. }
        | Instr::Log(_)
        | Instr::Reject(_)
        | Instr::Queue { .. }
        | Instr::Dup { .. }
        | Instr::Fwd { .. }
        | Instr::ExthdrLoad { .. }
        | Instr::Fib { .. }
        | Instr::Rt { .. }
        | Instr::Socket { .. }
        | Instr::Osf { .. }
        | Instr::Xfrm { .. }
        | Instr::Tunnel { .. }
        | Instr::Numgen { .. }
        | Instr::Jhash { .. }
        | Instr::Symhash { .. }
        | Instr::Inner { .. } => Nature::Effect,
        Instr::ImmediateVerdict { verdict } => match verdict {
            Verdict::Jump(_) => Nature::Calls,
            Verdict::Accept
            | Verdict::Drop
            | Verdict::Continue
            | Verdict::Return
            | Verdict::Goto(_) => Nature::Effect,
        },
        Instr::LookupVerdict { .. } => Nature::Calls,
        Instr::PayloadWrite { .. }
        | Instr::MetaSet { .. }
        | Instr::CtSet { .. }
        | Instr::Objref { .. }
        | Instr::ObjrefMap { .. }
        | Instr::Nat(_)
        | Instr::Masq { .. }
        | Instr::Redir { .. }
        | Instr::Tproxy { .. }
        | Instr::Notrack
        | Instr::Synproxy { .. }
        | Instr::FlowOffload { .. }
        | Instr::ExthdrWrite { .. }
        | Instr::ExthdrReset { .. } => Nature::Disturbs,
    }
}

/// Conntrack keys that change only when a rule sets them.
const STABLE_CT: &[CtKey] = &[CtKey::State, CtKey::Status, CtKey::Mark, CtKey::Direction];

/// Metadata that no rule can change.
const FIXED_META: &[MetaKey] = &[
    MetaKey::Iif,
    MetaKey::Iifname,
    MetaKey::Oif,
    MetaKey::Oifname,
    MetaKey::Nfproto,
];

/// Metadata that changes only with the packet, or when a rule sets it.
const STABLE_META: &[MetaKey] = &[
    MetaKey::L4proto,
    MetaKey::Protocol,
    MetaKey::Length,
    MetaKey::Mark,
    MetaKey::Priority,
    MetaKey::Pkttype,
];
