//! ipset's sets: what `ipset save` prints, as nft's sets.

use super::addr;
use super::build::{Build, name as nft_name};
use super::matches::port_of;
use super::nft::Object;
use super::proto;
use super::source::Family;
use super::words::Word;
use std::collections::BTreeMap;

/// A set of ipset.
#[derive(Debug)]
pub(super) struct Set {
    ty: String,
    family: Family,
    timeout: Option<u64>,
    counters: bool,
    elements: Vec<Vec<String>>,
}

/// Sets by name.
pub(super) type Sets = BTreeMap<String, Set>;

/// A command of ipset: create and add; what destroys or swaps is of no use in a dump.
///
/// # Errors
/// What is wrong with it.
pub(super) fn command(words: &[Word], sets: &mut Sets) -> Result<(), String> {
    let bad = |message: String| Err(message);
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    match texts.as_slice() {
        ["create" | "-N" | "n", name, ty, options @ ..] => {
            let after = |word: &str| {
                options
                    .iter()
                    .position(|option| *option == word)
                    .and_then(|at| options.get(at + 1))
            };
            let family = if after("family") == Some(&"inet6") {
                Family::V6
            } else {
                Family::V4
            };
            let timeout = after("timeout").and_then(|text| text.parse().ok());
            let counters = options.contains(&"counters");
            if parts(ty).is_none() {
                return bad(format!("nft has no sets of type {ty}"));
            }
            let set = Set {
                ty: (*ty).to_owned(),
                family,
                timeout,
                counters,
                elements: Vec::new(),
            };
            sets.insert((*name).to_owned(), set);
            Ok(())
        }
        ["add" | "-A" | "a", name, element @ ..] => {
            let Some(set) = sets.get_mut(*name) else {
                return bad(format!("the set `{name}` is created nowhere above"));
            };
            if element.contains(&"nomatch") {
                return bad("nft's sets have no elements that stand for no match".to_owned());
            }
            set.elements
                .push(element.iter().map(|word| (*word).to_owned()).collect());
            Ok(())
        }
        _ => bad("of ipset's commands only create and add are read".to_owned()),
    }
}

/// The parts of a type: `hash:ip,port` has two.
fn parts(ty: &str) -> Option<Vec<&str>> {
    let (method, parts) = ty.split_once(':')?;
    let parts: Vec<&str> = parts.split(',').collect();
    let known = |part: &&str| matches!(*part, "ip" | "net" | "port" | "mac" | "mark" | "iface");
    (matches!(method, "hash" | "bitmap") && parts.iter().all(known)).then_some(parts)
}

/// nft's type of a part; a port has its protocol in front of it, but for `bitmap:port`.
fn ty(set: &Set, part: &str) -> &'static str {
    match part {
        "port" if set.ty.starts_with("bitmap") => "inet_service",
        "port" => "inet_proto . inet_service",
        "mac" => "ether_addr",
        "mark" => "mark",
        "iface" => "ifname",
        _ => set.family.addr(),
    }
}

/// The set's name in nft and the expression that is looked up in it; declares the set in the table.
pub(super) fn expression(
    build: &mut Build<'_>,
    name: &str,
    directions: &str,
) -> Result<(String, String), String> {
    let Some(set) = build.world.sets.get(name) else {
        return Err(format!(
            "the set `{name}` is in none of the files; give what `ipset save` prints as a further file"
        ));
    };
    let parts = parts(&set.ty).unwrap_or_default();
    let sides: Vec<&str> = directions.split(',').collect();
    if sides.len() != parts.len() {
        return Err(format!(
            "the set `{name}` has {} parts and {} directions",
            parts.len(),
            sides.len()
        ));
    }
    if set.family != build.family && parts.iter().any(|part| matches!(*part, "ip" | "net")) {
        return Err(format!(
            "the set `{name}` has addresses of the other family"
        ));
    }
    let mut key = Vec::new();
    for (part, side) in parts.iter().zip(sides) {
        let source = side == "src";
        key.push(match *part {
            "port" if set.ty.starts_with("bitmap") => {
                format!("th {}", if source { "sport" } else { "dport" })
            }
            "port" => format!(
                "meta l4proto . th {}",
                if source { "sport" } else { "dport" }
            ),
            "mac" if source => "ether saddr".to_owned(),
            "mac" => "ether daddr".to_owned(),
            "mark" => "meta mark".to_owned(),
            "iface" if source => "iifname".to_owned(),
            "iface" => "oifname".to_owned(),
            _ => format!(
                "{} {}",
                build.header(),
                if source { "saddr" } else { "daddr" }
            ),
        });
    }
    let object = declare(set, &parts, name)?;
    let known = object.name.clone();
    build.shared.object(object);
    Ok((known, key.join(" . ")))
}

fn declare(set: &Set, parts: &[&str], name: &str) -> Result<Object, String> {
    let types: Vec<&str> = parts.iter().map(|part| ty(set, part)).collect();
    let mut body = vec![format!("type {}", types.join(" . "))];
    let mut flags = Vec::new();
    let elements: Result<Vec<String>, String> = set
        .elements
        .iter()
        .map(|element| self::element(set, parts, element))
        .collect();
    let elements = elements?;
    let interval = parts.contains(&"net")
        || elements
            .iter()
            .any(|text| text.contains('-') || text.contains('/'));
    if interval {
        flags.push("interval");
    }
    if set.timeout.is_some() {
        flags.push("timeout");
    }
    if !flags.is_empty() {
        body.push(format!("flags {}", flags.join(",")));
    }
    if let Some(timeout) = set.timeout.filter(|timeout| *timeout > 0) {
        body.push(format!("timeout {timeout}s"));
    }
    if interval && parts.len() == 1 {
        body.push("auto-merge".to_owned());
    }
    if set.counters {
        body.push("counter".to_owned());
    }
    if !elements.is_empty() {
        body.push(format!(
            "elements = {{\n\t\t\t{}\n\t\t}}",
            elements.join(",\n\t\t\t")
        ));
    }
    Ok(Object {
        kind: "set",
        name: nft_name(name),
        body,
    })
}

fn element(set: &Set, parts: &[&str], words: &[String]) -> Result<String, String> {
    let (Some(first), options) = (words.first(), words.get(1..).unwrap_or_default()) else {
        return Err("an element is empty".to_owned());
    };
    let bad = || format!("the element `{first}` of a set of ipset cannot be read");
    let values: Vec<&str> = first.split(',').collect();
    if values.len() != parts.len() {
        return Err(bad());
    }
    let one = |(part, value): (&&str, &&str)| -> Option<String> {
        Some(match *part {
            "port" => match value.split_once(':') {
                Some((protocol, port)) => {
                    let (first, last) = port_of(port, '-')?;
                    let port = super::nft::Value::numbers(first.into(), last.into()).text;
                    format!("{} . {port}", proto::word(proto::number(protocol)?))
                }
                None if set.ty.starts_with("bitmap") => (*value).to_owned(),
                None => {
                    let (first, last) = port_of(value, '-')?;
                    format!(
                        "tcp . {}",
                        super::nft::Value::numbers(first.into(), last.into()).text
                    )
                }
            },
            "iface" => format!("\"{value}\""),
            "mac" | "mark" => (*value).to_owned(),
            _ if value.contains('-') => addr::range(set.family, value)?.text,
            _ => addr::net(set.family, value)?.value()?.text,
        })
    };
    let values: Option<Vec<String>> = parts.iter().zip(&values).map(one).collect();
    let mut out = values.ok_or_else(bad)?.join(" . ");
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match (option.as_str(), options.next()) {
            ("timeout", Some(_)) if set.timeout.is_none() => return Err(bad()),
            ("timeout", Some(seconds)) => {
                let seconds: u64 = seconds.parse().map_err(|_| bad())?;
                out = if seconds == 0 {
                    out
                } else {
                    format!("{out} timeout {seconds}s")
                };
            }
            ("comment", Some(text)) => {
                out = format!("{out} comment \"{}\"", text.replace('"', "'"));
            }
            ("packets" | "bytes", Some(_)) => {}
            _ => return Err(bad()),
        }
    }
    Ok(out)
}
