//! Data types of the language: widths, byte orders, symbols, how values are read and written.
//!
//! The names of the types are in `redan_vm::datatype`; everything about them that has to do with text is here. A value is a number of up to 128 bits;
//! strings are numbers whose most significant byte is their first, so that their order is that of memory.

mod addr;
mod conn;
mod icmp;
mod link;
mod packet;
mod proto;
mod read;
mod service;
mod text;
mod time;
mod write;

pub(crate) use time::{local_to_utc, to_local};

pub use read::{Clock, ValueError, read_number, read_str, read_symbol};
pub use write::{write, write_bytes};

use redan_vm::Data;
use redan_vm::datatype::DataType;
use redan_vm::meta::ByteOrder;

/// A name for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The word.
    pub name: &'static str,
    /// What it stands for.
    pub value: u64,
}

/// What a type's values are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// A number.
    Integer,
    /// A number whose bits mean something each.
    Bitmask,
    /// Bytes up to a NUL.
    String,
    /// No value at all.
    Verdict,
}

/// What is known of a type by its name alone.
#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    /// Width in bits; 0 where the expression decides it.
    pub bits: u32,
    /// How its values lie in registers, unless the expression decides it.
    pub order: ByteOrder,
    /// What its values are made of.
    pub base: Base,
    /// What it is, for people.
    pub description: &'static str,
    /// Names of values, in the order in which nft lists them.
    pub symbols: &'static [Symbol],
}

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident { $($word:literal = $value:literal,)* })*) => {$(
        $(#[$doc])*
        pub(super) const $name: &[super::Symbol] = &[$(super::Symbol { name: $word, value: $value },)*];
    )*};
}
pub(crate) use symbols;

const NONE: &[Symbol] = &[];

/// The row of a type.
#[expect(clippy::too_many_lines, reason = "one row a type")]
pub fn info(datatype: DataType) -> TypeInfo {
    use Base::{Bitmask, Integer, String, Verdict};
    use ByteOrder::{Host, Network};
    let (bits, order, base, description, symbols) = match datatype {
        DataType::Integer => (0, Network, Integer, "integer", NONE),
        DataType::String => (0, Network, String, "string", NONE),
        DataType::LlAddr => (0, Network, Integer, "link layer address", NONE),
        DataType::Ipv4Addr => (32, Network, Integer, "IPv4 address", NONE),
        DataType::Ipv6Addr => (128, Network, Integer, "IPv6 address", NONE),
        DataType::EtherAddr => (48, Network, Integer, "Ethernet address", NONE),
        DataType::EtherType => (16, Network, Integer, "Ethernet protocol", link::ETHER_TYPE),
        DataType::ArpOp => (16, Network, Integer, "ARP operation", link::ARP_OP),
        DataType::InetProto => (8, Network, Integer, "Internet protocol", proto::INET_PROTO),
        DataType::InetService => (
            16,
            Network,
            Integer,
            "internet network service",
            service::INET_SERVICE,
        ),
        DataType::IcmpType => (8, Network, Integer, "ICMP type", icmp::ICMP_TYPE),
        DataType::IcmpCode => (8, Network, Integer, "ICMP code", icmp::ICMP_CODE),
        DataType::Icmpv6Type => (8, Network, Integer, "ICMPv6 type", icmp::ICMPV6_TYPE),
        DataType::Icmpv6Code => (8, Network, Integer, "ICMPv6 code", icmp::ICMPV6_CODE),
        DataType::IcmpxCode => (8, Network, Integer, "icmpx code", icmp::ICMPX_CODE),
        DataType::IgmpType => (8, Network, Integer, "IGMP type", icmp::IGMP_TYPE),
        DataType::MhType => (8, Network, Integer, "mobility header type", icmp::MH_TYPE),
        DataType::TcpFlag => (8, Network, Bitmask, "TCP flag", packet::TCP_FLAG),
        DataType::DccpPkttype => (
            4,
            Network,
            Integer,
            "DCCP packet type",
            packet::DCCP_PKTTYPE,
        ),
        DataType::Dscp => (
            6,
            Network,
            Integer,
            "differentiated services code point",
            packet::DSCP,
        ),
        DataType::Ecn => (
            2,
            Network,
            Integer,
            "explicit congestion notification",
            packet::ECN,
        ),
        DataType::MptcpSubtype => (
            4,
            Network,
            Integer,
            "mptcp option subtype",
            packet::MPTCP_SUBTYPE,
        ),
        DataType::Queue => (16, Host, Integer, "queue number", NONE),
        DataType::Mark => (32, Host, Integer, "packet mark", NONE),
        DataType::Realm => (32, Host, Integer, "routing realm", text::REALM),
        DataType::Classid => (32, Host, Integer, "traffic class", NONE),
        DataType::Devgroup => (32, Host, Integer, "devgroup name", text::DEVGROUP),
        DataType::IfaceIndex => (32, Host, Integer, "network interface index", NONE),
        DataType::IfaceType => (
            16,
            Host,
            Integer,
            "network interface type",
            link::IFACE_TYPE,
        ),
        DataType::Ifname => (128, Network, String, "network interface name", NONE),
        DataType::Uid => (32, Host, Integer, "user ID", text::UID),
        DataType::Gid => (32, Host, Integer, "group ID", text::GID),
        DataType::PktType => (8, Host, Integer, "packet type", link::PKT_TYPE),
        DataType::NfProto => (8, Host, Integer, "netfilter protocol", link::NF_PROTO),
        DataType::CtState => (32, Host, Bitmask, "conntrack state", conn::CT_STATE),
        DataType::CtDir => (8, Host, Integer, "conntrack direction", conn::CT_DIR),
        DataType::CtStatus => (32, Host, Bitmask, "conntrack status", conn::CT_STATUS),
        DataType::CtLabel => (128, Host, Bitmask, "conntrack label", NONE),
        DataType::CtEvent => (32, Host, Bitmask, "conntrack event bits", conn::CT_EVENT),
        DataType::FibAddrtype => (32, Host, Integer, "fib address type", link::FIB_ADDRTYPE),
        DataType::Boolean => (1, Host, Integer, "boolean type", text::BOOLEAN),
        DataType::Time => (64, Host, Integer, "relative time", NONE),
        DataType::DateTime => (64, Host, Integer, "date and time", NONE),
        DataType::Day => (8, Host, Integer, "day of week", time::DAY),
        DataType::Hour => (32, Host, Integer, "hour of day", NONE),
        DataType::Cgroupsv2 => (64, Host, Integer, "cgroupsv2 path", NONE),
        DataType::Verdict => (0, Host, Verdict, "netfilter verdict", NONE),
        DataType::Bitmask => (0, Network, Bitmask, "bitmask", NONE),
        DataType::Tunnel => (0, Network, Integer, "tunnel number", NONE),
    };
    TypeInfo {
        bits,
        order,
        base,
        description,
        symbols,
    }
}

/// The type of an expression: what its values mean, how wide they are, how they lie in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What they mean.
    pub datatype: DataType,
    /// How wide they are.
    pub bits: u32,
    /// How they lie in registers.
    pub order: ByteOrder,
}

impl Type {
    /// A type with the width and byte order that its name gives.
    pub fn of(datatype: DataType) -> Self {
        let info = info(datatype);
        Self {
            datatype,
            bits: info.bits,
            order: info.order,
        }
    }

    /// A type with a width and byte order of its own; strings always lie as in memory.
    pub fn new(datatype: DataType, bits: u32, order: ByteOrder) -> Self {
        let order = if info(datatype).base == Base::String {
            ByteOrder::Network
        } else {
            order
        };
        Self {
            datatype,
            bits,
            order,
        }
    }

    /// What its values are made of.
    pub fn base(self) -> Base {
        info(self.datatype).base
    }

    /// Bytes that a value takes.
    pub fn bytes(self) -> u8 {
        u8::try_from(self.bits.div_ceil(8)).unwrap_or(u8::MAX)
    }

    /// Bytes that a value takes within a concatenation.
    pub fn padded_bytes(self) -> u8 {
        self.bytes().div_ceil(4).saturating_mul(4)
    }

    /// The greatest value.
    pub fn max(self) -> u128 {
        mask(self.bits)
    }

    /// A value's bytes as they lie in a register.
    pub fn encode(self, value: u128) -> Data {
        encode(value, self.bytes(), self.order)
    }

    /// Whether comparing its values by size needs them swapped to network order first.
    pub fn needs_swap(self) -> bool {
        self.order == ByteOrder::Host && self.base() != Base::String && self.bits > 8
    }
}

/// A number with that many bits set.
pub fn mask(bits: u32) -> u128 {
    match bits {
        0 => 0,
        1..=127 => (1 << bits) - 1,
        _ => u128::MAX,
    }
}

/// The `len` low bytes of a value in the byte order given.
pub fn encode(value: u128, len: u8, order: ByteOrder) -> Data {
    let len = usize::from(len.min(16));
    let bytes = match order {
        ByteOrder::Network => value.to_be_bytes(),
        ByteOrder::Host => value.to_le_bytes(),
    };
    let part = match order {
        ByteOrder::Network => bytes.get(16 - len..),
        ByteOrder::Host => bytes.get(..len),
    };
    part.and_then(Data::new).unwrap_or(Data::zero(0))
}

/// The value whose bytes lie in a register; the inverse of [`encode`].
pub fn decode(bytes: &[u8], order: ByteOrder) -> u128 {
    let fold = |value: u128, byte: &u8| value << 8 | u128::from(*byte);
    match order {
        ByteOrder::Network => bytes.iter().take(16).fold(0, fold),
        ByteOrder::Host => bytes.iter().take(16).rev().fold(0, fold),
    }
}

/// The type that `type` in a set declaration names; `ct label`'s word is `ct_label` or two words.
pub fn by_name(name: &str) -> Option<DataType> {
    match name {
        "ct label" => Some(DataType::CtLabel),
        "ct event" => Some(DataType::CtEvent),
        "ct id" => None,
        "time_type" => Some(DataType::Time),
        // types of fields alone
        _ => DataType::from_word(name).filter(|found| {
            !matches!(
                found,
                DataType::Tunnel | DataType::MptcpSubtype | DataType::Queue
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_bytes() {
        let check = |value, len, order, bytes: &[u8]| {
            assert_eq!(encode(value, len, order).as_bytes(), bytes);
            assert_eq!(decode(bytes, order), value);
        };
        check(22, 2, ByteOrder::Network, &[0, 22]);
        check(22, 4, ByteOrder::Host, &[22, 0, 0, 0]);
        check(0x0a00_0001, 4, ByteOrder::Network, &[10, 0, 0, 1]);
        check(0, 0, ByteOrder::Network, &[]);
    }

    #[test]
    fn symbols_fit_their_type() {
        for &datatype in DataType::ALL {
            let info = info(datatype);
            for symbol in info.symbols {
                assert!(
                    u128::from(symbol.value) <= mask(info.bits),
                    "{} {}",
                    datatype.word(),
                    symbol.name
                );
            }
        }
    }
}
