//! Which matches nft leaves out of a listing, because a later field says as much: it does so by the bytecode, whoever wrote the match.
//!
//! Each layer remembers the match that fixes its protocol; the first field of that layer takes it away.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::value::Known;
use crate::typed::{Load, Match, NatArg, Operand, Relation, Stmt, StmtKind, Value, ValueKind};
use redan_vm::ct::CtKey;
use redan_vm::family::Family;
use redan_vm::field::Header;
use redan_vm::instr::{Base, ExthdrOp, Reject};
use redan_vm::meta::MetaKey;

/// Layers, as places in [`Pending::at`].
const LINK: usize = 0;
const NETWORK: usize = 1;
const TRANSPORT: usize = 2;
const INNER: usize = 3;

/// A match that fixes a protocol and may be left out.
#[derive(Clone, Copy)]
struct Dependency<'a> {
    stmt: usize,
    load: &'a Load,
    value: u128,
}

struct Pending<'a> {
    family: Family,
    at: [Option<Dependency<'a>>; 4],
    shown: Vec<bool>,
    icmp_type: Option<(usize, u128)>,
}

/// For each statement whether it is shown.
pub(super) fn shown(family: Family, stmts: &[&Stmt]) -> Vec<bool> {
    let mut pending = Pending {
        family,
        at: [None; 4],
        shown: vec![true; stmts.len()],
        icmp_type: None,
    };
    for (number, stmt) in stmts.iter().enumerate() {
        match &stmt.kind {
            // what a tunnel's fields imply cannot be written
            StmtKind::Match(found) if stmt.implied && in_tunnel(found) => {
                if let Some(shown) = pending.shown.get_mut(number) {
                    *shown = false;
                }
            }
            StmtKind::Match(found) => pending.matching(number, found),
            other => {
                pending.statement(other);
                // nft starts anew behind whatever is no match
                pending.at = [None; 4];
                pending.icmp_type = None;
            }
        }
    }
    pending.shown
}

impl<'a> Pending<'a> {
    fn matching(&mut self, number: usize, found: &'a Match) {
        self.uses(&found.left);
        let ValueKind::Load(load) = &found.left.kind else {
            return;
        };
        if found.relation != Relation::Eq {
            return;
        }
        let Operand::Value(value) = found.right else {
            return;
        };
        if is_icmp_type(load) {
            self.icmp_type = Some((number, value));
        }
        let Some(mut layer) = fixes(load) else {
            return;
        };
        if layer == NETWORK && matches!(value, 0x8100 | 0x88a8) {
            layer = LINK;
        }
        if let Load::Meta(MetaKey::L4proto) = load.as_ref() {
            self.release_network(value);
        }
        if let Some(place) = self.at.get_mut(layer) {
            *place = Some(Dependency {
                stmt: number,
                load: load.as_ref(),
                value,
            });
        }
    }

    /// A layer 4 protocol that only one network protocol has says which one that is.
    fn release_network(&mut self, l4proto: u128) {
        let Some(dependency) = self.at.get(NETWORK).copied().flatten() else {
            return;
        };
        let number = match dependency.load {
            Load::Meta(MetaKey::Nfproto) => dependency.value,
            Load::Meta(MetaKey::Protocol) | Load::Payload { .. } => match dependency.value {
                0x0800 => 2,
                0x86dd => 10,
                _ => 0,
            },
            _ => return,
        };
        if matches!((number, l4proto), (2, 1) | (10, 58)) {
            self.release(NETWORK);
        }
    }

    fn release(&mut self, layer: usize) {
        let gone = self.at.get_mut(layer).and_then(Option::take);
        if let Some(shown) = gone.and_then(|gone| self.shown.get_mut(gone.stmt)) {
            *shown = false;
        }
    }

    /// Looks at every load in a value.
    fn uses(&mut self, value: &Value) {
        match &value.kind {
            ValueKind::Load(load) => self.load(load),
            ValueKind::Bits { from, .. }
            | ValueKind::Shift { from, .. }
            | ValueKind::Swap(from) => {
                self.uses(from);
            }
            ValueKind::BitsOf { sides, .. } => {
                self.uses(&sides.0);
                self.uses(&sides.1);
            }
            ValueKind::Concat(parts) => parts.iter().for_each(|part| self.uses(part)),
            ValueKind::Map { key, .. } => self.uses(key),
            ValueKind::Jhash(hash) => self.uses(&hash.key),
            ValueKind::Const(_) => {}
        }
    }

    fn load(&mut self, load: &Load) {
        match load {
            Load::Payload { field, base, .. } => {
                let raw = field.is_none_or(|field| field.header == Header::Th);
                if let Some(field) = field {
                    self.icmp_field(field.message_types);
                }
                match base {
                    Base::Link => self.kill(LINK, load, raw),
                    Base::Network => self.kill(NETWORK, load, raw),
                    Base::Transport => self.kill(TRANSPORT, load, raw),
                    Base::Inner | Base::Tunnel => self.kill(INNER, load, raw),
                }
            }
            Load::Exthdr { op, .. } => match op {
                ExthdrOp::Ipv6 | ExthdrOp::Ipv4 => self.kill(NETWORK, load, false),
                ExthdrOp::Tcpopt | ExthdrOp::Sctp | ExthdrOp::Dccp => {
                    self.kill(TRANSPORT, load, false);
                }
            },
            Load::Inner { .. } => self.kill(TRANSPORT, load, false),
            Load::Ct {
                key: CtKey::Saddr | CtKey::Daddr,
                ..
            } => self.kill(NETWORK, load, false),
            _ => {}
        }
    }

    fn kill(&mut self, layer: usize, load: &Load, raw: bool) {
        let Some(dependency) = self.at.get(layer).copied().flatten() else {
            return;
        };
        if raw && !known_transport(&dependency) {
            return;
        }
        if layer == LINK
            && matches!(dependency.load, Load::Payload { .. })
            && !(implies_vlan(&dependency) && in_tag(load))
        {
            return;
        }
        let both = matches!(self.family, Family::Bridge | Family::Netdev | Family::Inet);
        let in_network = matches!(
            dependency.load,
            Load::Payload {
                base: Base::Network,
                ..
            }
        );
        let of_transport = matches!(
            load,
            Load::Payload {
                base: Base::Transport,
                ..
            } | Load::Exthdr { .. }
                | Load::Inner { .. }
        ) && layer == TRANSPORT;
        if both && in_network && of_transport {
            return;
        }
        self.release(layer);
    }

    /// An ICMP field that a message type is needed for.
    fn icmp_field(&mut self, types: &[u8]) {
        if types.is_empty() {
            return;
        }
        let Some((stmt, value)) = self.icmp_type.take() else {
            return;
        };
        let same = |only: &u8| value == u128::from(*only);
        let same = matches!(types, [only] if same(only));
        if let Some(shown) = self.shown.get_mut(stmt).filter(|_| same) {
            *shown = false;
        }
    }

    fn statement(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Vmap { key, .. } | StmtKind::ObjrefMap { key, .. } => self.uses(key),
            StmtKind::Set { target, value } => {
                self.load(target);
                self.uses(value);
            }
            StmtKind::Dynset(dynset) => {
                self.uses(&dynset.key);
                if let Some(data) = &dynset.data {
                    self.uses(data);
                }
            }
            StmtKind::Nat(nat) => {
                for arg in nat.addr.iter().chain(&nat.port) {
                    match arg {
                        NatArg::One(one) => self.uses(one),
                        NatArg::Range(low, high) => {
                            self.uses(low);
                            self.uses(high);
                        }
                    }
                }
            }
            StmtKind::Reject(reject) => self.reject(*reject),
            StmtKind::ResetTcpOption(_) => self.release(TRANSPORT),
            StmtKind::Tproxy { addr, port, .. } => {
                for value in addr.iter().chain(port) {
                    self.uses(value);
                }
            }
            StmtKind::Queue {
                value: Some(value), ..
            } => self.uses(value),
            StmtKind::Dup { addr, device } => {
                for value in addr.iter().chain(device) {
                    self.uses(value);
                }
            }
            StmtKind::Fwd { device, addr, .. } => {
                self.uses(device);
                if let Some(addr) = addr {
                    self.uses(addr);
                }
            }
            StmtKind::Match(_)
            | StmtKind::Stateful { .. }
            | StmtKind::Log(_)
            | StmtKind::Verdict(_)
            | StmtKind::Objref { .. }
            | StmtKind::Notrack
            | StmtKind::Flow(_)
            | StmtKind::Queue { value: None, .. }
            | StmtKind::Synproxy { .. } => {}
        }
    }

    fn reject(&mut self, reject: Reject) {
        let both = matches!(self.family, Family::Bridge | Family::Netdev | Family::Inet);
        match reject {
            Reject::TcpReset | Reject::Icmp(_) if both => self.release(NETWORK),
            Reject::TcpReset => self.release(TRANSPORT),
            Reject::Icmp(_) | Reject::Icmpx(_) => {}
        }
    }
}

fn in_tunnel(found: &Match) -> bool {
    matches!(&found.left.kind, ValueKind::Load(load) if matches!(load.as_ref(), Load::Inner { .. }))
}

/// Whether a match says what a VLAN tag's fields imply: `ether type 8021q`.
fn implies_vlan(dependency: &Dependency<'_>) -> bool {
    let ether = matches!(dependency.load, Load::Payload { field: Some(field), .. } if field.header == Header::Ether);
    ether && dependency.value == 0x8100
}

/// Whether a field says something of a VLAN tag itself.
fn in_tag(load: &Load) -> bool {
    matches!(load, Load::Payload { field: Some(field), .. } if field.header == Header::Vlan && field.name != "type")
}

fn known_transport(dependency: &Dependency<'_>) -> bool {
    header_of(dependency.value).is_some_and(|header| {
        matches!(
            header,
            Header::Tcp | Header::Udp | Header::Udplite | Header::Sctp | Header::Dccp
        )
    })
}

/// The layer whose protocol a match on a load fixes.
fn fixes(load: &Load) -> Option<usize> {
    match load {
        Load::Meta(MetaKey::Iiftype) => Some(LINK),
        Load::Meta(MetaKey::Nfproto | MetaKey::Protocol) => Some(NETWORK),
        Load::Meta(MetaKey::L4proto) => Some(TRANSPORT),
        Load::Payload {
            field: Some(field), ..
        } => match (field.header, field.name) {
            (Header::Ether | Header::Vlan, "type") => Some(NETWORK),
            (Header::Ip, "protocol") | (Header::Ip6, "nexthdr") => Some(TRANSPORT),
            _ => None,
        },
        _ => None,
    }
}

fn is_icmp_type(load: &Load) -> bool {
    matches!(load, Load::Payload { field: Some(field), .. }
        if matches!(field.header, Header::Icmp | Header::Icmpv6) && field.name == "type")
}

/// The header with a protocol number.
fn header_of(l4proto: u128) -> Option<Header> {
    Header::ALL.iter().copied().find(|header| {
        let info = header.info();
        info.base == Base::Transport
            && *header != Header::Gretap
            && info.requires.l4proto().map(u128::from) == Some(l4proto)
    })
}

/// Notes what a match says about the headers of later fields.
pub(super) fn learn(known: &mut Known, kind: &StmtKind) {
    let StmtKind::Match(found) = kind else {
        return;
    };
    let (ValueKind::Load(load), Relation::Eq, Operand::Value(value)) =
        (&found.left.kind, found.relation, &found.right)
    else {
        return;
    };
    match fixes(load) {
        Some(TRANSPORT) => known.transport = header_of(*value),
        Some(NETWORK) => {
            known.network = match (load.as_ref(), *value) {
                (Load::Meta(MetaKey::Nfproto), 2) => Some(Header::Ip),
                (Load::Meta(MetaKey::Nfproto), 10) => Some(Header::Ip6),
                (Load::Meta(MetaKey::Nfproto), _) => known.network,
                (_, 0x0800) => Some(Header::Ip),
                (_, 0x86dd) => Some(Header::Ip6),
                (_, 0x0806) => Some(Header::Arp),
                _ => known.network,
            };
        }
        _ => {}
    }
}
