//! The rows: every field of every header, by RFC and in nft's names.

use super::{Field, Header};
use crate::datatype::DataType;

/// `name, first bit, bits, type [, message types] [, pseudo]` rows of one header.
macro_rules! rows {
    ($header:ident: $($name:literal $offset:literal $width:literal $datatype:ident $([$($message:literal)*])? $($pseudo:ident)?;)*) => {
        &[$(Field {
            header: Header::$header,
            name: $name,
            bit_offset: $offset,
            bit_width: $width,
            datatype: DataType::$datatype,
            message_types: &[$($($message),*)?],
            pseudo: rows!(@pseudo $($pseudo)?),
        },)*]
    };
    (@pseudo pseudo) => { true };
    (@pseudo) => { false };
}

/// Every field of a header, in nft's order.
pub(super) const fn fields(header: Header) -> &'static [Field] {
    match header {
        Header::Ether => ETHER,
        Header::Vlan => VLAN,
        Header::Arp => ARP,
        Header::Ip => IP,
        Header::Ip6 => IP6,
        Header::Icmp => ICMP,
        Header::Icmpv6 => ICMPV6,
        Header::Igmp => IGMP,
        Header::Tcp => TCP,
        Header::Udp => UDP,
        Header::Udplite => UDPLITE,
        Header::Sctp => SCTP,
        Header::Dccp => DCCP,
        Header::Ah => AH,
        Header::Esp => ESP,
        Header::Comp => COMP,
        Header::Th => TH,
        Header::Gre => GRE,
        Header::Gretap => &[],
        Header::Vxlan => VXLAN,
        Header::Geneve => GENEVE,
    }
}

const ETHER: &[Field] = rows! { Ether:
    "daddr" 0 48 EtherAddr;
    "saddr" 48 48 EtherAddr;
    "type" 96 16 EtherType;
};

// Offsets count from the Ethernet header, as in printed bytecode.
const VLAN: &[Field] = rows! { Vlan:
    "pcp" 112 3 Integer;
    "dei" 115 1 Integer;
    "id" 116 12 Integer;
    "type" 128 16 EtherType;
};

const ARP: &[Field] = rows! { Arp:
    "htype" 0 16 Integer;
    "ptype" 16 16 EtherType;
    "hlen" 32 8 Integer;
    "plen" 40 8 Integer;
    "operation" 48 16 ArpOp;
    "saddr ether" 64 48 EtherAddr;
    "saddr ip" 112 32 Ipv4Addr;
    "daddr ether" 144 48 EtherAddr;
    "daddr ip" 192 32 Ipv4Addr;
};

const IP: &[Field] = rows! { Ip:
    "version" 0 4 Integer;
    "hdrlength" 4 4 Integer;
    "dscp" 8 6 Dscp;
    "ecn" 14 2 Ecn;
    "length" 16 16 Integer pseudo;
    "id" 32 16 Integer;
    "frag-off" 48 16 Integer;
    "ttl" 64 8 Integer;
    "protocol" 72 8 InetProto pseudo;
    "checksum" 80 16 Integer;
    "saddr" 96 32 Ipv4Addr pseudo;
    "daddr" 128 32 Ipv4Addr pseudo;
};

const IP6: &[Field] = rows! { Ip6:
    "version" 0 4 Integer;
    "dscp" 4 6 Dscp;
    "ecn" 10 2 Ecn;
    "flowlabel" 12 20 Integer;
    "length" 32 16 Integer pseudo;
    "nexthdr" 48 8 InetProto pseudo;
    "hoplimit" 56 8 Integer;
    "saddr" 64 128 Ipv6Addr pseudo;
    "daddr" 192 128 Ipv6Addr pseudo;
};

const ICMP: &[Field] = rows! { Icmp:
    "type" 0 8 IcmpType;
    "code" 8 8 IcmpCode;
    "checksum" 16 16 Integer;
    "id" 32 16 Integer [8 0];
    "sequence" 48 16 Integer [8 0];
    "gateway" 32 32 Integer [5];
    "mtu" 48 16 Integer [3];
};

const ICMPV6: &[Field] = rows! { Icmpv6:
    "type" 0 8 Icmpv6Type;
    "code" 8 8 Icmpv6Code;
    "checksum" 16 16 Integer;
    "param-problem" 32 32 Integer [4];
    "mtu" 32 32 Integer [2];
    "id" 32 16 Integer [128 129];
    "sequence" 48 16 Integer [128 129];
    "max-delay" 32 16 Integer [130];
    "taddr" 64 128 Ipv6Addr [130 131 132 135 136 137];
    "daddr" 192 128 Ipv6Addr [137];
};

const IGMP: &[Field] = rows! { Igmp:
    "type" 0 8 IgmpType;
    "mrt" 8 8 Integer;
    "checksum" 16 16 Integer;
    "group" 32 32 Integer;
};

const TCP: &[Field] = rows! { Tcp:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
    "sequence" 32 32 Integer;
    "ackseq" 64 32 Integer;
    "doff" 96 4 Integer;
    "reserved" 100 4 Integer;
    "flags" 104 8 TcpFlag;
    "window" 112 16 Integer;
    "checksum" 128 16 Integer;
    "urgptr" 144 16 Integer;
};

const UDP: &[Field] = rows! { Udp:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
    "length" 32 16 Integer;
    "checksum" 48 16 Integer;
};

const UDPLITE: &[Field] = rows! { Udplite:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
    "csumcov" 32 16 Integer;
    "checksum" 48 16 Integer;
};

const SCTP: &[Field] = rows! { Sctp:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
    "vtag" 32 32 Integer;
    "checksum" 64 32 Integer;
};

const DCCP: &[Field] = rows! { Dccp:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
    "type" 67 4 DccpPkttype;
};

const AH: &[Field] = rows! { Ah:
    "nexthdr" 0 8 InetProto;
    "hdrlength" 8 8 Integer;
    "reserved" 16 16 Integer;
    "spi" 32 32 Integer;
    "sequence" 64 32 Integer;
};

const ESP: &[Field] = rows! { Esp:
    "spi" 0 32 Integer;
    "sequence" 32 32 Integer;
};

const COMP: &[Field] = rows! { Comp:
    "nexthdr" 0 8 InetProto;
    "flags" 8 8 Bitmask;
    "cpi" 16 16 Integer;
};

const TH: &[Field] = rows! { Th:
    "sport" 0 16 InetService;
    "dport" 16 16 InetService;
};

const GRE: &[Field] = rows! { Gre:
    "flags" 0 5 Integer;
    "version" 13 3 Integer;
    "protocol" 16 16 EtherType;
};

// Offsets of the two below count from the tunnel header.
const VXLAN: &[Field] = rows! { Vxlan:
    "flags" 0 8 Bitmask;
    "vni" 32 24 Integer;
};

const GENEVE: &[Field] = rows! { Geneve:
    "type" 16 16 EtherType;
    "vni" 32 24 Integer;
};
