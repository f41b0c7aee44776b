//! The test command: nextest where it is installed, else `cargo test`; documentation tests in both cases.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{needs, say};

/// Runs every test; whether all passed.
pub(crate) fn run(filters: &[String]) -> Result<bool> {
    needs::provide();
    let nextest = cargo()
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|version| version.status.success());
    let mut passed = if nextest {
        runs(
            &["nextest", "run", "--workspace", "--no-fail-fast"],
            filters,
        )?
    } else {
        let tests = ["test", "--workspace", "--all-targets", "--no-fail-fast"];
        runs(&tests, filters)?
    };
    // nextest does not run documentation tests, and `--all-targets` leaves them out.
    if filters.is_empty() {
        passed &= runs(&["test", "--workspace", "--doc", "--quiet"], filters)?;
    }
    if !passed {
        say("some tests failed");
    }
    Ok(passed)
}

fn runs(arguments: &[&str], filters: &[String]) -> Result<bool> {
    let status = cargo()
        .args(arguments)
        .args(filters)
        .status()
        .with_context(|| format!("cannot run cargo {}", arguments.join(" ")))?;
    Ok(status.success())
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
