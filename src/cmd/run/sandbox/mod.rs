//! `redan run --sandbox`: real traffic through the rules, on any machine, without touching its network.
//!
//! Two child processes make a network namespace each (in a user namespace where the caller is not root) with a TAP as its only network
//! card, and hand the TAP's file over. This process is the router between the two: it reads frames from one TAP, puts them through the
//! datapath and writes what leaves to the other. It needs no namespace, no privilege and no program of its own. When it ends, the
//! kernel ends the children, and with them go namespaces and TAPs.
//!
//! Everything went as the rules say when what each try came to, as the hosts' own kernels saw it, is what [`forecast`] said before.

mod attempts;
mod forecast;
mod host;
mod link;
mod netlink;
mod protocol;
mod sys;
mod table;
mod tries;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use redan_runtime::clock::Clock;
use redan_runtime::{Datapath, Mode, Neighbor, Prefix, Settings, Silent, Site};
use redan_vm::Ruleset;
use redan_vm::family::Family;

use self::attempts::{Attempt, End};
use self::link::{Link, Seen};
use self::protocol::Outcome;
use crate::args::{EngineName, OnOff};
use crate::exit::Exit;
use crate::output::terminal::Terminal;
use crate::{engine, site};

pub(crate) use host::serve as serve_host;

/// The router between the two hosts.
const SITE: &str = r#"
mode = "router"

[[port]]
name = "lan0"
mac = "02:00:00:00:01:01"
addresses = ["10.1.0.1/16", "fd01::1/64"]

[[port]]
name = "wan0"
mac = "02:00:00:00:02:01"
addresses = ["10.2.0.1/16", "fd02::1/64"]

[[route]]
to = "default"
via = "10.2.0.2"

[[route]]
to = "default"
via = "fd02::2"
"#;

/// What was tried, and what came of it.
struct Tried {
    attempt: Attempt,
    forecast: Outcome,
    outcome: Outcome,
    seen: Vec<Seen>,
}

/// The sandbox's site, to compile the rules for. A kernel without IPv6 gets none.
pub(crate) fn site() -> Result<Site> {
    let mut site = site::parse("<sandbox>", SITE)?;
    if !Path::new("/proc/net/if_inet6").exists() {
        site.routes.retain(|route| route.via.is_ipv4());
        for port in &mut site.ports {
            port.addresses.retain(|prefix| prefix.address.is_ipv4());
        }
    }
    Ok(site)
}

/// Makes the sandbox, tries everything, prints what came of it.
pub(crate) fn run(
    ruleset: &Arc<Ruleset>,
    engine: EngineName,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let site = site()?;
    let [clients, servers] = End::BOTH.map(|end| addresses(&site, end));
    let attempts: Vec<Attempt> = clients
        .into_iter()
        .zip(servers)
        .map(|(client, server)| (client.address, server.address))
        .filter(|(client, _)| speaks(ruleset, client.is_ipv4()))
        .flat_map(|(client, server)| attempts::attempts(client, server))
        .collect();
    if attempts.is_empty() {
        bail!(
            "there is nothing to try: the ruleset has no table of family ip, ip6 or inet, or it is for IPv6 and this kernel has none"
        );
    }
    let clock = Clock::start();
    let mut oracle = oracle(ruleset, &site)?;
    let settings = Settings {
        site: site.clone(),
        live: true,
        ..Settings::default()
    };
    let bystander = datapath(&Arc::default(), EngineName::Interp, &settings, terminal)?;
    let live = datapath(ruleset, engine, &settings, terminal)?;
    terminal.note("redan: sandbox: client - lan0 - redan - wan0 - server, each end in a network namespace of its own");
    let mut link = Link::start(bystander, clock, &site)?;
    link.warm_up(&site)?;
    link.datapath = live;
    let mut tried = Vec::new();
    for attempt in attempts {
        let forecast = forecast::forecast(&mut oracle, clock.now(), &attempt);
        let outcome = link
            .try_out(&attempt)
            .with_context(|| format!("cannot try: {}", attempt.title))?;
        tried.push(Tried {
            attempt,
            forecast,
            outcome,
            seen: link.take_seen(),
        });
    }
    table::print(terminal, ruleset, &tried, &link)?;
    let strange = tried
        .iter()
        .filter(|tried| tried.outcome != tried.forecast)
        .count();
    terminal.note(&match strange {
        0 => "redan: sandbox: everything went as the rules say".to_owned(),
        some => format!(
            "redan: sandbox: {some} of {} tries went otherwise than the rules say",
            tried.len()
        ),
    });
    Ok(Exit::findings_if(strange > 0))
}

fn datapath(
    ruleset: &Arc<Ruleset>,
    engine: EngineName,
    settings: &Settings,
    terminal: &mut Terminal,
) -> Result<Datapath> {
    let engine = engine::make(ruleset, engine, OnOff::On, terminal);
    Ok(Datapath::new(
        ruleset.clone(),
        engine,
        Box::new(Silent),
        settings.clone(),
    )?)
}

/// Whether the ruleset speaks of a family. One without tables lets everything pass.
fn speaks(ruleset: &Ruleset, v4: bool) -> bool {
    let own = if v4 { Family::Ip } else { Family::Ip6 };
    let speaks = |family: Family| family == own || family == Family::Inet;
    ruleset.tables.is_empty() || ruleset.tables.iter().any(|table| speaks(table.family))
}

/// A host's addresses: for each of its port's the one behind it.
fn addresses(site: &Site, end: End) -> Vec<Prefix> {
    let behind = |prefix: &Prefix| Prefix {
        address: match prefix.address {
            IpAddr::V4(port) => IpAddr::V4((port.to_bits() + 1).into()),
            IpAddr::V6(port) => IpAddr::V6((port.to_bits() + 1).into()),
        },
        bits: prefix.bits,
    };
    gateways(site, end).iter().map(behind).collect()
}

/// The addresses of a host's port, which are its gateways.
fn gateways(site: &Site, end: End) -> &[Prefix] {
    site.ports
        .get(end.index())
        .map_or(&[], |port| &port.addresses)
}

/// The datapath that forecasts: the interpreter, and neighbours known beforehand.
fn oracle(ruleset: &Arc<Ruleset>, site: &Site) -> Result<Datapath> {
    let mut site = site.clone();
    debug_assert_eq!(site.mode, Mode::Router, "frames are addressed to the ports");
    for end in End::BOTH {
        let hosts = addresses(&site, end).into_iter();
        site.neighbors.extend(hosts.map(|host| Neighbor {
            address: host.address,
            mac: end.mac(),
        }));
    }
    let settings = Settings {
        site,
        ..Settings::default()
    };
    Ok(Datapath::new(
        ruleset.clone(),
        engine::interpreter(ruleset, OnOff::On),
        Box::new(Silent),
        settings,
    )?)
}
