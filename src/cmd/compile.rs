//! `redan compile`: what a ruleset compiles to.

use std::io::Write as _;

use anyhow::{Result, bail};
use redan_lang::ast::dump;
use redan_vm::Ruleset;
use redan_vm::ids::RuleId;
use redan_vm::text;

use crate::args::{CompileArgs, Emit};
use crate::exit::Exit;
use crate::output::terminal::Terminal;
use crate::ruleset::{self, Want};

/// Runs the command.
pub(crate) fn run(args: &CompileArgs, terminal: &mut Terminal) -> Result<Exit> {
    match args.emit {
        Emit::Plan => {
            bail!("--emit plan is not supported yet: rules run in order, without an index")
        }
        Emit::Json => return json(args, terminal),
        Emit::Bytecode | Emit::Ast | Emit::Clif | Emit::Asm => {}
    }
    let want = if args.emit == Emit::Ast {
        Want::Tree
    } else {
        Want::Ruleset
    };
    let mut checked = ruleset::check(&args.file, &args.reading, Vec::new(), want)?;
    if args.emit == Emit::Ast && checked.ruleset.is_some() {
        let tree = dump::dump(&checked.file, &checked.findings.sources);
        serde_json::to_writer_pretty(&mut *terminal, &tree).map_err(std::io::Error::from)?;
        writeln!(terminal)?;
        return Ok(Exit::Fine);
    }
    let Some(ruleset) = ruleset::faultless(&mut checked, terminal) else {
        return Ok(Exit::Findings);
    };
    if args.emit == Emit::Bytecode {
        return bytecode(&ruleset, terminal);
    }
    let Some(ruleset) = ruleset::runnable(ruleset, terminal) else {
        return Ok(Exit::Findings);
    };
    let code = if args.emit == Emit::Asm {
        redan_jit::emit_asm(&ruleset)?
    } else {
        redan_jit::emit_clif(&ruleset)?
    };
    terminal.write_all(code.as_bytes())?;
    Ok(Exit::Fine)
}

/// The bytecode, rule by rule: that of a big ruleset takes more room as text than the ruleset itself.
fn bytecode(ruleset: &Ruleset, terminal: &mut Terminal) -> Result<Exit> {
    let mut rule = String::new();
    for id in 0..u32::try_from(ruleset.rules.len())? {
        rule.clear();
        text::print_rule(ruleset, RuleId(id), &mut rule)?;
        terminal.write_all(rule.as_bytes())?;
    }
    Ok(Exit::Fine)
}

/// The ruleset in libnftables' JSON.
fn json(args: &CompileArgs, terminal: &mut Terminal) -> Result<Exit> {
    let Some(listing) = super::list::listing(&args.file, &args.reading, terminal)? else {
        return Ok(Exit::Findings);
    };
    writeln!(terminal, "{}", redan_lang::json::emit(&listing))?;
    Ok(Exit::Fine)
}
