//! Copies of packets. What `dup` and `fwd` ask for while a chain runs is kept in the world and sent when the chain is over.

use redan_vm::family::Hook;
use redan_vm::packet::{ipv4, layout_flags};
use redan_vm::{Host, Packet};

use super::Datapath;
use super::route::take_hop;
use super::send::Target;
use super::trip::{End, Trip, Way};
use super::world::{Copied, Toward, addresses};
use crate::defrag::Parts;
use crate::reason::Reason;
use crate::router::answer::LINK_BYTES;

/// Most copies of copies, which egress chains can ask for without end (`nf_dup_netdev.c: NF_RECURSION_LIMIT`, and the first).
const MOST_NESTED: u8 = 3;

impl Datapath {
    /// Sends what `dup` and `fwd` asked for. A copy that goes by a route meets rules, too, but is not copied again.
    pub(super) fn send_copies(&mut self, trip: &Trip) {
        for copied in std::mem::take(&mut self.world.copies) {
            let is_routed = matches!(copied.toward, Toward::Gateway(..));
            if (is_routed && trip.is_copy) || trip.copies >= MOST_NESTED {
                continue;
            }
            let mut own = Trip::new(trip.now, None);
            // A copy of a packet that came in parts is cut anew (ip_output.c: ip_do_fragment, where the parts are shared).
            own.parts = trip.parts.as_ref().map(|parts| Parts {
                cuts: Vec::new(),
                longest: parts.longest,
            });
            own.is_copy = trip.is_copy || is_routed;
            own.copies = trip.copies + 1;
            if let Err(End { reason, .. }) = self.send_copy(&mut own, copied) {
                self.count_drop(reason.unwrap_or(Reason::Policy));
            }
        }
    }

    fn send_copy(&mut self, trip: &mut Trip, copied: Copied) -> Way {
        let Copied {
            mut packet,
            hook,
            toward,
        } = copied;
        match toward {
            Toward::Port(port) => {
                self.set_out(&mut packet, Some(port));
                self.emit(trip, &mut packet, port, &Target::Unchanged)
            }
            Toward::Neighbor(next, port) => {
                open(&mut packet)?;
                self.set_out(&mut packet, Some(port));
                self.write_link(&mut packet, port);
                self.emit(trip, &mut packet, port, &Target::Neighbor(next))
            }
            Toward::Gateway(gateway, only) => {
                open(&mut packet)?;
                let (port, next) = self
                    .world
                    .fib
                    .toward(gateway, only)
                    .ok_or(End::drop(Reason::NoRoute))?;
                let could_be_cut = packet.ipv4().is_some_and(|ip| !ip.is_dont_fragment());
                mark_copy(&mut packet, hook);
                self.world.notrack(&mut packet);
                self.set_in(&mut packet, None);
                self.set_out(&mut packet, Some(port));
                packet.meta.iiftype = packet.meta.oiftype;
                let route = self.world.route.replace((port, next));
                let layer = Self::layer(&packet).ok_or(End::drop(Reason::Malformed))?;
                let way = self
                    .pass(trip, &mut packet, Hook::Output, layer)
                    .and_then(|()| self.pass(trip, &mut packet, Hook::Postrouting, layer));
                self.world.route = route;
                way?;
                self.check_length(trip, &packet, port)?;
                if could_be_cut && trip.parts.is_some() {
                    // ip_output.c: ip_frag_init: what came in parts is cut all the same, and they are as they came.
                    forbid_cuts(&mut packet, false);
                }
                let (_, dst) = addresses(&packet).ok_or(End::drop(Reason::Malformed))?;
                self.transmit(
                    trip,
                    &mut packet,
                    port,
                    &Target::Neighbor(next.unwrap_or(dst)),
                )
            }
        }
    }
}

/// Takes the link header off, but for its room; a packet behind a VLAN tag has no such room.
fn open(packet: &mut Packet) -> Way {
    if packet.layout.network as usize != LINK_BYTES {
        return Err(End::other(Reason::OtherHost));
    }
    packet.layout.flags &= !layout_flags::LINK;
    Ok(())
}

/// What makes a copy of a packet: it belongs to no connection, IPv4 may not cut it, and where it has not been routed yet it loses a hop,
/// so that two machines that copy to each other come to an end.
fn mark_copy(packet: &mut Packet, hook: Hook) {
    packet.ct = redan_vm::packet::CtView::default();
    forbid_cuts(packet, true);
    if matches!(hook, Hook::Prerouting | Hook::Input) {
        take_hop(packet);
    }
}

/// Sets "do not fragment" in IPv4, or takes it off.
fn forbid_cuts(packet: &mut Packet, forbidden: bool) {
    if let Some(mut ip) = packet.ipv4_mut() {
        let rest = ip.frag_off() & !ipv4::frag::DF;
        ip.set_frag_off(if forbidden {
            rest | ipv4::frag::DF
        } else {
            rest
        });
        ip.fill_checksum();
    }
}
