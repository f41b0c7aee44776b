//! Sample packets: what a lint means by "such a packet", as values of the fields that matter; whatever is not named may be anything.

use redan_vm::ct::{CtKey, state};
use redan_vm::family::nfproto;
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::{Base, Verdict};
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{Intervals, Pass, Predicate, Subject, Test};

use super::Facts;

/// A packet of which some fields are known.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    known: Vec<(Subject, Intervals)>,
}

impl Sample {
    /// A packet with metadata and connection state alone.
    pub(super) fn new(family: u8, l4proto: u8, ct_state: u32) -> Self {
        Self::of_family(family)
            .with(Subject::Meta(MetaKey::L4proto), l4proto.into())
            .with(Subject::Ct(CtKey::State, None), ct_state.into())
            .with(
                network(if family == nfproto::IPV4 { 9 } else { 6 }, 1),
                l4proto.into(),
            )
    }

    /// Any packet of a family.
    fn of_family(family: u8) -> Self {
        let ethertype = if family == nfproto::IPV4 {
            0x0800
        } else {
            0x86dd
        };
        Self { known: Vec::new() }
            .with(Subject::Meta(MetaKey::Nfproto), family.into())
            .with(Subject::Meta(MetaKey::Protocol), ethertype)
    }

    /// The same with a field known.
    pub(super) fn with(mut self, subject: Subject, value: u128) -> Self {
        self.known.push((subject, Intervals::one(value)));
        self
    }

    /// The same with a field that may be one of several values.
    fn among(mut self, subject: Subject, values: Intervals) -> Self {
        self.known.push((subject, values));
        self
    }

    /// The same from the network: by any interface but lo.
    pub(super) fn outside(self) -> Self {
        self.among(
            Subject::Meta(MetaKey::Iif),
            Intervals::one(LO_INDEX).not(32),
        )
        .among(
            Subject::Meta(MetaKey::Iifname),
            Intervals::one(LO_NAME).not(128),
        )
        .among(
            Subject::Meta(MetaKey::Iiftype),
            Intervals::one(ARPHRD_LOOPBACK).not(16),
        )
    }

    /// The same by other values of these fields: interfaces.
    pub(super) fn not_by(self, interfaces: &[(Subject, Intervals)]) -> Self {
        interfaces
            .iter()
            .fold(self, |mut sample, (subject, taken)| {
                let bits = if *subject == Subject::Meta(MetaKey::Iif) {
                    32
                } else {
                    128
                };
                let left = taken.not(bits);
                match sample.known.iter_mut().find(|(known, _)| known == subject) {
                    Some((_, known)) => *known = known.and(&left),
                    None => sample.known.push((subject.clone(), left)),
                }
                sample
            })
    }

    /// The same over the loopback interface.
    pub(super) fn on_loopback(self) -> Self {
        self.with(Subject::Meta(MetaKey::Iif), LO_INDEX)
            .with(Subject::Meta(MetaKey::Iifname), LO_NAME)
            .with(Subject::Meta(MetaKey::Iiftype), ARPHRD_LOOPBACK)
    }

    /// The same with addresses known: IPv4 in 32 bits, IPv6 in 128.
    pub(super) fn addresses(self, family: u8, src: u128, dst: u128) -> Self {
        if family == nfproto::IPV4 {
            self.with(network(12, 4), src).with(network(16, 4), dst)
        } else {
            self.with(network(8, 16), src).with(network(24, 16), dst)
        }
    }

    /// The same with ports known.
    pub(super) fn ports(self, src: u16, dst: u16) -> Self {
        self.with(transport(0, 2), src.into())
            .with(transport(2, 2), dst.into())
    }

    /// The same with the first byte of the transport header, an ICMP type, known.
    pub(super) fn icmp_type(self, value: u8) -> Self {
        self.with(transport(0, 2), u128::from(value) << 8)
            .with(transport(0, 1), value.into())
    }

    /// The same with type and code of an ICMP message known.
    pub(super) fn icmp_message(self, kind: u8, code: u8) -> Self {
        self.with(transport(0, 2), u128::from(kind) << 8 | u128::from(code))
            .with(transport(0, 1), kind.into())
            .with(transport(1, 1), code.into())
    }

    /// Whether the packet may pass all tests: those of unknown fields count as passed.
    pub(super) fn may_pass(&self, predicate: &Predicate) -> bool {
        predicate.tests.iter().all(|test| self.may_pass_test(test))
    }

    fn may_pass_test(&self, test: &Test) -> bool {
        let Some((_, value)) = self
            .known
            .iter()
            .find(|(subject, _)| *subject == test.subject)
        else {
            return true;
        };
        match &test.pass {
            Pass::In(values) => !value.and(values).is_empty(),
            Pass::Masked { mask, want, equal } => value
                .ranges()
                .iter()
                .any(|(low, high)| low != high || (low & mask == *want) == *equal),
            Pass::Set { .. } => true,
        }
    }

    /// A rule that a base chain may lead to and that accepts such a packet.
    pub(super) fn accepting_rule(&self, facts: &Facts<'_>, base: ChainId) -> Option<RuleId> {
        self.accepting_rule_where(facts, base, |_| true)
    }

    fn accepting_rule_where(
        &self,
        facts: &Facts<'_>,
        base: ChainId,
        wanted: impl Fn(&Predicate) -> bool,
    ) -> Option<RuleId> {
        facts.reachable_rules(base).find(|id| {
            facts
                .predicate(*id)
                .filter(|p| wanted(p))
                .is_some_and(|predicate| {
                    let accepts = match (predicate.verdict, predicate.verdict_map) {
                        (Some(verdict), _) => verdict == Verdict::Accept,
                        (None, Some(map)) => facts.verdicts(map).any(|v| v == Verdict::Accept),
                        (None, None) => false,
                    };
                    accepts && self.may_pass(predicate)
                })
        })
    }
}

/// Rules that accept an answer of a server on the Internet to a connection that this machine opened: by the connection's state, to whatever
/// address and port it was opened, or blindly.
pub(super) fn accepts_answers(facts: &Facts<'_>, base: ChainId, family: u8) -> bool {
    let (server, own) = if family == nfproto::IPV4 {
        (0xc633_6407, 0xcb00_7105)
    } else {
        (
            0x2001_0db8_0000_0000_0000_0000_0000_0007,
            0x2001_0db8_0001_0000_0000_0000_0000_0005,
        )
    };
    let by_state = Sample::new(family, 6, state::ESTABLISHED).outside();
    let blindly = by_state
        .clone()
        .addresses(family, server, own)
        .ports(443, 43_210);
    by_state
        .accepting_rule_where(facts, base, asks_for_state)
        .is_some()
        || blindly.accepting_rule(facts, base).is_some()
}

/// Whether anything of a family is accepted from outside at all; if not, the chain's author does without that family.
pub(super) fn accepts_family(facts: &Facts<'_>, base: ChainId, family: u8) -> bool {
    Sample::of_family(family)
        .outside()
        .accepting_rule(facts, base)
        .is_some()
}

/// Whether a rule looks at the connection's state or status.
fn asks_for_state(predicate: &Predicate) -> bool {
    predicate.tests.iter().any(|test| {
        matches!(
            test.subject,
            Subject::Ct(CtKey::State | CtKey::Status | CtKey::Direction, _)
        )
    }) || predicate.verdict_map.is_some()
}

/// Index, name and hardware type of the loopback interface (`if_arp.h: ARPHRD_LOOPBACK`).
const LO_INDEX: u128 = 1;
const LO_NAME: u128 = u128::from_be_bytes(*b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
const ARPHRD_LOOPBACK: u128 = 772;

fn network(offset: u32, len: u8) -> Subject {
    Subject::Payload {
        base: Base::Network,
        offset,
        len,
    }
}

fn transport(offset: u32, len: u8) -> Subject {
    Subject::Payload {
        base: Base::Transport,
        offset,
        len,
    }
}
