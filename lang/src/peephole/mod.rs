//! The last pass over a rule's matches, as nft does it: neighbouring loads become one, and what the family implies is left out.
//!
//! Merging follows nftables' `stmt_reduce`: among the matches between two other statements, those of the form `field == constant` on whole bytes are sorted by
//! place, and neighbours join while the result stays cheap to load. Only `==` merges: two `!=` are no single `!=`.

use crate::datatype::Type;
use crate::typed::{Load, Match, Operand, Relation, Stmt, StmtKind, Value, ValueKind};
use redan_vm::datatype::DataType;
use redan_vm::family::Family;
use redan_vm::field::Header;
use redan_vm::instr::Base;
use redan_vm::meta::{ByteOrder, MetaKey};
use std::borrow::Cow;

/// Most bits of one register.
const REGISTER_BITS: u32 = 128;
/// Loads up to this many bits are cheap.
const CHEAP_BITS: u32 = 32;

/// A match that may merge.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    at: usize,
    base: Base,
    offset: u32,
    bits: u32,
    value: u128,
    /// The field says which protocol follows, so its place counts.
    is_protocol: bool,
}

/// The rule's statements with loads merged.
pub(crate) fn run(stmts: &[Stmt], family: Family) -> Cow<'_, [Stmt]> {
    let candidates = stmts
        .iter()
        .filter(|stmt| candidate(0, stmt).is_some())
        .count();
    if candidates < 2 && !stmts.iter().any(|stmt| is_redundant(stmt, family)) {
        return Cow::Borrowed(stmts);
    }
    let kept = stmts.iter().zip(needed(stmts, family));
    let mut kept: Vec<Option<Stmt>> = kept
        .map(|(stmt, needed)| needed.then(|| stmt.clone()))
        .collect();
    for group in groups(stmts) {
        for at in &group.parts {
            if let Some(gone) = kept.get_mut(*at).filter(|_| *at != group.at) {
                *gone = None;
            }
        }
        write(&mut kept, &group.load);
    }
    Cow::Owned(kept.into_iter().flatten().collect())
}

/// The places of statements in the order in which a kernel gives them back: what merges stands together, what is left out is missing.
pub(crate) fn order(stmts: &[Stmt], family: Family) -> Vec<usize> {
    let mut places: Vec<Vec<usize>> = needed(stmts, family)
        .enumerate()
        .map(|(at, needed)| needed.then_some(at).into_iter().collect())
        .collect();
    for group in groups(stmts) {
        for at in &group.parts {
            if let Some(place) = places.get_mut(*at) {
                place.clear();
            }
        }
        if let Some(place) = places.get_mut(group.at) {
            *place = group.parts;
        }
    }
    places.into_iter().flatten().collect()
}

/// For each statement whether the family leaves anything of it to say; the last stays even so, as nft leaves it.
fn needed(stmts: &[Stmt], family: Family) -> impl Iterator<Item = bool> {
    let body = stmts.len().saturating_sub(1);
    let stmts = stmts.iter().enumerate();
    stmts.map(move |(at, stmt)| at >= body || !is_redundant(stmt, family))
}

/// Matches that become one.
struct Group {
    /// Where it stands.
    at: usize,
    /// What it is made of, in the order of the header.
    parts: Vec<usize>,
    load: Candidate,
}

/// All matches that merge, run by run.
fn groups(stmts: &[Stmt]) -> Vec<Group> {
    let mut out = Vec::new();
    let mut run: Vec<Candidate> = Vec::new();
    for (at, stmt) in stmts.iter().enumerate() {
        if matches!(stmt.kind, StmtKind::Match(_)) {
            run.extend(candidate(at, stmt));
        } else {
            merge(&mut out, &mut run);
        }
    }
    merge(&mut out, &mut run);
    out
}

/// `meta protocol ip` in a table of family ip.
fn is_redundant(stmt: &Stmt, family: Family) -> bool {
    let StmtKind::Match(found) = &stmt.kind else {
        return false;
    };
    let ValueKind::Load(load) = &found.left.kind else {
        return false;
    };
    if found.relation != Relation::Eq || !matches!(load.as_ref(), Load::Meta(MetaKey::Protocol)) {
        return false;
    }
    matches!(
        (family, &found.right),
        (Family::Ip, Operand::Value(0x0800)) | (Family::Ip6, Operand::Value(0x86dd))
    )
}

fn candidate(at: usize, stmt: &Stmt) -> Option<Candidate> {
    let StmtKind::Match(found) = &stmt.kind else {
        return None;
    };
    let (ValueKind::Load(load), Relation::Eq, Operand::Value(value)) =
        (&found.left.kind, found.relation, &found.right)
    else {
        return None;
    };
    let Load::Payload {
        field,
        base,
        bit_offset,
        bits,
    } = load.as_ref()
    else {
        return None;
    };
    if bit_offset % 8 != 0 || bits % 8 != 0 {
        return None;
    }
    let is_protocol = field.is_some_and(|field| {
        matches!(
            (field.header, field.name),
            (Header::Ether | Header::Vlan, "type")
                | (Header::Ip, "protocol")
                | (Header::Ip6, "nexthdr")
        )
    });
    Some(Candidate {
        at,
        base: *base,
        offset: *bit_offset,
        bits: *bits,
        value: *value,
        is_protocol,
    })
}

fn can_merge(a: &Candidate, b: &Candidate) -> bool {
    let total = a.bits + b.bits;
    a.base == b.base
        && a.offset + a.bits == b.offset
        && total <= REGISTER_BITS
        && (total <= CHEAP_BITS
            || a.base == Base::Link
            || a.bits > CHEAP_BITS
            || b.bits > CHEAP_BITS)
}

fn merge(out: &mut Vec<Group>, run: &mut Vec<Candidate>) {
    run.sort_by_key(|candidate| (candidate.base, candidate.offset));
    let mut last: Option<Group> = None;
    for this in run.drain(..) {
        let Some(mut group) = last.take_if(|group| can_merge(&group.load, &this)) else {
            out.extend(last.take().filter(|group| group.parts.len() > 1));
            last = Some(Group {
                at: this.at,
                parts: vec![this.at],
                load: this,
            });
            continue;
        };
        // a match that says which protocol follows keeps its place
        if this.is_protocol {
            group.at = this.at;
        }
        group.parts.push(this.at);
        group.load = Candidate {
            at: group.at,
            base: group.load.base,
            offset: group.load.offset,
            bits: group.load.bits + this.bits,
            value: group.load.value << this.bits | this.value,
            is_protocol: group.load.is_protocol || this.is_protocol,
        };
        last = Some(group);
    }
    out.extend(last.filter(|group| group.parts.len() > 1));
}

fn write(stmts: &mut [Option<Stmt>], joined: &Candidate) {
    let Some(Some(stmt)) = stmts.get_mut(joined.at) else {
        return;
    };
    let ty = Type::new(DataType::Integer, joined.bits, ByteOrder::Network);
    let load = Load::Payload {
        field: None,
        base: joined.base,
        bit_offset: joined.offset,
        bits: joined.bits,
    };
    let left = Value {
        span: stmt.span,
        ty,
        kind: ValueKind::Load(Box::new(load)),
    };
    let found = Match {
        left,
        relation: Relation::Eq,
        right: Operand::Value(joined.value),
        explicit: false,
    };
    stmt.kind = StmtKind::Match(Box::new(found));
}
