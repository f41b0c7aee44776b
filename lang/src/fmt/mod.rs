//! The formatter: canonical nft style from the same tokens that the parser reads.
//!
//! It changes blanks, line breaks and `;` alone: tabs, one rule a line, a chain's type and policy on one line, one blank line between blocks. Comments, the order
//! of everything, continued lines and the line breaks inside sets stay. What it writes parses to the same tree, and formatting it again changes nothing.

mod read;
mod space;
mod write;

use crate::diag::Diagnostic;
use crate::parse::{Loader, parse};
use crate::source::Sources;
use std::io;
use std::path::{Path, PathBuf};

/// Includes belong to the ruleset, not to the file that is formatted.
struct NoIncludes;

impl Loader for NoIncludes {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "includes are not read",
        ))
    }

    fn resolve(&self, _path: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}

/// The text in canonical style, and what the parser says of it (in the source named `name`, the only one of `sources`). A text with errors comes back unchanged.
pub fn fmt(sources: &mut Sources, name: &str, text: &str) -> (String, Vec<Diagnostic>) {
    let id = sources.add(name, text);
    let (_, findings) = parse(sources, id, &NoIncludes, &[]);
    if findings.iter().any(Diagnostic::is_error) {
        return (text.to_owned(), findings);
    }
    let items = read::items(text);
    (write::write(&items), findings)
}

#[cfg(test)]
mod tests;
