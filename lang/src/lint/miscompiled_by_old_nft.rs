//! L063: rules that the version of nft that is to load the file compiles to something else than they say.

use redan_vm::ct::CtKey;
use redan_vm::field::Header;
use redan_vm::ids::SetId;
use redan_vm::instr::Base;
use redan_vm::meta::{ByteOrder, MetaKey};
use redan_vm::ruleset::set_flags;

use super::Facts;
use super::bugs::BUGS;
use super::version::Target;
use crate::diag::{Code, Diagnostic};
use crate::typed::{
    Load, Match, NatArg, Operand, Relation, Rule, Stmt, StmtKind, Value, ValueKind,
};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let Some(Target::Nft(target)) = facts.target else {
        return;
    };
    let known = BUGS
        .iter()
        .filter(|bug| bug.first <= target && target <= bug.last);
    for bug in known {
        let rules = facts.program.rules.iter();
        for rule in rules.filter(|rule| (bug.shows)(facts, rule)) {
            found.push(
                Diagnostic::new(
                    Code::MiscompiledByOldNft,
                    rule.span,
                    format!(
                        "nft {target} compiles this to something else: {}",
                        bug.effect
                    ),
                )
                .help(format!(
                    "{}; nft newer than {} is right ({})",
                    bug.instead, bug.last, bug.source
                )),
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

/// `meta mark . ip saddr { 1-10 . 10.0.0.0/8 }`.
pub(super) fn looks_host_order_range_up(facts: &Facts<'_>, rule: &Rule) -> bool {
    let has_ranges = |set: SetId| {
        let set = facts.ruleset.sets.get(set.index());
        set.is_some_and(|set| set.flags & set_flags::CONCAT != 0)
    };
    let in_host_order = |key: &Value| match &key.kind {
        ValueKind::Concat(parts) => parts
            .iter()
            .any(|part| part.ty.order == ByteOrder::Host && part.ty.bits > 8 && part.ty.bits <= 64),
        _ => false,
    };
    rule.stmts.iter().any(|Stmt { kind, .. }| match kind {
        StmtKind::Match(m) => {
            matches!(m.right, Operand::Set(set) if has_ranges(set)) && in_host_order(&m.left)
        }
        StmtKind::Vmap { key, set } | StmtKind::ObjrefMap { key, set } => {
            has_ranges(*set) && in_host_order(key)
        }
        _ => false,
    })
}

/// `meta mark set ip dscp`.
pub(super) fn sets_mark_from_bits(rule: &Rule) -> bool {
    rule.stmts.iter().any(|stmt| {
        let StmtKind::Set { target, value } = &stmt.kind else {
            return false;
        };
        let is_mark = matches!(
            **target,
            Load::Meta(MetaKey::Mark)
                | Load::Ct {
                    key: CtKey::Mark,
                    ..
                }
        );
        is_mark && has_bits_of_byte(value)
    })
}

fn has_bits_of_byte(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Load(load) => load.bit_field().is_some(),
        ValueKind::Bits { from, .. } | ValueKind::Shift { from, .. } => has_bits_of_byte(from),
        ValueKind::Swap(inner) => has_bits_of_byte(inner),
        ValueKind::BitsOf { sides, .. } => has_bits_of_byte(&sides.0) || has_bits_of_byte(&sides.1),
        _ => false,
    }
}

/// `vlan pcp set 2`.
pub(super) fn sets_vlan_bits(rule: &Rule) -> bool {
    rule.stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Set { target, .. } => {
            matches!(&**target, Load::Payload { field: Some(field), .. } if field.header == Header::Vlan && field.name == "pcp")
        }
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
