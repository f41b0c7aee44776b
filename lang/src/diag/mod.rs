//! Findings about a ruleset, as plain data. [`render`] draws them; [`registry`] lists every code.

pub mod registry;
pub mod render;

pub use registry::{Code, CodeInfo};

use crate::source::Span;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Nothing wrong, worth knowing.
    Info,
    /// Works, but probably not as meant.
    Warning,
    /// Cannot be compiled, or does certain harm.
    Error,
}

impl Level {
    /// The word that outputs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place that a finding points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be said there; may be empty.
    pub message: String,
    /// Whether this is the place of the finding, rather than a related one.
    pub primary: bool,
}

/// A change of text that removes the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, as a command ("replace with `tcp`").
    pub message: String,
    /// Replacements, which do not overlap.
    pub edits: Vec<(Span, String)>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of finding.
    pub code: Code,
    /// How bad; the code's own level unless it was changed.
    pub level: Level,
    /// One line, no full stop.
    pub message: String,
    /// Places; the first primary one is the finding's place.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// A change that does it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding at one place, with the level that the registry gives to its code.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            level: code.info().level,
            message: message.into(),
            labels: vec![Label {
                span,
                message: String::new(),
                primary: true,
            }],
            help: None,
            fix: None,
        }
    }

    /// Says something at the finding's own place.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>) -> Self {
        if let Some(label) = self.labels.iter_mut().find(|label| label.primary) {
            label.message = message.into();
        }
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            message: message.into(),
            primary: false,
        });
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers one replacement that removes the finding.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            message: message.into(),
            edits: vec![(span, text.into())],
        });
        self
    }

    /// The place of the finding.
    pub fn span(&self) -> Span {
        let primary = self.labels.iter().find(|label| label.primary);
        primary
            .or(self.labels.first())
            .map(|label| label.span)
            .unwrap_or_default()
    }

    /// Whether it stops compilation.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// The candidate nearest to `word` by edit distance, if it is near enough to be meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = match word.chars().count() {
        2..=4 => 1,
        5..=8 => 2,
        9..=64 => 3,
        _ => return None,
    };
    let mut best: Option<(usize, &str)> = None;
    let word = word.to_lowercase();
    for candidate in candidates {
        // words in capitals are iptables' habit
        let distance = edit_distance(&word, &candidate.to_lowercase());
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other; capped at 64 for long words.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(65).collect();
    let b: Vec<char> = b.chars().take(65).collect();
    if a.len() > 64 || b.len() > 64 || a.len().abs_diff(b.len()) > 3 {
        return 64;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut left = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let at = |line: &[usize], k: usize| line.get(k).copied().unwrap_or(64);
            let mut cost = (at(&above, j) + usize::from(x != y))
                .min(at(&above, j + 1) + 1)
                .min(left + 1);
            let swapped = i > 0 && j > 0 && b.get(j - 1) == Some(&x) && a.get(i - 1) == Some(&y);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
            left = cost;
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_you_mean_finds_near_words_only() {
        let words = ["accept", "drop", "second", "saddr"];
        assert_eq!(did_you_mean("acept", words), Some("accept"));
        assert_eq!(did_you_mean("dorp", words), Some("drop"));
        assert_eq!(did_you_mean("secnd", words), Some("second"));
        assert_eq!(did_you_mean("sadr", words), Some("saddr"));
        assert_eq!(did_you_mean("ACCEPT", words), Some("accept"));
        assert_eq!(did_you_mean("counter", words), None);
        assert_eq!(did_you_mean("x", words), None);
    }
}
