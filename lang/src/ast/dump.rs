//! Trees as JSON with words as text and without places: for people, for golden files, and to compare two trees.

use super::{File, SetItem, SetLit};
use crate::source::{SourceId, Sources, Span};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::Value;

/// The tree of a file as JSON.
pub fn dump(file: &File, sources: &Sources) -> Value {
    let mut value = serde_json::to_value(file).unwrap_or(Value::Null);
    resolve(&mut value, sources);
    value
}

/// Replaces `"text": [source, start, end]` by the text, and an object that holds nothing else by the text itself.
fn resolve(value: &mut Value, sources: &Sources) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, sources)),
        Value::Object(map) => {
            if let Some(text) = map.get("text").and_then(|span| span_text(span, sources)) {
                if map.len() == 1 {
                    *value = Value::String(text);
                    return;
                }
                map.insert("text".into(), Value::String(text));
            }
            map.iter_mut().for_each(|(_, item)| resolve(item, sources));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn span_text(value: &Value, sources: &Sources) -> Option<String> {
    let parts: Vec<u32> = value
        .as_array()?
        .iter()
        .filter_map(|n| n.as_u64().and_then(|n| u32::try_from(n).ok()))
        .collect();
    let [source, start, end] = *parts.as_slice() else {
        return None;
    };
    let text = sources.text(Span::new(SourceId(source), start, end));
    // two words in one span: one blank between them
    Some(
        if text.contains(char::is_whitespace) && !text.starts_with('"') {
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            text.to_owned()
        },
    )
}

/// Plain elements are written as words: their tokens' places in order.
impl Serialize for SetLit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Token {
            text: Span,
        }
        let mut list = serializer.serialize_seq(Some(self.items.len()))?;
        for item in &self.items {
            match item {
                SetItem::Full(element) => list.serialize_element(element)?,
                SetItem::Plain { first, count } => {
                    let tokens: Vec<Token> = self
                        .plain(*first, *count)
                        .iter()
                        .map(|token| Token {
                            text: Span::new(
                                self.span.source,
                                token.start,
                                token.start + u32::from(token.len),
                            ),
                        })
                        .collect();
                    list.serialize_element(&tokens)?;
                }
            }
        }
        list.end()
    }
}
