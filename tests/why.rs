//! `redan why`, and what `--trace` and failing tests say with the same words: which match of a rule failed, on what, and the way around it.

mod support;

use serde_json::Value;
use support::{folder, redan};

/// Asks one rule of a table about packets; what the last of them is told of the rule.
fn asked(rules: &str, packets: &[&str]) -> String {
    let folder = folder(&[("in.rules", rules.as_bytes())]);
    let arguments = [&["why", "in.rules"][..], packets].concat();
    let ran = redan(folder.path(), &arguments).ends_with(0);
    ran.stdout
}

fn in_forward(rule: &str) -> String {
    format!(
        "table inet t {{
\tset s {{ type ipv4_addr; elements = {{ 10.9.9.9 }}; }}
\tmap m {{ type inet_service : verdict; elements = {{ 22 : accept }}; }}
\tquota q {{ 1 bytes; }}
\tchain c {{
\t\ttype filter hook forward priority filter; policy drop;
\t\t{rule}
\t}}
}}
"
    )
}

const TCP: &str = "tcp 10.1.0.5:40000 > 192.0.2.1:443 in lan0";
const ECHO6: &str = "icmpv6 fd01::5 > fd02::1 in lan0";

/// Rules of which a match fails, the packets that they are asked about, and what is said of the last one.
const FAILING: &[(&str, &[&str], &str)] = &[
    ("tcp dport 22 accept", &[TCP], "tcp dport 22: was 443"),
    (
        "ip saddr 10.1.0.5 ip daddr 192.0.2.2 accept",
        &[TCP],
        "ip daddr 192.0.2.2: was 192.0.2.1",
    ),
    ("udp dport 443 accept", &[TCP], "udp dport 443: was tcp"),
    (
        "ip saddr 10.0.0.1 accept",
        &[ECHO6],
        "ip saddr 10.0.0.1: was ipv6",
    ),
    (
        "iifname \"lan1\" accept",
        &[TCP],
        "iifname \"lan1\": was lan0",
    ),
    (
        "iifname \"eth*\" accept",
        &[TCP],
        "iifname \"eth*\": was lan0",
    ),
    ("oif \"lan0\" accept", &[TCP], "oif \"lan0\": was "),
    (
        "ct state established,related accept",
        &[TCP],
        "ct state established,related: was new",
    ),
    (
        "ct state new accept",
        &["tcp 10.1.0.5:1 > 192.0.2.1:2 syn,ack in lan0"],
        "ct state new: was invalid",
    ),
    ("ip saddr @s accept", &[TCP], "ip saddr @s: was 10.1.0.5"),
    (
        "ip saddr . tcp dport { 10.1.0.5 . 22 } accept",
        &[TCP],
        "was 10.1.0.5 . 443",
    ),
    (
        "tcp dport vmap @m",
        &[TCP],
        "tcp dport vmap @m: was 443, for which there is no element",
    ),
    (
        "tcp flags & (syn | ack) == ack accept",
        &[TCP],
        "== ack: was syn",
    ),
    (
        "tcp flags syn / syn,ack drop",
        &["tcp 10.1.0.5:1 > 192.0.2.1:2 syn,ack in lan0"],
        "was syn,ack",
    ),
    (
        "ip dscp cs1 accept",
        &["tcp 10.1.0.5:1 > 192.0.2.1:2 dscp ef in lan0"],
        "ip dscp cs1: was ef",
    ),
    ("ip ttl < 10 accept", &[TCP], "ip ttl < 10: was 63"),
    ("ip version 6 accept", &[TCP], "ip version 6: was 4"),
    (
        "meta length > 100 accept",
        &[TCP],
        "meta length > 100: was 40",
    ),
    (
        "meta mark 0x7 accept",
        &[TCP],
        "meta mark 0x7: was 0x00000000",
    ),
    (
        "tcp option maxseg size 1400 accept",
        &[TCP],
        "the packet has none",
    ),
    (
        "tcp option maxseg exists accept",
        &[TCP],
        "tcp option maxseg exists: was missing",
    ),
    (
        "exthdr frag exists accept",
        &[ECHO6],
        "exthdr frag exists: was missing",
    ),
    (
        "@th,800,16 7 accept",
        &[TCP],
        "the packet does not reach so far",
    ),
    (
        "icmpv6 type nd-redirect accept",
        &[ECHO6],
        "icmpv6 type nd-redirect: was echo-request",
    ),
    (
        "ether saddr 02:00:00:00:00:09 accept",
        &["tcp 10.1.0.5:1 > 192.0.2.1:2 mac 02:00:00:00:00:08 in lan0"],
        "was 02:00:00:00:00:08",
    ),
    (
        "limit rate 1/hour burst 1 packets accept",
        &[TCP, "again"],
        "the limit is used up",
    ),
    (
        "limit rate over 1/hour burst 1 packets drop",
        &[TCP],
        "within the limit",
    ),
    ("quota over 1 mbytes drop", &[TCP], "within the quota"),
    (
        "quota name \"q\" accept",
        &[TCP, "again"],
        "the quota says no",
    ),
    (
        "fib daddr type local accept",
        &[TCP],
        "fib daddr type local: was unicast",
    ),
    (
        "meta l4proto { udp, icmp } accept",
        &[TCP],
        "meta l4proto { udp, icmp }: was tcp",
    ),
    ("th dport != 443 accept", &[TCP], "th dport != 443: was 443"),
];

#[test]
fn the_match_that_failed_is_told_with_the_packets_value() {
    for (rule, packets, want) in FAILING {
        let said = asked(&in_forward(rule), packets);
        let line = said
            .lines()
            .rev()
            .find(|line| line.trim_start().starts_with("- "))
            .unwrap_or_default();
        assert!(line.contains(want), "{rule}: no `{want}` in\n{said}");
        assert!(
            said.contains("  - 7  "),
            "{rule}: the line is not named in\n{said}"
        );
    }
}

#[test]
fn a_rule_that_held_says_what_it_did() {
    for (rule, want) in [
        ("tcp dport 443 accept", "=> accept"),
        ("tcp dport 443 counter", "=> goes on"),
        ("tcp dport 443 drop", "=> drop"),
        ("tcp dport 443 reject with tcp reset", "=> reject"),
        ("tcp dport 443 return", "=> return"),
        ("tcp dport vmap { 443 : drop }", "=> drop"),
        ("tcp dport 443 queue num 3", "=> queue 3"),
    ] {
        let said = asked(&in_forward(rule), &[TCP]);
        let line = said.lines().find(|line| line.contains("+ 7  "));
        assert!(
            line.is_some_and(|line| line.contains(want)),
            "{rule}: no `{want}` in\n{said}"
        );
    }
}

const GATEWAY: &str = "table inet t {
\tchain services {
\t\ttcp dport 443 goto web
\t}
\tchain web {
\t\tip saddr 10.1.0.5 log prefix \"web \" accept
\t}
\tchain forward {
\t\ttype filter hook forward priority filter; policy drop;
\t\tct state established accept
\t\tct state new jump services
\t\ttcp dport 23 reject with tcp reset
\t}
\tchain late {
\t\ttype filter hook postrouting priority 10; policy accept;
\t\toifname \"wan0\" counter
\t}
}
";

#[test]
fn the_whole_way_is_a_tree() {
    let said = asked(GATEWAY, &[TCP]);
    let wanted = "\
tcp 10.1.0.5:40000 > 192.0.2.1:443 syn in lan0
  prerouting
    conntrack: new, original direction
  route: 192.0.2.1 by wan0, on its link
    hop limit 64 becomes 63; 40 bytes of 1500 that the link takes
  forward
    chain inet t forward, filter priority 0
      - 10  ct state established accept  -- ct state established: was new
      + 11  ct state new jump services  => jump services
        +  3  tcp dport 443 goto web  => goto web
        +  6  ip saddr 10.1.0.5 log prefix \"web \" accept  => accept
          logs \"web IN=lan0 OUT=wan0";
    assert!(said.starts_with(wanted), "{said}");
    let wanted = "
  postrouting
    chain inet t late, filter priority 10
      + 16  oifname \"wan0\" counter  => goes on
      policy accept
  leaves by wan0 to 02:00:c0:00:02:01
accept by in.rules:6 (inet t web)
";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_refusal_shows_the_way_of_the_answer() {
    let said = asked(GATEWAY, &["tcp 10.1.0.5:40000 > 192.0.2.1:23 in lan0"]);
    for part in [
        "    answers with a TCP reset\n      output\n        conntrack: related, reply direction\n",
        "leaves by lan0 tcp 192.0.2.1:23 > 10.1.0.5:40000 rst,ack\n",
        "reject by in.rules:12 (inet t forward)\n",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
}

#[test]
fn several_packets_are_a_conversation() {
    let folder = folder(&[("in.rules", GATEWAY.as_bytes())]);
    let ran = redan(
        folder.path(),
        &[
            "why",
            "in.rules",
            TCP,
            "answer => drop",
            "wait 30s",
            "error host-unreachable in wan0",
        ],
    );
    // ICMP has no type of that name: the code says which kind of unreachable it is.
    assert!(
        ran.stderr.contains("`host-unreachable` is no type"),
        "{}",
        ran.stderr
    );
    let ran = redan(
        folder.path(),
        &[
            "why",
            "in.rules",
            TCP,
            "answer => drop",
            "wait 30s",
            "again",
        ],
    )
    .ends_with(1);
    for part in [
        "tcp 192.0.2.1:443 > 10.1.0.5:40000 syn,ack in wan0\n",
        "conntrack: established, reply direction",
        "not as expected: got accept established by in.rules:10",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in\n{}", ran.stdout);
    }
}

#[test]
fn a_faulty_packet_is_pointed_at() {
    let folder = folder(&[("in.rules", GATEWAY.as_bytes())]);
    let ran = redan(
        folder.path(),
        &["why", "in.rules", "tcp 10.1.0.5:1 > 10.2.0.1:2 sny in lan0"],
    )
    .ends_with(2);
    assert!(
        ran.stderr.contains("`sny` is no TCP flag")
            && ran
                .stderr
                .contains("\n                                ^^^\n"),
        "{}",
        ran.stderr
    );
    redan(folder.path(), &["why", "in.rules"]).ends_with(2);
    redan(folder.path(), &["why", "in.rules", "answer"]).ends_with(2);
}

#[test]
fn json_has_every_step() {
    let folder = folder(&[("in.rules", GATEWAY.as_bytes())]);
    let arguments = ["why", "in.rules", "--format", "json", TCP];
    let ran = redan(folder.path(), &arguments).ends_with(0);
    let object: Value = serde_json::from_str(&ran.stdout).expect("one object");
    assert_eq!(object["verdict"], "accept");
    assert_eq!(object["rule"]["line"], 6);
    assert_eq!(object["out"][0]["port"], "wan0");
    let steps = object["steps"].as_array().expect("steps");
    let rule = steps
        .iter()
        .find(|step| step["step"] == "rule")
        .expect("a rule");
    assert_eq!(rule["match"], "ct state established");
    assert_eq!(rule["because"], "was new");
    assert_eq!(rule["matched"], false);
    assert_eq!(rule["line"], 10);
    let words: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["step"].as_str())
        .collect();
    for word in [
        "hook",
        "conntrack",
        "route",
        "forward",
        "chain",
        "end",
        "leaves",
        "log",
    ] {
        assert!(words.contains(&word), "no {word} in {words:?}");
    }
}

#[test]
fn long_runs_are_folded_to_a_screen() {
    use std::fmt::Write as _;
    let mut rules = String::new();
    for port in 1000..1200 {
        _ = writeln!(rules, "\t\ttcp sport {port} accept");
    }
    let rules = in_forward(&format!(
        "{}\n\t\ttcp dport 443 ip saddr 10.0.0.1 accept",
        rules.trim()
    ));
    let said = asked(&rules, &[TCP]);
    assert!(said.lines().count() < 20, "{said}");
    assert!(
        said.contains("200 rules that do not hold, lines 7 to 206"),
        "{said}"
    );
    assert!(said.contains("ip saddr 10.0.0.1: was 10.1.0.5"), "{said}");
    let said = asked(&rules, &["-v", TCP]);
    assert!(said.contains("tcp sport 1100: was 40000"), "{said}");
}

#[test]
fn a_machine_sends_and_takes() {
    let rules = "table inet t {
\tchain i {
\t\ttype filter hook input priority filter; policy drop;
\t\ttcp dport 22 accept
\t}
\tchain o {
\t\ttype filter hook output priority filter; policy drop;
\t\tct state established accept
\t\tudp dport 53 accept
\t}
}
";
    let said = asked(
        rules,
        &["tcp 192.0.2.9:1024 > 203.0.113.7:22 in eth0", "answer"],
    );
    assert!(said.contains("local by in.rules:4"), "{said}");
    assert!(
        said.contains("tcp 203.0.113.7:22 > 192.0.2.9:1024 syn,ack out eth0"),
        "{said}"
    );
    assert!(said.contains("accept by in.rules:8"), "{said}");
    let said = asked(rules, &["udp 203.0.113.7:1024 > 192.0.2.53:53 out eth0"]);
    assert!(said.contains("accept by in.rules:9"), "{said}");
}
