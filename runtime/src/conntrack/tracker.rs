//! What protocol trackers get and give, and which protocol has which.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::Direction;
use redan_vm::family::nfproto;
use redan_vm::packet::protocol;

use super::entry::{Entry, Proto};
use super::transport::Transport;
use super::tunables::Tunables;
use super::{InvalidReason, gre, icmp, sctp, tcp, udp};

/// A packet as a tracker sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Time of the packet.
    pub(super) now: Instant,
    /// The packet.
    pub(super) packet: Transport<'a>,
    /// Which way it goes.
    pub(super) direction: Direction,
    /// Whether its checksum is to be verified.
    pub(super) is_verified: bool,
    /// The settings.
    pub(super) tunables: &'a Tunables,
}

/// What a tracker makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tracked {
    /// The packet counts, and the entry lives on for this long.
    Refresh(Duration),
    /// The packet passes; the entry stays as it is, uncounted.
    Ignore,
    /// The packet counts and passes, and the entry is gone.
    Kill,
    /// The entry is gone; the packet starts over without it.
    Restart,
    /// INVALID.
    Invalid(InvalidReason),
}

/// Runs the tracker of the packet's protocol (`nf_conntrack_core.c: nf_conntrack_handle_packet`).
pub(super) fn track(entry: &mut Entry, seen: &Seen<'_>) -> Tracked {
    let life = &mut entry.life;
    match (&mut entry.proto, seen.packet.protocol) {
        (Proto::Tcp(tcp), _) => tcp::track(tcp, life, seen),
        (Proto::Udp(udp), _) => udp::track(udp, life, seen),
        (Proto::Sctp(sctp), _) => sctp::track(sctp, life, seen),
        (Proto::Gre(gre), _) => gre::track(gre, life, seen),
        (Proto::Stateless, protocol::UDPLITE) => udp::track_lite(life, seen),
        (Proto::Stateless, protocol::ICMP) => icmp::track(life, seen, nfproto::IPV4),
        (Proto::Stateless, protocol::ICMPV6) => icmp::track(life, seen, nfproto::IPV6),
        (Proto::Stateless, _) => Tracked::Refresh(seen.tunables.generic_timeout),
    }
}
