//! Rule text that grows from JSON, with the place of each piece.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::node::{Fault, Kind, Node};

/// Text from `from` to `to` says what JSON says from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What has been written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) faults: Vec<Fault>,
    /// Members that say nothing.
    pub(super) unknown: Vec<Fault>,
    /// Elements of this set carry what the set itself says.
    pub(super) bare_elements: bool,
}

/// Whether text stays within the statement that it stands in.
fn is_one_statement(text: &str) -> bool {
    let mut depth = 0_u32;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => depth += 1,
            '}' | '\n' | ';' | '#' if depth == 0 => return false,
            '}' => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !quoted
}

impl Writer {
    /// Appends rule text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Notes that a node cannot be understood.
    pub(super) fn fault(&mut self, node: &Node, message: impl Into<String>) {
        self.faults.push(Fault {
            start: node.start,
            end: node.end,
            message: message.into(),
        });
    }

    /// Notes the members of a command that were passed over.
    pub(super) fn passed_over(&mut self, command: &Node) {
        let mut members = Vec::new();
        command.unseen(&mut members);
        self.unknown.extend(members.iter().map(|member| Fault {
            start: member.start,
            end: member.end,
            message: format!("`{}` says nothing here", member.name),
        }));
    }

    /// Runs `body`; what it writes belongs to a node.
    pub(super) fn piece(&mut self, node: &Node, body: impl FnOnce(&mut Self)) {
        let from = self.text.len();
        body(self);
        self.pieces.push(Piece {
            from,
            to: self.text.len(),
            start: node.start,
            end: node.end,
        });
    }

    /// A member that must be there.
    pub(super) fn need<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let found = node.get(key);
        if found.is_none() {
            let message = match node.kind {
                Kind::Object(_) => format!("`{key}` is missing here"),
                _ => format!("an object with `{key}` is wanted here, not {}", node.what()),
            };
            self.fault(node, message);
        }
        found
    }

    /// Text in quotes.
    pub(super) fn quoted(&mut self, node: &Node, text: &str) {
        if text.contains(['"', '\n', '\r', '\0']) {
            self.fault(
                node,
                "this text cannot be written in a rule: it holds a quote, a line break or a NUL",
            );
            return;
        }
        self.piece(node, |out| {
            out.push("\"");
            out.push(text);
            out.push("\"");
        });
    }

    /// Text in quotes, from a member that must hold text.
    pub(super) fn quoted_text(&mut self, node: &Node) {
        match node.text() {
            Some(text) => self.quoted(node, text),
            None => self.fault(
                node,
                format!("a string is wanted here, not {}", node.what()),
            ),
        }
    }

    /// Rule text: nft writes that of what its schema has no words for.
    pub(super) fn stmt_text(&mut self, node: &Node, text: &str) {
        if is_one_statement(text) {
            self.piece(node, |out| out.push(text));
        } else {
            self.fault(node, "this text is no single statement");
        }
    }

    /// A name: one word.
    pub(super) fn name(&mut self, node: &Node) {
        let spaced = node
            .text()
            .is_some_and(|text| text.contains([' ', ':', '*', '@']));
        if spaced {
            let text = node.text().unwrap_or_default();
            self.fault(node, format!("`{text}` is no name"));
        } else {
            self.word(node);
        }
    }

    /// A word of the language or a name.
    pub(super) fn word(&mut self, node: &Node) {
        let Some(text) = node.text() else {
            self.fault(
                node,
                format!("a string is wanted here, not {}", node.what()),
            );
            return;
        };
        let plain = |c: char| c.is_alphanumeric() || "_-./:@*+\\ ".contains(c);
        if text.is_empty() || !text.chars().all(plain) {
            self.fault(node, format!("`{text}` is no word of the language"));
            return;
        }
        self.piece(node, |out| out.push(text));
    }

    /// A number, plain or in text.
    pub(super) fn number(&mut self, node: &Node) {
        let text = match &node.kind {
            Kind::Number(text) | Kind::Text(text) => text.as_str(),
            _ => "",
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            let what = match node.kind {
                Kind::Number(_) | Kind::Text(_) => format!("`{text}`"),
                _ => node.what().to_owned(),
            };
            self.fault(node, format!("a whole number is wanted here, not {what}"));
            return;
        }
        self.piece(node, |out| out.push(text));
    }

    /// Whether a member says yes.
    pub(super) fn truth(&mut self, node: &Node, key: &str) -> bool {
        match node.get(key).map(|found| (&found.kind, found)) {
            None | Some((Kind::Bool(false), _)) => false,
            Some((Kind::Bool(true), _)) => true,
            Some((_, found)) => {
                let what = found.what();
                self.fault(
                    found,
                    format!("`true` or `false` is wanted here, not {what}"),
                );
                false
            }
        }
    }

    /// A span of time: seconds, or exactly in milliseconds beside.
    pub(super) fn span(&mut self, node: &Node, key: &str) {
        let secs = node.get(key);
        let exact = node.get(&format!("{key}-ms"));
        if let Some(found) = exact.or(secs) {
            self.push(&format!(" {key} "));
            let is_zero = |node: &Node| matches!(&node.kind, Kind::Number(text) if text == "0");
            if exact.is_some_and(is_zero) {
                self.push("never");
                return;
            }
            self.number(found);
            self.push(if exact.is_some() { "ms" } else { "s" });
        }
    }

    /// ` word number`, where the member is there.
    pub(super) fn number_member(&mut self, node: &Node, key: &str, word: &str) {
        if let Some(member) = node.get(key) {
            self.push(" ");
            self.push(word);
            self.push(" ");
            self.number(member);
        }
    }
}
