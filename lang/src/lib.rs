//! From rule text to bytecode.
#![forbid(unsafe_code)]

pub mod ast;
pub(crate) mod cut;
pub mod datatype;
pub mod diag;
pub mod fmt;
pub mod lex;
pub mod lint;
pub mod parse;
pub mod source;
pub mod token;
