//! The command `redan`: reads arguments and files, hands them to the crates, prints what they found.
//!
//! What the crates may not do is done here: the environment, files, exit codes, text for people. One file a subcommand in [`cmd`].

mod args;
mod capture;
mod cmd;
mod craft;
mod engine;
mod exit;
mod generate;
mod input;
mod local_time;
mod meet;
mod output;
mod ruleset;
mod scenario;
mod site;
mod way;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::output::terminal::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut terminal = Terminal::new(args.color);
    let done = catch_unwind(AssertUnwindSafe(|| {
        let done = cmd::dispatch(args.command, &mut terminal);
        terminal.flush().map_err(Into::into).and(done)
    }));
    match done {
        Ok(done) => exit::code(done, &mut terminal),
        Err(_) => exit::INTERNAL.into(),
    }
}
