//! Packet metadata keys: one row a key, read by lang (names, types), the text form, and both engines.

use crate::datatype::DataType;

/// In which byte order a key's value lies in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Little-endian, as on the machine that the bytecode is printed for.
    Host,
    /// Network order.
    Network,
}

macro_rules! meta_keys {
    ($($(#[doc = $doc:literal])* $variant:ident, $word:literal, $printed:literal, $bits:literal, $order:ident, $type:ident, $bare:literal;)*) => {
        /// A key of `meta`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetaKey { $($(#[doc = $doc])* $variant,)* }

        impl MetaKey {
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
            /// The value's type.
            pub const fn datatype(self) -> DataType { match self { $(Self::$variant => DataType::$type,)* } }
            /// Whether the word may stand without `meta`.
            pub const fn is_bare(self) -> bool { match self { $(Self::$variant => $bare,)* } }
            /// What it is, in a line for people.
            pub const fn doc(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* } }
            /// The key that nft writes as `word`.
            pub fn from_word(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)* _ => None } }
        }
    };
}

meta_keys! {
    /// Packet length in bytes, from the network header on.
    Length, "length", "len", 32, Host, Integer, false;
    /// EtherType.
    Protocol, "protocol", "protocol", 16, Network, EtherType, false;
    /// Traffic class.
    Priority, "priority", "priority", 32, Host, Classid, false;
    /// Packet mark.
    Mark, "mark", "mark", 32, Host, Mark, true;
    /// Input interface index.
    Iif, "iif", "iif", 32, Host, IfaceIndex, true;
    /// Input interface name.
    Iifname, "iifname", "iifname", 128, Host, Ifname, true;
    /// Input interface type.
    Iiftype, "iiftype", "iiftype", 16, Host, IfaceType, true;
    /// Output interface index.
    Oif, "oif", "oif", 32, Host, IfaceIndex, true;
    /// Output interface name.
    Oifname, "oifname", "oifname", 128, Host, Ifname, true;
    /// Output interface type.
    Oiftype, "oiftype", "oiftype", 16, Host, IfaceType, true;
    /// Socket's user.
    Skuid, "skuid", "skuid", 32, Host, Uid, true;
    /// Socket's group.
    Skgid, "skgid", "skgid", 32, Host, Gid, true;
    /// Tracing on or off.
    Nftrace, "nftrace", "nftrace", 1, Host, Boolean, true;
    /// Routing realm.
    Rtclassid, "rtclassid", "rtclassid", 32, Host, Realm, true;
    /// Input bridge name.
    Ibrname, "ibrname", "bri_iifname", 128, Host, Ifname, true;
    /// Output bridge name.
    Obrname, "obrname", "bri_oifname", 128, Host, Ifname, true;
    /// Input bridge's VLAN id.
    Ibrpvid, "ibrpvid", "bri_iifpvid", 16, Host, Integer, false;
    /// Input bridge's VLAN protocol.
    Ibrvproto, "ibrvproto", "bri_iifvproto", 16, Network, EtherType, false;
    /// Unicast, broadcast, multicast.
    Pkttype, "pkttype", "pkttype", 8, Host, PktType, true;
    /// Processor number.
    Cpu, "cpu", "cpu", 32, Host, Integer, true;
    /// Input interface group.
    Iifgroup, "iifgroup", "iifgroup", 32, Host, Devgroup, true;
    /// Output interface group.
    Oifgroup, "oifgroup", "oifgroup", 32, Host, Devgroup, true;
    /// Control group.
    Cgroup, "cgroup", "cgroup", 32, Host, Integer, true;
    /// A random number.
    Random, "random", "prandom", 32, Network, Integer, false;
    /// Whether the packet came through IPsec.
    Ipsec, "ipsec", "secpath", 1, Host, Boolean, false;
    /// Input interface kind.
    Iifkind, "iifkind", "iifkind", 128, Host, Ifname, false;
    /// Output interface kind.
    Oifkind, "oifkind", "oifkind", 128, Host, Ifname, false;
    /// Layer 3 protocol.
    Nfproto, "nfproto", "nfproto", 8, Host, NfProto, false;
    /// Layer 4 protocol, behind IPv6 extension headers.
    L4proto, "l4proto", "l4proto", 8, Host, InetProto, false;
    /// Security mark.
    Secmark, "secmark", "secmark", 32, Host, Integer, false;
    /// Time of reception in nanoseconds.
    Time, "time", "time", 64, Host, DateTime, false;
    /// Weekday.
    Day, "day", "day", 8, Host, Day, false;
    /// Time of day in seconds.
    Hour, "hour", "hour", 32, Host, Hour, false;
    /// Index of the slave device's real interface.
    Sdif, "sdif", "sdif", 32, Host, IfaceIndex, false;
    /// Its name.
    Sdifname, "sdifname", "sdifname", 128, Host, Ifname, false;
    /// Bypass of the bridge.
    Broute, "broute", "broute", 8, Host, Integer, false;
    /// Input bridge's own address.
    Ibrhwaddr, "ibrhwaddr", "ibrhwaddr", 48, Network, EtherAddr, false;
}
