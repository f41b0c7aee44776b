//! Every file in `golden/lints`: what the lints say of `NAME.rules` stands in `NAME.lint`. A file whose name ends in `_not` has no finding of its lint.
//! `NAME@VERSION.rules` is linted for that version of nft or Linux.

use std::path::{Path, PathBuf};

use redan_lang::lint;

use crate::support;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lints");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "rules"))
        .collect();
    files.sort();
    files
}

fn check(path: &Path) -> Result<(), String> {
    let stem = path
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or_default();
    let (name, target) = stem
        .split_once('@')
        .map_or((stem, None), |(name, version)| (name, Some(version)));
    let options = lint::Options {
        target: target.map(|text| text.parse().expect("a version")),
    };
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let checked = support::check(bytes, options);
    if let Some(lint) = name.strip_suffix("_not") {
        let lint = lint.replace('_', "-");
        if let Some(wrong) = checked.findings.iter().find(|f| {
            f.code.info().name == lint || f.is_error() && f.code.info().code.starts_with('E')
        }) {
            return Err(format!("{}: {}", path.display(), wrong.message));
        }
    }
    support::compare(
        &path.with_extension("lint"),
        &support::lines(&checked.sources, &checked.findings),
    )
}

#[test]
fn findings_are_as_written() {
    let wrong: Vec<String> = fixtures()
        .iter()
        .filter_map(|path| check(path).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every lint has a case for it and a case against it.
#[test]
fn every_lint_has_cases() {
    let names: Vec<String> = fixtures()
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    let missing: Vec<String> = lint::names()
        .flat_map(|name| [name.replace('-', "_"), name.replace('-', "_") + "_not"])
        .filter(|stem| {
            !names
                .iter()
                .any(|name| name.split('@').next() == Some(stem.as_str()))
        })
        .collect();
    assert!(missing.is_empty(), "no fixture {missing:?}");
}
