//! JSON with places: every value knows where it stands, so that errors do too.

use std::cell::Cell;

/// Deepest nesting.
const MAX_DEPTH: u32 = 64;

/// What some editors put at the start of a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A value and the bytes that it takes in its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// First byte.
    pub(super) start: usize,
    /// Behind the last byte.
    pub(super) end: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// Every kind of value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// Text.
    Text(String),
    /// `[ ... ]`.
    Array(Vec<Node>),
    /// `{ ... }`, in order.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) node: Node,
    /// First byte of the name.
    pub(super) start: usize,
    /// Behind the name's last byte.
    pub(super) end: usize,
    /// Whether anybody has asked for it.
    pub(super) seen: Cell<bool>,
}

impl Node {
    /// Its members, if it is an object.
    pub(super) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Array(_) => &[],
        }
    }

    /// A member by name, which is known from here on.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.members().iter().find(|member| member.name == key)?;
        found.seen.set(true);
        Some(&found.node)
    }

    /// A member by name, for those who only look around.
    pub(super) fn peek(&self, key: &str) -> Option<&Self> {
        let found = self.members().iter().find(|member| member.name == key)?;
        Some(&found.node)
    }

    /// Takes all that is in it for known.
    pub(super) fn pass(&self) {
        for member in self.members() {
            member.seen.set(true);
            member.node.pass();
        }
    }

    /// Members that nobody has asked for, in objects that somebody has looked into.
    pub(super) fn unseen<'n>(&'n self, out: &mut Vec<&'n Member>) {
        match &self.kind {
            Kind::Array(items) => items.iter().for_each(|item| item.unseen(out)),
            Kind::Object(members) => {
                for member in members {
                    if member.seen.get() {
                        member.node.unseen(out);
                    } else {
                        out.push(member);
                    }
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a truth value",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// Its text, if it is text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// The name and value of its only member.
    pub(super) fn only(&self) -> Option<(&str, &Self)> {
        match self.members() {
            [only] => {
                only.seen.set(true);
                Some((&only.name, &only.node))
            }
            _ => None,
        }
    }

    /// Its items; a lone value is one item.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Array(items) => items,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Object(_) => {
                std::slice::from_ref(self)
            }
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// First byte.
    pub(super) start: usize,
    /// Behind the last byte.
    pub(super) end: usize,
    /// What it is.
    pub(super) message: String,
}

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Fault>> {
    let mut parser = Parser {
        text,
        at: 0,
        twice: Vec::new(),
    };
    parser.eat(BYTE_ORDER_MARK);
    let found = parser.whole();
    let mut faults = parser.twice;
    match found {
        Ok(node) if faults.is_empty() => Ok(node),
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.push(fault);
            Err(faults)
        }
    }
}

/// A member whose name an earlier one has, too.
fn doubled(members: &[Member]) -> Option<Fault> {
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    let found = sorted.windows(2).find_map(|pair| match pair {
        [first, second] if first.name == second.name => Some(*second),
        _ => None,
    })?;
    Some(Fault {
        start: found.start,
        end: found.end,
        message: format!("`{}` stands here twice", found.name),
    })
}

/// Whether text is a number as RFC 8259 has it.
fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (body, exponent) = match text.split_once(['e', 'E']) {
        Some((body, exponent)) => (body, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match body.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (body, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    twice: Vec<Fault>,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<Node, Fault> {
        let node = self.value(0)?;
        self.blanks();
        if self.at < self.text.len() {
            return Err(self.fault("nothing may follow the closing brace"));
        }
        Ok(node)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at += blank;
    }

    fn fault(&self, message: &str) -> Fault {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Fault {
            start: self.at,
            end,
            message: message.to_owned(),
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn value(&mut self, depth: u32) -> Result<Node, Fault> {
        self.blanks();
        if depth > MAX_DEPTH {
            return Err(self.fault("this nests too deeply"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Kind::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.fault("the text ends where a value is wanted")),
        };
        Ok(Node {
            start,
            end: self.at,
            kind,
        })
    }

    fn word(&mut self) -> Result<Kind, Fault> {
        for (word, kind) in [
            ("null", Kind::Null),
            ("true", Kind::Bool(true)),
            ("false", Kind::Bool(false)),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.fault("a JSON value is wanted here"))
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let rest = self.rest();
        let is_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default().to_owned();
        let start = self.at;
        self.at += end;
        if is_json_number(&text) {
            return Ok(Kind::Number(text));
        }
        Err(Fault {
            start,
            end: self.at,
            message: format!("`{text}` is no number in JSON"),
        })
    }

    fn array(&mut self, depth: u32) -> Result<Kind, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.eat(']') {
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat(']') {
                return Ok(Kind::Array(items));
            }
            if !self.eat(',') {
                return Err(self.fault("`,` or `]` is wanted here"));
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Kind, Fault> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        self.blanks();
        if self.eat('}') {
            return Ok(Kind::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some('"') {
                return Err(self.fault("a name in quotes is wanted here"));
            }
            let start = self.at;
            let name = self.string()?;
            let end = self.at;
            self.blanks();
            if !self.eat(':') {
                return Err(self.fault("`:` is wanted here"));
            }
            members.push(Member {
                name,
                node: self.value(depth + 1)?,
                start,
                end,
                seen: Cell::new(false),
            });
            self.blanks();
            if self.eat('}') {
                self.twice.extend(doubled(&members));
                return Ok(Kind::Object(members));
            }
            if !self.eat(',') {
                return Err(self.fault("`,` or `}` is wanted here"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                '\n' => break,
                c => out.push(c),
            }
        }
        Err(Fault {
            start,
            end: self.at,
            message: "this string is not closed on its line".to_owned(),
        })
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let c = self.peek();
        self.at += c.map_or(0, char::len_utf8);
        Ok(match c {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('u') => {
                let first = self.unit()?;
                let code = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    let second = self.unit()?;
                    0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.fault("JSON knows no such escape")),
        })
    }

    fn unit(&mut self) -> Result<u32, Fault> {
        let digits = self.rest().get(..4).unwrap_or_default();
        match u32::from_str_radix(digits, 16) {
            Ok(code) => {
                self.at += 4;
                Ok(code)
            }
            Err(_) => Err(self.fault("four hexadecimal digits are wanted here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_places() {
        let node = parse(r#" {"a": [1, "x\u00e9", null]} "#).unwrap();
        let items = node.get("a").unwrap().items();
        assert_eq!((items[1].start, items[1].end), (11, 20));
        assert_eq!(items[1].text(), Some("xé"));
    }

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "10", "1.5", "1e5", "1.25E-3"] {
            assert_eq!(parse(text).unwrap().kind, Kind::Number(text.to_owned()));
        }
    }

    #[test]
    fn faults_have_places() {
        let check = |text: &str, start| {
            let faults = parse(text).unwrap_err();
            assert_eq!(faults[0].start, start, "{text}");
        };
        check("{", 1);
        check("{\"a\" 1}", 5);
        check("[1, ?]", 4);
        check("[1] 2", 4);
        check("\"abc", 0);
        check(&"[".repeat(100), 65);
        check("[01]", 1);
        check("[1.]", 1);
        check("[-]", 1);
        check("[1e]", 1);
        check("{\"a\": 1, \"b\": 2, \"a\": 3}", 17);
    }
}
