//! Findings for people, with the lines that they speak of.

use std::io::{self, Write};

use super::{Findings, Place};

/// Prints every finding of a file.
pub(crate) fn print(out: &mut impl Write, color: bool, findings: &Findings) -> io::Result<()> {
    for finding in &findings.list {
        let _ = color;
        let Place {
            file, line, column, ..
        } = Place::of(&findings.sources, finding.span());
        writeln!(
            out,
            "{file}:{line}:{column}: {}[{}]: {}",
            finding.level.name(),
            finding.code.info().code,
            finding.message
        )?;
    }
    Ok(())
}
