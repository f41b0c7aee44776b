//! What cannot be deleted because a rule or a map still needs it: the kernel answers `EBUSY` at that command, whatever comes later.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of many instructions a few name chains and sets"
)]

use super::Context;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use redan_vm::ids::{ChainId, SetId, StateId, TableId};
use redan_vm::ruleset::{ElementData, Rule};
use redan_vm::{Instr, Verdict};

impl Context<'_> {
    /// Refuses to delete a chain that is jumped to.
    pub(super) fn chain_is_free(&mut self, table: TableId, id: ChainId, place: Span) -> Option<()> {
        let leads_there = |verdict: &Verdict| matches!(verdict, Verdict::Jump(to) | Verdict::Goto(to) if *to == id);
        let given = |set: SetId| {
            let data = self.ruleset.sets.get(set.index());
            let data = data.map_or(&[][..], |set| set.elements.data.as_slice());
            data.iter()
                .any(|data| matches!(data, ElementData::Verdict(verdict) if leads_there(verdict)))
        };
        let in_rule = self.rules(table, Some(id)).any(|rule| {
            rule.code.iter().any(|instr| match instr {
                Instr::ImmediateVerdict { verdict } => leads_there(verdict),
                Instr::LookupVerdict { set, .. } => given(*set),
                _ => false,
            })
        });
        let names = self.names.of(table);
        let in_map = names.is_some_and(|names| names.sets.values().any(|set| given(*set)));
        if in_rule || in_map {
            let name = self.ruleset.chains.get(id.index())?.name.clone();
            return self.still_used("chain", &name, place, "jumps to it");
        }
        Some(())
    }

    /// Refuses to delete a set that a rule looks into.
    pub(super) fn set_is_free(&mut self, table: TableId, id: SetId, place: Span) -> Option<()> {
        let used = self.rules(table, None).any(|rule| {
            rule.code.iter().any(|instr| match instr {
                Instr::Lookup { set, .. }
                | Instr::LookupVerdict { set, .. }
                | Instr::ObjrefMap { set, .. } => *set == id,
                Instr::Dynset(dynset) => dynset.set == id,
                _ => false,
            })
        });
        if used {
            let name = self.ruleset.sets.get(id.index())?.name.clone();
            return self.still_used("set", &name, place, "uses it");
        }
        Some(())
    }

    /// Refuses to delete an object that a rule names or a map gives.
    pub(super) fn object_is_free(
        &mut self,
        table: TableId,
        id: StateId,
        kind: &str,
        name: &str,
        place: Span,
    ) -> Option<()> {
        let given = |set: &SetId| {
            let data = self.ruleset.sets.get(set.index());
            let data = data.map_or(&[][..], |set| set.elements.data.as_slice());
            data.iter()
                .any(|data| matches!(data, ElementData::Object(state) if *state == id))
        };
        let in_rule = self.rules(table, None).any(|rule| {
            rule.code.iter().any(|instr| match instr {
                Instr::Objref { state, .. } => *state == id,
                Instr::ObjrefMap { set, .. } => given(set),
                _ => false,
            })
        });
        let names = self.names.of(table);
        let in_map = names.is_some_and(|names| names.sets.values().any(given));
        if in_rule || in_map {
            return self.still_used(kind, name, place, "names it");
        }
        Some(())
    }

    /// Rules of a table that are there now, but for those of one chain.
    fn rules(&self, table: TableId, except: Option<ChainId>) -> impl Iterator<Item = &Rule> {
        let chains = self.ruleset.chains.iter().enumerate();
        chains
            .filter(move |(at, chain)| {
                chain.table == table
                    && !chain.deleted
                    && except.is_none_or(|except| except.index() != *at)
            })
            .flat_map(|(_, chain)| &chain.rules)
            .filter_map(|id| self.ruleset.rules.get(id.index()))
    }

    fn still_used(&mut self, what: &str, name: &str, place: Span, how: &str) -> Option<()> {
        let message = format!("{what} `{name}` is still used: a rule or a map {how}");
        let finding = Diagnostic::new(Code::StillUsed, place, message);
        self.report(finding.help("delete or flush what uses it first"));
        None
    }
}
