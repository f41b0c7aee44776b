//! Random rulesets of the language that redan supports, with every rule counting.

use crate::rng::Rng;

/// A ruleset in pieces, so that a failing case can be shrunk rule by rule.
#[derive(Clone, Debug)]
pub(crate) struct Ruleset {
    pub(crate) tables: Vec<Table>,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) family: &'static str,
    pub(crate) name: String,
    pub(crate) sets: Vec<String>,
    pub(crate) chains: Vec<Chain>,
}

#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) base: Option<String>,
    pub(crate) rules: Vec<String>,
}

impl Ruleset {
    /// The text, as both compilers get it.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for table in &self.tables {
            out += &format!("table {} {} {{\n", table.family, table.name);
            for set in &table.sets {
                out += &format!("  {set}\n");
            }
            for chain in &table.chains {
                out += &format!("  chain {} {{\n", chain.name);
                if let Some(base) = &chain.base {
                    out += &format!("    {base}\n");
                }
                for rule in &chain.rules {
                    out += &format!("    {rule}\n");
                }
                out += "  }\n";
            }
            out += "}\n";
        }
        out
    }

    /// Every ruleset with one rule less.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for (t, table) in self.tables.iter().enumerate() {
            for (c, chain) in table.chains.iter().enumerate() {
                for r in 0..chain.rules.len() {
                    let mut less = self.clone();
                    less.tables[t].chains[c].rules.remove(r);
                    all.push(less);
                }
            }
        }
        all
    }

    /// A random ruleset: one or two tables, base chains on the routed path, regular chains to jump to, sets and verdict maps.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let n_tables = 1 + rng.below(2);
        let tables = (0..n_tables).map(|i| random_table(rng, i)).collect();
        let mut ruleset = Self { tables };
        // The kernel tracks connections only where a rule asks: the probe does, so every compared ruleset must.
        ruleset.tables[0].chains[0]
            .rules
            .insert(0, "ct state invalid counter".into());
        ruleset
    }
}

fn random_table(rng: &mut Rng, index: usize) -> Table {
    let family = rng.choose(&["ip", "ip6", "inet", "inet", "inet"]);
    let scope = Scope {
        v4: family != "ip6",
        v6: family != "ip",
        inet: family == "inet",
    };
    let sets = random_sets(rng, scope);
    let helpers = rng.below(3);
    let mut chains: Vec<Chain> = (0..helpers)
        .map(|i| Chain {
            name: format!("sub{i}"),
            base: None,
            rules: Vec::new(),
        })
        .collect();
    for i in 0..helpers {
        // Only to later chains, so that there is no loop.
        let targets: Vec<String> = (i + 1..helpers).map(|j| format!("sub{j}")).collect();
        chains[i].rules = (0..1 + rng.below(5))
            .map(|_| random_rule(rng, scope, &targets, false))
            .collect();
    }
    let targets: Vec<String> = (0..helpers).map(|j| format!("sub{j}")).collect();
    for i in 0..1 + rng.below(3) {
        let hook = rng.choose(&[
            "prerouting",
            "forward",
            "forward",
            "forward",
            "postrouting",
            "input",
            "output",
        ]);
        let priority = rng.choose(&["0", "-150", "10", "filter", "-5", "security", "raw"]);
        let policy = rng.choose(&["accept", "accept", "drop"]);
        let rules = (0..2 + rng.below(8))
            .map(|_| random_rule(rng, scope, &targets, hook != "postrouting"))
            .collect();
        chains.push(Chain {
            name: format!("base{i}"),
            base: Some(format!(
                "type filter hook {hook} priority {priority}; policy {policy};"
            )),
            rules,
        });
    }
    chains.sort_by_key(|chain| chain.base.is_some());
    Table {
        family,
        name: format!("t{index}"),
        sets,
        chains,
    }
}

#[derive(Clone, Copy)]
struct Scope {
    v4: bool,
    v6: bool,
    inet: bool,
}

impl Scope {
    /// Whether the next family-bound thing is IPv6.
    fn is_six(self, rng: &mut Rng) -> bool {
        self.v6 && (!self.v4 || rng.one_in(2))
    }
}

fn random_sets(rng: &mut Rng, scope: Scope) -> Vec<String> {
    let (kind, addresses, prefixes) = if scope.v4 {
        (
            "ipv4_addr",
            "10.2.0.2, 192.168.1.10, 198.51.100.7",
            "192.168.0.0/20, 198.51.100.0-198.51.100.99, 203.0.113.8",
        )
    } else {
        (
            "ipv6_addr",
            "fd02::2, fd10::10, 2001:db8::7",
            "fd10::/24, 2001:db8::-2001:db8::99, 2001:db8:1::8",
        )
    };
    let port = if rng.one_in(2) { "53" } else { "8080" };
    vec![
        format!("set hosts {{ type {kind}; elements = {{ {addresses} }}; }}"),
        format!("set nets {{ type {kind}; flags interval; elements = {{ {prefixes} }}; }}"),
        format!("set ports {{ type inet_service; elements = {{ 22, 80, {port} }}; }}"),
        "set ranges { type inet_service; flags interval; elements = { 20-25, 1024-49151 }; }"
            .into(),
        format!(
            "set pairs {{ type {kind} . inet_service; elements = {{ {} . 53, {} . 80 }}; }}",
            first(addresses),
            first(addresses)
        ),
        format!(
            "set boxes {{ type {kind} . inet_service; flags interval; elements = {{ {} . 0-1023, {} . 80-8080 }}; }}",
            first(prefixes),
            first(addresses)
        ),
    ]
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or(list)
}

/// A rule: up to three matches, a counter, at times a log or limit, a verdict.
fn random_rule(rng: &mut Rng, scope: Scope, targets: &[String], may_reject: bool) -> String {
    // A rule speaks of one family and one protocol, else nft refuses it.
    let six = scope.is_six(rng);
    let proto = rng.choose(&["tcp", "udp", "icmp"]);
    let mut parts: Vec<String> = Vec::new();
    for _ in 0..rng.below(4) {
        parts.push(random_match(rng, scope, six, proto));
    }
    if rng.one_in(12) {
        parts.push(
            rng.pick(&[
                "limit rate 3/day",
                "limit rate over 2/day burst 3 packets",
                "limit rate 5/day burst 1 packets",
            ])
            .into(),
        );
    }
    parts.push("counter".into());
    parts.push(random_verdict(rng, scope, six, proto, targets, may_reject));
    parts.retain(|p| !p.is_empty());
    parts.join(" ")
}

fn random_match(rng: &mut Rng, scope: Scope, six: bool, proto: &str) -> String {
    match rng.below(10) {
        0 | 1 => address_match(rng, six),
        2 | 3 => transport_match(rng, six, proto),
        4 | 5 => rng
            .pick(&[
                "ct state new",
                "ct state established",
                "ct state established,related",
                "ct state invalid",
                "ct state != established",
                "ct state { new, related }",
                "ct direction original",
                "ct direction reply",
                "ct status assured",
                "ct status seen-reply",
                "ct status ! assured",
                "ct mark 0",
                "ct mark != 0",
            ])
            .into(),
        6 => ct_tuple_match(rng, scope, six),
        7 => rng
            .pick(&[
                "iifname \"lan0\"",
                "iifname \"wan*\"",
                "iifname != \"lan0\"",
                "oifname \"wan0\"",
                "oifname { \"lan0\", \"wan0\" }",
                "iif \"lan0\"",
                "oif \"wan0\"",
                "meta mark 0",
                "meta mark & 0xff == 0x1",
            ])
            .into(),
        8 => rng
            .pick(&[
                "meta length > 60",
                "meta length < 1000",
                "meta length 40-100",
                "meta l4proto tcp",
                "meta l4proto { tcp, udp }",
                "meta l4proto != icmp",
                "meta l4proto vmap { 132 : drop, 47 : accept }",
                "meta pkttype host",
                "meta nfproto ipv4",
            ])
            .replace(
                "meta nfproto ipv4",
                if scope.inet {
                    "meta nfproto ipv4"
                } else {
                    "meta l4proto 6"
                },
            ),
        _ => network_match(rng, six),
    }
}

fn address_match(rng: &mut Rng, six: bool) -> String {
    let header = if six { "ip6" } else { "ip" };
    let side = rng.choose(&["saddr", "daddr"]);
    let value = if six {
        rng.pick(&[
            "fd10::10",
            "fd10::/16",
            "2001:db8::7",
            "!= 2001:db8::/32",
            "fd10::-fd10::ff",
            "{ fd02::2, fd10::11 }",
            "& ffff:: == fd10::",
            "2001:db8::/33",
        ])
    } else {
        rng.pick(&[
            "192.168.1.10",
            "192.168.0.0/16",
            "198.51.100.0/24",
            "!= 198.51.100.0/25",
            "192.168.1.10-192.168.1.20",
            "{ 10.2.0.2, 192.168.1.11, 203.0.113.0/24 }",
            "& 255.255.0.0 == 192.168.0.0",
            "198.51.100.0/27",
        ])
    };
    format!("{header} {side} {value}")
}

fn network_match(rng: &mut Rng, six: bool) -> String {
    if six {
        rng.pick(&[
            "ip6 hoplimit 64",
            "ip6 hoplimit > 10",
            "ip6 nexthdr tcp",
            "ip6 nexthdr { udp, 58 }",
            "ip6 length < 100",
            "ip6 version 6",
            "ip6 flowlabel 0",
        ])
        .into()
    } else {
        rng.pick(&[
            "ip ttl 64",
            "ip ttl > 10",
            "ip protocol tcp",
            "ip protocol { udp, icmp }",
            "ip length < 100",
            "ip length 28-60",
            "ip version 4",
            "ip frag-off & 0x1fff == 0",
        ])
        .into()
    }
}

fn transport_match(rng: &mut Rng, six: bool, proto: &str) -> String {
    match proto {
        "icmp" if six => rng
            .pick(&[
                "icmpv6 type echo-request",
                "icmpv6 type { echo-reply, destination-unreachable }",
                "icmpv6 code 0",
                "icmpv6 type { 128, 129 }",
            ])
            .into(),
        "icmp" => rng
            .pick(&[
                "icmp type echo-request",
                "icmp type { echo-reply, destination-unreachable }",
                "icmp code 0",
                "icmp type { 0, 8 }",
            ])
            .into(),
        _ => {
            let ports = rng.pick(&[
                "dport 80",
                "sport 80",
                "dport { 22, 53, 80 }",
                "dport { 22, 1000-9000 }",
                "dport @ports",
                "sport @ports",
                "dport @ranges",
                "dport != 53",
                "dport != @ports",
                "sport 1024-65535",
                "dport >= 1024",
                "dport vmap { 23 : drop, 8080 : accept }",
                "sport & 1 == 1",
            ]);
            let flags = [
                "flags syn",
                "flags & (syn|ack) == syn",
                "flags syn,ack",
                "flags == syn",
                "flags != syn",
                "flags syn / syn,ack,fin,rst",
                "flags ! rst",
                "window > 0",
                "doff 5",
            ];
            if proto == "tcp" && rng.one_in(3) {
                format!("tcp {}", rng.pick(&flags))
            } else {
                format!("{proto} {ports}")
            }
        }
    }
}

fn ct_tuple_match(rng: &mut Rng, scope: Scope, six: bool) -> String {
    let header = if six { "ip6" } else { "ip" };
    // nft 1.0.6 compiles prefixes of whole bytes here in a way of its own, newer ones as any other prefix.
    let (host, net) = if six {
        ("fd10::10", "fd10::/17")
    } else {
        ("192.168.1.10", "192.168.0.0/17")
    };
    let side = rng.choose(&["original", "reply"]);
    let end = rng.choose(&["saddr", "daddr"]);
    match rng.below(4) {
        0 => format!("ct {side} {header} {end} {host}"),
        1 => format!("ct {side} {header} {end} {net}"),
        2 => format!("{header} saddr . tcp dport @boxes")
            .replace(header, if scope.v4 { "ip" } else { "ip6" }),
        _ => format!(
            "{} daddr . tcp dport @pairs",
            if scope.v4 { "ip" } else { "ip6" }
        ),
    }
}

fn random_verdict(
    rng: &mut Rng,
    scope: Scope,
    six: bool,
    proto: &str,
    targets: &[String],
    may_reject: bool,
) -> String {
    match rng.below(14) {
        0..=3 => "accept".into(),
        4 => "drop".into(),
        5 | 6 if !targets.is_empty() => format!("jump {}", targets[rng.below(targets.len())]),
        7 if !targets.is_empty() => format!("goto {}", targets[rng.below(targets.len())]),
        8 => "return".into(),
        9 => "continue".into(),
        10 if may_reject => reject(rng, scope, six, proto),
        11 => "ct state vmap { established : accept, invalid : drop }".into(),
        _ => String::new(),
    }
}

fn reject(rng: &mut Rng, scope: Scope, six: bool, proto: &str) -> String {
    match rng.below(4) {
        0 if proto == "tcp" => "meta l4proto tcp reject with tcp reset".into(),
        1 if scope.inet => rng
            .pick(&[
                "reject with icmpx admin-prohibited",
                "reject with icmpx host-unreachable",
                "reject with icmpx no-route",
            ])
            .into(),
        2 if six && !scope.inet => rng
            .pick(&[
                "reject with icmpv6 admin-prohibited",
                "reject with icmpv6 addr-unreachable",
            ])
            .into(),
        2 if !six && !scope.inet => rng
            .pick(&[
                "reject with icmp host-prohibited",
                "reject with icmp net-unreachable",
            ])
            .into(),
        _ => "reject".into(),
    }
}

impl Ruleset {
    /// Only the rules that `keep` wants; it gets each in a ruleset of its own, and its text.
    pub(crate) fn filtered(&self, mut keep: impl FnMut(&str, &str) -> bool) -> Self {
        let mut kept = self.clone();
        for (t, table) in kept.tables.iter_mut().enumerate() {
            for (c, chain) in table.chains.iter_mut().enumerate() {
                chain
                    .rules
                    .retain(|rule| keep(&self.only(t, c, rule), rule));
            }
        }
        kept
    }

    /// The same tables, sets and chains with one rule alone.
    fn only(&self, table: usize, chain: usize, rule: &str) -> String {
        let mut alone = self.clone();
        for chain in alone.tables.iter_mut().flat_map(|t| &mut t.chains) {
            chain.rules.clear();
        }
        alone.tables[table].chains[chain]
            .rules
            .push(rule.to_string());
        alone.text()
    }
}
