//! IPv6's headers, ah, esp, ipcomp, realm.

use super::super::build::{Build, masked, number, span_of};
use super::super::module::{Given, How, Kind, Module, Opt, Seen, a_match, opt, refused};
use super::super::source::Family;
use super::ports::numbers;

use How::{Exact, Refused};

const FRAG: &[Opt] = &[
    opt(&["--fragid"], 1, Exact, "`frag id`"),
    opt(
        &["--fraglen"],
        1,
        Refused("the kernel has not looked at it since 2.6"),
        "",
    ),
    opt(&["--fragres"], 0, Exact, "`frag reserved 1`"),
    opt(&["--fragfirst"], 0, Exact, "`frag frag-off 0`"),
    opt(&["--fragmore"], 0, Exact, "`frag more-fragments 1`"),
    opt(&["--fraglast"], 0, Exact, "`frag more-fragments 0`"),
];
const RT: &[Opt] = &[
    opt(&["--rt-type"], 1, Exact, "`rt type`"),
    opt(&["--rt-segsleft"], 1, Exact, "`rt seg-left`"),
    opt(
        &["--rt-len"],
        1,
        Exact,
        "`rt hdrlength`, which counts groups of 8 bytes behind the first",
    ),
    opt(&["--rt-0-res"], 0, Refused("nft has no such field"), ""),
    opt(
        &["--rt-0-addrs"],
        1,
        Refused("nft cannot look for an address among those of the header"),
        "",
    ),
    opt(
        &["--rt-0-not-strict"],
        0,
        Refused("nft cannot look for an address among those of the header"),
        "",
    ),
];
const HBH: &[Opt] = &[
    opt(
        &["--hbh-len"],
        1,
        Exact,
        "`hbh hdrlength`, which counts groups of 8 bytes behind the first",
    ),
    opt(
        &["--hbh-opts"],
        1,
        Refused("nft cannot look into the header's options"),
        "",
    ),
];
const DST: &[Opt] = &[
    opt(
        &["--dst-len"],
        1,
        Exact,
        "`dst hdrlength`, which counts groups of 8 bytes behind the first",
    ),
    opt(
        &["--dst-opts"],
        1,
        Refused("nft cannot look into the header's options"),
        "",
    ),
];
const AH: &[Opt] = &[
    opt(
        &["--ahspi"],
        1,
        Exact,
        "`ah spi`; in IPv6 only where no other header follows it",
    ),
    opt(
        &["--ahlen"],
        1,
        Exact,
        "`ah hdrlength`, which counts groups of 4 bytes behind the first two",
    ),
    opt(&["--ahres"], 0, Exact, "`ah reserved 1`"),
];
const ESP: &[Opt] = &[opt(&["--espspi"], 1, Exact, "`esp spi`")];
const COMP: &[Opt] = &[
    opt(&["--ipcompspi"], 1, Exact, "`comp cpi`"),
    opt(&["--compres"], 0, Refused("nft has no such field"), ""),
];
const MH: &[Opt] = &[opt(&["--mh-type"], 1, Exact, "`mh type`, by number")];
const HEADER: &[Opt] = &[
    opt(
        &["--header"],
        1,
        Exact,
        "`exthdr hbh exists` for each, with `--soft`",
    ),
    opt(&["--soft"], 0, Exact, "without it the rule is refused"),
];
const REALM: &[Opt] = &[opt(&["--realm"], 1, Exact, "`meta rtclassid`, by number")];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["frag"], FRAG, frag).only(Family::V6),
    a_match(&["rt"], RT, rt).only(Family::V6),
    a_match(&["hbh"], HBH, |build, seen| options(build, seen, "hbh"))
        .only(Family::V6)
        .becomes("`exthdr hbh exists`"),
    a_match(&["dst"], DST, |build, seen| options(build, seen, "dst"))
        .only(Family::V6)
        .becomes("`exthdr dst exists`"),
    a_match(&["mh"], MH, mh)
        .only(Family::V6)
        .becomes("`exthdr mh exists`"),
    a_match(&["ipv6header"], HEADER, header).only(Family::V6),
    refused(
        Kind::Match,
        &["eui64"],
        "nft cannot compare an address with one made from a MAC address",
    ),
    a_match(&["ah"], AH, ah),
    a_match(&["esp"], ESP, |build, seen| {
        spi(build, seen.get("--espspi"), "esp", 50);
    }),
    a_match(&["ipcomp"], COMP, comp),
    a_match(&["realm"], REALM, realm).only(Family::V4),
];

/// An SPI; every one asks only that the header is there, which `-p` may say already.
fn spi(build: &mut Build<'_>, given: Option<&Given>, header: &str, number: u8) {
    match given {
        Some(given) if !is_all(given) => {
            numbers(build, &format!("{header} spi"), given, u32::MAX.into());
        }
        _ if build.protocol == Some(number) => {}
        _ => build.is("meta l4proto", false, header),
    }
}

fn is_all(given: &Given) -> bool {
    !given.not && matches!(given.value(), "0:4294967295" | ":" | "0:")
}

/// A length in bytes, which iptables computes from the header's field (ipv6.h: `ipv6_optlen`, `ipv6_authlen`): `(field + more) * unit`.
fn length(build: &mut Build<'_>, given: &Given, header: &str, (unit, more): (u64, u64)) {
    let Some((first, last)) = span_of(given.value(), ':', u32::MAX.into()) else {
        build.refuse(given.span, format!("`{}` is no length", given.value()));
        return;
    };
    let (first, last) = (
        first.div_ceil(unit).max(more) - more,
        (last / unit + 1).saturating_sub(more),
    );
    match (last.checked_sub(1).filter(|last| first <= *last), given.not) {
        (Some(last), not) => build.within(
            format!("{header} hdrlength"),
            not,
            first.into(),
            last.min(255).into(),
        ),
        (None, true) => build.test(format!("exthdr {header} exists")),
        (None, false) => build.never(
            given.span,
            &format!("lengths of this header are multiples of {unit} bytes"),
        ),
    }
}

fn options(build: &mut Build<'_>, seen: &Seen, header: &str) {
    if seen.options.is_empty() {
        build.test(format!("exthdr {header} exists"));
    }
    for given in &seen.options {
        length(build, given, header, (8, 1));
    }
}

fn frag(build: &mut Build<'_>, seen: &Seen) {
    let all = seen.get("--fragid").is_none_or(is_all);
    if all && seen.options.len() <= usize::from(seen.has("--fragid")) {
        build.test("exthdr frag exists");
    }
    for given in &seen.options {
        match given.name() {
            "--fragid" if is_all(given) => {}
            "--fragid" => numbers(build, "frag id", given, u32::MAX.into()),
            "--fragres" => build.within("frag reserved", false, 1, 1),
            "--fragfirst" => build.within("frag frag-off", given.not, 0, 0),
            "--fragmore" => build.within("frag more-fragments", false, 1, 1),
            _ => build.within("frag more-fragments", false, 0, 0),
        }
    }
}

fn rt(build: &mut Build<'_>, seen: &Seen) {
    let all = |given: &Given| given.name() == "--rt-segsleft" && is_all(given);
    if seen.options.iter().all(all) {
        build.test("exthdr rt exists");
    }
    for given in seen.options.iter().filter(|given| !all(given)) {
        match given.name() {
            "--rt-type" => numbers(build, "rt type", given, 255),
            "--rt-segsleft" => segments(build, given),
            _ => length(build, given, "rt", (8, 1)),
        }
    }
}

/// A range of 32 bits for a field of 8.
fn segments(build: &mut Build<'_>, given: &Given) {
    match span_of(given.value(), ':', u32::MAX.into()) {
        Some((first, last)) if first <= 255 => {
            build.within("rt seg-left", given.not, first.into(), last.min(255).into());
        }
        Some(_) => build.never(given.span, "the field has 8 bits"),
        None => build.refuse(given.span, format!("`{}` is no number", given.value())),
    }
}

fn mh(build: &mut Build<'_>, seen: &Seen) {
    match seen.get("--mh-type") {
        Some(given) if given.value().starts_with(|c: char| c.is_ascii_digit()) => {
            if given.value() == "0:255" && !given.not {
                build.test("exthdr mh exists");
            } else {
                numbers(build, "mh type", given, 255);
            }
        }
        Some(given) => {
            let word = given.value().to_lowercase();
            let ty = crate::datatype::Type::of(redan_vm::datatype::DataType::MhType);
            match crate::datatype::read_symbol(ty, &word, crate::datatype::Clock::fixed(0)) {
                Ok(number) => build.within("mh type", given.not, number, number),
                Err(_) => build.refuse(given.span, "write the type's number"),
            }
        }
        None => build.test("exthdr mh exists"),
    }
}

const HEADERS: &[(&str, &str)] = &[
    ("hop", "hbh"),
    ("hop-by-hop", "hbh"),
    ("dst", "dst"),
    ("ipv6-opts", "dst"),
    ("route", "rt"),
    ("ipv6-route", "rt"),
    ("frag", "frag"),
    ("ipv6-frag", "frag"),
    ("auth", "ah"),
    ("ah", "ah"),
];

fn header(build: &mut Build<'_>, seen: &Seen) {
    let Some(given) = seen.get("--header") else {
        return;
    };
    let words: Option<Vec<&str>> = given
        .value()
        .split(',')
        .map(|name| {
            HEADERS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, word)| *word)
        })
        .collect();
    match words {
        Some(words) if seen.has("--soft") && !given.not => {
            for word in words {
                build.test(format!("exthdr {word} exists"));
            }
        }
        _ => build.refuse(
            given.span,
            "nft can ask whether these headers are there, not whether others are missing",
        ),
    }
}

fn ah(build: &mut Build<'_>, seen: &Seen) {
    if build.family == Family::V6 {
        build.approximate(
            seen.span,
            "nft finds the header only where no other follows it",
        );
    }
    if seen.has("--ahspi") || seen.options.is_empty() {
        spi(build, seen.get("--ahspi"), "ah", 51);
    }
    for given in &seen.options {
        match given.name() {
            "--ahlen" => length(build, given, "ah", (4, 2)),
            "--ahres" => build.within("ah reserved", false, 1, 1),
            _ => {}
        }
    }
}

fn comp(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        match span_of(given.value(), ':', 0xffff) {
            Some((first, last)) => build.within("comp cpi", given.not, first.into(), last.into()),
            None => build.refuse(given.span, "an SPI of IPComp has 16 bits"),
        }
    }
}

fn realm(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let Some((value, mask)) = masked(given.value())
            .filter(|_| number(given.value().split('/').next().unwrap_or("")).is_some())
        else {
            build.refuse(
                given.span,
                "a realm by name is in rt_realms, which is not read; write its number",
            );
            continue;
        };
        super::marks::test(build, "meta rtclassid", given.not, value, mask);
    }
}
