//! `redan lint`: errors and likely mistakes.

use std::io::Write as _;

use anyhow::{Result, bail};
use redan_lang::diag::{Code, Level, did_you_mean};
use redan_lang::lint::Options;

use crate::args::{Deny, LintArgs, LintFormat};
use crate::exit::{self, Exit};
use crate::output::findings::{self, Findings};
use crate::output::terminal::{Style, Terminal};
use crate::ruleset;

/// Runs the command.
pub(crate) fn run(args: &LintArgs, terminal: &mut Terminal) -> Result<Exit> {
    if let Some(code) = &args.explain {
        return explain(code, terminal);
    }
    let options = Options {
        target: args.target,
    };
    let mut files = Vec::new();
    let read = exit::each(&args.files, terminal, |path, _| {
        files.push(ruleset::lint(path, &args.reading, options)?);
        Ok(Exit::Fine)
    })?;
    match args.format {
        LintFormat::Text => {
            for file in &files {
                let color = terminal.out_color;
                findings::print_text(terminal, color, file)?;
            }
            terminal.note(&summary(&files));
        }
        LintFormat::Json => findings::print_json(terminal, &files)?,
        LintFormat::Sarif => findings::print_sarif(terminal, &files)?,
        LintFormat::Github => findings::print_github(terminal, &files)?,
    }
    let denied = args.deny == Some(Deny::Warnings) && count(&files, Level::Warning) > 0;
    Ok(Exit::findings_if(denied || count(&files, Level::Error) > 0).max(read))
}

fn count(files: &[Findings], level: Level) -> usize {
    files.iter().map(|file| file.count(level)).sum()
}

/// How much was found, in one line.
fn summary(files: &[Findings]) -> String {
    let plural = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    format!(
        "redan: {}: {}, {}, {}",
        plural(files.len(), "file"),
        plural(count(files, Level::Error), "error"),
        plural(count(files, Level::Warning), "warning"),
        plural(count(files, Level::Info), "remark"),
    )
}

fn explain(code: &str, terminal: &mut Terminal) -> Result<Exit> {
    let Some(code) = Code::find(code) else {
        let names = Code::ALL
            .iter()
            .flat_map(|code| [code.info().code, code.info().name]);
        let hint = did_you_mean(code, names)
            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
        bail!("no code or name `{code}`{hint}");
    };
    let info = code.info();
    let title = terminal.paint(
        Style::Strong,
        &format!("{} {} ({})", info.code, info.name, info.level.name()),
    );
    writeln!(terminal, "{title}\n\n{}", info.explanation)?;
    Ok(Exit::Fine)
}
