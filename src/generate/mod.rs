//! Tests out of rulesets: packets found that reach each rule and each policy, and what the ruleset does with them today.
//!
//! What rules ask for ([`crate::meet::Map`]) gives packets to try, first as each rule wants them, then in conversations; the tracing engine says what
//! a packet reached, so that a wrong guess costs a try and nothing else. The packets that reached something new become the lines of the
//! test, which is then run from its start: what it says is what has happened.

mod field;
mod goals;
mod scene;
mod search;
mod text;
mod tries;

pub(crate) use search::test;
pub(crate) use text::Subject;
