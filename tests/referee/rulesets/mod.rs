//! Random rulesets, in pieces that can be taken away one by one, with every rule counting.

mod matches;
mod random;
mod sets;
mod statements;
mod verdicts;

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

    /// Takes away the sets and objects that no rule speaks of.
    pub(crate) fn prune(&mut self) {
        for table in &mut self.tables {
            let rules: Vec<&String> = table.chains.iter().flat_map(|c| &c.rules).collect();
            let counters = rules.iter().any(|rule| rule.contains("@port_counters"));
            table.sets.retain(|set| {
                let name = set.split(' ').nth(1).unwrap_or_default();
                let (set, object) = (format!("@{name}"), format!("\"{name}\""));
                let asks = |rule: &&String| {
                    rule.contains(&object) || rule.split([' ', ',']).any(|word| word == set)
                };
                rules.iter().any(asks) || (counters && ["seen", "other"].contains(&name))
            });
        }
    }

    /// Every ruleset with one table, chain or rule less; some do not load.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for (t, table) in self.tables.iter().enumerate() {
            let mut less = self.clone();
            less.tables.remove(t);
            all.push(less);
            for (c, chain) in table.chains.iter().enumerate() {
                let mut less = self.clone();
                less.tables[t].chains.remove(c);
                all.push(less);
                for r in 0..chain.rules.len() {
                    let mut less = self.clone();
                    less.tables[t].chains[c].rules.remove(r);
                    all.push(less);
                }
            }
        }
        all.iter_mut().for_each(Self::prune);
        all
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
