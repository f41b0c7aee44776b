//! Wire mode and host mode: frames keep their link header and pass from one port to another.

use std::net::IpAddr;

use redan_vm::Packet;
use redan_vm::family::Hook;
use redan_vm::packet::{LinkKind, dissect_bridge, pkttype};

use super::Datapath;
use super::report::Verdict;
use super::send::Target;
use super::trip::{End, Trip, Way};
use super::world::addresses;
use crate::hook::Layer;
use crate::reason::Reason;
use crate::site::{Mac, Mode, PortId, Side};

impl Datapath {
    /// Takes a frame past the bridge family's chains at a hook, which see it with its padding and whatever it carries.
    fn pass_bridge(&mut self, trip: &mut Trip, packet: &mut Packet, hook: Hook) -> Way {
        let is_bridge = self.settings.site.mode == Mode::Wire;
        if !is_bridge || self.hooks.at(hook, Layer::Bridge).is_empty() {
            return Ok(());
        }
        let (layout, len) = (packet.layout, packet.meta.len);
        packet.layout = dissect_bridge(&packet.frame, LinkKind::Ethernet)
            .map_err(|_| End::drop(Reason::Malformed))?;
        packet.refresh();
        // br_netfilter.c: setup_pre_routing hides from the hooks of IP that a frame is for another host.
        let passes_by = packet.meta.pkttype == pkttype::HOST
            && !addresses(packet).is_some_and(|(src, dst)| self.is_own(src) || self.is_own(dst));
        if passes_by {
            packet.meta.pkttype = pkttype::OTHER;
        }
        if hook == Hook::Postrouting {
            // br_forward.c: br_forward_finish names the way out alone; the way in has a type all the same.
            let came_by = self.world.port_of(packet.meta.iif);
            let kind = packet.meta.iiftype;
            self.set_in(packet, None);
            packet.meta.iiftype = kind;
            self.pass(trip, packet, hook, Layer::Bridge)?;
            self.set_in(packet, came_by);
        } else {
            self.pass(trip, packet, hook, Layer::Bridge)?;
        }
        if passes_by && packet.meta.pkttype == pkttype::OTHER {
            packet.meta.pkttype = pkttype::HOST;
        }
        packet.layout = layout;
        packet.meta.len = len;
        Ok(())
    }

    /// Past a hook of the bridge family, then of ip, ip6 and inet.
    fn pass_both(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        hook: Hook,
        layer: Option<Layer>,
    ) -> Way {
        self.pass_bridge(trip, packet, hook)?;
        match layer {
            Some(layer) => self.pass(trip, packet, hook, layer),
            None => Ok(()),
        }
    }

    /// Finds the headers; what is not IP has no layer.
    fn wire_layer(&mut self, packet: &mut Packet) -> Result<Option<Layer>, End> {
        match self.dissect(packet) {
            Ok(()) => Ok(Self::layer(packet)),
            Err(End {
                verdict: Verdict::Other,
                ..
            }) => Ok(None),
            // What is no sound packet is a frame all the same, where nobody looks into it.
            Err(_) if !self.hooks.sees_ip() => Ok(None),
            Err(end) => Err(end),
        }
    }

    /// A frame comes in from a port, in wire mode.
    pub(super) fn wire_in(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        let layer = self.wire_layer(packet)?;
        if let Some(layer) = layer {
            let (src, dst) = addresses(packet).ok_or(End::drop(Reason::Malformed))?;
            if self.is_own(src) {
                return self.wire_output(trip, packet, layer, port);
            }
            if self.is_for_machine(packet, dst) {
                return self.wire_input(trip, packet, layer);
            }
            if self.is_lone_machine() {
                return Err(End::other(Reason::OtherHost));
            }
        }
        self.pass_both(trip, packet, Hook::Prerouting, layer)?;
        match self.other_port(trip, packet, port)? {
            Some(to) => self.wire_forward(trip, packet, layer, to),
            None => self.flood(trip, packet, layer, port),
        }
    }

    fn wire_forward(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        layer: Option<Layer>,
        to: PortId,
    ) -> Result<Verdict, End> {
        self.set_out(packet, Some(to));
        // A wire's other end is next to whom the packet is for.
        self.world.route = Some((to, None));
        self.pass_both(trip, packet, Hook::Forward, layer)?;
        self.pass_both(trip, packet, Hook::Postrouting, layer)?;
        self.transmit_whole(trip, packet, to)?;
        Ok(Verdict::Accept)
    }

    /// A copy to each port but the one that the frame came by, each past the hooks of its own way (`br_forward.c: br_flood`). The frame is
    /// told of by the first copy that leaves, or where none does by the first.
    fn flood(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        layer: Option<Layer>,
        from: PortId,
    ) -> Result<Verdict, End> {
        let mut told: Option<(Trip, Result<Verdict, End>)> = None;
        for to in (0..).map(PortId).take(self.settings.site.ports.len()) {
            if to == from || !self.settings.site.is_wired(to) {
                continue;
            }
            if let Some(conntrack) = &mut self.world.conntrack {
                conntrack.share(packet);
            }
            let (mut copy, mut own) = (packet.clone(), trip.clone());
            let end = self.wire_forward(&mut own, &mut copy, layer, to);
            self.release(&mut copy);
            let silent = match &told {
                Some((_, Err(first))) if end.is_ok() => Some(*first),
                Some(_) => end.err(),
                None => None,
            };
            if let Some(End { reason, .. }) = silent {
                self.count_drop(reason.unwrap_or(Reason::Policy));
            }
            if told
                .as_ref()
                .is_none_or(|(_, first)| first.is_err() && end.is_ok())
            {
                told = Some((own, end));
            }
        }
        let (own, end) = told.ok_or(End::drop(Reason::NoPort))?;
        *trip = own;
        end
    }

    /// Whether the capture is of one machine's own network card, so that what is neither from it nor to it is not its business.
    fn is_lone_machine(&self) -> bool {
        self.settings.site.wired().count() == 1 && !self.settings.site.local.is_empty()
    }

    fn is_for_machine(&self, packet: &Packet, dst: IpAddr) -> bool {
        let group = matches!(packet.meta.pkttype, pkttype::BROADCAST | pkttype::MULTICAST);
        self.is_own(dst) || (group && self.is_lone_machine())
    }

    /// Whether an address is the machine's own. On a wire a loopback address is nobody's, unless it is named as the machine's.
    fn is_own(&self, address: IpAddr) -> bool {
        self.world.fib.is_local(address)
            && (!address.is_loopback() || self.settings.site.local.contains(&address))
    }

    fn wire_input(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        layer: Layer,
    ) -> Result<Verdict, End> {
        self.pass_both(trip, packet, Hook::Prerouting, Some(layer))?;
        self.pass_both(trip, packet, Hook::Input, Some(layer))?;
        Ok(Verdict::Local)
    }

    /// A frame that the machine itself sends out of a port, whatever the mode.
    pub(super) fn sent(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        match self.wire_layer(packet)? {
            Some(layer) => self.wire_output(trip, packet, layer, port),
            None if packet.layout.is_arp() => {
                self.set_out(packet, Some(port));
                self.pass(trip, packet, Hook::Output, Layer::Arp)?;
                self.transmit_whole(trip, packet, port)?;
                Ok(Verdict::Accept)
            }
            None => Err(End::other(Reason::NotIp)),
        }
    }

    /// A frame that the machine itself sends to itself.
    pub(super) fn looped(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        let layer = self.wire_layer(packet)?.ok_or(End::other(Reason::NotIp))?;
        self.set_out(packet, Some(port));
        self.world.route = Some((port, None));
        self.pass(trip, packet, Hook::Output, layer)?;
        self.pass(trip, packet, Hook::Postrouting, layer)?;
        trip.is_looped = true;
        self.set_out(packet, None);
        self.set_in(packet, Some(port));
        self.pass(trip, packet, Hook::Prerouting, layer)?;
        self.pass(trip, packet, Hook::Input, layer)?;
        Ok(Verdict::Local)
    }

    /// A frame that the machine itself sent, as the capture on its port shows it.
    fn wire_output(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        layer: Layer,
        port: PortId,
    ) -> Result<Verdict, End> {
        self.set_in(packet, None);
        self.set_out(packet, Some(port));
        self.world.route = Some((port, None));
        self.pass_both(trip, packet, Hook::Output, Some(layer))?;
        self.pass_both(trip, packet, Hook::Postrouting, Some(layer))?;
        self.transmit_whole(trip, packet, port)?;
        Ok(Verdict::Accept)
    }

    /// Out of a port as it is, padding and tags included.
    fn transmit_whole(&mut self, trip: &mut Trip, packet: &mut Packet, to: PortId) -> Way {
        self.transmit(trip, packet, to, &Target::Unchanged)
    }

    /// The port that a frame leaves by: the other one of two; of more, the one behind which its destination is, or all (`None`) where that is
    /// not known or a group (`br_input.c: br_handle_frame_finish`).
    fn other_port(
        &mut self,
        trip: &Trip,
        packet: &Packet,
        port: PortId,
    ) -> Result<Option<PortId>, End> {
        let mut others = self.settings.site.wired().filter(|other| *other != port);
        match (others.next(), others.next()) {
            (None, _) => return Ok(Some(port)),
            (Some(other), None) => return Ok(Some(other)),
            (Some(_), Some(_)) => {}
        }
        drop(others);
        let link = packet.ethernet().ok_or(End::drop(Reason::Malformed))?;
        let (src, dst) = (Mac(link.src()), Mac(link.dst()));
        if src.is_group() || src == Mac::default() {
            return Err(End::drop(Reason::Martian));
        }
        if self.stations.learn(trip.now, src.0, port) {
            self.count_drop(Reason::StationEvicted);
        }
        if dst.is_group() {
            return Ok(None);
        }
        match self.stations.find(trip.now, dst.0, port) {
            Some(to) if to == port => Err(End::drop(Reason::NoPort)),
            found => Ok(found),
        }
    }

    /// A frame comes in from a port, in host mode.
    pub(super) fn host_in(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        port: PortId,
    ) -> Result<Verdict, End> {
        let side = self
            .settings
            .site
            .ports
            .get(port.index())
            .map_or(Side::Outside, |port| port.side);
        let to = PortId(1 - port.0.min(1));
        let layer = self.wire_layer(packet)?;
        let hooks = match side {
            Side::Outside => [Hook::Prerouting, Hook::Input],
            Side::Inside => [Hook::Output, Hook::Postrouting],
        };
        if side == Side::Inside {
            self.set_in(packet, None);
            self.set_out(packet, Some(to));
        }
        for hook in hooks {
            match layer {
                Some(layer) => self.pass(trip, packet, hook, layer)?,
                None if packet.layout.is_arp() && matches!(hook, Hook::Input | Hook::Output) => {
                    self.pass(trip, packet, hook, Layer::Arp)?;
                }
                None => {}
            }
        }
        self.transmit_whole(trip, packet, to)?;
        Ok(Verdict::Accept)
    }
}
