//! limit, hashlimit, connlimit, quota, statistic: what counts packets.

use super::super::addr;
use super::super::build::{Build, name, number};
use super::super::module::{Given, How, Module, Opt, Seen, a_match, opt};
use super::super::nft::Object;

use How::{Exact, Refused};

const LIMIT: &[Opt] = &[
    opt(&["--limit"], 1, Exact, "`limit rate 3/minute`"),
    opt(&["--limit-burst"], 1, Exact, "`burst 5 packets`"),
];
const HASHLIMIT: &[Opt] = &[
    opt(
        &["--hashlimit-upto", "--hashlimit"],
        1,
        Exact,
        "`update @NAME { ip saddr limit rate 3/minute burst 5 packets }`",
    ),
    opt(&["--hashlimit-above"], 1, Exact, "`limit rate over`"),
    opt(&["--hashlimit-burst"], 1, Exact, "`burst`"),
    opt(
        &["--hashlimit-mode"],
        1,
        Exact,
        "the set's key; without one a plain `limit`",
    ),
    opt(
        &["--hashlimit-srcmask"],
        1,
        Exact,
        "`ip saddr & 255.255.255.0`",
    ),
    opt(
        &["--hashlimit-dstmask"],
        1,
        Exact,
        "`ip daddr & 255.255.255.0`",
    ),
    opt(&["--hashlimit-name"], 1, Exact, "the set's name"),
    opt(
        &["--hashlimit-htable-size"],
        1,
        Exact,
        "nothing: how the table is hashed",
    ),
    opt(&["--hashlimit-htable-max"], 1, Exact, "`size`"),
    opt(&["--hashlimit-htable-expire"], 1, Exact, "`timeout`"),
    opt(
        &["--hashlimit-htable-gcinterval"],
        1,
        Exact,
        "nothing: how often old entries are looked for",
    ),
    opt(
        &["--hashlimit-rate-match"],
        0,
        Refused("nft limits packets and does not classify flows by their rate"),
        "",
    ),
    opt(
        &["--hashlimit-rate-interval"],
        1,
        Refused("nft limits packets and does not classify flows by their rate"),
        "",
    ),
];
const CONNLIMIT: &[Opt] = &[
    opt(
        &["--connlimit-above"],
        1,
        Exact,
        "`add @connlimit0 { ip saddr ct count over 2 }`",
    ),
    opt(&["--connlimit-upto"], 1, Exact, "`ct count 2`"),
    opt(
        &["--connlimit-mask"],
        1,
        Exact,
        "`ip saddr & 255.255.255.0`; 0 is a plain `ct count`",
    ),
    opt(
        &["--connlimit-saddr"],
        0,
        Exact,
        "`ip saddr`, which is the default",
    ),
    opt(&["--connlimit-daddr"], 0, Exact, "`ip daddr`"),
];
const QUOTA: &[Opt] = &[opt(
    &["--quota"],
    1,
    Exact,
    "`quota 111 bytes`, `quota over 111 bytes`",
)];
const STATISTIC: &[Opt] = &[
    opt(&["--mode"], 1, Exact, "`numgen random` or `numgen inc`"),
    opt(
        &["--probability"],
        1,
        Exact,
        "`numgen random mod 4 0`, or the fraction of 2^31 that iptables keeps",
    ),
    opt(&["--every"], 1, Exact, "`numgen inc mod N`"),
    opt(&["--packet"], 1, Exact, "which of the N, from 0"),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["limit"], LIMIT, limit).becomes("`limit rate 3/hour burst 5 packets`"),
    a_match(&["hashlimit"], HASHLIMIT, hashlimit),
    a_match(&["connlimit"], CONNLIMIT, connlimit),
    a_match(&["quota"], QUOTA, |build, seen| {
        for given in &seen.options {
            match number(given.value()) {
                Some(bytes) => build.act(format!(
                    "quota {}{bytes} bytes",
                    if given.not { "over " } else { "" }
                )),
                None => build.refuse(given.span, "a quota is a number of bytes"),
            }
        }
    }),
    a_match(&["statistic"], STATISTIC, statistic),
];

/// A rate: nft's text for it, and how many seconds its unit has.
fn rate(text: &str) -> Option<(String, u64)> {
    let (amount, unit) = text.split_once('/').unwrap_or((text, "second"));
    // libxt_limit: a unit may be cut short
    let (word, seconds) = [
        ("second", 1),
        ("minute", 60),
        ("hour", 3600),
        ("day", 86400),
    ]
    .into_iter()
    .find(|(word, _)| {
        !unit.is_empty()
            && (word.starts_with(unit)
                || unit == format!("{word}s")
                || (unit == "sec" || unit == "min") && word.starts_with(unit))
    })?;
    let bytes = [("kb", "kbytes"), ("mb", "mbytes"), ("b", "bytes")];
    if let Some((number, size)) = bytes
        .iter()
        .find_map(|(short, long)| Some((amount.strip_suffix(short)?, *long)))
    {
        let number: u64 = number.parse().ok()?;
        return Some((format!("{number} {size}/{word}"), seconds));
    }
    let amount: u64 = amount.parse().ok().filter(|amount| *amount > 0)?;
    Some((format!("{amount}/{word}"), seconds))
}

fn bad_rate(build: &mut Build<'_>, given: &Given) {
    build.refuse(given.span, format!("`{}` is no rate", given.value()));
}

fn limit(build: &mut Build<'_>, seen: &Seen) {
    let given = seen.get("--limit");
    let text = given.map_or("3/hour", Given::value);
    let burst = match seen.value("--limit-burst").map(number) {
        None => 5,
        Some(Some(burst)) => burst,
        Some(None) => return build.refuse(seen.span, "a burst is a number of packets"),
    };
    match rate(text) {
        Some(_) if given.is_some_and(|given| given.not) => {
            build.refuse(seen.span, "iptables has no negated limit");
        }
        Some((rate, _)) if burst == 0 => build.act(format!("limit rate {rate}")),
        Some((rate, _)) => build.act(format!("limit rate {rate} burst {burst} packets")),
        None => {
            if let Some(given) = given {
                bad_rate(build, given);
            }
        }
    }
}

/// A part of a set's key: the expression, and its type.
type Part = (String, &'static str);

fn masked_key(build: &Build<'_>, side: &str, mask: Option<u32>) -> Option<Part> {
    let header = build.header();
    let bits = mask.unwrap_or(build.family.bits());
    if bits > build.family.bits() {
        return None;
    }
    let key = format!("{header} {side}");
    let key = if bits == build.family.bits() {
        key
    } else {
        format!(
            "{key} & {}",
            addr::text(build.family, addr::prefix_mask(build.family, bits))
        )
    };
    Some((key, build.family.addr()))
}

/// The parts of a key as an expression and a type.
fn concat(parts: &[Part]) -> (String, String) {
    let join = |of: fn(&Part) -> &str| parts.iter().map(of).collect::<Vec<_>>().join(" . ");
    (join(|part| &part.0), join(|part| part.1))
}

/// The burst of a limit of packets or of bytes.
fn burst(text: Option<&str>, bytes: bool) -> Option<String> {
    let Some(text) = text else {
        return Some(if bytes {
            String::new()
        } else {
            " burst 5 packets".to_owned()
        });
    };
    if !bytes {
        return Some(format!(" burst {text} packets"));
    }
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "kb" => "kbytes",
        "mb" => "mbytes",
        "b" | "" => "bytes",
        _ => return None,
    };
    Some(format!(" burst {number} {unit}"))
}

fn hashlimit(build: &mut Build<'_>, seen: &Seen) {
    let over = seen.get("--hashlimit-above");
    let Some(given) = over.or(seen.get("--hashlimit-upto")) else {
        return build.refuse(seen.span, "hashlimit needs a rate");
    };
    let Some((rate, unit)) = rate(given.value()) else {
        return bad_rate(build, given);
    };
    let over = if over.is_some() == given.not {
        ""
    } else {
        "over "
    };
    let Some(burst) = burst(seen.value("--hashlimit-burst"), rate.contains("byte")) else {
        return bad_rate(build, given);
    };
    let limit = format!("limit rate {over}{rate}{burst}");
    let mask = |name: &str| seen.value(name).and_then(|text| text.parse().ok());
    let mut parts = Vec::new();
    for mode in seen
        .value("--hashlimit-mode")
        .unwrap_or("")
        .split(',')
        .filter(|mode| !mode.is_empty())
    {
        let part = match mode {
            "srcip" => masked_key(build, "saddr", mask("--hashlimit-srcmask")),
            "dstip" => masked_key(build, "daddr", mask("--hashlimit-dstmask")),
            "srcport" | "dstport" => {
                let side = if mode == "srcport" { "sport" } else { "dport" };
                build
                    .ports()
                    .map(|header| (format!("{header} {side}"), "inet_service"))
            }
            _ => None,
        };
        let Some(part) = part else {
            return build.refuse(
                seen.span,
                format!("`{mode}` needs `-p tcp` or another protocol with ports, or is no mode"),
            );
        };
        parts.push(part);
    }
    if parts.is_empty() {
        return build.act(limit);
    }
    let (key, ty) = concat(&parts);
    // libxt_hashlimit: entries live as long as the rate's unit
    let timeout = match seen.value("--hashlimit-htable-expire") {
        Some(ms) => format!("{ms}ms"),
        None => format!("{unit}s"),
    };
    let size = seen.value("--hashlimit-htable-max").unwrap_or("65535");
    let wanted = name(seen.value("--hashlimit-name").unwrap_or("hashlimit"));
    let set = |name: &str| Object {
        kind: "set",
        name: name.to_owned(),
        body: vec![
            format!("type {ty}"),
            format!("size {size}"),
            "flags dynamic,timeout".to_owned(),
            format!("timeout {timeout}"),
        ],
    };
    let mut name = wanted;
    if !build.shared.object(set(&name)) {
        name = build.shared.fresh(&name);
        build.shared.object(set(&name));
        build.approximate(seen.span, "rules share a table of hashlimit and say different things of it; nft counts them apart");
    }
    build.act(format!("update @{name} {{ {key} {limit} }}"));
}

fn connlimit(build: &mut Build<'_>, seen: &Seen) {
    let (given, over) = match (seen.get("--connlimit-above"), seen.get("--connlimit-upto")) {
        (Some(given), _) => (given, !given.not),
        (None, Some(given)) => (given, given.not),
        (None, None) => return build.refuse(seen.span, "connlimit needs a number of connections"),
    };
    let Some(count) = number(given.value()) else {
        return build.refuse(given.span, "connlimit needs a number of connections");
    };
    let count = format!("ct count {}{count}", if over { "over " } else { "" });
    let mask = match seen.value("--connlimit-mask").map(|text| {
        addr::read_mask(build.family, text).and_then(|mask| addr::prefix_len(build.family, mask))
    }) {
        Some(None) => {
            return build.refuse(
                seen.span,
                "nft counts connections under a prefix's mask alone",
            );
        }
        mask => mask.flatten(),
    };
    if mask == Some(0) {
        return build.act(count);
    }
    let side = if seen.has("--connlimit-daddr") {
        "daddr"
    } else {
        "saddr"
    };
    let Some((key, ty)) = masked_key(build, side, mask) else {
        return build.refuse(seen.span, "the mask is longer than an address");
    };
    let name = build.shared.fresh("connlimit");
    let body = vec![
        format!("type {ty}"),
        "size 65535".to_owned(),
        "flags dynamic".to_owned(),
    ];
    build.shared.object(Object {
        kind: "set",
        name: name.clone(),
        body,
    });
    build.act(format!("add @{name} {{ {key} {count} }}"));
}

fn statistic(build: &mut Build<'_>, seen: &Seen) {
    let negated = |given: &Given| given.not;
    if let Some(given) = seen.get("--probability") {
        let Some(probability) = given
            .value()
            .parse::<f64>()
            .ok()
            .filter(|p| (0.0..=1.0).contains(p))
        else {
            return build.refuse(given.span, "a probability is a number from 0 to 1");
        };
        return random(build, probability, negated(given));
    }
    let (every, packet) = (
        seen.get("--every"),
        seen.value("--packet").map_or(Some(0), number),
    );
    let read = every.and_then(|given| number(given.value())).zip(packet);
    match (read, every) {
        // libxt_statistic.c: statistic_check: the first to match is the one that --packet names, from 0
        (Some((n, packet)), Some(given)) if packet < n => {
            let sign = if given.not { "!= " } else { "" };
            build.act(format!("numgen inc mod {n} {sign}{packet}"));
        }
        _ => build.refuse(
            seen.span,
            "the number of the packet must be smaller than what it counts to",
        ),
    }
}

/// `xt_statistic` compares 31 random bits with the probability as a fraction of 2^31.
fn random(build: &mut Build<'_>, probability: f64, not: bool) {
    const WHOLE: f64 = 2_147_483_648.0;
    let kept = (probability * WHOLE).round();
    for parts in 2..=1000_u32 {
        let share = WHOLE / f64::from(parts);
        if (kept - share).abs() <= 1.0 {
            let sign = if not { "!= " } else { "" };
            return build.act(format!("numgen random mod {parts} {sign}0"));
        }
    }
    let sign = if not { ">=" } else { "<" };
    build.act(format!("numgen random mod 2147483648 {sign} {kept:.0}"));
}
