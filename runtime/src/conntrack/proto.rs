//! Which protocol has which tracker, and what each keeps of a connection.

use redan_vm::family::nfproto;
use redan_vm::packet::protocol;

use super::gre::{self, Gre};
use super::icmp;
use super::life::Life;
use super::sctp::{self, Sctp};
use super::tcp::{self, Tcp};
use super::tracker::{Seen, Tracked};
use super::udp::{self, Udp};

/// What the trackers keep.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proto {
    /// TCP.
    Tcp(Tcp),
    /// SCTP.
    Sctp(Sctp),
    /// UDP.
    Udp(Udp),
    /// GRE.
    Gre(Gre),
    /// A protocol whose tracker remembers nothing.
    Stateless,
}

impl Proto {
    /// A fresh one for a layer 4 protocol.
    pub(super) fn new(l4proto: u8) -> Self {
        match l4proto {
            protocol::TCP => Self::Tcp(Tcp::default()),
            protocol::SCTP => Self::Sctp(Sctp::default()),
            protocol::UDP => Self::Udp(Udp::default()),
            protocol::GRE => Self::Gre(Gre::default()),
            _ => Self::Stateless,
        }
    }

    /// The state's name in listings.
    pub(super) const fn state_name(&self) -> Option<&'static str> {
        match self {
            Self::Tcp(tcp) => Some(tcp.state().name()),
            Self::Sctp(sctp) => Some(sctp.state().name()),
            Self::Udp(_) | Self::Gre(_) | Self::Stateless => None,
        }
    }

    /// Whether the connection has ended, though its entry is still there.
    pub(super) const fn is_over(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.state().is_over(),
            Self::Sctp(_) | Self::Udp(_) | Self::Gre(_) | Self::Stateless => false,
        }
    }

    /// Whether the connection is ending, so that it may be evicted under pressure though assured.
    pub(super) const fn is_closing(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.state().is_closing(),
            Self::Sctp(sctp) => sctp.state().is_closing(),
            Self::Udp(_) | Self::Gre(_) | Self::Stateless => false,
        }
    }
}

/// Runs the tracker of the packet's protocol (`nf_conntrack_core.c: nf_conntrack_handle_packet`).
pub(super) fn track(proto: &mut Proto, life: &mut Life, seen: &Seen<'_>) -> Tracked {
    match (proto, seen.packet.protocol) {
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
