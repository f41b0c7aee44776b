//! Chains: what they refer to, and that jumps between them end.

use super::{Place, Verifier, VerifyErrorKind, id};
use crate::ids::{ChainId, RuleId, SetId};
use crate::instr::{Instr, Verdict};
use crate::ruleset::ElementData;

/// Most chains that a packet can be in at once, the base chain included (`nft_chain_validate`).
pub const MAX_CHAINS: usize = crate::interp::JUMP_DEPTH;

impl Verifier<'_> {
    /// Checks every chain that runs, and its rules.
    pub(super) fn chains(&mut self) {
        for (index, chain) in self.ruleset.chains.iter().enumerate() {
            if chain.deleted {
                continue;
            }
            let here = ChainId(id(index));
            let table = self.ruleset.tables.get(chain.table.index());
            self.check(
                table.is_some(),
                Place::Chain(here),
                VerifyErrorKind::Dangling,
            );
            for rule in &chain.rules {
                self.rule(here, *rule);
            }
        }
    }

    fn rule(&mut self, chain: ChainId, id: RuleId) {
        let found = self.ruleset.rules.get(id.index());
        let Some(rule) = found.filter(|rule| rule.chain == chain) else {
            self.fail(Place::Chain(chain), VerifyErrorKind::Dangling);
            return;
        };
        let mut written = 0;
        for (pc, instr) in (0..).zip(&rule.code) {
            let place = Place::Instr(id, pc);
            self.operands(instr, place);
            self.registers(instr, place, &mut written);
            if let Instr::ImmediateVerdict { verdict } = instr {
                self.target(chain, *verdict, place);
            }
        }
    }

    /// Checks where a verdict leads.
    pub(super) fn target(&mut self, from: ChainId, verdict: Verdict, place: Place) {
        let Some(to) = target(verdict) else {
            return;
        };
        let table = self.ruleset.chains.get(from.index()).map(|c| c.table);
        match self.ruleset.chains.get(to.index()) {
            Some(chain) if !chain.deleted => {
                self.check(chain.base.is_none(), place, VerifyErrorKind::JumpToBase);
                let same = Some(chain.table) == table;
                self.check(same, place, VerifyErrorKind::JumpToOtherTable);
            }
            Some(_) | None => self.fail(place, VerifyErrorKind::Dangling),
        }
    }

    /// Checks that no way through the chains is deeper than [`MAX_CHAINS`], from every base chain: circles that none of them reaches
    /// are allowed.
    pub(super) fn depth(&mut self) {
        let ruleset = self.ruleset;
        let targets: Vec<Vec<ChainId>> = (0..ruleset.chains.len())
            .map(|index| self.targets(index))
            .collect();
        for (index, chain) in ruleset.chains.iter().enumerate() {
            if chain.base.is_none() || chain.deleted {
                continue;
            }
            let start = ChainId(id(index));
            if !ends(start, &targets) {
                self.fail(Place::Chain(start), VerifyErrorKind::TooDeep);
            }
        }
    }

    /// Where a chain's rules lead, each chain once.
    fn targets(&self, chain: usize) -> Vec<ChainId> {
        let rules = self.ruleset.chains.get(chain).map(|c| c.rules.as_slice());
        let mut found = Vec::new();
        for rule in rules.unwrap_or(&[]) {
            let Some(rule) = self.ruleset.rules.get(rule.index()) else {
                continue;
            };
            for instr in &rule.code {
                if let Instr::ImmediateVerdict { verdict } = instr {
                    found.extend(target(*verdict));
                } else if let Instr::LookupVerdict { set, .. } = instr {
                    found.extend(self.set_targets(*set));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn set_targets(&self, set: SetId) -> impl Iterator<Item = ChainId> {
        let set = self.ruleset.sets.get(set.index());
        let data = set.map_or(&[][..], |set| set.elements.data.as_slice());
        data.iter().filter_map(|data| match data {
            ElementData::Verdict(verdict) => target(*verdict),
            ElementData::None
            | ElementData::Value(_)
            | ElementData::Wide(_)
            | ElementData::Object(_) => None,
        })
    }
}

const fn target(verdict: Verdict) -> Option<ChainId> {
    match verdict {
        Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
        Verdict::Accept | Verdict::Drop | Verdict::Continue | Verdict::Return => None,
    }
}

/// Whether every way from a chain is at most [`MAX_CHAINS`] chains long: level by level, each level's chains once.
fn ends(start: ChainId, targets: &[Vec<ChainId>]) -> bool {
    let mut level = vec![start];
    for _ in 0..MAX_CHAINS {
        let mut next: Vec<ChainId> = level
            .iter()
            .filter_map(|chain| targets.get(chain.index()))
            .flatten()
            .copied()
            .collect();
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return true;
        }
        level = next;
    }
    false
}
