//! Connection tracking as rules see it: keys of `ct`, state and status bits.

use crate::datatype::DataType;
use crate::meta::ByteOrder;

/// A connection's two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Direction {
    /// As its first packet went.
    Original = 0,
    /// As the answer goes.
    Reply = 1,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }
}

/// Bits of `ct state`, as `ct load state` gives them; a packet has exactly one.
pub mod state {
    /// Conntrack made nothing of the packet, or has not run yet.
    pub const INVALID: u32 = 1;
    /// Belongs to a connection that has seen both directions.
    pub const ESTABLISHED: u32 = 2;
    /// Belongs to a connection by way of another one.
    pub const RELATED: u32 = 4;
    /// First packet of a connection, or one before the first answer.
    pub const NEW: u32 = 8;
    /// Left alone on purpose.
    pub const UNTRACKED: u32 = 64;
}

/// Bits of `ct status` (`nf_conntrack_common.h: enum ip_conntrack_status`).
pub mod status {
    /// Child of another connection.
    pub const EXPECTED: u32 = 1;
    /// Has seen a reply.
    pub const SEEN_REPLY: u32 = 2;
    /// Not to be dropped early.
    pub const ASSURED: u32 = 4;
    /// In the table.
    pub const CONFIRMED: u32 = 8;
    /// Source translated.
    pub const SRC_NAT: u32 = 0x10;
    /// Destination translated.
    pub const DST_NAT: u32 = 0x20;
    /// Sequence numbers adjusted.
    pub const SEQ_ADJUST: u32 = 0x40;
    /// Source NAT has been decided.
    pub const SRC_NAT_DONE: u32 = 0x80;
    /// Destination NAT has been decided.
    pub const DST_NAT_DONE: u32 = 0x100;
    /// Leaving the table.
    pub const DYING: u32 = 0x200;
    /// Its timeout is not refreshed.
    pub const FIXED_TIMEOUT: u32 = 0x400;
    /// A helper is attached.
    pub const HELPER: u32 = 0x2000;
    /// Lost its original tuple to another entry when it was confirmed (`IPS_NAT_CLASH`).
    pub const NAT_CLASH: u32 = 0x1000;
}

macro_rules! ct_keys {
    ($($(#[doc = $doc:literal])* $variant:ident, $word:literal, $printed:literal, $bits:literal, $order:ident, $type:ident;)*) => {
        /// A key of `ct`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CtKey { $($(#[doc = $doc])* $variant,)* }

        impl CtKey {
            /// Every key.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in nft's language.
            pub const fn word(self) -> &'static str { match self { $(Self::$variant => $word,)* } }
            /// The word in printed bytecode.
            pub const fn printed(self) -> &'static str { match self { $(Self::$variant => $printed,)* } }
            /// The value's width in bits.
            pub const fn bits(self) -> u32 { match self { $(Self::$variant => $bits,)* } }
            /// The value's byte order.
            pub const fn byte_order(self) -> ByteOrder { match self { $(Self::$variant => ByteOrder::$order,)* } }
            /// What it is, in a line for people.
            pub const fn doc(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* } }
            /// The value's type.
            pub const fn datatype(self) -> DataType { match self { $(Self::$variant => DataType::$type,)* } }
        }
    };
}

ct_keys! {
    /// What conntrack made of the packet ([`state`]).
    State, "state", "state", 32, Host, CtState;
    /// Which way the packet goes in its connection ([`Direction`]).
    Direction, "direction", "direction", 8, Host, CtDir;
    /// What has happened to the connection ([`status`]).
    Status, "status", "status", 32, Host, CtStatus;
    /// The connection's mark.
    Mark, "mark", "mark", 32, Host, Mark;
    /// Its security mark.
    Secmark, "secmark", "secmark", 32, Host, Integer;
    /// Milliseconds until it expires.
    Expiration, "expiration", "expiration", 32, Host, Time;
    /// Its helper's name.
    Helper, "helper", "helper", 128, Host, String;
    /// Layer 3 protocol.
    L3proto, "l3proto", "l3protocol", 8, Host, NfProto;
    /// Source address of the connection's own family.
    Saddr, "saddr", "src", 128, Network, Integer;
    /// Destination address of the connection's own family.
    Daddr, "daddr", "dst", 128, Network, Integer;
    /// IPv4 source address.
    SaddrIp, "ip saddr", "src_ip", 32, Network, Ipv4Addr;
    /// IPv4 destination address.
    DaddrIp, "ip daddr", "dst_ip", 32, Network, Ipv4Addr;
    /// IPv6 source address.
    SaddrIp6, "ip6 saddr", "src_ip6", 128, Network, Ipv6Addr;
    /// IPv6 destination address.
    DaddrIp6, "ip6 daddr", "dst_ip6", 128, Network, Ipv6Addr;
    /// Layer 4 protocol.
    Protocol, "protocol", "protocol", 8, Network, InetProto;
    /// Source port.
    ProtoSrc, "proto-src", "proto_src", 16, Network, InetService;
    /// Destination port.
    ProtoDst, "proto-dst", "proto_dst", 16, Network, InetService;
    /// Labels.
    Label, "label", "label", 128, Host, CtLabel;
    /// Packets seen.
    Packets, "packets", "packets", 64, Host, Integer;
    /// Bytes seen.
    Bytes, "bytes", "bytes", 64, Host, Integer;
    /// Mean packet size in bytes.
    Avgpkt, "avgpkt", "avgpkt", 64, Host, Integer;
    /// Zone.
    Zone, "zone", "zone", 16, Host, Integer;
    /// Events to report.
    Event, "event", "event", 32, Host, CtEvent;
    /// Number of the entry.
    Id, "id", "unknown", 32, Network, Integer;
}
