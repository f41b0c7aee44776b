//! Fields and values as text.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::super::model::{Expr, Field};
use super::element_text;
use super::stmt::verdict_text;
use redan_vm::meta::MetaKey;

/// Binding strength of an operator.
fn strength(sign: &str) -> u8 {
    match sign {
        "<<" | ">>" => 1,
        "&" => 2,
        "^" => 3,
        _ => 4,
    }
}

fn operand(sign: &str, expr: &Expr) -> String {
    match expr {
        Expr::Binary(inner, _) if strength(inner) > strength(sign) => {
            format!("({})", expr_text(expr))
        }
        _ => expr_text(expr),
    }
}

/// An expression as nft writes it.
pub(crate) fn expr_text(expr: &Expr) -> String {
    let join =
        |items: &[Expr], sign: &str| items.iter().map(expr_text).collect::<Vec<_>>().join(sign);
    match expr {
        Expr::Word(word) => word.clone(),
        Expr::Quoted(text) => format!("\"{text}\""),
        Expr::Number(_, text) | Expr::Numbered(_, text) => text.clone(),
        Expr::Present(true) => "exists".to_owned(),
        Expr::Present(false) => "missing".to_owned(),
        Expr::Prefix(addr, len) => format!("{}/{len}", expr_text(addr)),
        Expr::Range(ends) => format!("{}-{}", expr_text(&ends.0), expr_text(&ends.1)),
        Expr::Concat(parts) => join(parts, " . "),
        Expr::Set(elements) => {
            let elements: Vec<String> = elements.iter().map(element_text).collect();
            format!("{{ {} }}", elements.join(", "))
        }
        Expr::SetRef(name) => format!("@{name}"),
        Expr::List(items) => join(items, ","),
        Expr::Binary(sign, sides) => {
            format!(
                "{} {sign} {}",
                operand(sign, &sides.0),
                operand(sign, &sides.1)
            )
        }
        Expr::Map(sides) => format!("{} map {}", expr_text(&sides.0), expr_text(&sides.1)),
        Expr::Verdict(word, chain) => verdict_text(word, chain.as_deref()),
        Expr::CatchAll => "*".to_owned(),
        Expr::Field(field) => field_text(field),
    }
}

/// Keys of `meta` that nft writes without it.
fn is_bare(key: &str) -> bool {
    MetaKey::from_word(key).is_some_and(|key| {
        matches!(
            key,
            MetaKey::Iif
                | MetaKey::Oif
                | MetaKey::Iifname
                | MetaKey::Oifname
                | MetaKey::Iifgroup
                | MetaKey::Oifgroup
        )
    })
}

fn field_text(field: &Field) -> String {
    let option = |word: &str, name: &str, field: Option<&str>| {
        let field = field.map_or_else(String::new, |field| format!(" {field}"));
        format!("{word} {name}{field}")
    };
    match field {
        Field::Payload(protocol, name) => format!("{protocol} {name}"),
        Field::Raw(base, offset, bits) => format!("@{base},{offset},{bits}"),
        Field::Inner(tunnel, inner) => format!("{tunnel} {}", field_text(inner)),
        Field::Exthdr(name, field, index) => {
            let index = index.map_or_else(String::new, |index| format!("[{index}]"));
            match field {
                Some(field) => format!("{name} {field}{index}"),
                None => format!("exthdr {name}"),
            }
        }
        Field::TcpOption(name, field) => option("tcp option", name, *field),
        Field::RawTcpOption(kind, offset, bits) => match (offset, bits) {
            (0, 8) => format!("tcp option {kind}"),
            _ => format!("tcp option @{kind},{offset},{bits}"),
        },
        Field::IpOption(name, field) => option("ip option", name, *field),
        Field::SctpChunk(name, field) => option("sctp chunk", name, *field),
        Field::DccpOption(kind) => format!("dccp option {kind}"),
        Field::Meta(key) if is_bare(key) => (*key).to_owned(),
        Field::Meta(key) => format!("meta {key}"),
        Field::Ct(dir, key, _) => {
            let dir = dir.map_or_else(String::new, |dir| format!("{dir} "));
            format!("ct {dir}{key}")
        }
        Field::Fib(keys, result) => format!("fib {} {result}", keys.join(" . ")),
        Field::Rt(family, key) => {
            let family = family.map_or_else(String::new, |family| format!("{family} "));
            format!("rt {family}{key}")
        }
        Field::Socket(key, level) => {
            let level = level.map_or_else(String::new, |level| format!(" level {level}"));
            format!("socket {key}{level}")
        }
        Field::Osf(ttl, key) => {
            let ttl = ttl.map_or_else(String::new, |ttl| format!("ttl {ttl} "));
            format!("osf {ttl}{key}")
        }
        Field::Ipsec(dir, spnum, family, key) => {
            let spnum = if *spnum == 0 {
                String::new()
            } else {
                format!(" spnum {spnum}")
            };
            let family = family.map_or_else(String::new, |family| format!("{family} "));
            format!("ipsec {dir}{spnum} {family}{key}")
        }
        Field::Tunnel(key) => format!("tunnel {key}"),
        Field::Numgen(mode, modulus, offset) => {
            format!("numgen {mode} mod {modulus}{}", offset_text(*offset))
        }
        Field::Jhash(key, modulus, seed, offset) => {
            let seed = seed.map_or_else(String::new, |seed| format!(" seed 0x{seed:x}"));
            format!(
                "jhash {} mod {modulus}{seed}{}",
                expr_text(key),
                offset_text(*offset)
            )
        }
        Field::Symhash(modulus, offset) => format!("symhash mod {modulus}{}", offset_text(*offset)),
    }
}

fn offset_text(offset: u32) -> String {
    if offset == 0 {
        String::new()
    } else {
        format!(" offset {offset}")
    }
}
