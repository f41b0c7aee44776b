//! From rule text to bytecode.
#![forbid(unsafe_code)]

pub mod ast;
mod check;
pub mod compile;
pub(crate) mod cut;
pub mod datatype;
pub mod diag;
pub mod explain;
pub mod fmt;
pub mod json;
pub mod lex;
pub mod lint;
pub mod list;
mod lower;
pub mod parse;
mod peephole;
mod resolve;
mod sets;
pub mod source;
pub mod token;
pub mod translate;
pub mod typed;

pub use resolve::{Named as NamedPriority, hooks, named_priorities};
