//! The test command: nextest where it is installed, else `cargo test`; documentation tests in both cases.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{needs, say};

/// Runs every test; whether all passed.
pub(crate) fn run(filters: &[String]) -> Result<bool> {
    needs::provide();
    let skips = Skips::new()?;
    let nextest = cargo()
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|version| version.status.success());
    let mut passed = if nextest {
        runs(
            &["nextest", "run", "--workspace", "--no-fail-fast"],
            filters,
            &skips,
        )?
    } else {
        let tests = ["test", "--workspace", "--all-targets", "--no-fail-fast"];
        runs(&tests, filters, &skips)?
    };
    // nextest does not run documentation tests, and `--all-targets` leaves them out.
    if filters.is_empty() {
        passed &= runs(
            &["test", "--workspace", "--doc", "--quiet"],
            filters,
            &skips,
        )?;
    }
    if !passed {
        say("some tests failed");
    }
    say(&skips.total()?);
    Ok(passed)
}

/// What tests have skipped: the output of a test that passes is not shown, so each writes a line into a file.
struct Skips(std::path::PathBuf);

impl Skips {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("redan-skipped-{}", std::process::id()));
        std::fs::write(&path, "").with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }

    fn total(&self) -> Result<String> {
        let lines = std::fs::read_to_string(&self.0)?;
        let mut reasons: Vec<&str> = lines.lines().collect();
        let total = reasons.len();
        reasons.sort_unstable();
        reasons.dedup();
        Ok(match reasons.as_slice() {
            [] => "no test was skipped".to_owned(),
            reasons => format!("{total} tests were skipped: {}", reasons.join("; ")),
        })
    }
}

impl Drop for Skips {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

fn runs(arguments: &[&str], filters: &[String], skips: &Skips) -> Result<bool> {
    let status = cargo()
        .args(arguments)
        .args(filters)
        .env("REDAN_SKIPPED", &skips.0)
        .status()
        .with_context(|| format!("cannot run cargo {}", arguments.join(" ")))?;
    Ok(status.success())
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
