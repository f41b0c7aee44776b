//! Compiles the book's examples.

use redan_lang::compile::{self, Options};
use redan_lang::diag::Diagnostic;
use redan_lang::diag::render::render;
use redan_lang::parse::{self, NoLoader};
use redan_lang::source::Sources;
use redan_vm::text::print_ruleset;

/// The bytecode of a rule file.
///
/// # Errors
/// What is wrong with it, drawn.
pub(crate) fn compile(rules: &str) -> Result<String, String> {
    let mut sources = Sources::new();
    let root = sources.add("example", rules);
    let (file, mut findings) = parse::parse(&mut sources, root, &NoLoader, &[]);
    let (ruleset, more) = compile::compile(file, &sources, &Options::default());
    findings.extend(more);
    match ruleset.filter(|_| !findings.iter().any(Diagnostic::is_error)) {
        Some(ruleset) => {
            let mut out = String::new();
            print_ruleset(&ruleset, &mut out).expect("strings take everything");
            Ok(out)
        }
        None => Err(render(&findings, &sources, false)),
    }
}

/// The instructions of one rule, and before them the sets that it uses, without the line that names its chain.
///
/// # Panics
/// When the rule has an error.
pub(crate) fn rule(family: &str, before: &str, chain: &str, rule: &str) -> String {
    let text = format!("table {family} t {{\n{before}\nchain c {{\n{chain}\n{rule}\n}}\n}}\n");
    let head = format!("{family} t c");
    match compile(&text) {
        Ok(code) => code
            .lines()
            .filter(|line| *line != head && !line.is_empty())
            .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
            .collect(),
        Err(findings) => panic!("{text}\n{findings}"),
    }
}

/// The last load among instructions: what a field's own load is.
pub(crate) fn last_load(code: &str) -> String {
    code.lines()
        .rfind(|line| line.contains(" load "))
        .unwrap_or_default()
        .trim_start_matches("[ ")
        .trim_end_matches(" ]")
        .replace(" => reg 1", "")
        .trim()
        .to_owned()
}
