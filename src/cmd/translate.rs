//! `redan translate`: rules of other programs as rules of nft.

use std::io::Write as _;

use anyhow::Result;
use redan_lang::diag::{Diagnostic, Level};
use redan_lang::parse;
use redan_lang::source::{SourceId, Sources};
use redan_lang::translate::iptables::{self, Family, Options, Translation};
use redan_lang::translate::networkpolicy;

use crate::args::{Deny, IptablesArgs, NetworkPolicyArgs, TranslateArgs, TranslateFrom};
use crate::exit::Exit;
use crate::input;
use crate::output::findings::{self, Findings};
use crate::output::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(args: &TranslateArgs, terminal: &mut Terminal) -> Result<Exit> {
    match &args.from {
        TranslateFrom::Iptables(args) => from_iptables(args, terminal),
        TranslateFrom::NetworkPolicy(args) => from_networkpolicy(args, terminal),
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
    let read = format!("{rules} rules");
    finish(&findings, text, &read, args.deny, terminal)
}

fn from_networkpolicy(args: &NetworkPolicyArgs, terminal: &mut Terminal) -> Result<Exit> {
    let mut sources = Sources::new();
    let mut inputs: Vec<SourceId> = Vec::new();
    let mut found: Vec<SourceId> = Vec::new();
    let mut list: Vec<Diagnostic> = Vec::new();
    for given in &args.files {
        for path in input::with_endings(given, &["yaml", "yml", "json"])? {
            let name = input::display_name(&path);
            let (id, unreadable) = parse::add_bytes(&mut sources, &name, input::read(&path)?);
            inputs.push(id);
            if path != *given {
                found.push(id);
            }
            list.extend(unreadable);
        }
    }
    let (text, model) = if args.connections {
        let model = networkpolicy::read(&sources, &inputs, &found, &mut list);
        (Some(model.connections()), model)
    } else {
        let options = networkpolicy::Options {
            explain: args.explain,
            placeholders: args.placeholders,
        };
        let done = networkpolicy::translate(&sources, &inputs, &found, options);
        list.extend(done.findings);
        (done.text, done.model)
    };
    let findings = Findings { sources, list };
    let read = format!("{} policies", model.policies());
    finish(&findings, text, &read, args.deny, terminal)
}

/// Findings to stderr, and the text to stdout unless there are errors among them.
fn finish(
    findings: &Findings,
    text: Option<String>,
    read: &str,
    deny: Option<Deny>,
    terminal: &mut Terminal,
) -> Result<Exit> {
    terminal.raw_note(&findings::text(terminal.err_color, findings));
    let faulty = findings.has_errors();
    if let Some(text) = text.filter(|_| !faulty) {
        terminal.write_all(text.as_bytes())?;
        terminal.note(&format!(
            "redan: {read} read, {} warnings",
            findings.count(Level::Warning)
        ));
    }
    let denied = deny == Some(Deny::Warnings) && findings.count(Level::Warning) > 0;
    Ok(Exit::findings_if(faulty || denied))
}
