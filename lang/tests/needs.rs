//! What rulesets make the engine do beside running rules, as a kernel has answered (6.18: which packets `/proc/net/nf_conntrack` shows,
//! and which fragments rules see).

use redan_lang::compile::{Options, compile};
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;
use redan_vm::ruleset::{Needs, Protocols};

fn needs(text: &str) -> String {
    let mut sources = Sources::new();
    let root = sources.add("x.rules", text);
    let (file, _) = parse(&mut sources, root, &NoLoader, &[]);
    let (ruleset, findings) = compile(file, &sources, &Options::default());
    let Some(ruleset) = ruleset else {
        return format!("{findings:?}");
    };
    let needs = Needs::of(&ruleset);
    let protocols = |found: Protocols| match (found.ip, found.ip6) {
        (false, false) => "-",
        (true, false) => "4",
        (false, true) => "6",
        (true, true) => "46",
    };
    let acct = if needs.acct { " acct" } else { "" };
    format!(
        "ct {} defrag {}{acct}",
        protocols(needs.conntrack),
        protocols(needs.defrag)
    )
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(family, body, want)| {
            let found = needs(&format!("table {family} t {{\n{body}\n}}\n"));
            (found != *want).then(|| format!("{family}: {body}\nwanted {want}, found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn connections_are_tracked_by_family() {
    let rule = "chain c { type filter hook forward priority 0; ct state new; }";
    check(&[
        ("ip", rule, "ct 4 defrag 4"),
        ("ip6", rule, "ct 6 defrag 6"),
        ("inet", rule, "ct 46 defrag 46"),
        ("bridge", rule, "ct 46 defrag 46"),
        ("ip", "chain c { ct state new; }", "ct 4 defrag 4"),
        (
            "ip6",
            "flags dormant; chain c { type filter hook forward priority 0; ct state new; }",
            "ct 6 defrag 6",
        ),
        (
            "ip",
            "chain c { type filter hook forward priority 0; counter; }",
            "ct - defrag -",
        ),
        (
            "ip",
            "chain c { type filter hook prerouting priority -300; notrack; }",
            "ct - defrag -",
        ),
        (
            "inet",
            "chain c { type nat hook postrouting priority 100; counter; }",
            "ct - defrag -",
        ),
        ("ip", "set s { typeof ct mark; }", "ct - defrag -"),
        ("ip", "chain c { ct mark set 1; }", "ct 4 defrag 4"),
        ("ip6", "chain c { ct bytes > 5; }", "ct 6 defrag 6 acct"),
        (
            "inet",
            "chain c { ct original avgpkt > 5; }",
            "ct 46 defrag 46 acct",
        ),
        (
            "ip",
            "chain c { ct state vmap { new : accept }; }",
            "ct 4 defrag 4",
        ),
        (
            "inet",
            "chain c { meta mark set ct mark; }",
            "ct 46 defrag 46",
        ),
    ]);
}

#[test]
fn what_elements_carry_counts() {
    let set = "set s { type ipv4_addr; flags dynamic; size 10; }";
    check(&[
        (
            "ip",
            &format!("{set}\nchain c {{ add @s {{ ip saddr ct count over 3 }}; }}"),
            "ct 4 defrag 4",
        ),
        (
            "inet",
            &format!("{set}\nchain c {{ add @s {{ ip saddr ct count over 3 }}; }}"),
            "ct 46 defrag 46",
        ),
        (
            "ip",
            &format!("{set}\nchain c {{ add @s {{ ip saddr quota over 3 bytes }}; }}"),
            "ct - defrag -",
        ),
        (
            "ip",
            "chain c { meter m size 10 { ip saddr ct count over 3 }; }",
            "ct 4 defrag 4",
        ),
        (
            "ip",
            "set s { type ipv4_addr; flags dynamic; ct count over 3; }",
            "ct 4 defrag 4",
        ),
        (
            "ip",
            "set s { type ipv4_addr; flags dynamic; elements = { 10.0.0.1 ct count over 3 }; }",
            "ct 4 defrag 4",
        ),
    ]);
}

#[test]
fn objects_count_by_being_there() {
    check(&[
        (
            "ip",
            "ct helper h { type \"ftp\" protocol tcp; }",
            "ct 4 defrag 4",
        ),
        (
            "inet",
            "ct timeout h { protocol tcp; policy = { established : 100 }; }",
            "ct 46 defrag 46",
        ),
        (
            "ip6",
            "ct expectation h { protocol tcp; dport 99; timeout 1m; size 3; }",
            "ct 6 defrag 6",
        ),
        ("ip", "synproxy h { mss 1460; wscale 7; }", "ct 4 defrag 4"),
        ("ip", "counter h { }", "ct - defrag -"),
    ]);
}

#[test]
fn translation_goes_by_the_addresses_family() {
    check(&[
        (
            "ip",
            "chain c { type nat hook postrouting priority 100; masquerade; }",
            "ct 4 defrag 4",
        ),
        (
            "inet",
            "chain c { type nat hook postrouting priority 100; snat ip to 10.0.0.1; }",
            "ct 4 defrag 4",
        ),
        (
            "inet",
            "chain c { type nat hook postrouting priority 100; masquerade; }",
            "ct 46 defrag 46",
        ),
        (
            "ip6",
            "chain c { type nat hook prerouting priority -100; tcp dport 80 redirect to :80; }",
            "ct 6 defrag 6",
        ),
        (
            "inet",
            "chain c { type filter hook prerouting priority -150; meta l4proto tcp tproxy ip to :80; }",
            "ct - defrag 4",
        ),
        (
            "ip6",
            "chain c { type filter hook prerouting priority -150; meta l4proto tcp tproxy to :80; }",
            "ct - defrag 6",
        ),
        (
            "inet",
            "chain c { type filter hook prerouting priority -150; meta l4proto tcp tproxy to :80; }",
            "ct - defrag 46",
        ),
        (
            "ip",
            "chain c { type filter hook prerouting priority -150; socket transparent 1; }",
            "ct - defrag -",
        ),
    ]);
}

/// What the file itself takes away again asks for nothing.
#[test]
fn what_is_gone_needs_nothing() {
    let gone = [
        "table ip t { chain c { ct state new; }; }\nflush table ip t\n",
        "table ip t { chain c { ct state new; }; }\ndelete table ip t\n",
        "table ip t { ct helper h { type \"ftp\" protocol tcp; }; }\ndelete table ip t\n",
        "table ip t { ct helper h { type \"ftp\" protocol tcp; }; }\ndelete ct helper ip t h\n",
        "table ip t { set s { type ipv4_addr; flags dynamic; ct count over 3; }; }\ndelete set ip t s\n",
        "table ip t { set s { type ipv4_addr; flags dynamic; ct count over 3; }; }\ndestroy set ip t s\n",
        "table ip t { set s { type ipv4_addr; flags dynamic; ct count over 3; }; }\nflush ruleset\n",
    ];
    for text in gone {
        let text = text.replace("; }; }", ";\n}\n}").replace("; };", ";\n};");
        assert_eq!(needs(&text), "ct - defrag -", "{text}");
    }
}
