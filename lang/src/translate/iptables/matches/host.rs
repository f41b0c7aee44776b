//! What the machine knows beside the packet: routes, sockets, owners, policies, the time, the processor.

use super::super::addr;
use super::super::build::{Build, number};
use super::super::module::{How, Kind, Module, Opt, Seen, a_match, opt, refused};
use super::super::nft::{Stmt, Value};

use How::{Approximated, Exact, Refused};

const ADDRTYPE: &[Opt] = &[
    opt(&["--src-type"], 1, Exact, "`fib saddr type local`"),
    opt(&["--dst-type"], 1, Exact, "`fib daddr type local`"),
    opt(
        &["--limit-iface-in"],
        0,
        Exact,
        "`fib daddr . iif type local`",
    ),
    opt(
        &["--limit-iface-out"],
        0,
        Exact,
        "`fib daddr . oif type local`",
    ),
];
const RPFILTER: &[Opt] = &[
    opt(&["--loose"], 0, Exact, "`fib saddr oif exists`"),
    opt(
        &["--validmark"],
        0,
        Exact,
        "`fib saddr . mark . iif oif exists`",
    ),
    opt(
        &["--accept-local"],
        0,
        Approximated(
            "packets from the machine's own addresses are not let through as --accept-local lets them",
        ),
        "",
    ),
    opt(&["--invert"], 0, Exact, "`missing` in place of `exists`"),
];
const SOCKET: &[Opt] = &[
    opt(&["--transparent"], 0, Exact, "`socket transparent 1`"),
    opt(
        &["--nowildcard"],
        0,
        Exact,
        "without it `socket wildcard 0`",
    ),
    opt(
        &["--restore-skmark"],
        0,
        Exact,
        "`meta mark set socket mark`",
    ),
];
const OWNER: &[Opt] = &[
    opt(&["--uid-owner"], 1, Exact, "`meta skuid`"),
    opt(&["--gid-owner"], 1, Exact, "`meta skgid`"),
    opt(
        &["--suppl-groups"],
        0,
        Refused("nft asks for a socket's own group alone"),
        "",
    ),
    opt(
        &["--socket-exists"],
        0,
        Refused("nft cannot ask for any socket at all"),
        "",
    ),
    opt(
        &["--pid-owner", "--sid-owner", "--cmd-owner"],
        1,
        Refused("the kernel has not had it since 2.6.14"),
        "",
    ),
];
const POLICY: &[Opt] = &[
    opt(
        &["--dir"],
        1,
        Exact,
        "`meta ipsec` or `ipsec in`, `rt ipsec` or `ipsec out`",
    ),
    opt(&["--pol"], 1, Exact, "`exists` or `missing`"),
    opt(&["--reqid"], 1, Exact, "`ipsec in reqid`"),
    opt(&["--spi"], 1, Exact, "`ipsec in spi`"),
    opt(&["--tunnel-src"], 1, Exact, "`ipsec in ip saddr`"),
    opt(&["--tunnel-dst"], 1, Exact, "`ipsec in ip daddr`"),
    opt(
        &["--proto"],
        1,
        Refused("nft cannot ask which protocol a policy uses"),
        "",
    ),
    opt(
        &["--mode"],
        1,
        Refused("nft cannot ask for a policy's mode"),
        "",
    ),
    opt(
        &["--strict"],
        0,
        Refused("nft looks at one policy and cannot ask for all of them in order"),
        "",
    ),
    opt(
        &["--next"],
        0,
        Refused("nft looks at one policy and cannot ask for all of them in order"),
        "",
    ),
];
const TIME: &[Opt] = &[
    opt(
        &["--timestart"],
        1,
        Exact,
        "`meta hour \"09:00\"-\"17:00\"`",
    ),
    opt(&["--timestop"], 1, Exact, "`meta hour`"),
    opt(
        &["--weekdays", "--days"],
        1,
        Exact,
        "`meta day { \"Monday\", \"Tuesday\" }`",
    ),
    opt(&["--datestart"], 1, Exact, "`meta time`"),
    opt(&["--datestop"], 1, Exact, "`meta time`"),
    opt(
        &["--monthdays"],
        1,
        Refused("nft knows no days of the month"),
        "",
    ),
    opt(
        &["--contiguous"],
        0,
        Refused("nft cannot let one span of time run over midnight into the next day's rules"),
        "",
    ),
    opt(&["--utc"], 0, Exact, "the default"),
    opt(
        &["--kerneltz", "--localtz"],
        0,
        Exact,
        "nft's own reading of hours",
    ),
];
const CPU: &[Opt] = &[opt(&["--cpu"], 1, Exact, "`meta cpu`")];
const DEVGROUP: &[Opt] = &[
    opt(&["--src-group"], 1, Exact, "`meta iifgroup`"),
    opt(&["--dst-group"], 1, Exact, "`meta oifgroup`"),
];
const CGROUP: &[Opt] = &[
    opt(&["--cgroup"], 1, Exact, "`meta cgroup`"),
    opt(&["--path"], 1, Exact, "`socket cgroupv2 level 2 \"a/b\"`"),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["addrtype"], ADDRTYPE, addrtype),
    a_match(&["rpfilter"], RPFILTER, rpfilter).becomes("`fib saddr . iif oif exists`"),
    a_match(&["socket"], SOCKET, socket),
    a_match(&["owner"], OWNER, owner),
    a_match(&["policy"], POLICY, policy),
    a_match(&["time"], TIME, time),
    a_match(&["cpu"], CPU, |build, seen| {
        for given in &seen.options {
            match number(given.value()) {
                Some(cpu) => build.within("meta cpu", given.not, cpu.into(), cpu.into()),
                None => build.refuse(given.span, "a processor is a number"),
            }
        }
    }),
    a_match(&["devgroup"], DEVGROUP, |build, seen| {
        for given in &seen.options {
            let key = if given.name() == "--src-group" {
                "meta iifgroup"
            } else {
                "meta oifgroup"
            };
            match number(given.value()) {
                Some(group) => build.within(key, given.not, group.into(), group.into()),
                None => build.refuse(
                    given.span,
                    "write the group's number; a mask is nothing that nft has here",
                ),
            }
        }
    }),
    a_match(&["cgroup"], CGROUP, cgroup),
    refused(
        Kind::Match,
        &["physdev"],
        "ports of a bridge are seen by a table of nft's bridge family, not by tables of addresses",
    ),
    refused(
        Kind::Match,
        &["geoip"],
        "nft has no table of countries; a set of its prefixes does the same",
    ),
    refused(
        Kind::Match,
        &["osf"],
        "its fingerprints go by nft's `osf name`, which has other names",
    ),
    refused(
        Kind::Match,
        &["cluster"],
        "nft says it with `jhash`, which hashes otherwise",
    ),
    refused(Kind::Match, &["rateest"], "nft does not estimate rates"),
    refused(Kind::Match, &["ipvs"], "nft does not know IPVS"),
    refused(
        Kind::Match,
        &["nfacct"],
        "nft has named counters of its own",
    ),
    refused(
        Kind::Match,
        &["layer7", "ndpi"],
        "it is no part of the kernel",
    ),
];

const ADDRTYPES: &[&str] = &[
    "unspec",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
];

fn addrtype(build: &mut Build<'_>, seen: &Seen) {
    let interface = match (seen.has("--limit-iface-in"), seen.has("--limit-iface-out")) {
        (true, _) => " . iif",
        (_, true) => " . oif",
        _ => "",
    };
    for given in seen.options.iter().filter(|given| !given.args.is_empty()) {
        let side = if given.name() == "--src-type" {
            "saddr"
        } else {
            "daddr"
        };
        let mut values = Vec::new();
        for word in given.value().split(',') {
            let lower = word.to_lowercase();
            if ADDRTYPES.contains(&lower.as_str()) {
                values.push(Value::word(lower));
            } else {
                build.refuse(given.span, format!("nft knows no addresses of type {word}"));
            }
        }
        values.sort_by_key(|value| ADDRTYPES.iter().position(|word| *word == value.text));
        build.compare(format!("fib {side}{interface} type"), given.not, values);
    }
}

fn rpfilter(build: &mut Build<'_>, seen: &Seen) {
    let what = if seen.has("--invert") {
        "missing"
    } else {
        "exists"
    };
    let mark = if seen.has("--validmark") {
        " . mark"
    } else {
        ""
    };
    let interface = if seen.has("--loose") { "" } else { " . iif" };
    build.test(format!("fib saddr{mark}{interface} oif {what}"));
}

fn socket(build: &mut Build<'_>, seen: &Seen) {
    let transparent = seen.has("--transparent");
    if !seen.has("--nowildcard") {
        build.within("socket wildcard", false, 0, 0);
    } else if !transparent {
        build.test("socket wildcard <= 1");
    }
    if transparent {
        build.within("socket transparent", false, 1, 1);
    }
    if seen.has("--restore-skmark") {
        build.act("meta mark set socket mark");
    }
}

fn owner(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let key = if given.name() == "--uid-owner" {
            "meta skuid"
        } else {
            "meta skgid"
        };
        let text = given.value();
        let range = super::super::build::span_of(text, '-', u32::MAX.into());
        match range {
            Some((first, last)) => build.within(key, given.not, first.into(), last.into()),
            None if text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                build.is(key, given.not, format!("\"{text}\""));
            }
            None => build.refuse(given.span, format!("`{text}` is no owner")),
        }
        if given.not {
            build.approximate(
                given.span,
                "a packet without a socket, which has no owner, is not matched",
            );
        }
    }
}

fn policy(build: &mut Build<'_>, seen: &Seen) {
    let out = seen.value("--dir") == Some("out");
    let (meta, direction) = if out {
        ("rt ipsec", "out")
    } else {
        ("meta ipsec", "in")
    };
    match seen.value("--pol") {
        Some("none") => return build.test(format!("{meta} missing")),
        Some("ipsec") | None => {}
        Some(_) => return build.refuse(seen.span, "a policy is `ipsec` or `none`"),
    }
    let details = seen
        .options
        .iter()
        .filter(|given| !matches!(given.name(), "--dir" | "--pol"));
    let mut any = false;
    for given in details {
        any = true;
        let key = given.name().trim_start_matches("--");
        if let Some(side) = key.strip_prefix("tunnel-") {
            let side = if side == "src" { "saddr" } else { "daddr" };
            match addr::net(build.family, given.value()) {
                Some(net) => build.push(net.test(
                    &format!("ipsec {direction} {} {side}", build.header()),
                    given.not,
                )),
                None => build.refuse(given.span, format!("`{}` is no address", given.value())),
            }
        } else {
            match number(given.value()) {
                Some(number) => build.within(
                    format!("ipsec {direction} {key}"),
                    given.not,
                    number.into(),
                    number.into(),
                ),
                None => build.refuse(given.span, format!("`{}` is no number", given.value())),
            }
        }
    }
    if !any {
        build.test(format!("{meta} exists"));
    }
}

const DAYS: &[&str] = &[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// `9:00` or `9:00:30` in seconds.
fn seconds(text: &str) -> Option<u64> {
    let parts: Vec<u64> = text
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let seconds = match parts.as_slice() {
        [hours, minutes] => hours * 3600 + minutes * 60,
        [hours, minutes, seconds] => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    (seconds < 86400).then_some(seconds)
}

fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if seconds == 0 {
        format!("\"{hours:02}:{minutes:02}\"")
    } else {
        format!("\"{hours:02}:{minutes:02}:{seconds:02}\"")
    }
}

fn time(build: &mut Build<'_>, seen: &Seen) {
    if !seen.has("--kerneltz") {
        build.approximate(seen.span, "iptables means hours and days in UTC; nft reads hours in the time zone of the machine that loads them");
    }
    let at = |name: &str, default: u64| seen.value(name).map_or(Some(default), seconds);
    let Some((start, stop)) = at("--timestart", 0).zip(at("--timestop", 86399)) else {
        return build.refuse(seen.span, "a time of day is HH:MM or HH:MM:SS");
    };
    if seen.has("--timestart") || seen.has("--timestop") {
        if start <= stop {
            build.test(format!("meta hour {}-{}", clock(start), clock(stop)));
        } else if stop + 1 < start {
            // over midnight: all but what lies between
            build.test(format!(
                "meta hour != {}-{}",
                clock(stop + 1),
                clock(start - 1)
            ));
        }
    }
    if let Some(given) = seen.get("--weekdays") {
        let day = |text: &str| {
            let number = text
                .parse::<usize>()
                .ok()
                .map(|day| if day == 0 { 7 } else { day });
            let at = number.map(|day| day.wrapping_sub(1));
            let at = at.or_else(|| {
                DAYS.iter().position(|day| {
                    text.len() >= 2 && day.to_lowercase().starts_with(&text.to_lowercase())
                })
            });
            at.and_then(|at| DAYS.get(at))
                .map(|day| Value::word(format!("\"{day}\"")))
        };
        match given
            .value()
            .split(',')
            .map(day)
            .collect::<Option<Vec<_>>>()
        {
            Some(days) if days.len() == 7 && !given.not => {}
            Some(days) => build.compare("meta day", given.not, days),
            None => build.refuse(
                given.span,
                format!("`{}` are no days of the week", given.value()),
            ),
        }
    }
    dates(build, seen);
}

fn dates(build: &mut Build<'_>, seen: &Seen) {
    // ISO 8601 may be cut short behind any part
    let date = |text: &str| {
        let full = "0000-01-01T00:00:00";
        let rest = full.get(text.len()..)?;
        let text = format!("{text}{rest}").replace('T', " ");
        Some(format!("\"{text}\""))
    };
    for (name, sign) in [("--datestart", ">="), ("--datestop", "<=")] {
        if let Some(given) = seen.get(name) {
            match date(given.value()) {
                Some(text) => build.push(Stmt::Test(format!("meta time {sign} {text}"))),
                None => build.refuse(given.span, format!("`{}` is no date", given.value())),
            }
        }
    }
}

fn cgroup(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        match (given.name(), number(given.value())) {
            ("--cgroup", Some(id)) => build.within("meta cgroup", given.not, id.into(), id.into()),
            ("--path", _) => {
                let path = given.value().trim_matches('/');
                let level = path.split('/').count();
                build.is(
                    format!("socket cgroupv2 level {level}"),
                    given.not,
                    format!("\"{path}\""),
                );
            }
            _ => build.refuse(given.span, format!("`{}` is no class", given.value())),
        }
    }
}
