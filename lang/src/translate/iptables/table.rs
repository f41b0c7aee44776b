//! A table of iptables as a table of nft.

use super::Options;
use super::build::{Shared, World, name};
use super::ipset::Sets;
use super::matches::recent;
use super::nft::{self, Counter, Item, Rule, Verdict};
use super::rule::{self, Place};
use super::source::{Chain, Entry, Table, builtin};
use super::spec::{self, Fault, Spec, Target};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Rules with what is understood of them.
type Specs = Vec<Vec<Result<Spec, Fault>>>;

/// The table, and how many of its rules it has.
pub(super) fn translate(
    table: &Table,
    sets: &Sets,
    options: Options,
    findings: &mut Vec<Diagnostic>,
) -> (nft::Table, usize) {
    let names: BTreeSet<&str> = table
        .chains
        .iter()
        .map(|chain| chain.name.as_str())
        .collect();
    let is_chain = |name: &str| names.contains(name);
    let specs: Specs = table
        .chains
        .iter()
        .map(|chain| {
            chain
                .rules
                .iter()
                .map(|entry| spec::read(entry, table.family, &is_chain))
                .collect()
        })
        .collect();
    let mut lists = recent::Lists::new();
    for seen in specs
        .iter()
        .flatten()
        .filter_map(|spec| spec.as_ref().ok())
        .flat_map(rule::recents)
    {
        recent::note(seen, &mut lists);
    }
    let mut shared = Shared {
        renamed: renamed(table, findings),
        ..Shared::default()
    };
    let mut work = Work {
        table,
        options,
        world: World {
            sets,
            recent: &lists,
        },
        done: 0,
    };
    let mut chains = Vec::new();
    let mut empty = Vec::new();
    for (chain, specs) in table.chains.iter().zip(&specs) {
        let chain = work.chain(chain, specs, &mut shared);
        if chain.hook.is_some() && chain.items.is_empty() && chain.policy == "accept" {
            empty.push(chain.name);
        } else {
            chains.push(chain);
        }
    }
    for missing in undeclared(table, &specs, findings) {
        chains.push(nft::Chain {
            name: name(&missing),
            hook: None,
            policy: "",
            items: Vec::new(),
        });
    }
    chains.append(&mut shared.chains);
    chains.sort_by_key(|chain: &nft::Chain| chain.hook.is_none());
    findings.append(&mut shared.findings);
    let above = match empty.as_slice() {
        [] => Vec::new(),
        names => vec![format!(
            "{} {}, without rules, policy accept: {}",
            table.family.word(),
            table.name,
            names.join(", ")
        )],
    };
    let table = nft::Table {
        family: table.family.word(),
        name: table.name.clone(),
        above,
        objects: shared.objects,
        chains,
    };
    (table, work.done)
}

/// Chains whose names nft does not take, with the names that they get.
fn renamed(table: &Table, findings: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut taken: BTreeSet<String> = table
        .chains
        .iter()
        .map(|chain| chain.name.clone())
        .collect();
    for chain in &table.chains {
        let mut new = name(&chain.name);
        if new == chain.name {
            continue;
        }
        while taken.contains(&new) {
            new.push('_');
        }
        taken.insert(new.clone());
        let message = format!(
            "nft takes no chain called `{}`; it is called `{new}`",
            chain.name
        );
        findings.push(Diagnostic::new(Code::RenamedChain, chain.span, message));
        out.insert(chain.name.clone(), new);
    }
    out
}

/// Chains that rules jump to and that are nowhere; each gets a finding.
fn undeclared(table: &Table, specs: &Specs, findings: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for chain in table.chains.iter().filter(|chain| !chain.declared) {
        let message = format!("the chain `{}` is made nowhere in the input", chain.name);
        findings.push(Diagnostic::new(Code::UndeclaredChain, chain.span, message));
    }
    for spec in specs.iter().flatten().flatten() {
        if let Target::Chain { name, .. } = &spec.target
            && !table.chains.iter().any(|chain| chain.name == name.text)
            && !out.contains(&name.text)
        {
            let message = format!(
                "`{}` is neither a target nor a chain of the input; it is taken for a chain without rules",
                name.text
            );
            findings.push(Diagnostic::new(Code::UndeclaredChain, name.span, message));
            out.push(name.text.clone());
        }
    }
    out
}

struct Work<'a> {
    table: &'a Table,
    options: Options,
    world: World<'a>,
    done: usize,
}

impl Work<'_> {
    fn chain(
        &mut self,
        chain: &Chain,
        specs: &[Result<Spec, Fault>],
        shared: &mut Shared,
    ) -> nft::Chain {
        let mut items = Vec::new();
        for (entry, spec) in chain.rules.iter().zip(specs) {
            let done = match spec {
                Ok(spec) => self.rule(chain, entry, spec, shared),
                Err(fault) => Err(fault.clone()),
            };
            match done {
                Ok(rules) => {
                    self.done += 1;
                    items.extend(rules);
                }
                Err((span, why)) => items.push(Self::left_out(chain, entry, span, &why, shared)),
            }
        }
        let dumped = chain.rules.iter().any(|entry| entry.counts.is_some());
        if let Some((packets, bytes)) = chain.counts.filter(|_| dumped && !self.options.no_counters)
        {
            // nft's policies do not count
            items.push(Item::Rule(Rule {
                matches: Vec::new(),
                counter: Counter::From(packets, bytes),
                actions: Vec::new(),
                verdict: Verdict::None,
                comment: Some("what the policy decides".to_owned()),
                above: Vec::new(),
                span: chain.span,
            }));
        }
        let hook = builtin(&self.table.name, &chain.name);
        let known = shared
            .renamed
            .get(&chain.name)
            .unwrap_or(&chain.name)
            .clone();
        nft::Chain {
            name: known,
            hook: hook.map(|row| row.hook),
            policy: if chain.policy.as_deref() == Some("DROP") {
                "drop"
            } else {
                "accept"
            },
            items,
        }
    }

    fn rule(
        &self,
        chain: &Chain,
        entry: &Entry,
        spec: &Spec,
        shared: &mut Shared,
    ) -> Result<Vec<Item>, Fault> {
        let place = Place {
            family: self.table.family,
            table: &self.table.name,
            chain: &chain.name,
        };
        let given = spec.generic.iter().find(|given| given.name() == "-c");
        let given = given
            .and_then(|given| Some((given.value().parse().ok()?, given.second().parse().ok()?)));
        let counter = match given.or(entry.counts) {
            _ if self.options.no_counters => Counter::None,
            Some((packets, bytes)) => Counter::From(packets, bytes),
            None if self.table.counted => Counter::Fresh,
            None => Counter::None,
        };
        rule::translate(place, entry, spec, counter, (&self.world, shared))
    }

    /// A rule that stays behind as a comment.
    fn left_out(chain: &Chain, entry: &Entry, span: Span, why: &str, shared: &mut Shared) -> Item {
        let finding = Diagnostic::new(
            Code::UntranslatedRule,
            span,
            format!("the rule is left out: {why}"),
        );
        let finding = finding.related(entry.span, "this rule");
        shared.findings.push(finding);
        Item::Comment(format!(
            "not translated ({why}): -A {} {}",
            chain.name,
            entry.text()
        ))
    }
}
