//! Names: variables, tables, chains, sets, objects, and the commands that make and remove them, as one transaction in file order.

mod chain;
mod command;
mod context;
mod ct_object;
mod element;
mod extent;
mod flowtable;
mod handle;
mod hook;
mod in_use;
mod names;
mod object;
mod priority;
mod rule;
mod scope;
mod set;
mod set_body;
mod set_type;
mod tunnel;

pub(crate) use chain::inline_chain;
pub(crate) use command::{check_comment, run};
pub(crate) use context::{Context, every, suggest};
pub use hook::hooks;
pub use priority::{Named, named_priorities};
pub(crate) use scope::Scope;
pub(crate) use set::meter_set;
pub(crate) use set_type::{check_filled, check_timed};
