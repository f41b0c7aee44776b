//! Symbols of the link layer and of routing: `EtherTypes`, ARP operations, interface and packet types, families, address types.

use super::symbols;

symbols! {
    /// `ether_type`.
    ETHER_TYPE { "ip" = 0x0800, "arp" = 0x0806, "ip6" = 0x86dd, "8021q" = 0x8100, "8021ad" = 0x88a8, "vlan" = 0x8100, }
    /// `arp_op`.
    ARP_OP { "request" = 1, "reply" = 2, "rrequest" = 3, "rreply" = 4, "inrequest" = 8, "inreply" = 9, "nak" = 10, }
    /// `iface_type` (ARPHRD numbers).
    IFACE_TYPE { "ether" = 1, "ppp" = 512, "ipip" = 768, "ipip6" = 769, "loopback" = 772, "sit" = 776, "ipgre" = 778, }
    /// `pkt_type`.
    PKT_TYPE { "host" = 0, "unicast" = 0, "broadcast" = 1, "multicast" = 2, "other" = 3, }
    /// `nf_proto`.
    NF_PROTO { "ipv4" = 2, "ipv6" = 10, }
    /// `fib_addrtype` (RTN numbers).
    FIB_ADDRTYPE {
        "unspec" = 0, "unicast" = 1, "local" = 2, "broadcast" = 3, "anycast" = 4, "multicast" = 5, "blackhole" = 6,
        "unreachable" = 7, "prohibit" = 8,
    }
}
