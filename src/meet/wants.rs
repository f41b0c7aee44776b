//! What is wanted of a packet, subject by subject: what the rules on its way ask, less what rules before them take.

use redan_vm::Ruleset;
use redan_vm::family::{Family, nfproto};
use redan_vm::ids::SetId;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::packet::ethertype;
use redan_vm::predicate::{self, Intervals, Pass, Row, Subject, Test, max_of};

use super::unmet::{Unmet, beyond};

/// What is wanted of one subject.
#[derive(Clone, Debug)]
struct Want {
    subject: Subject,
    bits: u32,
    allowed: Intervals,
    /// `value & mask == want`, or not.
    masks: Vec<(u128, u128, bool)>,
}

/// What is wanted of a packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    wants: Vec<Want>,
    /// What is asked that no packet's bytes decide.
    pub(crate) beyond: Vec<String>,
}

impl Wants {
    /// Adds a test. Of a set's elements, number `choice` is taken.
    pub(super) fn require(
        &mut self,
        ruleset: &Ruleset,
        test: &Test,
        choice: usize,
    ) -> Result<(), Unmet> {
        match (&test.subject, &test.pass) {
            (Subject::Other(..), _) => {
                self.beyond.extend(beyond(&test.subject));
                Ok(())
            }
            (subject, Pass::In(values)) => self.allow(subject, test.bits, values),
            (subject, Pass::Masked { mask, want, equal }) => {
                self.want(subject, test.bits)
                    .masks
                    .push((*mask, *want, *equal));
                Ok(())
            }
            (
                subject,
                Pass::Set {
                    set,
                    inverted: false,
                },
            ) => {
                let rows = elements(ruleset, *set, subject)?;
                let row = rows
                    .get(choice % rows.len().max(1))
                    .ok_or(Unmet::Empty(*set))?;
                self.require_row(subject, row)
            }
            (subject, Pass::Set { set, .. }) => self.forbid_set(ruleset, *set, subject),
        }
    }

    /// Adds what an element asks.
    pub(super) fn require_row(&mut self, subject: &Subject, row: &Row) -> Result<(), Unmet> {
        for (part, (low, high)) in subject.parts().iter().zip(&row.parts) {
            let bits = width(part);
            self.allow(part, bits, &Intervals::range(*low, *high))?;
        }
        Ok(())
    }

    /// Adds the opposite of a test; an error where nothing is left.
    pub(super) fn forbid(&mut self, ruleset: &Ruleset, test: &Test) -> Result<(), Unmet> {
        match (&test.subject, &test.pass) {
            (Subject::Other(..) | Subject::Concat(_), _) => Err(Unmet::Contradiction),
            (subject, Pass::In(values)) => self.allow(subject, test.bits, &values.not(test.bits)),
            (subject, Pass::Masked { mask, want, equal }) => {
                self.want(subject, test.bits)
                    .masks
                    .push((*mask, *want, !equal));
                Ok(())
            }
            (subject, Pass::Set { set, inverted }) if *inverted => {
                let rows = elements(ruleset, *set, subject)?;
                let row = rows.first().ok_or(Unmet::Empty(*set))?;
                self.require_row(subject, row)
            }
            (subject, Pass::Set { set, .. }) => self.forbid_set(ruleset, *set, subject),
        }
    }

    /// Keeps a single subject out of a set.
    fn forbid_set(
        &mut self,
        ruleset: &Ruleset,
        set: SetId,
        subject: &Subject,
    ) -> Result<(), Unmet> {
        if matches!(subject, Subject::Concat(_)) {
            return Ok(());
        }
        let rows = elements(ruleset, set, subject)?;
        let ranges = rows.iter().flat_map(|row| row.parts.iter().copied());
        let bits = width(subject);
        self.allow(
            subject,
            bits,
            &Intervals::from_ranges(ranges.collect()).not(bits),
        )
    }

    fn allow(&mut self, subject: &Subject, bits: u32, values: &Intervals) -> Result<(), Unmet> {
        let want = self.want(subject, bits);
        want.allowed = want.allowed.and(values);
        if want.allowed.is_empty() {
            Err(Unmet::Contradiction)
        } else {
            Ok(())
        }
    }

    fn want(&mut self, subject: &Subject, bits: u32) -> &mut Want {
        let at = self.wants.iter().position(|want| want.subject == *subject);
        let at = at.unwrap_or_else(|| {
            self.wants.push(Want {
                subject: subject.clone(),
                bits,
                allowed: Intervals::range(0, max_of(bits)),
                masks: Vec::new(),
            });
            self.wants.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found, or pushed above")]
        &mut self.wants[at]
    }

    fn find(&self, subject: &Subject) -> Option<&Want> {
        self.wants.iter().find(|want| want.subject == *subject)
    }

    /// Whether a subject may have a value.
    pub(crate) fn takes(&self, subject: &Subject, value: u128) -> bool {
        self.find(subject).is_none_or(|want| want.takes(value))
    }

    /// Whether anything is asked of a subject.
    pub(crate) fn asks(&self, subject: &Subject) -> bool {
        self.find(subject).is_some()
    }

    /// A value for a subject: the first of `liked` that fits, else one that does.
    pub(crate) fn choose(&self, subject: &Subject, liked: &[u128]) -> Option<u128> {
        let Some(want) = self.find(subject) else {
            return liked.first().copied();
        };
        let fits = |value: &u128| want.takes(*value);
        liked.iter().copied().find(|value| fits(value)).or_else(|| {
            let ranges = || want.allowed.ranges().iter();
            // A host behind a network's own address; then its ends, and what masks ask for.
            let hosts = |steps: u128| {
                let hosts = ranges().map(move |(low, high)| (low.saturating_add(steps), *high));
                hosts.filter_map(|(host, high)| (host <= high).then_some(host))
            };
            let within = hosts(5).chain(hosts(1));
            let ends = ranges().flat_map(|(low, high)| [*low, *high]);
            let masked = want.masks.iter().flat_map(|(mask, value, _)| {
                [*value, value ^ mask, value ^ (mask & mask.wrapping_neg())]
            });
            let mixed: Vec<u128> = liked
                .iter()
                .flat_map(|like| {
                    want.masks
                        .iter()
                        .map(move |(mask, value, _)| like & !mask | value)
                })
                .collect();
            let found = within.chain(ends).chain(masked).chain(mixed).find(fits);
            found.or_else(|| (want.bits <= 16).then(|| (0..=max_of(want.bits)).find(fits))?)
        })
    }

    /// The lowest value of each range that a subject may lie in.
    pub(super) fn lows(&self, subject: &Subject) -> Vec<u128> {
        let ranges = self.find(subject).map(|want| want.allowed.ranges());
        ranges.into_iter().flatten().map(|(low, _)| *low).collect()
    }

    /// What the masked bits of a subject shall be, the others being 0.
    pub(super) fn masked(&self, subject: &Subject) -> Vec<u128> {
        let masks = self.find(subject).map(|want| &want.masks);
        masks
            .into_iter()
            .flatten()
            .map(|(_, want, _)| *want)
            .collect()
    }

    /// Whether a packet may have these headers.
    pub(crate) fn takes_headers(&self, is_v4: bool, l4: u8) -> bool {
        let (protocol, ether, offset) = if is_v4 {
            (nfproto::IPV4, ethertype::IPV4, 9)
        } else {
            (nfproto::IPV6, ethertype::IPV6, 6)
        };
        let payload = |base, offset, len| Subject::Payload { base, offset, len };
        let takes = |key, value| self.takes(&Subject::Meta(key), value);
        // Chains of bridges and devices see their own family, and a tag in place of what is behind it.
        let families = [protocol, nfproto::NETDEV, nfproto::BRIDGE];
        let types = [ether, ethertype::VLAN];
        let link = payload(Base::Link, 12, 2);
        families
            .iter()
            .any(|family| takes(MetaKey::Nfproto, (*family).into()))
            && types
                .iter()
                .any(|ty| takes(MetaKey::Protocol, (*ty).into()))
            && types.iter().any(|ty| self.takes(&link, (*ty).into()))
            && takes(MetaKey::L4proto, l4.into())
            && self.takes(&payload(Base::Network, offset, 1), l4.into())
    }

    /// Whether a packet may come in and leave by these interfaces; `None` where it has none.
    pub(crate) fn takes_devices(
        &self,
        ruleset: &Ruleset,
        iif: Option<&str>,
        oif: Option<&str>,
    ) -> bool {
        let fits = |name: Option<&str>, by_name, by_index| {
            // Interfaces that no rule knows have numbers behind all others; none at all is nameless, and number 0.
            let index = name.map_or(0, |name| {
                let at = ruleset.interfaces.iter().position(|known| known == name);
                at.map_or(u128::from(u32::MAX), |at| at as u128 + 1)
            });
            self.takes(&Subject::Meta(by_name), name.map_or(0, name_number))
                && self.takes(&Subject::Meta(by_index), index)
        };
        fits(iif, MetaKey::Iifname, MetaKey::Iif) && fits(oif, MetaKey::Oifname, MetaKey::Oif)
    }

    /// All that something is asked of.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.wants.iter().map(|want| &want.subject)
    }

    /// Payload that is asked for: base, offset, length, in bytes.
    pub(super) fn payload(&self) -> impl Iterator<Item = (&Subject, Base, u32, u8)> {
        self.subjects().filter_map(|subject| match *subject {
            Subject::Payload { base, offset, len } => Some((subject, base, offset, len)),
            Subject::Meta(_) | Subject::Ct(..) | Subject::Concat(_) | Subject::Other(..) => None,
        })
    }
}

impl Want {
    fn takes(&self, value: u128) -> bool {
        self.allowed.contains(value)
            && self
                .masks
                .iter()
                .all(|(mask, want, equal)| (value & mask == *want) == *equal)
    }
}

/// A name as the number that compares of names see.
fn name_number(name: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes().take(15)) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

/// Whether the chains of a family see packets of IPv4, or of IPv6.
pub(crate) const fn sees(family: Family, is_v4: bool) -> bool {
    match family {
        Family::Ip => is_v4,
        Family::Ip6 => !is_v4,
        Family::Inet | Family::Bridge | Family::Netdev => true,
        Family::Arp => false,
    }
}

/// A subject's width in bits.
fn width(subject: &Subject) -> u32 {
    match subject {
        Subject::Payload { len, .. } => u32::from(*len) * 8,
        Subject::Meta(key) => key.bits().next_multiple_of(8),
        Subject::Ct(key, _) => key.bits().next_multiple_of(8),
        Subject::Concat(_) | Subject::Other(..) => 128,
    }
}

fn elements(ruleset: &Ruleset, set: SetId, subject: &Subject) -> Result<Vec<Row>, Unmet> {
    let found = ruleset.sets.get(set.index()).ok_or(Unmet::Empty(set))?;
    Ok(predicate::rows(found, subject))
}
