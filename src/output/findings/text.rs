//! Findings for people, with the lines that they speak of.

use std::io::{self, Write};

use redan_lang::diag::render;

use super::Findings;

/// Prints every finding of a file.
pub(crate) fn print(out: &mut impl Write, color: bool, findings: &Findings) -> io::Result<()> {
    out.write_all(text(color, findings).as_bytes())
}

/// Every finding of a file.
pub(crate) fn text(color: bool, findings: &Findings) -> String {
    render::render(&findings.list, &findings.sources, color)
}
