//! Tables of both families that become one table of the family inet.

use super::nft::{Chain, Counter, Item, Rule, Stmt, Table, Verdict};

/// Joins tables of the same name, one of each family, where nft can say both in one.
pub(super) fn join(tables: Vec<Table>) -> Vec<Table> {
    let mut out: Vec<Table> = Vec::new();
    for table in tables {
        let partner = out.iter().position(|known| {
            known.name == table.name && known.family == "ip" && table.family == "ip6"
        });
        let joined = partner.and_then(|at| both(out.get(at)?, &table).map(|joined| (at, joined)));
        match joined {
            Some((at, joined)) => {
                if let Some(known) = out.get_mut(at) {
                    *known = joined;
                }
            }
            None => out.push(table),
        }
    }
    out
}

/// One table for both, unless they contradict each other: other policies, sets of the same name that differ, translation of addresses.
fn both(v4: &Table, v6: &Table) -> Option<Table> {
    if v4.name == "nat" {
        return None;
    }
    let mut chains: Vec<Chain> = Vec::new();
    for chain in &v4.chains {
        let other = v6.chains.iter().find(|other| other.name == chain.name);
        let items = match other {
            Some(other) if other.policy != chain.policy => return None,
            Some(other) => items(&chain.items, &other.items),
            None => items(&chain.items, &[]),
        };
        chains.push(Chain {
            items,
            ..chain.clone()
        });
    }
    for chain in &v6.chains {
        if !v4.chains.iter().any(|known| known.name == chain.name) {
            // a policy is for both families
            if chain.policy == "drop" {
                return None;
            }
            chains.push(Chain {
                items: items(&[], &chain.items),
                ..chain.clone()
            });
        }
    }
    if v4.chains.iter().any(|chain| {
        chain.policy == "drop" && !v6.chains.iter().any(|other| other.name == chain.name)
    }) {
        return None;
    }
    let mut objects = v4.objects.clone();
    for object in &v6.objects {
        match objects.iter().find(|known| known.name == object.name) {
            Some(known) if known != object => return None,
            Some(_) => {}
            None => objects.push(object.clone()),
        }
    }
    // base chains first, as a table of one family has them
    chains.sort_by_key(|chain| chain.hook.is_none());
    let above = v4
        .above
        .iter()
        .chain(v6.above.iter().filter(|line| !v4.above.contains(line)))
        .cloned()
        .collect();
    Some(Table {
        family: "inet",
        name: v4.name.clone(),
        above,
        objects,
        chains,
    })
}

/// What both say once, what one of them says with its family in front; in an order that keeps each one's own.
fn items(v4: &[Item], v6: &[Item]) -> Vec<Item> {
    let left: Vec<Option<Rule>> = v4.iter().map(|item| shared(item, "ip")).collect();
    let right: Vec<Option<Rule>> = v6.iter().map(|item| shared(item, "ip6")).collect();
    let pair = |at4: usize, at6: usize| {
        let (one, other) = (left.get(at4)?.as_ref()?, right.get(at6)?.as_ref()?);
        says_same(one, other).then_some((one, other))
    };
    let mut out = Vec::new();
    let (mut at4, mut at6) = (0, 0);
    while at4 < v4.len() || at6 < v6.len() {
        // the nearest place where both say the same
        let near = (0..LOOK_AHEAD)
            .flat_map(|sum| (0..=sum).map(move |more| (more, sum - more)))
            .find(|(more4, more6)| pair(at4 + more4, at6 + more6).is_some());
        let (more4, more6) = near.unwrap_or((v4.len() - at4, v6.len() - at6));
        out.extend(
            v4.iter()
                .skip(at4)
                .take(more4)
                .map(|item| alone(item, "ip")),
        );
        out.extend(
            v6.iter()
                .skip(at6)
                .take(more6)
                .map(|item| alone(item, "ip6")),
        );
        (at4, at6) = (at4 + more4, at6 + more6);
        if let Some((one, other)) = pair(at4, at6) {
            let mut rule = one.clone();
            rule.counter = sum(one.counter, other.counter);
            out.push(Item::Rule(rule));
            (at4, at6) = (at4 + 1, at6 + 1);
        }
    }
    out
}

/// What both have counted.
fn sum(one: Counter, other: Counter) -> Counter {
    match (one, other) {
        (Counter::From(packets, bytes), Counter::From(more, other)) => {
            Counter::From(packets.saturating_add(more), bytes.saturating_add(other))
        }
        (one, _) => one,
    }
}

/// How far ahead of both rules are compared.
const LOOK_AHEAD: usize = 24;

fn says_same(one: &Rule, other: &Rule) -> bool {
    let said = |rule: &Rule| {
        (
            rule.matches.clone(),
            rule.actions.clone(),
            rule.verdict.clone(),
            rule.comment.clone(),
            rule.above.clone(),
        )
    };
    one.verdict == other.verdict && said(one) == said(other)
}

/// The rule as both families may say it; `None` where it speaks of one.
fn shared(item: &Item, family: &'static str) -> Option<Rule> {
    let Item::Rule(rule) = item else {
        return None;
    };
    let mut rule = inet(rule, family);
    let speaks = |text: &str| Stmt::Test(text.to_owned()).family().is_some();
    let acts = rule.matches.iter().any(|stmt| {
        stmt.family().is_some()
            || matches!(stmt, Stmt::Act(text) if text.contains(" ip ") || text.contains(" ip6 "))
    });
    let verdict = both_reject(rule.verdict.text());
    if let Some(text) = verdict {
        rule.verdict = Verdict::Rejects(text.to_owned());
    }
    let text = rule.verdict.text();
    let of_one = acts
        || rule.actions.iter().any(|action| speaks(action))
        || text.contains("with icmp ")
        || text.contains("with icmpv6 ");
    (!of_one).then_some(rule)
}

/// Refusals that say the same in both families (nft(8): icmpx).
fn both_reject(text: &str) -> Option<&'static str> {
    Some(match text {
        "reject with icmp host-unreachable" | "reject with icmpv6 addr-unreachable" => {
            "reject with icmpx host-unreachable"
        }
        "reject with icmp net-unreachable" | "reject with icmpv6 no-route" => {
            "reject with icmpx no-route"
        }
        "reject with icmp admin-prohibited" | "reject with icmpv6 admin-prohibited" => {
            "reject with icmpx admin-prohibited"
        }
        _ => return None,
    })
}

/// The item in a table of both families where only one says it.
fn alone(item: &Item, family: &'static str) -> Item {
    let Item::Rule(rule) = item else {
        return item.clone();
    };
    let mut rule = inet(rule, family);
    let text = rule.verdict.text();
    let named = rule
        .matches
        .iter()
        .any(|stmt| stmt.family() == Some(family))
        || text.contains("with icmp ")
        || text.contains("with icmpv6 ");
    if !named {
        let word = if family == "ip" { "ipv4" } else { "ipv6" };
        rule.matches
            .insert(0, Stmt::Test(format!("meta nfproto {word}")));
    }
    Item::Rule(rule)
}

/// A rule's words where the table does not say the family.
fn inet(rule: &Rule, family: &str) -> Rule {
    let mut rule = rule.clone();
    for stmt in &mut rule.matches {
        match stmt {
            Stmt::Match(this) if this.key == "ip protocol" => {
                "meta l4proto".clone_into(&mut this.key);
            }
            Stmt::Match(this) => this.key = with_family(&this.key, family),
            Stmt::Test(text) | Stmt::Act(text) => *text = with_family(text, family),
        }
    }
    for action in &mut rule.actions {
        for word in ["dup to ", "tproxy to "] {
            if let Some(rest) = action.strip_prefix(word) {
                *action = format!("{} {family} to {rest}", word.trim_end_matches(" to "));
            }
        }
    }
    rule
}

fn with_family(text: &str, family: &str) -> String {
    for direction in ["ct original ", "ct reply "] {
        if let Some(rest) = text
            .strip_prefix(direction)
            .filter(|rest| rest.starts_with("saddr") || rest.starts_with("daddr"))
        {
            return format!("{direction}{family} {rest}");
        }
    }
    text.to_owned()
}
