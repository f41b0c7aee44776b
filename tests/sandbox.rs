//! `run --sandbox` with real traffic.
#![cfg(target_os = "linux")]

mod support;

use support::{Need, folder, has, project, redan};

/// Refuses in every way.
const RULES: &[u8] = b"table inet t {
\tchain c {
\t\ttype filter hook forward priority 0; policy accept;
\t\tmeta l4proto { icmp, ipv6-icmp } reject with icmpx admin-prohibited
\t\tudp dport 53 reject
\t\ttcp dport 80 reject with tcp reset
\t\ttcp dport 22 reject with icmpx admin-prohibited
\t}
}
";

fn can_run() -> bool {
    has(&[Need::Namespaces, Need::Tun])
}

/// The line of a try: which family, which title.
fn line<'a>(stdout: &'a str, title: &str, v6: bool) -> &'a str {
    let found = stdout
        .lines()
        .find(|line| line.starts_with(title) && line.contains("fd0") == v6);
    found.unwrap_or_else(|| panic!("no {title} in:\n{stdout}"))
}

#[test]
fn a_home_gateway_lets_out_and_not_in() {
    if !can_run() {
        return;
    }
    let ran = redan(
        &project(),
        &["run", "--sandbox", "rules/home-gateway.rules"],
    )
    .ends_with(0);
    for v6 in [false, true] {
        for title in ["ping from inside", "UDP question", "TCP fetch"] {
            let line = line(&ran.stdout, title, v6);
            assert!(
                line.contains("answered") && line.contains("the LAN may go out"),
                "{line}"
            );
        }
        let unsolicited = line(&ran.stdout, "unsolicited TCP", v6);
        assert!(
            unsolicited.contains("no answer")
                && unsolicited.contains("policy of inet gateway forward"),
            "{unsolicited}"
        );
        let stray = line(&ran.stdout, "stray TCP", v6);
        assert!(
            stray.contains("stopped")
                && stray.contains("rules/home-gateway.rules:")
                && stray.contains("invalid"),
            "{stray}"
        );
    }
    assert!(
        ran.stdout.contains("src=10.1.0.2 dst=10.2.0.2"),
        "the connection table:\n{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("as the rules say"), "{}", ran.stderr);
}

#[test]
fn refusals_are_seen_as_such() {
    if !can_run() {
        return;
    }
    let folder = folder(&[("r", RULES)]);
    let ran = redan(folder.path(), &["run", "--sandbox", "r"]).ends_with(0);
    for v6 in [false, true] {
        for title in [
            "ping from inside",
            "UDP question",
            "TCP fetch",
            "unsolicited TCP",
        ] {
            let line = line(&ran.stdout, title, v6);
            assert!(
                line.contains("refused") && line.contains("reject: r:"),
                "{line}"
            );
        }
        assert!(
            line(&ran.stdout, "stray TCP", v6).contains("arrived"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_ruleset_of_ipv6_gets_traffic_of_ipv6() {
    if !can_run() {
        return;
    }
    let ran = redan(&project(), &["run", "--sandbox", "rules/ipv6-only.rules"]).ends_with(0);
    assert!(
        ran.stdout.contains("fd01::2") && !ran.stdout.contains("10.1.0.2"),
        "{}",
        ran.stdout
    );
}

#[test]
fn faulty_rules_are_refused_before_anything_is_made() {
    let folder = folder(&[("r", b"table inet t { chain c { nonsense; }; }\n")]);
    let ran = redan(folder.path(), &["run", "--sandbox", "r"]).ends_with(1);
    assert!(ran.stderr.contains("r:1"), "{}", ran.stderr);
}
