//! The front end from text to findings.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod hostile;
mod lints;
mod predicates;
mod semantics;
mod support;
