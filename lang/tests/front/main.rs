//! The front end from text to findings.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod hostile;
mod json;
mod lints;
mod predicates;
mod semantics;
mod support;
