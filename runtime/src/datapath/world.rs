//! What rules may ask of the world, answered: conntrack, routes, random numbers, logs, copies.

use std::net::IpAddr;

use redan_vm::ct::{CtKey, Direction};
use redan_vm::family::Hook;
use redan_vm::ids::RuleId;
use redan_vm::instr::{FibResult, Log, RtKey, fib_flags};
use redan_vm::ruleset::StateSpec;
use redan_vm::{Asked, Host, Instant, NatAsk, NatRange, Packet, Visit};

use crate::conntrack::Conntrack;
use crate::log::{LogEntry, Observer, Step};
use crate::router::fib::{Fib, Hop};
use crate::site::PortId;

/// A port as rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    /// Its index in `iif` and `oif`.
    pub(super) index: u32,
    /// Its name, zero-padded.
    pub(super) name: [u8; 16],
    /// The longest packet, in bytes from the network header on.
    pub(super) mtu: u32,
}

/// Where a copy goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Toward {
    /// Out of a port as it is (`nf_dup_netdev.c`).
    Port(PortId),
    /// By the route to a gateway, or out of one port alone (`nf_dup_ipv4.c`, `nf_dup_ipv6.c`).
    Gateway(IpAddr, Option<PortId>),
    /// To a neighbour behind a port (`nft_fwd_netdev.c`).
    Neighbor(IpAddr, PortId),
}

/// A packet as it was when a rule asked for its copy.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) packet: Packet,
    pub(super) hook: Hook,
    pub(super) toward: Toward,
}

/// Route types (`rtnetlink.h: RTN_*`), as `fib ... type` gives them.
mod route_type {
    pub(super) const UNICAST: u32 = 1;
    pub(super) const LOCAL: u32 = 2;
    pub(super) const BROADCAST: u32 = 3;
    pub(super) const MULTICAST: u32 = 5;
    pub(super) const UNSPEC: u32 = 0;
}

/// The world that one datapath's rules see.
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) hook: Hook,
    pub(super) conntrack: Option<Conntrack>,
    pub(super) observer: Box<dyn Observer>,
    pub(super) fib: Fib,
    pub(super) interfaces: Vec<Interface>,
    /// The way that routing has chosen for the packet: port and gateway. Only route chains change it.
    pub(super) route: Option<(PortId, Option<IpAddr>)>,
    /// What `dup` and `fwd` have asked for.
    pub(super) copies: Vec<Copied>,
    random: u64,
}

impl World {
    pub(super) fn new(
        conntrack: Option<Conntrack>,
        observer: Box<dyn Observer>,
        fib: Fib,
        interfaces: Vec<Interface>,
        seed: u64,
    ) -> Self {
        Self {
            now: Instant::default(),
            hook: Hook::Prerouting,
            conntrack,
            observer,
            fib,
            interfaces,
            route: None,
            copies: Vec::new(),
            random: seed,
        }
    }

    /// The port with an interface index.
    pub(super) fn port_of(&self, index: u32) -> Option<PortId> {
        let at = self
            .interfaces
            .iter()
            .position(|interface| interface.index == index)?;
        u16::try_from(at).ok().map(PortId)
    }

    /// The interface of a port.
    pub(super) fn interface(&self, port: PortId) -> Option<&Interface> {
        self.interfaces.get(port.index())
    }

    /// 64 random bits (`SplitMix64`: good spread from any seed, one word of state; nothing here has to be unguessable).
    pub(super) const fn random64(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// What one packet has left here is none of the next one's.
    pub(super) fn forget_packet(&mut self) {
        self.copies.clear();
        self.route = None;
        if let Some(conntrack) = &mut self.conntrack {
            conntrack.release_all();
        }
    }

    fn copy(&mut self, packet: &Packet, toward: Toward) {
        self.copies.push(Copied {
            packet: packet.clone(),
            hook: self.hook,
            toward,
        });
    }

    /// The type of an address, as seen from all of the machine or from one interface (`inet_dev_addr_type`).
    fn address_type(&self, address: IpAddr, only: Option<PortId>) -> u32 {
        match self.fib.find(address) {
            Some(Hop::Local) if only.is_some_and(|port| !self.fib.is_on_port(address, port)) => {
                route_type::UNICAST
            }
            Some(Hop::Local) => route_type::LOCAL,
            Some(Hop::Broadcast) => route_type::BROADCAST,
            Some(Hop::Multicast) => route_type::MULTICAST,
            Some(Hop::Port { .. }) => route_type::UNICAST,
            None => route_type::UNSPEC,
        }
    }
}

/// Source and destination of a packet.
#[inline]
pub(super) fn addresses(packet: &Packet) -> Option<(IpAddr, IpAddr)> {
    if let Some(ip) = packet.ipv4() {
        return Some((ip.src().into(), ip.dst().into()));
    }
    packet.ipv6().map(|ip| (ip.src().into(), ip.dst().into()))
}

/// An address of either family from a register's bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Writes as much of `value` as fits.
fn store(out: &mut [u8], value: &[u8]) {
    out.fill(0);
    for (to, from) in out.iter_mut().zip(value) {
        *to = *from;
    }
}

impl Host for World {
    fn ct_load(
        &mut self,
        packet: &Packet,
        key: CtKey,
        direction: Option<Direction>,
        out: &mut [u8],
    ) -> bool {
        self.conntrack
            .as_ref()
            .is_some_and(|ct| ct.load(self.now, packet, key, direction, out))
    }

    fn ct_store(
        &mut self,
        packet: &mut Packet,
        key: CtKey,
        direction: Option<Direction>,
        value: &[u8],
    ) {
        if let Some(ct) = &mut self.conntrack {
            ct.store(packet, key, direction, value);
        }
    }

    fn ct_object(&mut self, packet: &mut Packet, object: &StateSpec) -> Asked {
        match &mut self.conntrack {
            Some(ct) => ct.set_object(self.now, packet, object),
            None => Asked::Done,
        }
    }

    fn notrack(&mut self, packet: &mut Packet) {
        match &self.conntrack {
            Some(ct) => ct.notrack(packet),
            None => packet.ct.state = redan_vm::ct::state::UNTRACKED,
        }
    }

    fn nat(&mut self, _packet: &mut Packet, _ask: NatAsk<'_>, _range: &NatRange) -> Asked {
        // Address translation is refused where rules are compiled; should a program with it come here, it fails closed.
        Asked::Drop
    }

    fn log(&mut self, packet: &Packet, rule: RuleId, log: &Log) {
        self.observer.log(&LogEntry {
            now: self.now,
            hook: self.hook,
            rule,
            log,
            packet,
        });
    }

    fn random(&mut self) -> u32 {
        (self.random64() >> 32) as u32
    }

    fn fib(&mut self, packet: &Packet, flags: u32, result: FibResult, out: &mut [u8]) {
        store(out, &[]);
        let Some((src, dst)) = addresses(packet) else {
            return;
        };
        let address = if flags & fib_flags::SADDR != 0 {
            src
        } else {
            dst
        };
        let index = match flags & (fib_flags::IIF | fib_flags::OIF) {
            fib_flags::IIF => packet.meta.iif,
            fib_flags::OIF => packet.meta.oif,
            _ => 0,
        };
        let only = self.port_of(index);
        if result == FibResult::Type {
            store(out, &self.address_type(address, only).to_le_bytes());
            return;
        }
        let Some(Hop::Port { port, .. }) = self.fib.find(address) else {
            return;
        };
        let Some(interface) = self
            .interface(port)
            .filter(|_| only.is_none_or(|only| only == port))
        else {
            return;
        };
        match result {
            _ if flags & fib_flags::PRESENT != 0 => store(out, &[1]),
            FibResult::Oif => store(out, &interface.index.to_le_bytes()),
            FibResult::Oifname => store(out, &interface.name),
            FibResult::Type => {}
        }
    }

    fn rt(&mut self, packet: &Packet, key: RtKey, out: &mut [u8]) -> bool {
        if key == RtKey::Classid {
            // No route has a realm; in front of routing there is no route.
            store(out, &[]);
            return !matches!(self.hook, Hook::Prerouting | Hook::Ingress);
        }
        let Some((_, dst)) = addresses(packet) else {
            return false;
        };
        let Some((port, via)) = self.route else {
            return false;
        };
        let next = via.unwrap_or(dst);
        match (key, next) {
            (RtKey::Classid | RtKey::Ipsec, _) => store(out, &[]),
            (RtKey::Nexthop4, IpAddr::V4(next)) => store(out, &next.octets()),
            (RtKey::Nexthop6, IpAddr::V6(next)) => store(out, &next.octets()),
            (RtKey::Nexthop4, IpAddr::V6(_)) | (RtKey::Nexthop6, IpAddr::V4(_)) => return false,
            (RtKey::Tcpmss, next) => {
                // nft_rt.c: get_tcpmss: the route's MTU less both headers without options.
                let headers = if next.is_ipv4() { 40 } else { 60 };
                let mtu = self.interface(port).map_or(1500, |interface| interface.mtu);
                let [.., a, b] = mtu.saturating_sub(headers).to_be_bytes();
                store(out, &[b, a]);
            }
        }
        true
    }

    fn connections(&mut self, packet: &Packet, list: u64) -> Option<u32> {
        self.conntrack
            .as_mut()?
            .count_connection(self.now, packet, list)
    }

    fn has_connections(&mut self, list: u64) -> bool {
        self.conntrack
            .as_ref()
            .is_some_and(|conntrack| conntrack.counted(list) != 0)
    }

    fn forget_connections(&mut self, list: u64) {
        if let Some(conntrack) = &mut self.conntrack {
            conntrack.forget_list(list);
        }
    }

    fn dup(&mut self, packet: &Packet, addr: Option<&[u8]>, oif: Option<u32>) {
        let port = oif.and_then(|index| self.port_of(index));
        let toward = match (addr.and_then(address), port) {
            (Some(gateway), port) if oif.is_none() || port.is_some() => {
                Toward::Gateway(gateway, port)
            }
            (None, Some(port)) => Toward::Port(port),
            _ => return,
        };
        self.copy(packet, toward);
    }

    fn fwd(&mut self, packet: &Packet, oif: u32, addr: Option<&[u8]>) {
        let Some(port) = self.port_of(oif) else {
            return;
        };
        let toward = addr
            .and_then(address)
            .map_or(Toward::Port(port), |next| Toward::Neighbor(next, port));
        self.copy(packet, toward);
    }

    fn trace(&mut self, _packet: &Packet, visit: &Visit) {
        self.observer.trace(Step::Rule(visit));
    }
}
