//! JSON as input: what is wrong has a place in it, and what compiles means the same once it has been written as JSON and read again.

use redan_lang::compile::{Compiled, Options, analyze};
use redan_lang::diag::Diagnostic;
use redan_lang::json::{self, Converted};
use redan_lang::list::{list, print};
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::{SourceId, Sources};
use redan_vm::Ruleset;
use redan_vm::text::print_rule;
use redan_vm::verify::{VerifyErrorKind, verify};

/// Reads the input as JSON, compiles it, writes it and reads that.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Some(first) = read(text) else { return };
    for error in verify(&first.ruleset) {
        // Jumps in a circle are the lint's to find, as nft leaves them to the kernel.
        assert_eq!(error.kind, VerifyErrorKind::TooDeep, "{error}");
    }
    // What nft leaves out of a listing is gone from then on: matches that later fields imply, the order of elements, counts. So what
    // stands still is what was written once.
    let written = json::emit(&list(&first)).to_string();
    let second = again(&written);
    let listing = list(&second);
    let rewritten = json::emit(&listing).to_string();
    let third = again(&rewritten);
    assert_eq!(print(&list(&third)), print(&listing), "{rewritten}");
    assert_eq!(bytecode(&third), bytecode(&second), "{rewritten}");
}

/// Reads what was written.
fn again(written: &str) -> Compiled {
    read(written).unwrap_or_else(|| panic!("what was written is faulty:\n{written}"))
}

/// Compiles JSON; nothing where something is wrong with it.
fn read(text: &str) -> Option<Compiled> {
    let mut sources = Sources::new();
    let given = sources.add("in.json", text);
    let converted = json::convert(text);
    let faults = converted.findings(given);
    places(&sources, &faults);
    let root = sources.add("in.json", converted.text.as_str());
    let (mut file, findings) = parse(&mut sources, root, &NoLoader, &[]);
    let mut compiled = analyze(&mut file, &sources, &Options::default());
    let errors = [&faults, &findings, &compiled.diagnostics]
        .into_iter()
        .flatten()
        .any(Diagnostic::is_error);
    for findings in [findings, compiled.diagnostics.clone()] {
        moved(&sources, &converted, (root, given), findings);
    }
    converted.relocate_rules(&sources, root, given, &mut compiled.ruleset);
    (!errors).then_some(compiled)
}

/// Findings in the rules that JSON was turned into have their places in the JSON.
fn moved(
    sources: &Sources,
    converted: &Converted,
    (text, json): (SourceId, SourceId),
    mut findings: Vec<Diagnostic>,
) {
    converted.relocate(text, json, &mut findings);
    places(sources, &findings);
    for label in findings.iter().flat_map(|finding| &finding.labels) {
        assert_eq!(label.span.source, json, "{label:?} is not in the JSON");
    }
}

fn places(sources: &Sources, findings: &[Diagnostic]) {
    for label in findings.iter().flat_map(|finding| &finding.labels) {
        let span = label.span;
        let text = sources.whole(span.source);
        let found = text.get(span.start as usize..span.end as usize);
        assert!(
            found.is_some(),
            "{span:?} does not fit a text of {} bytes",
            text.len()
        );
    }
}

/// The rules that are there in the end, chain by chain.
fn bytecode(compiled: &Compiled) -> String {
    let ruleset: &Ruleset = &compiled.ruleset;
    let mut out = String::new();
    let live = compiled.program.notes.live.values();
    let chains = live.flat_map(|table| &table.chains);
    let chains = chains.filter_map(|id| ruleset.chains.get(id.index()));
    for rule in chains.flat_map(|chain| &chain.rules) {
        assert_eq!(print_rule(ruleset, *rule, &mut out), Ok(()));
    }
    out
}
