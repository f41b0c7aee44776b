//! L036: jumps in a circle, or deeper than the kernel's 16.

use redan_vm::ids::ChainId;

use super::Facts;
use crate::diag::{Code, Diagnostic};

/// The kernel's limit (`nf_tables.h: NFT_JUMP_STACK_SIZE`).
const JUMP_STACK_SIZE: usize = 16;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (id, chain) in facts.chains().filter(|(_, chain)| chain.base.is_some()) {
        let mut walk = Walk {
            facts,
            path: Vec::new(),
            done: vec![0; facts.ruleset.chains.len()],
            worst: None,
        };
        walk.visit(id);
        let name = |chain: &ChainId| facts.chain(*chain).map_or("?", |c| c.name.as_str());
        match walk.worst {
            Some(Worst::Loop(path)) => found.push(
                Diagnostic::new(Code::JumpLoopOrDepth, facts.chain_span(*path.first().unwrap_or(&id)), format!("these chains lead back to themselves: {}", path.iter().map(name).collect::<Vec<_>>().join(" -> ")))
                    .related(facts.chain_span(id), format!("reached from base chain `{}`", chain.name))
                    .help("the kernel refuses to load this (`nft -c` does not see it): take one of the jumps out"),
            ),
            Some(Worst::Deep(path)) => found.push(
                Diagnostic::new(Code::JumpLoopOrDepth, facts.chain_span(id), format!("jumps from `{}` go {} chains deep, the kernel allows {JUMP_STACK_SIZE}", chain.name, path.len()))
                    .help("the kernel refuses to load this (`nft -c` does not see it): merge some chains, or use goto"),
            ),
            None => {}
        }
    }
}

enum Worst {
    Loop(Vec<ChainId>),
    Deep(Vec<ChainId>),
}

struct Walk<'a, 'b> {
    facts: &'a Facts<'b>,
    path: Vec<ChainId>,
    /// How deep each chain has been visited.
    done: Vec<usize>,
    worst: Option<Worst>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, chain: ChainId) {
        if self.worst.is_some() {
            return;
        }
        if let Some(at) = self.path.iter().position(|c| *c == chain) {
            let mut circle = self.path.get(at..).unwrap_or(&[]).to_vec();
            circle.push(chain);
            self.worst = Some(Worst::Loop(circle));
            return;
        }
        self.path.push(chain);
        let depth = self.path.len();
        if depth > JUMP_STACK_SIZE {
            self.worst = Some(Worst::Deep(self.path.clone()));
        } else if self
            .done
            .get(chain.index())
            .is_some_and(|seen| *seen < depth)
        {
            if let Some(seen) = self.done.get_mut(chain.index()) {
                *seen = depth;
            }
            let facts = self.facts;
            for target in facts.jumps(chain) {
                self.visit(target);
            }
        }
        self.path.pop();
    }
}
