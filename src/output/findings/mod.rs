//! Findings of the compiler and the lints, in the formats that `lint` prints.

mod github;
mod json;
mod sarif;
mod text;

use std::io::{self, Write};

use redan_lang::diag::{Diagnostic, Level};
use redan_lang::source::{Sources, Span};
use serde::Serialize;

pub(crate) use github::print as print_github;
pub(crate) use json::print as print_json;
pub(crate) use sarif::print as print_sarif;
pub(crate) use text::{print as print_text, text};

/// Findings with the texts that they point into.
pub(crate) struct Findings {
    /// The texts.
    pub(crate) sources: Sources,
    /// The findings, in order of place.
    pub(crate) list: Vec<Diagnostic>,
}

impl Findings {
    /// How many there are of a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.list
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// Whether any stops compilation.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }
}

/// A place, as programs read it: lines and columns from 1, columns in characters, the end behind the last one.
#[derive(Debug, Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

impl<'a> Place<'a> {
    fn of(sources: &'a Sources, span: Span) -> Self {
        let (start, end) = sources.range(span);
        Self {
            file: sources.name(span.source),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// Writes a JSON value and a newline.
fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
