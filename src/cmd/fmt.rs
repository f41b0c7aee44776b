//! `redan fmt`: rulesets in the one form that everybody can read.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use redan_lang::parse;
use redan_lang::source::Sources;

use crate::args::FmtArgs;
use crate::exit::Exit;
use crate::output::findings::{self, Findings};
use crate::output::terminal::Terminal;
use crate::output::{diff, file};
use crate::{input, ruleset};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Same,
    Different,
    Faulty,
}

/// Runs the command.
pub(crate) fn run(args: &FmtArgs, terminal: &mut Terminal) -> Result<Exit> {
    let mut findings = false;
    for path in &args.files {
        let done = one(args, path, terminal)?;
        let only_looks = args.check || args.diff;
        findings |= match done {
            Done::Same => false,
            Done::Different => only_looks,
            Done::Faulty => true,
        };
    }
    Ok(Exit::findings_if(findings))
}

fn one(args: &FmtArgs, path: &Path, terminal: &mut Terminal) -> Result<Done> {
    let name = input::display_name(path);
    let bytes = input::read(path)?;
    let mut sources = Sources::new();
    let (root, mut list) = parse::add_bytes(&mut sources, &name, bytes.clone());
    let formatted = ruleset::format(&mut sources, root, &mut list);
    let Some(formatted) = formatted else {
        let findings = Findings { sources, list };
        let mut text = Vec::new();
        findings::print_text(&mut text, terminal.err_color, &findings)?;
        terminal.raw_note(&String::from_utf8_lossy(&text));
        return Ok(Done::Faulty);
    };
    let old = sources.whole(root);
    let same = formatted.as_bytes() == bytes;
    if args.diff {
        let color = terminal.out_color;
        diff::print(terminal, color, &name, old, &formatted)?;
    } else if args.check {
        if !same {
            writeln!(terminal, "{name}")?;
        }
    } else if input::is_stdin(path) {
        terminal.write_all(formatted.as_bytes())?;
    } else if !same {
        file::write(path, formatted.as_bytes())?;
    }
    Ok(if same { Done::Same } else { Done::Different })
}
