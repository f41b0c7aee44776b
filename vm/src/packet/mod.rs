//! A packet on its way through the hooks: frame bytes, where its headers are, metadata, what conntrack made of it, and what its driver
//! knows of it.

pub mod arp;
pub mod checksum;
mod dissect;
pub mod ethernet;
pub mod gre;
mod header;
mod hop_by_hop;
pub mod icmp;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
mod offload;
pub mod protocol;
pub mod rewrite;
pub mod sctp;
pub mod tcp;
#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths of small made-up packets"
)]
mod tests;
pub mod udp;
mod view;
pub mod vlan;

pub use arp::Arp;
pub use dissect::{
    Checksums, DissectError, DissectErrorKind, Layer, LinkKind, dissect, dissect_bridge,
    dissect_into, dissect_with,
};
pub use ethernet::{Ethernet, ethertype};
pub use icmp::Icmp;
pub use icmpv6::Icmpv6;
pub use ipv4::Ipv4;
pub use ipv6::Ipv6;
pub use offload::{Offload, SegmentKind, Segments, TransportSum};
pub use sctp::Sctp;
pub use tcp::Tcp;
pub use udp::Udp;
pub use view::pkttype;
pub use vlan::Vlan;

use crate::ct::Direction;

/// A packet as rules see it. The layout is fixed (`repr(C)`) because generated code reads it.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub struct Packet {
    /// Where the headers are.
    pub layout: Layout,
    /// Metadata.
    pub meta: Meta,
    /// What conntrack made of it.
    pub ct: CtView,
    /// The frame, link header first.
    pub frame: Vec<u8>,
    /// What its driver knows of it.
    pub offload: Offload,
}

/// Offsets into the frame, in bytes from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Layout {
    /// Link header.
    pub link: u32,
    /// Network header.
    pub network: u32,
    /// Transport header; meaningful with [`layout_flags::TRANSPORT`].
    pub transport: u32,
    /// Behind the TCP or UDP header; meaningful with [`layout_flags::INNER`].
    pub inner: u32,
    /// End of the packet: the frame's length, less the padding behind the IP packet.
    pub end: u32,
    /// Fragment offset in bytes; 0 for a first fragment or a whole packet.
    pub fragment_offset: u16,
    /// Whether more fragments follow (1) or not (0).
    pub more_fragments: u8,
    /// Layer 4 protocol; meaningful with [`layout_flags::L4PROTO`].
    pub l4proto: u8,
    /// [`layout_flags`].
    pub flags: u8,
    /// [`nfproto`](crate::family::nfproto) of the network header, 0 when it is neither IPv4 nor IPv6 nor ARP.
    pub nfproto: u8,
    /// EtherType behind VLAN tags, in host order.
    pub ethertype: u16,
}

/// Bits of [`Layout::flags`].
pub mod layout_flags {
    /// There is a link header (not so for packets in output).
    pub const LINK: u8 = 1;
    /// The layer 4 protocol is known.
    pub const L4PROTO: u8 = 2;
    /// There is a transport header: the protocol is known and this is no later fragment.
    pub const TRANSPORT: u8 = 4;
    /// There is something behind a TCP or UDP header.
    pub const INNER: u8 = 8;
    /// In egress: what the kernel takes for the start of the packet is its link header.
    pub const LEAVING: u8 = 16;
}

/// Packet metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Meta {
    /// Packet length in bytes, from the network header on.
    pub len: u32,
    /// Packet mark.
    pub mark: u32,
    /// Traffic class.
    pub priority: u32,
    /// Input interface index; 0 when there is none.
    pub iif: u32,
    /// Output interface index; 0 when there is none.
    pub oif: u32,
    /// Input interface type (ARPHRD number).
    pub iiftype: u16,
    /// Output interface type (ARPHRD number).
    pub oiftype: u16,
    /// 0 host, 1 broadcast, 2 multicast, 3 other.
    pub pkttype: u8,
    /// Whether `meta nftrace set 1` has run.
    pub nftrace: u8,
    /// Family of the hook that runs, as [`nfproto`](crate::family::nfproto): what `meta nfproto` loads.
    pub nfproto: u8,
    /// Input interface name, zero-padded.
    pub iifname: [u8; 16],
    /// Output interface name, zero-padded.
    pub oifname: [u8; 16],
}

/// What rules read of conntrack most often; all else goes through [`Host::ct_load`](crate::Host::ct_load).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct CtView {
    /// One bit of [`ct::state`](crate::ct::state); INVALID before conntrack has run.
    pub state: u32,
    /// Bits of [`ct::status`](crate::ct::status); 0 without an entry.
    pub status: u32,
    /// The entry's mark.
    pub mark: u32,
    /// The entry's slot, as the runtime numbers them; meaningful with `has_entry`.
    pub entry: u32,
    /// 1 when the packet has an entry, else every key but `state` breaks.
    pub has_entry: u8,
    /// Which way the packet goes in its connection.
    pub direction: Direction,
    /// `ct zone set` before conntrack has run: the directions that the zone covers (1 original, 2 reply, 3 both); 0 when no zone is set.
    pub zone_directions: u8,
    /// That zone's number.
    pub zone: u16,
    /// How often the entry's slot has been used, so that one that has been replaced is noticed.
    pub entry_generation: u16,
}

impl Default for CtView {
    fn default() -> Self {
        Self {
            state: crate::ct::state::INVALID,
            status: 0,
            mark: 0,
            entry: 0,
            has_entry: 0,
            direction: Direction::Original,
            zone_directions: 0,
            zone: 0,
            entry_generation: 0,
        }
    }
}
