//! From text to tokens. logos finds them; keywords are looked up in the table of [`crate::token`].
//!
//! The tokens tile the text: blanks and comments are tokens too, which the formatter keeps and the cutter skips. logos's longest match settles
//! what blanks do not: `10.0.0.1-10.0.0.5`, `a-b`, `1d2h`, `::`, `eth*`.

use crate::token::{self, Kind};
use logos::Logos;

/// What logos sees. Patterns that need something later have bounded repeats, so that no text takes more than linear time.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    #[regex(r"[ \t\r]+")]
    #[token("\u{feff}")]
    Blank,
    #[regex(r"\\\r?\n")]
    Continuation,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[token("\n")]
    Newline,
    #[regex(r"[A-Za-z_.][A-Za-z0-9/_.\-]*", priority = 5)]
    #[token("8021q")]
    #[token("8021ad")]
    Word,
    #[regex(r"[A-Za-z_.][A-Za-z0-9/_.\-]*\\?\*")]
    #[regex(r"\\\*")]
    WildcardWord,
    // nft and the kernel would end a string at a NUL
    #[regex(r#""[^"\n\x00]*"?"#)]
    Str,
    #[regex(r"[0-9]+", priority = 6)]
    #[regex(r"0[xX][0-9a-fA-F]+", priority = 8)]
    Number,
    #[regex(r"[0-9]+w([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?")]
    #[regex(r"[0-9]+d([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?")]
    #[regex(r"[0-9]+h([0-9]+m)?([0-9]+s)?([0-9]+ms)?")]
    #[regex(r"[0-9]+m([0-9]+s)?([0-9]+ms)?")]
    #[regex(r"[0-9]+s([0-9]+ms)?")]
    #[regex(r"[0-9]+ms")]
    Time,
    #[regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", priority = 9)]
    Ipv4,
    #[regex(r"([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}", priority = 41)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,7}:", priority = 42)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,6}(:[0-9a-fA-F]{1,4})", priority = 43)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}", priority = 44)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}", priority = 45)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}", priority = 46)]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}", priority = 47)]
    #[regex(r"([0-9a-fA-F]{1,4}:)(:[0-9a-fA-F]{1,4}){1,6}", priority = 48)]
    #[regex(r":(:[0-9a-fA-F]{1,4}){1,7}", priority = 49)]
    #[token("::", priority = 70)]
    #[regex(
        r"([0-9a-fA-F]{1,4}:){6}([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
        priority = 16
    )]
    #[regex(
        r"([0-9a-fA-F]{1,4}:){1,5}:([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
        priority = 16
    )]
    #[regex(r"([0-9a-fA-F]{1,4}:){1,4}:([0-9a-fA-F]{1,4}:)([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})", priority = 50)]
    #[regex(
        r"::([0-9a-fA-F]{1,4}:){0,5}([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
        priority = 16
    )]
    Ipv6,
    #[regex(r"([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}", priority = 80)]
    Mac,
    #[regex(r"\$[A-Za-z_.][A-Za-z0-9/_.\-]*")]
    Var,
    #[regex(r"@[A-Za-z_.][A-Za-z0-9/_.\-]*")]
    SetRef,
    #[token("==")]
    Eq,
    #[token("!=")]
    Ne,
    #[token("<=")]
    Le,
    #[token(">=")]
    Ge,
    #[token("<<")]
    Shl,
    #[token(">>")]
    Shr,
    #[regex(r"[,:;.\-+/*=<>&|^!{}()\[\]@]", priority = 10)]
    Sign,
    // what nobody types: the text that JSON is turned into has it
    #[token("\u{1a}")]
    Nothing,
}

/// Whether a token counts or only separates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Blanks and joined lines.
    Blank,
    /// From `#` to the end of the line, without it.
    Comment,
    /// Anything else, newlines included.
    Token(Kind),
}

/// A token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub class: Class,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
}

/// Yields the tokens of a text, in order, without gaps.
#[derive(Debug)]
pub struct Lexer<'a> {
    raw: logos::Lexer<'a, Raw>,
    /// The rest of a word that is several tokens (`bytes/second`).
    rest: Option<(u32, u32)>,
    /// After `priority` and `hour`, up to the end of the line or of the set that it opens, `1:2` is a class or time of day.
    class_ids: bool,
    /// From a set of classes or hours on, it is one everywhere.
    class_sets: bool,
    /// `type` or `typeof` stands on this line.
    is_type: bool,
    /// Braces that are open since the word.
    braces: u32,
    /// The last token that is no blank: behind `10/hour` no time of day follows.
    before: Kind,
}

impl<'a> Lexer<'a> {
    /// Reads a text of at most 4 GiB from its start.
    pub fn new(text: &'a str) -> Self {
        Self {
            raw: Raw::lexer(text),
            rest: None,
            class_ids: false,
            class_sets: false,
            is_type: false,
            braces: 0,
            before: token::NEWLINE,
        }
    }

    /// The text that is read.
    pub fn text(&self) -> &'a str {
        self.raw.source()
    }

    fn word(&mut self, start: u32, end: u32) -> Kind {
        let text = self
            .text()
            .get(start as usize..end as usize)
            .unwrap_or_default();
        let kind = token::kind_of_word(text);
        if kind == PRIORITY || (kind == HOUR && self.before != token::SLASH) {
            self.class_ids = true;
            self.braces = 0;
            // `type filter hook input priority 0` is no set's type
            self.class_sets |= self.is_type;
        } else if kind == TYPEOF || kind == TYPE {
            self.is_type = true;
        } else if kind == HOOK {
            self.is_type = false;
        } else if text == "classid" {
            self.class_sets = true;
        }
        kind
    }

    /// `mbytes/second` is one word to logos and three tokens to the grammar.
    fn split_rate(&mut self, start: u32, end: u32) -> Option<Lexeme> {
        let text = self.text().get(start as usize..end as usize)?;
        let (unit, _) = text.split_once('/')?;
        if !matches!(unit, "bytes" | "kbytes" | "mbytes" | "gbytes" | "packets") {
            return None;
        }
        let middle = start + u32::try_from(unit.len()).ok()?;
        self.rest = Some((middle, end));
        Some(Lexeme {
            class: Class::Token(token::kind_of_word(unit)),
            start,
            end: middle,
        })
    }

    fn take_rest(&mut self, start: u32, end: u32) -> Lexeme {
        if self.text().as_bytes().get(start as usize) == Some(&b'/') {
            self.rest = (start + 1 < end).then_some((start + 1, end));
            return Lexeme {
                class: Class::Token(token::SLASH),
                start,
                end: start + 1,
            };
        }
        self.rest = None;
        Lexeme {
            class: Class::Token(self.word(start, end)),
            start,
            end,
        }
    }

    /// Takes in the rest of a class (`ffff:1`) whose first half has been read; both halves are up to four hex digits. A time of day
    /// (`17:00`) looks the same, and may have seconds.
    fn extend_class_id(&mut self, kind: Kind) -> Kind {
        let hex = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
        let half = self.raw.slice();
        if !(self.class_ids || self.class_sets) || half.len() > 4 || hex(half) != half.len() {
            return kind;
        }
        let rest = self.raw.remainder();
        // `1d` may have been read as a number with a word behind it
        let lead = hex(rest);
        let Some(tail) = rest.get(lead..).and_then(|tail| tail.strip_prefix(':')) else {
            return kind;
        };
        let low = hex(tail);
        if lead + half.len() > 4 || low == 0 || low > 4 {
            return kind;
        }
        let behind = tail.get(low..).unwrap_or_default();
        let seconds = match behind.as_bytes() {
            [b':', a, b, ..] if low == 2 && a.is_ascii_digit() && b.is_ascii_digit() => 3,
            _ => 0,
        };
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if behind
            .get(seconds..)
            .is_some_and(|rest| rest.starts_with(goes_on))
        {
            return kind;
        }
        self.raw.bump(lead + 1 + low + seconds);
        token::CLASS_ID
    }

    fn kind(&mut self, raw: Raw, start: u32, end: u32) -> Class {
        let kind = match raw {
            Raw::Blank | Raw::Continuation => return Class::Blank,
            Raw::Comment => return Class::Comment,
            Raw::Newline => {
                self.class_ids &= self.braces > 0;
                self.is_type = false;
                token::NEWLINE
            }
            Raw::Word => {
                let kind = if self.raw.slice() == "." {
                    token::DOT
                } else {
                    self.word(start, end)
                };
                self.extend_class_id(kind)
            }
            Raw::WildcardWord => token::WILDCARD_WORD,
            Raw::Str => {
                let slice = self.raw.slice();
                if slice.len() >= 2 && slice.ends_with('"') {
                    token::STR
                } else {
                    token::UNCLOSED_STR
                }
            }
            Raw::Number => self.extend_class_id(token::NUMBER),
            Raw::Time => self.extend_class_id(token::TIME),
            Raw::Ipv4 => token::IPV4,
            Raw::Ipv6 => token::IPV6,
            Raw::Mac => token::MAC,
            Raw::Var => token::VAR,
            Raw::SetRef => match self.raw.slice() {
                "@ll" => token::AT_LL,
                "@nh" => token::AT_NH,
                "@th" => token::AT_TH,
                "@ih" => token::AT_IH,
                _ => token::SET_REF,
            },
            Raw::Eq => token::EQ,
            Raw::Ne => token::NE,
            Raw::Le => token::LE,
            Raw::Ge => token::GE,
            Raw::Shl => token::SHL,
            Raw::Shr => token::SHR,
            Raw::Nothing => token::NOTHING,
            Raw::Sign => {
                let kind = sign(self.raw.slice());
                self.class_ids &= kind != token::SEMICOLON;
                self.is_type &= kind != token::SEMICOLON;
                match kind {
                    token::LBRACE => self.braces += 1,
                    token::RBRACE => self.braces = self.braces.saturating_sub(1),
                    _ => {}
                }
                kind
            }
        };
        self.before = kind;
        Class::Token(kind)
    }
}

const PRIORITY: Kind = token::keyword("priority");
const TYPEOF: Kind = token::keyword("typeof");
const TYPE: Kind = token::keyword("type");
const HOOK: Kind = token::keyword("hook");
const HOUR: Kind = token::keyword("hour");

fn sign(text: &str) -> Kind {
    match text {
        "," => token::COMMA,
        ":" => token::COLON,
        ";" => token::SEMICOLON,
        "." => token::DOT,
        "-" => token::DASH,
        "+" => token::PLUS,
        "/" => token::SLASH,
        "*" => token::STAR,
        "=" => token::ASSIGN,
        "<" => token::LT,
        ">" => token::GT,
        "&" => token::AND,
        "|" => token::OR,
        "^" => token::XOR,
        "!" => token::NOT,
        "{" => token::LBRACE,
        "}" => token::RBRACE,
        "(" => token::LPAREN,
        ")" => token::RPAREN,
        "[" => token::LBRACKET,
        "]" => token::RBRACKET,
        "@" => token::AT,
        _ => token::BAD,
    }
}

impl Iterator for Lexer<'_> {
    type Item = Lexeme;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "sources are cut off at 4 GiB"
    )]
    fn next(&mut self) -> Option<Lexeme> {
        if let Some((start, end)) = self.rest {
            return Some(self.take_rest(start, end));
        }
        let raw = self.raw.next()?;
        let span = self.raw.span();
        let (start, end) = (span.start as u32, span.end as u32);
        let Ok(raw) = raw else {
            // one token for a run of what no token has, so that a binary file has few
            let odd = |byte: &u8| !(byte.is_ascii_graphic() || byte.is_ascii_whitespace());
            let run = self.raw.remainder().bytes().take_while(odd).count();
            self.raw.bump(run);
            let end = end + run as u32;
            return Some(Lexeme {
                class: Class::Token(token::BAD),
                start,
                end,
            });
        };
        if raw == Raw::Word
            && self.raw.slice().contains('/')
            && let Some(lexeme) = self.split_rate(start, end)
        {
            return Some(lexeme);
        }
        let class = self.kind(raw, start, end);
        Some(Lexeme {
            class,
            start,
            end: self.raw.span().end as u32,
        })
    }
}

#[cfg(test)]
mod tests;
