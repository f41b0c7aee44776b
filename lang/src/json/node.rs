//! JSON with places: every value knows where it stands, so that errors do too.

/// Deepest nesting.
const MAX_DEPTH: u32 = 64;

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
    Object(Vec<(String, Node)>),
}

impl Node {
    /// A member by name.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, node)| node),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Array(_) => None,
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
        match &self.kind {
            Kind::Object(members) => match members.as_slice() {
                [(name, node)] => Some((name, node)),
                _ => None,
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Array(_) => None,
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

    /// Whether it is `true`.
    pub(super) fn is_true(&self) -> bool {
        self.kind == Kind::Bool(true)
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
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.fault("nothing may follow the closing brace"));
    }
    Ok(node)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
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
            Some('-' | '0'..='9') => self.number(),
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

    fn number(&mut self) -> Kind {
        let rest = self.rest();
        let is_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default().to_owned();
        self.at += end;
        Kind::Number(text)
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
        let mut members = Vec::new();
        self.blanks();
        if self.eat('}') {
            return Ok(Kind::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some('"') {
                return Err(self.fault("a name in quotes is wanted here"));
            }
            let name = self.string()?;
            self.blanks();
            if !self.eat(':') {
                return Err(self.fault("`:` is wanted here"));
            }
            members.push((name, self.value(depth + 1)?));
            self.blanks();
            if self.eat('}') {
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
    fn faults_have_places() {
        let check = |text: &str, start| assert_eq!(parse(text).unwrap_err().start, start, "{text}");
        check("{", 1);
        check("{\"a\" 1}", 5);
        check("[1, ?]", 4);
        check("[1] 2", 4);
        check("\"abc", 0);
        check(&"[".repeat(100), 65);
    }
}
