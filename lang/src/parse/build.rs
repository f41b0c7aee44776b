//! From parse trees to syntax trees: what the builders of expressions, statements and declarations share.

use super::literal;
use super::tree::{At, Rule};
use crate::ast::{ChainBody, Ident, Integer, Number, PlainTokenKind, SetLit, Str, TableRef, Word};
use crate::cut::cursor::Tok;
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Span};
use crate::token;

/// Builds the syntax tree of one statement. `None` from its methods means that grammar and builder disagree, which a test over the corpus would show.
pub(super) struct Builder<'a> {
    pub(super) toks: &'a [Tok],
    pub(super) source: SourceId,
    pub(super) text: &'a str,
    /// Sets and chains that tokens stand for.
    pub(super) sets: &'a mut [Option<SetLit>],
    pub(super) chains: &'a mut [Option<ChainBody>],
    pub(super) findings: Vec<Diagnostic>,
}

impl Builder<'_> {
    /// From the node's first token to its last.
    pub(super) fn span(&self, at: At<'_>) -> Span {
        let node = at.node();
        let start = self
            .toks
            .get(node.start as usize)
            .map_or(0, |tok| tok.start);
        let last = (node.end as usize)
            .checked_sub(1)
            .and_then(|last| self.toks.get(last));
        Span::new(
            self.source,
            start,
            last.map_or(start, |tok| tok.end).max(start),
        )
    }

    /// The node's first token.
    pub(super) fn tok(&self, at: At<'_>) -> Option<Tok> {
        self.toks.get(at.node().start as usize).copied()
    }

    pub(super) fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    pub(super) fn word(&self, at: At<'_>) -> Word {
        Word {
            span: self.span(at),
        }
    }

    /// The word that something is called by from here on.
    pub(super) fn name(&mut self, at: At<'_>) -> Word {
        let span = self.span(at);
        let word = self.slice(span);
        if !token::may_name(word) {
            let finding = Diagnostic::new(
                Code::SyntaxError,
                span,
                format!("expected a name, found `{word}`"),
            );
            let help = format!("`{word}` is a keyword and cannot be a name");
            self.findings.push(finding.help(help));
        }
        Word { span }
    }

    /// The word of a token with a sign in front (`@set`, `$var`).
    pub(super) fn signed_word(&self, at: At<'_>) -> Word {
        let mut span = self.span(at);
        span.start = (span.start + 1).min(span.end);
        Word { span }
    }

    pub(super) fn string(&self, at: At<'_>) -> Str {
        let span = self.span(at);
        literal::string(span, self.slice(span))
    }

    pub(super) fn number(&mut self, at: At<'_>) -> Number {
        let span = self.span(at);
        let value = literal::number(self.slice(span)).and_then(|value| u64::try_from(value).ok());
        if value.is_none() {
            let message = format!("number {} is above {}", self.slice(span), u64::MAX);
            self.findings
                .push(Diagnostic::new(Code::BadNumber, span, message));
        }
        Number {
            span,
            value: value.unwrap_or(0),
        }
    }

    pub(super) fn integer(&mut self, at: At<'_>) -> Integer {
        Integer::new(u128::from(self.number(at).value))
    }

    /// The number below a node such as `offset`.
    pub(super) fn number_in(&mut self, at: At<'_>) -> Option<Number> {
        at.kid(Rule::num).map(|num| self.number(num))
    }

    /// The number below the child that `rule` made.
    pub(super) fn integer_of(&mut self, at: At<'_>, rule: Rule) -> Option<Integer> {
        let num = at.kid(rule)?.kid(Rule::num)?;
        Some(self.integer(num))
    }

    /// Milliseconds; a bare number is seconds.
    pub(super) fn time_ms(&mut self, at: At<'_>) -> u64 {
        let span = self.span(at);
        let text = self.slice(span).trim_matches('"');
        let value = literal::time_ms(text);
        if value.is_none() {
            let message = format!("`{text}` is not a time");
            let finding = Diagnostic::new(Code::BadNumber, span, message)
                .help("times are written like `1d2h3m4s5ms`");
            self.findings.push(finding);
        }
        value.unwrap_or(0)
    }

    pub(super) fn take_set(&mut self, at: At<'_>) -> Option<SetLit> {
        let tok = self.tok(at)?;
        self.sets.get_mut(tok.aux as usize)?.take()
    }

    pub(super) fn take_chain(&mut self, tok: Tok) -> Option<ChainBody> {
        self.chains.get_mut(tok.aux as usize)?.take()
    }

    pub(super) fn table(&self, at: At<'_>) -> Option<TableRef> {
        let name = self.word(at.kid(Rule::word)?);
        let family = at.kid(Rule::family).map(|family| self.word(family));
        Some(TableRef {
            span: self.span(at),
            family,
            name,
        })
    }

    /// A name or `handle N` among the children, behind the table's name.
    pub(super) fn id(&mut self, at: At<'_>) -> Option<Ident> {
        if let Some(handle) = at.kid(Rule::handle) {
            return self.number_in(handle).map(Ident::Handle);
        }
        Some(Ident::Name(self.name(at.kid(Rule::word)?)))
    }

    /// Reports a literal that only looks like one.
    pub(super) fn check_literal(&mut self, kind: PlainTokenKind, span: Span) {
        let text = self.slice(span);
        if !literal::is_valid(kind, text) {
            self.findings.push(bad_literal(kind, span, text));
        }
    }
}

/// The finding for `10.0.0.256` and its kind.
pub(super) fn bad_literal(kind: PlainTokenKind, span: Span, text: &str) -> Diagnostic {
    let (code, what) = match kind {
        PlainTokenKind::Ipv4 => (Code::BadAddress, "an IPv4 address"),
        PlainTokenKind::Ipv6 => (Code::BadAddress, "an IPv6 address"),
        PlainTokenKind::Time => (Code::BadNumber, "a time that fits"),
        PlainTokenKind::Number => (Code::BadNumber, "a number of at most 128 bits"),
        PlainTokenKind::Mac
        | PlainTokenKind::Word
        | PlainTokenKind::Str
        | PlainTokenKind::WildcardWord
        | PlainTokenKind::Slash
        | PlainTokenKind::Dash
        | PlainTokenKind::Dot => (Code::BadNumber, "a value"),
    };
    let short: String = text.chars().take(60).collect();
    Diagnostic::new(code, span, format!("`{short}` is not {what}"))
}

/// The literal that a token of the grammar's `lit` is; None for variables and keywords.
pub(super) fn literal_kind(tok: Tok) -> Option<PlainTokenKind> {
    if tok.kind == token::VAR {
        return None;
    }
    crate::cut::set::plain_kind(tok).or(Some(PlainTokenKind::Word))
}
