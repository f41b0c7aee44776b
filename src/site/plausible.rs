//! A site for rules and packets that come without one: ports named as the rules name interfaces, and everybody where the packets say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::{Mode, Port, Prefix, Site};
use redan_vm::Ruleset;
use redan_vm::family::{Family, Hook};

use super::named;

/// Beginnings of names that lead to the Internet, by custom.
const OUTWARD: &[&str] = &["wan", "ppp", "ext", "inet", "out", "up", "wwan"];

/// A packet that the site must take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint<'a> {
    /// The port.
    pub(crate) port: &'a str,
    /// Whether the machine itself sends it.
    pub(crate) is_own: bool,
    /// Source.
    pub(crate) src: IpAddr,
    /// Destination; `None` where it is only known who stands behind the port.
    pub(crate) dst: Option<IpAddr>,
}

/// What a site without a file must be like, for a ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Frames pass from port to port: the rules are those of a bridge or of devices alone.
    Wire,
    /// Packets are forwarded.
    Router,
    /// The rules are a machine's own: whatever comes in is for it.
    Machine,
}

/// What a ruleset wants.
pub(crate) fn kind(ruleset: &Ruleset) -> Kind {
    let hooks = named::hung(ruleset);
    let is_device = |(family, hook): &(Family, Hook)| {
        matches!(family, Family::Bridge | Family::Netdev)
            || matches!(hook, Hook::Ingress | Hook::Egress)
    };
    if hooks.iter().all(is_device) || hooks.iter().any(|(family, _)| *family == Family::Bridge) {
        Kind::Wire
    } else if hooks.iter().any(|(_, hook)| *hook == Hook::Forward) {
        Kind::Router
    } else {
        Kind::Machine
    }
}

/// A site that is given, with addresses that are the machine's own, or one that suits the packets.
pub(crate) fn given_or_made(
    given: Option<Site>,
    ruleset: &Ruleset,
    hints: &[Hint<'_>],
    local: &[IpAddr],
) -> Site {
    let Some(mut given) = given else {
        return site(ruleset, hints, local);
    };
    given.local.extend(local);
    given
}

/// The names of the ports.
pub(crate) fn names(ruleset: &Ruleset, kind: Kind, hints: &[Hint<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let from_rules = named::interfaces(ruleset);
    let from_packets = hints.iter().map(|hint| hint.port.to_owned());
    let all: Vec<String> = if kind == Kind::Machine && !hints.is_empty() {
        from_packets.collect()
    } else {
        from_rules.into_iter().chain(from_packets).collect()
    };
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let least = if kind == Kind::Machine { 1 } else { 2 };
    for number in 0.. {
        if names.len() >= least {
            break;
        }
        let name = format!("eth{number}");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The site; `local` are addresses that are the machine's own.
fn site(ruleset: &Ruleset, hints: &[Hint<'_>], local: &[IpAddr]) -> Site {
    let kind = kind(ruleset);
    let names = names(ruleset, kind, hints);
    let ports = names.iter().enumerate();
    let mut site = Site {
        ports: ports
            .map(|(index, name)| Port::new(name.clone(), index))
            .collect(),
        ..Site::default()
    };
    match kind {
        Kind::Wire => site.local.extend(local),
        Kind::Machine => {
            site.local.extend(local);
            let own = |hint: &Hint<'_>| {
                if hint.is_own {
                    Some(hint.src)
                } else {
                    hint.dst
                }
            };
            site.local.extend(hints.iter().filter_map(own));
            site.local.retain(|address| is_unicast(*address));
        }
        Kind::Router => route(&mut site, hints, local),
    }
    site
}

/// The ports that packets name, each once.
pub(crate) fn ports(hints: &[Hint<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for hint in hints {
        if !names.iter().any(|name| name == hint.port) {
            names.push(hint.port.to_owned());
        }
    }
    names
}

/// In words: how the site is, and whom it knows where.
pub(crate) fn describe(site: &Site) -> String {
    let ports: Vec<String> = site
        .ports
        .iter()
        .map(|port| {
            let addresses: Vec<String> = port.addresses.iter().map(Prefix::to_string).collect();
            match addresses.as_slice() {
                [] => port.name.clone(),
                addresses => format!("{} ({})", port.name, addresses.join(", ")),
            }
        })
        .collect();
    let local: Vec<String> = site.local.iter().map(IpAddr::to_string).collect();
    let own = match local.as_slice() {
        [] => String::new(),
        local => format!("; its own addresses: {}", local.join(", ")),
    };
    let what = match site.mode {
        Mode::Router => "a router with",
        Mode::Wire | Mode::Host if local.is_empty() => "a wire between",
        Mode::Wire | Mode::Host => "a machine with",
    };
    format!("no --site, so taken as {what} {}{own}", ports.join(", "))
}

fn is_unicast(address: IpAddr) -> bool {
    !address.is_multicast()
        && !address.is_unspecified()
        && !matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
}

/// Puts every host of the packets behind a port, with an address of the router beside it.
fn route(site: &mut Site, hints: &[Hint<'_>], local: &[IpAddr]) {
    site.mode = Mode::Router;
    let mut hosts: Vec<(IpAddr, usize)> = Vec::new();
    let names: Vec<String> = site.ports.iter().map(|port| port.name.clone()).collect();
    let place = |name: &str| names.iter().position(|port| port == name);
    for hint in hints.iter().filter(|hint| !hint.is_own) {
        if let Some(port) = place(hint.port) {
            hosts.push((hint.src, port));
        }
    }
    for hint in hints {
        let port = place(hint.port).unwrap_or(0);
        if let Some(dst) = hint.dst
            && !hosts.iter().any(|(host, _)| *host == dst)
        {
            let to = if hint.is_own { port } else { other(site, port) };
            hosts.push((dst, to));
        }
        if hint.is_own {
            site.local.push(hint.src);
        }
    }
    hosts.retain(|(host, _)| is_unicast(*host) && !host.is_loopback() && !local.contains(host));
    let taken: Vec<IpAddr> = hosts.iter().map(|(host, _)| *host).collect();
    for (host, port) in hosts {
        let is_reached = (site.ports.get(port))
            .is_some_and(|port| port.addresses.iter().any(|address| address.contains(host)));
        let is_elsewhere = (site.ports.iter().enumerate())
            .filter(|(index, _)| *index != port)
            .any(|(_, port)| port.addresses.iter().any(|address| address.contains(host)));
        if is_elsewhere {
            add(site, port, pair(host));
        } else if !is_reached {
            add(site, port, beside(host, &taken));
        }
    }
    site.local.extend(local);
    for index in 0..site.ports.len() {
        // Router mode wants an address on each port (RFC 2544's network for tests, which nobody has).
        let number = u8::try_from(index).unwrap_or(u8::MAX);
        if site
            .ports
            .get(index)
            .is_some_and(|port| port.addresses.is_empty())
        {
            add(site, index, (Ipv4Addr::new(198, 18, number, 1).into(), 24));
        }
    }
}

fn add(site: &mut Site, port: usize, (address, bits): (IpAddr, u8)) {
    if let Some(port) = site.ports.get_mut(port) {
        port.addresses.push(Prefix { address, bits });
    }
}

/// The port that leads to everybody else.
fn other(site: &Site, from: usize) -> usize {
    let mut others = (site.ports.iter().enumerate()).filter(|(index, _)| *index != from);
    let outward = others
        .clone()
        .find(|(_, port)| OUTWARD.iter().any(|start| port.name.starts_with(start)));
    outward
        .or_else(|| others.next())
        .map_or(0, |(index, _)| index)
}

/// A subnet of the host and the router alone (RFC 3021, RFC 6164), which is found before all wider ones.
fn pair(host: IpAddr) -> (IpAddr, u8) {
    match host {
        IpAddr::V4(v4) => (Ipv4Addr::from_bits(v4.to_bits() ^ 1).into(), 31),
        IpAddr::V6(v6) => (Ipv6Addr::from_bits(v6.to_bits() ^ 1).into(), 127),
    }
}

/// An address of the router's own in the host's subnet, and the subnet's length.
fn beside(host: IpAddr, taken: &[IpAddr]) -> (IpAddr, u8) {
    match host {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            // The first and the last address of a subnet are no host's.
            let bits = if matches!(d, 0 | 255) { 16 } else { 24 };
            let own = [1, 254, 253]
                .map(|last| IpAddr::from([a, b, c, last]))
                .into_iter()
                .find(|own| !taken.contains(own));
            (own.unwrap_or_else(|| [a, b, c, 252].into()), bits)
        }
        IpAddr::V6(v6) => {
            let network = v6.to_bits() >> 64 << 64;
            let own = [1, 0xffff, 0xfffe]
                .map(|last: u128| IpAddr::from(Ipv6Addr::from_bits(network | last)))
                .into_iter()
                .find(|own| !taken.contains(own));
            (own.unwrap_or(host), 64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_never_given_to_the_router() {
        let host = |text: &str| text.parse::<IpAddr>().unwrap();
        let cases = [
            ("10.1.0.5", &["10.1.0.5"][..], "10.1.0.1", 24),
            ("10.1.0.1", &["10.1.0.1"], "10.1.0.254", 24),
            ("10.1.0.255", &["10.1.0.255"], "10.1.0.1", 16),
            ("fd01::1", &["fd01::1"], "fd01::ffff", 64),
        ];
        for (to, taken, own, bits) in cases {
            let taken: Vec<IpAddr> = taken.iter().map(|text| host(text)).collect();
            assert_eq!(beside(host(to), &taken), (host(own), bits), "{to}");
        }
    }
}
