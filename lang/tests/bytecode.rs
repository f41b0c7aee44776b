//! What rules compile to: `bytecode/*.rules` with their `.bytecode` beside them, and the same asked of `nft` where it is installed.
//!
//! After a wanted change, `cargo run -p redan-lang --example compile -- compile FILE` writes the new form.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use redan_lang::compile::{Options, compile};
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rules that Debian's nft does not know, or compiles wrong.
const NEWER: &str = "newer.rules";

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bytecode");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rules")
        })
        .collect();
    files.sort();
    files
}

fn bytecode(path: &Path) -> String {
    let mut sources = Sources::new();
    let root = sources.add(
        path.to_string_lossy(),
        std::fs::read_to_string(path).unwrap(),
    );
    let (file, mut findings) = parse(&mut sources, root, &NoLoader, &[]);
    let (ruleset, more) = compile(file, &sources, &Options::default());
    findings.extend(more);
    findings.retain(redan_lang::diag::Diagnostic::is_error);
    assert!(findings.is_empty(), "{}: {findings:?}", path.display());
    let ruleset = ruleset.unwrap();
    assert_eq!(redan_vm::verify::verify(&ruleset), []);
    let mut text = String::new();
    redan_vm::text::print_ruleset(&ruleset, &mut text).unwrap();
    text
}

/// Instructions alone, with blanks evened out.
fn instructions(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| line.starts_with('['))
        .collect()
}

#[test]
fn rules_compile_to_their_bytecode() {
    for path in files() {
        let want = std::fs::read_to_string(path.with_extension("bytecode")).unwrap();
        assert_eq!(bytecode(&path), want, "{}", path.display());
    }
}

#[test]
fn nft_compiles_the_same() {
    for path in files().iter().filter(|path| !path.ends_with(NEWER)) {
        let asked = Command::new("unshare")
            .args(["-rn", "nft", "--debug=netlink", "-c", "-f"])
            .arg(path)
            .env("TZ", "UTC")
            .output();
        let nft = match asked {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(_) => String::new(),
        };
        if instructions(&nft).is_empty() {
            eprintln!("skipped: nft cannot be asked here");
            if let Some(list) = std::env::var_os("REDAN_SKIPPED")
                && let Ok(mut list) = std::fs::OpenOptions::new().append(true).open(list)
            {
                _ = writeln!(list, "nft cannot be asked here");
            }
            return;
        }
        assert_eq!(
            instructions(&bytecode(path)),
            instructions(&nft),
            "{}",
            path.display()
        );
    }
}
