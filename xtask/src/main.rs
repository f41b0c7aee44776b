//! Repository tasks. `cargo xtask test` is the test command; nothing else needs to be done before it. `cargo xtask docs` writes the
//! book's generated pages, `cargo xtask measure` compares costs on big inputs.

mod docs;
mod measure;
mod needs;
mod tests;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask test [FILTER...]
       cargo xtask docs
       cargo xtask measure

  test   install what kernel tests need where that is possible, then run every test;
         words after it go to the test runner as filters
  docs   write the generated pages of the book anew
  measure
         compare what big inputs cost redan and nft
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some("test") => tests::run(&arguments.collect::<Vec<_>>()),
        Some("docs") => docs::write(),
        Some("measure") => measure::run(),
        Some("help" | "--help" | "-h") => print_usage(),
        Some(other) => fail(other),
        None => fail(""),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn print_usage() -> Result<bool> {
    std::io::stdout().write_all(USAGE.as_bytes())?;
    Ok(true)
}

fn fail(word: &str) -> Result<bool> {
    bail!("no task `{word}`\n{USAGE}")
}

/// A line of progress on stderr, where a closed pipe does not matter.
fn say(line: &str) {
    _ = writeln!(std::io::stderr(), "xtask: {line}");
}
