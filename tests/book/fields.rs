//! Fields of headers.

use std::fmt::Write as _;

use redan_lang::datatype::info;
use redan_vm::datatype::DataType;
use redan_vm::family::nfproto;
use redan_vm::field::{Field, Header, Requires, fields, find};
use redan_vm::instr::ChecksumKind;

use crate::code;
use crate::page::{GENERATED, clause, inline};
use crate::types::sample;

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Fields of headers\n\n\
         A match is a field and what it is compared with: `ip saddr 192.0.2.1`, `tcp dport { 22, 80-90 }`, `ip ttl < 5`. Offsets are bytes (and bits) \
         from the start of the header, as in its RFC; every field lies in network order. The column *loads* shows what the field compiles to: \
         `payload load 2b @ transport header + 2` reads two bytes. Types are in [types.md](types.md). A packet that ends before the field does not match, \
         whatever the comparison.\n",
    );
    for &header in Header::ALL {
        // What can be read of a gretap is in the frame inside it.
        if !fields(header).is_empty() {
            section(&mut out, header);
        }
    }
    out
}

fn section(out: &mut String, header: Header) {
    _ = write!(
        out,
        "\n## {}\n\n{}. {}{}\n",
        header.word(),
        clause(header.doc()),
        implies(header),
        mends(header)
    );
    out.push_str(
        "\n| field | bits | offset | type | loads | example |\n|---|---|---|---|---|---|\n",
    );
    for field in fields(header) {
        let example = example(field);
        let code = code::rule(family(header), "", "", &example);
        _ = writeln!(
            out,
            "| {} | {} | {} | [{}](types.md#{}) | {} | {} |",
            inline(&format!("{} {}", header.word(), field.name)),
            field.bit_width,
            offset(field.bit_offset),
            field.datatype.word(),
            field.datatype.word(),
            inline(&code::last_load(&code)),
            inline(&example)
        );
    }
    messages(out, header);
    let bit_field = fields(header).iter().find(|field| !field.is_whole_bytes());
    for field in typical(header).into_iter().chain(bit_field) {
        let example = example(field);
        let code = code::rule(family(header), "", "", &example);
        _ = write!(
            out,
            "\n`{example}` in a table of family {} compiles to\n\n```text\n{code}```\n",
            family(header)
        );
    }
}

/// A field of whole bytes that people ask for.
fn typical(header: Header) -> Option<&'static Field> {
    let whole = |field: &&Field| field.is_whole_bytes() && field.message_types.is_empty();
    ["saddr", "dport", "type", "operation"]
        .iter()
        .find_map(|name| find(header, name).filter(whole))
        .or_else(|| fields(header).iter().find(whole))
}

/// Which fields are those of certain messages only.
fn messages(out: &mut String, header: Header) {
    for field in fields(header) {
        if field.message_types.is_empty() {
            continue;
        }
        let datatype = match header {
            Header::Icmp => DataType::IcmpType,
            _ => DataType::Icmpv6Type,
        };
        let symbols = info(datatype).symbols;
        let names: Vec<String> = field
            .message_types
            .iter()
            .map(|&number| {
                let symbol = symbols
                    .iter()
                    .find(|symbol| symbol.value == u64::from(number));
                symbol.map_or_else(|| number.to_string(), |symbol| format!("`{}`", symbol.name))
            })
            .collect();
        _ = write!(
            out,
            "\n`{} {}` is of messages of type {} and implies {} where the rule does not say it.\n",
            header.word(),
            field.name,
            names.join(" or "),
            if names.len() == 1 {
                "that"
            } else {
                "one of them"
            }
        );
    }
}

/// A byte offset with the bits behind it.
pub(crate) fn offset(bits: u16) -> String {
    match (bits / 8, bits % 8) {
        (bytes, 0) => bytes.to_string(),
        (bytes, 1) => format!("{bytes} + 1 bit"),
        (bytes, bits) => format!("{bytes} + {bits} bits"),
    }
}

/// The family whose tables see the header best.
const fn family(header: Header) -> &'static str {
    match header {
        Header::Ether | Header::Vlan => "bridge",
        Header::Arp => "arp",
        _ => "inet",
    }
}

/// A match on the field.
fn example(field: &Field) -> String {
    let header = field.header;
    let before = match header {
        Header::Th => "meta l4proto { tcp, udp } ",
        Header::Vxlan => "udp dport 4789 ",
        Header::Geneve => "udp dport 6081 ",
        _ => "",
    };
    let value = sample(field.datatype, u32::from(field.bit_width));
    format!("{before}{} {} {value}", header.word(), field.name)
}

fn implies(header: Header) -> String {
    let network = |number: u8| match number {
        nfproto::IPV4 => ("ipv4", "ip"),
        nfproto::IPV6 => ("ipv6", "ip6"),
        _ => ("arp", "arp"),
    };
    let protocol = |number: u8| {
        let symbols = info(DataType::InetProto).symbols;
        symbols
            .iter()
            .find(|symbol| symbol.value == u64::from(number))
            .map_or_else(|| number.to_string(), |symbol| symbol.name.to_owned())
    };
    match header.info().requires {
        Requires::Nothing => "Implies nothing: say which protocols you mean.".to_owned(),
        Requires::EtherDevice => {
            "Outside bridge and netdev tables it implies `meta iiftype ether`.".to_owned()
        }
        Requires::EtherType(_) => "Implies `ether type 8021q`.".to_owned(),
        Requires::Network { nfproto, .. } if nfproto == nfproto::ARP => {
            "In bridge and netdev tables it implies `meta protocol arp`.".to_owned()
        }
        Requires::Network { nfproto, .. } => {
            let (word, ethertype) = network(nfproto);
            format!(
                "Implies `meta nfproto {word}` in inet tables and `meta protocol {ethertype}` in bridge and netdev tables."
            )
        }
        Requires::Transport(number) => format!("Implies `meta l4proto {}`.", protocol(number)),
        Requires::Both {
            nfproto, l4proto, ..
        } => {
            let (word, _) = network(nfproto);
            format!(
                "Implies `meta nfproto {word}` in tables that see both, and `meta l4proto {}`.",
                protocol(l4proto)
            )
        }
    }
}

fn mends(header: Header) -> String {
    match header.info().checksum {
        (ChecksumKind::None, _) => String::new(),
        (ChecksumKind::Inet, at) => format!(" Writing a field mends the checksum at byte {at}."),
        (ChecksumKind::Sctp, at) => format!(" Writing a field mends the CRC32c at byte {at}."),
    }
}
