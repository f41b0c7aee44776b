//! Names: variables, tables, chains, sets, objects, and the commands that make and remove them, as one transaction in file order.

mod chain;
mod command;
mod context;
mod names;
mod object;
mod rule;
mod scope;
mod set;

pub(crate) use chain::inline_chain;
pub use chain::{Named, hooks, named_priorities};
pub(crate) use command::run;
pub(crate) use context::{Context, suggest};
pub(crate) use scope::Scope;
pub(crate) use set::meter_set;
