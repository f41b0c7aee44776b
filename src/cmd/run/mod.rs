//! `redan run`: a ruleset on live traffic, or in a sandbox.

mod live;
mod privileges;
mod sandbox;

use anyhow::{Result, bail};

use crate::args::{RunArgs, SandboxHostArgs};
use crate::exit::Exit;
use crate::output::terminal::Terminal;
use crate::{ruleset, site};

/// Runs the command.
pub(crate) fn run(args: &RunArgs, terminal: &mut Terminal) -> Result<Exit> {
    if args.sandbox {
        let site = args.site.as_deref().map(site::read).transpose()?;
        let known = site.clone().unwrap_or_default();
        let Some(ruleset) = ruleset::load(&args.rules, &args.reading, &known, terminal)? else {
            return Ok(Exit::Findings);
        };
        return sandbox::run(&ruleset, site, args.engine, terminal);
    }
    match &args.site {
        Some(site) => live::run(args, site, terminal),
        None => bail!("name the ports with --site FILE, or try the rules with --sandbox"),
    }
}

/// Runs one end of the sandbox.
pub(crate) fn sandbox_host(args: &SandboxHostArgs) -> Result<Exit> {
    sandbox::serve_host(args.user_namespace)?;
    Ok(Exit::Fine)
}
