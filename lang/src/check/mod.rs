//! Type check: from the syntax tree of a rule to typed matches and statements.
//!
//! Each part adds methods to [`RuleCheck`], which knows the rule's chain, what protocols its packets have, and what was typed so far.

mod constant;
mod field;
mod map;
mod matching;
mod protocol;
mod rule;
mod set;
mod stateful;
mod stmt;
mod value;

pub(crate) use constant::{Constant, describe};
pub(crate) use map::{kind_words, vm_kind};
pub(crate) use protocol::{Proto, Protocols};
pub(crate) use rule::{Place, RuleCheck};
pub(crate) use set::{data_types, new_set, shape_flags};
pub(crate) use stateful::{limit_spec, quota_spec, stateful_spec, stateful_specs, synproxy_spec};
