//! Targets that tell somebody: LOG, NFLOG, ULOG, TRACE, AUDIT, TEE.

use super::super::addr;
use super::super::build::{Build, number};
use super::super::module::{How, Module, Opt, Seen, a_target, opt};

use How::{Approximated, Exact, Refused};

const LOG: &[Opt] = &[
    opt(&["--log-prefix"], 1, Exact, "`log prefix`"),
    opt(&["--log-level"], 1, Exact, "`log level`"),
    opt(
        &["--log-tcp-sequence"],
        0,
        Exact,
        "`log flags tcp sequence`",
    ),
    opt(&["--log-tcp-options"], 0, Exact, "`log flags tcp options`"),
    opt(&["--log-ip-options"], 0, Exact, "`log flags ip options`"),
    opt(&["--log-uid"], 0, Exact, "`log flags skuid`"),
    opt(&["--log-macdecode"], 0, Exact, "`log flags ether`"),
];
const NFLOG: &[Opt] = &[
    opt(&["--nflog-group"], 1, Exact, "`log group 5`"),
    opt(&["--nflog-prefix"], 1, Exact, "`log prefix`"),
    opt(&["--nflog-size"], 1, Exact, "`snaplen`"),
    opt(
        &["--nflog-range"],
        1,
        Exact,
        "nothing: the kernel never looked at it",
    ),
    opt(&["--nflog-threshold"], 1, Exact, "`queue-threshold`"),
];
const ULOG: &[Opt] = &[
    opt(&["--ulog-nlgroup"], 1, Exact, "`log group`"),
    opt(&["--ulog-prefix"], 1, Exact, "`log prefix`"),
    opt(&["--ulog-cprange"], 1, Exact, "`snaplen`"),
    opt(&["--ulog-qthreshold"], 1, Exact, "`queue-threshold`"),
];
const TEE: &[Opt] = &[
    opt(&["--gateway"], 1, Exact, "`dup to`"),
    opt(&["--oif"], 1, Exact, "`device`"),
];
const AUDIT: &[Opt] = &[opt(
    &["--type"],
    1,
    Approximated("the audit message does not say what became of the packet"),
    "`log level audit`",
)];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["LOG"], "`log`", LOG, log),
    a_target(&["NFLOG"], "`log group 0`", NFLOG, nflog),
    a_target(&["ULOG"], "`log group 1`", ULOG, ulog)
        .differs("ULOG is gone from the kernel; messages go to nflog's group of the same number"),
    a_target(&["TRACE"], "`meta nftrace set 1`", &[], |build, _| {
        build.actions.push("meta nftrace set 1".to_owned());
    }),
    a_target(&["AUDIT"], "`log level audit`", AUDIT, |build, _| {
        build.actions.push("log level audit".to_owned());
    }),
    a_target(&["TEE"], "", TEE, tee),
    a_target(
        &["LED"],
        "",
        &[opt(
            &["--led-trigger-id"],
            1,
            Refused("nft does not know it"),
            "",
        )],
        |build, seen| build.refuse(seen.span, "nft switches no lights"),
    ),
];

const LEVELS: &[&str] = &[
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

/// nft keeps 127 bytes of a prefix (`nf_log.h`: `NF_LOG_PREFIXLEN`).
const MAX_PREFIX: usize = 127;

fn prefix(build: &mut Build<'_>, seen: &Seen, option: &str) -> String {
    let Some(given) = seen.get(option) else {
        return String::new();
    };
    let mut text = given.value().to_owned();
    if text.contains(['"', '\\']) {
        text = text.replace(['"', '\\'], "'");
        build.approximate(
            given.span,
            "nft's strings hold no quotes and backslashes, so the prefix has ' in their place",
        );
    }
    if text.len() > MAX_PREFIX {
        text = text.chars().take(MAX_PREFIX / 4).collect();
        build.approximate(given.span, "the prefix is longer than nft's and is cut");
    }
    if text.is_empty() {
        text
    } else {
        format!(" prefix \"{text}\"")
    }
}

fn log(build: &mut Build<'_>, seen: &Seen) {
    let mut text = format!("log{}", prefix(build, seen, "--log-prefix"));
    if let Some(given) = seen.get("--log-level") {
        let lower = given.value().to_lowercase();
        let word = match lower.as_str() {
            "error" => "err",
            "warning" => "warn",
            "panic" => "emerg",
            word => word,
        };
        let at = number(word).and_then(|level| usize::try_from(level).ok());
        let at = at.or_else(|| LEVELS.iter().position(|known| *known == word));
        match at.and_then(|at| LEVELS.get(at)) {
            Some(&"warn") => {}
            Some(word) => text = format!("{text} level {word}"),
            None => build.refuse(
                given.span,
                format!("no level of the log is called `{word}`"),
            ),
        }
    }
    let tcp: Vec<&str> = [
        ("--log-tcp-sequence", "sequence"),
        ("--log-tcp-options", "options"),
    ]
    .into_iter()
    .filter(|(name, _)| seen.has(name))
    .map(|(_, flag)| flag)
    .collect();
    if !tcp.is_empty() {
        text = format!("{text} flags tcp {}", tcp.join(","));
    }
    for (name, flag) in [
        ("--log-ip-options", "ip options"),
        ("--log-uid", "skuid"),
        ("--log-macdecode", "ether"),
    ] {
        if seen.has(name) {
            text = format!("{text} flags {flag}");
        }
    }
    build.actions.push(text);
}

fn numbered(build: &mut Build<'_>, seen: &Seen, option: &str, word: &str) -> String {
    match seen.get(option).map(|given| (given, number(given.value()))) {
        None => String::new(),
        Some((_, Some(number))) => format!(" {word} {number}"),
        Some((given, None)) => {
            build.refuse(given.span, format!("`{}` is no number", given.value()));
            String::new()
        }
    }
}

fn nflog(build: &mut Build<'_>, seen: &Seen) {
    let prefix = prefix(build, seen, "--nflog-prefix");
    let threshold = numbered(build, seen, "--nflog-threshold", "queue-threshold");
    let snaplen = numbered(build, seen, "--nflog-size", "snaplen");
    let group = match numbered(build, seen, "--nflog-group", "group") {
        none if none.is_empty() => " group 0".to_owned(),
        group => group,
    };
    build
        .actions
        .push(format!("log{prefix}{group}{snaplen}{threshold}"));
}

fn ulog(build: &mut Build<'_>, seen: &Seen) {
    let prefix = prefix(build, seen, "--ulog-prefix");
    let snaplen = match seen.value("--ulog-cprange") {
        Some("0") => String::new(),
        _ => numbered(build, seen, "--ulog-cprange", "snaplen"),
    };
    let threshold = numbered(build, seen, "--ulog-qthreshold", "queue-threshold");
    let group = match numbered(build, seen, "--ulog-nlgroup", "group") {
        none if none.is_empty() => " group 1".to_owned(),
        group => group,
    };
    build
        .actions
        .push(format!("log{prefix}{group}{snaplen}{threshold}"));
}

fn tee(build: &mut Build<'_>, seen: &Seen) {
    let Some(gateway) = seen
        .value("--gateway")
        .and_then(|text| addr::address(build.family, text))
    else {
        return build.refuse(seen.span, "TEE needs the address of a gateway");
    };
    let device = seen
        .value("--oif")
        .map_or(String::new(), |name| format!(" device \"{name}\""));
    build.actions.push(format!(
        "dup to {}{device}",
        addr::text(build.family, gateway)
    ));
}
