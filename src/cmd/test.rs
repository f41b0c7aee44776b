//! `redan test`: whether rulesets let through what their `.test` files say.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use redan_runtime::{Datapath, Settings, Silent};

use crate::args::{OnOff, TestArgs};
use crate::exit::{self, Exit};
use crate::output::terminal::{Style, Terminal};
use crate::{engine, input, ruleset, scenario, site};

/// Runs the command.
pub(crate) fn run(args: &TestArgs, terminal: &mut Terminal) -> Result<Exit> {
    exit::each(&args.files, terminal, |file, terminal| {
        Ok(Exit::findings_if(!one(args, file, terminal)?))
    })
}

fn one(args: &TestArgs, file: &Path, terminal: &mut Terminal) -> Result<bool> {
    let name = file.display().to_string();
    let bytes = input::read(file)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        bail!("{name}: not UTF-8; save the file as UTF-8");
    };
    let lines = match scenario::read(text) {
        Ok(lines) => lines,
        Err(faults) => {
            let faults: Vec<String> = faults
                .iter()
                .map(|fault| format!("{name}:{fault}"))
                .collect();
            bail!("{}", faults.join("\n"));
        }
    };
    let site = site::read(&file.with_extension("toml"))?;
    let rules = file.with_extension("rules");
    let Some(ruleset) = ruleset::load(&rules, &args.reading, &site, terminal)? else {
        return Ok(false);
    };
    let engine = engine::make(&ruleset, args.engine, OnOff::On, terminal);
    let settings = Settings {
        site,
        ..Settings::default()
    };
    let mut datapath = Datapath::new(ruleset, engine, Box::new(Silent), settings)?;
    let failures = scenario::run::run(&mut datapath, &lines);
    for failure in &failures {
        writeln!(
            terminal,
            "{name}:{}: {} {}",
            failure.line,
            terminal.paint(Style::Bad, "FAILED"),
            failure.message
        )?;
    }
    let sent = lines
        .iter()
        .filter(|line| matches!(line.step, scenario::Step::Send { .. }))
        .count();
    let verdict = if failures.is_empty() {
        terminal.paint(Style::Good, "ok")
    } else {
        terminal.paint(Style::Bad, "FAILED")
    };
    writeln!(
        terminal,
        "{name}: {verdict}, {} of {sent} as expected",
        sent - failures.len()
    )?;
    Ok(failures.is_empty())
}
