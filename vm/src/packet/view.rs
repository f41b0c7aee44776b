//! Making a packet from a frame, and its layers as byte slices and header views.

use super::{
    Ethernet, Icmp, Icmpv6, Ipv4, Ipv6, Layout, Packet, Sctp, Tcp, Udp, ethernet, layout_flags,
    protocol,
};
use crate::family::nfproto;

/// Numbers of `meta pkttype` (`if_packet.h`).
pub mod pkttype {
    /// To this machine.
    pub const HOST: u8 = 0;
    /// To all.
    pub const BROADCAST: u8 = 1;
    /// To a group.
    pub const MULTICAST: u8 = 2;
    /// To another machine.
    pub const OTHER: u8 = 3;

    /// The type of a frame by its destination, for the machine with the address `own` (`None`: every unicast frame is for it).
    pub fn classify(dst: [u8; 6], own: Option<[u8; 6]>) -> u8 {
        if dst == super::ethernet::BROADCAST {
            BROADCAST
        } else if super::ethernet::is_multicast(dst) {
            MULTICAST
        } else if own.is_none_or(|own| own == dst) {
            HOST
        } else {
            OTHER
        }
    }
}

impl Layout {
    /// Whether there is a link header.
    pub const fn has_link(&self) -> bool {
        self.flags & layout_flags::LINK != 0
    }

    /// Whether the layer 4 protocol is known.
    pub const fn has_l4proto(&self) -> bool {
        self.flags & layout_flags::L4PROTO != 0
    }

    /// Whether transport loads are allowed.
    pub const fn has_transport(&self) -> bool {
        self.flags & layout_flags::TRANSPORT != 0
    }

    /// Whether [`Layout::inner`] counts.
    pub const fn has_inner(&self) -> bool {
        self.flags & layout_flags::INNER != 0
    }

    /// Whether this is a fragment: the first or a later one.
    pub const fn is_fragment(&self) -> bool {
        self.fragment_offset != 0 || self.more_fragments != 0
    }

    /// Whether the packet is IPv4.
    pub const fn is_ipv4(&self) -> bool {
        self.nfproto == nfproto::IPV4
    }

    /// Whether the packet is IPv6.
    pub const fn is_ipv6(&self) -> bool {
        self.nfproto == nfproto::IPV6
    }

    /// Whether the packet is ARP.
    pub const fn is_arp(&self) -> bool {
        self.nfproto == nfproto::ARP
    }

    /// Whether the layer 4 protocol is this one.
    pub const fn is_l4(&self, l4proto: u8) -> bool {
        self.has_l4proto() && self.l4proto == l4proto
    }

    /// Bytes from the network header to the packet's end.
    pub const fn network_len(&self) -> u32 {
        self.end.saturating_sub(self.network)
    }

    /// Bytes from the transport header to the packet's end.
    pub const fn transport_len(&self) -> u32 {
        self.end.saturating_sub(self.transport)
    }
}

impl Packet {
    /// A packet of a dissected frame: `meta.len`, `meta.nfproto` and `meta.pkttype` (every unicast frame for this machine) are filled in,
    /// interfaces, mark and conntrack's view are not.
    pub fn new(frame: Vec<u8>, layout: Layout) -> Self {
        let mut packet = Self {
            layout,
            frame,
            ..Self::default()
        };
        packet.meta.pkttype = packet.ethernet().map_or(pkttype::HOST, |header| {
            pkttype::classify(header.dst(), None)
        });
        packet.refresh();
        packet
    }

    /// Takes `meta.len` and `meta.nfproto` from the layout again, after the frame was exchanged or cut.
    #[inline]
    pub fn refresh(&mut self) {
        self.meta.len = self.layout.network_len();
        self.meta.nfproto = self.layout.nfproto;
    }

    /// From the link header to the packet's end; `None` when there is no link header.
    #[inline]
    pub fn link(&self) -> Option<&[u8]> {
        let layout = &self.layout;
        self.frame
            .get(layout.link as usize..layout.end as usize)
            .filter(|_| layout.has_link())
    }

    /// From the network header to the packet's end.
    #[inline]
    pub fn network(&self) -> &[u8] {
        self.frame
            .get(self.layout.network as usize..self.layout.end as usize)
            .unwrap_or(&[])
    }

    /// From the network header to the packet's end, for writing.
    #[inline]
    pub fn network_mut(&mut self) -> &mut [u8] {
        self.frame
            .get_mut(self.layout.network as usize..self.layout.end as usize)
            .unwrap_or(&mut [])
    }

    /// From the transport header to the packet's end; `None` when transport loads are not allowed or the header starts behind the end.
    #[inline]
    pub fn transport(&self) -> Option<&[u8]> {
        let layout = &self.layout;
        self.frame
            .get(layout.transport as usize..layout.end as usize)
            .filter(|_| layout.has_transport())
    }

    /// As [`Packet::transport`], for writing.
    #[inline]
    pub fn transport_mut(&mut self) -> Option<&mut [u8]> {
        let layout = self.layout;
        self.frame
            .get_mut(layout.transport as usize..layout.end as usize)
            .filter(|_| layout.has_transport())
    }

    /// The Ethernet header.
    #[inline]
    pub fn ethernet(&self) -> Option<Ethernet<&[u8]>> {
        Ethernet::new_checked(self.link()?)
    }

    /// The Ethernet header, for writing.
    pub fn ethernet_mut(&mut self) -> Option<Ethernet<&mut [u8]>> {
        let layout = self.layout;
        if !layout.has_link() {
            return None;
        }
        Ethernet::new_checked(
            self.frame
                .get_mut(layout.link as usize..layout.end as usize)?,
        )
    }

    /// The IPv4 header, when the packet is IPv4.
    #[inline]
    pub fn ipv4(&self) -> Option<Ipv4<&[u8]>> {
        Ipv4::new_checked(self.network()).filter(|_| self.layout.is_ipv4())
    }

    /// The IPv4 header, for writing.
    #[inline]
    pub fn ipv4_mut(&mut self) -> Option<Ipv4<&mut [u8]>> {
        let is_ipv4 = self.layout.is_ipv4();
        Ipv4::new_checked(self.network_mut()).filter(|_| is_ipv4)
    }

    /// The IPv6 header, when the packet is IPv6.
    #[inline]
    pub fn ipv6(&self) -> Option<Ipv6<&[u8]>> {
        Ipv6::new_checked(self.network()).filter(|_| self.layout.is_ipv6())
    }

    /// The IPv6 header, for writing.
    #[inline]
    pub fn ipv6_mut(&mut self) -> Option<Ipv6<&mut [u8]>> {
        let is_ipv6 = self.layout.is_ipv6();
        Ipv6::new_checked(self.network_mut()).filter(|_| is_ipv6)
    }

    /// The transport header's bytes when the protocol is this one.
    #[inline]
    fn transport_of(&self, l4proto: u8) -> Option<&[u8]> {
        self.transport().filter(|_| self.layout.l4proto == l4proto)
    }

    /// The TCP header, when there is a whole one.
    #[inline]
    pub fn tcp(&self) -> Option<Tcp<&[u8]>> {
        Tcp::new_checked(self.transport_of(protocol::TCP)?)
    }

    /// The UDP header, when there is a whole one.
    #[inline]
    pub fn udp(&self) -> Option<Udp<&[u8]>> {
        Udp::new_checked(self.transport_of(protocol::UDP)?)
    }

    /// The ICMP header, when there is a whole one.
    #[inline]
    pub fn icmp(&self) -> Option<Icmp<&[u8]>> {
        Icmp::new_checked(self.transport_of(protocol::ICMP)?)
    }

    /// The ICMPv6 header, when there is a whole one.
    pub fn icmpv6(&self) -> Option<Icmpv6<&[u8]>> {
        Icmpv6::new_checked(self.transport_of(protocol::ICMPV6)?)
    }

    /// The SCTP header, when there is a whole one.
    pub fn sctp(&self) -> Option<Sctp<&[u8]>> {
        Sctp::new_checked(self.transport_of(protocol::SCTP)?)
    }
}
