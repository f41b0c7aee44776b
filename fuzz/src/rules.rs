//! Rule text as every target that reads some sees it.

use redan_lang::ast::File;
use redan_lang::ast::dump::dump;
use redan_lang::diag::Diagnostic;
use redan_lang::parse::{self, NoLoader};
use redan_lang::source::{Sources, Span};

/// A text that was read, with nothing included.
pub(crate) struct Read {
    pub(crate) sources: Sources,
    pub(crate) file: File,
    pub(crate) findings: Vec<Diagnostic>,
}

impl Read {
    /// Reads bytes as a rule file.
    pub(crate) fn new(input: &[u8]) -> Self {
        let mut sources = Sources::new();
        let (root, mut findings) = parse::add_bytes(&mut sources, "in.rules", input.to_vec());
        let (file, more) = parse::parse(&mut sources, root, &NoLoader, &[]);
        findings.extend(more);
        Self {
            sources,
            file,
            findings,
        }
    }

    /// Whether nothing is wrong with it.
    pub(crate) fn is_sound(&self) -> bool {
        !self.findings.iter().any(Diagnostic::is_error)
    }

    /// Everything that was found has its places in the text, on whole characters.
    pub(crate) fn has_places_for(&self, findings: &[Diagnostic]) {
        for finding in findings {
            for label in &finding.labels {
                self.fits(label.span);
            }
            for (span, _) in finding.fix.iter().flat_map(|fix| &fix.edits) {
                self.fits(*span);
            }
        }
    }

    /// A place is one in the text.
    pub(crate) fn fits(&self, span: Span) {
        let text = self.sources.whole(span.source);
        assert!(
            text.get(span.start as usize..span.end as usize).is_some(),
            "{span:?} does not fit a text of {} bytes",
            text.len()
        );
    }

    /// Its syntax tree without places.
    pub(crate) fn tree(&self) -> String {
        dump(&self.file, &self.sources).to_string()
    }
}
