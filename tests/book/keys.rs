//! Keys of `meta` and `ct`.

use std::fmt::Write as _;

use redan_vm::ct::CtKey;
use redan_vm::datatype::DataType;
use redan_vm::meta::{ByteOrder, MetaKey};

use crate::code;
use crate::page::{GENERATED, clause, inline};
use crate::types::sample;

/// Which values say something where the type's do not.
const META_VALUES: &[(MetaKey, &str)] = &[
    (MetaKey::Length, "> 1280"),
    (MetaKey::Ibrpvid, "10"),
    (MetaKey::Ibrvproto, "8021q"),
    (MetaKey::Cpu, "0"),
    (MetaKey::Random, "< 0x7fffffff"),
    (MetaKey::Nfproto, "ipv6"),
    (MetaKey::Hour, "\"08:00\"-\"17:30\""),
    (MetaKey::Iifkind, "\"bridge\""),
    (MetaKey::Oifkind, "\"vlan\""),
];

/// Keys of packets that are only written.
const WRITTEN: &[(MetaKey, &str)] = &[
    (MetaKey::Broute, "meta broute set 1"),
    (MetaKey::Secmark, "meta secmark set \"ssh\""),
];

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Keys of meta and ct\n\n\
         What a rule may ask about a packet beside its bytes. A value in network order lies as on the wire, one in the machine's order as a number. Types are in \
         [types.md](types.md).\n\n\
         ## meta\n\n\
         Keys marked *alone* may stand without the word `meta`: `iifname \"lan0\"`.\n\n\
         | key | | bits | order | type | what | example |\n|---|---|---|---|---|---|---|\n",
    );
    for &key in MetaKey::ALL {
        _ = writeln!(
            out,
            "| `meta {}` | {} | {} | {} | {} | {} | {} |",
            key.word(),
            if key.is_bare() { "alone" } else { "" },
            key.bits(),
            order(key.byte_order()),
            link(key.datatype()),
            clause(key.doc()),
            inline(&meta_example(key))
        );
    }
    out.push_str(
        "\n## ct\n\n\
         What connection tracking knows; see [conntrack.md](../conntrack.md). A packet without a connection has only `ct state`, and every other key does not match. Keys marked \
         *direction* take `original` or `reply` behind `ct`, some must.\n\n\
         | key | | bits | order | type | what | example |\n|---|---|---|---|---|---|---|\n",
    );
    for &key in CtKey::ALL {
        let Some(example) = ct_example(key) else {
            continue;
        };
        code::rule("inet", "", "", &example);
        _ = writeln!(
            out,
            "| `ct {}` | {} | {} | {} | {} | {} | {} |",
            key.word(),
            if example.contains("original ") && key != CtKey::Direction {
                "direction"
            } else {
                ""
            },
            key.bits(),
            order(key.byte_order()),
            link(key.datatype()),
            clause(key.doc()),
            inline(&example)
        );
    }
    out
}

fn link(datatype: DataType) -> String {
    let word = datatype.word();
    format!("[{word}](types.md#{word})")
}

const fn order(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Host => "machine",
        ByteOrder::Network => "network",
    }
}

/// A rule with the key, compiled.
fn meta_example(key: MetaKey) -> String {
    if let Some((_, example)) = WRITTEN.iter().find(|(written, _)| *written == key) {
        return (*example).to_owned();
    }
    let meta = if key.is_bare() { "" } else { "meta " };
    let value = META_VALUES
        .iter()
        .find(|(valued, _)| *valued == key)
        .map_or_else(
            || sample(key.datatype(), key.bits()),
            |(_, value)| (*value).to_owned(),
        );
    let example = format!("{meta}{} {value}", key.word());
    let family = match key {
        MetaKey::Ibrname
        | MetaKey::Obrname
        | MetaKey::Ibrpvid
        | MetaKey::Ibrvproto
        | MetaKey::Ibrhwaddr => "bridge",
        _ => "inet",
    };
    code::rule(family, "", "", &example);
    example
}

/// A rule with the key; nothing for those that have no word of their own in rules.
fn ct_example(key: CtKey) -> Option<String> {
    let rule = match key {
        CtKey::Secmark | CtKey::Saddr | CtKey::Daddr => return None,
        CtKey::Label => "ct label set 1".to_owned(),
        CtKey::Event => "ct event set new,destroy".to_owned(),
        CtKey::L3proto => "ct original l3proto ipv4".to_owned(),
        CtKey::SaddrIp | CtKey::DaddrIp | CtKey::SaddrIp6 | CtKey::DaddrIp6 | CtKey::Protocol => {
            format!(
                "ct original {} {}",
                key.word(),
                sample(key.datatype(), key.bits())
            )
        }
        CtKey::ProtoSrc | CtKey::ProtoDst => {
            format!("meta l4proto tcp ct original {} 443", key.word())
        }
        CtKey::Packets | CtKey::Bytes => format!("ct original {} > 1000", key.word()),
        CtKey::Avgpkt => "ct avgpkt > 1000".to_owned(),
        CtKey::Expiration => "ct expiration < 30s".to_owned(),
        CtKey::Zone => "ct zone 5".to_owned(),
        CtKey::State
        | CtKey::Direction
        | CtKey::Status
        | CtKey::Mark
        | CtKey::Helper
        | CtKey::Id => {
            format!("ct {} {}", key.word(), sample(key.datatype(), key.bits()))
        }
    };
    Some(rule)
}
