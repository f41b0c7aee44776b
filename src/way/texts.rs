//! The text of rules, and of the matches that failed, beside a compiled ruleset.

use redan_lang::explain;
use redan_lang::source::{Sources, Span};
use redan_lang::typed::Program;
use redan_vm::ids::RuleId;
use redan_vm::{Ruleset, Visit};

/// What the rules of a ruleset look like.
pub(crate) struct Texts {
    sources: Sources,
    program: Program,
}

/// A match that failed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// Its text, on one line.
    pub(crate) text: String,
    /// What stood in its way: `was 443`.
    pub(crate) because: String,
    /// Whether the rule begins with it.
    pub(crate) is_first: bool,
}

impl Texts {
    /// From what compiling has left.
    pub(crate) fn new(sources: Sources, program: Program) -> Self {
        Self { sources, program }
    }

    /// A rule's text on one line.
    pub(crate) fn rule(&self, rule: RuleId) -> String {
        self.program
            .rules
            .get(rule.index())
            .map_or_else(String::new, |rule| self.line(rule.span))
    }

    /// Which match of a visited rule failed; `None` where all of it held.
    pub(crate) fn failed(&self, ruleset: &Ruleset, visit: &Visit) -> Option<Failed> {
        let failed = explain::failed(&self.program, ruleset, visit)?;
        let rule = self.program.rules.get(visit.rule.index())?;
        Some(Failed {
            text: self.line(failed.span),
            because: failed.because,
            is_first: failed.span.start <= rule.span.start,
        })
    }

    fn line(&self, span: Span) -> String {
        let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
        words.join(" ")
    }
}
