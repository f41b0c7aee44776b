//! The router: what an IP host does with a packet beside asking the ruleset.

pub mod fib;
pub mod neighbor;
