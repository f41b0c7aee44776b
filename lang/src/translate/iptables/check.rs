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

/// Checks the tables' text; takes out of them what is never reached and what does not compile. The text, as it is to be shown.
pub(super) fn check(tables: &mut [Table], origin: Span, findings: &mut Vec<Diagnostic>) -> String {
    for _ in 0..MAX_ROUNDS {
        let (text, places) = write::tables(tables);
        let mut changed = false;
        for finding in compile(&text) {
            let at = places.partition_point(|place| place.offset <= finding.span().start);
            let place = at.checked_sub(1).and_then(|at| places.get(at));
            let items = place
                .and_then(|place| items(tables, *place))
                .unwrap_or_default();
            if finding.code == Code::UnreachableAfterTerminal {
                for item in items {
                    changed |= take_out(item, None, findings);
                }
            } else if finding.code == Code::ShadowedRule {
                changed |= items
                    .first_mut()
                    .is_some_and(|item| take_out(item, None, findings));
            } else if finding.is_error() && finding.code.info().code.starts_with('E') {
                let why = Some(finding.message.as_str());
                let done = items
                    .first_mut()
                    .is_some_and(|item| take_out(item, why, findings));
                changed |= done;
                if !done && !items.iter().any(|item| matches!(item, Item::Comment(_))) {
                    let message = format!("the translation does not compile: {}", finding.message);
                    findings.push(Diagnostic::new(Code::FaultyTranslation, origin, message));
                    return formatted(&text);
                }
            }
        }
        if !changed {
            return formatted(&text);
        }
    }
    formatted(&write::tables(tables).0)
}

/// What stands at a place and below it in its chain.
fn items(tables: &mut [Table], place: Place) -> Option<&mut [Item]> {
    let chain = tables.get_mut(place.table)?.chains.get_mut(place.chain)?;
    chain.items.get_mut(place.item..)
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

/// Makes a rule a comment, because it is never reached or for what is wrong with it; whether it was a rule.
fn take_out(item: &mut Item, wrong: Option<&str>, findings: &mut Vec<Diagnostic>) -> bool {
    let Item::Rule(rule) = item else {
        return false;
    };
    let text = write::rule(rule);
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let (code, message, line) = match wrong {
        None => (
            Code::DeadRule,
            "the rule is never reached, so it is a comment in the translation".to_owned(),
            format!("never reached: {text}"),
        ),
        Some(wrong) => (
            Code::UntranslatedRule,
            format!("the rule is left out: nft does not take `{text}`: {wrong}"),
            format!("not translated ({wrong}): {text}"),
        ),
    };
    findings.push(Diagnostic::new(code, rule.span, message));
    *item = Item::Comment(line);
    true
}

/// The text as `redan fmt` writes it.
fn formatted(text: &str) -> String {
    crate::fmt::fmt(&mut Sources::new(), "translation", text).0
}
