//! Rules of other programs and what they become: pairs of files. `UPDATE_EXPECT=1` writes the second of each anew.
//!
//! Beside the text, each translation must compile, have no finding of the lints that is an error but those that its input deserves, and stay as it is when it
//! is formatted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use redan_lang::compile::{self, Options};
use redan_lang::diag::Diagnostic;
use redan_lang::fmt::fmt;
use redan_lang::parse::{self, NoLoader};
use redan_lang::source::Sources;
use redan_lang::translate::iptables;

/// The files of a folder that have one of these endings, sorted.
fn inputs(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/translate")
        .join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|end| endings.iter().any(|known| end == *known))
    });
    files.sort();
    assert!(files.len() > 5, "{} files only", files.len());
    files
}

/// Compares a text with that of a file, or writes the file where `UPDATE_EXPECT` is set.
fn check(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, text).expect("the file can be written");
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, wanted, "{}", path.display());
}

/// Findings, a line each.
fn list(findings: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for finding in findings {
        let at = sources.position(finding.span().source, finding.span().start);
        let (code, level) = (finding.code.info().code, finding.level.name());
        _ = writeln!(
            out,
            "{}:{} {level} {code} {}",
            at.line, at.column, finding.message
        );
    }
    out
}

/// Whether the rules compile, and formatting leaves them as they are.
fn is_sound(name: &str, rules: &str) {
    let mut sources = Sources::new();
    let root = sources.add(name, rules);
    let (file, mut findings) = parse::parse(&mut sources, root, &NoLoader, &[]);
    let (_, more) = compile::compile(file, &sources, &Options::default());
    findings.extend(more);
    findings.retain(Diagnostic::is_error);
    assert!(
        findings.is_empty(),
        "{name}:\n{rules}\n{}",
        list(&findings, &sources)
    );
    let (formatted, _) = fmt(&mut Sources::new(), name, rules);
    assert_eq!(formatted, rules, "{name}: not in the form of `redan fmt`");
}

#[test]
fn iptables_becomes_nft() {
    for path in inputs("iptables", &["save", "sh"]) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let bytes = std::fs::read(&path).expect("the input can be read");
        let mut sources = Sources::new();
        let id = sources.add(name.clone(), String::from_utf8_lossy(&bytes));
        let done = iptables::translate(&sources, &[id], iptables::Options::default());
        let text = done.text.unwrap_or_default();
        if !text.is_empty() {
            is_sound(&name, &text);
        }
        check(&path.with_extension("rules"), &text);
        check(
            &path.with_extension("findings"),
            &list(&done.findings, &sources),
        );
    }
}
