//! A packet at one hook: it meets each entry of the hook's list until one ends its way.

use std::net::IpAddr;

use redan_vm::ct::status;
use redan_vm::family::{ChainType, Family, Hook, nfproto};
use redan_vm::ids::ChainId;
use redan_vm::packet::layout_flags;
use redan_vm::{Env, Final, Outcome, Packet};

use super::report::Verdict;
use super::trip::{End, Trip, Way};
use super::world::addresses;
use super::{Checksums, Datapath};
use crate::clock::Stopwatch;
use crate::conntrack::{CtDrop, Track, TrackHook};
use crate::defrag::{Gathered, User};
use crate::hook::{Entry, Layer};
use crate::log::Step;
use crate::reason::Reason;
use crate::router::answer::Fault;
use crate::site::Mode;

impl Layer {
    /// What `meta nfproto` loads at hooks of this layer.
    const fn nfproto(self) -> u8 {
        match self {
            Self::Ip4 => nfproto::IPV4,
            Self::Ip6 => nfproto::IPV6,
            Self::Arp => nfproto::ARP,
            Self::Bridge => nfproto::BRIDGE,
        }
    }
}

const fn ct_end(drop: CtDrop) -> End {
    match drop {
        CtDrop::Limit => End::drop(Reason::CtLimit),
        CtDrop::Clash => End::drop(Reason::CtClash),
        CtDrop::Helper => End::drop(Reason::CtHelper),
    }
}

/// What of a packet a route chain must leave as it is, or the way is chosen anew (`nft_chain_route.c`): addresses and mark; of IPv4 the type
/// of service; of IPv6 traffic class, flow label and hop limit.
fn route_key(packet: &Packet) -> (Option<(IpAddr, IpAddr)>, u32, [u8; 5]) {
    let class = match *packet.network() {
        [_, tos, ..] if packet.layout.is_ipv4() => [0, tos, 0, 0, 0],
        [a, b, c, d, _, _, _, hop_limit, ..] => [a, b, c, d, hop_limit],
        _ => [0; 5],
    };
    (addresses(packet), packet.meta.mark, class)
}

impl Datapath {
    /// Takes a packet past a hook.
    pub(super) fn pass(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        hook: Hook,
        layer: Layer,
    ) -> Way {
        packet.meta.nfproto = layer.nfproto();
        if !self.hooks.at(hook, layer).is_empty() {
            self.tell(|| Step::Hook(hook, Some(layer)));
        }
        let mut at = 0;
        while let Some(entry) = self.hooks.at(hook, layer).get(at).copied() {
            at += 1;
            match entry {
                Entry::Defrag => self.defrag(trip, packet, User::Conntrack(hook))?,
                Entry::Conntrack => self.track(trip, packet, hook)?,
                Entry::Nat => self.nat_chains(trip, packet, hook, layer)?,
                Entry::Confirm => self.confirm(trip, packet)?,
                Entry::Chain {
                    chain,
                    kind: ChainType::Route,
                } => self.route_chain(trip, packet, hook, chain)?,
                Entry::Chain { chain, kind } => self.chain(trip, packet, hook, chain, kind)?,
            }
        }
        Ok(())
    }

    /// Takes a frame past its port's ingress or egress chains.
    pub(super) fn pass_device(&mut self, trip: &mut Trip, packet: &mut Packet, hook: Hook) -> Way {
        let port = if hook == Hook::Ingress {
            packet.meta.iif
        } else {
            packet.meta.oif
        };
        let Some(port) = self.world.port_of(port) else {
            return Ok(());
        };
        self.tell(|| Step::Hook(hook, None));
        let mut at = 0;
        while let Some(entry) = self.device_entry(hook, port, at) {
            at += 1;
            if let Entry::Chain { chain, kind } = entry
                && let Some(nfproto) = self.device_nfproto(chain, packet)
            {
                packet.meta.nfproto = nfproto;
                self.chain(trip, packet, hook, chain, kind)?;
            }
        }
        Ok(())
    }

    /// What `meta nfproto` loads in a device's chain; `None` where the chain does not see the frame (`nf_tables_inet.c`: inet tables see
    /// IP alone).
    fn device_nfproto(&self, chain: ChainId, packet: &Packet) -> Option<u8> {
        let chain = self.ruleset.chains.get(chain.index())?;
        let table = self.ruleset.tables.get(chain.table.index())?;
        match table.family {
            Family::Inet => Self::layer(packet).map(Layer::nfproto),
            Family::Ip | Family::Ip6 | Family::Arp | Family::Bridge | Family::Netdev => {
                Some(nfproto::NETDEV)
            }
        }
    }

    fn device_entry(&self, hook: Hook, port: crate::site::PortId, at: usize) -> Option<Entry> {
        let list = if hook == Hook::Ingress {
            self.hooks.ingress(port)
        } else {
            self.hooks.egress(port)
        };
        list.get(at).copied()
    }

    /// A fragment waits for the rest of its packet; the last one goes on as the whole packet.
    pub(super) fn defrag(&mut self, trip: &mut Trip, packet: &mut Packet, user: User) -> Way {
        match self.defrag.gather(trip.now, user, packet) {
            Gathered::Whole => Ok(()),
            Gathered::Held => Err(End::held()),
            Gathered::Dropped(reason) => Err(End::drop(reason)),
            Gathered::Complete(parts) => {
                trip.parts = Some(parts);
                let (flags, nfproto) = (packet.layout.flags, packet.meta.nfproto);
                self.dissect(packet)?;
                packet.layout.flags &= flags | !layout_flags::LINK;
                packet.meta.nfproto = nfproto;
                Ok(())
            }
        }
    }

    /// Starts measuring, when that is wanted.
    pub(super) fn watch(&self) -> Option<Stopwatch> {
        self.settings.profile.then(Stopwatch::start)
    }

    fn track(&mut self, trip: &mut Trip, packet: &mut Packet, hook: Hook) -> Way {
        if trip.is_looped && packet.ct.has_entry != 0 {
            // nf_conntrack_core.c: nf_conntrack_in, "previously seen".
            return Ok(());
        }
        let watch = self.watch();
        let trusted = hook == Hook::Output || self.trusts_checksum(packet);
        let at = if trusted {
            TrackHook::Output
        } else {
            TrackHook::Prerouting
        };
        let Some(conntrack) = &mut self.world.conntrack else {
            return Ok(());
        };
        let track = conntrack.handle_packet(trip.now, packet, at);
        if let Some(watch) = watch {
            self.profile.conntrack_ns += watch.elapsed_ns();
        }
        match track {
            Track::Tracked | Track::Untracked => trip.note_tracked(None),
            Track::Invalid(reason) => trip.note_tracked(Some(reason)),
            Track::Drop(drop) => return Err(ct_end(drop)),
        }
        self.tell(|| Step::Tracked(trip.ct_report(packet)));
        Ok(())
    }

    /// Whether a packet's transport checksum need not be verified.
    pub(super) fn trusts_checksum(&self, packet: &Packet) -> bool {
        packet.is_sum_trusted() || self.settings.checksums == Checksums::Ignore
    }

    fn confirm(&mut self, trip: &Trip, packet: &mut Packet) -> Way {
        let watch = self.watch();
        let Some(conntrack) = &mut self.world.conntrack else {
            return Ok(());
        };
        let confirmed = conntrack.confirm(trip.now, packet);
        if let Some(watch) = watch {
            self.profile.conntrack_ns += watch.elapsed_ns();
        }
        confirmed.map_err(ct_end)
    }

    /// The first packet of a connection runs the nat chains; no other does.
    fn nat_chains(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        hook: Hook,
        layer: Layer,
    ) -> Way {
        if packet.ct.has_entry == 0 || packet.ct.status & status::CONFIRMED != 0 {
            return Ok(());
        }
        let mut at = 0;
        while let Some(chain) = self.hooks.nat_chains(hook, layer).get(at).copied() {
            at += 1;
            self.chain(trip, packet, hook, chain, ChainType::Nat)?;
        }
        Ok(())
    }

    /// A chain of type route: where it changes what routes are chosen by, the way is chosen anew.
    fn route_chain(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        hook: Hook,
        chain: ChainId,
    ) -> Way {
        let before = route_key(packet);
        self.chain(trip, packet, hook, chain, ChainType::Route)?;
        if route_key(packet) == before || self.settings.site.mode != Mode::Router {
            return Ok(());
        }
        self.reroute(packet)
    }

    fn run(&mut self, trip: &Trip, packet: &mut Packet, hook: Hook, chain: ChainId) -> Outcome {
        let watch = self.watch();
        self.world.now = trip.now;
        self.world.hook = hook;
        let mut env = Env {
            now: trip.now,
            state: &mut self.state,
            host: &mut self.world,
        };
        let outcome = self.engine.run(chain, packet, &mut env);
        if let Some(watch) = watch {
            self.profile.rules_ns += watch.elapsed_ns();
        }
        outcome
    }

    fn chain(
        &mut self,
        trip: &mut Trip,
        packet: &mut Packet,
        hook: Hook,
        chain: ChainId,
        kind: ChainType,
    ) -> Way {
        self.tell(|| Step::Chain(chain));
        let outcome = self.run(trip, packet, hook, chain);
        self.tell(|| Step::Ended(chain, outcome));
        let copied = !self.world.copies.is_empty();
        if copied {
            self.send_copies(trip);
        }
        match outcome.verdict {
            Final::Accept if kind == ChainType::Filter => {
                trip.note_accept(hook, chain, outcome.rule);
            }
            Final::Accept => {}
            Final::Drop => return Err(trip.note_end(hook, chain, outcome.rule, Verdict::Drop)),
            Final::Reject(answer) => {
                let end = trip.note_end(hook, chain, outcome.rule, Verdict::Reject);
                self.refuse(trip, packet, Some(hook), Fault::Rejected(answer));
                return Err(end);
            }
            Final::Queue { bypass: true, .. } if self.settings.live => {
                trip.note_accept(hook, chain, outcome.rule);
            }
            Final::Queue { .. } if self.settings.live => return Err(End::drop(Reason::NoListener)),
            Final::Queue { .. } => {
                return Err(trip.note_end(hook, chain, outcome.rule, Verdict::Queue));
            }
            Final::Stolen => {
                let verdict = if copied {
                    Verdict::Accept
                } else {
                    Verdict::Drop
                };
                return Err(trip.note_end(hook, chain, outcome.rule, verdict));
            }
        }
        Ok(())
    }
}
