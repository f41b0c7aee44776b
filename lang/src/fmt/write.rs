//! Writing items in canonical style.

use super::read::{BlockItem, Item, Part};
use super::space::{Place, blank};
use crate::cut::cursor::Tok;
use crate::token::{self, Kind, keyword};

/// The text of a file.
pub(super) fn write(items: &[Item<'_>]) -> String {
    let mut writer = Writer {
        out: String::new(),
        depth: 0,
    };
    writer.items(items);
    writer.out
}

struct Writer {
    out: String,
    depth: usize,
}

fn first_kind(parts: &[Part<'_>]) -> Option<Kind> {
    match parts.first() {
        Some(Part::Tok { tok, .. }) => Some(tok.kind),
        _ => None,
    }
}

impl Writer {
    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n('\t', self.depth));
    }

    fn comment(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            self.out.push(' ');
            self.out.push_str(comment);
        }
    }

    fn items(&mut self, items: &[Item<'_>]) {
        let mut after_block = false;
        let mut after_blank = true;
        let mut rest = items.iter().peekable();
        while let Some(item) = rest.next() {
            if matches!(item, Item::Blank) {
                // none at the end of a block
                if rest.peek().is_some() && !after_blank {
                    self.out.push('\n');
                    after_blank = true;
                }
                continue;
            }
            let block = matches!(item, Item::Block(_));
            let apart = after_block || (block && !after_blank && !self.comment_above());
            if apart && !after_blank {
                self.out.push('\n');
            }
            match item {
                Item::Blank => {}
                Item::Comment(text) => {
                    self.indent();
                    self.out.push_str(text);
                    self.out.push('\n');
                }
                Item::Line(parts, comment) => {
                    self.indent();
                    self.parts(parts, Place::default());
                    if first_kind(parts) == Some(keyword("type")) && is_hook(parts) {
                        self.policy(&mut rest, *comment);
                    } else {
                        self.comment(*comment);
                    }
                    self.out.push('\n');
                }
                Item::Block(block) => {
                    self.indent();
                    self.parts(&block.header, Place::default());
                    self.out.push(' ');
                    self.block(block);
                    self.comment(block.close);
                    self.out.push('\n');
                }
            }
            after_block = block;
            after_blank = false;
        }
    }

    /// Whether the last line is a comment, which belongs to what follows.
    fn comment_above(&self) -> bool {
        let last = self
            .out
            .trim_end_matches('\n')
            .rsplit('\n')
            .next()
            .unwrap_or_default();
        last.trim_start().starts_with('#')
    }

    /// Ends a chain's type with `;` and takes the policy onto its line.
    fn policy<'i, 'a: 'i>(
        &mut self,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'i Item<'a>>>,
        comment: Option<&str>,
    ) {
        self.out.push(';');
        if comment.is_none()
            && let Some(Item::Line(parts, comment)) = rest.peek()
            && first_kind(parts) == Some(keyword("policy"))
        {
            let comment = *comment;
            self.out.push(' ');
            self.parts(parts, Place::default());
            self.out.push(';');
            self.comment(comment);
            rest.next();
            return;
        }
        self.comment(comment);
    }

    fn block(&mut self, block: &BlockItem<'_>) {
        self.out.push('{');
        self.comment(block.open);
        self.out.push('\n');
        self.depth += 1;
        self.items(&block.items);
        self.depth -= 1;
        self.indent();
        self.out.push('}');
    }

    /// Writes parts of a line behind what is there already.
    fn parts(&mut self, parts: &[Part<'_>], mut place: Place) {
        place.declares = [keyword("type"), keyword("typeof")]
            .map(Some)
            .contains(&first_kind(parts));
        let mut left: Option<Tok> = None;
        for part in parts {
            match part {
                Part::Tok { tok, text, gap } => {
                    if left.is_some_and(|left| blank(left, *tok, *gap, place)) {
                        self.out.push(' ');
                    }
                    self.out.push_str(text);
                    place.before = left.map(|left| left.kind);
                    if tok.kind == token::COMMA {
                        place.colons = 0;
                    } else if tok.kind == token::COLON {
                        place.colons += 1;
                    }
                    left = Some(*tok);
                }
                Part::Continue => {
                    self.out.push_str(" \\\n");
                    self.depth += 1;
                    self.indent();
                    self.depth -= 1;
                    left = None;
                }
                Part::Set(inner) => {
                    self.apart(left);
                    self.set(inner);
                    left = Some(closing());
                }
                Part::Chain(block) => {
                    self.apart(left);
                    self.block(block);
                    left = Some(closing());
                }
                Part::Break | Part::Comment(..) => {}
            }
        }
    }

    fn apart(&mut self, left: Option<Tok>) {
        if left.is_some() {
            self.out.push(' ');
        }
    }

    fn set(&mut self, parts: &[Part<'_>]) {
        let place = Place {
            in_set: true,
            ..Place::default()
        };
        if parts.is_empty() {
            self.out.push_str("{ }");
            return;
        }
        if !parts
            .iter()
            .any(|part| matches!(part, Part::Break | Part::Comment(..)))
        {
            self.out.push_str("{ ");
            self.parts(parts, place);
            self.out.push_str(" }");
            return;
        }
        self.out.push('{');
        self.depth += 1;
        let mut open_line = true;
        for line in lines(parts) {
            if let [Part::Comment(text, false)] = line
                && open_line
            {
                // behind the `{`
                self.comment(Some(text));
                open_line = false;
                continue;
            }
            open_line = false;
            if first_kind(line) == Some(token::COMMA) && !self.ends_with_comment() {
                self.parts(line, place);
            } else {
                self.out.push('\n');
                self.indent();
                self.parts(line, place);
            }
            if let Some(Part::Comment(text, _)) = line
                .iter()
                .rev()
                .find(|part| matches!(part, Part::Comment(..)))
            {
                let lone = line.len() == 1;
                if lone {
                    self.out.push_str(text);
                } else {
                    self.comment(Some(text));
                }
            }
        }
        self.depth -= 1;
        self.out.push('\n');
        self.indent();
        self.out.push('}');
    }

    fn ends_with_comment(&self) -> bool {
        let last = self.out.rsplit('\n').next().unwrap_or_default();
        last.contains('#')
    }
}

/// A token for the `}` that has been written.
fn closing() -> Tok {
    Tok {
        kind: token::RBRACE,
        aux: 0,
        start: 0,
        end: 0,
    }
}

/// Whether a line that starts with `type` declares a base chain.
fn is_hook(parts: &[Part<'_>]) -> bool {
    parts
        .iter()
        .any(|part| matches!(part, Part::Tok { tok, .. } if tok.kind == keyword("hook")))
}

/// The lines of a set, without empty ones.
fn lines<'p, 'a>(parts: &'p [Part<'a>]) -> impl Iterator<Item = &'p [Part<'a>]> {
    // a comment ends its line even where the newline was given to the front
    parts
        .split(|part| matches!(part, Part::Break))
        .filter(|line| !line.is_empty())
}
