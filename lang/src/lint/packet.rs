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
        let ethertype = if family == nfproto::IPV4 {
            0x0800
        } else {
            0x86dd
        };
        Self { known: Vec::new() }
            .with(Subject::Meta(MetaKey::Nfproto), family.into())
            .with(Subject::Meta(MetaKey::Protocol), ethertype)
            .with(Subject::Meta(MetaKey::L4proto), l4proto.into())
            .with(Subject::Ct(CtKey::State, None), ct_state.into())
            .with(
                network(if family == nfproto::IPV4 { 9 } else { 6 }, 1),
                l4proto.into(),
            )
    }

    /// The same with a field known.
    pub(super) fn with(mut self, subject: Subject, value: u128) -> Self {
        self.known.push((subject, Intervals::one(value)));
        self
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
            Pass::In(values) => value.is_within(values),
            Pass::Masked { mask, want, equal } => value
                .ranges()
                .iter()
                .all(|(v, _)| (v & mask == *want) == *equal),
            Pass::Set { .. } => true,
        }
    }

    /// A rule that a base chain may lead to and that accepts such a packet.
    pub(super) fn accepting_rule(&self, facts: &Facts<'_>, base: ChainId) -> Option<RuleId> {
        facts.reachable_rules(base).find(|id| {
            facts.predicate(*id).is_some_and(|predicate| {
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

/// An answer of a server on the Internet to a connection that this machine opened.
pub(super) fn answer(family: u8) -> Sample {
    let (server, own) = if family == nfproto::IPV4 {
        (0xc633_6407, 0xcb00_7105)
    } else {
        (
            0x2001_0db8_0000_0000_0000_0000_0000_0007,
            0x2001_0db8_0001_0000_0000_0000_0000_0005,
        )
    };
    Sample::new(family, 6, state::ESTABLISHED)
        .addresses(family, server, own)
        .ports(443, 43_210)
}

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
