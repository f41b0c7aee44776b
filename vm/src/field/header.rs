//! The headers that payload fields are in, and what a match on one implies.

use crate::family::{nfproto, words};
use crate::instr::{Base, ChecksumKind};

words! {
    /// A header by its word in nft's language.
    Header {
        /// Ethernet.
        Ether = "ether",
        /// An 802.1Q tag behind the Ethernet header.
        Vlan = "vlan",
        /// ARP.
        Arp = "arp",
        /// IPv4.
        Ip = "ip",
        /// IPv6.
        Ip6 = "ip6",
        /// ICMP.
        Icmp = "icmp",
        /// ICMPv6.
        Icmpv6 = "icmpv6",
        /// IGMP.
        Igmp = "igmp",
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// UDP-Lite.
        Udplite = "udplite",
        /// SCTP.
        Sctp = "sctp",
        /// DCCP.
        Dccp = "dccp",
        /// IPsec authentication header.
        Ah = "ah",
        /// IPsec encapsulating security payload.
        Esp = "esp",
        /// IP payload compression.
        Comp = "comp",
        /// Any transport protocol with ports.
        Th = "th",
        /// GRE.
        Gre = "gre",
        /// Ethernet in GRE.
        Gretap = "gretap",
        /// VXLAN.
        Vxlan = "vxlan",
        /// Geneve.
        Geneve = "geneve",
    }
}

/// What a header implies about the headers before it, unless the rule already says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requires {
    /// Nothing (`th`).
    Nothing,
    /// An Ethernet device (`meta iiftype 1`), where the family does not imply it.
    EtherDevice,
    /// An Ethernet frame with this EtherType in the Ethernet header (`vlan`).
    EtherType(u16),
    /// A network protocol: [`nfproto`] and EtherType.
    Network {
        /// As `meta nfproto` loads it.
        nfproto: u8,
        /// As `meta protocol` loads it, in host order.
        ethertype: u16,
    },
    /// A transport protocol of any network protocol.
    Transport(u8),
    /// A transport protocol of one network protocol (`icmp`, `igmp`, `icmpv6`).
    Both {
        /// As `meta nfproto` loads it.
        nfproto: u8,
        /// As `meta protocol` loads it, in host order.
        ethertype: u16,
        /// As `meta l4proto` loads it.
        l4proto: u8,
    },
}

impl Requires {
    /// The transport protocol, when one is required.
    pub const fn l4proto(self) -> Option<u8> {
        match self {
            Self::Transport(l4proto) | Self::Both { l4proto, .. } => Some(l4proto),
            Self::Nothing | Self::EtherDevice | Self::EtherType(_) | Self::Network { .. } => None,
        }
    }

    /// The network protocol as [`nfproto`] and EtherType, when one is required.
    pub const fn network(self) -> Option<(u8, u16)> {
        match self {
            Self::Network { nfproto, ethertype }
            | Self::Both {
                nfproto, ethertype, ..
            } => Some((nfproto, ethertype)),
            Self::Nothing | Self::EtherDevice | Self::EtherType(_) | Self::Transport(_) => None,
        }
    }
}

/// How `inner` finds the packet in a tunnel (`[ inner type T hdrsize H flags F [ ... ] ]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// 1 vxlan, 2 geneve, 3 gre, 4 gretap.
    pub kind: u32,
    /// Bytes of the tunnel header.
    pub header_size: u32,
    /// 1 the tunnel header, 2 a link header, 4 a network header, 8 a transport header can be read.
    pub flags: u32,
}

/// What is known of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderInfo {
    /// Where its fields' offsets count from.
    pub base: Base,
    /// What a match on it implies.
    pub requires: Requires,
    /// Its checksum and where that is, in bytes from the base.
    pub checksum: (ChecksumKind, u8),
    /// How fields of packets inside it are reached.
    pub tunnel: Option<Tunnel>,
}

const fn plain(base: Base, requires: Requires) -> HeaderInfo {
    HeaderInfo {
        base,
        requires,
        checksum: (ChecksumKind::None, 0),
        tunnel: None,
    }
}

const fn network(nfproto: u8, ethertype: u16) -> HeaderInfo {
    plain(Base::Network, Requires::Network { nfproto, ethertype })
}

const fn transport(l4proto: u8) -> HeaderInfo {
    plain(Base::Transport, Requires::Transport(l4proto))
}

const fn message(nfproto: u8, ethertype: u16, l4proto: u8) -> HeaderInfo {
    plain(
        Base::Transport,
        Requires::Both {
            nfproto,
            ethertype,
            l4proto,
        },
    )
}

impl HeaderInfo {
    const fn inet_checksum(mut self, offset: u8) -> Self {
        self.checksum = (ChecksumKind::Inet, offset);
        self
    }

    const fn tunnel(mut self, kind: u32, header_size: u32, flags: u32) -> Self {
        self.tunnel = Some(Tunnel {
            kind,
            header_size,
            flags,
        });
        self
    }
}

const UDP_TUNNEL: HeaderInfo = plain(Base::Tunnel, Requires::Transport(17));

impl Header {
    /// What is known of it.
    pub const fn info(self) -> HeaderInfo {
        match self {
            Self::Ether => plain(Base::Link, Requires::EtherDevice),
            Self::Vlan => plain(Base::Link, Requires::EtherType(0x8100)),
            Self::Arp => network(nfproto::ARP, 0x0806),
            Self::Ip => network(nfproto::IPV4, 0x0800).inet_checksum(10),
            Self::Ip6 => network(nfproto::IPV6, 0x86dd),
            Self::Icmp => message(nfproto::IPV4, 0x0800, 1).inet_checksum(2),
            Self::Icmpv6 => message(nfproto::IPV6, 0x86dd, 58).inet_checksum(2),
            Self::Igmp => message(nfproto::IPV4, 0x0800, 2).inet_checksum(2),
            Self::Tcp => transport(6).inet_checksum(16),
            Self::Udp => transport(17).inet_checksum(6),
            Self::Udplite => transport(136),
            Self::Sctp => HeaderInfo {
                checksum: (ChecksumKind::Sctp, 8),
                ..transport(132)
            },
            Self::Dccp => transport(33),
            Self::Ah => transport(51),
            Self::Esp => transport(50),
            Self::Comp => transport(108),
            Self::Th => plain(Base::Transport, Requires::Nothing),
            Self::Gre => transport(47).tunnel(3, 4, 0xc),
            Self::Gretap => transport(47).tunnel(4, 4, 0xe),
            Self::Vxlan => UDP_TUNNEL.tunnel(1, 8, 0xf),
            Self::Geneve => UDP_TUNNEL.tunnel(2, 8, 0xf),
        }
    }
}
