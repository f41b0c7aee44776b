//! The hook list: for each hook and layer 3 protocol, one list of what a packet meets there, by priority.
//!
//! The engine's own entries (defragmentation, conntrack, NAT, confirmation) stand among the ruleset's base chains as in Linux
//! (`enum nf_ip_hook_priorities`). At equal priority the chain that was registered last runs first.

use redan_vm::Ruleset;
use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ids::ChainId;
use redan_vm::ruleset::{BaseChain, Needs, Protocols};

use crate::site::PortId;

/// Which lists a packet passes: its layer 3 protocol, or the bridge's view of any frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    /// IPv4: tables of families ip and inet.
    Ip4,
    /// IPv6: tables of families ip6 and inet.
    Ip6,
    /// ARP to or from the machine itself.
    Arp,
    /// Any frame that passes a wire.
    Bridge,
}

impl Layer {
    const COUNT: usize = 4;

    /// Whether tables of a family see packets of this layer.
    const fn sees(self, family: Family) -> bool {
        match family {
            Family::Ip => matches!(self, Self::Ip4),
            Family::Ip6 => matches!(self, Self::Ip6),
            Family::Inet => matches!(self, Self::Ip4 | Self::Ip6),
            Family::Arp => matches!(self, Self::Arp),
            Family::Bridge => matches!(self, Self::Bridge),
            Family::Netdev => false,
        }
    }
}

/// What a packet meets at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Fragments wait here for the rest.
    Defrag,
    /// Connection tracking.
    Conntrack,
    /// NAT: the first packet of a connection runs the nat chains of [`HookList::nat_chains`].
    Nat,
    /// The connection of a packet that came this far goes into the table.
    Confirm,
    /// A base chain.
    Chain {
        /// Which.
        chain: ChainId,
        /// Its type: filter rules are named in reports, route chains choose the way anew.
        kind: ChainType,
    },
}

/// The engine's entries: where they hang, and their priorities.
#[rustfmt::skip]
const ENGINE: &[(Entry, &[Hook], i32)] = &[
    (Entry::Defrag,    &[Hook::Prerouting, Hook::Output],   -400),
    (Entry::Conntrack, &[Hook::Prerouting, Hook::Output],   -200),
    (Entry::Nat,       &[Hook::Prerouting, Hook::Output],   -100),
    (Entry::Nat,       &[Hook::Postrouting, Hook::Input],    100),
    (Entry::Confirm,   &[Hook::Postrouting, Hook::Input], i32::MAX),
];

const HOOKS: usize = Hook::ALL.len();

/// Everything that is registered.
#[derive(Clone, Debug)]
pub struct HookList {
    lists: [[Vec<Entry>; Layer::COUNT]; HOOKS],
    nat: [[Vec<ChainId>; Layer::COUNT]; HOOKS],
    ingress: Vec<Vec<Entry>>,
    egress: Vec<Vec<Entry>>,
}

impl HookList {
    /// The list of a ruleset on ports of these names, with what it needs of the engine.
    pub fn new(ruleset: &Ruleset, ports: &[&str], needs: Needs) -> Self {
        let mut lists: [[Vec<(i32, Entry)>; Layer::COUNT]; HOOKS] = Default::default();
        let mut nat: [[Vec<(i32, ChainId)>; Layer::COUNT]; HOOKS] = Default::default();
        register_engine(&mut lists, needs);
        for (id, family, base) in base_chains(ruleset) {
            for layer in [Layer::Ip4, Layer::Ip6, Layer::Arp, Layer::Bridge] {
                if !layer.sees(family) {
                    continue;
                }
                let (hook, layer) = (base.hook as usize, layer as usize);
                if base.chain_type == ChainType::Nat {
                    if let Some(list) = nat.get_mut(hook).and_then(|l| l.get_mut(layer)) {
                        list.push((base.priority, id));
                    }
                } else if let Some(list) = lists.get_mut(hook).and_then(|l| l.get_mut(layer)) {
                    list.push((base.priority, chain_entry(id, base)));
                }
            }
        }
        Self {
            lists: lists.map(|layers| layers.map(sorted)),
            nat: nat.map(|layers| layers.map(sorted)),
            ingress: ports
                .iter()
                .map(|port| device_list(ruleset, port, Hook::Ingress))
                .collect(),
            egress: ports
                .iter()
                .map(|port| device_list(ruleset, port, Hook::Egress))
                .collect(),
        }
    }

    /// What a packet meets at a hook, in order.
    pub fn at(&self, hook: Hook, layer: Layer) -> &[Entry] {
        self.lists
            .get(hook as usize)
            .and_then(|layers| layers.get(layer as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// The nat chains that the first packet of a connection runs at a hook, in order.
    pub fn nat_chains(&self, hook: Hook, layer: Layer) -> &[ChainId] {
        self.nat
            .get(hook as usize)
            .and_then(|layers| layers.get(layer as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether packets of IPv4 or IPv6 meet anything at any hook.
    pub fn sees_ip(&self) -> bool {
        let ip = [Layer::Ip4, Layer::Ip6];
        let mut lists = self
            .lists
            .iter()
            .flat_map(|layers| ip.iter().filter_map(|layer| layers.get(*layer as usize)));
        lists.any(|list| !list.is_empty())
    }

    /// What a frame meets as it comes in from a port.
    pub fn ingress(&self, port: PortId) -> &[Entry] {
        self.ingress.get(port.index()).map_or(&[], Vec::as_slice)
    }

    /// What a frame meets before it leaves by a port.
    pub fn egress(&self, port: PortId) -> &[Entry] {
        self.egress.get(port.index()).map_or(&[], Vec::as_slice)
    }
}

fn chain_entry(chain: ChainId, base: &BaseChain) -> Entry {
    Entry::Chain {
        chain,
        kind: base.chain_type,
    }
}

fn register_engine(lists: &mut [[Vec<(i32, Entry)>; Layer::COUNT]; HOOKS], needs: Needs) {
    for &(entry, hooks, priority) in ENGINE {
        let Protocols { ip, ip6 } = match entry {
            Entry::Defrag => needs.defrag,
            Entry::Conntrack | Entry::Nat | Entry::Confirm | Entry::Chain { .. } => needs.conntrack,
        };
        for (layer, is_needed) in [(Layer::Ip4, ip), (Layer::Ip6, ip6)] {
            for &hook in hooks.iter().filter(|_| is_needed) {
                if let Some(list) = lists
                    .get_mut(hook as usize)
                    .and_then(|l| l.get_mut(layer as usize))
                {
                    list.push((priority, entry));
                }
            }
        }
    }
}

/// Registered base chains in order of registration.
fn base_chains(ruleset: &Ruleset) -> impl Iterator<Item = (ChainId, Family, &BaseChain)> {
    ruleset.chains.iter().enumerate().filter_map(|(i, chain)| {
        let table = ruleset.tables.get(chain.table.index())?;
        let base = chain
            .base
            .as_ref()
            .filter(|_| !chain.deleted && !table.dormant)?;
        Some((ChainId(u32::try_from(i).ok()?), table.family, base))
    })
}

fn device_list(ruleset: &Ruleset, port: &str, hook: Hook) -> Vec<Entry> {
    let chains = base_chains(ruleset).filter(|(_, family, base)| {
        matches!(family, Family::Netdev | Family::Inet)
            && base.hook == hook
            && base.devices.iter().any(|d| d == port)
    });
    sorted(
        chains
            .map(|(id, _, base)| (base.priority, chain_entry(id, base)))
            .collect(),
    )
}

/// By priority; what was registered last comes first among equals.
fn sorted<T>(mut list: Vec<(i32, T)>) -> Vec<T> {
    list.reverse();
    list.sort_by_key(|&(priority, _)| priority);
    list.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use redan_vm::ids::TableId;
    use redan_vm::ruleset::{Chain, Policy, Table};

    use super::*;

    fn ruleset(chains: &[(Family, ChainType, Hook, i32)]) -> Ruleset {
        let mut ruleset = Ruleset::default();
        for (i, &(family, chain_type, hook, priority)) in chains.iter().enumerate() {
            ruleset.tables.push(Table {
                family,
                name: format!("t{i}"),
                dormant: false,
            });
            ruleset.chains.push(Chain {
                table: TableId(u32::try_from(i).unwrap()),
                name: "c".into(),
                base: Some(BaseChain {
                    chain_type,
                    hook,
                    priority,
                    policy: Policy::Accept,
                    devices: vec!["lan0".into()],
                }),
                rules: vec![],
                deleted: false,
            });
        }
        ruleset
    }

    const NONE: Protocols = Protocols {
        ip: false,
        ip6: false,
    };

    fn tracking(protocols: Protocols) -> Needs {
        Needs {
            conntrack: protocols,
            defrag: protocols,
            acct: false,
        }
    }

    #[track_caller]
    fn check(
        chains: &[(Family, ChainType, Hook, i32)],
        conntrack: Protocols,
        hook: Hook,
        layer: Layer,
        expected: &str,
    ) {
        let list = HookList::new(&ruleset(chains), &["lan0"], tracking(conntrack));
        let seen: Vec<_> = list
            .at(hook, layer)
            .iter()
            .map(|entry| match entry {
                Entry::Chain { chain, .. } => chain.0.to_string(),
                Entry::Defrag | Entry::Conntrack | Entry::Nat | Entry::Confirm => {
                    format!("{entry:?}").to_lowercase()
                }
            })
            .collect();
        assert_eq!(seen.join(" "), expected);
    }

    #[test]
    fn order_is_by_priority_then_last_registered_first() {
        use ChainType::{Filter, Nat};
        use Family::{Inet, Ip, Ip6};
        use Hook::{Forward, Postrouting, Prerouting};
        let chains = [
            (Ip, Filter, Forward, 0),
            (Inet, Filter, Forward, 0),
            (Ip6, Filter, Forward, -5),
            (Ip, Filter, Forward, -1),
            (Inet, Filter, Prerouting, -300),
            (Inet, Filter, Prerouting, -450),
            (Ip, Nat, Postrouting, 100),
        ];
        check(&chains, NONE, Forward, Layer::Ip4, "3 1 0");
        check(&chains, NONE, Forward, Layer::Ip6, "2 1");
        check(&chains, NONE, Forward, Layer::Bridge, "");
        let both = Protocols::BOTH;
        check(
            &chains,
            both,
            Prerouting,
            Layer::Ip6,
            "5 defrag 4 conntrack nat",
        );
        check(&chains, both, Postrouting, Layer::Ip4, "nat confirm");
        let list = HookList::new(&ruleset(&chains), &["lan0"], tracking(both));
        assert_eq!(list.nat_chains(Postrouting, Layer::Ip4), &[ChainId(6)]);
    }

    #[test]
    fn each_protocol_has_what_it_needs() {
        use Hook::{Postrouting, Prerouting};
        let ip = Protocols { ip: true, ..NONE };
        check(&[], ip, Prerouting, Layer::Ip4, "defrag conntrack nat");
        check(&[], ip, Prerouting, Layer::Ip6, "");
        check(&[], ip, Postrouting, Layer::Ip6, "");
        let needs = Needs {
            defrag: Protocols { ip6: true, ..NONE },
            ..Needs::default()
        };
        let list = HookList::new(&ruleset(&[]), &[], needs);
        assert_eq!(list.at(Prerouting, Layer::Ip6), &[Entry::Defrag]);
        assert!(list.at(Prerouting, Layer::Ip4).is_empty());
    }

    #[test]
    fn devices_choose_ingress_chains() {
        let chains = [(Family::Netdev, ChainType::Filter, Hook::Ingress, 0)];
        let list = HookList::new(&ruleset(&chains), &["lan0", "wan0"], tracking(NONE));
        assert_eq!(list.ingress(PortId(0)).len(), 1);
        assert_eq!(list.ingress(PortId(1)).len(), 0);
    }
}
