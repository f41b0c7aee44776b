//! Rule text that grows from JSON, with the place of each piece.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::node::{Fault, Node};

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
            self.fault(node, format!("`{key}` is missing here"));
        }
        found
    }

    /// Text in quotes.
    pub(super) fn quoted(&mut self, node: &Node, text: &str) {
        if text.contains(['"', '\n', '\r']) {
            self.fault(
                node,
                "this text cannot be written in a rule: it holds a quote or a line break",
            );
            return;
        }
        self.piece(node, |out| {
            out.push("\"");
            out.push(text);
            out.push("\"");
        });
    }

    /// A word of the language or a name.
    pub(super) fn word(&mut self, node: &Node) {
        let Some(text) = node.text() else {
            self.fault(node, "a string is wanted here");
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
            super::node::Kind::Number(text) | super::node::Kind::Text(text) => text.as_str(),
            _ => "",
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            self.fault(node, "a whole number is wanted here");
            return;
        }
        self.piece(node, |out| out.push(text));
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
