//! The names of nft's data types. Their symbols, and how values of them are written, are in lang.

use crate::family::words;

words! {
    /// A data type, by the name that `typeof` and `type` use.
    DataType {
        /// A plain number.
        Integer = "integer",
        /// A string.
        String = "string",
        /// A link layer address of unknown kind.
        LlAddr = "ll_addr",
        /// An IPv4 address.
        Ipv4Addr = "ipv4_addr",
        /// An IPv6 address.
        Ipv6Addr = "ipv6_addr",
        /// A MAC address.
        EtherAddr = "ether_addr",
        /// An EtherType.
        EtherType = "ether_type",
        /// An ARP operation.
        ArpOp = "arp_op",
        /// A layer 4 protocol.
        InetProto = "inet_proto",
        /// A port.
        InetService = "inet_service",
        /// An ICMP type.
        IcmpType = "icmp_type",
        /// An ICMP code.
        IcmpCode = "icmp_code",
        /// An ICMPv6 type.
        Icmpv6Type = "icmpv6_type",
        /// An ICMPv6 code.
        Icmpv6Code = "icmpv6_code",
        /// An abstract ICMP code.
        IcmpxCode = "icmpx_code",
        /// An IGMP type.
        IgmpType = "igmp_type",
        /// A mobility header type.
        MhType = "mh_type",
        /// TCP flags.
        TcpFlag = "tcp_flag",
        /// A DCCP packet type.
        DccpPkttype = "dccp_pkttype",
        /// A DSCP value.
        Dscp = "dscp",
        /// An ECN value.
        Ecn = "ecn",
        /// A subtype of the TCP option MPTCP.
        MptcpSubtype = "mptcp_subtype",
        /// A queue's number.
        Queue = "queue",
        /// A packet mark.
        Mark = "mark",
        /// A routing realm.
        Realm = "realm",
        /// A traffic class handle.
        Classid = "classid",
        /// A device group.
        Devgroup = "devgroup",
        /// An interface index.
        IfaceIndex = "iface_index",
        /// An interface type.
        IfaceType = "iface_type",
        /// An interface name.
        Ifname = "ifname",
        /// A user id.
        Uid = "uid",
        /// A group id.
        Gid = "gid",
        /// A packet type.
        PktType = "pkt_type",
        /// A layer 3 protocol.
        NfProto = "nf_proto",
        /// A connection state.
        CtState = "ct_state",
        /// A connection direction.
        CtDir = "ct_dir",
        /// A connection status.
        CtStatus = "ct_status",
        /// A connection label.
        CtLabel = "ct_label",
        /// A connection event.
        CtEvent = "ct_event",
        /// An address type.
        FibAddrtype = "fib_addrtype",
        /// Present or not.
        Boolean = "boolean",
        /// A span of time in milliseconds.
        Time = "time",
        /// A point in time, in nanoseconds.
        DateTime = "datetime",
        /// A weekday.
        Day = "day",
        /// A time of day, in seconds.
        Hour = "hour",
        /// A control group.
        Cgroupsv2 = "cgroupsv2",
        /// A verdict.
        Verdict = "verdict",
        /// A VLAN priority or another small number with no symbols.
        Bitmask = "bitmask",
        /// A geneve, gre or vxlan number with no symbols.
        Tunnel = "tunnel",
    }
}
