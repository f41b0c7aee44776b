//! One file a subcommand. A command returns how it ends, or an error when it could not do its work.

use anyhow::{Result, bail};

use crate::args::Command;
use crate::exit::Exit;
use crate::output::terminal::Terminal;

/// Runs a subcommand.
pub(crate) fn dispatch(command: Command, _terminal: &mut Terminal) -> Result<Exit> {
    match command {
        Command::Lint(_)
        | Command::Fmt(_)
        | Command::Compile(_)
        | Command::Replay(_)
        | Command::Test(_)
        | Command::Run(_)
        | Command::SandboxHost(_) => bail!("not supported yet"),
    }
}
