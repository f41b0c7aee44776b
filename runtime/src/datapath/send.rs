//! The last steps of a packet: the link header, the device's chains, the neighbour's address; and packets that are made here.

use std::net::IpAddr;

use redan_vm::family::{Hook, nfproto};
use redan_vm::instr::Reject;
use redan_vm::packet::{
    Ethernet, LinkKind, Offload, dissect, dissect_bridge, ethernet, ethertype, layout_flags,
    pkttype,
};
use redan_vm::{Instant, Packet};

use super::Datapath;
use super::report::{Report, Verdict};
use super::trip::{End, Trip, Way};
use super::world::addresses;
use crate::frame::{OutFrame, segments};
use crate::log::Step;
use crate::reason::Reason;
use crate::router::answer::{self, Fault, LINK_BYTES, Sender};
use crate::router::fib::Hop;
use crate::router::fragment;
use crate::router::neighbor::Resolved;
use crate::site::{Mac, Mode, PortId};

/// Most packets made in answer to one another (a reset that draws a reset cannot be, but rules are free to reject what they like).
const DEEPEST: u8 = 3;

/// To whom a frame goes on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To a neighbour by its address.
    Neighbor(IpAddr),
    /// As its link header says.
    Unchanged,
}

impl Datapath {
    /// Fills in the output interface.
    pub(super) fn set_out(&self, packet: &mut Packet, port: Option<PortId>) {
        let interface = port.and_then(|port| self.world.interface(port));
        packet.meta.oif = interface.map_or(0, |interface| interface.index);
        packet.meta.oifname = interface.map_or([0; 16], |interface| interface.name);
        packet.meta.oiftype = u16::from(interface.is_some());
    }

    /// Fills in the input interface.
    pub(super) fn set_in(&self, packet: &mut Packet, port: Option<PortId>) {
        let interface = port.and_then(|port| self.world.interface(port));
        packet.meta.iif = interface.map_or(0, |interface| interface.index);
        packet.meta.iifname = interface.map_or([0; 16], |interface| interface.name);
        packet.meta.iiftype = u16::from(interface.is_some());
    }

    /// Puts a packet on a port's link, in parts where it is too long.
    pub(super) fn transmit(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
        to: &Target,
    ) -> Way {
        if *to != Target::Unchanged {
            take_padding(packet);
            self.write_link(packet, port);
        }
        let mtu = self.mtu(port);
        let is_routed = *to != Target::Unchanged;
        // ip_output.c: ip_finish_output_gso: segments stay together where each of them fits.
        if is_routed && packet.segment_len() > mtu && packet.offload.segments.is_some() {
            take_padding(packet);
            let cut = segments(packet).ok_or(End::drop(Reason::Malformed))?;
            for mut segment in cut {
                self.transmit_one(trip, &mut segment, port, to)?;
            }
            return Ok(());
        }
        self.transmit_one(trip, packet, port, to)
    }

    /// Puts a packet on a port's link whose segments, if it has several, are not too long.
    fn transmit_one(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
        to: &Target,
    ) -> Way {
        let mtu = self.mtu(port);
        let cut = match &trip.parts {
            // IPv6 is cut again only where the whole is longer than its longest part was (`ip6_output.c`).
            Some(parts) => {
                (trip.is_copy || !parts.cuts.is_empty())
                    && (packet.layout.is_ipv4() || packet.layout.network_len() > parts.longest)
            }
            None => {
                packet.layout.is_ipv4()
                    && packet.offload.segments.is_none()
                    && packet.layout.network_len() > mtu
            }
        };
        if !cut || (*to == Target::Unchanged && trip.parts.is_none()) {
            return self.emit(trip, packet, port, to);
        }
        let mtu = mtu as usize;
        take_padding(packet);
        // ip_output.c: ip_do_fragment: a checksum spans all pieces, so it is whole before there are any.
        packet.complete();
        let network = packet.layout.network as usize;
        let parts = trip.parts.take().unwrap_or_default();
        let frame = std::mem::take(&mut packet.frame);
        let frames = if packet.layout.is_ipv4() {
            fragment::cut_v4(frame, network, mtu, &parts)
        } else {
            let id = (self.world.random64() >> 32) as u32;
            fragment::cut_v6(frame, network, mtu, &parts, id)
        };
        for frame in frames {
            let mut piece = Packet {
                meta: packet.meta,
                ct: packet.ct,
                frame,
                layout: packet.layout,
                offload: Offload::default(),
            };
            piece.layout.end = u32::try_from(piece.frame.len()).unwrap_or(u32::MAX);
            piece.refresh();
            self.emit(trip, &mut piece, port, to)?;
        }
        Ok(())
    }

    /// Writes the link header, with a destination that [`Self::emit`] fills in.
    pub(super) fn write_link(&self, packet: &mut Packet, port: PortId) {
        let own = self
            .settings
            .site
            .ports
            .get(port.index())
            .map_or(Mac::default(), |port| port.mac);
        let kind = if packet.layout.is_ipv4() {
            ethertype::IPV4
        } else {
            ethertype::IPV6
        };
        if let Some(place) = packet.frame.first_chunk_mut::<LINK_BYTES>() {
            *place = ethernet::emit([0; 6], own.0, kind);
        }
    }

    /// Past the egress chains and onto the link, or into the queue of frames that wait for a neighbour.
    pub(super) fn emit(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
        to: &Target,
    ) -> Way {
        let resolved = match *to {
            Target::Unchanged => None,
            Target::Neighbor(address) => {
                let resolved = self.neighbors.resolve(trip.now, port, address);
                if let (Some(mac), Some(place)) =
                    (resolved.mac(), packet.frame.first_chunk_mut::<6>())
                {
                    *place = mac.0;
                }
                Some(resolved)
            }
        };
        if !self.hooks.egress(port).is_empty() {
            let layout = packet.layout;
            if let Ok(seen) = dissect_bridge(&packet.frame, LinkKind::Ethernet) {
                packet.layout = seen;
                packet.layout.flags |= layout_flags::LEAVING;
            }
            self.set_leaving(packet);
            self.pass_device(trip, packet, Hook::Egress)?;
            packet.layout = layout;
        }
        let (waits_for, ask) = match (resolved, *to) {
            (None | Some(Resolved::Send(_)), _) | (_, Target::Unchanged) => (None, None),
            (Some(Resolved::SendAndAsk(_)), Target::Neighbor(address)) => (None, Some(address)),
            (Some(Resolved::Hold { ask }), Target::Neighbor(address)) => {
                (Some(address), ask.then_some(address))
            }
        };
        if waits_for.is_none() {
            self.tell(|| Step::Leaves(port));
        }
        for frame in self.finish(packet, port) {
            self.leave(frame, waits_for);
        }
        if let Some(address) = ask {
            self.ask(trip.now, port, address);
        }
        Ok(())
    }

    /// What leaves of a packet: itself, or its segments, where the device does not take what is left of it.
    fn finish(
        &mut self,
        packet: &mut Packet,
        port: PortId,
    ) -> impl Iterator<Item = OutFrame> + use<> {
        let (mut first, mut rest) = (None, Vec::new());
        if !self.settings.takes.takes(&packet.offload) {
            rest = segments(packet).unwrap_or_default();
            if rest.is_empty() {
                packet.complete();
                packet.offload.segments = None;
            }
        }
        if rest.is_empty() {
            first = Some(OutFrame {
                port,
                bytes: std::mem::take(&mut packet.frame),
                offload: packet.offload,
            });
        }
        let rest = rest.into_iter().map(move |segment| OutFrame {
            port,
            bytes: segment.frame,
            offload: segment.offload,
        });
        first.into_iter().chain(rest)
    }

    /// A frame goes onto its link, or waits for a neighbour.
    fn leave(&mut self, mut frame: OutFrame, waits_for: Option<IpAddr>) {
        let Some(address) = waits_for else {
            self.out.push(frame);
            return;
        };
        self.pool.shrink(&mut frame.bytes);
        self.neighbors.hold(frame.port, address, frame);
        self.count_lost();
    }

    /// What egress chains see of a packet (`netfilter_netdev.h: nf_hook_egress`): nothing of where it came in, but `iiftype` is the
    /// device's, and it is as long as its frame.
    fn set_leaving(&self, packet: &mut Packet) {
        self.set_in(packet, None);
        packet.meta.iiftype = packet.meta.oiftype;
        packet.meta.len = u32::try_from(packet.frame.len()).unwrap_or(u32::MAX);
    }

    /// Answers a packet that does not get through. `hook` is where a rule rejected it.
    pub(super) fn refuse(
        &mut self,
        trip: &Trip,
        packet: &Packet,
        hook: Option<Hook>,
        fault: Fault,
    ) {
        let Some((src, dst)) = addresses(packet) else {
            return;
        };
        // A netdev table's rules are a device's own: it answers on its link, also for other hosts.
        let by_device = packet.meta.nfproto == nfproto::NETDEV;
        let kind = packet.meta.pkttype;
        if kind != pkttype::HOST && !(by_device && kind == pkttype::OTHER) {
            return;
        }
        let to_all = dst.is_ipv4() && self.world.fib.find(dst) == Some(Hop::Broadcast);
        let sender = match self.settings.site.mode {
            _ if by_device => Some(Sender::Device),
            Mode::Router if to_all => None,
            Mode::Router => self.source_toward(src, dst, trip.port).map(Sender::Machine),
            Mode::Wire | Mode::Host => Some(Sender::Machine(dst)),
        };
        let Some(sender) = sender else { return };
        let Some(frame) = answer::answer(packet, fault, sender, self.trusts_checksum(packet))
        else {
            return;
        };
        let is_reset = fault == Fault::Rejected(Reject::TcpReset);
        if self.settings.live && !is_reset && !self.pace.take(trip.now) {
            self.count_drop(Reason::AnswerLimit);
            return;
        }
        if let Some(conntrack) = self.world.conntrack.as_mut().filter(|_| is_reset) {
            conntrack.set_closing(packet, trip.now);
        }
        self.tell(|| Step::Answer(fault));
        match self.settings.site.mode {
            _ if by_device => self.send_back(trip, frame, packet, hook),
            Mode::Router => self.send_made(trip, frame, Some(packet)),
            Mode::Wire | Mode::Host => self.send_back(trip, frame, packet, hook),
        }
        self.tell(|| Step::Answered);
    }

    /// The machine's address in an answer to `src` about a packet to `dst`: the packet's destination where that is the machine's own, else
    /// one of the port where an IPv6 packet came in (`icmp.c: icmp6_send`), or the one that routes choose.
    fn source_toward(&self, src: IpAddr, dst: IpAddr, came_by: Option<PortId>) -> Option<IpAddr> {
        let fib = &self.world.fib;
        if fib.is_local(dst) {
            return Some(dst);
        }
        match (self.toward(src, came_by)?, came_by) {
            (Hop::Port { .. }, Some(port)) if src.is_ipv6() => fib.source(port, src),
            (Hop::Port { port, via }, _) => fib.source(port, via.unwrap_or(src)),
            (Hop::Local | Hop::Broadcast | Hop::Multicast, _) => None,
        }
    }

    /// Where an answer to an address goes: by routes, but to a link-local address by the port that it came in at, since every link has such.
    fn toward(&self, dst: IpAddr, came_by: Option<PortId>) -> Option<Hop> {
        let found = self.world.fib.find(dst);
        match (dst, came_by) {
            (IpAddr::V6(v6), Some(port))
                if v6.is_unicast_link_local() && found != Some(Hop::Local) =>
            {
                Some(Hop::Port { port, via: None })
            }
            _ => found,
        }
    }

    /// Sends a packet that was made here in answer to one that came by a port: output, postrouting, and out by its route. With `about`, it belongs to that packet's connection.
    pub(super) fn send_made(&mut self, trip: &Trip, frame: Vec<u8>, about: Option<&Packet>) {
        let Some(mut packet) = made(frame) else {
            return;
        };
        let Some((_, dst)) = addresses(&packet) else {
            return;
        };
        let Some(Hop::Port { port, via }) = self.toward(dst, trip.port) else {
            return;
        };
        self.send_local(
            trip.now,
            &mut packet,
            about,
            port,
            Target::Neighbor(via.unwrap_or(dst)),
        );
    }

    /// Takes a packet that was made here past its hooks and out of a port. What the ruleset does not let out is counted and gone.
    pub(super) fn send_local(
        &mut self,
        now: Instant,
        packet: &mut Packet,
        about: Option<&Packet>,
        port: PortId,
        to: Target,
    ) {
        if self.depth >= DEEPEST {
            return;
        }
        self.depth += 1;
        if let (Some(conntrack), Some(about)) = (&mut self.world.conntrack, about) {
            conntrack.attach_related(packet, about);
        }
        let mut trip = Trip::new(now, None);
        if let Err(End { reason, .. }) = self.send_own(&mut trip, packet, port, to) {
            self.count_drop(reason.unwrap_or(Reason::Policy));
        }
        self.release(packet);
        self.depth -= 1;
    }

    /// A packet of the machine itself, past its hooks and out of a port.
    fn send_own(&mut self, trip: &mut Trip, packet: &mut Packet, port: PortId, to: Target) -> Way {
        let Some(layer) = Self::layer(packet) else {
            return Err(End::other(Reason::NotIp));
        };
        self.set_out(packet, Some(port));
        let dst = addresses(packet).map(|(_, dst)| dst);
        let gateway = match to {
            Target::Neighbor(next) => Some(next).filter(|next| Some(*next) != dst),
            Target::Unchanged => None,
        };
        let about_route = self.world.route.replace((port, gateway));
        let way = self.pass(trip, packet, Hook::Output, layer).and_then(|()| {
            let (port, gateway) = self.world.route.unwrap_or((port, gateway));
            self.set_out(packet, Some(port));
            // nft_meta.c: `iiftype` is that of the device where the packet is, from here on the one that it leaves by.
            packet.meta.iiftype = packet.meta.oiftype;
            self.pass(trip, packet, Hook::Postrouting, layer)?;
            // A neighbour is looked for by the address that rules have left in the packet.
            let left = addresses(packet).map(|(_, dst)| dst);
            let to = match (to, gateway.or(left)) {
                (Target::Neighbor(_), Some(next)) => Target::Neighbor(next),
                (to, _) => to,
            };
            self.transmit(trip, packet, port, &to)
        });
        self.world.route = about_route;
        way
    }

    /// Chooses the way of a packet of the machine itself anew (`netfilter.c: ip_route_me_harder`, `nf_ip6_route_me_harder`). Chains that
    /// follow in output are still told the device of the first way.
    pub(super) fn reroute(&mut self, packet: &Packet) -> Way {
        let Some((_, dst)) = addresses(packet) else {
            return Ok(());
        };
        let hop = self.toward(dst, self.world.route.map(|(port, _)| port));
        self.tell(|| Step::Route(dst, hop));
        match hop {
            Some(Hop::Port { port, via }) => {
                self.world.route = Some((port, via));
                Ok(())
            }
            Some(Hop::Local | Hop::Broadcast | Hop::Multicast) => {
                Err(End::drop(Reason::NotForwarded))
            }
            None => Err(End::drop(Reason::NoRoute)),
        }
    }

    /// Takes a packet of the machine itself to where routes lead: output, postrouting, and out.
    pub(super) fn route_own(&mut self, now: Instant, frame: Vec<u8>, report: &mut Report) {
        let mut trip = Trip::new(now, None);
        let Some(mut packet) = made(frame) else {
            report.reason = Some(Reason::Malformed);
            return;
        };
        let dst = addresses(&packet).map(|(_, dst)| dst);
        let hop = dst.and_then(|dst| self.world.fib.find(dst));
        if let Some(dst) = dst {
            self.tell(|| Step::Route(dst, hop));
        }
        let way = match (hop, dst) {
            (Some(Hop::Port { port, via }), Some(dst)) => {
                let to = Target::Neighbor(via.unwrap_or(dst));
                self.send_own(&mut trip, &mut packet, port, to)
            }
            (Some(Hop::Local | Hop::Broadcast | Hop::Multicast), _) => {
                Err(End::drop(Reason::NotForwarded))
            }
            (None, _) | (_, None) => Err(End::drop(Reason::NoRoute)),
        };
        *report = trip.report(&packet, way.map(|()| Verdict::Accept));
        self.release(&mut packet);
    }

    /// On a wire and in front of a host: the answer goes back as from the frame's destination. Only answers of the machine itself
    /// (to what it was sent) pass its output hooks.
    fn send_back(&mut self, trip: &Trip, mut frame: Vec<u8>, about: &Packet, hook: Option<Hook>) {
        let (Some(port), Some(link)) = (trip.port, about.ethernet()) else {
            return;
        };
        if let Some(place) = frame.first_chunk_mut::<LINK_BYTES>() {
            let kind = if about.layout.is_ipv4() {
                ethertype::IPV4
            } else {
                ethertype::IPV6
            };
            *place = ethernet::emit(link.src(), link.dst(), kind);
        }
        if let Ok(layout) = dissect(&frame, LinkKind::Ethernet) {
            let mut packet = Packet::new(frame, layout);
            if hook != Some(Hook::Input) {
                self.set_out(&mut packet, Some(port));
                let mut own = Trip::new(trip.now, None);
                if let Err(End { reason, .. }) =
                    self.emit(&mut own, &mut packet, port, &Target::Unchanged)
                {
                    self.count_drop(reason.unwrap_or(Reason::Policy));
                }
                return;
            }
            packet.layout.flags &= !layout_flags::LINK;
            self.send_local(trip.now, &mut packet, Some(about), port, Target::Unchanged);
        }
    }

    /// A packet's way is over.
    pub(super) fn release(&mut self, packet: &mut Packet) {
        if let Some(conntrack) = &mut self.world.conntrack {
            conntrack.release(packet);
        }
    }
}

/// A packet of a frame that was made here: room for a link header, but none yet.
pub(super) fn made(mut frame: Vec<u8>) -> Option<Packet> {
    let kind = match frame.get(LINK_BYTES)? >> 4 {
        4 => ethertype::IPV4,
        _ => ethertype::IPV6,
    };
    Ethernet::new_checked(frame.as_mut_slice())?.set_ethertype(kind);
    let layout = dissect(&frame, LinkKind::Ethernet).ok()?;
    let mut packet = Packet::new(frame, layout);
    packet.layout.flags &= !layout_flags::LINK;
    packet.meta.pkttype = pkttype::HOST;
    Some(packet)
}

/// Cuts off what lies behind the IP packet, as the kernel does on receipt.
fn take_padding(packet: &mut Packet) {
    packet.frame.truncate(packet.layout.end as usize);
}
