//! From a rule file to a compiled ruleset, by way of everything that is found wrong with it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use redan_lang::ast::File;
use redan_lang::compile::{self, Compiled, Options};
use redan_lang::diag::{Code, Diagnostic};
use redan_lang::json;
use redan_lang::lint;
use redan_lang::list::model::Listing;
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;
use redan_lang::typed::Program;
use redan_runtime::Site;
use redan_vm::Ruleset;
use redan_vm::verify::Place;

use crate::args::RuleArgs;
use crate::output::decision;
use crate::output::findings::{self, Findings};
use crate::output::progress::Progress;
use crate::output::terminal::{Style, Terminal, paint};
use crate::way::Texts;
use crate::{input, local_time};

/// What a rule file came to.
pub(crate) struct Checked {
    /// What is wrong with it.
    pub(crate) findings: Findings,
    /// Its syntax tree, as far as it could be read; without rules where nothing that was wanted needs them.
    pub(crate) file: File,
    /// The ruleset as nft lists it, when it was wanted and nothing stops it.
    pub(crate) listing: Option<Listing>,
    /// The compiled ruleset, when nothing stops it.
    pub(crate) ruleset: Option<Ruleset>,
    /// The same with types and places; without rules where nothing that was wanted needs them.
    pub(crate) program: Program,
}

/// What is wanted of a rule file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Errors alone, and the ruleset.
    Ruleset,
    /// Errors alone, and the whole syntax tree.
    Tree,
    /// The lints' findings too.
    Lints(lint::Options),
    /// Errors alone, and the listing.
    Listing,
    /// A ruleset to run: what cannot run yet is an error too.
    Run,
    /// The same, each match for itself, with what is needed to say which of them failed.
    Trace,
}

/// Reads and compiles a rule file. An error is only that it cannot be read; whatever is wrong with its text is a finding.
pub(crate) fn check(
    path: &Path,
    reading: &RuleArgs,
    interfaces: Vec<String>,
    want: Want,
) -> Result<Checked> {
    let name = input::display_name(path);
    let progress = Progress::on(name.clone());
    let bytes = input::read(path)?;
    let mut sources = Sources::new();
    let (given, mut list) = parse::add_bytes(&mut sources, &name, bytes);
    let converted = json::looks_like_json(&name, sources.whole(given))
        .then(|| json::convert(sources.whole(given)));
    let root = match &converted {
        Some(converted) => {
            list.extend(converted.findings(given));
            let text = if list.iter().any(Diagnostic::is_error) {
                ""
            } else {
                converted.text.as_str()
            };
            sources.add(name, text)
        }
        None => given,
    };
    let loader = FileLoader::beside(path, &reading.include);
    let (mut file, parsed) = parse::parse(&mut sources, root, &loader, &reading.defines);
    list.extend(parsed);
    let options = Options {
        clock: local_time::zone(),
        interfaces,
        keep_rules: matches!(
            want,
            Want::Lints(_) | Want::Listing | Want::Tree | Want::Trace
        ),
        peephole: want != Want::Trace,
    };
    progress.step("compiling");
    let mut compiled = compile::analyze(&mut file, &sources, &options);
    list.append(&mut compiled.diagnostics);
    let sound = !list.iter().any(Diagnostic::is_error);
    if sound && matches!(want, Want::Run | Want::Trace) {
        list.extend(unsupported(&compiled));
    }
    let sound = !list.iter().any(Diagnostic::is_error);
    if let (true, Want::Lints(options)) = (sound, want) {
        progress.step("linting");
        list.extend(lint::lint(&sources, &file, &compiled, &options));
    }
    let listing = (sound && want == Want::Listing).then(|| redan_lang::list::list(&compiled));
    if let Some(converted) = &converted {
        converted.relocate(root, given, &mut list);
        converted.relocate_rules(&sources, root, given, &mut compiled.ruleset);
    }
    list.sort_by_key(|finding| (finding.span().source, finding.span().start));
    Ok(Checked {
        findings: Findings { sources, list },
        file,
        listing,
        ruleset: sound.then_some(compiled.ruleset),
        program: compiled.program,
    })
}

/// Errors at the rules that compile but cannot run yet.
fn unsupported(compiled: &Compiled) -> Vec<Diagnostic> {
    let rules = redan_runtime::unsupported(&compiled.ruleset);
    let place = |id: redan_vm::ids::RuleId| {
        compiled
            .program
            .rules
            .get(id.index())
            .map_or_else(Default::default, |rule| rule.span)
    };
    rules
        .into_iter()
        .map(|(id, what)| {
            Diagnostic::new(
                Code::UnsupportedYet,
                place(id),
                format!("{what} is not supported yet"),
            )
            .note("this rule compiles, but it cannot run")
            .help("remove the rule to run the others; `redan lint` and `redan compile` take it")
        })
        .collect()
}

/// Reads and compiles a ruleset for a site; `None` when it is faulty, which stands on stderr then.
pub(crate) fn load(
    path: &Path,
    reading: &RuleArgs,
    site: &Site,
    terminal: &mut Terminal,
) -> Result<Option<Arc<Ruleset>>> {
    let interfaces = site.ports.iter().map(|port| port.name.clone()).collect();
    load_for(path, reading, interfaces, terminal)
}

/// The same for interfaces by name.
pub(crate) fn load_for(
    path: &Path,
    reading: &RuleArgs,
    interfaces: Vec<String>,
    terminal: &mut Terminal,
) -> Result<Option<Arc<Ruleset>>> {
    let mut checked = check(path, reading, interfaces, Want::Run)?;
    let ruleset = faultless(&mut checked, terminal);
    Ok(ruleset
        .and_then(|ruleset| runnable(ruleset, terminal))
        .map(Arc::new))
}

/// The same to be traced: with the text of its rules. Interfaces that no site names have the numbers that the rules give them.
pub(crate) fn load_traced(
    path: &Path,
    reading: &RuleArgs,
    interfaces: Vec<String>,
    terminal: &mut Terminal,
) -> Result<Option<(Arc<Ruleset>, Texts)>> {
    let mut checked = check(path, reading, interfaces, Want::Trace)?;
    let program = std::mem::take(&mut checked.program);
    let ruleset = faultless(&mut checked, terminal);
    let sources = checked.findings.sources;
    Ok(ruleset
        .and_then(|ruleset| runnable(ruleset, terminal))
        .map(|ruleset| (Arc::new(ruleset), Texts::new(sources, program))))
}

/// The ruleset of a checked file; `None` when it is faulty, which stands on stderr then. Rules that were passed over stand there, too: what
/// the others do may depend on them.
pub(crate) fn faultless(checked: &mut Checked, terminal: &mut Terminal) -> Option<Ruleset> {
    let findings = &mut checked.findings;
    if checked.ruleset.is_some() {
        findings
            .list
            .retain(|finding| finding.code == Code::ForeignRule);
    }
    if !findings.list.is_empty() {
        terminal.raw_note(&findings::text(terminal.err_color, findings));
    }
    checked.ruleset.take()
}

/// The ruleset, if it may run: both engines assume what the verifier accepts. nft, too, compiles some rulesets that the kernel then
/// refuses, such as chains that jump in a circle.
pub(crate) fn runnable(ruleset: Ruleset, terminal: &mut Terminal) -> Option<Ruleset> {
    let errors = redan_vm::verify::verify(&ruleset);
    for error in &errors {
        let place = match error.place {
            Place::Instr(rule, _) => decision::rule(&ruleset, rule),
            Place::Chain(chain) => decision::chain(&ruleset, chain)
                .map_or_else(String::new, |names| format!("chain {}", names.join(" "))),
            Place::Set(set) => ruleset
                .sets
                .get(set.index())
                .map_or_else(String::new, |set| format!("set {}", set.name)),
            Place::State(_) => "a stateful expression".to_owned(),
        };
        let word = paint(terminal.err_color, Style::Bad, "error");
        terminal.note(&format!(
            "{word}: this ruleset cannot run: {}: {place}",
            error.kind
        ));
    }
    errors.is_empty().then_some(ruleset)
}

/// Everything that can be found in a rule file: errors, and lints where there are none.
pub(crate) fn lint(path: &Path, reading: &RuleArgs, options: lint::Options) -> Result<Findings> {
    Ok(check(path, reading, Vec::new(), Want::Lints(options))?.findings)
}
