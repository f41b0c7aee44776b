//! Where packets are tried: ports, who stands behind them, and which addresses are the machine's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::{Mode, Prefix, Side, Site};
use redan_vm::Ruleset;
use redan_vm::family::Hook;

use crate::scenario::Step;
use crate::site::plausible::{self, Hint, Kind};

/// A host's number in its subnet.
const HOST: u8 = 77;

/// The scene.
pub(super) struct Scene {
    given: Option<Site>,
    kind: Kind,
    /// Names of the ports.
    pub(super) ports: Vec<String>,
}

/// How a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// In by one port and out by another.
    Through(usize, usize),
    /// In by a port, to the machine itself.
    ToMachine(usize),
    /// From the machine itself, out by a port.
    FromMachine(usize),
}

impl Scene {
    pub(super) fn new(ruleset: &Ruleset, given: Option<Site>) -> Self {
        let kind = match &given {
            None => plausible::kind(ruleset),
            Some(site) => match site.mode {
                Mode::Router => Kind::Router,
                Mode::Wire if site.local.is_empty() => Kind::Wire,
                Mode::Wire | Mode::Host => Kind::Machine,
            },
        };
        let ports = match &given {
            Some(site) => (site.ports.iter())
                .filter(|port| site.mode != Mode::Host || port.side == Side::Outside)
                .map(|port| port.name.clone())
                .collect(),
            None => plausible::names(ruleset, kind, &[]),
        };
        Self { given, kind, ports }
    }

    /// The courses that pass a hook.
    pub(super) fn courses(&self, hook: Hook) -> Vec<Course> {
        let all = || 0..self.ports.len();
        let through = || {
            let pairs = all().flat_map(|from| all().map(move |to| (from, to)));
            let mut pairs: Vec<(usize, usize)> = pairs.collect();
            pairs.sort_by_key(|(from, to)| from == to);
            pairs
                .into_iter()
                .filter(|(from, to)| from != to || self.kind == Kind::Router)
                .map(|(from, to)| Course::Through(from, to))
        };
        let forwards = self.kind != Kind::Machine;
        let has_machine = self.kind != Kind::Wire;
        let to = || all().map(Course::ToMachine);
        let from = || all().map(Course::FromMachine);
        let mut courses = Vec::new();
        match hook {
            Hook::Prerouting | Hook::Ingress => {
                courses.extend(through().filter(|_| forwards));
                courses.extend(to().filter(|_| has_machine));
            }
            Hook::Input => courses.extend(to().filter(|_| has_machine)),
            Hook::Forward => courses.extend(through().filter(|_| forwards)),
            Hook::Output => courses.extend(from().filter(|_| has_machine)),
            Hook::Postrouting | Hook::Egress => {
                courses.extend(through().filter(|_| forwards));
                courses.extend(from().filter(|_| has_machine));
            }
        }
        courses
    }

    /// A host behind a port.
    pub(super) fn host(&self, port: usize, is_v4: bool) -> Option<IpAddr> {
        let number = u8::try_from(port + 1).unwrap_or(u8::MAX);
        let made = || {
            if is_v4 {
                IpAddr::from([10, number, 0, HOST])
            } else {
                Ipv6Addr::new(0xfd00, number.into(), 0, 0, 0, 0, 0, HOST.into()).into()
            }
        };
        let Some(site) = self.given.as_ref().filter(|site| site.mode == Mode::Router) else {
            return Some(made());
        };
        let prefix = prefix(site, port, is_v4)?;
        let host = match prefix.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(prefix.bits))
                    .unwrap_or(0);
                let rest = !mask & u32::from(HOST);
                let host = v4.to_bits() & mask | rest.max(1);
                IpAddr::from(Ipv4Addr::from_bits(host))
            }
            IpAddr::V6(v6) => {
                let mask = (u128::MAX.checked_shl(128 - u32::from(prefix.bits))).unwrap_or(0);
                IpAddr::from(Ipv6Addr::from_bits(
                    v6.to_bits() & mask | (!mask & u128::from(HOST)).max(1),
                ))
            }
        };
        Some(host).filter(|host| *host != prefix.address)
    }

    /// An address of the machine's own on a port.
    pub(super) fn own(&self, port: usize, is_v4: bool) -> Option<IpAddr> {
        let number = u8::try_from(port + 1).unwrap_or(u8::MAX);
        match &self.given {
            Some(site) => {
                let prefix = prefix(site, port, is_v4);
                let local = site.local.iter().find(|own| own.is_ipv4() == is_v4);
                (prefix.map(|prefix| prefix.address)).or_else(|| local.copied())
            }
            None if is_v4 => Some(IpAddr::from([10, number, 0, 1])),
            None => Some(Ipv6Addr::new(0xfd00, number.into(), 0, 0, 0, 0, 0, 1).into()),
        }
    }

    /// Whether a line must say which addresses are the machine's own.
    pub(super) fn says_local(&self) -> bool {
        self.given.is_none() && self.kind == Kind::Router
    }

    /// The site for steps.
    pub(super) fn site(&self, ruleset: &Ruleset, steps: &[Step]) -> Site {
        let hints: Vec<Hint<'_>> = steps.iter().filter_map(Step::hint).collect();
        let local: Vec<IpAddr> = steps.iter().filter_map(Step::local).collect();
        plausible::given_or_made(self.given.clone(), ruleset, &hints, &local)
    }
}

/// A port's network of a family.
fn prefix(site: &Site, port: usize, is_v4: bool) -> Option<Prefix> {
    let addresses = &site.ports.get(port)?.addresses;
    let found = addresses
        .iter()
        .find(|prefix| prefix.address.is_ipv4() == is_v4);
    found.copied()
}
