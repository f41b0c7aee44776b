//! Targets about connections: CT, NOTRACK, SYNPROXY, SECMARK's kin; SET.

use super::super::build::{Build, name, number};
use super::super::ipset;
use super::super::module::{How, Kind, Module, Opt, Seen, a_target, opt, refused};
use super::super::nft::{Object, Verdict};

use How::{Exact, Refused};

const CT: &[Opt] = &[
    opt(&["--notrack"], 0, Exact, "`notrack`"),
    opt(
        &["--helper"],
        1,
        Exact,
        "`ct helper set`, with the helper's object; needs `-p`",
    ),
    opt(&["--ctevents"], 1, Exact, "`ct event set`"),
    opt(
        &["--expevents"],
        1,
        Refused("nft has no events of expectations"),
        "",
    ),
    opt(&["--zone"], 1, Exact, "`ct zone set`"),
    opt(&["--zone-orig"], 1, Exact, "`ct original zone set`"),
    opt(&["--zone-reply"], 1, Exact, "`ct reply zone set`"),
    opt(
        &["--timeout"],
        1,
        Refused("the policy of timeouts is kept by another program; write a `ct timeout` object"),
        "",
    ),
];
const SYNPROXY: &[Opt] = &[
    opt(&["--mss"], 1, Exact, "`mss`"),
    opt(&["--wscale"], 1, Exact, "`wscale`"),
    opt(&["--timestamp"], 0, Exact, "`timestamp`"),
    opt(&["--sack-perm"], 0, Exact, "`sack-perm`"),
    opt(
        &["--ecn"],
        0,
        Refused("nft's synproxy has no such option"),
        "",
    ),
];
const SET: &[Opt] = &[
    opt(&["--add-set"], 2, Exact, "`add @NAME { ip saddr }`"),
    opt(&["--del-set"], 2, Exact, "`delete @NAME { ip saddr }`"),
    opt(
        &["--map-set"],
        2,
        Refused("nft keeps no marks beside a set's elements; a map does"),
        "",
    ),
    opt(&["--exist"], 0, Exact, "`update` in place of `add`"),
    opt(&["--timeout"], 1, Exact, "the element's `timeout`"),
    opt(
        &["--map-mark"],
        0,
        Refused("nft keeps no marks beside a set's elements; a map does"),
        "",
    ),
];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["NOTRACK"], "`notrack`", &[], |build, _| {
        build.actions.push("notrack".to_owned());
    }),
    a_target(&["CT"], "", CT, ct),
    a_target(&["SYNPROXY"], "`synproxy`", SYNPROXY, synproxy),
    a_target(&["SET"], "", SET, set),
    refused(
        Kind::Target,
        &["SECMARK", "CONNSECMARK"],
        "security contexts go by objects of nft that SELinux must know",
    ),
];

fn ct(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let value = given.value();
        match given.name() {
            "--notrack" => build.actions.push("notrack".to_owned()),
            "--helper" => {
                let Some(protocol) = build.ports().filter(|word| matches!(*word, "tcp" | "udp"))
                else {
                    build.refuse(
                        given.span,
                        "nft wants to know whether the helper is for tcp or udp; add `-p`",
                    );
                    continue;
                };
                let object = name(&format!("{value}-{protocol}"));
                let body = vec![
                    format!("type \"{value}\" protocol {protocol}"),
                    format!("l3proto {}", build.header()),
                ];
                build.shared.object(Object {
                    kind: "ct helper",
                    name: object.clone(),
                    body,
                });
                build.actions.push(format!("ct helper set \"{object}\""));
            }
            "--ctevents" => build.actions.push(format!("ct event set {value}")),
            "--zone" | "--zone-orig" | "--zone-reply" => {
                let direction = match given.name() {
                    "--zone-orig" => "original ",
                    "--zone-reply" => "reply ",
                    _ => "",
                };
                match number(value).filter(|zone| *zone <= 0xffff) {
                    Some(zone) => build.actions.push(format!("ct {direction}zone set {zone}")),
                    None => build.refuse(given.span, "a zone is a number of 16 bits"),
                }
            }
            _ => {}
        }
    }
}

fn synproxy(build: &mut Build<'_>, seen: &Seen) {
    let mut text = "synproxy".to_owned();
    for word in ["mss", "wscale"] {
        if let Some(value) = seen.value(&format!("--{word}")) {
            text = format!("{text} {word} {value}");
        }
    }
    for word in ["timestamp", "sack-perm"] {
        if seen.has(&format!("--{word}")) {
            text = format!("{text} {word}");
        }
    }
    build.verdict = Verdict::Rejects(text);
}

fn set(build: &mut Build<'_>, seen: &Seen) {
    let exist = seen.has("--exist");
    for given in seen.options.iter().filter(|given| given.args.len() == 2) {
        match ipset::expression(build, given.value(), given.second()) {
            Ok((name, key)) => {
                let verb = match given.name() {
                    "--del-set" => "delete",
                    _ if exist => "update",
                    _ => "add",
                };
                let timeout = seen
                    .value("--timeout")
                    .filter(|_| verb != "delete")
                    .map_or(String::new(), |text| format!(" timeout {text}s"));
                build
                    .actions
                    .push(format!("{verb} @{name} {{ {key}{timeout} }}"));
            }
            Err(why) => build.refuse(given.span, why),
        }
    }
}
