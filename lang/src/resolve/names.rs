//! Which names stand for what at a point of the transaction.

use crate::typed::{Flowtable, LiveTable};
use redan_vm::family::Family;
use redan_vm::ids::{ChainId, SetId, StateId, TableId};
use redan_vm::instr::ObjectKind;
use std::collections::BTreeMap;

/// Names of one table.
#[derive(Debug, Default)]
pub(crate) struct TableNames {
    /// Chains.
    pub(crate) chains: BTreeMap<String, ChainId>,
    /// Sets and maps.
    pub(crate) sets: BTreeMap<String, SetId>,
    /// Named objects.
    pub(crate) objects: BTreeMap<(ObjectKind, String), StateId>,
    /// Flowtables.
    pub(crate) flowtables: BTreeMap<String, Flowtable>,
}

/// All names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tables: BTreeMap<Family, BTreeMap<String, TableId>>,
    by_id: BTreeMap<TableId, TableNames>,
}

impl Names {
    /// A table by family and name.
    pub(crate) fn table(&self, family: Family, name: &str) -> Option<TableId> {
        self.tables.get(&family)?.get(name).copied()
    }

    /// Makes a table known.
    pub(crate) fn add_table(&mut self, family: Family, name: &str, id: TableId) {
        self.tables
            .entry(family)
            .or_default()
            .insert(name.to_owned(), id);
        self.by_id.insert(id, TableNames::default());
    }

    /// Forgets a table and all that is in it.
    pub(crate) fn remove_table(
        &mut self,
        family: Family,
        name: &str,
    ) -> Option<(TableId, TableNames)> {
        let id = self.tables.get_mut(&family)?.remove(name)?;
        Some((id, self.by_id.remove(&id).unwrap_or_default()))
    }

    /// Tables of a family, or of all.
    pub(crate) fn tables(&self, family: Option<Family>) -> Vec<(Family, String)> {
        let wanted = self
            .tables
            .iter()
            .filter(|(known, _)| family.is_none_or(|family| family == **known));
        wanted
            .flat_map(|(family, tables)| tables.keys().map(|name| (*family, name.clone())))
            .collect()
    }

    /// What a table holds.
    pub(crate) fn of(&self, table: TableId) -> Option<&TableNames> {
        self.by_id.get(&table)
    }

    /// What a table holds.
    pub(crate) fn of_mut(&mut self, table: TableId) -> Option<&mut TableNames> {
        self.by_id.get_mut(&table)
    }

    /// What is there, in order of creation.
    pub(crate) fn into_live(self) -> BTreeMap<TableId, LiveTable> {
        let live = |names: TableNames| {
            let mut live = LiveTable {
                chains: names.chains.into_values().collect(),
                sets: names.sets.into_values().collect(),
                objects: names.objects.into_values().collect(),
                flowtables: names.flowtables.into_values().collect(),
            };
            live.chains.sort_unstable();
            live.sets.sort_unstable();
            live.objects.sort_unstable();
            live
        };
        self.by_id
            .into_iter()
            .map(|(id, names)| (id, live(names)))
            .collect()
    }

    /// A chain of a table.
    pub(crate) fn chain(&self, table: TableId, name: &str) -> Option<ChainId> {
        self.of(table)?.chains.get(name).copied()
    }

    /// A set of a table.
    pub(crate) fn set(&self, table: TableId, name: &str) -> Option<SetId> {
        self.of(table)?.sets.get(name).copied()
    }
}
