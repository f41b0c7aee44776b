//! Addresses as text.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv4 address.
pub(super) fn read_ipv4(text: &str) -> Option<u128> {
    text.parse::<Ipv4Addr>()
        .ok()
        .map(|addr| u128::from(u32::from(addr)))
}

/// An IPv6 address, also in brackets.
pub(super) fn read_ipv6(text: &str) -> Option<u128> {
    let text = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    text.parse::<Ipv6Addr>().ok().map(u128::from)
}

/// A link-layer address.
pub(super) fn read_mac(text: &str) -> Option<u128> {
    let mut value = 0;
    let mut count = 0;
    for part in text.split(':') {
        if part.is_empty() || part.len() > 2 {
            return None;
        }
        value = value << 8 | u128::from(u8::from_str_radix(part, 16).ok()?);
        count += 1;
    }
    (count == 6).then_some(value)
}

/// The text of an IPv4 address.
pub(super) fn write_ipv4(value: u128) -> String {
    Ipv4Addr::from(u32::try_from(value & 0xffff_ffff).unwrap_or(0)).to_string()
}

/// The text of an IPv6 address; one of 32 bits alone ends in an IPv4 address, as libc writes it.
pub(super) fn write_ipv6(value: u128) -> String {
    match u32::try_from(value) {
        Ok(low) if low > 0xffff => format!("::{}", Ipv4Addr::from(low)),
        _ => Ipv6Addr::from(value).to_string(),
    }
}

/// The text of a link-layer address.
pub(super) fn write_mac(value: u128) -> String {
    let bytes = value.to_be_bytes();
    bytes
        .iter()
        .skip(10)
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(":")
}
