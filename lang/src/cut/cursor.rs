//! The tokens of a file that count, one at a time, with tokens given back.

use crate::lex::{Class, Lexer};
use crate::source::{SourceId, Span};
use crate::token::{self, Kind};

/// A token that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tok {
    pub(crate) kind: Kind,
    /// Index of the set or chain that the token stands for ([`token::SET`], [`token::CHAIN_BLOCK`]).
    pub(crate) aux: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Tok {
    pub(crate) fn span(self, source: SourceId) -> Span {
        Span::new(source, self.start, self.end)
    }
}

/// Reads a text token by token, without blanks and comments.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    lexer: Lexer<'a>,
    back: Vec<Tok>,
    end: u32,
    /// Place of the last comment.
    pub(crate) comment: Option<(u32, u32)>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            lexer: Lexer::new(text),
            back: Vec::new(),
            end: 0,
            comment: None,
        }
    }

    /// The next token; [`token::END`] behind the last, again and again.
    pub(crate) fn next(&mut self) -> Tok {
        let tok = self.back.pop().unwrap_or_else(|| self.fresh());
        if tok.kind != token::END {
            self.end = tok.end;
        }
        tok
    }

    fn fresh(&mut self) -> Tok {
        for lexeme in self.lexer.by_ref() {
            match lexeme.class {
                Class::Token(kind) => {
                    return Tok {
                        kind,
                        aux: 0,
                        start: lexeme.start,
                        end: lexeme.end,
                    };
                }
                Class::Comment => self.comment = Some((lexeme.start, lexeme.end)),
                Class::Blank => {}
            }
        }
        let end = u32::try_from(self.lexer.text().len()).unwrap_or(u32::MAX);
        Tok {
            kind: token::END,
            aux: 0,
            start: end,
            end,
        }
    }

    /// Gives a token back; the last one given back comes first.
    pub(crate) fn push_back(&mut self, tok: Tok) {
        self.back.push(tok);
    }

    /// The next token without taking it.
    pub(crate) fn peek(&mut self) -> Tok {
        let end = self.end;
        let tok = self.next();
        self.push_back(tok);
        self.end = end;
        tok
    }

    /// End of the token that was taken last.
    pub(crate) fn last_end(&self) -> u32 {
        self.end
    }

    /// Takes newlines; the token behind them stays.
    pub(crate) fn skip_newlines(&mut self) -> Tok {
        loop {
            let tok = self.next();
            if tok.kind != token::NEWLINE {
                self.push_back(tok);
                return tok;
            }
        }
    }

    /// Gives up the rest of the text.
    pub(crate) fn abandon(&mut self) {
        self.back.clear();
        self.lexer = Lexer::new("");
    }
}
