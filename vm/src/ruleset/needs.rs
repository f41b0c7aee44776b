//! What a ruleset makes the engine do beside running rules: tracking connections and putting fragments together, each by layer 3
//! protocol, and counting what connections carry.
//!
//! In Linux an expression registers conntrack's hooks for the family of its table when it is made, whether it ever runs or not
//! (`nf_conntrack_proto.c: nf_ct_netns_get`), and so do objects and what elements of sets carry; inet and bridge stand for both protocols.

use super::{Rule, Ruleset, Set, SetData, StateSpec, set_flags};
use crate::ct::CtKey;
use crate::family::{Family, nfproto};
use crate::instr::{Instr, ObjectKind};

/// IPv4, IPv6 or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Protocols {
    /// IPv4.
    pub ip: bool,
    /// IPv6.
    pub ip6: bool,
}

impl Protocols {
    /// Both.
    pub const BOTH: Self = Self {
        ip: true,
        ip6: true,
    };

    /// Whether there is any.
    pub const fn any(self) -> bool {
        self.ip || self.ip6
    }

    /// The packets that hooks of a family see and conntrack takes. What is tracked for a bridge is tracked for both protocols
    /// (`nf_ct_netns_get`); arp and netdev have no conntrack, and Linux refuses there what needs it.
    const fn of_family(family: Family) -> Self {
        match family {
            Family::Ip => Self {
                ip: true,
                ip6: false,
            },
            Family::Ip6 => Self {
                ip: false,
                ip6: true,
            },
            Family::Inet | Family::Bridge => Self::BOTH,
            Family::Arp | Family::Netdev => Self {
                ip: false,
                ip6: false,
            },
        }
    }

    /// Those that an operand's number names; other numbers than those of IPv4 and IPv6 stand for both.
    const fn of_number(number: u8) -> Self {
        match number {
            nfproto::IPV4 => Self::of_family(Family::Ip),
            nfproto::IPV6 => Self::of_family(Family::Ip6),
            _ => Self::BOTH,
        }
    }

    fn add(&mut self, other: Self) {
        self.ip |= other.ip;
        self.ip6 |= other.ip6;
    }
}

/// What a ruleset needs. Derived from every expression: of rules, of sets and their elements, of statements that fill sets, and from
/// objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Connections are tracked.
    pub conntrack: Protocols,
    /// Fragments are put together before conntrack's place; where connections are tracked they always are.
    pub defrag: Protocols,
    /// Packets and bytes of connections are counted (`nft_ct.c: nft_ct_get_init`).
    pub acct: bool,
}

impl Needs {
    /// The needs of a ruleset.
    pub fn of(ruleset: &Ruleset) -> Self {
        let mut needs = Self::default();
        for chain in ruleset.chains.iter().filter(|chain| !chain.deleted) {
            let family = family(ruleset, chain.table.index());
            for rule in &chain.rules {
                if let Some(rule) = ruleset.rules.get(rule.index()) {
                    needs.rule(ruleset, rule, family);
                }
            }
        }
        for set in &ruleset.sets {
            // Unnamed sets live and end with their rules.
            if set.flags & set_flags::ANONYMOUS == 0 {
                needs.set(set, family(ruleset, set.table.index()));
            }
        }
        for object in &ruleset.objects {
            if tracks(object.kind) && !object.deleted {
                needs.track(Protocols::of_family(family(ruleset, object.table.index())));
            }
        }
        needs
    }

    fn rule(&mut self, ruleset: &Ruleset, rule: &Rule, family: Family) {
        for instr in &rule.code {
            self.instr(instr, family);
        }
        for set in rule
            .sets
            .iter()
            .filter_map(|id| ruleset.sets.get(id.index()))
        {
            self.set(set, family);
        }
    }

    fn set(&mut self, set: &Set, family: Family) {
        let carried = set.elements.extras.values().map(|extra| &extra.exprs);
        for exprs in std::iter::once(&set.exprs).chain(carried) {
            self.exprs(exprs, family);
        }
        if let SetData::Object(kind) = set.data
            && tracks(kind)
        {
            self.track(Protocols::of_family(family));
        }
    }

    /// What elements carry: of all that can be there `ct count` alone asks for connections.
    fn exprs(&mut self, exprs: &[StateSpec], family: Family) {
        if exprs
            .iter()
            .any(|spec| matches!(spec, StateSpec::Connlimit { .. }))
        {
            self.track(Protocols::of_family(family));
        }
    }

    fn instr(&mut self, instr: &Instr, family: Family) {
        let own = Protocols::of_family(family);
        match instr {
            Instr::CtLoad { key, .. } => {
                self.track(own);
                self.acct |= matches!(key, CtKey::Packets | CtKey::Bytes | CtKey::Avgpkt);
            }
            Instr::CtSet { .. }
            | Instr::Masq { .. }
            | Instr::Redir { .. }
            | Instr::Connlimit { .. }
            | Instr::Synproxy { .. }
            | Instr::FlowOffload { .. } => self.track(own),
            // nft_nat.c: nft_nat_init goes by the addresses' family.
            Instr::Nat(nat) => self.track(Protocols::of_number(nat.nfproto)),
            Instr::Tproxy { nfproto, .. } => self.defrag.add(Protocols::of_number(*nfproto)),
            Instr::Dynset(dynset) => self.exprs(&dynset.exprs, family),
            Instr::Objref { kind, .. } if tracks(*kind) => self.track(own),
            Instr::Inner { load, .. } => self.instr(load, family),
            Instr::Objref { .. }
            | Instr::ObjrefMap { .. }
            | Instr::Immediate { .. }
            | Instr::ImmediateVerdict { .. }
            | Instr::PayloadLoad { .. }
            | Instr::PayloadWrite { .. }
            | Instr::MetaLoad { .. }
            | Instr::MetaSet { .. }
            | Instr::Cmp { .. }
            | Instr::Range { .. }
            | Instr::Bitwise { .. }
            | Instr::BitwiseShift { .. }
            | Instr::BitwiseReg { .. }
            | Instr::Byteorder { .. }
            | Instr::Lookup { .. }
            | Instr::LookupVerdict { .. }
            | Instr::Counter { .. }
            | Instr::Limit { .. }
            | Instr::Quota { .. }
            | Instr::Last { .. }
            | Instr::Log(_)
            | Instr::Reject(_)
            | Instr::Notrack
            | Instr::Queue { .. }
            | Instr::Dup { .. }
            | Instr::Fwd { .. }
            | Instr::ExthdrLoad { .. }
            | Instr::ExthdrWrite { .. }
            | Instr::ExthdrReset { .. }
            | Instr::Fib { .. }
            | Instr::Rt { .. }
            | Instr::Socket { .. }
            | Instr::Osf { .. }
            | Instr::Xfrm { .. }
            | Instr::Tunnel { .. }
            | Instr::Numgen { .. }
            | Instr::Jhash { .. }
            | Instr::Symhash { .. } => {}
        }
    }

    fn track(&mut self, protocols: Protocols) {
        self.conntrack.add(protocols);
        self.defrag.add(protocols);
    }
}

/// Whether an object of a kind registers conntrack when it is made.
const fn tracks(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::CtHelper
        | ObjectKind::CtTimeout
        | ObjectKind::CtExpectation
        | ObjectKind::Synproxy => true,
        ObjectKind::Counter
        | ObjectKind::Quota
        | ObjectKind::Limit
        | ObjectKind::Tunnel
        | ObjectKind::Secmark => false,
    }
}

fn family(ruleset: &Ruleset, table: usize) -> Family {
    ruleset
        .tables
        .get(table)
        .map_or(Family::Inet, |table| table.family)
}
