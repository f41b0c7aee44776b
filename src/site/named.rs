//! What rules say of the site that they are for: the interfaces and networks that they name, and the hooks at which they hang.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::Prefix;
use redan_runtime::site::is_interface_name;
use redan_vm::Ruleset;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook};
use redan_vm::ids::{ChainId, SetId};
use redan_vm::instr::{Base, Verdict};
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{self, Intervals, Pass, Predicate, Subject, Test};
use redan_vm::ruleset::Set;

use crate::meet::Map;

/// The names of a ruleset's interfaces but `lo`, in the order in which the rules name them: as devices, in matches, in sets. A name with a
/// wildcard gives one that it takes.
pub(crate) fn interfaces(ruleset: &Ruleset) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if is_port(&name) && !names.contains(&name) {
            names.push(name);
        }
    };
    for chain in &ruleset.chains {
        let devices = chain.base.iter().flat_map(|base| &base.devices);
        devices.cloned().for_each(&mut add);
        for rule in &chain.rules {
            let tests = asked(&predicate::read(ruleset, *rule));
            let named = tests.iter().flat_map(|test| of_test(ruleset, test));
            named.map(|(_, name)| name).for_each(&mut add);
        }
    }
    for (id, set) in (0..).map(SetId).zip(&ruleset.sets) {
        let named = of_test(ruleset, &in_set(key(set), id));
        named.into_iter().map(|(_, name)| name).for_each(&mut add);
    }
    ruleset.interfaces.iter().cloned().for_each(&mut add);
    names
}

/// Whether a port may be called so.
fn is_port(name: &str) -> bool {
    is_interface_name(name) && name != "lo"
}

/// Where base chains hang.
pub(crate) fn hung(ruleset: &Ruleset) -> Vec<(Family, Hook)> {
    bases(ruleset)
        .map(|(_, family, hook)| (family, hook))
        .collect()
}

fn bases(ruleset: &Ruleset) -> impl Iterator<Item = (ChainId, Family, Hook)> {
    let chains = (0..).map(ChainId).zip(&ruleset.chains);
    let live = chains.filter(|(_, chain)| !chain.deleted);
    live.filter_map(|(id, chain)| {
        let table = ruleset.tables.get(chain.table.index())?;
        (!table.dormant).then_some((id, table.family, chain.base.as_ref()?.hook))
    })
}

/// The interfaces by the hooks at which they are named, and what stands behind them.
pub(crate) struct Names {
    named: Vec<(Hook, String)>,
    networks: Vec<(String, Prefix)>,
}

impl Names {
    /// Reads a ruleset.
    pub(crate) fn of(ruleset: &Ruleset) -> Self {
        let map = Map::new(ruleset);
        let mut names = Self {
            named: Vec::new(),
            networks: Vec::new(),
        };
        for (id, _, hook) in bases(ruleset) {
            let chain = ruleset.chains.get(id.index());
            let base = chain.and_then(|chain| chain.base.as_ref());
            for device in base.iter().flat_map(|base| &base.devices) {
                names.name(hook, device.clone());
            }
            for chain in map.from(ruleset, id) {
                let rules = ruleset.chains.get(chain.index()).map(|chain| &chain.rules);
                for rule in rules.into_iter().flatten() {
                    if let Some(predicate) = map.predicate(*rule) {
                        names.read(ruleset, hook, predicate);
                    }
                }
            }
        }
        names
    }

    /// The interfaces that rules at these hooks name, without the loopback device.
    pub(crate) fn at(&self, fits: impl Fn(Hook) -> bool) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (hook, name) in &self.named {
            if fits(*hook) && !found.contains(name) {
                found.push(name.clone());
            }
        }
        found
    }

    /// The network of a family that rules put behind an interface.
    pub(crate) fn network(&self, name: &str, is_v4: bool) -> Option<Prefix> {
        self.networks
            .iter()
            .find(|(at, prefix)| at == name && prefix.address.is_ipv4() == is_v4)
            .map(|(_, prefix)| *prefix)
    }

    fn name(&mut self, hook: Hook, name: String) {
        if is_port(&name) && !self.named.contains(&(hook, name.clone())) {
            self.named.push((hook, name));
        }
    }

    fn read(&mut self, ruleset: &Ruleset, hook: Hook, predicate: &Predicate) {
        for test in asked(predicate) {
            for (_, name) in of_test(ruleset, &test) {
                self.name(hook, name);
            }
        }
        let mut sides: [Vec<String>; 2] = Default::default();
        for test in &predicate.tests {
            for (side, name) in of_test(ruleset, test) {
                if let Some(side) = sides.get_mut(usize::from(side == Side::Out)) {
                    side.push(name);
                }
            }
        }
        // `saddr != NET drop` says where a network is, as `saddr NET accept` does; `saddr NET drop` says where it is not.
        let drops = predicate.verdict == Some(Verdict::Drop);
        for (names, offsets) in sides.iter().zip([(12, 8), (16, 24)]) {
            if let [name] = names.as_slice() {
                let found = predicate
                    .tests
                    .iter()
                    .filter_map(|t| network(t, offsets, drops));
                let found: Vec<_> = found.map(|prefix| (name.clone(), prefix)).collect();
                self.networks.extend(found);
            }
        }
    }
}

/// All that a rule asks: its tests, and the lookup of its verdict map.
fn asked(predicate: &Predicate) -> Vec<Test> {
    let mut tests = predicate.tests.clone();
    if let (Some(set), Some(subject)) = (predicate.verdict_map, &predicate.map_key) {
        tests.push(in_set(subject.clone(), set));
    }
    tests
}

const fn in_set(subject: Subject, set: SetId) -> Test {
    Test {
        subject,
        bits: 128,
        pass: Pass::Set {
            set,
            inverted: false,
        },
    }
}

/// What a set's keys stand for, as far as they are names.
fn key(set: &Set) -> Subject {
    let mut parts: Vec<Subject> = (set.key_types.iter())
        .map(|ty| {
            if *ty == DataType::Ifname {
                Subject::Meta(MetaKey::Iifname)
            } else {
                Subject::Other(0, String::new())
            }
        })
        .collect();
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            Subject::Concat(parts)
        }
    }
}

/// Which interface of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The one that it comes in by.
    In,
    /// The one that it leaves by.
    Out,
}

const fn side(subject: &Subject) -> Option<Side> {
    let Subject::Meta(key) = subject else {
        return None;
    };
    if matches!(key, MetaKey::Iif | MetaKey::Iifname) {
        Some(Side::In)
    } else if matches!(key, MetaKey::Oif | MetaKey::Oifname) {
        Some(Side::Out)
    } else {
        None
    }
}

/// The interfaces that a test names, wanted or not.
fn of_test(ruleset: &Ruleset, test: &Test) -> Vec<(Side, String)> {
    let parts = test.subject.parts();
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(side) = side(part) else { continue };
        let is_index = matches!(part, Subject::Meta(MetaKey::Iif | MetaKey::Oif));
        let values: Vec<(u128, u128)> = match &test.pass {
            Pass::In(values) => points(values, test.bits),
            Pass::Set { set, .. } => ruleset
                .sets
                .get(set.index())
                .map_or_else(Vec::new, |set| predicate::rows(set, &test.subject))
                .iter()
                .filter_map(|row| row.parts.get(at).copied())
                .collect(),
            Pass::Masked { .. } => Vec::new(),
        };
        for (low, high) in values {
            let name = if is_index {
                usize::try_from(low)
                    .ok()
                    .and_then(|index| ruleset.interfaces.get(index.checked_sub(1)?))
                    .cloned()
            } else {
                name(low, high)
            };
            found.extend(name.map(|name| (side, name)));
        }
    }
    found
}

/// The values that a match speaks of: those that it takes, or those that it does not take.
fn points(values: &Intervals, bits: u32) -> Vec<(u128, u128)> {
    let spoken = if values.contains(0) {
        values.not(bits)
    } else {
        values.clone()
    };
    spoken.ranges().to_vec()
}

/// The name that a number stands for; one of those that begin so where it is a wildcard.
fn name(low: u128, high: u128) -> Option<String> {
    let (low, high) = (low.to_be_bytes(), high.to_be_bytes());
    let shared = low.iter().zip(high).take_while(|(a, b)| **a == *b).count();
    let known = low.get(..shared)?;
    let length = known.iter().position(|byte| *byte == 0);
    let mut name = String::from_utf8(known.get(..length.unwrap_or(shared))?.to_vec()).ok()?;
    if low != high && !name.is_empty() {
        name.push('0');
    }
    Some(name)
}

/// The network that a test of an address at one of these offsets asks for, or asks to be without, if it is one that hosts can live in.
fn network(test: &Test, (v4, v6): (u32, u32), without: bool) -> Option<Prefix> {
    let Subject::Payload {
        base: Base::Network,
        offset,
        len,
    } = test.subject
    else {
        return None;
    };
    let Pass::In(values) = &test.pass else {
        return None;
    };
    let is_v4 = match (offset, len) {
        (offset, 4) if offset == v4 => true,
        (offset, 16) if offset == v6 => false,
        _ => return None,
    };
    let (low, high) = match values.ranges() {
        [one] if !without => *one,
        [(0, before), (after, _)] if without => (before.checked_add(1)?, after.checked_sub(1)?),
        _ => return None,
    };
    let size = high.checked_sub(low)?.checked_add(1)?;
    let host = size.trailing_zeros();
    let whole = size.is_power_of_two() && low & (size - 1) == 0;
    let prefix = if is_v4 {
        let address = Ipv4Addr::from_bits(u32::try_from(low).ok()?);
        let lives = !address.is_loopback() && !address.is_multicast() && !address.is_unspecified();
        ((2..=24).contains(&host) && lives).then_some(Prefix {
            address: IpAddr::V4(address),
            bits: u8::try_from(32 - host).ok()?,
        })
    } else {
        let address = Ipv6Addr::from_bits(low);
        let lives = !address.is_multicast()
            && !address.is_unicast_link_local()
            && !address.is_unspecified();
        ((8..=96).contains(&host) && lives).then_some(Prefix {
            address: IpAddr::V6(address),
            bits: u8::try_from(128 - host).ok()?,
        })
    };
    prefix.filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_speaks_of_what_it_takes_or_leaves_out() {
        let number = |text: &[u8], fill: u8| {
            let mut bytes = [fill; 16];
            bytes[..text.len()].copy_from_slice(text);
            u128::from_be_bytes(bytes)
        };
        let exact = Intervals::one(number(b"wan", 0));
        let wildcard = Intervals::range(number(b"eth", 0), number(b"eth", 0xff));
        let cases = [
            (exact.clone(), &["wan"][..]),
            (exact.not(128), &["wan"]),
            (wildcard.clone(), &["eth0"]),
            (wildcard.not(128), &["eth0"]),
        ];
        for (values, wanted) in cases {
            let names: Vec<String> = points(&values, 128)
                .into_iter()
                .filter_map(|(low, high)| name(low, high))
                .collect();
            assert_eq!(names, wanted, "{values:?}");
        }
    }
}
