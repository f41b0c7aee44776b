//! The interfaces and networks that a ruleset speaks of, in the order in which it names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::Prefix;
use redan_vm::Ruleset;
use redan_vm::family::{Family, Hook};
use redan_vm::instr::{Base, Verdict};
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{self, Intervals, Pass, Predicate, Subject, Test};

use crate::meet::Seeker;

/// What a ruleset is about.
pub(super) struct Names {
    /// Interfaces, by the hooks at which rules name them.
    named: Vec<(Hook, String)>,
    /// Networks that rules put behind an interface.
    networks: Vec<(String, Prefix)>,
    /// Where base chains hang.
    hung: Vec<(Family, Hook)>,
}

impl Names {
    /// Reads a ruleset.
    pub(super) fn of(ruleset: &Ruleset) -> Self {
        let seeker = Seeker::new(ruleset, &[]);
        let mut names = Self {
            named: Vec::new(),
            networks: Vec::new(),
            hung: Vec::new(),
        };
        for (id, chain) in (0..).map(redan_vm::ids::ChainId).zip(&ruleset.chains) {
            let (Some(base), false) = (&chain.base, chain.deleted) else {
                continue;
            };
            let Some(table) = ruleset.tables.get(chain.table.index()) else {
                continue;
            };
            if table.dormant {
                continue;
            }
            names.hung.push((table.family, base.hook));
            for device in &base.devices {
                names.name(base.hook, device.clone());
            }
            for chain in seeker.chains_from(id) {
                let rules = ruleset.chains.get(chain.index()).map(|chain| &chain.rules);
                for rule in rules.into_iter().flatten() {
                    let predicate = predicate::read(ruleset, *rule);
                    names.read(ruleset, base.hook, &predicate);
                }
            }
        }
        names
    }

    /// Whether a base chain of such a family hangs at such a hook.
    pub(super) fn hangs(&self, fits: impl Fn(Family, Hook) -> bool) -> bool {
        self.hung.iter().any(|(family, hook)| fits(*family, *hook))
    }

    /// The interfaces that rules at these hooks name, without the loopback device.
    pub(super) fn at(&self, fits: impl Fn(Hook) -> bool) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (hook, name) in &self.named {
            if fits(*hook) && !found.contains(name) {
                found.push(name.clone());
            }
        }
        found
    }

    /// The network of a family that rules put behind an interface.
    pub(super) fn network(&self, name: &str, is_v4: bool) -> Option<Prefix> {
        self.networks
            .iter()
            .find(|(at, prefix)| at == name && prefix.address.is_ipv4() == is_v4)
            .map(|(_, prefix)| *prefix)
    }

    fn name(&mut self, hook: Hook, name: String) {
        let known = self.named.contains(&(hook, name.clone()));
        if !known && name != "lo" && redan_runtime::site::is_interface_name(&name) {
            self.named.push((hook, name));
        }
    }

    fn read(&mut self, ruleset: &Ruleset, hook: Hook, predicate: &Predicate) {
        let mut sides: [Vec<String>; 2] = Default::default();
        for test in &predicate.tests {
            for (side, name) in interfaces(ruleset, test) {
                self.name(hook, name.clone());
                if let Some(side) = sides.get_mut(usize::from(side == Side::Out)) {
                    side.push(name);
                }
            }
        }
        if let (Some(set), Some(subject)) = (predicate.verdict_map, &predicate.map_key) {
            let test = Test {
                subject: subject.clone(),
                bits: 128,
                pass: Pass::Set {
                    set,
                    inverted: false,
                },
            };
            for (_, name) in interfaces(ruleset, &test) {
                self.name(hook, name);
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
fn interfaces(ruleset: &Ruleset, test: &Test) -> Vec<(Side, String)> {
    let parts = test.subject.parts();
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(side) = side(part) else { continue };
        let is_index = matches!(part, Subject::Meta(MetaKey::Iif | MetaKey::Oif));
        let values: Vec<(u128, u128)> = match &test.pass {
            Pass::In(values) => points(values),
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

/// The values that a set of values is about: its own, or the one that it lacks.
fn points(values: &Intervals) -> Vec<(u128, u128)> {
    match values.ranges() {
        [(0, before), (after, _)] if before + 2 == *after => vec![(before + 1, before + 1)],
        ranges => ranges.to_vec(),
    }
}

/// The name that a number stands for; the first that a wildcard takes.
fn name(low: u128, high: u128) -> Option<String> {
    let bytes = low.to_be_bytes();
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(15);
    let mut name = String::from_utf8(bytes.get(..length)?.to_vec()).ok()?;
    if low != high {
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
