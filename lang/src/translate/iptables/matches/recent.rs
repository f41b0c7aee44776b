//! recent: lists of addresses with the times at which they were seen, as sets whose elements time out.
//!
//! A list that is asked for several spans of time becomes a set for each, and what puts an address on the list puts it into all of them. How often an address was
//! seen (`--hitcount`) becomes a limit of its own for each address: a bucket that fills steadily where recent looks at the last times.

use super::super::addr;
use super::super::build::{Build, name, number};
use super::super::module::{How, Module, Opt, Seen, a_match, opt};
use super::super::nft::{Object, Stmt};
use std::collections::{BTreeMap, BTreeSet};

use How::{Approximated, Exact, Refused};

const RECENT: &[Opt] = &[
    opt(&["--set"], 0, Exact, "`update @NAME { ip saddr }`"),
    opt(&["--rcheck"], 0, Exact, "`ip saddr @NAME`"),
    opt(
        &["--update"],
        0,
        Exact,
        "`ip saddr @NAME update @NAME { ip saddr }`",
    ),
    opt(
        &["--remove"],
        0,
        Exact,
        "`ip saddr @NAME delete @NAME { ip saddr }`",
    ),
    opt(&["--seconds"], 1, Exact, "the set's `timeout`"),
    opt(&["--reap"], 0, Exact, "nothing: elements go by themselves"),
    opt(
        &["--hitcount"],
        1,
        Approximated(
            "how often an address was seen becomes a limit for each address, which fills steadily",
        ),
        "`update @NAME_over_3_in_60 { ip saddr limit rate over 2/minute burst 2 packets }`",
    ),
    opt(&["--rttl"], 0, Refused("nft's sets keep no TTL"), ""),
    opt(&["--name"], 1, Exact, "the set's name"),
    opt(&["--rsource"], 0, Exact, "`ip saddr`, which is the default"),
    opt(&["--rdest"], 0, Exact, "`ip daddr`"),
    opt(&["--mask"], 1, Exact, "`ip saddr & 255.255.255.0`"),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[a_match(&["recent"], RECENT, write)];

/// For each list, the spans of time (in seconds; 0 is for ever) that rules ask it for.
pub(in super::super) type Lists = BTreeMap<String, BTreeSet<u64>>;

fn list_name(seen: &Seen) -> &str {
    seen.value("--name").unwrap_or("DEFAULT")
}

fn seconds(seen: &Seen) -> Option<u64> {
    seen.value("--seconds").map_or(Some(0), number)
}

/// Notes what a rule asks of its list.
pub(in super::super) fn note(seen: &Seen, lists: &mut Lists) {
    let spans = lists.entry(list_name(seen).to_owned()).or_default();
    let asks = seen.has("--rcheck") || seen.has("--update") || seen.has("--remove");
    if asks && !seen.has("--hitcount") {
        spans.extend(seconds(seen));
    }
}

fn set_name(list: &str, spans: &BTreeSet<u64>, span: u64) -> String {
    if spans.len() < 2 || span == 0 {
        name(list)
    } else {
        name(&format!("{list}_{span}s"))
    }
}

fn declare(build: &mut Build<'_>, list: &str, spans: &BTreeSet<u64>, span: u64) -> String {
    let name = set_name(list, spans, span);
    let mut body = vec![
        format!("type {}", build.family.addr()),
        "size 65535".to_owned(),
    ];
    if span == 0 {
        body.push("flags dynamic".to_owned());
    } else {
        body.extend([
            "flags dynamic,timeout".to_owned(),
            format!("timeout {span}s"),
        ]);
    }
    build.shared.object(Object {
        kind: "set",
        name: name.clone(),
        body,
    });
    name
}

fn write(build: &mut Build<'_>, seen: &Seen) {
    let side = if seen.has("--rdest") {
        "daddr"
    } else {
        "saddr"
    };
    let mut key = format!("{} {side}", build.header());
    if let Some(text) = seen.value("--mask") {
        match addr::address(build.family, text) {
            Some(mask) if mask == addr::all(build.family) => {}
            Some(mask) => key = format!("{key} & {}", addr::text(build.family, mask)),
            None => return build.refuse(seen.span, format!("`{text}` is no mask")),
        }
    }
    let list = list_name(seen);
    let none = BTreeSet::new();
    let spans = build.world.recent.get(list).unwrap_or(&none);
    let Some(span) = seconds(seen) else {
        return build.refuse(seen.span, "`--seconds` is a number");
    };
    if seen.has("--set") {
        for &span in spans {
            let name = declare(build, list, spans, span);
            build.act(format!("update @{name} {{ {key} }}"));
        }
        return;
    }
    let not = ["--rcheck", "--update", "--remove"]
        .iter()
        .filter_map(|name| seen.get(name))
        .any(|given| given.not);
    if let Some(given) = seen.get("--hitcount") {
        let Some(hits) = number(given.value()).filter(|hits| *hits > 1 && span > 0 && !not) else {
            return build.refuse(
                given.span,
                "nft counts how often an address was seen within `--seconds` alone",
            );
        };
        let name = name(&format!("{list}_over_{hits}_in_{span}"));
        let body = vec![
            format!("type {}", build.family.addr()),
            "size 65535".to_owned(),
            "flags dynamic,timeout".to_owned(),
            format!("timeout {span}s"),
        ];
        build.shared.object(Object {
            kind: "set",
            name: name.clone(),
            body,
        });
        return build.act(format!(
            "update @{name} {{ {key} limit rate over {} burst {} packets }}",
            steady(hits - 1, span),
            hits - 1
        ));
    }
    let name = declare(build, list, spans, span);
    let sign = if not { "!= " } else { "" };
    build.push(Stmt::Act(format!("{key} {sign}@{name}")));
    if seen.has("--remove") {
        for &span in spans {
            let name = declare(build, list, spans, span);
            build.act(format!("delete @{name} {{ {key} }}"));
        }
    } else if seen.has("--update") && not {
        build.refuse(
            seen.span,
            "nft cannot put an address on a list where it is missing and only there",
        );
    } else if seen.has("--update") {
        for &span in spans {
            let name = declare(build, list, spans, span);
            build.act(format!("update @{name} {{ {key} }}"));
        }
    }
}

/// So many in so many seconds, as nft writes rates.
fn steady(hits: u64, seconds: u64) -> String {
    let units = [
        ("second", 1),
        ("minute", 60),
        ("hour", 3600),
        ("day", 86400),
    ];
    let whole = units
        .iter()
        .find(|(_, unit)| (hits * unit).is_multiple_of(seconds));
    let (word, unit) = whole.copied().unwrap_or(("day", 86400));
    format!("{}/{word}", (hits * unit / seconds).max(1))
}
