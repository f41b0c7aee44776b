//! From rule text to bytecode.
#![forbid(unsafe_code)]

pub mod ast;
pub mod datatype;
pub mod diag;
pub mod parse;
pub mod source;
