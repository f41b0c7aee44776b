//! What a listing shows and no packet sees: comments, declarations' own words, and which names are there at the end.

use super::Value;
use redan_vm::ids::{ChainId, SetId, StateId, TableId};
use std::collections::BTreeMap;

/// What listings need beside the ruleset.
#[derive(Debug, Default)]
pub struct Notes {
    /// What each table holds once every command has run, tables in order of creation.
    pub live: BTreeMap<TableId, LiveTable>,
    /// Comments of tables.
    pub tables: BTreeMap<TableId, String>,
    /// Comments of chains.
    pub chains: BTreeMap<ChainId, String>,
    /// What sets were declared with.
    pub sets: BTreeMap<SetId, SetNote>,
    /// Comments of named objects.
    pub objects: BTreeMap<StateId, String>,
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
    /// Priority at the ingress hook.
    pub priority: i32,
    /// Its devices.
    pub devices: Vec<String>,
    /// Whether it counts.
    pub counter: bool,
    /// Whether hardware does the work.
    pub offload: bool,
}
