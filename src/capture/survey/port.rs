//! What was seen on one interface.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use redan_runtime::Mac;
use redan_runtime::driver::capture::Heading;
use redan_vm::packet::{ethernet, tcp};

use crate::capture::flow::Flow;

/// Most addresses that are kept of a kind: a capture of a scan has millions.
const MOST: usize = 4096;
/// Hops that senders start with: a packet that still has them comes from the link itself.
const FRESH: &[u8] = &[64, 128, 255];

/// What was seen on one interface.
#[derive(Default)]
pub(super) struct Port {
    pub(super) frames: u64,
    pub(super) is_loopback: bool,
    /// Whether its frames have link headers of their own.
    pub(super) has_links: bool,
    /// How often a link address showed to be the machine's own.
    pub(super) own_macs: BTreeMap<Mac, u64>,
    /// Who else, or the machine itself, has which link address.
    pub(super) peers: BTreeMap<Mac, Peer>,
    /// Sources of what the machine sent, where the capture says that it did.
    pub(super) sent: BTreeMap<IpAddr, u64>,
}

/// One link address.
#[derive(Default)]
pub(super) struct Peer {
    /// Unicast frames from and to it.
    pub(super) frames: u64,
    /// Addresses that it has by ARP.
    pub(super) arp: BTreeSet<Ipv4Addr>,
    /// Sources of packets from it, and how many came with fresh hops.
    pub(super) sources: BTreeMap<IpAddr, u64>,
    /// Sources of packets that were on their way before.
    pub(super) remote: BTreeSet<IpAddr>,
    /// Where packets to it go.
    pub(super) to: BTreeSet<IpAddr>,
}

impl Port {
    /// What is known of a link address.
    pub(super) fn peer(&mut self, mac: Mac) -> &mut Peer {
        self.peers.entry(mac).or_default()
    }

    /// Notes a packet.
    pub(super) fn note(
        &mut self,
        flow: &Flow,
        heading: Option<Heading>,
        made_link: bool,
        is_copy: bool,
    ) {
        let (from, to) = (Mac(flow.from()), Mac(flow.to()));
        let (src, dst) = (flow.key.src, flow.key.dst);
        // Resets that a rule sends come from whom the packet was for.
        let is_reset = flow.segment.is_some_and(|span| span.has(tcp::flags::RST));
        let is_source = is_host(src) && !is_copy && !is_reset;
        if heading == Some(Heading::Out) {
            if !made_link {
                *self.own_macs.entry(from).or_default() += 1;
            }
            if is_source && self.sent.len() < MOST {
                *self.sent.entry(src).or_default() += 1;
            }
        }
        let out_of_nowhere = made_link && heading == Some(Heading::Out);
        if !out_of_nowhere && (self.peers.contains_key(&from) || self.peers.len() < MOST) {
            let peer = self.peer(from);
            peer.frames += 1;
            if is_source && FRESH.contains(&flow.ttl) {
                if peer.sources.len() < MOST || peer.sources.contains_key(&src) {
                    *peer.sources.entry(src).or_default() += 1;
                }
            } else if is_source && peer.remote.len() < MOST {
                peer.remote.insert(src);
            }
        }
        let unicast = !made_link && !ethernet::is_multicast(to.0);
        if unicast && (self.peers.contains_key(&to) || self.peers.len() < MOST) {
            let peer = self.peer(to);
            peer.frames += 1;
            if is_host(dst) && peer.to.len() < MOST {
                peer.to.insert(dst);
            }
        }
    }

    /// The machine's own link address on this interface: what packets that went through showed; else the one that is an end of most frames,
    /// and of those the one that fewest addresses stand behind.
    pub(super) fn own_mac(&self) -> Option<Mac> {
        if !self.has_links {
            return None;
        }
        let shown = self.own_macs.iter().max_by_key(|(_, count)| **count);
        let likely = || {
            self.peers.iter().max_by_key(|(mac, peer)| {
                let addresses = peer.sources.len() + peer.remote.len();
                let oldest = std::cmp::Reverse(**mac);
                (peer.frames, std::cmp::Reverse(addresses), oldest)
            })
        };
        shown
            .map(|(mac, _)| *mac)
            .or_else(|| likely().map(|(mac, _)| *mac))
    }

    /// Sources of what the machine sent, with how often.
    pub(super) fn own_sources(&self) -> BTreeMap<IpAddr, u64> {
        let mut all = self.sent.clone();
        let own = self.own_mac().and_then(|mac| self.peers.get(&mac));
        if let Some(own) = own {
            all.extend(
                own.sources
                    .iter()
                    .map(|(address, count)| (*address, *count)),
            );
            // ARP is the surest of all.
            all.extend(
                own.arp
                    .iter()
                    .map(|address| (IpAddr::V4(*address), u64::MAX)),
            );
        }
        all
    }
}

/// Whether an address can be one machine's.
pub(super) fn is_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() && !is_broadcast
}
