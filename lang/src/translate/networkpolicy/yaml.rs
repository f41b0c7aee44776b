//! YAML documents as trees in which every key and value knows its place. JSON is YAML, too. What a value means is not known here.

use granit_parser::{Event, Options, Parser, ScalarStyle};

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Sources, Span};

/// Values that a text may hold, those counted that aliases repeat: "billion laughs" must not fill the memory.
const MAX_NODES: usize = 4_000_000;

/// How deep values may lie in one another.
const MAX_DEPTH: usize = 100;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it stands; a list or mapping, where it begins.
    pub(super) span: Span,
    /// What it is.
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A word without quotes.
    Plain(String),
    /// A text in quotes, or a block of text.
    Quoted(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) span: Span,
    /// Its value.
    pub(super) value: Node,
}

/// A list or mapping that is not closed.
struct Open {
    span: Span,
    anchor: usize,
    mapping: bool,
    /// Entries and items; the key of an item of a list is `None`.
    held: Vec<(Option<(String, Span)>, Node)>,
    /// A key whose value comes next.
    key: Option<(String, Span)>,
}

struct Builder<'a> {
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    nodes: usize,
    done: Vec<Node>,
    findings: &'a mut Vec<Diagnostic>,
}

/// The documents of a text. Where the text is not YAML, the finding says where, and there are none.
pub(super) fn documents(
    sources: &Sources,
    id: SourceId,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<Node>> {
    let text = sources.whole(id);
    let place = |marker: &granit_parser::Marker| {
        let at = marker.byte_offset().unwrap_or(text.len()).min(text.len());
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    let before = findings.len();
    let mut builder = Builder {
        open: Vec::new(),
        anchors: Vec::new(),
        nodes: 0,
        done: Vec::new(),
        findings,
    };
    let mut parser = Parser::new_from_str_with_options(text, Options::default());
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                let span = Span::new(id, place(&span.start), place(&span.end));
                if !builder.event(event, span) {
                    return None;
                }
            }
            Err(error) => {
                let at = place(error.marker());
                let message = format!("this is not YAML: {}", error.info());
                let at = Span::new(id, at, at);
                findings.push(Diagnostic::new(Code::MalformedYaml, at, message));
                return None;
            }
        }
    }
    let done = builder.done;
    (findings.len() == before).then_some(done)
}

impl Builder<'_> {
    /// Takes an event; whether to go on.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = match style {
                    ScalarStyle::Plain if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") => {
                        Value::Null
                    }
                    ScalarStyle::Plain => Value::Plain(text.into_owned()),
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Value::Quoted(text.into_owned()),
                };
                self.put(Node { span, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(span, anchor, false),
            Event::MappingStart(_, anchor, _) => self.begin(span, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let named = self.anchors.iter().rev().find(|(id, _)| *id == anchor);
                let Some((_, node)) = named else {
                    return self.fault(span, "this alias names a value that it is a part of");
                };
                let node = node.clone();
                self.nodes += size(&node);
                if self.open.len() + depth(&node) > MAX_DEPTH {
                    return self.fault(span, "values lie too deep in one another");
                }
                self.put(node, 0)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                true
            }
            Event::UnresolvedAlias(_) => self.fault(span, "this alias names nothing"),
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::Anchor(..)
            | _ => true,
        }
    }

    fn fault(&mut self, span: Span, message: &str) -> bool {
        let finding = Diagnostic::new(Code::MalformedYaml, span, message);
        self.findings.push(finding);
        false
    }

    fn begin(&mut self, span: Span, anchor: usize, mapping: bool) -> bool {
        if self.open.len() >= MAX_DEPTH {
            return self.fault(span, "values lie too deep in one another");
        }
        let start = Span::new(span.source, span.start, span.start);
        self.open.push(Open {
            span: start,
            anchor,
            mapping,
            held: Vec::new(),
            key: None,
        });
        true
    }

    fn end(&mut self) -> bool {
        let Some(open) = self.open.pop() else {
            return true;
        };
        let value = if open.mapping {
            Value::Map(self.entries(open.held))
        } else {
            Value::List(open.held.into_iter().map(|(_, node)| node).collect())
        };
        let span = open.span;
        self.put(Node { span, value }, open.anchor)
    }

    /// The entries of a mapping; `<<` brings those of other mappings, which its own go before (YAML's merge type).
    fn entries(&mut self, held: Vec<(Option<(String, Span)>, Node)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        for (key, value) in held {
            let Some((key, span)) = key else { continue };
            match (key.as_str(), value) {
                (
                    "<<",
                    Node {
                        value: Value::Map(more),
                        ..
                    },
                ) => merged.extend(more),
                (_, value) => {
                    if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                        let message = format!("`{key}` stands here twice");
                        let finding = Diagnostic::new(Code::MalformedYaml, span, message)
                            .related(first.span, "the first one");
                        self.findings.push(finding);
                    }
                    entries.push(Entry { key, span, value });
                }
            }
        }
        for entry in merged {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry);
            }
        }
        entries
    }

    /// Puts a value where it belongs; whether to go on.
    fn put(&mut self, node: Node, anchor: usize) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return self.fault(node.span, "there are too many values");
        }
        if anchor != 0 {
            self.anchors.push((anchor, node.clone()));
        }
        let Some(open) = self.open.last_mut() else {
            self.done.push(node);
            return true;
        };
        if open.mapping && open.key.is_none() {
            let text = match node.value {
                Value::Plain(text) | Value::Quoted(text) => text,
                Value::Null => String::new(),
                Value::List(_) | Value::Map(_) => {
                    return self.fault(node.span, "a key must be a word");
                }
            };
            open.key = Some((text, node.span));
        } else {
            let key = open.key.take();
            open.held.push((key, node));
        }
        true
    }
}

fn children(node: &Node) -> Box<dyn Iterator<Item = &Node> + '_> {
    match &node.value {
        Value::Null | Value::Plain(_) | Value::Quoted(_) => Box::new(std::iter::empty()),
        Value::List(items) => Box::new(items.iter()),
        Value::Map(entries) => Box::new(entries.iter().map(|entry| &entry.value)),
    }
}

fn size(node: &Node) -> usize {
    1 + children(node).map(size).sum::<usize>()
}

fn depth(node: &Node) -> usize {
    1 + children(node).map(depth).max().unwrap_or(0)
}
