//! `redan translate`: rules of other programs as rules of nft.

use std::io::Write as _;

use anyhow::Result;
use redan_lang::diag::{Diagnostic, Level};
use redan_lang::parse;
use redan_lang::source::{SourceId, Sources};
use redan_lang::translate::iptables::{self, Family, Options, Translation};

use crate::args::{Deny, IptablesArgs, TranslateArgs, TranslateFrom};
use crate::exit::Exit;
use crate::input;
use crate::output::findings::{self, Findings};
use crate::output::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(args: &TranslateArgs, terminal: &mut Terminal) -> Result<Exit> {
    match &args.from {
        TranslateFrom::Iptables(args) => from_iptables(args, terminal),
    }
}

fn from_iptables(args: &IptablesArgs, terminal: &mut Terminal) -> Result<Exit> {
    let mut sources = Sources::new();
    let mut inputs: Vec<SourceId> = Vec::new();
    let mut list: Vec<Diagnostic> = Vec::new();
    for path in &args.files {
        let name = input::display_name(path);
        let (id, unreadable) = parse::add_bytes(&mut sources, &name, input::read(path)?);
        inputs.push(id);
        list.extend(unreadable);
    }
    let options = Options {
        family: args.ipv6.then_some(Family::V6),
        no_counters: args.no_counters,
    };
    let Translation {
        text,
        findings,
        rules,
    } = iptables::translate(&sources, &inputs, options);
    list.extend(findings);
    let findings = Findings { sources, list };
    terminal.raw_note(&findings::text(terminal.err_color, &findings));
    let faulty = findings.has_errors();
    if let Some(text) = text.filter(|_| !faulty) {
        terminal.write_all(text.as_bytes())?;
        terminal.note(&format!(
            "redan: {rules} rules read, {} warnings",
            findings.count(Level::Warning)
        ));
    }
    let denied = args.deny == Some(Deny::Warnings) && findings.count(Level::Warning) > 0;
    Ok(Exit::findings_if(faulty || denied))
}
