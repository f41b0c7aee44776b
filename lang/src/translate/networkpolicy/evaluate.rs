//! Who may reach whom, straight from the API's definition of policies. This is the other opinion that translations are held against: it shares the model with them
//! and nothing else.
//!
//! A connection is allowed when a policy of its source allows it or its source has no policy for egress, and likewise for its destination and ingress. A pod always
//! reaches itself. What allows is added up; nothing denies.

use std::net::IpAddr;

use super::model::{
    Block, Cidr, Direction, Labels, Model, Operator, Peer, Pod, Policy, Protocol, Rule, Selector,
    Which,
};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Which pod it is, if any.
    pub pod: Option<usize>,
    /// Its address; `None` where that is not known, and then no block has it.
    pub address: Option<IpAddr>,
}

/// What may pass in one direction, to begin a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// Ports by protocol, in the order of [`Protocol::ALL`]: sorted ranges that do not touch.
    ports: [Vec<(u16, u16)>; 3],
    /// Whether other protocols may pass. The API does not say; whatever has no ports in a rule has it all here.
    other: bool,
}

impl Connection {
    /// Everything.
    pub fn all() -> Self {
        Self {
            ports: std::array::from_fn(|_| vec![(1, u16::MAX)]),
            other: true,
        }
    }

    /// Whether a port of a protocol may be reached; `None` is another protocol.
    pub fn allows(&self, protocol: Option<Protocol>, port: u16) -> bool {
        let Some(protocol) = protocol else {
            return self.other;
        };
        let ranges = self.ranges(protocol);
        // a port of zero belongs to no range of the API, and to everything
        let port = if port == 0 && ranges == [(1, u16::MAX)] && self.other {
            1
        } else {
            port
        };
        ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// Ports of a protocol.
    pub fn ranges(&self, protocol: Protocol) -> &[(u16, u16)] {
        let all = Protocol::ALL.iter().zip(&self.ports);
        all.filter(|(known, _)| **known == protocol)
            .map(|(_, ranges)| ranges.as_slice())
            .next()
            .unwrap_or_default()
    }

    /// Whether nothing may pass.
    pub fn is_nothing(&self) -> bool {
        self.ports.iter().all(Vec::is_empty)
    }

    fn add(&mut self, protocol: Protocol, first: u16, last: u16) {
        let all = Protocol::ALL.iter().zip(&mut self.ports);
        for (known, ranges) in all {
            if *known == protocol {
                ranges.push((first, last));
                *ranges = joined(std::mem::take(ranges));
            }
        }
    }

    fn with(mut self, other: Self) -> Self {
        for (mine, theirs) in self.ports.iter_mut().zip(other.ports) {
            mine.extend(theirs);
            *mine = joined(std::mem::take(mine));
        }
        self.other |= other.other;
        self
    }

    fn within(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.ports.iter_mut().zip(&other.ports) {
            let mut both = Vec::new();
            for (first, last) in mine.iter() {
                for (from, to) in theirs {
                    let (first, last) = (*first.max(from), *last.min(to));
                    if first <= last {
                        both.push((first, last));
                    }
                }
            }
            *mine = joined(both);
        }
        self.other &= other.other;
        self
    }
}

/// Sorted, and joined where they overlap or touch.
fn joined(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for (first, last) in ranges {
        match out.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => out.push((first, last)),
        }
    }
    out
}

/// What may pass from one end to the other.
pub fn connection(model: &Model, from: End, to: End) -> Connection {
    if from.pod.is_some() && from.pod == to.pod {
        return Connection::all();
    }
    let out = side(model, Direction::Egress, from, to, to);
    if out.is_nothing() && !out.other {
        return out;
    }
    out.within(&side(model, Direction::Ingress, to, from, to))
}

/// What the policies of one end allow.
fn side(model: &Model, direction: Direction, own: End, peer: End, to: End) -> Connection {
    let Some(pod) = own.pod.and_then(|at| model.pods.get(at)) else {
        return Connection::all();
    };
    let mut isolated = false;
    let mut allowed = Connection::default();
    for policy in &model.policies {
        let Some(rules) = policy.rules(direction) else {
            continue;
        };
        if policy.namespace != pod.namespace || !selects(&policy.pods, &pod.labels) {
            continue;
        }
        isolated = true;
        for rule in rules {
            if rule.peers.is_empty()
                || rule
                    .peers
                    .iter()
                    .any(|one| is_peer(model, policy, one, peer))
            {
                allowed = allowed.with(ports(model, rule, to));
            }
        }
    }
    if isolated { allowed } else { Connection::all() }
}

fn is_peer(model: &Model, policy: &Policy, peer: &Peer, end: End) -> bool {
    match peer {
        Peer::Block(block) => end.address.is_some_and(|address| is_in(block, address)),
        Peer::Pods { namespaces, pods } => {
            let Some(pod) = end.pod.and_then(|at| model.pods.get(at)) else {
                return false;
            };
            let here = match namespaces {
                None => pod.namespace == policy.namespace,
                Some(selector) => model
                    .namespaces
                    .get(&pod.namespace)
                    .is_some_and(|labels| selects(selector, labels)),
            };
            here && selects(pods, &pod.labels)
        }
    }
}

fn ports(model: &Model, rule: &Rule, to: End) -> Connection {
    if rule.ports.is_empty() {
        return Connection::all();
    }
    let mut all = Connection::default();
    for port in &rule.ports {
        match &port.which {
            Which::Any => all.add(port.protocol, 1, u16::MAX),
            Which::Numbers(first, last) => all.add(port.protocol, *first, *last),
            Which::Named(name) => {
                let pod = to.pod.and_then(|at| model.pods.get(at));
                for known in pod.map_or(&[][..], |pod: &Pod| &pod.ports) {
                    if known.protocol == port.protocol && known.name == *name {
                        all.add(port.protocol, known.port, known.port);
                    }
                }
            }
        }
    }
    all
}

fn is_in(block: &Block, address: IpAddr) -> bool {
    has(block.cidr, address) && !block.except.iter().any(|inner| has(*inner, address))
}

fn has(cidr: Cidr, address: IpAddr) -> bool {
    let (network, address, width) = match (cidr.address, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let free = width - u32::from(cidr.bits);
    free == 128 || (network >> free) == (address >> free)
}

fn selects(selector: &Selector, labels: &Labels) -> bool {
    selector.all.iter().all(|asked| {
        let value = labels.get(&asked.key);
        let listed = value.is_some_and(|value| asked.values.contains(value));
        match asked.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    })
}
