//! L063: rules that the version of nft that is to load the file compiles to something else than they say.

use redan_vm::field::Header;
use redan_vm::instr::Base;

use super::Facts;
use super::version::BUGS;
use crate::diag::{Code, Diagnostic};
use crate::typed::{
    Load, Match, NatArg, Operand, Relation, Rule, Stmt, StmtKind, Value, ValueKind,
};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let Some(target) = facts.target else { return };
    for bug in BUGS.iter().filter(|bug| bug.last >= target) {
        for rule in facts.program.rules.iter().filter(|rule| (bug.shows)(rule)) {
            found.push(
                Diagnostic::new(
                    Code::MiscompiledByOldNft,
                    rule.span,
                    format!(
                        "nft {target} compiles this to something else: {}",
                        bug.effect
                    ),
                )
                .help(bug.instead),
            );
        }
    }
}

/// `tcp sport != 1 tcp dport != 2`, in any order, and with other matches between them.
pub(super) fn has_neighbouring_unequals(rule: &Rule) -> bool {
    let runs = rule
        .stmts
        .split(|stmt| !matches!(stmt.kind, StmtKind::Match(_)));
    runs.into_iter().any(|run| {
        let unequals: Vec<&Match> = run
            .iter()
            .filter_map(|stmt| match &stmt.kind {
                StmtKind::Match(m) if m.relation == Relation::Ne && single(m) => Some(&**m),
                _ => None,
            })
            .collect();
        unequals
            .iter()
            .any(|a| unequals.iter().any(|b| are_neighbours(a, b)))
    })
}

/// `ether saddr X counter ether type 8021q`.
pub(super) fn has_statement_between_neighbours(rule: &Rule) -> bool {
    rule.stmts.windows(3).any(|three| {
        let [a, middle, b] = three else {
            return false;
        };
        let (StmtKind::Match(a), middle, StmtKind::Match(b)) = (&a.kind, &middle.kind, &b.kind)
        else {
            return false;
        };
        let is_statement = !matches!(middle, StmtKind::Match(_));
        let equal = |m: &Match| m.relation == Relation::Eq && single(m);
        let at_link = matches!(payload(a), Some((Base::Link, ..)));
        is_statement && equal(a) && equal(b) && at_link && are_neighbours(a, b)
    })
}

/// `dnat to numgen inc mod 7 offset 167772161`.
pub(super) fn has_numgen_address(rule: &Rule) -> bool {
    rule.stmts.iter().any(|stmt| {
        let StmtKind::Nat(nat) = &stmt.kind else {
            return false;
        };
        match &nat.addr {
            Some(NatArg::One(value)) => is_numgen(value),
            Some(NatArg::Range(low, high)) => is_numgen(low) || is_numgen(high),
            None => false,
        }
    })
}

fn is_numgen(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Load(load) => matches!(**load, Load::Numgen(_)),
        ValueKind::Swap(inner) => is_numgen(inner),
        _ => false,
    }
}

/// `ip6 dscp @set`, also as a part of a key.
pub(super) fn looks_ip6_dscp_up(rule: &Rule) -> bool {
    rule.stmts.iter().any(|Stmt { kind, .. }| match kind {
        StmtKind::Match(m) => matches!(m.right, Operand::Set(_)) && has_ip6_dscp(&m.left),
        StmtKind::Vmap { key, .. } | StmtKind::ObjrefMap { key, .. } => has_ip6_dscp(key),
        StmtKind::Set { value, .. } => {
            matches!(&value.kind, ValueKind::Map { key, .. } if has_ip6_dscp(key))
        }
        StmtKind::Dynset(dynset) => has_ip6_dscp(&dynset.key),
        _ => false,
    })
}

fn has_ip6_dscp(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Load(load) => {
            matches!(&**load, Load::Payload { field: Some(field), .. } if field.header == Header::Ip6 && field.name == "dscp")
        }
        ValueKind::Concat(parts) => parts.iter().any(has_ip6_dscp),
        ValueKind::Bits { from, .. } | ValueKind::Shift { from, .. } => has_ip6_dscp(from),
        ValueKind::Swap(inner) => has_ip6_dscp(inner),
        _ => false,
    }
}

/// Whether a match is of one value.
fn single(m: &Match) -> bool {
    matches!(m.right, Operand::Value(_) | Operand::Prefix { .. })
}

/// Base, first bit and width of the packet bytes that a match looks at.
fn payload(m: &Match) -> Option<(Base, u32, u32)> {
    match &m.left.kind {
        ValueKind::Load(load) => match **load {
            Load::Payload {
                base,
                bit_offset,
                bits,
                ..
            } => Some((base, bit_offset, bits)),
            _ => None,
        },
        _ => None,
    }
}

fn are_neighbours(a: &Match, b: &Match) -> bool {
    let (Some((base, at, bits)), Some((other, next, more))) = (payload(a), payload(b)) else {
        return false;
    };
    let whole = [at, bits, next, more].iter().all(|n| n % 8 == 0);
    base == other && whole && at + bits == next && bits + more <= 128
}
