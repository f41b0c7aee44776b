//! What the front end's tests share: a text checked from end to end, and findings as lines.

use std::fmt::Write as _;
use std::path::Path;

use redan_lang::compile::{self, Options};
use redan_lang::diag::{Diagnostic, Label};
use redan_lang::lint;
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;

/// A text that went through the whole front end.
pub(crate) struct Checked {
    /// The text.
    pub(crate) sources: Sources,
    /// Errors, in order of place; what the lints say only where there are none.
    pub(crate) findings: Vec<Diagnostic>,
}

/// Parses, compiles and lints.
pub(crate) fn check(bytes: Vec<u8>, options: lint::Options) -> Checked {
    let mut sources = Sources::new();
    let (root, mut findings) = parse::add_bytes(&mut sources, "test.rules", bytes);
    let (mut file, more) = parse::parse(&mut sources, root, &FileLoader::default(), &[]);
    findings.extend(more);
    let mut compiled = compile::analyze(&mut file, &sources, &Options::default());
    findings.append(&mut compiled.diagnostics);
    if !findings.iter().any(Diagnostic::is_error) {
        findings.extend(lint::lint(&sources, &file, &compiled, &options));
    }
    findings.sort_by_key(|d| (d.span().source, d.span().start, d.code));
    Checked { sources, findings }
}

/// One line a finding, and below it, indented, its note, related places and help.
pub(crate) fn lines(sources: &Sources, findings: &[Diagnostic]) -> String {
    let mut out = String::new();
    for finding in findings {
        let info = finding.code.info();
        _ = writeln!(
            out,
            "{} {} {} {} {}",
            place(sources, finding.span()),
            finding.level.name(),
            info.code,
            info.name,
            finding.message
        );
        for Label {
            span,
            message,
            primary,
        } in &finding.labels
        {
            if *primary && !message.is_empty() {
                _ = writeln!(out, "\tnote: {message}");
            } else if !primary {
                _ = writeln!(out, "\t{} {message}", place(sources, *span));
            }
        }
        if let Some(help) = &finding.help {
            _ = writeln!(out, "\thelp: {help}");
        }
    }
    out
}

fn place(sources: &Sources, span: redan_lang::source::Span) -> String {
    let at = sources.position(span.source, span.start);
    format!("{}:{}", at.line, at.column)
}

/// Compares with a golden file, or with `UPDATE_EXPECT=1` writes it; what differs, if anything does.
pub(crate) fn compare(path: &Path, now: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(path, now).map_err(|error| format!("{}: {error}", path.display()));
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if golden == now {
        return Ok(());
    }
    Err(format!(
        "{} differs (UPDATE_EXPECT=1 rewrites it)\n--- golden\n{golden}--- now\n{now}",
        path.display()
    ))
}

/// Golden cases in one file, divided by `====`: a text, a line `----`, and what `answer` says of the text.
pub(crate) fn compare_cases(name: &str, answer: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name);
    let golden = std::fs::read_to_string(&path).expect("the cases are there");
    let cases: Vec<String> = golden
        .split("====\n")
        .map(|case| case.split("----\n").next().unwrap_or_default())
        .map(|text| format!("{text}----\n{}", answer(text)))
        .collect();
    if let Err(difference) = compare(&path, &cases.join("====\n")) {
        panic!("{difference}");
    }
}
