//! Compiles and checks single files with nothing but the language crate: `compile --emit bytecode FILE`, `lint FILES`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's output"
)]

use redan_lang::compile::{Options, analyze, compile};
use redan_lang::datatype::Clock;
use redan_lang::diag::{Diagnostic, render};
use redan_lang::lint;
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((path, before)) = arguments.split_last() else {
        return ExitCode::from(2);
    };
    if let Some((word, files)) = arguments.split_first()
        && word == "lint"
    {
        return lint_files(files);
    }
    let Ok(bytes) = std::fs::read(path) else {
        return ExitCode::from(2);
    };
    let mut sources = Sources::new();
    let (root, mut findings) = parse::add_bytes(&mut sources, path, bytes);
    let (file, more) = parse::parse(&mut sources, root, &FileLoader::default(), &[]);
    findings.extend(more);
    let options = Options {
        clock: Clock::fixed(utc_offset()),
        ..Options::default()
    };
    let (ruleset, more) = compile(file, &sources, &options);
    findings.extend(more);
    let failed = findings.iter().any(Diagnostic::is_error);
    eprint!("{}", render::render(&findings, &sources, false));
    if failed {
        return ExitCode::from(1);
    }
    if let Some(ruleset) = &ruleset {
        let wrong = redan_vm::verify::verify(ruleset);
        for error in &wrong {
            eprintln!("the compiler made bytecode that does not verify: {error:?}");
        }
        if !wrong.is_empty() {
            return ExitCode::from(3);
        }
    }
    if before.first().is_some_and(|word| word == "compile")
        && let Some(ruleset) = ruleset
    {
        let mut out = String::new();
        if redan_vm::text::print_ruleset(&ruleset, &mut out).is_err() {
            return ExitCode::from(2);
        }
        print!("{out}");
    }
    ExitCode::SUCCESS
}

/// One line a finding, for many files at once.
fn lint_files(files: &[String]) -> ExitCode {
    for path in files {
        let Ok(bytes) = std::fs::read(path) else {
            return ExitCode::from(2);
        };
        let mut sources = Sources::new();
        let (root, mut findings) = parse::add_bytes(&mut sources, path, bytes);
        let (mut file, more) = parse::parse(&mut sources, root, &FileLoader::default(), &[]);
        findings.extend(more);
        let mut compiled = analyze(&mut file, &sources, &Options::default());
        findings.append(&mut compiled.diagnostics);
        if !findings.iter().any(Diagnostic::is_error) {
            let options = lint::Options {
                target: std::env::var_os("NFT")
                    .and_then(|version| version.to_str().and_then(|text| text.parse().ok())),
            };
            findings.extend(lint::lint(&sources, &file, &compiled, &options));
        }
        for finding in &findings {
            let at = sources.position(finding.span().source, finding.span().start);
            let code = finding.code.info().code;
            println!(
                "{path}:{}:{}: {code} {}",
                at.line, at.column, finding.message
            );
        }
    }
    ExitCode::SUCCESS
}

/// `TZ=UTC-2` means two hours ahead of UTC.
fn utc_offset() -> i32 {
    let zone = std::env::var_os("TZ")
        .and_then(|zone| zone.into_string().ok())
        .unwrap_or_default();
    let hours = zone
        .strip_prefix("UTC")
        .and_then(|hours| hours.parse::<i32>().ok())
        .unwrap_or(0);
    -hours * 3600
}
