//! GitHub Actions' workflow commands: one annotation a line.

use std::io::{self, Write};

use redan_lang::diag::Level;

use super::{Findings, Place};

/// Prints the annotations.
pub(crate) fn print(out: &mut impl Write, files: &[Findings]) -> io::Result<()> {
    for file in files {
        for finding in &file.list {
            let command = match finding.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Info => "notice",
            };
            let Place {
                file,
                line,
                column,
                end_line,
                end_column,
            } = Place::of(&file.sources, finding.span());
            let info = finding.code.info();
            let title = property(&format!("{} {}", info.code, info.name));
            let mut message = finding.message.clone();
            if let Some(help) = &finding.help {
                message.push('\n');
                message.push_str(help);
            }
            writeln!(
                out,
                "::{command} file={},line={line},endLine={end_line},col={column},endColumn={end_column},title={title}::{}",
                property(file),
                data(&message)
            )?;
        }
    }
    Ok(())
}

/// Text behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_escaped() {
        assert_eq!(data("100%\nx"), "100%25%0Ax");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
