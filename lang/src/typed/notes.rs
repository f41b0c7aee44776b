//! What a listing shows and no packet sees: comments, declarations' own words, and which names are there at the end.

use super::Value;
use redan_vm::ids::{ChainId, SetId, StateId, TableId};
use std::collections::{BTreeMap, BTreeSet};

/// What listings need beside the ruleset.
#[derive(Debug, Default)]
pub struct Notes {
    /// What each table holds once every command has run, tables in order of creation.
    pub live: BTreeMap<TableId, LiveTable>,
    /// Comments of tables.
    pub tables: BTreeMap<TableId, String>,
    /// Flags of tables.
    pub table_flags: BTreeMap<TableId, BTreeSet<&'static str>>,
    /// Comments of chains.
    pub chains: BTreeMap<ChainId, String>,
    /// What sets were declared with.
    pub sets: BTreeMap<SetId, SetNote>,
    /// Comments of named objects.
    pub objects: BTreeMap<StateId, String>,
    /// Handles of all but rules and flowtables, which know their own.
    pub handles: Handles,
}

/// What has a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbered {
    /// A table.
    Table(TableId),
    /// A chain.
    Chain(ChainId),
    /// A set or map.
    Set(SetId),
    /// A named object.
    Object(StateId),
}

/// Handles as a fresh kernel gives them out: one row of numbers for tables, and in each table one row for its chains, rules, sets (also those
/// without a name), objects and flowtables, in the order in which they come.
#[derive(Debug, Default)]
pub struct Handles {
    tables: u64,
    last: BTreeMap<TableId, u64>,
    given: BTreeMap<Numbered, u64>,
}

impl Handles {
    /// The next number of a table.
    pub(crate) fn next(&mut self, table: TableId) -> u64 {
        let last = self.last.entry(table).or_default();
        *last += 1;
        *last
    }

    /// Gives a table its number.
    pub(crate) fn give_table(&mut self, table: TableId) {
        self.tables += 1;
        self.given.insert(Numbered::Table(table), self.tables);
    }

    /// Gives something in a table its number.
    pub(crate) fn give(&mut self, table: TableId, thing: Numbered) {
        let number = self.next(table);
        self.given.insert(thing, number);
    }

    /// The number of something.
    pub fn of(&self, thing: Numbered) -> Option<u64> {
        self.given.get(&thing).copied()
    }
}

/// Names of a table at the end, in order of creation.
#[derive(Debug, Default)]
pub struct LiveTable {
    /// Chains.
    pub chains: Vec<ChainId>,
    /// Sets and maps.
    pub sets: Vec<SetId>,
    /// Named objects.
    pub objects: Vec<StateId>,
    /// Flowtables.
    pub flowtables: Vec<Flowtable>,
}

/// What a set was declared with.
#[derive(Debug, Default, Clone)]
pub struct SetNote {
    /// Its comment.
    pub comment: Option<String>,
    /// `gc-interval` in milliseconds.
    pub gc_interval_ms: Option<u64>,
    /// `policy memory`.
    pub for_memory: bool,
    /// The fields of `typeof`, for the key.
    pub key: Vec<Value>,
    /// The same for a map's data.
    pub data: Vec<Value>,
}

/// A flowtable.
#[derive(Debug, Default, Clone)]
pub struct Flowtable {
    /// Its name.
    pub name: String,
    /// Its handle.
    pub handle: u64,
    /// Priority at the ingress hook.
    pub priority: i32,
    /// Its devices.
    pub devices: Vec<String>,
    /// Whether it counts.
    pub counter: bool,
    /// Whether hardware does the work.
    pub offload: bool,
}
