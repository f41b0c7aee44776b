//! `run --sandbox` with real traffic.
#![cfg(target_os = "linux")]

mod support;

use std::process::{Command, Stdio};

use support::{Need, Ran, command, folder, has, project, redan, wait_until};

/// Refuses in every way.
const REFUSALS: &[u8] = b"table inet t {
\tchain c {
\t\ttype filter hook forward priority 0; policy accept;
\t\tmeta l4proto { icmp, ipv6-icmp } reject with icmpx admin-prohibited
\t\tudp dport 53 reject
\t\ttcp dport 80 reject with tcp reset
\t\ttcp dport 22 reject with icmpx admin-prohibited
\t}
}
";

/// Columns of a table.
const WIDTH: usize = 100;

fn can_run() -> bool {
    has(&[Need::Namespaces, Need::Tun])
}

/// Runs a ruleset of the project in the sandbox and holds it to what everyone must: all as the rules say, within the columns, and for each
/// rule how often it was met or why not.
#[track_caller]
fn run(rules: &str, more: &[&str]) -> Ran {
    let arguments = [&["run", "--sandbox", rules], more].concat();
    let ran = redan(&project(), &arguments).ends_with(0);
    assert!(
        ran.stderr.contains("everything went as the rules say"),
        "{}",
        ran.stderr
    );
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        assert!(
            line.chars().count() <= WIDTH,
            "{} columns: {line}",
            line.chars().count()
        );
    }
    ran
}

/// What stands in a table's row for a rule: how often it was met, or what the line below says.
fn rule(ran: &Ran, number: usize) -> &str {
    let mut lines = ran.stdout.lines();
    let row = lines
        .find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(&number.to_string())
                && words
                    .next()
                    .is_some_and(|met| met == "-" || met.parse::<u32>().is_ok())
        })
        .unwrap_or_else(|| panic!("no line {number} in:\n{}", ran.stdout));
    let met = row.split_whitespace().nth(1).unwrap_or_default();
    if met == "-" {
        lines.next().unwrap_or_default().trim()
    } else {
        met
    }
}

/// Holds rules to what stands in their rows: a number stands for any, other text for what it begins with.
#[track_caller]
fn check(ran: &Ran, wanted: &[(usize, &str)]) {
    for (number, text) in wanted {
        let found = rule(ran, *number);
        let fits = if *text == "met" {
            found.parse::<u32>().is_ok_and(|met| met > 0)
        } else {
            found.starts_with(text)
        };
        assert!(fits, "line {number}: {found}\n{}", ran.stdout);
    }
}

/// Holds the output to a row that has all of these in it.
#[track_caller]
fn has_row(ran: &Ran, parts: &[&str]) {
    assert!(
        ran.stdout
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part))),
        "no row with {parts:?} in:\n{}",
        ran.stdout
    );
}

/// All rules of a file but these have been met.
#[track_caller]
fn all_met_but(ran: &Ran, exceptions: &[(usize, &str)]) {
    check(ran, exceptions);
    let unmet = ran.stdout.matches("not met: ").count();
    assert_eq!(unmet, exceptions.len(), "{}", ran.stdout);
}

#[test]
fn a_home_gateway_lets_out_and_not_in() {
    if !can_run() {
        return;
    }
    let ran = run("rules/home-gateway.rules", &[]);
    all_met_but(
        &ran,
        &[
            (45, "not met: what a host sends to itself"),
            (49, "not met: line 43 decides before it"),
            (50, "not met: line 43 decides before it"),
        ],
    );
    has_row(
        &ran,
        &[
            "10.2.0.2:80",
            "lan0 > wan0",
            "answered",
            "line 34 accept, new",
        ],
    );
    has_row(
        &ran,
        &["wan0 > lan0", "no answer", "policy of forward drop, new"],
    );
    has_row(&ran, &["tcp syn,ack", "stopped", "line 25 drop, invalid"]);
    has_row(&ran, &["10.2.0.2:25", "refused", "line 33 reject"]);
    has_row(
        &ran,
        &[
            "10.1.0.1:22",
            "lan0 > this host",
            "answered",
            "line 55 accept",
        ],
    );
}

#[test]
fn the_rulesets_to_start_from_are_met_but_for_what_no_packet_meets() {
    if !can_run() {
        return;
    }
    let (lo, before) = ("not met: what a host sends to itself", "not met: line ");
    all_met_but(
        &run("rules/server.rules", &[]),
        &[(23, lo), (41, before), (47, before)],
    );
    all_met_but(
        &run("rules/workstation.rules", &[]),
        &[(12, lo), (16, before), (17, before)],
    );
    let bastion = run("rules/bastion.rules", &[]);
    all_met_but(&bastion, &[(18, lo), (21, before), (22, before), (39, lo)]);
    has_row(&bastion, &["tcp x 14", "no answer", "line 32 drop, new"]);
    all_met_but(&run("rules/dmz.rules", &[]), &[(70, lo), (72, before)]);
    let ipv6 = run("rules/ipv6-only.rules", &[]);
    all_met_but(&ipv6, &[(36, lo), (41, before)]);
    assert!(!ipv6.stdout.contains("10.1.0."), "{}", ipv6.stdout);
}

#[test]
fn a_bridge_is_tried_as_a_wire() {
    if !can_run() {
        return;
    }
    let ran = run("tests/sandbox/bridge.rules", &[]);
    all_met_but(&ran, &[]);
    has_row(&ran, &["port1 > port2", "answered", "line 10 accept"]);
}

#[test]
fn rules_that_drop_neighbour_discovery_are_named_as_the_cause() {
    if !can_run() {
        return;
    }
    let ran = run("tests/sandbox/ipv6-only.rules", &[]);
    assert!(
        ran.stderr.contains("line 9 drops neighbour discovery"),
        "{}",
        ran.stderr
    );
    check(
        &ran,
        &[
            (7, "not met: line 9 stops the search for link addresses"),
            (8, "met"),
            (9, "met"),
            (16, "met"),
            (17, "met"),
        ],
    );
    has_row(
        &ran,
        &["this host > home", "no answer", "line 9 drop, ND advert"],
    );
}

#[test]
fn three_zones_have_three_ports() {
    if !can_run() {
        return;
    }
    let ran = run("tests/sandbox/zones.rules", &[]);
    all_met_but(
        &ran,
        &[
            (21, "not met: set banned has no elements yet"),
            (24, "not met: asks for fib"),
            (44, "not met: asks for ct mark"),
            (48, "not met: no base chain leads to this chain"),
        ],
    );
    has_row(&ran, &["192.168.7.10:443"]);
    has_row(&ran, &["tcp x 8", "line 43 drop"]);
}

#[test]
fn a_host_with_containers_is_router_and_host() {
    if !can_run() {
        return;
    }
    let ran = run("tests/sandbox/containers.rules", &[]);
    all_met_but(
        &ran,
        &[
            (7, "not met: what a host sends to itself"),
            (21, "not met: no packet here has these interfaces"),
            (27, "not met: asks for meta skuid"),
        ],
    );
    has_row(
        &ran,
        &[
            "172.17.0.2:8080",
            "eth0 > docker0",
            "answered",
            "line 20 accept",
        ],
    );
    has_row(&ran, &["eth0 > this host", "answered", "line 10 accept"]);
    has_row(&ran, &["docker0 > this host", "answered", "line 11 accept"]);
}

#[test]
fn ingress_chains_see_frames_that_no_socket_sends() {
    if !can_run() {
        return;
    }
    let ran = run("tests/sandbox/ingress.rules", &[]);
    all_met_but(&ran, &[]);
    has_row(&ran, &["ping x 9", "line 20 drop"]);
}

#[test]
fn a_site_says_ports_addresses_and_mode() {
    if !can_run() {
        return;
    }
    let ran = run("rules/server.rules", &["--site", "rules/server.toml"]);
    has_row(
        &ran,
        &["203.0.113.10:80", "eth0 > redan", "let in", "line 32 local"],
    );
    check(
        &run(
            "rules/home-gateway.rules",
            &["--site", "rules/home-gateway.toml"],
        ),
        &[(34, "met")],
    );
}

#[test]
fn refusals_are_seen_as_such() {
    if !can_run() {
        return;
    }
    let folder = folder(&[("r", REFUSALS)]);
    let ran = redan(folder.path(), &["run", "--sandbox", "r"]).ends_with(0);
    for (title, line) in [("ping", 4), ("udp", 5), ("tcp", 6), ("tcp", 7)] {
        has_row(&ran, &[title, "refused", &format!("line {line} reject")]);
    }
}

#[test]
fn that_nothing_meets_the_rules_is_said() {
    if !can_run() {
        return;
    }
    let folder = folder(&[(
        "r",
        b"table ip t {
\tchain c {
\t\ttype filter hook forward priority 0; policy accept;
\t\tmeta skuid 7 drop
\t}
}
",
    )]);
    let ran = redan(folder.path(), &["run", "--sandbox", "r"]).ends_with(0);
    assert!(
        ran.stderr.contains("nothing that was tried meets"),
        "{}",
        ran.stderr
    );
    check(&ran, &[(4, "not met: asks for meta skuid")]);
    assert!(!ran.stdout.contains("fd0"), "{}", ran.stdout);
}

#[test]
fn root_of_a_user_namespace_has_a_sandbox_too() {
    if !can_run() {
        return;
    }
    let ran: Ran = Command::new("unshare")
        .args(["-rn", env!("CARGO_BIN_EXE_redan"), "run", "--sandbox"])
        .arg("rules/server.rules")
        .current_dir(project())
        .output()
        .expect("unshare starts")
        .into();
    assert!(ran.ends_with(0).stderr.contains("as the rules say"));
}

/// Processes that have this one as their parent.
fn children(of: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        stat.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    let names = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent(*pid) == Some(of)).collect()
}

#[test]
fn hosts_end_with_redan_however_it_ends() {
    if !can_run() {
        return;
    }
    let mut redan = command(&project(), &["run", "--sandbox", "rules/dmz.rules"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut hosts = Vec::new();
    wait_until("three hosts", || {
        hosts = children(redan.id());
        hosts.len() == 3
    });
    redan.kill().expect("it runs still");
    redan.wait().expect("it has ended");
    wait_until("the hosts to end", || {
        let gone = |pid: &u32| {
            !std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists()
                || std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| text.is_empty())
        };
        hosts.iter().all(gone)
    });
}

#[test]
fn faulty_rules_are_refused_before_anything_is_made() {
    let folder = folder(&[("r", b"table inet t { chain c { nonsense; }; }\n")]);
    let ran = redan(folder.path(), &["run", "--sandbox", "r"]).ends_with(1);
    assert!(ran.stderr.contains("r:1"), "{}", ran.stderr);
}
