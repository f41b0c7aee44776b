//! Targets that decide: ACCEPT, DROP, RETURN, REJECT, QUEUE, NFQUEUE.

use super::super::build::{Build, number, span_of};
use super::super::module::{How, Module, Opt, Seen, a_target, opt};
use super::super::nft::Verdict;
use super::super::source::Family;

use How::Exact;

const REJECT: &[Opt] = &[opt(
    &["--reject-with"],
    1,
    Exact,
    "`reject with icmp host-prohibited`, `reject with tcp reset`",
)];
const NFQUEUE: &[Opt] = &[
    opt(&["--queue-num"], 1, Exact, "`queue num 3`"),
    opt(&["--queue-balance"], 1, Exact, "`queue num 3-5`"),
    opt(&["--queue-bypass"], 0, Exact, "`bypass`"),
    opt(&["--queue-cpu-fanout"], 0, Exact, "`fanout`"),
];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["ACCEPT"], "`accept`", &[], |build, _| {
        ends(build, "accept");
    }),
    a_target(&["DROP"], "`drop`", &[], |build, _| ends(build, "drop")),
    a_target(&["RETURN"], "`return`", &[], |build, _| {
        ends(build, "return");
    }),
    a_target(&["REJECT"], "`reject`", REJECT, reject),
    a_target(&["QUEUE"], "`queue num 0`", &[], |build, _| {
        build.verdict = Verdict::Rejects("queue num 0".to_owned());
    }),
    a_target(&["NFQUEUE"], "`queue num 0`", NFQUEUE, nfqueue),
    a_target(&["MIRROR"], "", &[], |build, seen| {
        build.refuse(seen.span, "the kernel has not had it since 2.6");
    }),
];

fn ends(build: &mut Build<'_>, word: &str) {
    build.verdict = Verdict::Ends(word.to_owned());
}

/// Names of iptables and ip6tables, and nft's.
const V4: &[(&[&str], &str)] = &[
    (&["icmp-net-unreachable", "net-unreach"], "net-unreachable"),
    (
        &["icmp-host-unreachable", "host-unreach"],
        "host-unreachable",
    ),
    (
        &["icmp-proto-unreachable", "proto-unreach"],
        "prot-unreachable",
    ),
    (&["icmp-net-prohibited", "net-prohib"], "net-prohibited"),
    (&["icmp-host-prohibited", "host-prohib"], "host-prohibited"),
    (
        &["icmp-admin-prohibited", "admin-prohib"],
        "admin-prohibited",
    ),
];
const V6: &[(&[&str], &str)] = &[
    (&["icmp6-no-route", "no-route"], "no-route"),
    (
        &["icmp6-adm-prohibited", "adm-prohibited"],
        "admin-prohibited",
    ),
    (
        &["icmp6-addr-unreachable", "addr-unreach"],
        "addr-unreachable",
    ),
    (&["icmp6-policy-fail", "policy-fail"], "policy-fail"),
    (&["icmp6-reject-route", "reject-route"], "reject-route"),
];

fn reject(build: &mut Build<'_>, seen: &Seen) {
    let (names, header) = match build.family {
        Family::V4 => (V4, "icmp"),
        Family::V6 => (V6, "icmpv6"),
    };
    let text = match seen.value("--reject-with") {
        None | Some("icmp-port-unreachable" | "icmp6-port-unreachable" | "port-unreach") => {
            "reject".to_owned()
        }
        Some("tcp-reset" | "tcp-rst") if build.protocol == Some(6) => {
            "reject with tcp reset".to_owned()
        }
        Some("tcp-reset" | "tcp-rst") => {
            return build.refuse(seen.span, "tcp-reset needs `-p tcp`");
        }
        Some(with) => match names.iter().find(|(known, _)| known.contains(&with)) {
            Some((_, word)) => format!("reject with {header} {word}"),
            None => return build.refuse(seen.span, format!("nft has no refusal `{with}`")),
        },
    };
    build.verdict = Verdict::Rejects(text);
}

fn nfqueue(build: &mut Build<'_>, seen: &Seen) {
    let read = match (seen.value("--queue-balance"), seen.value("--queue-num")) {
        (Some(balance), _) => span_of(balance, ':', 0xffff),
        (None, Some(one)) => number(one).map(|one| (one, one)),
        (None, None) => Some((0, 0)),
    };
    let Some((first, last)) = read else {
        return build.refuse(seen.span, "a queue is a number");
    };
    let range = if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    };
    let flags: Vec<&str> = [
        ("--queue-bypass", "bypass"),
        ("--queue-cpu-fanout", "fanout"),
    ]
    .into_iter()
    .filter(|(name, _)| seen.has(name))
    .map(|(_, flag)| flag)
    .collect();
    let flags = if flags.is_empty() {
        String::new()
    } else {
        format!(" {}", flags.join(","))
    };
    build.verdict = Verdict::Rejects(format!("queue num {range}{flags}"));
}
