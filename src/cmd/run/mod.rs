//! `redan run`: a ruleset on live traffic, or in a sandbox.

mod sandbox;

use std::sync::Arc;

use anyhow::Result;
use redan_vm::Ruleset;

use crate::args::{RunArgs, SandboxHostArgs};
use crate::exit::Exit;
use crate::output::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(args: &RunArgs, terminal: &mut Terminal) -> Result<Exit> {
    let ruleset = Arc::new(Ruleset::default());
    if args.sandbox {
        return sandbox::run(&ruleset, args.engine, terminal);
    }
    anyhow::bail!("not supported yet")
}

/// Runs one end of the sandbox.
pub(crate) fn sandbox_host(args: &SandboxHostArgs) -> Result<Exit> {
    sandbox::serve_host(args.user_namespace)?;
    Ok(Exit::Fine)
}
