//! A file as lines, blocks and comments, from its tokens. Braces mean what they mean to the parser ([`crate::cut`]); only texts without errors come here.

use crate::cut::Block;
use crate::cut::cursor::Tok;
use crate::cut::line::{Brace, brace};
use crate::lex::{Class, Lexeme, Lexer};
use crate::token;

/// One line of output, or a block.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Blank,
    /// A comment on a line of its own.
    Comment(&'a str),
    /// A statement, with the comment behind it.
    Line(Vec<Part<'a>>, Option<&'a str>),
    Block(BlockItem<'a>),
}

/// A block with its header.
#[derive(Debug)]
pub(super) struct BlockItem<'a> {
    pub(super) header: Vec<Part<'a>>,
    /// The comment behind `{`.
    pub(super) open: Option<&'a str>,
    pub(super) items: Vec<Item<'a>>,
    /// The comment behind `}`.
    pub(super) close: Option<&'a str>,
}

/// A piece of a statement.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A token, and whether something separated it from the one before.
    Tok { tok: Tok, text: &'a str, gap: bool },
    /// A line that goes on after `\`.
    Continue,
    /// `{ ... }` as a value.
    Set(Vec<Self>),
    /// A line break inside a set.
    Break,
    /// A comment inside a set, and whether it has a line of its own.
    Comment(&'a str, bool),
    /// A chain in place.
    Chain(BlockItem<'a>),
}

/// The items of a file.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let mut reader = Reader {
        lexer: Lexer::new(text),
        text,
        back: None,
    };
    reader.items(Block::Top)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    text: &'a str,
    back: Option<Lexeme>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Lexeme> {
        self.back.take().or_else(|| self.lexer.next())
    }

    fn slice(&self, lexeme: Lexeme) -> &'a str {
        self.text
            .get(lexeme.start as usize..lexeme.end as usize)
            .unwrap_or_default()
    }

    /// Whether a blank is a continued line.
    fn continues(&self, lexeme: Lexeme) -> bool {
        self.slice(lexeme).starts_with('\\')
    }

    /// The comment on the rest of this line, if there is one; its newline stays.
    fn comment_here(&mut self) -> Option<&'a str> {
        while let Some(lexeme) = self.next() {
            match lexeme.class {
                Class::Blank | Class::Token(token::SEMICOLON) => {}
                Class::Comment => return Some(self.slice(lexeme).trim_end()),
                Class::Token(_) => {
                    self.back = Some(lexeme);
                    return None;
                }
            }
        }
        None
    }

    fn items(&mut self, block: Block) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        // newlines since the last item; two are a blank line
        let mut newlines = 1_usize;
        while let Some(lexeme) = self.next() {
            match lexeme.class {
                Class::Blank | Class::Token(token::SEMICOLON) => continue,
                Class::Token(token::NEWLINE) => {
                    newlines += 1;
                    continue;
                }
                Class::Token(token::RBRACE) => break,
                Class::Comment | Class::Token(_) => {}
            }
            if newlines > 1 && !items.is_empty() {
                items.push(Item::Blank);
            }
            newlines = 0;
            if lexeme.class == Class::Comment {
                items.push(Item::Comment(self.slice(lexeme).trim_end()));
            } else {
                self.back = Some(lexeme);
                items.push(self.line(block));
            }
        }
        items
    }

    fn block(&mut self, block: Block, header: Vec<Part<'a>>) -> BlockItem<'a> {
        let open = self.comment_here();
        let items = self.items(block);
        BlockItem {
            header,
            open,
            items,
            close: None,
        }
    }

    fn line(&mut self, block: Block) -> Item<'a> {
        let mut parts = Vec::new();
        let mut toks: Vec<Tok> = Vec::new();
        let mut gap = false;
        let mut parens = 0_usize;
        while let Some(lexeme) = self.next() {
            let kind = match lexeme.class {
                Class::Blank => {
                    gap = true;
                    if self.continues(lexeme) && !parts.is_empty() {
                        parts.push(Part::Continue);
                    }
                    continue;
                }
                Class::Comment => return Item::Line(parts, Some(self.slice(lexeme).trim_end())),
                Class::Token(kind) => kind,
            };
            match kind {
                token::NEWLINE | token::RBRACE => {
                    self.back = Some(lexeme);
                    return Item::Line(parts, None);
                }
                token::SEMICOLON => {
                    let comment = self.comment_here();
                    return Item::Line(parts, comment);
                }
                token::LBRACE => match brace(block, &toks, parens > 0) {
                    Brace::Block(inner) => {
                        let mut item = self.block(inner, parts);
                        item.close = self.comment_here();
                        return Item::Block(item);
                    }
                    Brace::Chain => parts.push(Part::Chain(self.block(Block::Chain, Vec::new()))),
                    Brace::Set | Brace::Misplaced => parts.push(Part::Set(self.set())),
                },
                _ => parts.push(self.tok(lexeme, gap)),
            }
            match kind {
                token::LPAREN => parens += 1,
                token::RPAREN => parens = parens.saturating_sub(1),
                _ => {}
            }
            toks.push(Tok {
                kind,
                aux: 0,
                start: lexeme.start,
                end: lexeme.end,
            });
            gap = false;
        }
        Item::Line(parts, None)
    }

    fn tok(&self, lexeme: Lexeme, gap: bool) -> Part<'a> {
        let Class::Token(kind) = lexeme.class else {
            return Part::Continue;
        };
        let tok = Tok {
            kind,
            aux: 0,
            start: lexeme.start,
            end: lexeme.end,
        };
        Part::Tok {
            tok,
            text: self.slice(lexeme),
            gap,
        }
    }

    /// What stands in `{ ... }`, up to its `}`.
    fn set(&mut self) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut gap = true;
        // whether nothing stands on this line so far
        let mut fresh = false;
        while let Some(lexeme) = self.next() {
            match lexeme.class {
                Class::Blank => {
                    gap = true;
                    continue;
                }
                Class::Comment => parts.push(Part::Comment(self.slice(lexeme).trim_end(), fresh)),
                Class::Token(token::NEWLINE) => {
                    if !matches!(parts.last(), Some(Part::Break)) {
                        parts.push(Part::Break);
                    }
                    fresh = true;
                    gap = true;
                    continue;
                }
                Class::Token(token::RBRACE) => break,
                Class::Token(token::LBRACE) => {
                    let jump = matches!(
                        parts.last(),
                        Some(Part::Tok {
                            text: "jump" | "goto",
                            ..
                        })
                    );
                    if jump {
                        parts.push(Part::Chain(self.block(Block::Chain, Vec::new())));
                    } else {
                        parts.push(Part::Set(self.set()));
                    }
                }
                Class::Token(_) => parts.push(self.tok(lexeme, gap)),
            }
            fresh = false;
            gap = false;
        }
        // A set that ends on a line of its own has lines, also when its first element stands behind the `{`.
        if matches!(parts.last(), Some(Part::Break)) {
            parts.pop();
            if !parts.is_empty() {
                parts.insert(0, Part::Break);
            }
        }
        parts
    }
}
