//! `redan test --generate`: what it writes passes, and speaks of every rule and every policy.

mod support;

use support::{folder, project, redan};

/// Generates a test of rules, with their site or without, and runs it; the test.
#[expect(clippy::expect_used, reason = "a test's own folder")]
fn generated(rules: &[u8], site: Option<&[u8]>) -> String {
    let mut files = vec![("a.rules", rules)];
    files.extend(site.map(|site| ("a.toml", site)));
    let folder = folder(&files);
    let test = redan(folder.path(), &["test", "--generate", "a.rules"])
        .ends_with(0)
        .stdout;
    std::fs::write(folder.path().join("a.test"), &test).expect("the test is written");
    // A file in which nothing is tested is refused when it is run.
    let is_empty = test
        .lines()
        .all(|line| line.is_empty() || line.starts_with('#'));
    let code = if is_empty { 2 } else { 0 };
    for engine in ["interp", "jit"] {
        let ran = redan(folder.path(), &["test", "--engine", engine, "a.test"]);
        assert_eq!(ran.code, Some(code), "{}\nof\n{test}", ran.stdout);
    }
    test
}

/// What is written of goals that were reached, and of those that were not.
fn halves(test: &str) -> (&str, &str) {
    test.split_once("\n# Not reached:\n").unwrap_or((test, ""))
}

#[test]
fn rulesets_to_start_from() {
    for name in [
        "bastion",
        "dmz",
        "home-gateway",
        "ipv6-only",
        "server",
        "workstation",
    ] {
        let file = |end: &str| {
            let path = project().join(format!("rules/{name}.{end}"));
            std::fs::read(path).expect("the file is there")
        };
        let rules = file("rules");
        for site in [Some(file("toml")), None] {
            let test = generated(&rules, site.as_deref());
            let (reached, missed) = halves(&test);
            let count = |text: &str| text.matches("\n# line ").count();
            assert!(
                count(reached) > count(missed),
                "{name}: few rules are reached:\n{test}"
            );
            // What comes from the loopback interface, and what stands behind a rule that takes all of it.
            for line in missed.lines().filter(|line| line.starts_with("# line ")) {
                let is_known = [
                    "\"lo\"",
                    "destination-unreachable",
                    "224.0.0.251",
                    "ff02::fb",
                ];
                assert!(
                    is_known.iter().any(|part| line.contains(part)),
                    "{name}: {line}\n{test}"
                );
            }
        }
    }
}

/// Rules, and what is written of them: behind `!` of those that are not reached.
const SHAPES: &[(&str, &[&str])] = &[
    (
        "table bridge b {
\tchain f {
\t\ttype filter hook forward priority 0; policy accept;
\t\tether type ip ip saddr 10.0.0.7 drop
\t\tiifname \"p1\" tcp dport 80 accept
\t}
}",
        &["line 4", "line 5", "policy of bridge b f"],
    ),
    (
        "table netdev n {
\tchain i {
\t\ttype filter hook ingress device \"p0\" priority 0; policy accept;
\t\tip saddr 192.0.2.0/24 drop
\t\tmeta mark 7 accept
\t}
}",
        &["line 4", "policy of netdev n i", "!line 5"],
    ),
    (
        "table inet t {
\tchain c {
\t\ttype filter hook forward priority 0; policy drop;
\t\tiifname vmap { \"a0\" : jump a, \"b0\" : goto b }
\t\tcounter
\t}
\tchain a {
\t\ttcp dport 22 accept
\t\ttcp dport 22 drop
\t\tlimit rate over 3/minute burst 5 packets drop
\t}
\tchain b {
\t\tct state established accept
\t\tip ttl < 3 drop
\t\ttcp flags & (fin | syn) == (fin | syn) drop
\t\tip dscp ef accept
\t\tmeta length > 900 drop
\t}
\tchain nobody {
\t\taccept
\t}
}",
        &[
            "line 4",
            "line 5",
            "line 8",
            "line 10",
            "line 13",
            "line 14",
            "line 15",
            "line 16",
            "line 17",
            "policy of inet t c",
            "!line 9",
            "!line 20",
        ],
    ),
    (
        "table inet t {
\tset s { type ipv4_addr . inet_service; elements = { 10.9.0.1 . 53 }; }
\tset none { type ipv4_addr; flags dynamic; }
\tset nets { type ipv6_addr; flags interval; elements = { 2001:db8:1::/48 }; }
\tchain i {
\t\ttype filter hook input priority 0; policy drop;
\t\tct state invalid drop
\t\tct state related accept
\t\tip saddr . udp dport @s accept
\t\tip saddr @none accept
\t\tip6 saddr @nets accept
\t}
\tchain o {
\t\ttype filter hook output priority 0; policy accept;
\t\tudp dport 123 accept
\t}
}",
        &[
            "line 7",
            "line 8",
            "line 9",
            "line 11",
            "line 15",
            "policy of inet t i",
            "policy of inet t o",
            "!line 10",
        ],
    ),
    (
        "table arp t {
\tchain i {
\t\ttype filter hook input priority 0; policy accept;
\t\tarp operation request drop
\t}
}",
        &["!line 4", "!policy of arp t i"],
    ),
];

#[test]
fn rulesets_of_other_shapes() {
    for (rules, wanted) in SHAPES {
        let test = generated(rules.as_bytes(), None);
        let (reached, missed) = halves(&test);
        for want in *wanted {
            let (text, want) = match want.strip_prefix('!') {
                Some(want) => (missed, want),
                None => (reached, *want),
            };
            let found = text.lines().any(|line| {
                let said = line.strip_prefix("# ").unwrap_or("");
                said == want || said.starts_with(&format!("{want}:"))
            });
            assert!(found, "{want} is not where it belongs in\n{test}");
        }
    }
}

#[test]
fn what_has_changed_shows() {
    let rules = "table inet t {
\tchain c {
\t\ttype filter hook forward priority 0; policy drop;
\t\ttcp dport 22 accept
\t}
}
";
    let changed = rules.replace("22 accept", "23 accept");
    let folder = folder(&[
        ("a.rules", rules.as_bytes()),
        ("b.rules", changed.as_bytes()),
    ]);
    let test = redan(folder.path(), &["test", "--generate", "a.rules"]).ends_with(0);
    std::fs::write(folder.path().join("a.test"), test.stdout).expect("the test is written");
    let ran = redan(folder.path(), &["test", "--rules", "b.rules", "a.test"]).ends_with(1);
    assert!(
        ran.stdout.contains("tcp dport 23: was 22"),
        "{}",
        ran.stdout
    );
}
