//! Data types and their symbols, and a value of each for examples.

use std::fmt::Write as _;

use redan_lang::datatype::{Base, info};
use redan_vm::datatype::DataType;
use redan_vm::meta::ByteOrder;

use crate::page::{GENERATED, capital};

/// Symbols that examples prefer.
const TYPICAL: &[&str] = &[
    "tcp",
    "ip",
    "echo-request",
    "request",
    "cs1",
    "ce",
    "syn",
    "established",
    "original",
    "assured",
    "Monday",
    "membership-query",
    "binding-update",
    "ether",
    "host",
    "ipv4",
    "exists",
];

/// A value that a field of this type and width may be compared with, as rules write it.
pub(crate) fn sample(datatype: DataType, bits: u32) -> String {
    let fixed = match datatype {
        DataType::Ipv4Addr => "192.0.2.1",
        DataType::Ipv6Addr => "2001:db8::1",
        DataType::EtherAddr | DataType::LlAddr => "02:00:00:00:00:01",
        DataType::InetService => "443",
        DataType::Mark | DataType::CtLabel => "0x1",
        DataType::Classid => "1:10",
        DataType::IfaceIndex | DataType::Ifname => "\"lan0\"",
        DataType::String => "\"ftp\"",
        DataType::Time => "30s",
        DataType::DateTime => "\"2030-01-01 12:00:00\"",
        DataType::Hour => "\"08:30\"",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    let symbols = info(datatype).symbols;
    let typical = TYPICAL
        .iter()
        .find_map(|word| symbols.iter().find(|symbol| symbol.name == *word));
    match typical.or_else(|| symbols.first()) {
        Some(symbol) => symbol.name.to_owned(),
        None => ["1", "1", "2", "5"]
            .get(bits as usize)
            .map_or_else(|| "9".to_owned(), |small| (*small).to_owned()),
    }
}

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Data types\n\nWhat `type` in a set's declaration may name, what fields and keys are of, and the words that stand for values. Numbers go \
         everywhere where words go, in decimal or, after `0x`, in hexadecimal.\n",
    );
    for &datatype in DataType::ALL {
        // types of fields alone
        if matches!(datatype, DataType::Tunnel | DataType::Queue) {
            continue;
        }
        let info = info(datatype);
        let width = match info.bits {
            0 => "as wide as its field".to_owned(),
            1 => "1 bit".to_owned(),
            bits => format!("{bits} bits"),
        };
        let order = match (info.base, info.order) {
            (Base::String | Base::Verdict, _) => "",
            (_, ByteOrder::Network) => ", in network order",
            (_, ByteOrder::Host) => ", in the machine's order",
        };
        let base = match info.base {
            Base::Integer => "a number",
            Base::Bitmask => "flags",
            Base::String => "text",
            Base::Verdict => "a verdict",
        };
        let name = datatype.word();
        _ = write!(
            out,
            "\n## {name}\n\n{}: {base}, {width}{order}.\n",
            capital(info.description)
        );
        if !info.symbols.is_empty() {
            out.push('\n');
            for (at, symbol) in info.symbols.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                let value = if info.base == Base::Bitmask || datatype == DataType::EtherType {
                    format!("{:#x}", symbol.value)
                } else {
                    symbol.value.to_string()
                };
                _ = write!(out, "{comma}`{}` {value}", symbol.name);
            }
            out.push_str(".\n");
        }
    }
    out
}
