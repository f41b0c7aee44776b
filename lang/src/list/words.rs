//! Words that text and JSON share.

use crate::datatype::{self, Type};
use redan_vm::datatype::DataType;
use redan_vm::instr::ObjectKind;
use std::fmt::Write as _;

/// The word of a kind of object.
pub(crate) fn object_word(kind: ObjectKind) -> &'static str {
    crate::check::kind_words(kind)
}

/// A layer 4 protocol by name.
pub(crate) fn protocol(number: u8) -> String {
    datatype::write(Type::of(DataType::InetProto), u128::from(number))
}

/// The family of an object by its number.
pub(crate) fn l3proto(number: Option<u8>) -> &'static str {
    match number {
        Some(redan_vm::family::nfproto::IPV4) => "ip",
        Some(redan_vm::family::nfproto::IPV6) => "ip6",
        _ => "inet",
    }
}

/// Flags of synproxy in nft's order.
pub(crate) fn synproxy_flags(flags: u32) -> Vec<&'static str> {
    [(8, "timestamp"), (4, "sack-perm")]
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, word)| *word)
        .collect()
}

/// Bytes in the largest unit that divides them, up to megabytes.
pub(crate) fn in_unit(bytes: u64) -> (u64, &'static str) {
    match bytes {
        0 => (0, "bytes"),
        _ if bytes.is_multiple_of(1 << 20) => (bytes >> 20, "mbytes"),
        _ if bytes.is_multiple_of(1 << 10) => (bytes >> 10, "kbytes"),
        _ => (bytes, "bytes"),
    }
}

/// The word of a limit's unit of time.
pub(crate) fn per(secs: u64) -> &'static str {
    match secs {
        1 => "second",
        60 => "minute",
        3600 => "hour",
        86_400 => "day",
        _ => "week",
    }
}

/// Names of log levels.
pub(crate) const LEVELS: &[&str] = &[
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit",
];

/// Bits of log flags.
pub(crate) const LOG_FLAGS: &[(u32, &str)] = &[
    (1, "tcp sequence"),
    (2, "tcp options"),
    (4, "ip options"),
    (8, "skuid"),
    (32, "ether"),
];

/// All of [`LOG_FLAGS`].
pub(crate) const LOG_ALL: u32 = 47;

/// The word of an ERSPAN tunnel's direction.
pub(crate) fn direction(egress: bool) -> &'static str {
    if egress { "egress" } else { "ingress" }
}

/// Bytes as `0x0102`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
