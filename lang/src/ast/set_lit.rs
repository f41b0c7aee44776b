//! Set literals: `{ ... }` as a value, and the elements of declared sets.
//!
//! A list of a million addresses is common, so elements that are nothing but literals (`10.0.0.1`, `10.0.0.0/8`, `1.2.3.4 . 80`, `a-b`) are kept as tokens in one
//! flat array; [`SetLit::element`] turns one into an [`Element`] when asked.

use super::{Expr, ExprKind, Stmt, Str, Word};
use crate::parse::literal;
use crate::source::{SourceId, Sources, Span};
use serde::Serialize;
use std::borrow::Cow;

/// `{ a, b }`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetLit {
    /// From the opening to the closing brace.
    pub span: Span,
    /// The elements in order.
    pub items: Vec<SetItem>,
    /// Tokens of the plain elements, one after another.
    pub tokens: Vec<PlainToken>,
    /// Elements that cannot be read are missing; that has been reported.
    pub spoilt: bool,
}

/// One element of a set literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetItem {
    /// Nothing but literals: `tokens[first..first + count]`.
    Plain {
        /// Index of its first token.
        first: u32,
        /// Number of its tokens.
        count: u32,
    },
    /// Anything else.
    Full(Box<Element>),
}

/// A token of a plain element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainToken {
    /// Offset of its first byte in the source of the set literal.
    pub start: u32,
    /// Its length in bytes.
    pub len: u16,
    /// What it is.
    pub kind: PlainTokenKind,
}

/// What a token of a plain element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainTokenKind {
    /// A word.
    Word,
    /// A string with its quotes.
    Str,
    /// A word with a trailing `*`.
    WildcardWord,
    /// A number.
    Number,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A link-layer address.
    Mac,
    /// A time with units.
    Time,
    /// `/`, before a prefix length.
    Slash,
    /// `-`, between the ends of a range.
    Dash,
    /// `.`, between the parts of a concatenation.
    Dot,
}

/// One element with all that may stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Element {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// The key; a nested set for `{ { a, b }, c }` and `$x` for a set in a variable.
    pub key: Expr,
    /// Statements between key and data: `counter`, `limit rate ...`.
    pub stmts: Vec<Stmt>,
    /// `timeout`, in milliseconds; 0 is `timeout never`.
    pub timeout_ms: Option<u64>,
    /// `expires`, in milliseconds.
    pub expires_ms: Option<u64>,
    /// `comment`.
    pub comment: Option<Str>,
    /// `: data`; a verdict for verdict maps, a name for object maps.
    pub data: Option<Expr>,
}

impl Element {
    /// An element that is only a key.
    pub fn plain(key: Expr) -> Self {
        Self {
            span: key.span,
            key,
            stmts: Vec::new(),
            timeout_ms: None,
            expires_ms: None,
            comment: None,
            data: None,
        }
    }
}

impl SetLit {
    /// Number of elements as written.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing stands between the braces.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The tokens of a plain element.
    pub fn plain(&self, first: u32, count: u32) -> &[PlainToken] {
        let start = first as usize;
        self.tokens
            .get(start..start + count as usize)
            .unwrap_or_default()
    }

    /// The element at `at` in full; plain ones are built on the fly.
    pub fn element(&self, at: usize, sources: &Sources) -> Option<Cow<'_, Element>> {
        Some(match self.items.get(at)? {
            SetItem::Full(element) => Cow::Borrowed(element),
            SetItem::Plain { first, count } => {
                let text = sources.whole(self.span.source);
                Cow::Owned(Element::plain(plain_key(
                    self.plain(*first, *count),
                    self.span.source,
                    text,
                )))
            }
        })
    }

    /// All elements in full. For long plain lists, [`SetLit::plain`] costs less.
    pub fn elements<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = Cow<'a, Element>> {
        (0..self.items.len()).filter_map(|at| self.element(at, sources))
    }
}

/// The expression that a plain element's tokens spell: parts joined by dots, each a literal, a prefix or a range.
pub(crate) fn plain_key(tokens: &[PlainToken], source: SourceId, text: &str) -> Expr {
    let mut parts: Vec<Expr> = tokens
        .split(|token| token.kind == PlainTokenKind::Dot)
        .map(|part| plain_part(part, source, text))
        .collect();
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let span = match (parts.first(), parts.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    };
    Expr {
        span,
        kind: ExprKind::Concat(parts),
    }
}

fn plain_part(tokens: &[PlainToken], source: SourceId, text: &str) -> Expr {
    match tokens {
        [only] => plain_literal(*only, source, text),
        [low, sign, high] => {
            let ends = Box::new((
                plain_literal(*low, source, text),
                plain_literal(*high, source, text),
            ));
            let span = ends.0.span.to(ends.1.span);
            let kind = if sign.kind == PlainTokenKind::Slash {
                ExprKind::Prefix(ends)
            } else {
                ExprKind::Range(ends)
            };
            Expr { span, kind }
        }
        _ => {
            let span = Span::new(source, 0, 0);
            Expr {
                span,
                kind: ExprKind::Symbol(Word { span }),
            }
        }
    }
}

fn plain_literal(token: PlainToken, source: SourceId, text: &str) -> Expr {
    let span = Span::new(source, token.start, token.start + u32::from(token.len));
    let body = text
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default();
    Expr {
        span,
        kind: literal::literal(token.kind, span, body),
    }
}
