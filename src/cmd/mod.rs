//! One file a subcommand. A command returns how it ends, or an error when it could not do its work.

mod compile;
mod fmt;
mod lint;
mod list;
mod replay;
#[cfg(target_os = "linux")]
mod run;
mod site;
mod test;
mod translate;
mod why;

use anyhow::Result;

use crate::args::Command;
use crate::exit::Exit;
use crate::output::terminal::Terminal;

/// Runs a subcommand.
pub(crate) fn dispatch(command: Command, terminal: &mut Terminal) -> Result<Exit> {
    match command {
        #[cfg(target_os = "linux")]
        Command::Run(args) => run::run(&args, terminal),
        #[cfg(target_os = "linux")]
        Command::SandboxHost(args) => run::sandbox_host(&args),
        #[cfg(not(target_os = "linux"))]
        Command::Run(_) | Command::SandboxHost(_) => {
            anyhow::bail!("`run` needs Linux; every other command works here")
        }
        Command::Replay(args) => replay::run(&args, terminal),
        Command::Why(args) => why::run(&args, terminal),
        Command::Site(args) => site::run(&args, terminal),
        Command::Test(args) => test::run(&args, terminal),
        Command::Lint(args) => lint::run(&args, terminal),
        Command::List(args) => list::run(&args, terminal),
        Command::Fmt(args) => fmt::run(&args, terminal),
        Command::Translate(args) => translate::run(&args, terminal),
        Command::Compile(args) => compile::run(&args, terminal),
    }
}
