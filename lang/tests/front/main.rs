//! The front end from text to findings.

mod hostile;
mod lints;
mod predicates;
mod semantics;
mod support;
