//! `redan fmt`: rulesets in the one form that everybody can read.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use redan_lang::source::Sources;
use redan_lang::{json, parse};

use crate::args::FmtArgs;
use crate::exit::{self, Exit};
use crate::input;
use crate::output::findings::{self, Findings};
use crate::output::terminal::Terminal;
use crate::output::{diff, file};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Same,
    Different,
    Faulty,
}

/// Runs the command.
pub(crate) fn run(args: &FmtArgs, terminal: &mut Terminal) -> Result<Exit> {
    let only_looks = args.check || args.diff;
    exit::each(&args.files, terminal, |path, terminal| {
        let findings = match one(args, path, terminal)? {
            Done::Same => false,
            Done::Different => only_looks,
            Done::Faulty => true,
        };
        Ok(Exit::findings_if(findings))
    })
}

fn one(args: &FmtArgs, path: &Path, terminal: &mut Terminal) -> Result<Done> {
    let name = input::display_name(path);
    let old = match String::from_utf8(input::read(path)?) {
        Ok(text) => text,
        Err(error) => return Ok(not_text(&name, error.into_bytes(), terminal)),
    };
    if json::looks_like_json(&name, &old) {
        bail!("{name} is JSON, and only rules are formatted; `redan list` prints it as rules");
    }
    let mut sources = Sources::new();
    let (new, list) = redan_lang::fmt::fmt(&mut sources, &name, &old);
    let findings = Findings { sources, list };
    if findings.has_errors() {
        terminal.raw_note(&findings::text(terminal.err_color, &findings));
        return Ok(Done::Faulty);
    }
    if args.diff {
        let color = terminal.out_color;
        diff::print(terminal, color, &name, &old, &new)?;
    } else if args.check {
        if new != old {
            writeln!(terminal, "{name}")?;
        }
    } else if input::is_stdin(path) {
        terminal.write_all(new.as_bytes())?;
    } else if new != old {
        file::write(path, new.as_bytes())?;
    }
    Ok(if new == old {
        Done::Same
    } else {
        Done::Different
    })
}

/// Says where a file is not UTF-8.
fn not_text(name: &str, bytes: Vec<u8>, terminal: &mut Terminal) -> Done {
    let mut sources = Sources::new();
    let (_, list) = parse::add_bytes(&mut sources, name, bytes);
    terminal.raw_note(&findings::text(
        terminal.err_color,
        &Findings { sources, list },
    ));
    Done::Faulty
}
