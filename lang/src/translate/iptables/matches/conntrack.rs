//! state, conntrack, helper, connbytes, connlabel.

use super::super::addr;
use super::super::build::{Build, number, span_of};
use super::super::module::{Given, How, Module, Opt, Seen, a_match, opt};
use super::super::nft::{Match, Op, Stmt, Value};
use super::super::proto;
use super::ports::port_range;

use How::Exact;

const STATE: &[Opt] = &[opt(&["--state"], 1, Exact, "`ct state`")];
const CONNTRACK: &[Opt] = &[
    opt(
        &["--ctstate"],
        1,
        Exact,
        "`ct state`; SNAT and DNAT are `ct status`, in a rule of their own where other states stand beside them",
    ),
    opt(&["--ctproto"], 1, Exact, "`ct original protocol`"),
    opt(&["--ctorigsrc"], 1, Exact, "`ct original saddr`"),
    opt(&["--ctorigdst"], 1, Exact, "`ct original daddr`"),
    opt(&["--ctreplsrc"], 1, Exact, "`ct reply saddr`"),
    opt(&["--ctrepldst"], 1, Exact, "`ct reply daddr`"),
    opt(&["--ctorigsrcport"], 1, Exact, "`ct original proto-src`"),
    opt(&["--ctorigdstport"], 1, Exact, "`ct original proto-dst`"),
    opt(&["--ctreplsrcport"], 1, Exact, "`ct reply proto-src`"),
    opt(&["--ctrepldstport"], 1, Exact, "`ct reply proto-dst`"),
    opt(&["--ctstatus"], 1, Exact, "`ct status`; NONE is refused"),
    opt(
        &["--ctexpire"],
        1,
        Exact,
        "`ct expiration 3s-3999ms`: iptables cuts the milliseconds off",
    ),
    opt(&["--ctdir"], 1, Exact, "`ct direction`"),
];
const HELPER: &[Opt] = &[opt(&["--helper"], 1, Exact, "`ct helper`")];
const CONNBYTES: &[Opt] = &[
    opt(
        &["--connbytes"],
        1,
        Exact,
        "`ct bytes`, `ct packets`, `ct avgpkt`",
    ),
    opt(
        &["--connbytes-dir"],
        1,
        Exact,
        "`ct original bytes`, `ct reply bytes`, `ct bytes`",
    ),
    opt(&["--connbytes-mode"], 1, Exact, "which of the three"),
];
const CONNLABEL: &[Opt] = &[
    opt(&["--label"], 1, Exact, "`ct label`"),
    opt(&["--set"], 0, Exact, "`ct label set`"),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["state"], STATE, |build, seen| {
        for given in &seen.options {
            state(build, given);
        }
    }),
    a_match(&["conntrack"], CONNTRACK, conntrack),
    a_match(&["helper"], HELPER, |build, seen| {
        for given in &seen.options {
            match given.value() {
                "" => build.refuse(given.span, "nft cannot ask for any helper at all"),
                name => build.is("ct helper", given.not, format!("\"{name}\"")),
            }
        }
    }),
    a_match(&["connbytes"], CONNBYTES, connbytes),
    a_match(&["connlabel"], CONNLABEL, connlabel),
];

const STATES: &[(&str, &str)] = &[
    ("INVALID", "invalid"),
    ("NEW", "new"),
    ("ESTABLISHED", "established"),
    ("RELATED", "related"),
    ("UNTRACKED", "untracked"),
];

const STATUSES: &[(&str, &str)] = &[
    ("EXPECTED", "expected"),
    ("SEEN_REPLY", "seen-reply"),
    ("ASSURED", "assured"),
    ("CONFIRMED", "confirmed"),
    ("SNAT", "snat"),
    ("DNAT", "dnat"),
];

/// The words of a list that stand in a table; a name may be cut short, as iptables compares them.
fn words(table: &[(&str, &'static str)], text: &str) -> Vec<&'static str> {
    let mut out: Vec<&str> = Vec::new();
    for name in text.split(',') {
        let upper = name.trim().to_uppercase();
        let found = table
            .iter()
            .find(|(known, _)| *known == upper || (!upper.is_empty() && known.starts_with(&upper)));
        if let Some((_, word)) = found
            && !out.contains(word)
        {
            out.push(word);
        }
    }
    out
}

fn values(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::word(*word)).collect()
}

fn known(build: &mut Build<'_>, given: &Given, tables: &[&[(&str, &'static str)]]) -> bool {
    let all = given.value().split(',').all(|name| {
        let name = name.trim();
        tables.iter().any(|table| !words(table, name).is_empty())
    });
    if !all {
        build.refuse(
            given.span,
            format!(
                "`{}` has a word that is no state of a connection",
                given.value()
            ),
        );
    }
    all
}

fn state(build: &mut Build<'_>, given: &Given) {
    if !known(
        build,
        given,
        &[STATES, STATUSES.get(4..).unwrap_or_default()],
    ) {
        return;
    }
    let states = words(STATES, given.value());
    // SNAT and DNAT are bits of the status, which a connection has beside its state
    let nat = words(STATUSES.get(4..).unwrap_or_default(), given.value());
    let part = |key: &str, op: Op, words: &[&str]| {
        Stmt::Match(Match {
            key: key.to_owned(),
            op,
            values: values(words),
        })
    };
    match (states.as_slice(), nat.as_slice(), given.not) {
        (states, [], not) => build.compare("ct state", not, values(states)),
        ([], nat, false) => build.compare("ct status", false, values(nat)),
        (states, nat, true) => {
            // xt_conntrack.c: conntrack_mt: a packet without a connection is not translated either; nft finds no status there
            let none: Vec<&str> = ["invalid", "untracked"]
                .into_iter()
                .filter(|word| !states.contains(word))
                .collect();
            let mut with = vec![part("ct status", Op::Ne, nat)];
            if !states.is_empty() {
                with.insert(0, part("ct state", Op::Ne, states));
            }
            let mut rows = vec![with];
            if !none.is_empty() {
                rows.insert(0, vec![part("ct state", Op::Eq, &none)]);
            }
            build.split(&rows);
        }
        (states, nat, false) => build.split(&[
            vec![part("ct state", Op::Eq, states)],
            vec![
                part("ct state", Op::Ne, states),
                part("ct status", Op::Eq, nat),
            ],
        ]),
    }
}

fn conntrack(build: &mut Build<'_>, seen: &Seen) {
    // nft wants the protocol in front of its ports
    let first = |given: &&Given| given.name() == "--ctproto";
    let has_protocol = seen.has("--ctproto") || build.ports().is_some();
    for given in seen
        .options
        .iter()
        .filter(first)
        .chain(seen.options.iter().filter(|given| !first(given)))
    {
        let name = given.name().trim_start_matches("--ct");
        match name {
            "state" => state(build, given),
            "proto" => match proto::number(given.value()) {
                Some(number) => build.compare(
                    "ct original protocol",
                    given.not,
                    vec![Value::number(number.into(), proto::word(number))],
                ),
                None => build.refuse(
                    given.span,
                    format!("no protocol is called `{}`", given.value()),
                ),
            },
            "status" if !known(build, given, &[STATUSES]) => {}
            "status" => build.compare(
                "ct status",
                given.not,
                values(&words(STATUSES, given.value())),
            ),
            "expire" => expire(build, given),
            "dir" => {
                let word = given.value().to_lowercase();
                build.is("ct direction", given.not, word);
            }
            _ => {
                let (direction, rest) = match name.strip_prefix("orig") {
                    Some(rest) => ("original", rest),
                    None => ("reply", name.trim_start_matches("repl")),
                };
                let end = if rest.starts_with("src") {
                    "src"
                } else {
                    "dst"
                };
                if rest.ends_with("port") {
                    ct_port(
                        build,
                        given,
                        &format!("ct {direction} proto-{end}"),
                        has_protocol,
                    );
                } else {
                    let side = if end == "src" { "saddr" } else { "daddr" };
                    match addr::net(build.family, given.value()) {
                        Some(net) => {
                            build.push(net.test(&format!("ct {direction} {side}"), given.not));
                        }
                        None => {
                            build.refuse(given.span, format!("`{}` is no address", given.value()));
                        }
                    }
                }
            }
        }
    }
}

fn ct_port(build: &mut Build<'_>, given: &Given, key: &str, has_protocol: bool) {
    let Some((first, last)) = port_range(given.value(), ':') else {
        build.refuse(given.span, format!("`{}` is no port", given.value()));
        return;
    };
    if !has_protocol {
        build.refuse(
            given.span,
            "nft asks for ports of a connection only where the rule names its protocol",
        );
    }
    build.within(key, given.not, first.into(), last.into());
}

fn expire(build: &mut Build<'_>, given: &Given) {
    match span_of(given.value(), ':', u32::MAX.into()) {
        Some((first, last)) => {
            let text = format!("{first}s-{}ms", last * 1000 + 999);
            build.is("ct expiration", given.not, text);
        }
        _ => build.refuse(
            given.span,
            format!("`{}` is no number of seconds", given.value()),
        ),
    }
}

fn connbytes(build: &mut Build<'_>, seen: &Seen) {
    let Some(given) = seen.get("--connbytes") else {
        return;
    };
    let direction = match seen.value("--connbytes-dir") {
        Some("original") => "original ",
        Some("reply") => "reply ",
        _ => "",
    };
    let what = match seen.value("--connbytes-mode") {
        Some("bytes") => "bytes",
        Some("avgpkt") => "avgpkt",
        _ => "packets",
    };
    let key = format!("ct {direction}{what}");
    let open = !given.value().contains(':');
    match span_of(given.value(), ':', u64::MAX) {
        Some((first, last)) if open || last == u64::MAX => {
            let op = if given.not { "<" } else { ">=" };
            build.test(format!("{key} {op} {first}"));
        }
        Some((first, last)) => build.within(key, given.not, first.into(), last.into()),
        None => build.refuse(given.span, format!("`{}` is no range", given.value())),
    }
}

fn connlabel(build: &mut Build<'_>, seen: &Seen) {
    let Some(given) = seen.get("--label") else {
        return;
    };
    let Some(bit) = number(given.value()) else {
        build.refuse(
            given.span,
            "a label by name is in connlabel.conf, which is not read; write its number",
        );
        return;
    };
    if seen.has("--set") {
        build.act(format!("ct label set {bit}"));
    }
    if given.not {
        build.test(format!("ct label & {bit} != {bit}"));
    } else {
        build.is("ct label", false, bit.to_string());
    }
}
