//! Router mode: frames to a port's MAC are routed (`ip_input.c`, `ip_forward.c`, `ip6_output.c: ip6_forward`).

use std::net::IpAddr;

use redan_vm::Packet;
use redan_vm::family::Hook;
use redan_vm::packet::{LinkKind, dissect_into, ethertype, pkttype};

use super::report::Verdict;
use super::send::Target;
use super::trip::{End, Trip, Way};
use super::world::addresses;
use super::{Checksums, Datapath};
use crate::defrag::User;
use crate::hook::Layer;
use crate::log::Step;
use crate::reason::Reason;
use crate::router::answer::{Fault, LINK_BYTES};
use crate::router::check;
use crate::router::fib::Hop;
use crate::site::{Mac, PortId};

/// Bytes of a VLAN tag.
const TAG: u16 = 4;

impl Datapath {
    /// Finds the headers for the hooks of ip, ip6, inet and arp.
    pub(super) fn dissect(&mut self, packet: &mut Packet) -> Way {
        use redan_vm::packet::Checksums as Sums;
        let watch = self.watch();
        let sums = match self.settings.checksums {
            Checksums::Verify => Sums::Verify,
            Checksums::Ignore => Sums::Ignore,
        };
        let Packet { layout, frame, .. } = packet;
        let found = dissect_into(layout, frame, LinkKind::Ethernet, sums);
        if let Some(watch) = watch {
            self.profile.dissect_ns += watch.elapsed_ns();
        }
        found.map_err(|error| match error.layer {
            redan_vm::packet::Layer::Arp => End::other(Reason::NotIp),
            redan_vm::packet::Layer::Link
            | redan_vm::packet::Layer::Ipv4
            | redan_vm::packet::Layer::Ipv6 => End::drop(Reason::Malformed),
        })?;
        packet.refresh();
        Ok(())
    }

    /// The layer of a dissected packet; `None` when it is not IP.
    pub(super) const fn layer(packet: &Packet) -> Option<Layer> {
        if packet.layout.is_ipv4() {
            Some(Layer::Ip4)
        } else if packet.layout.is_ipv6() {
            Some(Layer::Ip6)
        } else {
            None
        }
    }

    /// A frame comes in from a port.
    pub(super) fn route_in(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        if packet.meta.pkttype == pkttype::OTHER {
            return Err(End::other(Reason::OtherHost));
        }
        if untag(&mut packet.frame) {
            packet.offload.shorten(TAG);
        }
        self.dissect(packet)?;
        if packet.layout.network as usize != LINK_BYTES {
            // A VLAN's frames are for a VLAN device, and there is none.
            return Err(End::other(Reason::OtherHost));
        }
        if packet.layout.is_arp() {
            return self.handle_arp(trip, packet, port);
        }
        let layer = Self::layer(packet).ok_or(End::other(Reason::NotIp))?;
        let (src, dst) = addresses(packet).ok_or(End::drop(Reason::Malformed))?;
        if let (IpAddr::V6(src), IpAddr::V6(dst)) = (src, dst)
            && check::is_martian_v6(src, dst)
        {
            return Err(End::drop(Reason::Martian));
        }
        self.learn_from(trip, packet, port, src);
        self.pass(trip, packet, Hook::Prerouting, layer)?;
        // Rules and NAT may have changed the addresses.
        let (src, dst) = addresses(packet).ok_or(End::drop(Reason::Malformed))?;
        if let (IpAddr::V4(src), IpAddr::V4(dst)) = (src, dst)
            && check::is_martian_v4(src, dst, &self.world.fib)
        {
            return Err(End::drop(Reason::Martian));
        }
        let hop = self.world.fib.find(dst);
        self.tell(|| Step::Route(dst, hop));
        match hop {
            Some(Hop::Local | Hop::Broadcast) => self.deliver(trip, packet, layer),
            Some(Hop::Multicast) if self.world.fib.is_member(dst) => {
                self.deliver(trip, packet, layer)
            }
            Some(Hop::Multicast) => Err(End::drop(Reason::NotForwarded)),
            Some(Hop::Port { port: to, via }) => {
                self.world.route = Some((to, via));
                self.forward(trip, packet, layer, to)?;
                // A neighbour is looked for by the address that rules have left in the packet.
                let dst = addresses(packet).map_or(dst, |(_, dst)| dst);
                let next = Target::Neighbor(via.unwrap_or(dst));
                self.transmit(trip, packet, to, &next)?;
                Ok(Verdict::Accept)
            }
            None => {
                self.refuse(trip, packet, None, Fault::NoRoute);
                Err(End::drop(Reason::NoRoute))
            }
        }
    }

    /// In a replay, who is behind a port is learned from what comes from there.
    fn learn_from(&mut self, trip: &Trip, packet: &Packet, port: PortId, src: IpAddr) {
        if self.settings.live
            || !self.world.fib.is_neighbor(src, port)
            || self.world.fib.is_local(src)
        {
            return;
        }
        let mac = packet.ethernet().map(|header| Mac(header.src()));
        if let Some(mac) = mac.filter(|mac| !mac.is_group() && *mac != Mac::default()) {
            self.neighbors.learn(trip.now, port, src, mac, true);
        }
    }

    /// To the machine itself.
    fn deliver(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        layer: Layer,
    ) -> Result<Verdict, End> {
        if packet.layout.is_ipv4() && packet.layout.is_fragment() {
            // ip_local_deliver: the machine's own input hook sees whole packets, with or without conntrack.
            self.defrag(trip, packet, User::Local)?;
        }
        self.pass(trip, packet, Hook::Input, layer)?;
        if self.settings.live {
            self.handle_local(trip, packet);
        }
        Ok(Verdict::Local)
    }

    /// Through the machine, as far as the last hook.
    fn forward(&mut self, trip: &mut Trip, packet: &mut Packet, layer: Layer, to: PortId) -> Way {
        if packet.meta.pkttype != pkttype::HOST {
            return Err(End::drop(Reason::NotForwarded));
        }
        let (hops, bytes, mtu) = (hops_left(packet), packet.layout.network_len(), self.mtu(to));
        self.tell(|| Step::Forward { hops, bytes, mtu });
        if hops <= 1 {
            self.refuse(trip, packet, None, Fault::TimeExceeded);
            return Err(End::drop(Reason::TtlExceeded));
        }
        self.check_scope(trip, packet, to)?;
        self.check_length(trip, packet, to)?;
        take_hop(packet);
        self.set_out(packet, Some(to));
        self.pass(trip, packet, Hook::Forward, layer)?;
        self.pass(trip, packet, Hook::Postrouting, layer)
    }

    /// IPv6 sources that do not leave their link (`ip6_forward`; not looked at when the packet goes back to its own link).
    fn check_scope(&mut self, trip: &mut Trip, packet: &Packet, to: PortId) -> Way {
        let Some(src) = packet.ipv6().map(|ip| ip.src()) else {
            return Ok(());
        };
        if trip.port == Some(to) {
            return Ok(());
        }
        if src.is_unspecified() {
            return Err(End::drop(Reason::Martian));
        }
        if src.is_unicast_link_local() {
            self.refuse(trip, packet, None, Fault::BeyondScope);
            return Err(End::drop(Reason::Unreachable));
        }
        Ok(())
    }

    /// What is too long and may not be cut does not go on.
    pub(super) fn check_length(&mut self, trip: &mut Trip, packet: &Packet, to: PortId) -> Way {
        let mtu = self.mtu(to);
        let cut = packet.ipv4().is_some_and(|ip| !ip.is_dont_fragment());
        let longest = trip
            .parts
            .as_ref()
            .map_or_else(|| packet.segment_len(), |parts| parts.longest);
        if longest <= mtu || cut {
            return Ok(());
        }
        self.refuse(trip, packet, None, Fault::TooBig { mtu });
        Err(End::drop(Reason::TooBig))
    }

    /// The longest packet that a port takes, in bytes from the network header on.
    pub(super) fn mtu(&self, port: PortId) -> u32 {
        self.world
            .interface(port)
            .map_or(1500, |interface| interface.mtu)
    }
}

/// Hops that a packet may still go.
fn hops_left(packet: &Packet) -> u8 {
    packet.ipv4().map_or_else(
        || packet.ipv6().map_or(0, |ip| ip.hop_limit()),
        |ip| ip.ttl(),
    )
}

/// Takes one hop off.
pub(super) fn take_hop(packet: &mut Packet) {
    if let Some(mut ip) = packet.ipv4_mut() {
        ip.decrement_ttl();
    } else if let Some(mut ip) = packet.ipv6_mut() {
        ip.set_hop_limit(ip.hop_limit().saturating_sub(1));
    }
}

/// Takes a priority tag (VLAN 0) off a frame, as Linux does without a VLAN device (`vlan_core.c: vlan_do_receive`); whether there was one.
fn untag(frame: &mut Vec<u8>) -> bool {
    let tagged = |&[hi, lo, a, b]: &[u8; 4]| {
        u16::from_be_bytes([hi, lo]) == ethertype::VLAN && (a & 0x0f, b) == (0, 0)
    };
    let is_tagged = frame
        .get(12..)
        .and_then(<[u8]>::first_chunk)
        .is_some_and(tagged)
        && frame.len() >= 18;
    if is_tagged {
        frame.drain(12..16);
    }
    is_tagged
}
