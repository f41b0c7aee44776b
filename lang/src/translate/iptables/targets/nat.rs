//! Address translation: SNAT, DNAT, MASQUERADE, REDIRECT, NETMAP, TPROXY.

use super::super::addr;
use super::super::build::{Build, masked, number};
use super::super::matches::port_of;
use super::super::module::{Given, How, Module, Opt, Seen, a_target, opt};
use super::super::nft::{Value, Verdict};
use super::super::source::Family;

use How::Exact;

const RANDOM: Opt = opt(&["--random"], 0, Exact, "`random`");
const FULLY: Opt = opt(&["--random-fully"], 0, Exact, "`fully-random`");
const PERSISTENT: Opt = opt(&["--persistent"], 0, Exact, "`persistent`");
const SNAT: &[Opt] = &[
    opt(&["--to-source"], 1, Exact, "`snat to A-B:P-Q`"),
    RANDOM,
    FULLY,
    PERSISTENT,
];
const DNAT: &[Opt] = &[
    opt(
        &["--to-destination"],
        1,
        Exact,
        "`dnat to A-B:P-Q`; a shift of ports (`P-Q/BASE`) is refused",
    ),
    RANDOM,
    PERSISTENT,
];
const MASQUERADE: &[Opt] = &[
    opt(&["--to-ports"], 1, Exact, "`masquerade to :P-Q`"),
    RANDOM,
    FULLY,
];
const REDIRECT: &[Opt] = &[opt(&["--to-ports"], 1, Exact, "`redirect to :P-Q`"), RANDOM];
const NETMAP: &[Opt] = &[opt(
    &["--to"],
    1,
    Exact,
    "`snat ip prefix to`, `dnat ip prefix to`",
)];
const TPROXY: &[Opt] = &[
    opt(&["--on-port"], 1, Exact, "`tproxy to :P`"),
    opt(&["--on-ip"], 1, Exact, "`tproxy to A:P`"),
    opt(&["--tproxy-mark"], 1, Exact, "`meta mark set`"),
];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["SNAT"], "", SNAT, |build, seen| {
        let chains = ["POSTROUTING", "INPUT"];
        nat(build, seen, "snat", "--to-source", &chains);
    }),
    a_target(&["DNAT"], "", DNAT, |build, seen| {
        let chains = ["PREROUTING", "OUTPUT"];
        nat(build, seen, "dnat", "--to-destination", &chains);
    }),
    a_target(
        &["MASQUERADE"],
        "`masquerade`",
        MASQUERADE,
        |build, seen| local(build, seen, "masquerade", &["POSTROUTING"]),
    ),
    a_target(&["REDIRECT"], "`redirect`", REDIRECT, |build, seen| {
        local(build, seen, "redirect", &["PREROUTING", "OUTPUT"]);
    }),
    a_target(&["NETMAP"], "", NETMAP, netmap),
    a_target(
        &["TPROXY"],
        "`tproxy`, and `drop` in a rule behind it for packets without a socket",
        TPROXY,
        tproxy,
    ),
];

fn flags(seen: &Seen) -> String {
    let flags: Vec<&str> = [
        ("--random", "random"),
        ("--random-fully", "fully-random"),
        ("--persistent", "persistent"),
    ]
    .into_iter()
    .filter(|(name, _)| seen.has(name))
    .map(|(_, flag)| flag)
    .collect();
    if flags.is_empty() {
        String::new()
    } else {
        format!(" {}", flags.join(","))
    }
}

/// Whether a built-in chain is one where nft takes the statement; user chains are judged by where they are called.
fn fits(build: &mut Build<'_>, seen: &Seen, chains: &[&str]) -> bool {
    let builtin = super::super::source::is_builtin("nat", build.chain);
    let fits = build.table == "nat" && (!builtin || chains.contains(&build.chain));
    if !fits {
        build.refuse(
            seen.span,
            format!("it belongs into {} of the table nat", chains.join(" and ")),
        );
    }
    fits
}

fn ports(text: &str) -> Option<String> {
    let (first, last) = port_of(text, '-')?;
    Some(Value::numbers(first.into(), last.into()).text)
}

/// `ADDR[-ADDR][:PORT[-PORT]]`, in IPv6 with brackets around the addresses where ports follow.
fn destination(family: Family, text: &str) -> Option<String> {
    let (addresses, port) = match (family, text.strip_prefix('[')) {
        (Family::V6, Some(rest)) => {
            let (addresses, rest) = rest.split_once(']')?;
            // `[a]-[b]:port`
            match rest
                .strip_prefix("-[")
                .and_then(|more| more.split_once(']'))
            {
                Some((last, rest)) => (format!("{addresses}-{last}"), rest.strip_prefix(':')),
                None => (addresses.to_owned(), rest.strip_prefix(':')),
            }
        }
        (Family::V6, None) => (text.to_owned(), None),
        (Family::V4, _) => match text.split_once(':') {
            Some((addresses, port)) => (addresses.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => Some(ports(port)?),
        None => None,
    };
    let addresses = match addresses.as_str() {
        "" => String::new(),
        addresses => addr::range(family, addresses)?.text,
    };
    match (addresses.is_empty(), port) {
        (true, None) => None,
        (false, None) => Some(addresses),
        (_, Some(port)) if family == Family::V6 && !addresses.is_empty() => {
            Some(match addresses.split_once('-') {
                Some((first, last)) => format!("[{first}]-[{last}]:{port}"),
                None => format!("[{addresses}]:{port}"),
            })
        }
        (_, Some(port)) => Some(format!("{addresses}:{port}")),
    }
}

fn nat(build: &mut Build<'_>, seen: &Seen, word: &str, option: &str, chains: &[&str]) {
    if !fits(build, seen, chains) {
        return;
    }
    let given: Vec<&Given> = seen
        .options
        .iter()
        .filter(|given| given.name() == option)
        .collect();
    let [given] = given.as_slice() else {
        return build.refuse(seen.span, "nft translates to one address or range of them");
    };
    let Some(to) = destination(build.family, given.value()) else {
        return build.refuse(
            given.span,
            format!("nft cannot translate to `{}`", given.value()),
        );
    };
    if to.contains("]:") || (build.family == Family::V4 && to.contains(':')) {
        needs_ports(build, given);
    }
    build.verdict = Verdict::Rejects(format!("{word} to {to}{}", flags(seen)));
}

fn needs_ports(build: &mut Build<'_>, given: &Given) {
    if build.ports().is_none() {
        build.refuse(
            given.span,
            "a port needs `-p tcp` or another protocol with ports",
        );
    }
}

fn local(build: &mut Build<'_>, seen: &Seen, word: &str, chains: &[&str]) {
    if !fits(build, seen, chains) {
        return;
    }
    let to = match seen.get("--to-ports") {
        None => String::new(),
        Some(given) => {
            needs_ports(build, given);
            match ports(given.value()) {
                Some(ports) => format!(" to :{ports}"),
                None => {
                    return build.refuse(given.span, format!("`{}` are no ports", given.value()));
                }
            }
        }
    };
    build.verdict = Verdict::Rejects(format!("{word}{to}{}", flags(seen)));
}

fn netmap(build: &mut Build<'_>, seen: &Seen) {
    if !fits(
        build,
        seen,
        &["PREROUTING", "OUTPUT", "POSTROUTING", "INPUT"],
    ) {
        return;
    }
    let word =
        match build.chain {
            "PREROUTING" | "OUTPUT" => "dnat",
            "POSTROUTING" | "INPUT" => "snat",
            _ => return build.refuse(
                seen.span,
                "in a chain of one's own nothing says whether sources or destinations are mapped",
            ),
        };
    let net = seen
        .value("--to")
        .and_then(|text| addr::net(build.family, text))
        .and_then(addr::Net::value);
    match net {
        Some(value) => {
            build.verdict = Verdict::Rejects(format!(
                "{word} {} prefix to {}",
                build.header(),
                value.text
            ));
        }
        None => build.refuse(seen.span, "NETMAP needs a prefix"),
    }
}

fn tproxy(build: &mut Build<'_>, seen: &Seen) {
    if build.ports().is_none() {
        return build.refuse(seen.span, "TPROXY needs `-p tcp` or `-p udp`");
    }
    let port = match seen.value("--on-port").map(number) {
        None | Some(Some(0)) => String::new(),
        Some(Some(port)) => format!(":{port}"),
        Some(None) => return build.refuse(seen.span, "`--on-port` is a number"),
    };
    let address = match seen
        .value("--on-ip")
        .map(|text| addr::address(build.family, text))
    {
        None | Some(Some(0)) => String::new(),
        Some(Some(address)) if build.family == Family::V6 => {
            format!("[{}]", addr::text(build.family, address))
        }
        Some(Some(address)) => addr::text(build.family, address),
        Some(None) => return build.refuse(seen.span, "`--on-ip` is an address"),
    };
    if port.is_empty() && address.is_empty() {
        return build.refuse(
            seen.span,
            "nft wants an address or a port to hand packets to",
        );
    }
    build.actions.push(format!("tproxy to {address}{port}"));
    if let Some(given) = seen.get("--tproxy-mark") {
        match masked(given.value()) {
            Some((value, mask)) => {
                let clear = mask.unwrap_or(0xffff_ffff);
                build
                    .actions
                    .push(super::marks::statement("meta mark", clear, value));
            }
            None => return build.refuse(given.span, "a mark is a number"),
        }
    }
    build.verdict = Verdict::Ends("accept".to_owned());
    // xt_TPROXY.c: tproxy_tg4: a packet for which there is no socket is dropped
    build.otherwise = Some(Verdict::Ends("drop".to_owned()));
}
