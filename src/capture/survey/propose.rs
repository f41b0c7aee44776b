//! From what was seen to a site file. What had to be made up is said there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use redan_runtime::driver::capture::Interface;
use redan_runtime::{Mac, Prefix};

use super::Survey;
use super::port::{Port, is_host};
use crate::capture::names::Names;

/// Longest subnets that are proposed; a network that neighbours show to be wider is.
const V4_BITS: u8 = 24;
const V6_BITS: u8 = 64;
/// The widest IPv4 subnet that is believed.
const V4_WIDEST: u8 = 16;
/// Most neighbours and routes that are written.
const MOST: usize = 64;

/// A port as it is proposed.
struct Proposed<'a> {
    name: String,
    seen: &'a Port,
    mac: Option<Mac>,
    addresses: Vec<Prefix>,
    /// Which of them are made up.
    made_up: Vec<IpAddr>,
    /// Who has which address on the link.
    neighbors: BTreeMap<IpAddr, Mac>,
    gateways: Vec<Gateway>,
}

/// A neighbour that packets of others come from or go to.
struct Gateway {
    address: IpAddr,
    mac: Mac,
    behind: BTreeSet<IpAddr>,
}

impl Survey {
    /// The site file.
    pub(crate) fn propose(&self, capture: &str, names: &Names, interfaces: &[Interface]) -> String {
        let mut text = format!(
            "# Proposed from {} frames of {capture}: check it before you rely on it.\n",
            self.frames
        );
        let named = |id: &u16| {
            let interface = interfaces.get(usize::from(*id));
            interface.map_or_else(|| format!("eth{id}"), |interface| names.of(interface))
        };
        if self.is_wire() {
            text.push_str("# Frames pass it unchanged, as through a bridge.\nmode = \"wire\"\n");
            for id in self.ports.keys() {
                _ = write!(text, "\n[[port]]\nname = \"{}\"\n", named(id));
            }
            return text;
        }
        let foreign = self.foreign();
        let mut ports: Vec<Proposed<'_>> = self
            .ports
            .iter()
            .map(|(id, seen)| Proposed::new(named(id), seen, &foreign))
            .collect();
        settle_addresses(&mut ports);
        for (number, port) in (0..).zip(&mut ports) {
            port.settle(number);
        }
        text.push_str("mode = \"router\"\n");
        for port in &ports {
            port.write(&mut text);
        }
        write_routes(&ports, &mut text);
        for (address, mac) in ports.iter().flat_map(|port| &port.neighbors).take(MOST) {
            _ = write!(
                text,
                "\n[[neighbor]]\naddress = \"{address}\"\nmac = \"{mac}\"\n"
            );
        }
        text
    }

    /// Whether the machine is none to which frames are sent: it passes them on.
    fn is_wire(&self) -> bool {
        let many = self.ports.values().filter(|port| !port.is_loopback).count() > 1;
        let sent = self.ports.values().any(|port| !port.sent.is_empty());
        many && (self.bridged > self.routed || (self.routed == 0 && self.bridged == 0 && !sent))
    }

    /// Addresses that packets came in from: nobody's own.
    fn foreign(&self) -> BTreeSet<IpAddr> {
        let mut all = BTreeSet::new();
        for port in self.ports.values() {
            let own = port.own_mac();
            for (_, peer) in port.peers.iter().filter(|(mac, _)| Some(**mac) != own) {
                all.extend(peer.sources.keys().chain(&peer.remote));
            }
        }
        all
    }
}

impl<'a> Proposed<'a> {
    fn new(name: String, seen: &'a Port, foreign: &BTreeSet<IpAddr>) -> Self {
        let own = seen.own_sources();
        let addresses = own
            .iter()
            .filter(|(address, _)| is_host(**address) && !foreign.contains(address))
            .map(|(&address, _)| Prefix {
                address,
                bits: if address.is_ipv4() { V4_BITS } else { V6_BITS },
            });
        let mut new = Self {
            name,
            mac: seen.own_mac(),
            addresses: addresses.collect(),
            made_up: Vec::new(),
            neighbors: BTreeMap::new(),
            gateways: Vec::new(),
            seen,
        };
        if seen.is_loopback {
            new.addresses = [
                (IpAddr::from([127, 0, 0, 1]), 8),
                (IpAddr::from(1_u128.to_be_bytes()), 128),
            ]
            .map(|(address, bits)| Prefix { address, bits })
            .to_vec();
        }
        new
    }

    /// Addresses of others that are on the link, as far as ARP and fresh hops show.
    fn on_link(&self) -> BTreeMap<IpAddr, Mac> {
        let mut all = BTreeMap::new();
        for (mac, peer) in &self.seen.peers {
            if Some(*mac) == self.mac || mac.is_group() || *mac == Mac::default() {
                continue;
            }
            let arp = peer.arp.iter().map(|address| IpAddr::V4(*address));
            all.extend(arp.map(|address| (address, *mac)));
            let fresh = peer
                .sources
                .keys()
                .filter(|address| address.is_ipv6() || peer.arp.is_empty());
            all.extend(fresh.map(|address| (*address, *mac)));
        }
        all
    }

    /// How many of an address's first bits some neighbour shares, at most.
    fn nearness(&self, address: IpAddr) -> u8 {
        let on_link = self.on_link();
        let near = on_link.keys().map(|other| common_bits(*other, address));
        near.max().unwrap_or(0)
    }

    /// Finds subnets, neighbours and gateways; makes up what router mode needs and nothing shows.
    fn settle(&mut self, number: u8) {
        if self.seen.is_loopback {
            return;
        }
        let on_link = self.on_link();
        for is_v4 in [true, false] {
            let is_known = self.addresses.iter().any(|own| is_subnet(own, is_v4));
            let neighbor = on_link
                .keys()
                .find(|address| address.is_ipv4() == is_v4 && !is_link_local(**address));
            let is_bare = is_v4 && self.addresses.is_empty();
            if !is_known && (neighbor.is_some() || is_bare) {
                let address = made_up(neighbor.copied(), &on_link, number);
                self.made_up.push(address.address);
                self.addresses.push(address);
            }
        }
        for own in &mut self.addresses {
            if own.address.is_ipv4() {
                let shared = on_link
                    .keys()
                    .map(|other| common_bits(*other, own.address))
                    .filter(|bits| *bits >= V4_WIDEST);
                own.bits = shared.min().unwrap_or(V4_BITS).min(V4_BITS);
            }
        }
        self.neighbors = on_link
            .into_iter()
            .filter(|(address, _)| self.addresses.iter().any(|own| own.contains(*address)))
            .collect();
        let macs: Vec<Mac> = self.seen.peers.keys().copied().collect();
        for mac in macs {
            self.find_gateways(mac);
        }
    }

    /// What stands behind a neighbour, by family.
    fn find_gateways(&mut self, mac: Mac) {
        let Some(peer) = self
            .seen
            .peers
            .get(&mac)
            .filter(|_| Some(mac) != self.mac && !mac.is_group() && mac != Mac::default())
        else {
            return;
        };
        let all = peer.sources.keys().chain(&peer.remote).chain(&peer.to);
        let behind: BTreeSet<IpAddr> = all
            .filter(|address| is_host(**address))
            .filter(|address| !is_link_local(**address))
            .filter(|address| !self.addresses.iter().any(|own| own.contains(**address)))
            .copied()
            .collect();
        for is_v4 in [true, false] {
            let behind: BTreeSet<IpAddr> = behind
                .iter()
                .filter(|address| address.is_ipv4() == is_v4)
                .copied()
                .collect();
            let Some(subnet) = self
                .addresses
                .iter()
                .find(|own| is_subnet(own, is_v4))
                .copied()
                .filter(|_| !behind.is_empty())
            else {
                continue;
            };
            let known = self
                .neighbors
                .iter()
                .find(|(address, its)| **its == mac && subnet.contains(**address));
            let address = known.map_or_else(
                || free(subnet, &self.neighbors, &self.addresses),
                |(address, _)| *address,
            );
            self.neighbors.insert(address, mac);
            self.gateways.push(Gateway {
                address,
                mac,
                behind,
            });
        }
    }

    fn write(&self, text: &mut String) {
        _ = write!(text, "\n[[port]]\nname = \"{}\"\n", self.name);
        if let Some(mac) = self.mac.filter(|mac| !mac.is_group()) {
            _ = writeln!(text, "mac = \"{mac}\"");
        }
        if self.seen.is_loopback {
            text.push_str("mtu = 65535\n");
        }
        for address in &self.made_up {
            _ = writeln!(
                text,
                "# {address} is made up: the machine sent nothing from an address of its own in that network."
            );
        }
        let addresses: Vec<String> = self
            .addresses
            .iter()
            .map(|own| format!("\"{own}\""))
            .collect();
        _ = writeln!(text, "addresses = [{}]", addresses.join(", "));
    }
}

/// Gives an address that the machine used on several ports to the one whose neighbours are nearest to it.
fn settle_addresses(ports: &mut [Proposed<'_>]) {
    let all: BTreeSet<IpAddr> = ports
        .iter()
        .filter(|port| !port.seen.is_loopback)
        .flat_map(|port| port.addresses.iter().map(|own| own.address))
        .filter(|address| !is_link_local(*address))
        .collect();
    for address in all {
        let has = |port: &Proposed<'_>| port.addresses.iter().any(|own| own.address == address);
        let by_arp = |port: &Proposed<'_>| {
            let own = port.mac.and_then(|mac| port.seen.peers.get(&mac));
            own.is_some_and(|own| own.arp.iter().any(|arp| IpAddr::V4(*arp) == address))
        };
        let best = ports
            .iter()
            .enumerate()
            .filter(|(_, port)| !port.seen.is_loopback)
            .max_by_key(|(_, port)| (by_arp(port) && has(port), port.nearness(address), has(port)))
            .map(|(at, _)| at);
        for (at, port) in ports.iter_mut().enumerate() {
            if port.seen.is_loopback {
                continue;
            }
            if Some(at) != best {
                port.addresses.retain(|own| own.address != address);
            } else if !has(port) {
                let bits = if address.is_ipv4() { V4_BITS } else { V6_BITS };
                port.addresses.push(Prefix { address, bits });
            }
        }
    }
}

/// The default route of each family goes to whom most stands behind; networks behind others have routes of their own.
fn write_routes(ports: &[Proposed<'_>], text: &mut String) {
    let mut gateways: Vec<&Gateway> = ports.iter().flat_map(|port| &port.gateways).collect();
    gateways.sort_by_key(|gateway| (usize::MAX - gateway.behind.len(), gateway.mac));
    for is_v4 in [true, false] {
        let mut family = gateways
            .iter()
            .filter(|gateway| gateway.address.is_ipv4() == is_v4);
        if let Some(first) = family.next() {
            _ = write!(
                text,
                "\n[[route]]\nto = \"default\"\nvia = \"{}\"\n",
                first.address
            );
        }
        for other in family {
            let networks: BTreeSet<Prefix> = other.behind.iter().map(|a| network(*a)).collect();
            for network in networks.iter().take(MOST) {
                _ = write!(
                    text,
                    "\n[[route]]\nto = \"{network}\"\nvia = \"{}\"\n",
                    other.address
                );
            }
        }
    }
}

/// The network of an address as long as networks mostly are.
fn network(address: IpAddr) -> Prefix {
    match address {
        IpAddr::V4(v4) => Prefix {
            address: Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
            bits: V4_BITS,
        },
        IpAddr::V6(v6) => Prefix {
            address: std::net::Ipv6Addr::from_bits(v6.to_bits() & !(u128::MAX >> V6_BITS)).into(),
            bits: V6_BITS,
        },
    }
}

/// An address for a port that shows none: in the network of a neighbour, else in the shared space of RFC 6598.
fn made_up(neighbor: Option<IpAddr>, taken: &BTreeMap<IpAddr, Mac>, number: u8) -> Prefix {
    let subnet = network(neighbor.unwrap_or_else(|| IpAddr::from([100, 64, number, 0])));
    Prefix {
        address: free(subnet, taken, &[]),
        bits: subnet.bits,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// Whether an address stands for a network of a family that routes can lead into.
fn is_subnet(own: &Prefix, is_v4: bool) -> bool {
    own.address.is_ipv4() == is_v4 && !is_link_local(own.address)
}

/// The first address of a subnet that nobody is known to have.
fn free(subnet: Prefix, taken: &BTreeMap<IpAddr, Mac>, own: &[Prefix]) -> IpAddr {
    let mut candidates = (1..=u8::MAX).map(|host| match network(subnet.address).address {
        IpAddr::V4(v4) => IpAddr::from(Ipv4Addr::from_bits(v4.to_bits() | u32::from(host))),
        IpAddr::V6(v6) => IpAddr::from(std::net::Ipv6Addr::from_bits(
            v6.to_bits() | u128::from(host),
        )),
    });
    let is_free = |address: &IpAddr| {
        !taken.contains_key(address) && !own.iter().any(|own| own.address == *address)
    };
    candidates.find(is_free).unwrap_or(subnet.address)
}

/// How many leading bits two addresses share; none across families.
fn common_bits(one: IpAddr, other: IpAddr) -> u8 {
    let bits = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V4(_) | IpAddr::V6(_), _) => 0,
    };
    u8::try_from(bits).unwrap_or(0)
}
