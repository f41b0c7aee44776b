//! Scenes: redan in one of its modes, with a host behind each port. A ruleset is tried in as many as it takes for its chains to be
//! passed: as a router where it forwards, as the card of a host where it guards one, as a wire where it bridges.

use std::net::IpAddr;
use std::path::Path;

use redan_runtime::{Mac, Mode, Port, PortId, Prefix, Side, Site};
use redan_vm::Ruleset;
use redan_vm::family::{Family, Hook};

use crate::meet::Way;
use crate::site::named::{self, Names};

/// Most ports of a scene that is made from the rules' names.
const PORTS: usize = 6;

/// Most scenes of one kind.
const SCENES: usize = 6;

/// What a port is called where the rules name none.
const USUAL: [&str; 2] = ["lan0", "wan0"];

/// The inside port of a host that redan guards. Rules see the outside one's name.
const INSIDE: &str = "redan-inside";

/// A host behind a port.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// What people call it.
    pub(super) name: String,
    /// Its link address.
    pub(super) mac: Mac,
    /// Its addresses.
    pub(super) addresses: Vec<Prefix>,
    /// Its gateways; without any, everything is on its link.
    pub(super) gateways: Vec<IpAddr>,
}

/// Redan among hosts.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// What people call it.
    pub(super) title: String,
    /// The site, without what single tries add.
    pub(super) site: Site,
    /// The hosts, one for each port.
    pub(super) hosts: Vec<Host>,
    /// The ways that packets may take.
    pub(super) ways: Vec<Way>,
    /// Where each way starts, and where it ends when not at redan itself.
    pub(super) ends: Vec<(PortId, Option<PortId>)>,
    /// The site was given, so that nothing may be added to its routes.
    pub(super) is_given: bool,
}

/// Whether this kernel speaks IPv6.
fn has_ipv6() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

/// The scenes in which all of a ruleset's chains are passed.
pub(super) fn for_rules(ruleset: &Ruleset) -> Vec<Scene> {
    let names = Names::of(ruleset);
    let hung = named::hung(ruleset);
    let hangs = |fits: &dyn Fn(Family, Hook) -> bool| {
        hung.iter().any(|(family, hook)| fits(*family, *hook))
    };
    let mut scenes = Vec::new();
    let ip = |family| matches!(family, Family::Ip | Family::Ip6 | Family::Inet);
    let own = |hook| matches!(hook, Hook::Input | Hook::Output);
    let bridges = hangs(&|family, _| family == Family::Bridge);
    let guards = hangs(&|family, hook| own(hook) && (ip(family) || family == Family::Arp));
    let forwards = hangs(&|family, hook| {
        (ip(family) && hook == Hook::Forward) || family == Family::Netdev || hook == Hook::Ingress
    });
    let passes = hangs(&|family, hook| ip(family) && !own(hook));
    if bridges {
        let ports = two_or_more(names.at(|_| true));
        for (at, one) in ports.iter().enumerate() {
            for other in ports.iter().skip(at + 1) {
                scenes.push(wire(one, other));
            }
        }
        scenes.truncate(SCENES);
    }
    if (forwards && !bridges) || (passes && !guards && !bridges) || ruleset.tables.is_empty() {
        let ports = two_or_more(names.at(|hook| !own(hook)));
        scenes.push(router(&ports, &names));
    }
    if guards {
        let mut ports = names.at(own);
        if ports.is_empty() {
            ports = names.at(|_| true);
            ports.truncate(1);
        }
        if ports.is_empty() {
            ports.push("eth0".to_owned());
        }
        ports.truncate(SCENES);
        scenes.extend(ports.iter().map(|port| guarded(port)));
    }
    scenes
}

/// The interfaces that rules name and that have a port in no scene, since there would be too many.
pub(super) fn left_out(ruleset: &Ruleset, scenes: &[Scene]) -> Vec<String> {
    let mut names = Names::of(ruleset).at(|_| true);
    let has_port = |name: &String| {
        let mut ports = scenes.iter().flat_map(|scene| &scene.site.ports);
        ports.any(|port| port.name == *name)
    };
    names.retain(|name| !has_port(name));
    names
}

/// The scene of a site.
pub(super) fn for_site(mut site: Site) -> Scene {
    // Hosts of the sandbox have link addresses of their own.
    site.neighbors.clear();
    let hosts = hosts(&site);
    let title = match site.mode {
        Mode::Router => "redan as the router",
        Mode::Wire => "redan as a wire",
        Mode::Host => "a host behind redan",
    };
    finish(title.to_owned(), site, hosts, true)
}

fn two_or_more(mut names: Vec<String>) -> Vec<String> {
    for usual in USUAL {
        if names.len() < 2 && !names.iter().any(|name| name == usual) {
            names.push(usual.to_owned());
        }
    }
    names.truncate(PORTS);
    names
}

/// Network number `at` of those that are made up.
fn made_up(at: usize) -> Vec<Prefix> {
    let number = u8::try_from(at + 1).unwrap_or(u8::MAX);
    let v4 = Prefix {
        address: IpAddr::from([10, number, 0, 0]),
        bits: 16,
    };
    let v6 = Prefix {
        address: IpAddr::from([0xfd00 | u16::from(number), 0, 0, 0, 0, 0, 0, 0]),
        bits: 64,
    };
    std::iter::once(v4)
        .chain(has_ipv6().then_some(v6))
        .collect()
}

/// Each port's networks: those that rules put there, else made up ones that nobody else has.
fn networks(ports: &[String], names: &Names) -> Vec<Vec<Prefix>> {
    let overlap =
        |one: &Prefix, other: &Prefix| one.contains(other.address) || other.contains(one.address);
    let mut taken: Vec<Prefix> = Vec::new();
    let mut given: Vec<Vec<Prefix>> = vec![Vec::new(); ports.len()];
    for is_v4 in [true, false] {
        for (name, list) in ports.iter().zip(&mut given) {
            let own = names.network(name, is_v4).filter(|_| is_v4 || has_ipv6());
            let own = own.filter(|own| !taken.iter().any(|other| overlap(own, other)));
            taken.extend(own);
            list.extend(own);
        }
    }
    for list in &mut given {
        for is_v4 in [true, false] {
            let has = |list: &[Prefix]| list.iter().any(|own| own.address.is_ipv4() == is_v4);
            let free = |prefix: &Prefix| {
                prefix.address.is_ipv4() == is_v4
                    && !taken.iter().any(|other| overlap(prefix, other))
            };
            if !has(list) {
                let own = (0..usize::from(u8::MAX)).flat_map(made_up).find(free);
                taken.extend(own);
                list.extend(own);
            }
        }
        list.sort_by_key(|own| !own.address.is_ipv4());
    }
    given
}

/// The address number `host` of a network.
fn address(network: Prefix, host: u8) -> Prefix {
    Prefix {
        address: match network.address {
            IpAddr::V4(base) => IpAddr::V4((base.to_bits() + u32::from(host)).into()),
            IpAddr::V6(base) => IpAddr::V6((base.to_bits() + u128::from(host)).into()),
        },
        bits: network.bits,
    }
}

fn router(ports: &[String], names: &Names) -> Scene {
    let mut site = Site {
        mode: Mode::Router,
        ..Site::default()
    };
    let networks = networks(ports, names);
    for ((at, name), list) in ports.iter().enumerate().zip(networks) {
        let mut port = Port::new(name, at);
        port.addresses = list.into_iter().map(|own| address(own, 1)).collect();
        site.ports.push(port);
    }
    let hosts = hosts(&site);
    finish("redan as the router".to_owned(), site, hosts, false)
}

fn wire(one: &str, other: &str) -> Scene {
    let site = Site {
        ports: vec![Port::new(one, 0), Port::new(other, 1)],
        ..Site::default()
    };
    let hosts = hosts(&site);
    let title = format!("redan as a wire between {one} and {other}");
    finish(title, site, hosts, false)
}

fn guarded(port: &str) -> Scene {
    let mut inside = Port::new(INSIDE, 1);
    inside.side = Side::Inside;
    let site = Site {
        mode: Mode::Host,
        ports: vec![Port::new(port, 0), inside],
        ..Site::default()
    };
    let hosts = hosts(&site);
    finish(
        format!("a host behind redan, its card {port}"),
        site,
        hosts,
        false,
    )
}

/// A host for each port: the gateway that a route names, else the next address behind the port's own; on one link all in one network.
fn hosts(site: &Site) -> Vec<Host> {
    let link = site
        .ports
        .iter()
        .find(|port| !port.addresses.is_empty())
        .map_or_else(|| made_up(0), |port| port.addresses.clone());
    let host = |(at, port): (usize, &Port)| {
        let number = u8::try_from(at + 1).unwrap_or(u8::MAX);
        let addresses: Vec<Prefix> = match site.mode {
            Mode::Router => port
                .addresses
                .iter()
                .map(|own| Prefix {
                    address: gateway(site, *own).unwrap_or_else(|| address(*own, 1).address),
                    bits: own.bits,
                })
                .collect(),
            // The machine itself has the addresses that the site gives; who is outside has others.
            Mode::Host if port.side == Side::Inside => {
                link.iter().map(|own| address(*own, 0)).map(first).collect()
            }
            Mode::Host | Mode::Wire => link
                .iter()
                .map(|own| address(first(*own), number))
                .collect(),
        };
        Host {
            name: match (site.mode, port.side) {
                (Mode::Host, Side::Inside) => "this host".to_owned(),
                (Mode::Host | Mode::Router | Mode::Wire, _) => port.name.clone(),
            },
            mac: Mac([2, 0, 0, 0, number, 2]),
            addresses,
            gateways: match site.mode {
                Mode::Router => port.addresses.iter().map(|own| own.address).collect(),
                Mode::Wire | Mode::Host => Vec::new(),
            },
        }
    };
    site.ports.iter().enumerate().map(host).collect()
}

/// An address that a host can have: not a network's own.
fn first(prefix: Prefix) -> Prefix {
    let network = match prefix.address {
        IpAddr::V4(own) => own.to_bits().trailing_zeros() >= 32 - u32::from(prefix.bits),
        IpAddr::V6(own) => own.to_bits().trailing_zeros() >= 128 - u32::from(prefix.bits),
    };
    if network { address(prefix, 1) } else { prefix }
}

/// The gateway in a port's network that a route goes by.
fn gateway(site: &Site, own: Prefix) -> Option<IpAddr> {
    site.routes
        .iter()
        .map(|route| route.via)
        .find(|via| own.contains(*via) && *via != own.address)
}

fn finish(title: String, site: Site, hosts: Vec<Host>, is_given: bool) -> Scene {
    let mut scene = Scene {
        title,
        site,
        hosts,
        ways: Vec::new(),
        ends: Vec::new(),
        is_given,
    };
    let ports: Vec<PortId> = (0..).map(PortId).take(scene.hosts.len()).collect();
    for from in &ports {
        for to in ports.iter().filter(|to| *to != from) {
            scene.add(*from, Some(*to));
        }
    }
    // Without a site, what goes to the machine itself is tried on a host that redan guards: there, something answers.
    if scene.site.mode == Mode::Router && is_given {
        for from in &ports {
            scene.add(*from, None);
        }
    }
    let ends = scene.ends.clone();
    for (way, (from, to)) in scene.ways.iter_mut().zip(&ends) {
        way.back = ends
            .iter()
            .position(|(back, end)| Some(*back) == *to && *end == Some(*from));
    }
    scene
}

impl Scene {
    fn add(&mut self, from: PortId, to: Option<PortId>) {
        use Family::{Arp, Bridge, Inet, Ip, Ip6, Netdev};
        let host = |port: PortId| self.hosts.get(port.index());
        let port = |port: PortId| self.site.ports.get(port.index());
        let name = |at: PortId| port(at).map(|port| port.name.clone());
        let is_inside = port(from).is_some_and(|port| port.side == Side::Inside);
        let list = |host: &Host| host.addresses.iter().map(|own| own.address).collect();
        let (hooks, families, iif, oif): (&[Hook], &[Family], _, _) = match (self.site.mode, to) {
            (Mode::Router, Some(to)) => (
                &[
                    Hook::Ingress,
                    Hook::Prerouting,
                    Hook::Forward,
                    Hook::Postrouting,
                    Hook::Egress,
                ],
                &[Ip, Ip6, Inet, Netdev],
                name(from),
                name(to),
            ),
            (Mode::Wire, Some(to)) => (
                &[
                    Hook::Ingress,
                    Hook::Prerouting,
                    Hook::Forward,
                    Hook::Postrouting,
                    Hook::Egress,
                ],
                &[Ip, Ip6, Inet, Netdev, Bridge],
                name(from),
                name(to),
            ),
            (Mode::Router | Mode::Wire, None) => (
                &[Hook::Ingress, Hook::Prerouting, Hook::Input],
                &[Ip, Ip6, Inet, Netdev],
                name(from),
                None,
            ),
            (Mode::Host, Some(to)) if is_inside => (
                &[Hook::Output, Hook::Postrouting, Hook::Egress],
                &[Ip, Ip6, Inet, Netdev, Arp],
                None,
                name(to),
            ),
            (Mode::Host, _) => (
                &[Hook::Ingress, Hook::Prerouting, Hook::Input],
                &[Ip, Ip6, Inet, Netdev, Arp],
                name(from),
                None,
            ),
        };
        let src = host(from).map_or_else(Vec::new, list);
        let dst = match to {
            Some(to) => host(to).map_or_else(Vec::new, list),
            None => port(from).map_or_else(Vec::new, |port| {
                port.addresses.iter().map(|own| own.address).collect()
            }),
        };
        self.ways.push(Way {
            hooks: hooks.to_vec(),
            families: families.to_vec(),
            iif,
            oif,
            src,
            dst,
            back: None,
        });
        self.ends.push((from, to));
    }

    /// A way for people.
    pub(super) fn way(&self, way: usize) -> String {
        let name = |port: PortId| {
            self.hosts
                .get(port.index())
                .map_or("?", |host| host.name.as_str())
        };
        match self.ends.get(way) {
            Some((from, Some(to))) => format!("{} > {}", name(*from), name(*to)),
            Some((from, None)) => format!("{} > redan", name(*from)),
            None => String::new(),
        }
    }
}
