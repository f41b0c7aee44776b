//! Expressions of JSON as rule text.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::node::{Kind, Node};
use super::write::Writer;

/// How text in values is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// As it is, unless it cannot be a word.
    Bare,
    /// In quotes: names of interfaces and their like.
    Quoted,
}

/// How values that are compared with an expression are written.
pub(super) fn style_of(node: &Node) -> Vec<Text> {
    let Some((word, body)) = node.only() else {
        return vec![Text::Bare];
    };
    let key = body.get("key").and_then(Node::text).unwrap_or_default();
    let quoted = match word {
        "concat" => return body.items().iter().flat_map(style_of).collect(),
        "meta" => {
            let name = key.ends_with("name") || key.ends_with("kind") || key.starts_with("ibr");
            name || matches!(
                key,
                "iif" | "oif" | "sdif" | "time" | "day" | "hour" | "obrname"
            )
        }
        "ct" => key == "helper",
        "fib" => body.get("result").and_then(Node::text) != Some("type"),
        "osf" => true,
        "&" | "|" | "^" | "<<" | ">>" => {
            return body.items().first().map_or(vec![Text::Bare], style_of);
        }
        _ => false,
    };
    vec![if quoted { Text::Quoted } else { Text::Bare }]
}

/// How values of a type are written.
pub(super) fn style_of_type(word: &str) -> Text {
    match word {
        "ifname" | "iface_index" | "string" | "day" | "hour" | "time" => Text::Quoted,
        _ => Text::Bare,
    }
}

fn style(styles: &[Text], at: usize) -> Text {
    styles.get(at).copied().unwrap_or(Text::Bare)
}

impl Writer {
    /// An expression; `styles` says how text in each part of a concatenation is written.
    pub(super) fn expr(&mut self, node: &Node, styles: &[Text]) {
        self.piece(node, |out| match &node.kind {
            Kind::Text(text) => out.text_value(node, text, style(styles, 0)),
            Kind::Number(_) => out.number(node),
            Kind::Bool(on) => out.push(if *on { "exists" } else { "missing" }),
            Kind::Array(items) => out.joined(items, ",", styles),
            Kind::Object(_) => out.object_expr(node, styles),
            Kind::Null => out.fault(node, "an expression is wanted here, not null"),
        });
    }

    fn text_value(&mut self, node: &Node, text: &str, style: Text) {
        // an interface without a name is a number
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let special = text.starts_with('@') || text == "*" || number;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@*,".contains(c);
        if style == Text::Quoted && !special || !text.chars().all(plain) || text.is_empty() {
            self.quoted(node, text);
        } else {
            self.push(text);
        }
    }

    pub(super) fn joined(&mut self, items: &[Node], sign: &str, styles: &[Text]) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(sign);
            }
            self.expr(item, styles);
        }
    }

    fn object_expr(&mut self, node: &Node, styles: &[Text]) {
        let Some((word, body)) = node.only() else {
            self.fault(
                node,
                "an expression is an object with one member, which names it",
            );
            return;
        };
        match word {
            "concat" => {
                for (at, item) in body.items().iter().enumerate() {
                    if at > 0 {
                        self.push(" . ");
                    }
                    self.expr(item, &[style(styles, at)]);
                }
            }
            "set" => {
                self.push("{ ");
                self.elements(body, styles, &[]);
                self.push(" }");
            }
            "map" => self.map(body),
            "prefix" => {
                if let (Some(addr), Some(len)) = (self.need(body, "addr"), self.need(body, "len")) {
                    self.expr(addr, styles);
                    self.push("/");
                    self.number(len);
                }
            }
            "range" => match body.items() {
                [low, high] => {
                    self.expr(low, styles);
                    self.push(" - ");
                    self.expr(high, styles);
                }
                _ => self.fault(body, "a range is an array with two ends"),
            },
            "&" | "|" | "^" | "<<" | ">>" => self.binary(word, body, styles),
            "elem" => {
                if let Some(value) = self.need(body, "val") {
                    self.expr(value, styles);
                    self.element_members(body);
                }
            }
            "accept" | "drop" | "continue" | "return" => self.push(word),
            "jump" | "goto" => {
                self.push(word);
                self.push(" ");
                if let Some(target) = self.need(body, "target") {
                    self.word(target);
                }
            }
            _ => self.field(word, node, body),
        }
    }

    fn binary(&mut self, sign: &str, body: &Node, styles: &[Text]) {
        let Kind::Array(items) = &body.kind else {
            self.fault(body, "an operator has two sides");
            return;
        };
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(&format!(" {sign} "));
            }
            self.operand(item, styles);
        }
    }

    /// A side of an operator: bits and other operators stand in brackets.
    pub(super) fn operand(&mut self, node: &Node, styles: &[Text]) {
        let operator = node
            .only()
            .is_some_and(|(word, _)| matches!(word, "&" | "|" | "^" | "<<" | ">>"));
        match &node.kind {
            Kind::Array(items) => {
                self.push("(");
                self.joined(items, " | ", styles);
                self.push(")");
            }
            _ if operator => {
                self.push("(");
                self.expr(node, styles);
                self.push(")");
            }
            _ => self.expr(node, styles),
        }
    }

    /// `key map data`.
    pub(super) fn map(&mut self, body: &Node) {
        if let (Some(key), Some(data)) = (self.need(body, "key"), self.need(body, "data")) {
            self.operand(key, &[]);
            self.push(" map ");
            self.data_of(data, &style_of(key));
        }
    }

    /// A set by name, or its elements.
    pub(super) fn data_of(&mut self, data: &Node, styles: &[Text]) {
        if let Kind::Array(_) = &data.kind {
            self.push("{ ");
            self.elements(data, styles, &[]);
            self.push(" }");
        } else {
            self.expr(data, styles);
        }
    }

    /// Elements of a set or map.
    pub(super) fn elements(&mut self, body: &Node, keys: &[Text], data: &[Text]) {
        for (at, item) in body.items().iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            match &item.kind {
                Kind::Array(pair) => match pair.as_slice() {
                    [key, value] => {
                        self.expr(key, keys);
                        self.push(" : ");
                        self.expr(value, data);
                    }
                    _ => self.fault(item, "an element of a map is `[key, value]`"),
                },
                _ => self.expr(item, keys),
            }
        }
    }

    /// What an element carries.
    pub(super) fn element_members(&mut self, body: &Node) {
        self.span(body, "timeout");
        self.span(body, "expires");
        for word in ["counter", "limit", "quota", "ct count", "last"] {
            let found = body.get(word);
            if let Some(found) = found.filter(|_| self.bare_elements) {
                found.pass();
            } else if let Some(found) = found {
                self.push(" ");
                self.state(word, found);
            }
        }
        if let Some(comment) = body.get("comment") {
            self.push(" comment ");
            self.quoted_text(comment);
        }
    }

    fn member(&mut self, body: &Node, key: &str) {
        if let Some(found) = self.need(body, key) {
            self.word(found);
        }
    }

    fn optional(&mut self, body: &Node, key: &str, before: &str) {
        if let Some(found) = body.get(key) {
            self.push(before);
            match found.kind {
                Kind::Number(_) => self.number(found),
                _ => self.word(found),
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind of field")]
    fn field(&mut self, word: &str, node: &Node, body: &Node) {
        match word {
            "payload" => self.payload(body),
            "meta" => {
                self.push("meta ");
                self.member(body, "key");
            }
            "ct" => {
                self.push("ct ");
                for key in ["dir", "family"] {
                    if let Some(found) = body.get(key) {
                        self.word(found);
                        self.push(" ");
                    }
                }
                self.member(body, "key");
            }
            "exthdr" => {
                if let Some(field) = body.get("field") {
                    self.member(body, "name");
                    self.push(" ");
                    if let Some((name, index)) = field.text().and_then(|text| text.split_once('['))
                        && index.trim_end_matches(']').parse::<u8>().is_ok()
                    {
                        let index = index.trim_end_matches(']');
                        if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                            self.push(&format!("{name}[{index}]"));
                        }
                    } else {
                        self.word(field);
                    }
                } else {
                    self.push("exthdr ");
                    self.member(body, "name");
                }
            }
            "tcp option" if body.get("base").is_some() => {
                let plain = |key, want: &str| matches!(body.get(key).map(|node| &node.kind), Some(Kind::Number(text)) if text == want);
                self.push("tcp option ");
                if plain("offset", "0") && plain("len", "8") {
                    self.optional(body, "base", "");
                } else {
                    self.optional(body, "base", "@");
                    self.optional(body, "offset", ",");
                    self.optional(body, "len", ",");
                }
            }
            "tcp option" | "ip option" | "sctp chunk" => {
                self.push(word);
                self.push(" ");
                self.member(body, "name");
                self.optional(body, "field", " ");
            }
            "dccp option" => {
                self.push("dccp option");
                self.optional(body, "type", " ");
            }
            "fib" => {
                self.push("fib ");
                if let Some(flags) = self.need(body, "flags") {
                    self.joined(flags.items(), " . ", &[]);
                }
                self.push(" ");
                self.member(body, "result");
            }
            "rt" => {
                self.push("rt ");
                self.optional(body, "family", "");
                self.push(" ");
                self.member(body, "key");
            }
            "socket" => {
                self.push("socket ");
                self.member(body, "key");
                self.optional(body, "level", " level ");
            }
            "osf" => {
                self.push("osf ");
                self.optional(body, "ttl", "ttl ");
                self.push(" ");
                self.member(body, "key");
            }
            "ipsec" => {
                self.push("ipsec ");
                self.member(body, "dir");
                self.optional(body, "spnum", " spnum ");
                self.optional(body, "family", " ");
                self.push(" ");
                self.member(body, "key");
            }
            "tunnel" => {
                self.push("tunnel ");
                self.member(body, "key");
            }
            "numgen" => {
                self.push("numgen ");
                self.member(body, "mode");
                self.optional(body, "mod", " mod ");
                self.optional(body, "offset", " offset ");
            }
            "jhash" => {
                self.push("jhash ");
                if let Some(expr) = self.need(body, "expr") {
                    self.expr(expr, &[]);
                }
                self.optional(body, "mod", " mod ");
                self.optional(body, "seed", " seed ");
                self.optional(body, "offset", " offset ");
            }
            "symhash" => {
                self.push("symhash");
                self.optional(body, "mod", " mod ");
                self.optional(body, "offset", " offset ");
            }
            _ => self.fault(node, format!("unknown expression `{word}`")),
        }
    }

    fn payload(&mut self, body: &Node) {
        if body.get("base").is_some() {
            self.optional(body, "base", "@");
            self.optional(body, "offset", ",");
            self.optional(body, "len", ",");
            return;
        }
        // a field of the tunnel's own header names it once
        let tunnel = body.get("tunnel");
        let protocol = body.get("protocol").and_then(Node::text);
        if let Some(tunnel) = tunnel.filter(|tunnel| tunnel.text() != protocol) {
            self.name(tunnel);
            self.push(" ");
        }
        self.member(body, "protocol");
        self.push(" ");
        self.member(body, "field");
    }
}
