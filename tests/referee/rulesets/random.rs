//! How tables, chains and rules are put together.

use super::{Chain, Ruleset, Table, matches, sets, statements, verdicts};
use crate::rng::Rng;

impl Ruleset {
    /// A random ruleset: one or two tables, base chains on the routed path, regular chains to jump to, sets, maps, objects; at times a table
    /// at the ports' ingress.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let n_tables = 1 + rng.below(2);
        let mut tables: Vec<Table> = (0..n_tables).map(|i| random_table(rng, i)).collect();
        // The kernel tracks connections only where a rule asks: the probe does, so every compared ruleset must.
        tables[0].chains[0]
            .rules
            .insert(0, "ct state invalid counter".into());
        if rng.one_in(4) {
            tables.push(ingress_table(rng));
        }
        Self { tables }
    }
}

impl Ruleset {
    /// A random ruleset about one thing: no feature leans on what another one has the kernel do.
    pub(crate) fn single(rng: &mut Rng) -> Self {
        let scope = Scope::new(rng.choose(&["ip", "ip6", "inet", "inet", "netdev"]));
        let hook = if scope.netdev() {
            rng.choose(&["ingress", "egress"])
        } else {
            rng.choose(&HOOKS)
        };
        let place = Place::random(rng, scope, Some(hook), &[]);
        let part = match rng.below(4) {
            0 | 1 => matches::random(rng, place),
            2 => statements::random(rng, place),
            _ => String::new(),
        };
        let end = if part.is_empty() || rng.one_in(4) {
            verdicts::random(rng, place)
        } else {
            String::new()
        };
        let device = if scope.netdev() {
            " device \"lan0\""
        } else {
            ""
        };
        let chain = Chain {
            name: "only".into(),
            base: Some(format!(
                "type filter hook {hook}{device} priority 0; policy accept;"
            )),
            rules: vec![format!("{part} counter {end}"), "counter".into()],
        };
        let table = Table {
            family: scope.family,
            name: if scope.netdev() { "dev" } else { "t" }.into(),
            sets: sets::random(rng, scope),
            chains: vec![chain],
        };
        Self {
            tables: vec![table],
        }
    }

    /// A random ruleset of the bridge family.
    pub(crate) fn bridge(rng: &mut Rng) -> Self {
        let scope = Scope::new("bridge");
        let sets = sets::random(rng, scope);
        let (mut chains, targets) = helper_chains(rng, scope);
        for hook in ["prerouting", "forward", "postrouting"] {
            let priority = rng.choose(&["-300", "-200", "0", "filter", "100"]);
            let policy = rng.choose(&["accept", "accept", "accept", "drop"]);
            chains.push(Chain {
                name: format!("at_{hook}"),
                base: Some(format!(
                    "type filter hook {hook} priority {priority}; policy {policy};"
                )),
                rules: random_rules(rng, 1, 5, scope, Some(hook), &targets),
            });
        }
        let table = Table {
            family: scope.family,
            name: "t".into(),
            sets,
            chains,
        };
        Self {
            tables: vec![table],
        }
    }
}

const HOOKS: [&str; 7] = [
    "prerouting",
    "forward",
    "forward",
    "forward",
    "postrouting",
    "input",
    "output",
];

/// What the rules of a table may speak of.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) family: &'static str,
    pub(super) v4: bool,
    pub(super) v6: bool,
}

impl Scope {
    fn new(family: &'static str) -> Self {
        Self {
            family,
            v4: family != "ip6",
            v6: family != "ip",
        }
    }

    pub(super) fn inet(self) -> bool {
        self.family == "inet"
    }

    /// Frames as they come in at a device.
    pub(super) fn netdev(self) -> bool {
        self.family == "netdev"
    }

    /// No connections, no routes: this kernel has no conntrack for bridges.
    pub(super) fn link(self) -> bool {
        self.netdev() || self.family == "bridge"
    }

    /// Whether the next family-bound thing is IPv6.
    fn is_six(self, rng: &mut Rng) -> bool {
        self.v6 && (!self.v4 || rng.one_in(2))
    }
}

/// Where a rule stands and what it speaks of: one family and one protocol, else nft refuses it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) scope: Scope,
    /// The hook of a base chain.
    pub(super) hook: Option<&'static str>,
    pub(super) targets: &'a [String],
    pub(super) six: bool,
    pub(super) proto: &'static str,
}

impl<'a> Place<'a> {
    fn random(
        rng: &mut Rng,
        scope: Scope,
        hook: Option<&'static str>,
        targets: &'a [String],
    ) -> Self {
        Self {
            scope,
            hook,
            targets,
            six: scope.is_six(rng),
            proto: rng.choose(&["tcp", "tcp", "udp", "icmp"]),
        }
    }

    /// `ip` or `ip6`.
    pub(super) fn header(&self) -> &'static str {
        if self.six { "ip6" } else { "ip" }
    }
}

fn random_table(rng: &mut Rng, index: usize) -> Table {
    let scope = Scope::new(rng.choose(&["ip", "ip6", "inet", "inet", "inet"]));
    let sets = sets::random(rng, scope);
    let (mut chains, targets) = helper_chains(rng, scope);
    for i in 0..=rng.below(3) {
        let hook = rng.choose(&HOOKS);
        let priority = rng.choose(&["0", "-150", "10", "filter", "-5", "security", "raw"]);
        let policy = rng.choose(&["accept", "accept", "drop"]);
        let kind = if hook == "output" && rng.one_in(2) {
            "route"
        } else {
            "filter"
        };
        chains.push(Chain {
            name: format!("base{i}"),
            base: Some(format!(
                "type {kind} hook {hook} priority {priority}; policy {policy};"
            )),
            rules: random_rules(rng, 2, 8, scope, Some(hook), &targets),
        });
    }
    Table {
        family: scope.family,
        name: format!("t{index}"),
        sets,
        chains,
    }
}

/// Chains without a hook, and their names.
fn helper_chains(rng: &mut Rng, scope: Scope) -> (Vec<Chain>, Vec<String>) {
    let targets: Vec<String> = (0..rng.below(3)).map(|i| format!("sub{i}")).collect();
    let chains = targets.iter().enumerate().map(|(i, name)| Chain {
        name: name.clone(),
        base: None,
        // Only to later chains, so that there is no loop.
        rules: random_rules(rng, 1, 5, scope, None, &targets[i + 1..]),
    });
    (chains.collect(), targets)
}

fn ingress_table(rng: &mut Rng) -> Table {
    let scope = Scope::new(rng.choose(&["netdev", "netdev", "netdev", "inet"]));
    let sets = sets::random(rng, scope);
    // What an inet table's other chains ask, the kernel does not allow at this hook.
    let (mut chains, targets) = if scope.netdev() {
        helper_chains(rng, scope)
    } else {
        (Vec::new(), Vec::new())
    };
    for port in ["lan0", "wan0"] {
        let hook = if scope.netdev() {
            rng.choose(&["ingress", "ingress", "egress"])
        } else {
            "ingress"
        };
        chains.push(Chain {
            name: format!("at_{port}"),
            base: Some(format!(
                "type filter hook {hook} device \"{port}\" priority 0; policy accept;"
            )),
            rules: random_rules(rng, 2, 5, scope, Some(hook), &targets),
        });
    }
    Table {
        family: scope.family,
        name: "dev".into(),
        sets,
        chains,
    }
}

fn random_rules(
    rng: &mut Rng,
    least: usize,
    more: usize,
    scope: Scope,
    hook: Option<&'static str>,
    targets: &[String],
) -> Vec<String> {
    (0..least + rng.below(more))
        .map(|_| {
            let place = Place::random(rng, scope, hook, targets);
            random_rule(rng, place)
        })
        .collect()
}

/// A rule: up to three matches, at times a statement, a counter, at times another statement, a verdict.
fn random_rule(rng: &mut Rng, place: Place<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for _ in 0..rng.below(4) {
        parts.push(matches::random(rng, place));
    }
    if rng.one_in(4) {
        parts.push(statements::random(rng, place));
    }
    parts.push("counter".into());
    if rng.one_in(4) {
        parts.push(statements::random(rng, place));
    }
    parts.push(verdicts::random(rng, place));
    parts.retain(|p| !p.is_empty());
    parts.join(" ")
}
