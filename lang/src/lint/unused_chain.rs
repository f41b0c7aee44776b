//! L037: a chain that nothing leads to.

use std::collections::BTreeSet;

use redan_vm::ids::{ChainId, SetId, TableId};

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut used = vec![false; facts.ruleset.chains.len()];
    let mut mark = |chain: ChainId| {
        if let Some(slot) = used.get_mut(chain.index()) {
            *slot = true;
        }
    };
    for (_, chain) in facts.chains() {
        for rule in chain.rules.iter().filter_map(|id| facts.rule(*id)) {
            facts.targets(rule).into_iter().for_each(&mut mark);
        }
    }
    // Named maps may be used from outside the file.
    for set in (0..).take(facts.ruleset.sets.len()).map(SetId) {
        facts.map_targets(set).for_each(&mut mark);
    }
    let base_chains = facts.chains().filter(|(_, chain)| chain.base.is_some());
    let whole: BTreeSet<TableId> = base_chains.map(|(_, chain)| chain.table).collect();
    for (id, chain) in facts.chains() {
        // Without a base chain the file is a part of something; an empty chain is there for others to fill.
        // Rules that were passed over may jump to it.
        let passed_over = facts.program.passed_over.contains(&chain.table);
        if !whole.contains(&chain.table) || chain.rules.is_empty() || passed_over {
            continue;
        }
        if chain.base.is_none() && !used.get(id.index()).copied().unwrap_or(true) {
            found.push(
                Diagnostic::new(
                    Code::UnusedChain,
                    facts.chain_span(id),
                    format!("nothing jumps to chain `{}`", chain.name),
                )
                .help("give it a `type ... hook ...` line, jump to it, or remove it"),
            );
        }
    }
}
