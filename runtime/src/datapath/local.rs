//! What the router answers for itself, live: ARP, neighbour discovery, pings. A replay only learns from them.

use std::net::IpAddr;

use redan_vm::family::Hook;
use redan_vm::packet::icmpv6::{icmpv6_type, nd_option};
use redan_vm::packet::{Arp, LinkKind, arp, dissect, layout_flags};
use redan_vm::{Instant, Packet};

use super::Datapath;
use super::report::Verdict;
use super::send::Target;
use super::trip::{End, Trip};
use crate::frame::OutFrame;
use crate::hook::Layer;
use crate::reason::Reason;
use crate::router::answer::{self, Fault, LINK_BYTES};
use crate::router::solicit;
use crate::site::{Mac, Mode, PortId};

impl Datapath {
    /// An ARP frame.
    pub(super) fn handle_arp(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        self.pass(trip, packet, Hook::Input, Layer::Arp)?;
        let Some(arp) = Arp::new_checked(packet.network()).filter(Arp::is_ethernet_ipv4) else {
            return Err(End::other(Reason::NotIp));
        };
        let (sender, target) = (arp.sender_ip(), arp.target_ip());
        let (mac, operation) = (Mac(arp.sender_mac()), arp.operation());
        let to_us = self.world.fib.is_local(target.into()) && !target.is_loopback();
        let neighbor = self.world.fib.is_neighbor(sender.into(), port)
            && !self.world.fib.is_local(sender.into());
        if neighbor && !mac.is_group() {
            let create = !self.settings.live || (to_us && operation == arp::operation::REQUEST);
            self.learn(trip.now, port, sender.into(), mac, create);
        }
        if self.settings.live && to_us && operation == arp::operation::REQUEST {
            let own = self.mac(port);
            let bytes =
                solicit::arp_frame(arp::operation::REPLY, (own, target), (mac, sender), mac);
            self.send_arp(trip.now, port, bytes);
        }
        Err(End::other(Reason::NotIp))
    }

    fn send_arp(&mut self, now: Instant, port: PortId, bytes: Vec<u8>) {
        let Ok(layout) = dissect(&bytes, LinkKind::Ethernet) else {
            return;
        };
        let mut packet = Packet::new(bytes, layout);
        let mut trip = Trip::new(now, None);
        self.set_out(&mut packet, Some(port));
        let way = self
            .pass(&mut trip, &mut packet, Hook::Output, Layer::Arp)
            .and_then(|()| self.transmit(&mut trip, &mut packet, port, &Target::Unchanged));
        if let Err(End { reason, .. }) = way {
            self.count_drop(reason.unwrap_or(Reason::Policy));
        }
    }

    fn mac(&self, port: PortId) -> Mac {
        self.settings
            .site
            .ports
            .get(port.index())
            .map_or(Mac::default(), |port| port.mac)
    }

    /// A neighbour's link address is known: what waited for it goes out.
    fn learn(&mut self, now: Instant, port: PortId, address: IpAddr, mac: Mac, create: bool) {
        for mut frame in self.neighbors.learn(now, port, address, mac, create) {
            if let Some(place) = frame.bytes.first_chunk_mut::<6>() {
                *place = mac.0;
            }
            self.out.push(frame);
        }
        self.count_lost();
    }

    /// Asks for a neighbour's link address.
    pub(super) fn ask(&mut self, now: Instant, port: PortId, address: IpAddr) {
        let own = self.mac(port);
        match (address, self.world.fib.source(port, address)) {
            (IpAddr::V4(target), Some(IpAddr::V4(source))) => {
                let question = arp::operation::REQUEST;
                let bytes = solicit::arp_frame(
                    question,
                    (own, source),
                    (Mac::default(), target),
                    Mac::BROADCAST,
                );
                self.send_arp(now, port, bytes);
            }
            (IpAddr::V6(target), Some(IpAddr::V6(source))) => {
                self.send_nd(now, port, solicit::solicitation((own, source), target));
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => {}
        }
    }

    fn send_nd(&mut self, now: Instant, port: PortId, bytes: Vec<u8>) {
        let Ok(layout) = dissect(&bytes, LinkKind::Ethernet) else {
            return;
        };
        let mut packet = Packet::new(bytes, layout);
        packet.layout.flags &= !layout_flags::LINK;
        self.send_local(now, &mut packet, None, port, Target::Unchanged);
    }

    /// A packet that the rules let in to the machine itself.
    pub(super) fn handle_local(&mut self, trip: &Trip, packet: &Packet) {
        if let Some(frame) = answer::echo_reply(packet) {
            self.send_made(trip, frame, None);
            return;
        }
        if let Some(port) = trip.port {
            self.handle_nd(trip.now, packet, port);
        }
    }

    /// Neighbour solicitations and advertisements (RFC 4861 7.2.3 to 7.2.5), with hop limit 255 and code 0 as it asks.
    fn handle_nd(&mut self, now: Instant, packet: &Packet, port: PortId) {
        let (Some(ip), Some(message)) = (packet.ipv6(), packet.icmpv6()) else {
            return;
        };
        let Some(target) = message.target().filter(|t| !t.is_multicast()) else {
            return;
        };
        if ip.hop_limit() != 255 || message.code() != 0 {
            return;
        }
        let kind = message.icmpv6_type();
        let wanted = match kind {
            icmpv6_type::NEIGHBOUR_SOLICIT => nd_option::SOURCE_LINK_ADDR,
            icmpv6_type::NEIGHBOUR_ADVERT => nd_option::TARGET_LINK_ADDR,
            _ => return,
        };
        let mac = message
            .nd_options(24)
            .find(|(option, _)| *option == wanted)
            .and_then(|(_, value)| value.first_chunk().copied());
        let mac = mac.map(Mac).filter(|mac| !mac.is_group());
        let on_link = |address: IpAddr| {
            self.world.fib.is_neighbor(address, port) && !self.world.fib.is_local(address)
        };
        if kind == icmpv6_type::NEIGHBOUR_ADVERT {
            if let Some(mac) = mac.filter(|_| on_link(target.into())) {
                self.learn(now, port, target.into(), mac, false);
            }
            return;
        }
        if !self.world.fib.is_on_port(target.into(), port) || ip.src().is_unspecified() {
            return;
        }
        let link = packet.ethernet().map(|header| Mac(header.src()));
        let Some(mac) = mac.or(link) else { return };
        let asker = ip.src();
        if on_link(asker.into()) {
            self.learn(now, port, asker.into(), mac, true);
        }
        let own = self.mac(port);
        self.send_nd(now, port, solicit::advertisement(own, target, (mac, asker)));
    }

    /// The rest of a packet did not come: its sender is told (`ip_expire`: for conntrack only what goes to the machine itself;
    /// `ip6frag_expire_frag_queue`).
    pub(super) fn tell_timeout(&mut self, now: Instant, first: &Packet) {
        let to_us =
            super::world::addresses(first).is_some_and(|(_, dst)| self.world.fib.is_local(dst));
        if self.settings.site.mode == Mode::Router && (to_us || first.layout.is_ipv6()) {
            let port = self.world.port_of(first.meta.iif);
            let trip = Trip::new(now, port);
            self.refuse(&trip, first, None, Fault::ReassemblyTime);
        }
    }

    /// Frames whose neighbour did not answer: their senders are told (`arp_error_report`, `ndisc_error_report`).
    pub(super) fn fail(&mut self, now: Instant, frames: Vec<OutFrame>) {
        for frame in frames {
            self.count_drop(Reason::NoNeighbour);
            if frame.bytes.len() < LINK_BYTES {
                continue;
            }
            let Ok(layout) = dissect(&frame.bytes, LinkKind::Ethernet) else {
                continue;
            };
            let mut packet = Packet::new(frame.bytes, layout);
            packet.offload = frame.offload;
            let own = super::world::addresses(&packet)
                .is_none_or(|(src, _)| self.world.fib.is_local(src));
            if !own {
                let trip = Trip::new(now, None);
                self.refuse(&trip, &packet, None, Fault::NoNeighbour);
            }
        }
    }
}
