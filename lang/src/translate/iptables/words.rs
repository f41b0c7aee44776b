//! Lines cut into words, as a shell does it and as `iptables-restore` does it.

use crate::source::{SourceId, Span};

/// A word with its quotes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What the command would get.
    pub(super) text: String,
    /// Where it stands, quotes included.
    pub(super) span: Span,
    /// Whether a shell would put something else in its place: `$x`, `$(...)`, a backquote.
    pub(super) expands: bool,
}

impl Word {
    /// As it is written on one line.
    pub(super) fn quoted(&self) -> String {
        let text = self.text.replace(['\n', '\r'], " ");
        if text.is_empty() || text.contains(char::is_whitespace) {
            format!("\"{text}\"")
        } else {
            text
        }
    }
}

/// What ends a command in a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// `;`, `&&`, `&` or the line's end: what follows runs too.
    Next,
    /// `||`, `|`: what follows runs at times, or reads what the command prints.
    Other,
}

/// A command's words and what ended it.
#[derive(Debug)]
pub(super) struct Words {
    /// The words.
    pub(super) list: Vec<Word>,
    /// How it ended.
    pub(super) end: End,
}

/// Cuts a line.
pub(super) struct Cutter<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    offset: u32,
    shell: bool,
}

impl<'a> Cutter<'a> {
    /// A cutter for the line `text`, which stands at `offset`; `shell` says whether `;` and its like end a command.
    pub(super) fn new(source: SourceId, offset: u32, text: &'a str, shell: bool) -> Self {
        Self {
            source,
            text,
            at: 0,
            offset,
            shell,
        }
    }

    /// What is not cut yet.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let place = |at: usize| self.offset + u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.source, place(from), place(to))
    }

    /// The next command of the line.
    ///
    /// # Errors
    /// The place of a quote that is not closed.
    pub(super) fn next(&mut self) -> Option<Result<Words, Span>> {
        let mut list = Vec::new();
        loop {
            let blanks = self.rest().len() - self.rest().trim_start().len();
            self.at += blanks;
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('#') {
                self.at = self.text.len();
                return (!list.is_empty()).then_some(Ok(Words {
                    list,
                    end: End::Next,
                }));
            }
            if self.shell
                && let Some((operator, end)) = operator(rest)
            {
                self.at += operator;
                if list.is_empty() && end == End::Next {
                    continue;
                }
                return Some(Ok(Words { list, end }));
            }
            match self.word() {
                Ok(word) if self.shell && is_redirection(&word.text) => {
                    if word.text.ends_with('>') || word.text.ends_with('<') {
                        // the file's name
                        self.at += self.rest().len() - self.rest().trim_start().len();
                        let _ = self.word();
                    }
                }
                Ok(word) => list.push(word),
                Err(span) => {
                    self.at = self.text.len();
                    return Some(Err(span));
                }
            }
        }
    }

    fn word(&mut self) -> Result<Word, Span> {
        let start = self.at;
        let mut text = String::new();
        let mut expands = false;
        let mut quote = None;
        let mut chars = self.rest().char_indices().peekable();
        let mut end = self.rest().len();
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (None, c) if c.is_whitespace() => {
                    end = at;
                    break;
                }
                (None, ';' | '|' | '&') if self.shell => {
                    end = at;
                    break;
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None | Some('"'), '\\') => text.extend(chars.next().map(|(_, c)| c)),
                (None | Some('"'), '$' | '`') => {
                    expands = true;
                    text.push(c);
                }
                (_, c) => text.push(c),
            }
        }
        self.at = start + end;
        let span = self.span(start, self.at);
        match quote {
            None => Ok(Word {
                text,
                span,
                expands,
            }),
            Some(_) => Err(span),
        }
    }
}

fn operator(rest: &str) -> Option<(usize, End)> {
    match rest.as_bytes() {
        [b'&', b'&', ..] => Some((2, End::Next)),
        [b'|', b'|', ..] => Some((2, End::Other)),
        [b';' | b'&', ..] => Some((1, End::Next)),
        [b'|', ..] => Some((1, End::Other)),
        _ => None,
    }
}

/// `>`, `2>/dev/null` and their like, which change nothing of what a command does.
fn is_redirection(word: &str) -> bool {
    word.trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with(['>', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shell: bool, line: &str, wanted: &[&[&str]]) {
        let mut cutter = Cutter::new(SourceId(0), 0, line, shell);
        let mut got = Vec::new();
        while let Some(words) = cutter.next() {
            let words = words.expect("every quote is closed");
            got.push(words.list.into_iter().map(|word| word.text).collect());
        }
        let got: Vec<Vec<String>> = got;
        assert_eq!(got, wanted, "{line}");
    }

    #[test]
    fn quotes_and_operators() {
        check(
            false,
            r#"-A x --comment "a \"b\" c" # no"#,
            &[&["-A", "x", "--comment", "a \"b\" c"]],
        );
        check(false, "a;b 'c d'e", &[&["a;b", "c de"]]);
        check(
            true,
            "a 2>/dev/null; b && c > file d",
            &[&["a"], &["b"], &["c", "d"]],
        );
        let mut open = Cutter::new(SourceId(0), 10, "a \"b", false);
        assert_eq!(
            open.next().unwrap().unwrap_err(),
            Span::new(SourceId(0), 12, 14)
        );
    }
}
