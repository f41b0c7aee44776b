//! Rulesets in libnftables' JSON (libnftables-json(5)): written from a listing, read into rule text.
//!
//! [`emit()`] writes what `nft -j list ruleset` shows. [`convert`] goes the other way by way of rule text, so that one front end reads both; it keeps
//! the place of every piece, so that findings point into the JSON.

mod emit;
mod expr;
mod node;
mod read;
mod stmt;
mod tunnel;
mod write;

pub use emit::emit;
pub use read::{Converted, convert, looks_like_json};
