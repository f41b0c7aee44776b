//! Fields of a packet: length, ttl, dscp, tos, ecn, mac, pkttype.

use super::super::build::{Build, masked, number, span_of};
use super::super::module::{Given, How, Module, Opt, Seen, a_match, opt};
use super::super::nft::Value;
use super::super::source::Family;

use How::Exact;

const LENGTH: &[Opt] = &[opt(&["--length"], 1, Exact, "`meta length`")];
const TTL: &[Opt] = &[
    opt(&["--ttl-eq", "--ttl"], 1, Exact, "`ip ttl 3`"),
    opt(&["--ttl-gt"], 1, Exact, "`ip ttl > 3`"),
    opt(&["--ttl-lt"], 1, Exact, "`ip ttl < 3`"),
];
const HL: &[Opt] = &[
    opt(&["--hl-eq", "--hl"], 1, Exact, "`ip6 hoplimit 3`"),
    opt(&["--hl-gt"], 1, Exact, "`ip6 hoplimit > 3`"),
    opt(&["--hl-lt"], 1, Exact, "`ip6 hoplimit < 3`"),
];
const DSCP: &[Opt] = &[
    opt(&["--dscp"], 1, Exact, "`ip dscp`, `ip6 dscp`"),
    opt(&["--dscp-class"], 1, Exact, "`ip dscp af21`"),
];
const TOS: &[Opt] = &[opt(&["--tos"], 1, Exact, "`@nh,8,8`, in IPv6 `@nh,4,8`")];
const ECN: &[Opt] = &[
    opt(&["--ecn-tcp-cwr"], 0, Exact, "`tcp flags & cwr == cwr`"),
    opt(&["--ecn-tcp-ece"], 0, Exact, "`tcp flags & ecn == ecn`"),
    opt(&["--ecn-ip-ect"], 1, Exact, "`ip ecn`, `ip6 ecn`"),
];
const MAC: &[Opt] = &[opt(&["--mac-source"], 1, Exact, "`ether saddr`")];
const PKTTYPE: &[Opt] = &[opt(&["--pkt-type"], 1, Exact, "`meta pkttype`")];
const IPRANGE: &[Opt] = &[
    opt(&["--src-range"], 1, Exact, "`ip saddr A-B`"),
    opt(&["--dst-range"], 1, Exact, "`ip daddr A-B`"),
];
const COMMENT: &[Opt] = &[opt(
    &["--comment"],
    1,
    Exact,
    "`comment`; one that nft would not keep stands on a line above the rule",
)];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["comment"], COMMENT, comment),
    a_match(&["iprange"], IPRANGE, iprange),
    a_match(&["mac"], MAC, mac),
    a_match(&["pkttype"], PKTTYPE, pkttype),
    a_match(&["length"], LENGTH, length),
    a_match(&["ttl"], TTL, |build, seen| hops(build, seen, "ip ttl")).only(Family::V4),
    a_match(&["hl"], HL, |build, seen| hops(build, seen, "ip6 hoplimit")).only(Family::V6),
    a_match(&["dscp"], DSCP, dscp),
    a_match(&["tos"], TOS, tos),
    a_match(&["ecn"], ECN, ecn),
];

/// nft keeps 128 bytes (nft: `NFTNL_UDATA_COMMENT_MAXLEN`), the NUL at the end included.
const MAX_COMMENT: usize = 127;

fn comment(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let text = given.value();
        let fits = !text.is_empty() && text.len() <= MAX_COMMENT && !text.contains(['"', '\n']);
        if fits && build.comment.is_none() {
            build.comment = Some(text.to_owned());
        } else {
            build.above.extend(text.lines().map(str::to_owned));
        }
    }
}

fn iprange(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let side = if given.name() == "--src-range" {
            "saddr"
        } else {
            "daddr"
        };
        match super::super::addr::range(build.family, given.value()) {
            Some(value) => {
                build.compare(format!("{} {side}", build.header()), given.not, vec![value]);
            }
            None => build.refuse(
                given.span,
                format!("`{}` is no range of addresses", given.value()),
            ),
        }
    }
}

fn mac(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let parts: Option<Vec<u8>> = given
            .value()
            .split(':')
            .map(|part| u8::from_str_radix(part, 16).ok())
            .collect();
        match parts.filter(|parts| parts.len() == 6) {
            Some(parts) => {
                let text: Vec<String> = parts.iter().map(|part| format!("{part:02x}")).collect();
                let number = parts
                    .iter()
                    .fold(0, |all, part| all << 8 | u128::from(*part));
                build.compare(
                    "ether saddr",
                    given.not,
                    vec![Value::number(number, text.join(":"))],
                );
            }
            None => build.refuse(given.span, format!("`{}` is no MAC address", given.value())),
        }
    }
}

fn pkttype(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let word = match given.value().to_lowercase().as_str() {
            "unicast" | "host" => "unicast",
            "broadcast" | "bcast" => "broadcast",
            "multicast" | "mcast" => "multicast",
            "otherhost" => "other",
            _ => {
                build.refuse(
                    given.span,
                    format!("nft knows no packets of type `{}`", given.value()),
                );
                continue;
            }
        };
        build.is("meta pkttype", given.not, word);
    }
}

fn length(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        super::ports::numbers(build, "meta length", given, 0xffff);
    }
}

fn hops(build: &mut Build<'_>, seen: &Seen, key: &str) {
    for given in &seen.options {
        let Some((number, _)) =
            span_of(given.value(), ':', 255).filter(|(first, last)| first == last)
        else {
            build.refuse(
                given.span,
                format!("`{}` is no number up to 255", given.value()),
            );
            continue;
        };
        match given.name().rsplit('-').next() {
            Some("gt") => build.test(format!(
                "{key} {} {number}",
                if given.not { "<=" } else { ">" }
            )),
            Some("lt") => build.test(format!(
                "{key} {} {number}",
                if given.not { ">=" } else { "<" }
            )),
            _ => build.within(key, given.not, number.into(), number.into()),
        }
    }
}

/// Classes of RFC 2474, 2597 and 3246.
pub(in super::super) fn dscp_class(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    let digit = |text: &str| text.parse::<u64>().ok().filter(|digit| *digit < 10);
    match lower.as_str() {
        "be" => Some(0),
        "ef" => Some(0x2e),
        _ => match (lower.get(..2)?, lower.get(2..)?) {
            ("cs", class) => digit(class)
                .filter(|class| *class < 8)
                .map(|class| class << 3),
            ("af", both) => {
                let (class, drop) = (digit(both.get(..1)?)?, digit(both.get(1..)?)?);
                ((1..=4).contains(&class) && (1..=3).contains(&drop))
                    .then_some(class << 3 | drop << 1)
            }
            _ => None,
        },
    }
}

/// The number that `--dscp` or `--dscp-class` names.
pub(in super::super) fn dscp_value(given: &Given) -> Option<u64> {
    let value = if given.name().ends_with("class") {
        dscp_class(given.value())
    } else {
        number(given.value())
    };
    value.filter(|value| *value < 64)
}

fn dscp(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        match dscp_value(given) {
            Some(value) => {
                let key = format!("{} dscp", build.header());
                build.compare(
                    key,
                    given.not,
                    vec![Value::number(value.into(), format!("0x{value:02x}"))],
                );
            }
            None => build.refuse(given.span, format!("`{}` is no code point", given.value())),
        }
    }
}

/// A TOS by number with a mask, or by its old name, which stands for 6 bits (`libxt_tos`: `tos_parse_symbolic`).
pub(in super::super) fn tos_value(text: &str) -> Option<(u64, u64)> {
    let named = match text.to_lowercase().as_str() {
        "minimize-delay" => Some(0x10),
        "maximize-throughput" => Some(0x08),
        "maximize-reliability" => Some(0x04),
        "minimize-cost" => Some(0x02),
        "normal-service" => Some(0x00),
        _ => None,
    };
    let (value, mask) = match named {
        Some(value) => (value, 0x3f),
        None => masked(text).map(|(value, mask)| (value, mask.unwrap_or(0xff)))?,
    };
    (value <= 0xff && mask <= 0xff).then_some((value, mask))
}

fn tos(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let Some((value, mask)) = tos_value(given.value()) else {
            build.refuse(given.span, format!("`{}` is no TOS", given.value()));
            continue;
        };
        let key = match build.family {
            Family::V4 => "@nh,8,8",
            Family::V6 => "@nh,4,8",
        };
        if mask == 0xff {
            build.compare(
                key,
                given.not,
                vec![Value::number(value.into(), format!("0x{value:02x}"))],
            );
        } else {
            let sign = if given.not { "!=" } else { "==" };
            build.test(format!("{key} & 0x{mask:02x} {sign} 0x{value:02x}"));
        }
    }
}

fn ecn(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let sign = if given.not { "!=" } else { "==" };
        match given.name() {
            "--ecn-tcp-cwr" => build.test(format!("tcp flags & cwr {sign} cwr")),
            "--ecn-tcp-ece" => build.test(format!("tcp flags & ecn {sign} ecn")),
            _ => match number(given.value()).filter(|value| *value < 4) {
                Some(value) => {
                    let key = format!("{} ecn", build.header());
                    build.within(key, given.not, value.into(), value.into());
                }
                None => build.refuse(given.span, "ECN is a number up to 3"),
            },
        }
    }
}
