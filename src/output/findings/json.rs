//! One array of objects.

use std::io::{self, Write};

use redan_lang::diag::Diagnostic;
use redan_lang::source::Sources;
use serde::Serialize;

use super::{Findings, Place, write_json};

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    name: &'a str,
    level: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    help: Option<&'a str>,
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

/// Prints the array.
pub(crate) fn print(out: &mut impl Write, files: &[Findings]) -> io::Result<()> {
    let all: Vec<Finding<'_>> = files
        .iter()
        .flat_map(|file| {
            file.list
                .iter()
                .map(|finding| object(&file.sources, finding))
        })
        .collect();
    write_json(out, &all)
}

fn object<'a>(sources: &'a Sources, finding: &'a Diagnostic) -> Finding<'a> {
    let info = finding.code.info();
    let related = finding.labels.iter().filter(|label| !label.primary);
    Finding {
        code: info.code,
        name: info.name,
        level: finding.level.name(),
        message: &finding.message,
        place: Place::of(sources, finding.span()),
        help: finding.help.as_deref(),
        related: related
            .map(|label| Related {
                message: &label.message,
                place: Place::of(sources, label.span),
            })
            .collect(),
    }
}
