//! Layer 4 protocols by number and name.

use crate::datatype::{Clock, Type, read_symbol, write};
use redan_vm::datatype::DataType;

/// A protocol by number or by a name of /etc/protocols; 0 is every one.
pub(super) fn number(text: &str) -> Option<u8> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "all" => Some(0),
        // iptables' own names (xtables.c: xtables_chain_protos)
        "ipv6-mh" | "mobility-header" => Some(135),
        "icmp6" => Some(58),
        _ => {
            if let Ok(number) = lower.parse() {
                Some(number)
            } else {
                let ty = Type::of(DataType::InetProto);
                read_symbol(ty, &lower, Clock::fixed(0))
                    .ok()
                    .and_then(|value| value.try_into().ok())
            }
        }
    }
}

/// Protocols that nft prints by name everywhere; the names of others depend on the machine's own list.
const NAMED: &[u8] = &[1, 2, 6, 17, 33, 47, 50, 51, 58, 108, 132, 136];

/// nft's word for a protocol.
pub(super) fn word(number: u8) -> String {
    match number {
        58 => "icmpv6".to_owned(),
        108 => "comp".to_owned(),
        number if NAMED.contains(&number) => write(Type::of(DataType::InetProto), number.into()),
        number => number.to_string(),
    }
}
