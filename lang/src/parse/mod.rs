//! From tokens to syntax trees.

pub mod include;
pub mod literal;

pub use include::{FileLoader, Loader, NoLoader};

use crate::ast::File;
use crate::diag::Diagnostic;
use crate::source::{SourceId, Sources};

/// Reads a ruleset: the text of `root`, what it includes, and `defines` (`name=value`, as `-D` gives them) before it. Findings come in the order of their places.
pub fn parse(
    sources: &mut Sources,
    root: SourceId,
    loader: &dyn Loader,
    defines: &[String],
) -> (File, Vec<Diagnostic>) {
    let _ = (sources, root, loader, defines);
    (File::default(), Vec::new())
}

/// Adds a text of bytes to the sources; bytes that are not UTF-8 become U+FFFD and a finding each (the first 50).
pub fn add_bytes(sources: &mut Sources, name: &str, bytes: Vec<u8>) -> (SourceId, Vec<Diagnostic>) {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    (sources.add(name, text), Vec::new())
}
