//! Commands of JSON as rule text: one line each, with the place of every piece, so that the one front end reads both and findings point into the JSON.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::expr::{Text, style_of, style_of_type};
use super::node::{self, Fault, Kind, Node};
use super::tunnel;
use super::write::{Piece, Writer};
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Sources, Span};
use std::collections::BTreeMap;

/// What tables are made of, but for named objects.
const PARTS: &[&str] = &[
    "table",
    "chain",
    "rule",
    "set",
    "map",
    "element",
    "flowtable",
];

/// Kinds of named objects.
const OBJECTS: &[&str] = &[
    "counter",
    "quota",
    "limit",
    "ct helper",
    "ct timeout",
    "ct expectation",
    "secmark",
    "synproxy",
    "tunnel",
];

/// Most faults that are shown of a file.
const MAX_FAULTS: usize = 100;

/// Rule text that says what a JSON text says.
#[derive(Debug, Default)]
pub struct Converted {
    /// The text.
    pub text: String,
    pieces: Vec<Piece>,
    faults: Vec<Fault>,
    unknown: Vec<Fault>,
}

/// Whether a file holds JSON: by its name, or because it begins with a brace.
pub fn looks_like_json(name: &str, text: &str) -> bool {
    let extension = std::path::Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || text
            .trim_start_matches(node::BYTE_ORDER_MARK)
            .trim_start()
            .starts_with('{')
}

/// Reads JSON in libnftables' schema.
pub fn convert(text: &str) -> Converted {
    let mut out = Writer::default();
    match node::parse(text) {
        Ok(root) => commands(&mut out, &root),
        Err(faults) => out.faults = faults,
    }
    // the most significant ones; the rest is likely the same over again
    out.faults.truncate(MAX_FAULTS);
    out.unknown.truncate(MAX_FAULTS);
    Converted {
        text: out.text,
        pieces: out.pieces,
        faults: out.faults,
        unknown: out.unknown,
    }
}

impl Converted {
    /// What is wrong with the JSON itself.
    pub fn findings(&self, json: SourceId) -> Vec<Diagnostic> {
        let finding = |code: Code, fault: &Fault| {
            let span = place(json, fault.start, fault.end);
            Diagnostic::new(code, span, fault.message.clone())
        };
        let faults = self.faults.iter();
        let faults = faults.map(|fault| finding(Code::SyntaxError, fault));
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|fault| finding(Code::UnknownMember, fault));
        faults.chain(unknown).collect()
    }

    /// The place in the JSON that a place in the text came from.
    pub fn origin(&self, json: SourceId, span: Span) -> Span {
        let (from, to) = (span.start as usize, span.end as usize);
        let around = |piece: &&Piece| piece.from <= from && to <= piece.to.max(piece.from);
        let near = |piece: &&Piece| piece.from <= from && from <= piece.to;
        let size = |piece: &&Piece| piece.to - piece.from;
        let pieces = &self.pieces;
        let found = pieces.iter().filter(around).min_by_key(size);
        match found.or_else(|| pieces.iter().filter(near).min_by_key(size)) {
            Some(piece) => place(json, piece.start, piece.end),
            None => place(json, 0, 0),
        }
    }

    /// Moves the places of rules to the JSON.
    pub fn relocate_rules(
        &self,
        sources: &Sources,
        text: SourceId,
        json: SourceId,
        ruleset: &mut redan_vm::Ruleset,
    ) {
        let Some(source) = sources.source(text) else {
            return;
        };
        // the piece of a whole command is written last, so it is the one that stays
        let starts: BTreeMap<usize, usize> = self
            .pieces
            .iter()
            .map(|piece| (piece.from, piece.start))
            .collect();
        for rule in &mut ruleset.rules {
            let line = usize::try_from(rule.origin.line).unwrap_or(1);
            let from = source.line_range(line.saturating_sub(1)).start;
            if let Some(start) = starts.get(&from) {
                let start = u32::try_from(*start).unwrap_or(u32::MAX);
                rule.origin.line = sources.line(json, start);
            }
        }
    }

    /// Moves findings about the text to the JSON; fixes of the text make no sense there.
    pub fn relocate(&self, text: SourceId, json: SourceId, findings: &mut [Diagnostic]) {
        for finding in findings {
            for label in &mut finding.labels {
                if label.span.source == text {
                    label.span = self.origin(json, label.span);
                }
            }
            finding.fix = None;
        }
    }
}

fn place(source: SourceId, start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(source, narrow(start), narrow(end))
}

/// What goes first: what is referred to comes before what refers.
fn phase(kind: &str) -> u8 {
    match kind {
        "table" => 0,
        "chain" => 1,
        "rule" => 4,
        "element" => 3,
        _ => 2,
    }
}

fn commands(out: &mut Writer, root: &Node) {
    let Some(list) = out.need(root, "nftables") else {
        return;
    };
    let Kind::Array(items) = &list.kind else {
        out.fault(list, "`nftables` is an array of commands");
        return;
    };
    let mut found: Vec<(&str, &Node, &str, &Node)> = Vec::new();
    let mut plain = true;
    for item in items {
        let Some((word, body)) = item.only() else {
            let message = "a command is an object with one member, which names it";
            out.fault(item, message);
            continue;
        };
        match word {
            "metainfo" => {}
            "add" | "create" | "insert" | "replace" | "delete" | "destroy" | "flush" | "rename"
            | "reset" | "list" => {
                if let Some((kind, object)) = body.only() {
                    plain &= word == "add";
                    found.push((word, item, kind, object));
                } else {
                    let message =
                        format!("`{word}` takes an object with one member, such as `table`");
                    out.fault(body, message);
                }
            }
            kind => found.push(("add", item, kind, body)),
        }
    }
    if plain {
        found.sort_by_key(|(_, _, kind, _)| phase(kind));
    }
    let mut uses = Uses::default();
    for (_, _, _, rule) in found.iter().filter(|command| command.2 == "rule") {
        if let Some(table) = rule.get("table").and_then(Node::text) {
            uses.learn(table, rule);
        }
    }
    for (verb, item, kind, body) in found {
        let before = out.faults.len();
        out.piece(item, |out| command(out, verb, item, kind, body, &uses));
        out.push("\n");
        if out.faults.len() == before && !matches!(verb, "list" | "reset") {
            out.passed_over(item);
        }
    }
}

fn command(out: &mut Writer, verb: &str, item: &Node, kind: &str, body: &Node, uses: &Uses<'_>) {
    if (verb, kind) == ("flush", "ruleset") {
        out.push("flush ruleset");
        return;
    }
    if matches!(verb, "list" | "reset") {
        return;
    }
    if !PARTS.contains(&kind) && !OBJECTS.contains(&kind) {
        let known = [PARTS, OBJECTS].concat().join(", ");
        out.fault(item, format!("unknown object `{kind}`; there are {known}"));
        return;
    }
    out.push(verb);
    out.push(" ");
    out.push(kind);
    match kind {
        "table" => {
            member(out, body, "family", false);
            identify(out, verb, body);
            if verb != "delete" && verb != "destroy" {
                table(out, body);
            }
            return;
        }
        "rule" => {
            place_of(out, body);
            member(out, body, "chain", true);
            rule(out, verb, item, body);
            return;
        }
        _ => {}
    }
    place_of(out, body);
    identify(out, verb, body);
    if matches!(verb, "delete" | "destroy" | "flush") && kind != "element" {
        return;
    }
    match kind {
        "chain" if verb == "rename" => member(out, body, "newname", true),
        "chain" => chain(out, body),
        "set" | "map" => set(out, kind, body, uses),
        "element" => {
            out.push(" { ");
            if let Some(elem) = out.need(body, "elem") {
                out.elements(elem, &[], &[]);
            }
            out.push(" }");
        }
        "flowtable" => flowtable(out, body),
        kind => object(out, kind, body),
    }
}

/// The name of what a command is about; what goes may be called by its handle.
fn identify(out: &mut Writer, verb: &str, body: &Node) {
    let handle = body.get("handle");
    match handle.filter(|_| body.peek("name").is_none()) {
        Some(handle) if matches!(verb, "delete" | "destroy") => {
            out.push(" handle ");
            out.number(handle);
        }
        _ => member(out, body, "name", true),
    }
}

fn member(out: &mut Writer, body: &Node, key: &str, needed: bool) {
    let found = if needed {
        out.need(body, key)
    } else {
        body.get(key)
    };
    if let Some(found) = found {
        out.push(" ");
        out.name(found);
    }
}

/// Family and table.
fn place_of(out: &mut Writer, body: &Node) {
    member(out, body, "family", false);
    member(out, body, "table", true);
}

/// ` word text;` in quotes.
fn comment(out: &mut Writer, body: &Node) {
    if let Some(found) = body.get("comment") {
        out.push(" comment ");
        out.quoted_text(found);
        out.push(";");
    }
}

fn table(out: &mut Writer, body: &Node) {
    if body.get("comment").is_none() && body.get("flags").is_none() {
        return;
    }
    out.push(" {");
    comment(out, body);
    for flag in body.get("flags").map_or(&[][..], Node::items) {
        out.push(" flags ");
        out.word(flag);
        out.push(";");
    }
    out.push(" }");
}

fn chain(out: &mut Writer, body: &Node) {
    out.push(" {");
    if let Some(kind) = body.get("type") {
        out.push(" type ");
        out.word(kind);
        if let Some(hook) = out.need(body, "hook") {
            out.push(" hook ");
            out.word(hook);
        }
        if let Some(devices) = body.get("dev") {
            match devices.items() {
                [only] => {
                    out.push(" device ");
                    out.expr(only, &[Text::Quoted]);
                }
                many => {
                    out.push(" devices = { ");
                    out.joined(many, ", ", &[Text::Quoted]);
                    out.push(" }");
                }
            }
        }
        if let Some(priority) = out.need(body, "prio") {
            out.push(" priority ");
            out.number(priority);
            out.push(";");
        }
        if let Some(policy) = body.get("policy") {
            out.push(" policy ");
            out.word(policy);
            out.push(";");
        }
    }
    comment(out, body);
    out.push(" }");
}

fn rule(out: &mut Writer, verb: &str, item: &Node, body: &Node) {
    if verb == "create" {
        out.fault(item, "rules are added, not created");
        return;
    }
    for key in ["handle", "index"] {
        // what is added has yet to get its handle: nft passes over the one in its own listings
        let placed = key == "index" || verb != "add";
        if let Some(at) = body.get(key).filter(|_| placed) {
            out.push(&format!(" {key} "));
            out.number(at);
        }
    }
    let placed = body.peek("handle").or(body.peek("index"));
    if matches!(verb, "replace" | "delete" | "destroy") && placed.is_none() {
        out.fault(
            item,
            format!("`handle` is missing here: the rule to {verb}"),
        );
    }
    if matches!(verb, "delete" | "destroy") {
        return;
    }
    let stmts = body.get("expr").map_or(&[][..], Node::items);
    if stmts.is_empty() {
        out.push(" \u{1a}");
    }
    for stmt in stmts {
        out.push(" ");
        out.stmt(stmt);
    }
    if let Some(found) = body.get("comment") {
        out.push(" comment ");
        out.quoted_text(found);
    }
}

/// Types by name, `a . b`; how their values are written.
fn types(out: &mut Writer, node: &Node) -> Vec<Text> {
    let mut styles = Vec::new();
    for (at, item) in node.items().iter().enumerate() {
        out.push(if at == 0 { " " } else { " . " });
        out.word(item);
        let names = item.text().unwrap_or_default().split(" . ");
        styles.extend(names.map(style_of_type));
    }
    styles
}

fn set(out: &mut Writer, kind: &str, body: &Node, uses: &Uses<'_>) {
    let key = out.need(body, "type");
    let used = uses.find(body).filter(|_| key.is_some_and(lacks_width));
    let of = body.get("typeof");
    let field = of.and_then(|of| of.get("key"));
    let field = field.or(key.and_then(|key| key.get("typeof"))).or(used);
    out.push(if field.is_some() {
        " { typeof "
    } else {
        " { type"
    });
    let keys = match (key, field) {
        (_, Some(field)) => {
            out.expr(field, &[]);
            style_of(field)
        }
        (Some(key), None) => types(out, key),
        (None, None) => Vec::new(),
    };
    let mut data = Vec::new();
    if kind == "map"
        && let Some(found) = out.need(body, "map")
    {
        out.push(" :");
        let elements = body.get("elem").map_or(&[][..], Node::items);
        if elements.iter().any(gives_range) {
            out.push(" interval");
        }
        let of = of.and_then(|of| of.get("data")).or(found.get("typeof"));
        data = data_types(out, found, of, field.is_some());
    }
    out.push(";");
    comment(out, body);
    if let Some(policy) = body.get("policy") {
        out.push(" policy ");
        out.word(policy);
        out.push(";");
    }
    if let Some(size) = body.get("size") {
        out.push(" size ");
        out.number(size);
        out.push(";");
    }
    let flags = body.get("flags").map_or(&[][..], Node::items);
    for (at, flag) in flags.iter().enumerate() {
        out.push(if at == 0 { " flags " } else { "," });
        out.name(flag);
    }
    if out.truth(body, "dynamic") {
        out.push(if flags.is_empty() { " flags " } else { "," });
        out.push("dynamic;");
    } else if !flags.is_empty() {
        out.push(";");
    }
    for key in ["timeout", "gc-interval"] {
        if body.peek(key).is_some() {
            out.span(body, key);
            out.push(";");
        }
    }
    if out.truth(body, "auto-merge") {
        out.push(" auto-merge;");
    }
    let stmts = body.get("stmt").map_or(&[][..], Node::items);
    // of several nft writes only the first at the elements
    out.bare_elements = stmts.len() > 1;
    for stmt in stmts {
        out.push(" ");
        out.stmt(stmt);
        out.push(";");
    }
    if let Some(elements) = body.get("elem") {
        out.push(" elements = { ");
        out.elements(elements, &keys, &data);
        out.push(" };");
    }
    out.bare_elements = false;
    out.push(" }");
}

/// Whether a type's name does not say how wide its values are.
fn lacks_width(key: &Node) -> bool {
    let name = |item: &Node| matches!(item.text(), Some("integer" | "string" | "bitmask"));
    key.items().iter().any(name)
}

/// Whether an element of a map gives a range.
fn gives_range(element: &Node) -> bool {
    let ranged = |node: &Node| matches!(node.only(), Some(("range" | "prefix", _)));
    match element.items() {
        [_, value] => match value.only() {
            Some(("concat", parts)) => parts.items().iter().any(ranged),
            _ => ranged(value),
        },
        _ => false,
    }
}

/// A map's data; behind `typeof` fields stand for types.
fn data_types(out: &mut Writer, node: &Node, of: Option<&Node>, by_field: bool) -> Vec<Text> {
    const FIELDS: &[(&str, &str)] = &[
        ("mark", " meta mark"),
        ("ipv4_addr", " ip daddr"),
        ("ipv6_addr", " ip6 daddr"),
        ("inet_service", " tcp dport"),
        ("ether_addr", " ether saddr"),
        ("classid", " meta priority"),
        ("ifname", " iifname"),
    ];
    if let Some(fields) = of {
        out.push(" ");
        out.expr(fields, &[]);
        return style_of(fields);
    }
    let Some(text) = node.text().filter(|_| by_field) else {
        return types(out, node);
    };
    for (at, word) in text.split(" . ").enumerate() {
        out.push(if at == 0 { "" } else { " ." });
        if let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) {
            out.push(field);
        } else {
            out.push(" ");
            out.word(node);
            break;
        }
    }
    text.split(" . ").map(style_of_type).collect()
}

/// What sets are looked up by, from rules: the schema names types without their width.
#[derive(Debug, Default)]
struct Uses<'n> {
    found: BTreeMap<(&'n str, &'n str), &'n Node>,
}

impl<'n> Uses<'n> {
    /// What a set is looked up by.
    fn find(&self, set: &Node) -> Option<&'n Node> {
        let text = |key| set.peek(key).and_then(Node::text);
        self.found.get(&(text("table")?, text("name")?)).copied()
    }

    /// Looks for keys and names of sets in what a rule says.
    fn learn(&mut self, table: &'n str, node: &'n Node) {
        for (key, set) in [("left", "right"), ("key", "data"), ("elem", "set")] {
            if let (Some(key), Some(set)) = (node.peek(key), node.peek(set))
                && let Some(name) = set.text().and_then(|text| text.strip_prefix('@'))
            {
                let inner = key.peek("elem").and_then(|elem| elem.peek("val"));
                self.found
                    .entry((table, name))
                    .or_insert(inner.unwrap_or(key));
            }
        }
        match &node.kind {
            Kind::Array(items) => items.iter().for_each(|item| self.learn(table, item)),
            Kind::Object(members) => {
                for member in members {
                    self.learn(table, &member.node);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }
}

fn flowtable(out: &mut Writer, body: &Node) {
    out.push(" {");
    if let (Some(hook), Some(priority)) = (out.need(body, "hook"), out.need(body, "prio")) {
        out.push(" hook ");
        out.word(hook);
        out.push(" priority ");
        out.number(priority);
        out.push(";");
    }
    if let Some(devices) = body.get("dev") {
        out.push(" devices = { ");
        out.joined(devices.items(), ", ", &[Text::Quoted]);
        out.push(" };");
    }
    for flag in body.get("flags").map_or(&[][..], Node::items) {
        out.push(" flags ");
        out.name(flag);
        out.push(";");
    }
    if out.truth(body, "counter") {
        out.push(" counter;");
    }
    out.push(" }");
}

/// ` word` and a member as it is, then `;`.
fn line(out: &mut Writer, body: &Node, key: &str, word: &str) {
    if let Some(found) = body.get(key) {
        out.push(&format!(" {word} "));
        match found.kind {
            Kind::Number(_) => out.number(found),
            _ => out.word(found),
        }
        out.push(";");
    }
}

fn object(out: &mut Writer, kind: &str, body: &Node) {
    out.push(" {");
    comment(out, body);
    match kind {
        "counter" => {
            out.number_member(body, "packets", "packets");
            out.number_member(body, "bytes", "bytes");
        }
        "quota" => {
            let over = out.truth(body, "inv");
            out.push(if over { " over" } else { "" });
            out.number_member(body, "bytes", "");
            out.push(" bytes");
            if let Some(used) = body.get("used") {
                out.push(" used ");
                out.number(used);
                out.push(" bytes");
            }
        }
        "limit" => out.limit(body),
        "synproxy" => out.synproxy(body),
        "tunnel" => tunnel::object(out, body),
        "secmark" => {
            if let Some(context) = out.need(body, "context") {
                out.push(" ");
                out.quoted_text(context);
            }
        }
        "ct helper" => {
            if let Some(name) = out.need(body, "type") {
                out.push(" type ");
                out.quoted_text(name);
            }
            line(out, body, "protocol", "protocol");
            line(out, body, "l3proto", "l3proto");
        }
        _ => timing(out, body),
    }
    out.push(" }");
}

/// `ct timeout` and `ct expectation`.
fn timing(out: &mut Writer, body: &Node) {
    line(out, body, "protocol", "protocol");
    line(out, body, "l3proto", "l3proto");
    line(out, body, "dport", "dport");
    if let Some(ms) = body.get("timeout") {
        out.push(" timeout ");
        out.number(ms);
        out.push("ms;");
    }
    line(out, body, "size", "size");
    if let Some(policy) = body.get("policy") {
        out.push(" policy = { ");
        for (at, state) in policy.members().iter().enumerate() {
            state.seen.set(true);
            out.push(if at == 0 { "" } else { ", " });
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !state.name.is_empty() && state.name.chars().all(word) {
                out.push(&state.name);
            } else {
                let message = format!("`{}` is no state of a connection", state.name);
                out.fault(&state.node, message);
            }
            out.push(" : ");
            out.number(&state.node);
        }
        out.push(" };");
    }
}
