//! Targets that change a packet: TCPMSS, TCPOPTSTRIP, DSCP, TOS, TTL, HL, CLASSIFY.

use super::super::build::Build;
use super::super::matches::{dscp_value, tos_value};
use super::super::module::{How, Kind, Module, Opt, Seen, a_target, opt, refused};
use super::super::source::Family;

use How::{Exact, Refused};

const NO_ARITHMETIC: &str = "nft sets a field to a value and cannot count it up or down";

const TCPMSS: &[Opt] = &[
    opt(
        &["--set-mss"],
        1,
        Exact,
        "`tcp option maxseg size set 1400`",
    ),
    opt(
        &["--clamp-mss-to-pmtu"],
        0,
        Exact,
        "`tcp option maxseg size set rt mtu`",
    ),
];
const TCPOPTSTRIP: &[Opt] = &[opt(
    &["--strip-options"],
    1,
    Exact,
    "`reset tcp option timestamp`",
)];
const DSCP: &[Opt] = &[
    opt(&["--set-dscp"], 1, Exact, "`ip dscp set`"),
    opt(&["--set-dscp-class"], 1, Exact, "`ip dscp set`"),
];
const TOS: &[Opt] = &[
    opt(
        &["--set-tos"],
        1,
        Exact,
        "`ip dscp set`, `ip ecn set`; masks other than 0xff, 0xfc and 0x03 are refused",
    ),
    opt(&["--and-tos"], 1, Refused(NO_ARITHMETIC), ""),
    opt(&["--or-tos"], 1, Refused(NO_ARITHMETIC), ""),
    opt(&["--xor-tos"], 1, Refused(NO_ARITHMETIC), ""),
];
const TTL: &[Opt] = &[
    opt(&["--ttl-set"], 1, Exact, "`ip ttl set`"),
    opt(&["--ttl-dec"], 1, Refused(NO_ARITHMETIC), ""),
    opt(&["--ttl-inc"], 1, Refused(NO_ARITHMETIC), ""),
];
const HL: &[Opt] = &[
    opt(&["--hl-set"], 1, Exact, "`ip6 hoplimit set`"),
    opt(&["--hl-dec"], 1, Refused(NO_ARITHMETIC), ""),
    opt(&["--hl-inc"], 1, Refused(NO_ARITHMETIC), ""),
];
const CLASSIFY: &[Opt] = &[opt(&["--set-class"], 1, Exact, "`meta priority set`")];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["TCPMSS"], "", TCPMSS, tcpmss)
        .differs("a SYN without the option gets none, where iptables adds one"),
    a_target(&["TCPOPTSTRIP"], "", TCPOPTSTRIP, strip),
    a_target(&["DSCP"], "", DSCP, dscp),
    a_target(&["TOS"], "", TOS, tos),
    a_target(&["TTL"], "", TTL, |build, seen| hops(build, seen, "ip ttl")).only(Family::V4),
    a_target(&["HL"], "", HL, |build, seen| {
        hops(build, seen, "ip6 hoplimit");
    })
    .only(Family::V6),
    a_target(&["CLASSIFY"], "", CLASSIFY, classify),
    refused(
        Kind::Target,
        &["CHECKSUM"],
        "nft fills in no checksums; only old DHCP clients on virtual machines need it",
    ),
    refused(
        Kind::Target,
        &["ECN"],
        "nft cannot take ECN out of a TCP header",
    ),
    refused(
        Kind::Target,
        &["HMARK"],
        "nft hashes with `jhash`, which gives other marks",
    ),
    refused(
        Kind::Target,
        &["IDLETIMER", "RATEEST"],
        "nft does not know it",
    ),
    refused(
        Kind::Target,
        &["CLUSTERIP", "SAME", "BALANCE"],
        "it is gone from the kernel",
    ),
    refused(
        Kind::Target,
        &["DNPT", "SNPT"],
        "nft has no stateless translation of prefixes",
    ),
];

fn tcpmss(build: &mut Build<'_>, seen: &Seen) {
    if build.protocol != Some(6) {
        return build.refuse(seen.span, "TCPMSS needs `-p tcp`");
    }
    let to = match seen.value("--set-mss").map(str::parse::<u16>) {
        None => "rt mtu".to_owned(),
        Some(Ok(mss)) => mss.to_string(),
        Some(Err(_)) => return build.refuse(seen.span, "an MSS is a number of 16 bits"),
    };
    build
        .actions
        .push(format!("tcp option maxseg size set {to}"));
}

const OPTIONS: &[(&str, &str)] = &[
    ("mss", "maxseg"),
    ("wscale", "window"),
    ("sack-permitted", "sack-perm"),
    ("sack", "sack"),
    ("timestamp", "timestamp"),
    ("md5", "md5sig"),
    ("2", "maxseg"),
    ("3", "window"),
    ("4", "sack-perm"),
    ("5", "sack"),
    ("8", "timestamp"),
    ("19", "md5sig"),
];

fn strip(build: &mut Build<'_>, seen: &Seen) {
    let Some(given) = seen.get("--strip-options") else {
        return;
    };
    for option in given.value().split(',') {
        let named = OPTIONS
            .iter()
            .find(|(name, _)| *name == option)
            .map(|(_, word)| (*word).to_owned());
        match named.or(option.parse::<u8>().ok().map(|kind| kind.to_string())) {
            Some(word) => build.actions.push(format!("reset tcp option {word}")),
            None => build.refuse(given.span, format!("no option of TCP is called `{option}`")),
        }
    }
}

fn dscp(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        match dscp_value(given) {
            Some(value) => build
                .actions
                .push(format!("{} dscp set 0x{value:02x}", build.header())),
            None => build.refuse(given.span, format!("`{}` is no code point", given.value())),
        }
    }
}

fn tos(build: &mut Build<'_>, seen: &Seen) {
    for given in seen
        .options
        .iter()
        .filter(|given| given.name() == "--set-tos")
    {
        let Some((value, mask)) = tos_value(given.value()) else {
            build.refuse(given.span, format!("`{}` is no TOS", given.value()));
            continue;
        };
        let header = build.header();
        if !matches!(mask, 0xff | 0xfc | 0x03) || value & !mask != 0 {
            build.refuse(
                given.span,
                "nft sets DSCP and ECN as a whole; this mask leaves bits of them as they are",
            );
            continue;
        }
        if mask & 0xfc != 0 {
            build
                .actions
                .push(format!("{header} dscp set 0x{:02x}", value >> 2));
        }
        if mask & 0x03 != 0 {
            build
                .actions
                .push(format!("{header} ecn set {}", value & 3));
        }
    }
}

fn hops(build: &mut Build<'_>, seen: &Seen, key: &str) {
    for given in &seen.options {
        match given.value().parse::<u8>() {
            Ok(number) => build.actions.push(format!("{key} set {number}")),
            Err(_) => build.refuse(given.span, "it is a number up to 255"),
        }
    }
}

fn classify(build: &mut Build<'_>, seen: &Seen) {
    let Some(given) = seen.get("--set-class") else {
        return;
    };
    let both = given.value().split_once(':').and_then(|(major, minor)| {
        let read = |text: &str| u16::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        Some((read(major)?, read(minor)?))
    });
    let class = match both {
        Some((0, 0)) => "none".to_owned(),
        Some((0xffff, 0xffff)) => "root".to_owned(),
        Some((major, minor)) => format!("{major:x}:{minor:x}"),
        None => return build.refuse(given.span, format!("`{}` is no class", given.value())),
    };
    build.actions.push(format!("meta priority set {class}"));
}
