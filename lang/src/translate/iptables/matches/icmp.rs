//! icmp and icmp6.

use super::super::build::{Build, number, span_of};
use super::super::module::{How, Module, Opt, Seen, a_match, opt};
use super::super::nft::Value;
use super::super::source::Family;

const ICMP: &[Opt] = &[opt(
    &["--icmp-type"],
    1,
    How::Exact,
    "`icmp type`, `icmp code`",
)];
const ICMP6: &[Opt] = &[opt(
    &["--icmpv6-type", "--icmp6-type"],
    1,
    How::Exact,
    "`icmpv6 type`, `icmpv6 code`",
)];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["icmp"], ICMP, |build, seen| {
        write(build, seen, "icmp", TYPES);
    })
    .only(Family::V4),
    a_match(&["icmp6", "icmpv6", "ipv6-icmp"], ICMP6, |build, seen| {
        write(build, seen, "icmpv6", TYPES6);
    })
    .only(Family::V6),
];

/// A name of iptables, nft's name for the type, type, code.
type Row = (&'static str, &'static str, u8, Option<u8>);

const TYPES: &[Row] = &[
    ("echo-reply", "echo-reply", 0, None),
    ("pong", "echo-reply", 0, None),
    (
        "destination-unreachable",
        "destination-unreachable",
        3,
        None,
    ),
    ("network-unreachable", "destination-unreachable", 3, Some(0)),
    ("host-unreachable", "destination-unreachable", 3, Some(1)),
    (
        "protocol-unreachable",
        "destination-unreachable",
        3,
        Some(2),
    ),
    ("port-unreachable", "destination-unreachable", 3, Some(3)),
    (
        "fragmentation-needed",
        "destination-unreachable",
        3,
        Some(4),
    ),
    ("source-route-failed", "destination-unreachable", 3, Some(5)),
    ("network-unknown", "destination-unreachable", 3, Some(6)),
    ("host-unknown", "destination-unreachable", 3, Some(7)),
    ("network-prohibited", "destination-unreachable", 3, Some(9)),
    ("host-prohibited", "destination-unreachable", 3, Some(10)),
    (
        "TOS-network-unreachable",
        "destination-unreachable",
        3,
        Some(11),
    ),
    (
        "TOS-host-unreachable",
        "destination-unreachable",
        3,
        Some(12),
    ),
    (
        "communication-prohibited",
        "destination-unreachable",
        3,
        Some(13),
    ),
    (
        "host-precedence-violation",
        "destination-unreachable",
        3,
        Some(14),
    ),
    ("precedence-cutoff", "destination-unreachable", 3, Some(15)),
    ("source-quench", "source-quench", 4, None),
    ("redirect", "redirect", 5, None),
    ("network-redirect", "redirect", 5, Some(0)),
    ("host-redirect", "redirect", 5, Some(1)),
    ("TOS-network-redirect", "redirect", 5, Some(2)),
    ("TOS-host-redirect", "redirect", 5, Some(3)),
    ("echo-request", "echo-request", 8, None),
    ("ping", "echo-request", 8, None),
    ("router-advertisement", "router-advertisement", 9, None),
    ("router-solicitation", "router-solicitation", 10, None),
    ("time-exceeded", "time-exceeded", 11, None),
    ("ttl-exceeded", "time-exceeded", 11, None),
    ("ttl-zero-during-transit", "time-exceeded", 11, Some(0)),
    ("ttl-zero-during-reassembly", "time-exceeded", 11, Some(1)),
    ("parameter-problem", "parameter-problem", 12, None),
    ("ip-header-bad", "parameter-problem", 12, Some(0)),
    ("required-option-missing", "parameter-problem", 12, Some(1)),
    ("timestamp-request", "timestamp-request", 13, None),
    ("timestamp-reply", "timestamp-reply", 14, None),
    ("", "info-request", 15, None),
    ("", "info-reply", 16, None),
    ("address-mask-request", "address-mask-request", 17, None),
    ("address-mask-reply", "address-mask-reply", 18, None),
];

const TYPES6: &[Row] = &[
    (
        "destination-unreachable",
        "destination-unreachable",
        1,
        None,
    ),
    ("no-route", "destination-unreachable", 1, Some(0)),
    (
        "communication-prohibited",
        "destination-unreachable",
        1,
        Some(1),
    ),
    ("beyond-scope", "destination-unreachable", 1, Some(2)),
    ("address-unreachable", "destination-unreachable", 1, Some(3)),
    ("port-unreachable", "destination-unreachable", 1, Some(4)),
    ("failed-policy", "destination-unreachable", 1, Some(5)),
    ("reject-route", "destination-unreachable", 1, Some(6)),
    ("packet-too-big", "packet-too-big", 2, None),
    ("time-exceeded", "time-exceeded", 3, None),
    ("ttl-exceeded", "time-exceeded", 3, None),
    ("ttl-zero-during-transit", "time-exceeded", 3, Some(0)),
    ("ttl-zero-during-reassembly", "time-exceeded", 3, Some(1)),
    ("parameter-problem", "parameter-problem", 4, None),
    ("bad-header", "parameter-problem", 4, Some(0)),
    ("unknown-header-type", "parameter-problem", 4, Some(1)),
    ("unknown-option", "parameter-problem", 4, Some(2)),
    ("echo-request", "echo-request", 128, None),
    ("ping", "echo-request", 128, None),
    ("echo-reply", "echo-reply", 129, None),
    ("pong", "echo-reply", 129, None),
    ("mld-listener-query", "mld-listener-query", 130, None),
    ("mld-listener-report", "mld-listener-report", 131, None),
    ("mld-listener-done", "mld-listener-done", 132, None),
    ("mld-listener-reduction", "mld-listener-done", 132, None),
    ("router-solicitation", "nd-router-solicit", 133, None),
    ("router-advertisement", "nd-router-advert", 134, None),
    ("neighbor-solicitation", "nd-neighbor-solicit", 135, None),
    ("neighbour-solicitation", "nd-neighbor-solicit", 135, None),
    ("neighbor-advertisement", "nd-neighbor-advert", 136, None),
    ("neighbour-advertisement", "nd-neighbor-advert", 136, None),
    ("redirect", "nd-redirect", 137, None),
];

fn write(build: &mut Build<'_>, seen: &Seen, header: &str, types: &[Row]) {
    for given in &seen.options {
        let text = given.value();
        if text.eq_ignore_ascii_case("any") || text == "255" || text == "255/255" {
            if given.not {
                build.never(given.span, "every type is one of any");
            }
            continue;
        }
        let named = types
            .iter()
            .find(|row| row.0.eq_ignore_ascii_case(text) && !text.is_empty());
        let read = match named {
            Some((_, _, ty, code)) => Some((
                u64::from(*ty),
                code.map(|code| (u64::from(code), u64::from(code))),
            )),
            None => match text.split_once('/') {
                Some((ty, code)) => number(ty)
                    .zip(span_of(code, ':', 255))
                    .map(|(ty, code)| (ty, Some(code))),
                None => number(text).map(|ty| (ty, None)),
            },
        };
        let Some((ty, code)) = read.filter(|(ty, _)| *ty <= 255) else {
            build.refuse(given.span, format!("`{text}` is no type of {header}"));
            continue;
        };
        let word = types
            .iter()
            .find(|row| u64::from(row.2) == ty)
            .map_or(ty.to_string(), |row| row.1.to_owned());
        let value = Value::number(ty.into(), word.clone());
        match code {
            None | Some((0, 255)) => {
                build.compare(format!("{header} type"), given.not, vec![value]);
            }
            Some((first, last)) if given.not => {
                let code = Value::numbers(first.into(), last.into());
                build.test(format!(
                    "{header} type . {header} code != {{ {word} . {} }}",
                    code.text
                ));
            }
            Some((first, last)) => {
                build.compare(format!("{header} type"), false, vec![value]);
                build.within(format!("{header} code"), false, first.into(), last.into());
            }
        }
    }
}
