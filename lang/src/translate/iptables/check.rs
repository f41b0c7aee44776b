//! The translation put to the test: it is compiled and linted. Rules that can never be reached stay behind as comments, since the input has them for nothing, and
//! what does not compile is a mistake of the translation that is told where its rule stands in the input.

use super::nft::{Item, Table};
use super::write::{self, Place};
use crate::compile::{self, Options as CompileOptions};
use crate::diag::{Code, Diagnostic};
use crate::lint::{self, Options as LintOptions};
use crate::parse::{self, NoLoader};
use crate::source::{Sources, Span};

/// Rounds of taking out what is never reached; each may uncover more.
const MAX_ROUNDS: usize = 4;

/// Checks the tables' text; takes out of them what is never reached. The text, as it is to be shown.
pub(super) fn check(tables: &mut [Table], origin: Span, findings: &mut Vec<Diagnostic>) -> String {
    for _ in 0..MAX_ROUNDS {
        let (text, places) = write::tables(tables);
        let found = compile(&text);
        let mut dead = false;
        for finding in &found {
            let at = places.partition_point(|place| place.offset <= finding.span().start);
            let place = at.checked_sub(1).and_then(|at| places.get(at));
            let below = finding.code == Code::UnreachableAfterTerminal;
            if below || finding.code == Code::ShadowedRule {
                dead |= place.is_some_and(|place| take_out(tables, *place, below, findings));
            } else if finding.is_error() && finding.code.info().code.starts_with('E') {
                findings.push(faulty(tables, place.copied(), origin, finding));
            }
        }
        if !dead {
            return formatted(&text);
        }
        findings.retain(|finding| finding.code != Code::FaultyTranslation);
    }
    formatted(&write::tables(tables).0)
}

/// What the compiler and the lints say of the text.
fn compile(text: &str) -> Vec<Diagnostic> {
    let mut sources = Sources::new();
    let root = sources.add("translation", text);
    let (mut file, mut found) = parse::parse(&mut sources, root, &NoLoader, &[]);
    if found.iter().any(Diagnostic::is_error) {
        return found;
    }
    let options = CompileOptions {
        keep_rules: true,
        ..CompileOptions::default()
    };
    let mut compiled = compile::analyze(&mut file, &sources, &options);
    found.append(&mut compiled.diagnostics);
    if !found.iter().any(Diagnostic::is_error) {
        found.extend(lint::lint(
            &sources,
            &file,
            &compiled,
            &LintOptions::default(),
        ));
    }
    found
}

/// Makes the rule at a place, and those below it, comments; whether there was one.
fn take_out(
    tables: &mut [Table],
    place: Place,
    below: bool,
    findings: &mut Vec<Diagnostic>,
) -> bool {
    let chain = tables
        .get_mut(place.table)
        .and_then(|table| table.chains.get_mut(place.chain));
    let Some(chain) = chain else {
        return false;
    };
    let count = if below { usize::MAX } else { 1 };
    let mut any = false;
    for item in chain.items.iter_mut().skip(place.item).take(count) {
        if let Item::Rule(rule) = item {
            let message = "the rule is never reached, so it is a comment in the translation";
            findings.push(Diagnostic::new(Code::DeadRule, rule.span, message));
            let text = write::rule(rule);
            let words: Vec<&str> = text.split_whitespace().collect();
            *item = Item::Comment(format!("never reached: {}", words.join(" ")));
            any = true;
        }
    }
    any
}

fn faulty(
    tables: &[Table],
    place: Option<Place>,
    origin: Span,
    finding: &Diagnostic,
) -> Diagnostic {
    let item = place.and_then(|place| {
        tables
            .get(place.table)?
            .chains
            .get(place.chain)?
            .items
            .get(place.item)
    });
    let (span, text) = match item {
        Some(Item::Rule(rule)) => (rule.span, write::rule(rule)),
        _ => (origin, String::new()),
    };
    let message = format!(
        "its translation `{text}` does not compile: {}",
        finding.message
    );
    Diagnostic::new(Code::FaultyTranslation, span, message)
}

/// The text as `redan fmt` writes it.
fn formatted(text: &str) -> String {
    crate::fmt::fmt(&mut Sources::new(), "translation", text).0
}
