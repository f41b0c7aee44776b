//! Reading `{ ... }` as a value. Elements that are only literals never reach pest: a million addresses are read by the loop here.

use super::MAX_DEPTH;
use super::cursor::Tok;
use crate::ast::{PlainToken, PlainTokenKind, SetItem, SetLit};
use crate::diag::{Code, Diagnostic};
use crate::parse::{Parser, literal};
use crate::token::{self, Kind, keyword};

/// The literal that a token is, for elements that need no grammar. Variables and keywords are not plain: what they mean is decided elsewhere.
pub(crate) fn plain_kind(tok: Tok) -> Option<PlainTokenKind> {
    Some(match tok.kind {
        token::WORD | token::CLASS_ID => PlainTokenKind::Word,
        token::WILDCARD_WORD => PlainTokenKind::WildcardWord,
        token::STR => PlainTokenKind::Str,
        token::NUMBER => PlainTokenKind::Number,
        token::IPV4 => PlainTokenKind::Ipv4,
        token::IPV6 => PlainTokenKind::Ipv6,
        token::MAC => PlainTokenKind::Mac,
        token::TIME => PlainTokenKind::Time,
        _ => return None,
    })
}

/// What a token is in a plain element; a keyword that may be a name is a word (`tcp`, `ip`).
fn plain_part(tok: Tok) -> Option<PlainTokenKind> {
    match tok.kind {
        token::SLASH => Some(PlainTokenKind::Slash),
        token::DASH => Some(PlainTokenKind::Dash),
        token::DOT => Some(PlainTokenKind::Dot),
        kind if kind.is_keyword() && kind.is_name() && !kind.is_field_alone() => {
            Some(PlainTokenKind::Word)
        }
        _ => plain_kind(tok),
    }
}

/// Whether tokens are `part (. part)*`, where a part is a literal, a prefix or a range.
fn is_plain(toks: &[Tok]) -> bool {
    toks.split(|tok| tok.kind == token::DOT)
        .all(|part| match part {
            [only] => plain_part(*only).is_some_and(|kind| !is_sign(kind)),
            [low, sign, high] => {
                let ends = |tok: &Tok| plain_part(*tok).is_some_and(|kind| !is_sign(kind));
                let prefix = sign.kind == token::SLASH && high.kind == token::NUMBER;
                ends(low) && (prefix || (sign.kind == token::DASH && ends(high)))
            }
            _ => false,
        })
}

fn is_sign(kind: PlainTokenKind) -> bool {
    matches!(
        kind,
        PlainTokenKind::Slash | PlainTokenKind::Dash | PlainTokenKind::Dot
    )
}

/// Whether the last tokens are the start of `@th,16,16` or `tcp option @8,16,16`, up to a comma that belongs to it.
fn in_raw_field(toks: &[Tok]) -> bool {
    let base = |tok: &Tok| {
        matches!(
            tok.kind,
            token::AT_LL | token::AT_NH | token::AT_TH | token::AT_IH
        )
    };
    let option = |kinds: [Kind; 2]| kinds == [token::AT, token::NUMBER];
    match toks {
        [.., tok] if base(tok) => true,
        [.., tok, first, offset]
            if base(tok) && (first.kind, offset.kind) == (token::COMMA, token::NUMBER) =>
        {
            true
        }
        [.., at, kind] if option([at.kind, kind.kind]) => true,
        [.., at, kind, first, offset]
            if option([at.kind, kind.kind])
                && (first.kind, offset.kind) == (token::COMMA, token::NUMBER) =>
        {
            true
        }
        _ => false,
    }
}

/// Verdicts and statements that never stand in an element without `:` before them.
const VERDICTS: [Kind; 10] = [
    keyword("accept"),
    keyword("drop"),
    keyword("return"),
    keyword("continue"),
    keyword("jump"),
    keyword("goto"),
    keyword("reject"),
    keyword("log"),
    keyword("masquerade"),
    keyword("notrack"),
];

/// Verdicts that name a chain.
const JUMPS: [Kind; 2] = [keyword("jump"), keyword("goto")];

/// What the loop over elements found.
enum Piece {
    /// The element goes on.
    More,
    /// It ends.
    Comma,
    /// The set ends.
    Close(u32),
    /// The set cannot be read.
    Broken,
}

impl Parser<'_> {
    /// Reads a set up to its `}`. None where it is not closed; that has been reported.
    pub(crate) fn set(&mut self, open: Tok) -> Option<SetLit> {
        if self.depth >= MAX_DEPTH {
            // skipped up to its `}`, so that the sets around it go on
            self.too_deep(open);
            return Some(SetLit {
                span: open.span(self.source),
                spoilt: true,
                ..SetLit::default()
            });
        }
        self.depth += 1;
        let set = self.set_elements(open);
        self.depth -= 1;
        set
    }

    fn set_elements(&mut self, open: Tok) -> Option<SetLit> {
        let mut set = SetLit::default();
        let mut element: Vec<Tok> = Vec::new();
        let mut bad = false;
        let mut lines = false;
        let mut maps = false;
        loop {
            match self.piece(open, &mut element, &mut bad, &mut lines, maps) {
                Piece::More => {}
                Piece::Broken => return None,
                Piece::Comma => {
                    if element.is_empty() && !bad {
                        self.no_element();
                    }
                    maps |= element.iter().any(|tok| tok.kind == token::COLON);
                    self.element(&mut set, &mut element, &mut bad);
                }
                Piece::Close(end) => {
                    self.element(&mut set, &mut element, &mut bad);
                    set.span = open.span(self.source);
                    set.span.end = end;
                    return Some(set);
                }
            }
        }
    }

    fn piece(
        &mut self,
        open: Tok,
        element: &mut Vec<Tok>,
        bad: &mut bool,
        lines: &mut bool,
        maps: bool,
    ) -> Piece {
        let tok = self.cursor.next();
        match tok.kind {
            kind if VERDICTS.contains(&kind)
                && !maps
                && !self.ends_element(tok)
                && element.iter().all(|tok| tok.kind != token::COLON) =>
            {
                // no element holds a verdict without `:` before it, so the set has ended unseen
                self.unclosed(open, tok);
                return Piece::Broken;
            }
            token::SEMICOLON if self.closes_on_line(tok) => {
                let span = tok.span(self.source);
                let finding = Diagnostic::new(
                    Code::SyntaxError,
                    span,
                    "expected `,` between elements, found `;`",
                );
                self.report(finding.fix("replace it with `,`", span, ","));
                self.dropped = true;
                return Piece::Comma;
            }
            // the numbers of a raw field have commas between them
            token::COMMA if in_raw_field(element) => element.push(tok),
            token::COMMA => return Piece::Comma,
            token::RBRACE => return Piece::Close(tok.end),
            token::NEWLINE => {
                // fine behind `{` and `,`, and before `}` and `,`
                let next = self.cursor.skip_newlines();
                let fine = *bad
                    || element.is_empty()
                    || next.kind == token::RBRACE
                    || next.kind == token::COMMA;
                if !fine {
                    self.unclosed(open, tok);
                    self.cursor.push_back(tok);
                    return Piece::Broken;
                }
                *lines = true;
            }
            token::SEMICOLON | token::END => {
                self.unclosed(open, tok);
                self.cursor.push_back(tok);
                return Piece::Broken;
            }
            token::LBRACE if element.last().is_some_and(|tok| JUMPS.contains(&tok.kind)) => {
                self.verdict_in_place(tok);
                *bad = true;
            }
            token::LBRACE => match self.set(tok) {
                Some(inner) => {
                    let tok = self.keep_set(inner);
                    element.push(tok);
                }
                None => return Piece::Broken,
            },
            token::UNCLOSED_STR => {
                let dropped = self.dropped;
                self.unclosed_string(tok);
                if !*lines {
                    // the rest of the set is part of the string
                    return Piece::Broken;
                }
                self.dropped = dropped;
                *bad = true;
            }
            token::BAD => {
                let dropped = self.dropped;
                self.bad_character(tok);
                self.dropped = dropped;
                *bad = true;
            }
            _ if element.len() < super::MAX_TOKENS => element.push(tok),
            _ => *bad = true,
        }
        Piece::More
    }

    /// A chain in place as an element's verdict, which nft has for rules alone.
    fn verdict_in_place(&mut self, open: Tok) {
        let dropped = self.dropped;
        let finding = Diagnostic::new(
            Code::SyntaxError,
            open.span(self.source),
            "an element's verdict is a word, or a jump to a chain with a name, found `{`",
        );
        self.report(
            finding.help("give these rules their own `chain NAME { ... }`, and jump there"),
        );
        self.skip_braces();
        self.dropped = dropped;
    }

    /// Whether a `}` follows on the same line.
    fn closes_on_line(&self, tok: Tok) -> bool {
        let rest = self.text_from(tok.end);
        rest.find(['}', '\n'])
            .is_some_and(|at| rest.as_bytes().get(at) == Some(&b'}'))
    }

    /// Whether `}` or `,` follows a token at once, so that it is the last of its element.
    fn ends_element(&self, tok: Tok) -> bool {
        let rest = self.text_from(tok.end);
        rest.starts_with(['}', ','])
    }

    fn no_element(&mut self) {
        let tok = self.cursor.peek();
        self.report(Diagnostic::new(
            Code::SyntaxError,
            tok.span(self.source),
            "expected an element before this, found `,`",
        ));
    }

    /// Takes in one element and empties `toks`.
    fn element(&mut self, set: &mut SetLit, toks: &mut Vec<Tok>, bad: &mut bool) {
        if *bad || toks.is_empty() {
            set.spoilt |= *bad;
            *bad = false;
        } else if is_plain(toks) {
            self.plain_element(set, toks);
        } else if let Some(element) = self.full_element(toks) {
            set.items.push(SetItem::Full(Box::new(element)));
        } else {
            set.spoilt = true;
        }
        toks.clear();
    }

    fn plain_element(&mut self, set: &mut SetLit, toks: &[Tok]) {
        let first = u32::try_from(set.tokens.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(toks.len()).unwrap_or(u32::MAX);
        for tok in toks {
            let Some(kind) = plain_part(*tok) else {
                continue;
            };
            let fits = literal::is_valid(kind, self.slice(*tok));
            if !fits {
                self.bad_literal(*tok);
            }
            let len = u16::try_from(tok.end - tok.start).unwrap_or(u16::MAX);
            set.tokens.push(PlainToken {
                start: tok.start,
                len,
                kind,
            });
        }
        set.items.push(SetItem::Plain { first, count });
    }
}
