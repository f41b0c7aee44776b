//! set: what ipset keeps, as named sets.

use super::super::build::Build;
use super::super::ipset;
use super::super::module::{How, Module, Opt, a_match, opt};

use How::{Exact, Refused};

const SET: &[Opt] = &[
    opt(
        &["--match-set"],
        2,
        Exact,
        "`ip saddr @NAME`; the set comes from what `ipset save` prints, given as a further file",
    ),
    opt(
        &["--return-nomatch"],
        0,
        Refused("nft's sets have no elements that stand for no match"),
        "",
    ),
    opt(
        &["--update-counters"],
        0,
        Exact,
        "nothing: elements with counters count",
    ),
    opt(
        &["--update-subcounters"],
        0,
        Exact,
        "nothing: elements with counters count",
    ),
    opt(
        &["--packets-eq"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
    opt(
        &["--packets-lt"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
    opt(
        &["--packets-gt"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
    opt(
        &["--bytes-eq"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
    opt(
        &["--bytes-lt"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
    opt(
        &["--bytes-gt"],
        1,
        Refused("nft cannot compare an element's counter"),
        "",
    ),
];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[a_match(&["set"], SET, |build, seen| {
    for given in seen
        .options
        .iter()
        .filter(|given| given.name() == "--match-set")
    {
        match ipset::expression(build, given.value(), given.second()) {
            Ok((name, key)) => write(build, &key, given.not, &name),
            Err(why) => build.refuse(given.span, why),
        }
    }
})];

fn write(build: &mut Build<'_>, key: &str, not: bool, name: &str) {
    let sign = if not { "!= " } else { "" };
    build.test(format!("{key} {sign}@{name}"));
}
