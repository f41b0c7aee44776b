//! SARIF 2.1.0, which code scanning services read.

use std::collections::BTreeSet;
use std::io::{self, Write};

use redan_lang::diag::{Code, Diagnostic, Level};
use redan_lang::source::{Sources, Span};
use serde_json::{Value, json};

use super::{Findings, Place, write_json};

/// Prints one log with one run.
pub(crate) fn print(out: &mut impl Write, files: &[Findings]) -> io::Result<()> {
    let used: BTreeSet<Code> = files
        .iter()
        .flat_map(|file| file.list.iter().map(|finding| finding.code))
        .collect();
    let used: Vec<Code> = used.into_iter().collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|file| {
            file.list
                .iter()
                .map(|finding| result(&file.sources, finding, &used))
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "redan",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": used.iter().copied().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    write_json(out, &log)
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    let info = code.info();
    let summary = info.explanation.lines().next().unwrap_or(info.name);
    json!({
        "id": info.code,
        "name": info.name,
        "shortDescription": { "text": summary },
        "fullDescription": { "text": info.explanation },
        "defaultConfiguration": { "level": level(info.level) },
    })
}

fn result(sources: &Sources, finding: &Diagnostic, used: &[Code]) -> Value {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push('\n');
        text.push_str(help);
    }
    let related = finding
        .labels
        .iter()
        .filter(|label| !label.primary)
        .map(|label| {
            let mut place = location(sources, label.span);
            if let Some(place) = place.as_object_mut() {
                place.insert("message".to_owned(), json!({ "text": label.message }));
            }
            place
        });
    json!({
        "ruleId": finding.code.info().code,
        "ruleIndex": used.iter().position(|code| *code == finding.code),
        "level": level(finding.level),
        "message": { "text": text },
        "locations": [location(sources, finding.span())],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn location(sources: &Sources, span: Span) -> Value {
    let place = Place::of(sources, span);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": place.file.replace('%', "%25").replace(' ', "%20") },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    }})
}
