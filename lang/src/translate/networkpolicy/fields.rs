//! Reading fields of a document: what has the wrong type, is unknown or missing is a finding at its place.

use super::model::Labels;
use super::yaml::{Entry, Node, Value};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// Reads, and keeps what is wrong.
pub(super) struct Fields<'a> {
    /// What is wrong.
    pub(super) findings: &'a mut Vec<Diagnostic>,
}

impl Fields<'_> {
    /// A field is wrong.
    pub(super) fn wrong(&mut self, span: Span, message: impl Into<String>) {
        let finding = Diagnostic::new(Code::WrongField, span, message);
        self.findings.push(finding);
    }

    /// The entries of a mapping; none for null.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Plain(_) | Value::Quoted(_) | Value::List(_) => {
                self.wrong(node.span, format!("`{what}` must be a mapping of fields"));
                &[]
            }
        }
    }

    /// The items of a list; none for null.
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::List(items) => items,
            Value::Null => &[],
            Value::Plain(_) | Value::Quoted(_) | Value::Map(_) => {
                self.wrong(node.span, format!("`{what}` must be a list"));
                &[]
            }
        }
    }

    /// A text. Words that YAML takes for numbers or truth values are none, as in the API.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.value {
            Value::Quoted(text) => Some(text),
            Value::Plain(text) if !is_typed(text) => Some(text),
            Value::Plain(text) => {
                let message = format!(
                    "`{what}` must be a text: write \"{text}\", which YAML takes for another type without quotes"
                );
                self.wrong(node.span, message);
                None
            }
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.wrong(node.span, format!("`{what}` must be a text"));
                None
            }
        }
    }

    /// A port's number.
    pub(super) fn port(&mut self, node: &Node, what: &str) -> Option<u16> {
        let number = match &node.value {
            Value::Plain(text) => text.parse::<i64>().ok(),
            Value::Null | Value::Quoted(_) | Value::List(_) | Value::Map(_) => None,
        };
        let port = number
            .and_then(|number| u16::try_from(number).ok())
            .filter(|port| *port > 0);
        if port.is_none() {
            let message = format!("`{what}` must be a number from 1 to 65535");
            self.wrong(node.span, message);
        }
        port
    }

    /// Whether a field says true.
    pub(super) fn truth(&mut self, node: &Node, what: &str) -> bool {
        match &node.value {
            Value::Plain(text) if text == "true" => true,
            Value::Plain(text) if text == "false" => false,
            Value::Null => false,
            Value::Plain(_) | Value::Quoted(_) | Value::List(_) | Value::Map(_) => {
                self.wrong(node.span, format!("`{what}` must be true or false"));
                false
            }
        }
    }

    /// Finds fault with fields that are not in the API.
    pub(super) fn only(&mut self, entries: &[Entry], what: &str, known: &[&str]) {
        for entry in entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let message = format!("{what} has no field `{}`", entry.key);
            let mut finding = Diagnostic::new(Code::WrongField, entry.span, message);
            let like = did_you_mean(&entry.key, known.iter().copied());
            finding.help = Some(match like {
                Some(like) => format!("did you mean `{like}`?"),
                None => format!("its fields are {}", known.join(", ")),
            });
            self.findings.push(finding);
        }
    }

    /// Labels: texts under keys.
    pub(super) fn labels(&mut self, node: Option<&Node>, what: &str) -> Labels {
        let mut labels = Labels::new();
        for entry in node.map_or(&[][..], |node| self.map(node, what)) {
            if let Some(text) = self.text(&entry.value, &entry.key) {
                labels.insert(entry.key.clone(), text.to_owned());
            }
        }
        labels
    }
}

/// The value of a field, unless it is null.
pub(super) fn field<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    entries
        .iter()
        .find(|entry| entry.key == key)
        .map(|entry| &entry.value)
        .filter(|node| !matches!(node.value, Value::Null))
}

/// The value at the end of a way of fields; `None` where one is not there or no mapping.
pub(super) fn at<'n>(node: &'n Node, way: &[&str]) -> Option<&'n Node> {
    let mut node = node;
    for key in way {
        let Value::Map(entries) = &node.value else {
            return None;
        };
        node = field(entries, key)?;
    }
    Some(node)
}

/// The text at the end of a way of fields, for fields that are nobody's business here if they are wrong.
pub(super) fn text_at<'n>(node: &'n Node, way: &[&str]) -> Option<&'n str> {
    match &at(node, way)?.value {
        Value::Plain(text) | Value::Quoted(text) => Some(text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// Whether YAML takes a plain word for a number or a truth value.
fn is_typed(text: &str) -> bool {
    let number = text.parse::<f64>().is_ok() && text.chars().any(|c| c.is_ascii_digit());
    let radix = text
        .strip_prefix("0x")
        .is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok());
    number || radix || matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
}
