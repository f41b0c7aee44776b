//! A line's words with their places, and what single words mean.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use redan_lang::datatype;
use redan_vm::datatype::DataType;

use crate::craft::Transport;

/// What is wrong with a line, and where in it, in bytes.
pub(super) type Wrong = (Range<usize>, String);

/// A word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Where it starts in its line, in bytes.
    pub(super) at: usize,
}

impl Word<'_> {
    /// Its place.
    pub(super) fn range(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// A fault of this word.
    pub(super) fn wrong(self, message: impl Into<String>) -> Wrong {
        (self.range(), message.into())
    }
}

/// The words of a line, one after the other.
pub(super) struct Words<'a> {
    line: &'a str,
    words: std::vec::IntoIter<Word<'a>>,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        let start = line.as_ptr().addr();
        let words: Vec<Word<'a>> = line
            .split_whitespace()
            .map(|text| Word {
                text,
                at: text.as_ptr().addr() - start,
            })
            .collect();
        Self {
            line,
            words: words.into_iter(),
        }
    }

    /// The next word; a fault at the line's end where there is none.
    pub(super) fn need(&mut self, message: &str) -> Result<Word<'a>, Wrong> {
        let end = self.line.trim_end().len();
        self.words
            .next()
            .ok_or_else(|| (end..end + 1, message.to_owned()))
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.words.next()
    }

    /// The next word, still to come.
    pub(super) fn peek(&self) -> Option<Word<'a>> {
        self.words.as_slice().first().copied()
    }

    /// Takes the next word where it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|next| next.text == word);
        if is_next {
            self.words.next();
        }
        is_next
    }

    /// A fault where there is another word.
    pub(super) fn end(&mut self) -> Result<(), Wrong> {
        match self.next() {
            Some(extra) => Err(extra.wrong(format!("`{}` is one word too many", extra.text))),
            None => Ok(()),
        }
    }
}

/// One end of a packet.
pub(super) struct End {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
}

pub(super) fn end(word: Word<'_>) -> Result<End, Wrong> {
    if let Ok(address) = address(word) {
        return Ok(End {
            address,
            port: None,
        });
    }
    let both: SocketAddr = word.text.parse().map_err(|_| {
        word.wrong(format!(
            "`{}` is no address; write such as 10.0.0.1, 10.0.0.1:80, fd00::1 or [fd00::1]:80",
            word.text
        ))
    })?;
    Ok(End {
        address: both.ip(),
        port: Some(both.port()),
    })
}

pub(super) fn address(word: Word<'_>) -> Result<IpAddr, Wrong> {
    let v4 = word.text.parse::<Ipv4Addr>().map(IpAddr::from);
    v4.or_else(|_| word.text.parse::<Ipv6Addr>().map(IpAddr::from))
        .map_err(|_| word.wrong(format!("`{}` is no address", word.text)))
}

pub(super) fn number<T: std::str::FromStr>(word: Word<'_>, most: &str) -> Result<T, Wrong> {
    word.text
        .parse()
        .map_err(|_| word.wrong(format!("`{}` is no number from 0 to {most}", word.text)))
}

pub(super) fn duration(word: Word<'_>) -> Result<Duration, Wrong> {
    let text = word.text;
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| word.wrong(format!("`{text}` is no time; write such as 30s")))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        "d" => Ok(Duration::from_secs(number.saturating_mul(86_400))),
        _ => Err(word.wrong(format!("`{unit}` is no unit; write ms, s, m, h or d"))),
    }
}

/// A symbol of a type of one byte, or a number.
pub(super) fn symbol(datatype: DataType, word: &str) -> Option<u8> {
    let symbols = datatype::info(datatype).symbols;
    let symbol = symbols.iter().find(|symbol| symbol.name == word);
    symbol.map_or_else(
        || word.parse().ok(),
        |symbol| u8::try_from(symbol.value).ok(),
    )
}

/// The type of an ICMP or ICMPv6 message.
pub(super) fn icmp_type(is_v4: bool, word: &str) -> Option<u8> {
    symbol(
        if is_v4 {
            DataType::IcmpType
        } else {
            DataType::Icmpv6Type
        },
        word,
    )
}

/// Whether a message of neighbour discovery counts only when it comes from the same link (RFC 4861, section 7.1).
pub(super) const fn is_discovery(is_v6: bool, transport: Transport) -> bool {
    is_v6
        && matches!(
            transport,
            Transport::Icmp {
                kind: 133..=137,
                ..
            }
        )
}
