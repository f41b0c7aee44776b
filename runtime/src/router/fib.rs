//! Routes: the machine's own addresses, subnets of its ports, routes through gateways; the longest prefix wins.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::site::{PortId, Prefix, Site};

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// To the machine itself.
    Local,
    /// To everybody in a subnet of the machine's.
    Broadcast,
    /// To a group.
    Multicast,
    /// Out of a port.
    Port {
        /// Which.
        port: PortId,
        /// The gateway; `None` when the destination is a neighbour itself.
        via: Option<IpAddr>,
    },
}

/// Up to this many routes are looked through one by one, which takes less time than one hash each prefix length.
const FEW: usize = 24;

/// An address as a number: 32 or 128 bits.
trait Key: Copy + Eq + std::hash::Hash + Ord + std::ops::BitAnd<Output = Self> {
    /// `bits` ones from the top.
    fn mask(bits: u32) -> Self;
}

impl Key for u32 {
    fn mask(bits: u32) -> Self {
        Self::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0)
    }
}

impl Key for u128 {
    fn mask(bits: u32) -> Self {
        Self::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0)
    }
}

/// Routes of one family, longest prefix first.
#[derive(Clone, Debug)]
struct Table<K> {
    /// By prefix length.
    levels: Vec<(u32, HashMap<K, Hop, FixedState>)>,
    /// The same in one list of mask, network and hop; empty when there are more than [`FEW`].
    few: Vec<(K, K, Hop)>,
    count: usize,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            levels: Vec::new(),
            few: Vec::new(),
            count: 0,
        }
    }
}

impl<K: Key> Table<K> {
    /// Adds a route; the first of two for one destination stays.
    fn add(&mut self, address: K, bits: u32, hop: Hop) {
        let at = match self.levels.binary_search_by(|(level, _)| bits.cmp(level)) {
            Ok(at) => at,
            Err(at) => {
                self.levels.insert(at, (bits, HashMap::default()));
                at
            }
        };
        let Some((_, level)) = self.levels.get_mut(at) else {
            return;
        };
        let mask = K::mask(bits);
        let network = address & mask;
        if level.contains_key(&network) {
            return;
        }
        level.insert(network, hop);
        self.count += 1;
        if self.count <= FEW {
            let at = self.few.partition_point(|(other, ..)| *other >= mask);
            self.few.insert(at, (mask, network, hop));
        } else {
            self.few.clear();
        }
    }

    #[inline]
    fn find(&self, address: K) -> Option<Hop> {
        if self.count <= FEW {
            return self
                .few
                .iter()
                .find(|(mask, network, _)| address & *mask == *network)
                .map(|(.., hop)| *hop);
        }
        self.levels
            .iter()
            .find_map(|(bits, level)| level.get(&(address & K::mask(*bits))).copied())
    }
}

/// One table a family.
#[derive(Clone, Debug, Default)]
struct Tables {
    v4: Table<u32>,
    v6: Table<u128>,
}

impl Tables {
    fn add(&mut self, to: Prefix, hop: Hop) {
        match to.address {
            IpAddr::V4(v4) => self.v4.add(v4.to_bits(), u32::from(to.bits), hop),
            IpAddr::V6(v6) => self.v6.add(v6.to_bits(), u32::from(to.bits), hop),
        }
    }

    #[inline]
    fn find(&self, to: IpAddr) -> Option<Hop> {
        match to {
            IpAddr::V4(v4) => self.v4.find(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.find(v6.to_bits()),
        }
    }
}

/// The routing tables of a site. The machine's own addresses are looked up before everything else, as in Linux.
#[derive(Clone, Debug, Default)]
pub struct Fib {
    own: Tables,
    main: Tables,
    sources: Vec<(PortId, Prefix)>,
    groups: Vec<Ipv6Addr>,
}

impl Fib {
    /// The tables of a site.
    pub fn new(site: &Site) -> Self {
        let mut fib = Self::default();
        fib.own.add(
            Prefix {
                address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)),
                bits: 8,
            },
            Hop::Local,
        );
        fib.own.add(
            Prefix {
                address: IpAddr::V6(Ipv6Addr::LOCALHOST),
                bits: 128,
            },
            Hop::Local,
        );
        for (index, port) in site.ports.iter().enumerate() {
            let Ok(id) = u16::try_from(index).map(PortId) else {
                break;
            };
            for &address in &port.addresses {
                fib.add_address(id, address);
            }
        }
        for &address in &site.local {
            fib.own.add(host(address), Hop::Local);
        }
        for route in &site.routes {
            let port = fib
                .sources
                .iter()
                .find(|(_, net)| net.contains(route.via))
                .map(|&(port, _)| port);
            if let Some(port) = port {
                fib.main.add(
                    route.to,
                    Hop::Port {
                        port,
                        via: Some(route.via),
                    },
                );
            }
        }
        fib
    }

    /// What a port's address brings with it (`fib_add_ifaddr`, `addrconf_prefix_route`): the address, its subnet, the subnet's broadcast
    /// address; for IPv6 the router's anycast address and the solicited-node group.
    fn add_address(&mut self, port: PortId, address: Prefix) {
        self.sources.push((port, address));
        self.own.add(host(address.address), Hop::Local);
        self.main.add(address, Hop::Port { port, via: None });
        match address.address {
            IpAddr::V4(v4) if address.bits < 31 => {
                let host_bits = u32::MAX.checked_shr(u32::from(address.bits)).unwrap_or(0);
                let all = Ipv4Addr::from_bits(v4.to_bits() | host_bits);
                self.own.add(host(IpAddr::V4(all)), Hop::Broadcast);
            }
            IpAddr::V4(_) => {}
            IpAddr::V6(v6) => {
                let [.., a, b, c] = v6.octets();
                let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
                self.groups.push(group);
                if address.bits < 127 {
                    let net =
                        Ipv6Addr::from_bits(v6.to_bits() & u128::mask(u32::from(address.bits)));
                    self.own.add(host(IpAddr::V6(net)), Hop::Local);
                }
            }
        }
    }

    /// Where a packet to `to` goes; `None` without a route. Groups and the limited broadcast address are no matter of routes:
    /// see [`is_member`](Self::is_member).
    #[inline]
    pub fn find(&self, to: IpAddr) -> Option<Hop> {
        match to {
            IpAddr::V4(v4) if v4.is_multicast() => return Some(Hop::Multicast),
            IpAddr::V4(v4) if v4.is_broadcast() => return Some(Hop::Broadcast),
            IpAddr::V6(v6) if v6.is_multicast() => return Some(Hop::Multicast),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        self.own.find(to).or_else(|| {
            // Link-local destinations have no route: no port has such an address, and a router does not forward to them.
            let link_local = matches!(to, IpAddr::V6(v6) if v6.is_unicast_link_local());
            if link_local { None } else { self.main.find(to) }
        })
    }

    /// The way to a gateway: the port, and who takes the packet there. With `only`, that port alone counts; where no route leads that way,
    /// IPv4 takes the packet's own destination for a neighbour (`route.c: ip_route_output_key_hash_rcu`), which `None` stands for.
    pub fn toward(
        &self,
        gateway: IpAddr,
        only: Option<PortId>,
    ) -> Option<(PortId, Option<IpAddr>)> {
        match self.find(gateway) {
            Some(Hop::Port { port, via }) if only.is_none_or(|only| only == port) => {
                Some((port, Some(via.unwrap_or(gateway))))
            }
            Some(Hop::Port { .. }) | None => {
                only.filter(|_| gateway.is_ipv4()).map(|port| (port, None))
            }
            Some(Hop::Local | Hop::Broadcast | Hop::Multicast) => None,
        }
    }

    /// Whether an address is the machine's own.
    #[inline]
    pub fn is_local(&self, address: IpAddr) -> bool {
        self.own.find(address) == Some(Hop::Local)
    }

    /// Whether an address is one of a port's own.
    pub fn is_on_port(&self, address: IpAddr, port: PortId) -> bool {
        self.sources
            .iter()
            .any(|(p, net)| *p == port && net.address == address)
    }

    /// Whether the machine is a member of a group: all nodes, all routers (IPv6), its solicited-node groups.
    pub fn is_member(&self, group: IpAddr) -> bool {
        match group {
            IpAddr::V4(v4) => v4 == Ipv4Addr::new(224, 0, 0, 1),
            IpAddr::V6(v6) => {
                matches!(
                    v6.segments(),
                    [0xff01 | 0xff02, 0, 0, 0, 0, 0, 0, 1 | 2] | [0xff05, 0, 0, 0, 0, 0, 0, 2]
                ) || self.groups.contains(&v6)
            }
        }
    }

    /// The port whose subnet a neighbour is in.
    #[inline]
    pub fn on_link(&self, address: IpAddr) -> Option<PortId> {
        self.sources
            .iter()
            .find(|(_, net)| net.contains(address))
            .map(|&(port, _)| port)
    }

    /// Whether an address may be behind a port: one of its subnet's, or a link-local one, which every link has.
    pub fn is_neighbor(&self, address: IpAddr, port: PortId) -> bool {
        let everywhere = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        everywhere || self.on_link(address) == Some(port)
    }

    /// The address that the machine uses on a port toward `to`: of the subnet that has the next hop, else the port's first
    /// of the family, else any port's first.
    pub fn source(&self, port: PortId, next: IpAddr) -> Option<IpAddr> {
        let of_family = || {
            self.sources
                .iter()
                .filter(|(_, net)| net.address.is_ipv4() == next.is_ipv4())
        };
        let on_port = || of_family().filter(|&&(p, _)| p == port);
        on_port()
            .find(|(_, net)| net.contains(next))
            .or_else(|| on_port().next())
            .or_else(|| of_family().next())
            .map(|(_, net)| net.address)
    }
}

/// A prefix of one address.
fn host(address: IpAddr) -> Prefix {
    Prefix {
        address,
        bits: if address.is_ipv4() { 32 } else { 128 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Mode, Port, Route};

    fn site() -> Site {
        let mut lan = Port::new("lan0", 0);
        lan.addresses = vec![
            "10.1.0.1/16".parse().unwrap(),
            "fd01::1/64".parse().unwrap(),
        ];
        let mut wan = Port::new("wan0", 1);
        wan.addresses = vec![
            "10.2.0.1/16".parse().unwrap(),
            "fd02::1/64".parse().unwrap(),
        ];
        let route = |to: &str, via: &str| Route {
            to: to.parse().unwrap(),
            via: via.parse().unwrap(),
        };
        Site {
            mode: Mode::Router,
            ports: vec![lan, wan],
            routes: vec![
                route("192.168.0.0/16", "10.1.0.2"),
                route("192.168.7.0/24", "10.2.0.9"),
                route("0.0.0.0/0", "10.2.0.2"),
                route("::/0", "fd02::2"),
            ],
            ..Site::default()
        }
    }

    #[track_caller]
    fn check(to: &str, expected: &str) {
        let shown = match Fib::new(&site()).find(to.parse().unwrap()) {
            None => "none".to_owned(),
            Some(Hop::Port { port, via }) => format!(
                "{} {}",
                port.0,
                via.map_or("direct".into(), |v| v.to_string())
            ),
            Some(other @ (Hop::Local | Hop::Broadcast | Hop::Multicast)) => format!("{other:?}"),
        };
        assert_eq!(shown, expected, "{to}");
    }

    #[test]
    fn longest_prefix_wins_and_own_addresses_come_first() {
        check("10.1.0.1", "Local");
        check("10.1.0.9", "0 direct");
        check("10.1.255.255", "Broadcast");
        check("255.255.255.255", "Broadcast");
        check("224.0.0.5", "Multicast");
        check("127.1.2.3", "Local");
        check("192.168.1.1", "0 10.1.0.2");
        check("192.168.7.1", "1 10.2.0.9");
        check("8.8.8.8", "1 10.2.0.2");
        check("fd01::77", "0 direct");
        check("fd01::", "Local");
        check("fd09::1", "1 fd02::2");
        check("ff02::5", "Multicast");
    }

    /// Many routes are looked up otherwise than few, and come out the same.
    #[test]
    fn many_routes_are_found_as_few_are() {
        let mut many = site();
        for n in 0..100_u8 {
            many.routes.push(Route {
                to: Prefix {
                    address: IpAddr::V4(Ipv4Addr::new(172, 16, n, 0)),
                    bits: 24 + n % 9,
                },
                via: "10.2.0.9".parse().unwrap(),
            });
        }
        let (few, many) = (Fib::new(&site()), Fib::new(&many));
        for to in [
            "10.1.0.1",
            "10.1.0.9",
            "192.168.1.1",
            "192.168.7.1",
            "8.8.8.8",
            "127.0.0.1",
            "10.1.255.255",
        ] {
            assert_eq!(
                few.find(to.parse().unwrap()),
                many.find(to.parse().unwrap()),
                "{to}"
            );
        }
        let far = Some(Hop::Port {
            port: PortId(1),
            via: Some("10.2.0.9".parse().unwrap()),
        });
        assert_eq!(many.find("172.16.40.0".parse().unwrap()), far);
        assert_ne!(many.find("172.16.40.255".parse().unwrap()), far);
    }

    #[test]
    fn source_is_of_the_next_hops_subnet() {
        let fib = Fib::new(&site());
        assert_eq!(
            fib.source(PortId(1), "10.2.0.2".parse().unwrap()),
            Some("10.2.0.1".parse().unwrap())
        );
        assert_eq!(
            fib.source(PortId(0), "fd02::9".parse().unwrap()),
            Some("fd01::1".parse().unwrap())
        );
        assert!(fib.is_member("ff02::1:ff00:1".parse().unwrap()));
        assert!(!fib.is_member("ff02::1:ff00:2".parse().unwrap()));
    }

    #[test]
    fn copies_go_toward_their_gateway() {
        let fib = Fib::new(&site());
        let on = |at| Some(PortId(at));
        for (gateway, only, expected) in [
            ("10.1.0.9", None, Some((0, Some("10.1.0.9")))),
            ("203.0.113.1", None, Some((1, Some("10.2.0.2")))),
            ("203.0.113.1", on(1), Some((1, Some("10.2.0.2")))),
            // No route that way: the packet's own destination is taken for a neighbour, but not in IPv6.
            ("203.0.113.1", on(0), Some((0, None))),
            ("2001:db8::1", on(0), None),
            ("2001:db8::1", None, Some((1, Some("fd02::2")))),
            ("10.1.0.1", None, None),
            ("10.1.255.255", None, None),
        ] {
            let found = fib.toward(gateway.parse().unwrap(), only);
            let expected = expected.map(|(port, via): (u16, Option<&str>)| {
                (PortId(port), via.map(|via| via.parse().unwrap()))
            });
            assert_eq!(found, expected, "{gateway} {only:?}");
        }
    }
}
