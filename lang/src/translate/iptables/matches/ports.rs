//! tcp, udp and the others with ports; multiport.

use super::super::build::{Build, span_of};
use super::super::module::{Given, How, Module, Opt, Seen, a_match, opt};
use super::super::nft::{Match, Op, Stmt, Value};
use crate::datatype::{Clock, Type, read_symbol};
use redan_vm::datatype::DataType;

use How::{Exact, Refused};

const SPORT: &[&str] = &["--sport", "--source-port"];
const DPORT: &[&str] = &["--dport", "--destination-port"];

const TCP: &[Opt] = &[
    opt(SPORT, 1, Exact, "`tcp sport`"),
    opt(DPORT, 1, Exact, "`tcp dport`"),
    opt(&["--tcp-flags"], 2, Exact, "`tcp flags syn / syn,ack`"),
    opt(&["--syn"], 0, Exact, "`tcp flags syn / fin,syn,rst,ack`"),
    opt(&["--tcp-option"], 1, Exact, "`tcp option N exists`"),
];
const UDP: &[Opt] = &[
    opt(SPORT, 1, Exact, "`udp sport`"),
    opt(DPORT, 1, Exact, "`udp dport`"),
];
const UDPLITE: &[Opt] = &[
    opt(SPORT, 1, Exact, "`udplite sport`"),
    opt(DPORT, 1, Exact, "`udplite dport`"),
];
const SCTP: &[Opt] = &[
    opt(SPORT, 1, Exact, "`sctp sport`"),
    opt(DPORT, 1, Exact, "`sctp dport`"),
    opt(
        &["--chunk-types"],
        2,
        Exact,
        "`sctp chunk init exists`; `only` and flags of chunks are refused",
    ),
];
const DCCP: &[Opt] = &[
    opt(SPORT, 1, Exact, "`dccp sport`"),
    opt(DPORT, 1, Exact, "`dccp dport`"),
    opt(&["--dccp-types"], 1, Exact, "`dccp type`"),
    opt(
        &["--dccp-option"],
        1,
        Refused("nft 1.0.6 has no options of DCCP"),
        "",
    ),
];
const MULTIPORT: &[Opt] = &[
    opt(
        &["--sports", "--source-ports"],
        1,
        Exact,
        "`tcp sport { 22, 80-90 }`",
    ),
    opt(
        &["--dports", "--destination-ports"],
        1,
        Exact,
        "`tcp dport { 22, 80-90 }`",
    ),
    opt(
        &["--ports"],
        1,
        Exact,
        "`tcp sport . tcp dport { 22 . 0-65535, 0-65535 . 22 }`",
    ),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["tcp"], TCP, tcp),
    a_match(&["udp"], UDP, udp),
    a_match(&["udplite"], UDPLITE, udplite),
    a_match(&["sctp"], SCTP, sctp),
    a_match(&["dccp"], DCCP, dccp),
    a_match(&["multiport", "mport"], MULTIPORT, multiport),
];

/// A port by number or name.
pub(in super::super) fn port(text: &str) -> Option<u64> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.parse().ok().filter(|port| *port <= 0xffff);
    }
    let ty = Type::of(DataType::InetService);
    read_symbol(ty, text, Clock::fixed(0))
        .ok()
        .and_then(|port| u64::try_from(port).ok())
}

/// `first:last`, by number or name.
pub(in super::super) fn port_range(text: &str, separator: char) -> Option<(u64, u64)> {
    match text.split_once(separator) {
        Some((first, last)) => {
            let first = if first.is_empty() { 0 } else { port(first)? };
            let last = if last.is_empty() { 0xffff } else { port(last)? };
            (first <= last).then_some((first, last))
        }
        None => port(text).map(|port| (port, port)),
    }
}

fn one_port(build: &mut Build<'_>, key: &str, given: &Given) {
    match port_range(given.value(), ':') {
        // every port: only the protocol is asked for
        Some((0, 0xffff)) if !given.not => {}
        Some((first, last)) => build.within(key, given.not, first.into(), last.into()),
        None => build.refuse(
            given.span,
            format!("`{}` is no port or range of ports", given.value()),
        ),
    }
}

/// The ports; whether the option was one of them.
fn ports(build: &mut Build<'_>, header: &str, given: &Given) -> bool {
    match given.name() {
        "--sport" => one_port(build, &format!("{header} sport"), given),
        "--dport" => one_port(build, &format!("{header} dport"), given),
        _ => return false,
    }
    true
}

/// Options with the source's port before the destination's, as it lies in the header.
fn sorted(seen: &Seen) -> impl Iterator<Item = &Given> {
    let is_source = |given: &&Given| given.name() == "--sport";
    let rest = seen.options.iter().filter(move |given| !is_source(given));
    seen.options.iter().filter(is_source).chain(rest)
}

fn udp(build: &mut Build<'_>, seen: &Seen) {
    for given in sorted(seen) {
        ports(build, "udp", given);
    }
}

fn udplite(build: &mut Build<'_>, seen: &Seen) {
    for given in sorted(seen) {
        ports(build, "udplite", given);
    }
}

/// Bits of the flags and nft's words for them, in the order of the bits.
const FLAGS: &[(&str, &str)] = &[
    ("FIN", "fin"),
    ("SYN", "syn"),
    ("RST", "rst"),
    ("PSH", "psh"),
    ("ACK", "ack"),
    ("URG", "urg"),
];

fn flags(text: &str) -> Option<Vec<&'static str>> {
    let wanted: Vec<String> = text.split(',').map(str::to_uppercase).collect();
    if wanted.iter().any(|word| word == "ALL") {
        return Some(FLAGS.iter().map(|(_, word)| *word).collect());
    }
    if wanted
        .iter()
        .any(|word| word != "NONE" && !FLAGS.iter().any(|(name, _)| name == word))
    {
        return None;
    }
    let named = |name: &str| wanted.iter().any(|word| word == name);
    Some(
        FLAGS
            .iter()
            .filter(|(name, _)| named(name))
            .map(|(_, word)| *word)
            .collect(),
    )
}

fn tcp_flags(mask: &[&str], set: &[&str], not: bool) -> Option<String> {
    if mask.is_empty() {
        return None;
    }
    let sign = if not { "!= " } else { "" };
    Some(match set {
        [] => format!(
            "tcp flags & ({}) {} 0x0",
            mask.join(" | "),
            if not { "!=" } else { "==" }
        ),
        // one flag and nothing else is asked of it
        [one] if mask == [*one] => {
            format!("tcp flags & {one} {} {one}", if not { "!=" } else { "==" })
        }
        _ => format!("tcp flags {sign}{} / {}", set.join(","), mask.join(",")),
    })
}

fn tcp(build: &mut Build<'_>, seen: &Seen) {
    for given in sorted(seen) {
        if ports(build, "tcp", given) {
            continue;
        }
        match given.name() {
            "--syn" => {
                let text = tcp_flags(&["fin", "syn", "rst", "ack"], &["syn"], given.not);
                build.test(text.unwrap_or_default());
            }
            "--tcp-flags" => {
                let both = flags(given.value()).zip(flags(given.second()));
                match both.map(|(mask, set)| tcp_flags(&mask, &set, given.not)) {
                    Some(Some(text)) => build.test(text),
                    Some(None) if !given.not && given.second() == "NONE" => {}
                    _ => build.refuse(given.span, "these flags can never be found so"),
                }
            }
            _ => match given.value().parse::<u8>() {
                Ok(kind) => {
                    let what = if given.not { "missing" } else { "exists" };
                    build.test(format!("tcp option {kind} {what}"));
                }
                Err(_) => build.refuse(given.span, "an option of TCP is a number up to 255"),
            },
        }
    }
}

const CHUNKS: &[(&str, &str)] = &[
    ("DATA", "data"),
    ("INIT", "init"),
    ("INIT_ACK", "init-ack"),
    ("SACK", "sack"),
    ("HEARTBEAT", "heartbeat"),
    ("HEARTBEAT_ACK", "heartbeat-ack"),
    ("ABORT", "abort"),
    ("SHUTDOWN", "shutdown"),
    ("SHUTDOWN_ACK", "shutdown-ack"),
    ("ERROR", "error"),
    ("COOKIE_ECHO", "cookie-echo"),
    ("COOKIE_ACK", "cookie-ack"),
    ("ECN_ECNE", "ecne"),
    ("ECN_CWR", "cwr"),
    ("SHUTDOWN_COMPLETE", "shutdown-complete"),
    ("ASCONF", "asconf"),
    ("ASCONF_ACK", "asconf-ack"),
    ("FORWARD_TSN", "forward-tsn"),
];

fn sctp(build: &mut Build<'_>, seen: &Seen) {
    for given in sorted(seen) {
        if ports(build, "sctp", given) {
            continue;
        }
        let words: Option<Vec<&str>> = given
            .second()
            .split(',')
            .map(|name| {
                CHUNKS
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, word)| *word)
            })
            .collect();
        let Some(words) = words else {
            build.refuse(
                given.span,
                "nft has no word for these chunks, and none for their flags",
            );
            continue;
        };
        let chunk = |word: &str, there: bool| {
            Stmt::Test(format!(
                "sctp chunk {word} {}",
                if there { "exists" } else { "missing" }
            ))
        };
        // one after the other: the first ones missing, this one there
        let any = |there: bool| -> Vec<Vec<Stmt>> {
            let row = |at: usize| {
                words
                    .iter()
                    .take(at + 1)
                    .enumerate()
                    .map(|(i, word)| chunk(word, (i == at) == there))
                    .collect()
            };
            (0..words.len()).map(row).collect()
        };
        match (given.value().to_lowercase().as_str(), given.not) {
            ("any", false) => build.split(&any(true)),
            ("any", true) => build.split(&[words.iter().map(|word| chunk(word, false)).collect()]),
            ("all", false) => build.split(&[words.iter().map(|word| chunk(word, true)).collect()]),
            ("all", true) => build.split(&any(false)),
            _ => build.refuse(given.span, "nft cannot ask for the only chunks of a packet"),
        }
    }
}

fn dccp(build: &mut Build<'_>, seen: &Seen) {
    for given in sorted(seen) {
        if ports(build, "dccp", given) {
            continue;
        }
        let words = given
            .value()
            .split(',')
            .map(|word| Value::word(word.to_lowercase()));
        build.compare("dccp type", given.not, words.collect());
    }
}

fn port_list(text: &str) -> Option<Vec<Value>> {
    let mut ranges: Vec<(u64, u64)> = text
        .split(',')
        .map(|part| port_range(part, ':'))
        .collect::<Option<_>>()?;
    let apart = |(at, one): (usize, &(u64, u64))| {
        ranges
            .iter()
            .skip(at + 1)
            .all(|other| one.1 < other.0 || other.1 < one.0)
    };
    if !ranges.iter().enumerate().all(apart) {
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                _ => joined.push((first, last)),
            }
        }
        ranges = joined;
    }
    Some(
        ranges
            .into_iter()
            .map(|(first, last)| Value::numbers(first.into(), last.into()))
            .collect(),
    )
}

fn multiport(build: &mut Build<'_>, seen: &Seen) {
    let Some(header) = build.ports() else {
        build.refuse(
            seen.span,
            "multiport needs `-p tcp` or another protocol with ports",
        );
        return;
    };
    for given in &seen.options {
        let Some(values) = port_list(given.value()) else {
            build.refuse(
                given.span,
                format!("`{}` is no list of ports", given.value()),
            );
            continue;
        };
        match given.name() {
            "--sports" => build.compare(format!("{header} sport"), given.not, values),
            "--dports" => build.compare(format!("{header} dport"), given.not, values),
            _ => either_port(build, header, given.not, &values),
        }
    }
}

/// One of the two ports is on the list.
fn either_port(build: &mut Build<'_>, header: &str, not: bool, values: &[Value]) {
    let (sport, dport) = (format!("{header} sport"), format!("{header} dport"));
    let side = |key: &str, op: Op| {
        Stmt::Match(Match {
            key: key.to_owned(),
            op,
            values: values.to_vec(),
        })
    };
    // a set of pairs may not hold two that meet at one of their ends
    let meets = |value: &Value| {
        value
            .range
            .is_none_or(|(first, last)| first == 0 || last == 0xffff)
    };
    if not {
        build.split(&[vec![side(&sport, Op::Ne), side(&dport, Op::Ne)]]);
    } else if values.iter().any(meets) {
        build.split(&[
            vec![side(&sport, Op::Eq)],
            vec![side(&sport, Op::Ne), side(&dport, Op::Eq)],
        ]);
    } else {
        let pairs = values
            .iter()
            .map(|value| format!("0-65535 . {}", value.text));
        let pairs = pairs.chain(
            values
                .iter()
                .map(|value| format!("{} . 0-65535", value.text)),
        );
        build.test(format!(
            "{sport} . {dport} {{ {} }}",
            pairs.collect::<Vec<_>>().join(", ")
        ));
    }
}

/// A range of numbers behind `key`; nothing where it is every number.
pub(super) fn numbers(build: &mut Build<'_>, key: &str, given: &Given, most: u64) {
    match span_of(given.value(), ':', most) {
        Some((0, last)) if last == most && !given.not => {}
        Some((first, last)) => build.within(key, given.not, first.into(), last.into()),
        None => build.refuse(
            given.span,
            format!("`{}` is no number or range up to {most}", given.value()),
        ),
    }
}
