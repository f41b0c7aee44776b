//! Who may reach whom, as a list: workloads and ranges of outside addresses, a line for each pair between which something may pass.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::evaluate::{self, Connection, End};
use super::model::{Cidr, Model, NamedPort, Peer, Pod, Policy, Protocol, Rule};

/// One end, by the name that the list has for it.
struct Named {
    name: String,
    end: End,
}

/// The list, a line each, sorted.
pub(super) fn list(model: &Model) -> String {
    let workloads = workloads(model);
    let outside: Vec<Vec<(IpAddr, IpAddr)>> = families(model)
        .into_iter()
        .map(|v6| ranges(model, v6))
        .collect();
    let mut lines = BTreeSet::new();
    for workload in &workloads {
        for other in &workloads {
            if workload.name != other.name {
                let connection = evaluate::connection(model, workload.end, other.end);
                lines.extend(line(&workload.name, &other.name, &connection));
            }
        }
        for ranges in &outside {
            let to = |end| evaluate::connection(model, workload.end, end);
            for (name, connection) in merged(ranges, to) {
                lines.extend(line(&workload.name, &name, &connection));
            }
            let from = |end| evaluate::connection(model, end, workload.end);
            for (name, connection) in merged(ranges, from) {
                lines.extend(line(&name, &workload.name, &connection));
            }
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn line(from: &str, to: &str, connection: &Connection) -> Option<String> {
    (!connection.is_nothing()).then(|| format!("{from} => {to} : {}", text(connection)))
}

/// A connection in words: `TCP 80,8000-8080,UDP 53`.
fn text(connection: &Connection) -> String {
    let full = [(1, u16::MAX)];
    if Protocol::ALL
        .iter()
        .all(|protocol| connection.ranges(*protocol) == full)
    {
        return "All Connections".to_owned();
    }
    let mut parts = Vec::new();
    for protocol in Protocol::ALL {
        let ranges: Vec<String> = connection
            .ranges(protocol)
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        if !ranges.is_empty() {
            parts.push(format!("{} {}", protocol.word(), ranges.join(",")));
        }
    }
    parts.join(",")
}

/// Pods by the workload that made them; those of one workload apart where a policy could tell them apart.
fn workloads(model: &Model) -> Vec<Named> {
    let asked = asked(model);
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, pod) in model.pods.iter().enumerate() {
        let (kind, name) = pod.owner.as_ref().map_or_else(
            || (pod.kind.as_str(), pod.name.as_str()),
            |(kind, name)| (kind.as_str(), name.as_str()),
        );
        let name = format!("{}/{name}[{kind}]", pod.namespace);
        groups.entry(name).or_default().push(at);
    }
    let mut out = Vec::new();
    for (name, pods) in groups {
        let looks: BTreeSet<_> = pods
            .iter()
            .filter_map(|at| Some(look(model, &asked, model.pods.get(*at)?)))
            .collect();
        let one = looks.len() < 2;
        for at in pods.into_iter().take(if one { 1 } else { usize::MAX }) {
            let Some(pod) = model.pods.get(at) else {
                continue;
            };
            let own = format!("{}/{}[{}]", pod.namespace, pod.name, pod.kind);
            out.push(Named {
                name: if one { name.clone() } else { own },
                end: End {
                    pod: Some(at),
                    address: pod.addresses.first().copied(),
                },
            });
        }
    }
    out
}

/// What a policy can tell a pod by: labels that are asked for, ports with names, blocks around its address.
type Look<'a> = (Vec<Option<&'a String>>, &'a [NamedPort], Vec<bool>);

fn look<'a>(model: &Model, asked: &BTreeSet<&String>, pod: &'a Pod) -> Look<'a> {
    let labels = asked.iter().map(|key| pod.labels.get(*key)).collect();
    let blocks = cidrs(model)
        .map(|cidr| {
            let (first, last) = bounds(cidr);
            let within = |address: &IpAddr| (first..=last).contains(address);
            pod.addresses.first().is_some_and(within)
        })
        .collect();
    (labels, &pod.ports, blocks)
}

/// Keys of labels that policies ask for.
fn asked(model: &Model) -> BTreeSet<&String> {
    let selectors = model.policies.iter().flat_map(|policy| {
        let peers = rules(policy).flat_map(|rule| &rule.peers);
        let pods = peers.filter_map(|peer| match peer {
            Peer::Pods { pods, .. } => Some(pods),
            Peer::Block(_) => None,
        });
        pods.chain([&policy.pods])
    });
    selectors
        .flat_map(|selector| &selector.all)
        .map(|asked| &asked.key)
        .collect()
}

fn rules(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy.ingress.iter().chain(&policy.egress).flatten()
}

/// Every prefix that a policy names.
fn cidrs(model: &Model) -> impl Iterator<Item = Cidr> {
    let peers = model
        .policies
        .iter()
        .flat_map(rules)
        .flat_map(|rule| &rule.peers);
    peers
        .filter_map(|peer| match peer {
            Peer::Block(block) => Some(block),
            Peer::Pods { .. } => None,
        })
        .flat_map(|block| block.except.iter().chain([&block.cidr]).copied())
}

/// Families to speak of: IPv6 where a policy or a pod does.
fn families(model: &Model) -> Vec<bool> {
    let pods = model.pods.iter().flat_map(|pod| &pod.addresses);
    let v6 = pods.copied().any(|address| address.is_ipv6())
        || cidrs(model).any(|cidr| cidr.address.is_ipv6());
    if v6 { vec![false, true] } else { vec![false] }
}

fn address(v6: bool, number: u128) -> IpAddr {
    if v6 {
        return IpAddr::V6(Ipv6Addr::from_bits(number));
    }
    IpAddr::V4(Ipv4Addr::from_bits(
        u32::try_from(number).unwrap_or(u32::MAX),
    ))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// First and last address of a prefix.
fn bounds(cidr: Cidr) -> (IpAddr, IpAddr) {
    let v6 = cidr.address.is_ipv6();
    let width: u32 = if v6 { 128 } else { 32 };
    let free = width.saturating_sub(u32::from(cidr.bits));
    let ones = 1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    (
        cidr.address,
        address(v6, number(cidr.address).saturating_add(ones)),
    )
}

/// Ranges of addresses that policies cannot tell apart, all together everything.
fn ranges(model: &Model, v6: bool) -> Vec<(IpAddr, IpAddr)> {
    let last = if v6 { u128::MAX } else { u128::from(u32::MAX) };
    let mut starts = BTreeSet::from([0]);
    for cidr in cidrs(model).filter(|cidr| cidr.address.is_ipv6() == v6) {
        let (from, to) = bounds(cidr);
        starts.insert(number(from));
        starts.extend(number(to).checked_add(1).filter(|next| *next <= last));
    }
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([last]);
    starts
        .iter()
        .zip(ends)
        .map(|(from, to)| (address(v6, *from), address(v6, to)))
        .collect()
}

/// What may pass, by range; ranges that touch and allow the same are one.
fn merged(
    ranges: &[(IpAddr, IpAddr)],
    connection: impl Fn(End) -> Connection,
) -> Vec<(String, Connection)> {
    let mut out: Vec<(IpAddr, IpAddr, Connection)> = Vec::new();
    for (from, to) in ranges {
        let end = End {
            pod: None,
            address: Some(*from),
        };
        let connection = connection(end);
        match out.last_mut() {
            Some((_, end, same)) if *same == connection => *end = *to,
            _ => out.push((*from, *to, connection)),
        }
    }
    out.into_iter()
        .map(|(from, to, connection)| (format!("{from}-{to}[External]"), connection))
        .collect()
}
