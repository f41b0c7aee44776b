//! Rules and rulesets that must not compile, each with the code of its finding.

use redan_lang::compile::{Options, compile};
use redan_lang::diag::Diagnostic;
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;

fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::new();
    let root = sources.add("x.rules", text);
    let (file, mut findings) = parse(&mut sources, root, &NoLoader, &[]);
    let (ruleset, more) = compile(file, &sources, &Options::default());
    findings.extend(more);
    findings.retain(Diagnostic::is_error);
    assert_eq!(ruleset.is_none(), findings.iter().any(is_own), "{text}");
    findings
        .iter()
        .map(|finding| finding.code.info().code)
        .collect()
}

/// Whether a finding is one of this pass, not of the parser.
fn is_own(finding: &Diagnostic) -> bool {
    finding.code.info().code >= "E100" || finding.code.info().code == "E016"
}

/// Compares findings with what is wanted; all differences of a table come at once.
fn compare<'t>(cases: impl IntoIterator<Item = (String, &'t str)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(text, code)| {
            let found = codes(&text);
            (found != [code]).then(|| format!("{text}wanted {code}, found {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A ruleset with one rule.
fn with_rule(family: &str, chain: &str, rule: &str) -> String {
    format!(
        "table {family} t {{\n chain side {{\n }}\n chain c {{\n  type {chain}\n  {rule}\n }}\n}}\n"
    )
}

const FILTER: &str = "filter hook input priority 0";
const PREROUTING: &str = "nat hook prerouting priority -100";
const POSTROUTING: &str = "nat hook postrouting priority 100";

#[test]
fn values_must_fit_their_field() {
    let cases = [
        ("ct state establishd", "E110"),
        ("icmp type echo-requst", "E110"),
        ("ip protocol 256", "E111"),
        ("ip hdrlength 16", "E111"),
        ("ct label 128", "E111"),
        ("meta day 7", "E111"),
        ("tcp dport 65536", "E111"),
        ("ip saddr ::1", "E112"),
        ("ip saddr example.org", "E113"),
        ("tcp dport 80-22", "E115"),
        ("ip saddr 10.0.0.0/33", "E115"),
        ("ip daddr & ip saddr == 1", "E116"),
        ("meta time \"yesterday\"", "E110"),
        ("iifname \"a-name-that-is-too-long\"", "E016"),
        ("ip saddr . tcp dport 10.0.0.1 . 22", "E112"),
        ("tcp dport < { 22, 23 }", "E112"),
        ("tcp flags & (fin | syn) ! syn", "E112"),
        ("ip ttl set 256", "E111"),
        ("queue num 65536", "E111"),
        ("skuid \"nobody-knows-me\"", "E110"),
        ("meta mark set ip length", "E112"),
        ("tcp dport set meta mark", "E112"),
        ("ip ttl set meta mark", "E112"),
        ("meta secmark { 1, 2 }", "E116"),
        ("iifname \"eth0\"-\"eth9\"", "E112"),
        ("iifname exists", "E112"),
        ("oif { exists, \"lo\" }", "E112"),
        ("ct helper . tcp dport { \"ftp\" . 21 }", "E112"),
        ("ip length << 1 == 1", "E115"),
        ("socket transparent 2", "E111"),
    ];
    compare(cases.map(|(rule, code)| (with_rule("ip", FILTER, rule), code)));
}

#[test]
fn names_must_exist() {
    let cases = [
        ("ip saddr $lan", "E100"),
        ("jump sid", "E102"),
        ("ip saddr @blocked drop", "E103"),
        ("counter name \"hits\"", "E104"),
        ("ct timeout set \"t\"", "E104"),
        ("tcp option sack window 1", "E117"),
        ("jump c", "E137"),
        ("tcp dport vmap { 22 : jump nowhere }", "E102"),
    ];
    compare(cases.map(|(rule, code)| (with_rule("ip", FILTER, rule), code)));
}

#[test]
fn protocols_must_agree() {
    let cases = [
        ("ip", "tcp dport 53 udp dport 53", "E120"),
        ("ip", "ip6 saddr ::1", "E120"),
        ("inet", "ip saddr 10.0.0.1 ip6 saddr ::1", "E120"),
        ("inet", "meta l4proto { tcp, udp } tcp dport 22", "E120"),
        (
            "inet",
            "meta nfproto ipv6 reject with icmp host-unreachable",
            "E120",
        ),
        ("ip", "meta l4proto udp reject with tcp reset", "E120"),
        ("ip", "reject with icmpx no-route", "E122"),
        ("ip", "icmp type 3 icmp id 5", "E120"),
        ("bridge", "ether type ip vlan id 1", "E120"),
        ("inet", "rt nexthop 192.0.2.1", "E121"),
        ("inet", "ct original saddr 192.0.2.1", "E121"),
        ("ip", "ct original saddr { 192.0.2.1, 192.0.2.2 }", "E121"),
        ("ip", "ct original proto-dst 22", "E121"),
        ("inet", "vxlan vni 5", "E121"),
        ("ip", "meta nfproto ipv4", "E122"),
        ("ip", "meta ibrname \"br0\"", "E122"),
        ("arp", "tcp dport 22", "E120"),
        ("ip", "fib saddr . daddr oif missing", "E134"),
    ];
    compare(cases.map(|(family, rule, code)| (with_rule(family, FILTER, rule), code)));
}

#[test]
fn statements_have_their_places() {
    let cases = [
        ("ip", FILTER, "drop log", "E130"),
        ("ip", FILTER, "dnat to 10.0.0.1", "E124"),
        ("ip", PREROUTING, "masquerade", "E123"),
        ("ip", POSTROUTING, "tcp dport 22 redirect to :80", "E123"),
        ("ip", PREROUTING, "redirect to :80", "E121"),
        ("ip", PREROUTING, "dnat to 10.0.0.1:80", "E121"),
        ("inet", PREROUTING, "dnat to 10.0.0.1", "E121"),
        ("inet", PREROUTING, "dnat ip6 to 10.0.0.1", "E112"),
        ("ip", PREROUTING, "dnat to tcp dport", "E112"),
        ("ip6", PREROUTING, "dnat to ip6 hoplimit", "E112"),
        ("ip", FILTER, "log level audit group 2", "E134"),
        ("ip", FILTER, "log level loud", "E119"),
        (
            "ip",
            FILTER,
            "limit rate 1 kbytes/second burst 5 packets",
            "E134",
        ),
        ("ip", FILTER, "limit rate 0/second", "E111"),
        ("ip", FILTER, "meta length set 5", "E134"),
        ("ip", FILTER, "ct state set new", "E134"),
        ("ip", FILTER, "meta secmark set 1", "E116"),
        ("inet", FILTER, "dup to 10.0.0.1", "E122"),
        ("ip", FILTER, "fwd to \"lo\"", "E122"),
        ("ip", FILTER, "queue num 5 fanout", "E134"),
        (
            "ip",
            FILTER,
            "queue flags fanout to numgen inc mod 4",
            "E134",
        ),
        ("ip", FILTER, "queue flags bypass", "E010"),
        ("ip", FILTER, "limit rate 10/second burst 5", "E010"),
        ("ip", FILTER, "meter m { ip saddr }", "E135"),
        ("ip", POSTROUTING, "fib saddr . iif type local", "E123"),
        ("ip6", POSTROUTING, "fib daddr oifname \"lan0\"", "E123"),
        ("inet", FILTER, "fib daddr . oif type local", "E123"),
    ];
    compare(cases.map(|(family, chain, rule, code)| (with_rule(family, chain, rule), code)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row a case")]
fn declarations_must_make_sense() {
    let cases = [
        (
            "table ip t {\n chain c {\n type filter hook ingress priority 0\n }\n}\n",
            "E123",
        ),
        (
            "table ip t {\n chain c {\n type nat hook forward priority 0\n }\n}\n",
            "E123",
        ),
        (
            "table ip t {\n chain c {\n type route hook input priority 0\n }\n}\n",
            "E123",
        ),
        (
            "table ip t {\n chain c {\n type nat hook prerouting priority -300\n }\n}\n",
            "E125",
        ),
        (
            "table ip t {\n chain c {\n type filter hook prerouting priority srcnat\n }\n}\n",
            "E125",
        ),
        (
            "table ip t {\n chain c {\n type filtr hook input priority 0\n }\n}\n",
            "E124",
        ),
        (
            "define p = \"reject\"\ntable ip t {\n chain c {\n type filter hook input priority 0; policy $p\n }\n}\n",
            "E126",
        ),
        (
            "table netdev t {\n chain c {\n type filter hook ingress priority 0\n }\n}\n",
            "E135",
        ),
        ("table ip t {\n set s {\n flags interval\n }\n}\n", "E135"),
        ("table ip t {\n set s {\n type ipv4_adr\n }\n}\n", "E118"),
        ("table ip t {\n set s {\n type integer\n }\n}\n", "E118"),
        (
            "table ip t {\n set s {\n type ipv4_addr\n elements = { 10.0.0.0/8 }\n }\n}\n",
            "E132",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n elements = { 10.0.0.2, 10.0.0.1 counter }\n }\n}\n",
            "E135",
        ),
        (
            "table ip t {\n map m {\n type ipv4_addr : mark\n elements = { 10.0.0.1 counter : 1 }\n }\n}\n",
            "E135",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n counter\n elements = { 10.0.0.1 limit rate 1/second }\n }\n}\n",
            "E135",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n counter\n limit rate 1/second\n elements = { 10.0.0.1 counter }\n }\n}\n",
            "E135",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n flags interval\n elements = { 10.0.0.0/8 counter }\n }\n}\n",
            "E135",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n elements = { 10.0.0.1 : accept }\n }\n}\n",
            "E133",
        ),
        (
            "table ip t {\n map m {\n type ipv4_addr : verdict\n elements = { 10.0.0.1 }\n }\n}\n",
            "E133",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n flags interval\n elements = { 10.0.0.0/8, 10.1.0.0/16 }\n }\n}\n",
            "E131",
        ),
        (
            "table ip t {\n chain c {\n ip saddr vmap { 10.0.0.0/8 : accept, 10.1.0.0/16 : drop }\n }\n}\n",
            "E131",
        ),
        (
            "define none = {}\ntable ip t {\n chain c {\n ip saddr $none accept\n }\n}\n",
            "E114",
        ),
        ("add rule ip t c accept\n", "E101"),
        ("table ip t\nadd rule ip t c accept\n", "E102"),
        ("table ip t\ncreate table ip t\n", "E105"),
        (
            "table ip t {\n chain c {\n type filter hook input priority 0\n }\n}\ntable ip t {\n chain c {\n type filter hook input priority 5\n }\n}\n",
            "E105",
        ),
        (
            "table ip t {\n set s {\n type ipv6_addr . ipv6_addr . ipv6_addr . ipv6_addr . ipv4_addr\n }\n}\n",
            "E136",
        ),
        (
            "table ip t {\n chain c {\n ip saddr @s accept\n }\n set s {\n type ipv6_addr\n }\n}\n",
            "E112",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n flags intervall\n }\n}\n",
            "E134",
        ),
        ("delete table ip gone\n", "E101"),
        (
            "table ip t {\n chain c {\n }\n chain d {\n jump c\n }\n}\ndelete chain ip t c\n",
            "E106",
        ),
        (
            "table ip t {\n chain c {\n }\n map m {\n type mark : verdict\n elements = { 1 : jump c }\n }\n}\ndelete chain ip t c\n",
            "E106",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n }\n chain d {\n ip saddr @s\n }\n}\ndelete set ip t s\n",
            "E106",
        ),
        (
            "table ip t {\n counter n {\n }\n chain c {\n counter name \"n\"\n }\n}\ndelete counter ip t n\n",
            "E106",
        ),
        (
            "table ip t {\n map m {\n type mark : counter\n elements = { 1 : \"n\" }\n }\n counter n {\n }\n}\ndelete counter ip t n\n",
            "E106",
        ),
        (
            "table ip t {\n ct helper h {\n type \"ftp\" protocol tcp\n l3proto ip6\n }\n}\n",
            "E120",
        ),
        ("define a = 1\ndefine a = 2\n", "E105"),
        ("define a = 1\ntable ip t {\n define a = 2\n}\n", "E105"),
        (
            "table ip t {\n set s {\n type ipv4_addr\n size 2\n elements = { 10.0.0.1, 10.0.0.2, 10.0.0.3 }\n }\n}\n",
            "E111",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n flags interval\n size 1\n }\n}\nadd element ip t s { 10.0.0.0/8 }\nadd element ip t s { 192.168.0.0/16 }\n",
            "E111",
        ),
        (
            "table ip t {\n set s {\n type ipv4_addr\n elements = { }\n }\n}\n",
            "E114",
        ),
    ];
    compare(cases.map(|(text, code)| (text.to_owned(), code)));
}

#[test]
fn hours_in_sets_do_not_pass_midnight() {
    let mut sources = Sources::new();
    let text = with_rule("ip", FILTER, "meta hour { \"00:00\"-\"03:00\" }");
    let root = sources.add("x.rules", text);
    let (file, _) = parse(&mut sources, root, &NoLoader, &[]);
    let east = |utc_offset_secs| Options {
        clock: redan_lang::datatype::Clock::fixed(utc_offset_secs),
        ..Options::default()
    };
    assert!(compile(file.clone(), &sources, &east(0)).0.is_some());
    assert!(compile(file, &sources, &east(3600)).0.is_none());
}

#[test]
fn one_error_does_not_hide_the_next() {
    let text = "table ip t {\n chain c {\n  ct state nwe\n  jump gone\n  tcp dport 99999 ip saddr @gone\n }\n}\n";
    assert_eq!(codes(text), ["E110", "E102", "E111", "E103"]);
}

#[test]
fn what_may_be_said_twice_is_accepted() {
    let cases = [
        "define a = 1\nredefine a = 2\n",
        "define a = 1\nundefine a\ndefine a = 2\n",
        "table ip t {\n chain c {\n define a = 1\n }\n chain d {\n define a = 2\n }\n}\n",
        "table ip t {\n set s {\n type ipv4_addr\n size 2\n elements = { 10.0.0.1, 10.0.0.1, 10.0.0.2 }\n }\n}\n",
        "table ip t {\n set s {\n type ipv4_addr\n flags interval\n auto-merge\n size 1\n elements = { 10.0.0.0/9, 10.128.0.0/9 }\n }\n}\n",
        "table ip t {\n chain c {\n jump d\n }\n chain d {\n }\n}\nflush chain ip t c\ndelete chain ip t d\n",
        "table ip t {\n chain c {\n counter bytes 2 packets 1\n }\n}\n",
        "table ip t {\n set s {\n type ipv4_addr\n counter\n limit rate 1/second\n elements = { 10.0.0.1 counter limit rate 2/second, 10.0.0.2 }\n }\n}\n",
        "table ip t {\n set s {\n type ipv4_addr\n flags dynamic\n elements = { 10.0.0.1 counter }\n }\n}\n",
    ];
    for text in cases {
        assert_eq!(codes(text), Vec::<&str>::new(), "{text}");
    }
}

/// What the kernel's types of sets cannot do; it answers `EOPNOTSUPP`, `EINVAL` or `EBUSY` when rules are loaded.
#[test]
fn sets_must_be_ones_that_the_kernel_can_make() {
    let set = |body: &str| format!("table ip t {{\n set s {{\n type ipv4_addr; {body}\n }}\n}}\n");
    let sets = [
        ("flags timeout; ct count over 3;", "E134"),
        ("timeout 1h; ct count over 3;", "E134"),
        ("flags timeout; counter; ct count 3;", "E134"),
        (
            "flags dynamic,timeout; elements = { 10.0.0.1 ct count over 3 }",
            "E134",
        ),
        ("size 10; ct count over 3;", "E134"),
        (
            "flags constant; ct count over 3; elements = { 10.0.0.1 }",
            "E134",
        ),
        ("elements = { 10.0.0.1 timeout 1h }", "E134"),
        ("flags constant,timeout;", "E134"),
        ("flags interval,dynamic;", "E134"),
        ("gc-interval 1h;", "E134"),
    ];
    compare(sets.map(|(body, code)| (set(body), code)));
    let filled = [
        (
            "flags dynamic,timeout;",
            "add @s { ip saddr ct count over 3 }",
        ),
        ("flags dynamic;", "add @s { ip saddr timeout 1h }"),
        ("flags interval;", "add @s { ip saddr }"),
        ("flags interval;", "delete @s { ip saddr }"),
        ("flags constant;", "update @s { ip saddr }"),
        ("", "meter m { ip saddr timeout 1h ct count over 3 }"),
    ];
    compare(filled.map(|(body, rule)| {
        let text = format!(
            "table ip t {{\n set s {{\n type ipv4_addr; {body}\n }}\n chain c {{\n {rule}\n }}\n}}\n"
        );
        (text, "E134")
    }));
    for fine in [
        "ct count over 3;",
        "flags interval; size 10; ct count over 3;",
        "size 10; flags dynamic; ct count over 3;",
        "flags constant; ct count over 3;",
        "gc-interval 1h; flags timeout;",
        "flags dynamic; ct count over 3; elements = { 10.0.0.1 ct count over 3 }",
    ] {
        assert_eq!(codes(&set(fine)), [""; 0], "{fine}");
    }
}

/// What the kernel has nothing for in a table's family, and fields and limits that it cannot hold.
#[test]
fn statements_must_be_ones_that_the_kernel_can_make() {
    let rules = [
        ("bridge", "rt mtu 1500", "E122"),
        ("bridge", "rt classid 0", "E122"),
        ("bridge", "socket mark 1", "E122"),
        ("bridge", "fib daddr type local", "E122"),
        ("bridge", "osf name \"Linux\"", "E122"),
        ("ip", "tcp option window count set 2", "E134"),
        ("ip", "tcp option mptcp subtype set 1", "E134"),
        ("ip", "tcp option @3,16,24 set 7", "E134"),
        (
            "ip",
            "limit rate over 1 mbytes/week burst 100 bytes",
            "E111",
        ),
        ("ip", "limit rate 30501 bytes/week", "E111"),
        ("ip", "limit rate 1/week burst 30501 packets", "E111"),
        ("ip", "limit rate 20000 mbytes/second", "E111"),
    ];
    compare(rules.map(|(family, rule, code)| {
        let chain = "filter hook forward priority 0";
        (with_rule(family, chain, rule), code)
    }));
    for rule in [
        "limit rate 30500 bytes/week",
        "limit rate 1/week burst 30400 packets",
    ] {
        let text = with_rule("ip", "filter hook forward priority 0", rule);
        assert_eq!(codes(&text), [""; 0], "{rule}");
    }
}

#[test]
fn tunnels_are_whole_and_in_tables_of_netdev() {
    let ends = "ip saddr 192.0.2.1; ip daddr 192.0.2.2;";
    let tunnel =
        |family: &str, lines: String| format!("table {family} t {{\n tunnel a {{ {lines} }}\n}}\n");
    let chain =
        |family: &str, rule: &str| format!("table {family} t {{\n chain c {{\n  {rule}\n }}\n}}\n");
    compare([
        (tunnel("ip", ends.to_owned()), "E122"),
        (chain("inet", "tunnel id 4"), "E122"),
        (chain("netdev", "tunnel nr 4"), "E117"),
        (chain("netdev", "tunnel name \"x\""), "E104"),
        (tunnel("netdev", "ip saddr 192.0.2.1;".to_owned()), "E135"),
        (
            tunnel(
                "netdev",
                "ip saddr 192.0.2.1; ip6 daddr 2001:db8::1;".to_owned(),
            ),
            "E135",
        ),
        (tunnel("netdev", format!("{ends} ttl 256;")), "E111"),
        (tunnel("netdev", format!("{ends} gbp 1;")), "E135"),
        (
            tunnel("netdev", format!("{ends} vxlan {{ ttl 4; }}")),
            "E135",
        ),
        (tunnel("netdev", format!("{ends} vxlan;")), "E010"),
        (
            tunnel("netdev", format!("{ends} erspan {{ version 2; index 1; }}")),
            "E135",
        ),
        (
            tunnel(
                "netdev",
                format!("{ends} geneve {{ class 1 opt-type 1 data \"0x1234\"; }}"),
            ),
            "E016",
        ),
    ]);
}
