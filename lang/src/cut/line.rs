//! Cutting one line: tokens up to its end, with sets and chains in place already read.

use super::cursor::Tok;
use super::{Block, MAX_DEPTH, MAX_TOKENS};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::parse::Parser;
use crate::token::{self, Kind, keyword};

const TABLE: Kind = keyword("table");
const CHAIN: Kind = keyword("chain");
const SET: Kind = keyword("set");
const MAP: Kind = keyword("map");
const FLOWTABLE: Kind = keyword("flowtable");
const CT: Kind = keyword("ct");
const JUMP: Kind = keyword("jump");
const GOTO: Kind = keyword("goto");
const TUNNEL: Kind = keyword("tunnel");
const TUNNEL_KINDS: [Kind; 3] = [keyword("vxlan"), keyword("erspan"), keyword("geneve")];
const OBJECTS: [Kind; 6] = [
    keyword("counter"),
    keyword("quota"),
    keyword("limit"),
    keyword("secmark"),
    keyword("synproxy"),
    TUNNEL,
];
const CT_OBJECTS: [Kind; 3] = [
    keyword("helper"),
    keyword("timeout"),
    keyword("expectation"),
];
const VERBS: [Kind; 6] = [
    keyword("add"),
    keyword("create"),
    keyword("insert"),
    keyword("replace"),
    keyword("delete"),
    keyword("destroy"),
];

/// What ended a line. Its tokens are in `Parser::toks`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// Its end; at least one token.
    Line,
    /// A `{` that opens a block.
    Open(Block, Tok),
    /// A `}` alone.
    Close,
    /// The end of the file.
    End,
    /// A header that belongs to a block further out; `Parser::pending` holds its brace.
    Unwind,
}

/// What a `{` means where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brace {
    Block(Block),
    /// A chain in place, after `jump` and `goto`.
    Chain,
    Set,
    /// The header of a block that cannot stand here: a `}` is missing above.
    Misplaced,
}

/// What a line that starts with these tokens would open.
fn header_of(toks: &[Tok]) -> Option<Block> {
    let kind = |at: usize| toks.get(at).map(|tok| tok.kind);
    let first = kind(0)?;
    if first == TABLE {
        Some(Block::Table)
    } else if first == CHAIN {
        Some(Block::Chain)
    } else if first == SET || first == MAP {
        Some(Block::Set)
    } else if first == FLOWTABLE {
        Some(Block::Flowtable)
    } else if OBJECTS.contains(&first)
        || (first == CT && kind(1).is_some_and(|second| CT_OBJECTS.contains(&second)))
    {
        Some(Block::Object)
    } else {
        None
    }
}

/// What a `{` behind the tokens of a line means.
pub(crate) fn brace(block: Block, toks: &[Tok], in_parens: bool) -> Brace {
    let Some(first) = toks.first() else {
        return Brace::Set;
    };
    if in_parens {
        return Brace::Set;
    }
    if toks
        .last()
        .is_some_and(|last| last.kind == JUMP || last.kind == GOTO)
    {
        return Brace::Chain;
    }
    let header = match block {
        Block::Top if VERBS.contains(&first.kind) => header_of(toks.get(1..).unwrap_or_default()),
        Block::Top | Block::Table => header_of(toks),
        Block::Object if matches!(toks, [only] if TUNNEL_KINDS.contains(&only.kind)) => {
            return Brace::Block(Block::Tunnel);
        }
        // `tunnel id { 1, 2 }` is a match
        Block::Chain if first.kind == TUNNEL => return Brace::Set,
        Block::Chain | Block::Set | Block::Object | Block::Tunnel | Block::Flowtable => {
            // `ct helper x {` has one word more
            let words = if first.kind == CT { 3 } else { 2 };
            let alone = toks.len() == words || first.kind == TABLE;
            return match header_of(toks) {
                Some(_) if alone => Brace::Misplaced,
                _ => Brace::Set,
            };
        }
    };
    match header {
        Some(Block::Table) if block == Block::Table => Brace::Misplaced,
        Some(inner) => Brace::Block(inner),
        None => Brace::Set,
    }
}

impl Parser<'_> {
    /// Cuts the next line of a block.
    pub(crate) fn cut(&mut self, block: Block) -> Cut {
        if let Some(open) = self.pending.take() {
            return match brace(block, &self.toks, false) {
                Brace::Block(inner) => Cut::Open(inner, open),
                Brace::Chain | Brace::Set | Brace::Misplaced => {
                    self.pending = Some(open);
                    Cut::Unwind
                }
            };
        }
        self.toks.clear();
        self.dropped = false;
        let mut parens: Vec<Tok> = Vec::new();
        loop {
            let tok = self.cursor.next();
            if tok.kind == token::LBRACE {
                match self.brace(block, &parens) {
                    Brace::Block(inner) => return Cut::Open(inner, tok),
                    Brace::Misplaced => {
                        self.missing_brace(block, tok);
                        self.pending = Some(tok);
                        return Cut::Unwind;
                    }
                    Brace::Chain => {
                        self.chain_in_place(tok);
                        if self.pending.is_some() {
                            return Cut::Unwind;
                        }
                    }
                    Brace::Set => self.set_token(tok),
                }
            } else if let Some(cut) = self.line_end(block, tok, &mut parens) {
                return cut;
            }
        }
    }

    /// What the `{` behind the line so far means; a misspelt `tabel x {` opens a block, too.
    fn brace(&self, block: Block, parens: &[Tok]) -> Brace {
        let found = brace(block, &self.toks, !parens.is_empty());
        let Some(first) = self.toks.first().filter(|first| first.kind == token::WORD) else {
            return found;
        };
        if found != Brace::Set || self.toks.len() > 3 || !matches!(block, Block::Top | Block::Table)
        {
            return found;
        }
        let words: &[&str] = if block == Block::Top {
            &["table"]
        } else {
            &["chain", "set", "map", "flowtable", "counter"]
        };
        match did_you_mean(self.slice(*first), words.iter().copied()) {
            Some("table") => Brace::Block(Block::Table),
            Some("set" | "map") => Brace::Block(Block::Set),
            Some("flowtable") => Brace::Block(Block::Flowtable),
            Some("counter") => Brace::Block(Block::Object),
            Some(_) => Brace::Block(Block::Chain),
            None => found,
        }
    }

    /// Takes one token that is no `{`; says what it ends.
    fn line_end(&mut self, block: Block, tok: Tok, parens: &mut Vec<Tok>) -> Option<Cut> {
        match tok.kind {
            token::NEWLINE | token::SEMICOLON | token::RBRACE | token::END => {
                if let Some(open) = parens.first().copied() {
                    self.unclosed(open, tok);
                    parens.clear();
                }
                self.terminator(block, tok)
            }
            token::UNCLOSED_STR => {
                self.unclosed_string(tok);
                None
            }
            token::BAD => {
                self.bad_character(tok);
                None
            }
            _ => {
                self.paren(tok, parens);
                self.push(tok);
                None
            }
        }
    }

    fn terminator(&mut self, block: Block, tok: Tok) -> Option<Cut> {
        if self.toks.is_empty() && !self.dropped {
            return match tok.kind {
                token::RBRACE => Some(Cut::Close),
                token::END => Some(Cut::End),
                _ => None,
            };
        }
        if tok.kind == token::RBRACE || tok.kind == token::END {
            self.cursor.push_back(tok);
        }
        if tok.kind == token::NEWLINE
            && let Some(cut) = self.brace_below(block, tok)
        {
            return Some(cut);
        }
        if self.dropped {
            self.toks.clear();
            self.dropped = false;
            return None;
        }
        Some(Cut::Line)
    }

    /// A header whose `{` stands on a line below: nft refuses it, and it is clear what is meant.
    fn brace_below(&mut self, block: Block, newline: Tok) -> Option<Cut> {
        let Brace::Block(inner) = brace(block, &self.toks, false) else {
            return None;
        };
        if self.cursor.peek().kind != token::NEWLINE && self.cursor.peek().kind != token::LBRACE {
            return None;
        }
        let next = self.cursor.skip_newlines();
        if next.kind != token::LBRACE {
            // the newlines are gone, but this line has ended
            return None;
        }
        let brace = self.cursor.next();
        let span = brace.span(self.source);
        self.report(
            Diagnostic::new(
                Code::BraceOnNextLine,
                span,
                "`{` must stand on the line of the block's name",
            )
            .related(
                newline.span(self.source),
                "nft takes the line as ended here",
            )
            .help("move the `{` up, behind the name"),
        );
        Some(Cut::Open(inner, brace))
    }

    pub(crate) fn push(&mut self, tok: Tok) {
        if self.toks.len() < MAX_TOKENS {
            self.toks.push(tok);
        } else if !self.dropped {
            self.dropped = true;
            let message = format!("statement of more than {MAX_TOKENS} tokens");
            let span = tok.span(self.source);
            self.report(
                Diagnostic::new(Code::TooLong, span, message).help("is a newline or `;` missing?"),
            );
        }
    }

    fn paren(&mut self, tok: Tok, parens: &mut Vec<Tok>) {
        if tok.kind == token::LPAREN {
            if parens.len() >= MAX_DEPTH && !self.dropped {
                self.dropped = true;
                self.report(Diagnostic::new(
                    Code::TooDeep,
                    tok.span(self.source),
                    format!("parentheses nested deeper than {MAX_DEPTH}"),
                ));
            } else if parens.len() < MAX_DEPTH {
                parens.push(tok);
            }
        } else if tok.kind == token::RPAREN {
            parens.pop();
        }
    }

    /// Reads the chain behind `jump {` and leaves one token for it.
    fn chain_in_place(&mut self, open: Tok) {
        if self.depth >= MAX_DEPTH {
            self.too_deep(open);
            return;
        }
        let outer = std::mem::take(&mut self.toks);
        let dropped = self.dropped;
        let body = self.chain_in_braces(open);
        if self.pending.is_some() {
            // `toks` holds a header for a block further out
            return;
        }
        self.toks = outer;
        self.dropped = dropped;
        let aux = u32::try_from(self.chains.len()).unwrap_or(u32::MAX);
        let end = body.span.end;
        self.chains.push(Some(body));
        self.push(Tok {
            kind: token::CHAIN_BLOCK,
            aux,
            start: open.start,
            end,
        });
    }

    /// Reads the set behind `{` and leaves one token for it.
    fn set_token(&mut self, open: Tok) {
        let Some(set) = self.set(open) else {
            self.dropped = true;
            return;
        };
        let tok = self.keep_set(set);
        self.push(tok);
    }

    /// A token that stands for a set.
    pub(crate) fn keep_set(&mut self, set: crate::ast::SetLit) -> Tok {
        let aux = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        let (start, end) = (set.span.start, set.span.end);
        self.sets.push(Some(set));
        Tok {
            kind: token::SET,
            aux,
            start,
            end,
        }
    }

    /// Reports a `{` that is too deep and skips to behind its `}`.
    pub(crate) fn too_deep(&mut self, open: Tok) {
        self.dropped = true;
        let message = format!("braces nested deeper than {MAX_DEPTH}");
        self.report(Diagnostic::new(
            Code::TooDeep,
            open.span(self.source),
            message,
        ));
        self.skip_braces();
    }

    /// Skips up to the `}` that closes what has been opened just now.
    pub(crate) fn skip_braces(&mut self) {
        let mut depth = 1_usize;
        while depth > 0 {
            let tok = self.cursor.next();
            match tok.kind {
                token::LBRACE => depth += 1,
                token::RBRACE => depth -= 1,
                token::END => {
                    self.cursor.push_back(tok);
                    return;
                }
                _ => {}
            }
        }
    }

    /// Reports a `{` or `(` that `at` ends too early.
    pub(crate) fn unclosed(&mut self, open: Tok, at: Tok) {
        self.dropped = true;
        let (sign, close) = if open.kind == token::LPAREN {
            ("(", ")")
        } else {
            ("{", "}")
        };
        let place = if at.kind == token::END { open } else { at };
        let diagnostic = Diagnostic::new(
            Code::UnclosedBrace,
            place.span(self.source),
            format!("`{sign}` is not closed"),
        )
        .note(format!("expected `{close}`"));
        self.report(if place.start == open.start {
            diagnostic
        } else {
            diagnostic.related(open.span(self.source), "opened here")
        });
    }

    /// Reports a string without its end and drops the rest of its line, which is part of it.
    pub(crate) fn unclosed_string(&mut self, tok: Tok) {
        self.dropped = true;
        self.report(
            Diagnostic::new(
                Code::UnclosedString,
                tok.span(self.source),
                "string is not closed on its line",
            )
            .help("add the closing `\"`"),
        );
    }

    /// Reports a character that starts no token, once a run.
    pub(crate) fn bad_character(&mut self, tok: Tok) {
        let again = self.bad_end == tok.start;
        self.bad_end = tok.end;
        self.dropped = true;
        let text = self.slice(tok).to_owned();
        // U+FFFD stands for bytes that were reported as not UTF-8
        if again || text == "\u{fffd}" {
            return;
        }
        let message = format!("unexpected character `{}`", text.escape_debug());
        let help = match text.as_str() {
            "'" => Some("strings are written with `\"`"),
            "\u{201c}" | "\u{201d}" | "\u{201e}" => {
                Some("these are typographic quotes; strings are written with `\"`")
            }
            "\u{2013}" | "\u{2014}" | "\u{2212}" => {
                Some("this is a typographic dash; ranges are written with `-`")
            }
            "\u{a0}" => Some("this is a no-break space; use a plain one"),
            _ => None,
        };
        let mut diagnostic =
            Diagnostic::new(Code::UnexpectedCharacter, tok.span(self.source), message);
        diagnostic.help = help.map(str::to_owned);
        self.report(diagnostic);
    }

    /// Reports a block's header inside a block where it cannot stand.
    fn missing_brace(&mut self, block: Block, brace: Tok) {
        let Some(first) = self.toks.first().copied() else {
            return;
        };
        let span = first.span(self.source).to(brace.span(self.source));
        let word = self.slice(first).to_owned();
        let (code, message) = if first.kind == TABLE {
            (
                Code::TableInTable,
                format!("`table` inside a {}", block.name()),
            )
        } else {
            (
                Code::MissingBrace,
                format!("`{word}` inside a {}", block.name()),
            )
        };
        let mut diagnostic = Diagnostic::new(code, span, message)
            .help("close the block above with `}` before this line");
        if let Some(open) = self.opens.last().copied() {
            diagnostic = diagnostic.related(
                open.span(self.source),
                format!("the {} that is still open starts here", block.name()),
            );
        }
        self.report(diagnostic);
    }
}
