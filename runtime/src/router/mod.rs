//! The router: what an IP host does with a packet beside asking the ruleset.

pub mod answer;
pub mod check;
pub mod fib;
pub mod fragment;
pub mod neighbor;
pub mod pace;
pub mod solicit;
