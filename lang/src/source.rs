//! The texts that a compilation reads, and places in them.
//!
//! Every syntax node and diagnostic points into a source by byte offsets; lines and columns are computed only when something is shown.

use serde::{Serialize, Serializer};
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

/// Longest text that is read, in bytes: rules of 100 MB must be answered, and nobody's memory should depend on `/dev/zero`.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a text whole.
///
/// # Errors
/// Reading failed, or there is no end in sight.
pub fn read_whole(reader: impl Read) -> io::Result<Vec<u8>> {
    read_up_to(MAX_BYTES, reader)
}

fn read_up_to(most: u64, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// One text of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// A half-open range of bytes in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The text that the bytes belong to.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end }
    }

    /// The smallest span that covers both; `self` where they lie in different sources.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source != other.source {
            return self;
        }
        Self::new(
            self.source,
            self.start.min(other.start),
            self.end.max(other.end),
        )
    }

    /// Number of bytes.
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Written as `[source, start, end]`, so that a dump of a tree can find spans and replace them by their text.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.source.0, self.start, self.end].serialize(serializer)
    }
}

/// A place for people: both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One text with its name and the offsets of its lines.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: Arc<String>,
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    /// The path or the made-up name (`<stdin>`, `<command line>`).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, to keep while more sources are added.
    pub(crate) fn shared(&self) -> Arc<String> {
        Arc::clone(&self.text)
    }

    /// Where each line starts; found when it is first asked for, since a text without findings never is.
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = self
                .text
                .bytes()
                .enumerate()
                .filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0)
                .chain(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
                .collect()
        })
    }

    /// Index (from 0) of the line that holds the byte at `offset`.
    pub fn line_index(&self, offset: u32) -> usize {
        self.lines()
            .partition_point(|&start| start <= offset)
            .saturating_sub(1)
    }

    /// The bytes of a line (from 0) without its newline; empty behind the last.
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let len = self.text.len();
        let start = self.lines().get(line).map_or(len, |&at| at as usize);
        let end = self.lines().get(line + 1).map_or(len, |&at| at as usize);
        let body = self.text.get(start..end).unwrap_or_default();
        start..start + body.trim_end_matches(['\n', '\r']).len()
    }
}

/// All texts of a compilation.
#[derive(Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text. Bytes behind the first 4 GiB are cut off, since offsets are 32 bits.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let mut text = text.into();
        if u32::try_from(text.len()).is_err() {
            let mut end = u32::MAX as usize;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        self.list.push(Source {
            name: name.into(),
            text: Arc::new(text),
            lines: OnceLock::new(),
        });
        id
    }

    /// The source, if the id belongs to this collection.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }

    /// The id of the source with this name.
    pub fn find(&self, name: &str) -> Option<SourceId> {
        let at = self.list.iter().position(|source| source.name == name)?;
        u32::try_from(at).ok().map(SourceId)
    }

    /// The name of a source; empty for an unknown id.
    pub fn name(&self, id: SourceId) -> &str {
        self.source(id).map_or("", Source::name)
    }

    /// The whole text of a source; empty for an unknown id.
    pub fn whole(&self, id: SourceId) -> &str {
        self.source(id).map_or("", Source::text)
    }

    /// The text under a span; empty where the span does not fit its source.
    pub fn text(&self, span: Span) -> &str {
        self.whole(span.source)
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Line of the byte at `offset`, from 1. Quick also where lines are long, as those of JSON are.
    pub fn line(&self, id: SourceId, offset: u32) -> u32 {
        let index = self
            .source(id)
            .map_or(0, |source| source.line_index(offset));
        u32::try_from(index + 1).unwrap_or(u32::MAX)
    }

    /// Line and column of the byte at `offset`, which may lie inside a character or behind the end.
    pub fn position(&self, id: SourceId, offset: u32) -> Position {
        let Some(source) = self.source(id) else {
            return Position { line: 1, column: 1 };
        };
        let line = source.line_index(offset);
        let start = source.lines().get(line).map_or(0, |&at| at as usize);
        let end = (offset as usize).min(source.text.len());
        let before = source.text.as_bytes().get(start..end).unwrap_or_default();
        // continuation bytes of UTF-8 are 10xxxxxx
        let column = before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// First and last place of a span.
    pub fn range(&self, span: Span) -> (Position, Position) {
        (
            self.position(span.source, span.start),
            self.position(span.source, span.end),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_an_end_is_refused() {
        assert_eq!(read_up_to(3, &b"abc"[..]).unwrap(), b"abc");
        let error = read_up_to(3, io::repeat(0)).unwrap_err();
        assert_eq!(error.to_string(), "more than 3 bytes");
    }

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = Sources::new();
        let id = sources.add("x", "ab\r\n\u{e4}\u{e4}c\nlast");
        let check = |offset, line, column| {
            assert_eq!(
                sources.position(id, offset),
                Position { line, column },
                "offset {offset}"
            );
        };
        check(0, 1, 1);
        check(2, 1, 3);
        check(4, 2, 1);
        check(6, 2, 2);
        check(8, 2, 3);
        check(10, 3, 1);
        check(99, 3, 5);
        assert_eq!(sources.source(id).map(|s| s.line_range(0)), Some(0..2));
        assert_eq!((sources.line(id, 2), sources.line(id, 99)), (1, 3));
    }
}
