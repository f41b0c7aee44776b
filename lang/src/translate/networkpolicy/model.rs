//! What the input says, as Kubernetes' API defines it and with its defaults filled in: pods, namespaces, policies. How it is said, and what follows from it, is not
//! known here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::source::Span;

/// Labels of a pod or a namespace.
pub(super) type Labels = BTreeMap<String, String>;

/// The label that every namespace has (API server, since Kubernetes 1.22).
pub(super) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// All that was read.
#[derive(Debug, Default)]
pub struct Model {
    /// Labels of the namespaces that are there or that something stands in.
    pub(super) namespaces: BTreeMap<String, Labels>,
    /// Pods, and templates of workloads whose pods are not in the input.
    pub(super) pods: Vec<Pod>,
    /// Policies.
    pub(super) policies: Vec<Policy>,
}

/// A pod, or the template of a workload.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    /// `Pod`, or the kind of the workload.
    pub(super) kind: String,
    /// Its name.
    pub(super) name: String,
    /// Its namespace.
    pub(super) namespace: String,
    /// Its labels.
    pub(super) labels: Labels,
    /// Ports that have a name.
    pub(super) ports: Vec<NamedPort>,
    /// Its addresses; none where the input does not say them.
    pub(super) addresses: Vec<IpAddr>,
    /// Whether it has the network of its node, and none of its own.
    pub(super) on_host: bool,
    /// The workload that made it, outermost: kind and name.
    pub(super) owner: Option<(String, String)>,
    /// Where it stands.
    pub(super) span: Span,
}

/// A port of a container that has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedPort {
    /// Its name.
    pub(super) name: String,
    /// Its protocol.
    pub(super) protocol: Protocol,
    /// Its number.
    pub(super) port: u16,
}

/// A protocol that policies know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// SCTP.
    Sctp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Sctp, Self::Tcp, Self::Udp];

    /// The API's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sctp => "SCTP",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// A policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// Its namespace.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
    /// Pods of its namespace that it is about.
    pub(super) pods: Selector,
    /// What they may be reached by; `None` where it says nothing of that.
    pub(super) ingress: Option<Vec<Rule>>,
    /// What they may reach.
    pub(super) egress: Option<Vec<Rule>>,
    /// Where it stands.
    pub(super) span: Span,
}

/// A direction, seen from the pods that a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To them.
    Ingress,
    /// From them.
    Egress,
}

impl Direction {
    /// The API's word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

impl Policy {
    /// Its rules for a direction.
    pub(super) fn rules(&self, direction: Direction) -> Option<&[Rule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

/// What one item of `ingress` or `egress` allows.
#[derive(Debug)]
pub(super) struct Rule {
    /// The other end; empty for anyone.
    pub(super) peers: Vec<Peer>,
    /// Ports; empty for all, and for all protocols.
    pub(super) ports: Vec<Port>,
}

/// The other end.
#[derive(Debug)]
pub(super) enum Peer {
    /// Pods.
    Pods {
        /// Their namespaces; `None` for that of the policy.
        namespaces: Option<Selector>,
        /// Which of them; an empty selector where the input has none.
        pods: Selector,
    },
    /// Addresses.
    Block(Block),
}

/// `ipBlock`.
#[derive(Debug)]
pub(super) struct Block {
    /// `cidr`.
    pub(super) cidr: Cidr,
    /// `except`.
    pub(super) except: Vec<Cidr>,
}

/// A prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cidr {
    /// The address, without bits behind the prefix.
    pub(super) address: IpAddr,
    /// Bits of the prefix.
    pub(super) bits: u8,
}

/// An item of `ports`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    /// The protocol.
    pub(super) protocol: Protocol,
    /// Which.
    pub(super) which: Which,
}

/// Which ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Every one.
    Any,
    /// From a number to a number.
    Numbers(u16, u16),
    /// What containers of the pod that is reached call so.
    Named(String),
}

/// A label selector: what must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector {
    /// The requirements, sorted.
    pub(super) all: Vec<Requirement>,
}

/// What is asked of one label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirement {
    /// The label's key.
    pub(super) key: String,
    /// How.
    pub(super) operator: Operator,
    /// Its values, sorted.
    pub(super) values: Vec<String>,
}

/// `operator` of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    /// One of the values.
    In,
    /// Not there, or none of the values.
    NotIn,
    /// There.
    Exists,
    /// Not there.
    DoesNotExist,
}
