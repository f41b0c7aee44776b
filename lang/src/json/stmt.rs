//! Statements of JSON as rule text.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::expr::{Text, style_of};
use super::node::{Kind, Node};
use super::write::Writer;

impl Writer {
    /// One statement.
    pub(super) fn stmt(&mut self, node: &Node) {
        if let Some(text) = node.text() {
            self.stmt_text(node, text);
            return;
        }
        let Some((word, body)) = node.only() else {
            self.fault(
                node,
                "a statement is an object with one member, which names it",
            );
            return;
        };
        self.piece(node, |out| out.named_stmt(word, node, body));
    }

    fn named_stmt(&mut self, word: &str, node: &Node, body: &Node) {
        match word {
            "match" => self.matching(body),
            "accept" | "drop" | "continue" | "return" | "notrack" => self.push(word),
            "jump" | "goto" => {
                self.push(word);
                self.push(" ");
                if let Some(target) = self.need(body, "target") {
                    self.word(target);
                }
            }
            "vmap" => {
                if let (Some(key), Some(data)) = (self.need(body, "key"), self.need(body, "data")) {
                    self.expr(key, &[]);
                    self.push(" vmap ");
                    self.data_of(data, &style_of(key));
                }
            }
            "counter" | "limit" | "quota" | "last" | "ct count" | "synproxy" => {
                self.state(word, body);
            }
            "ct helper" | "ct timeout" | "ct expectation" => {
                self.push(word);
                self.push(" set ");
                self.object_ref(body);
            }
            "tunnel" => {
                self.push("tunnel name ");
                self.object_ref(body);
            }
            "log" => self.log(body),
            "xt" => self.foreign(body),
            "reject" => self.reject(body),
            "snat" | "dnat" | "masquerade" | "redirect" => self.nat(word, body),
            "tproxy" => {
                self.push("tproxy");
                self.family(body);
                self.push(" to ");
                self.endpoint(body);
            }
            "mangle" => self.mangle(body),
            "reset" => {
                self.push("reset ");
                self.expr(body, &[]);
            }
            "set" | "map" => self.dynset(word, body),
            "meter" => self.meter(body),
            "flow" => {
                self.push("flow add ");
                if let Some(op) = body.get("op").filter(|op| op.text() != Some("add")) {
                    self.fault(op, "the only operation is `add`");
                }
                if let Some(name) = self.need(body, "flowtable") {
                    self.word(name);
                }
            }
            "queue" => self.queue(body),
            "dup" => {
                self.push("dup to ");
                let addr = self.need(body, "addr");
                self.devices_and(addr, body);
            }
            "fwd" => self.fwd(body),
            _ => self.fault(node, format!("unknown statement `{word}`")),
        }
    }

    fn matching(&mut self, body: &Node) {
        let (Some(op), Some(left), Some(right)) = (
            self.need(body, "op"),
            self.need(body, "left"),
            self.need(body, "right"),
        ) else {
            return;
        };
        let Some(sign) = op.text() else {
            self.fault(op, format!("an operator is wanted here, not {}", op.what()));
            return;
        };
        let sets = right.only().is_some_and(|(word, _)| word == "set")
            || right.text().is_some_and(|text| text.starts_with('@'));
        let sign = match sign {
            "in" => " ",
            "==" if sets => " ",
            "==" => " == ",
            "!=" => " != ",
            "<" => " < ",
            "<=" => " <= ",
            ">" => " > ",
            ">=" => " >= ",
            "!" => " ! ",
            other => {
                self.fault(op, format!("unknown operator `{other}`"));
                return;
            }
        };
        let styles = style_of(left);
        let computed = left
            .only()
            .is_some_and(|(word, _)| matches!(word, "&" | "|" | "^" | "<<" | ">>"));
        self.expr(left, &[]);
        self.push(sign);
        if computed {
            self.operand(right, &styles);
        } else {
            self.expr(right, &styles);
        }
    }

    fn object_ref(&mut self, body: &Node) {
        match &body.kind {
            Kind::Text(text) => self.quoted(body, text),
            _ => self.expr(body, &[]),
        }
    }

    /// A counter and its like, or one by name.
    pub(super) fn state(&mut self, word: &str, body: &Node) {
        let by_name = body.text().is_some() || body.get("map").is_some();
        self.push(word);
        if by_name {
            self.push(" name ");
            self.object_ref(body);
            return;
        }
        match word {
            "counter" => {
                self.number_member(body, "packets", "packets");
                self.number_member(body, "bytes", "bytes");
            }
            "limit" => self.limit(body),
            "quota" => {
                if let Some(value) = self.need(body, "val") {
                    let over = self.truth(body, "inv");
                    self.push(if over { " over " } else { " " });
                    self.number(value);
                    self.push(" ");
                    match body.get("val_unit") {
                        Some(unit) => self.word(unit),
                        None => self.push("bytes"),
                    }
                    if let Some(used) = body.get("used") {
                        self.push(" used ");
                        self.number(used);
                        self.push(" ");
                        match body.get("used_unit") {
                            Some(unit) => self.word(unit),
                            None => self.push("bytes"),
                        }
                    }
                }
            }
            "ct count" => {
                if self.truth(body, "inv") {
                    self.push(" over");
                }
                self.number_member(body, "val", "");
            }
            "synproxy" => self.synproxy(body),
            _ => {}
        }
    }

    /// Options of synproxy.
    pub(super) fn synproxy(&mut self, body: &Node) {
        self.number_member(body, "mss", "mss");
        self.number_member(body, "wscale", "wscale");
        for flag in body.get("flags").map_or(&[][..], Node::items) {
            self.push(" ");
            self.word(flag);
        }
    }

    /// `rate ...` with all that belongs to it.
    pub(super) fn limit(&mut self, body: &Node) {
        let (Some(rate), Some(per)) = (self.need(body, "rate"), self.need(body, "per")) else {
            return;
        };
        self.push(" rate ");
        if self.truth(body, "inv") {
            self.push("over ");
        }
        self.number(rate);
        if let Some(unit) = body
            .get("rate_unit")
            .filter(|unit| unit.text() != Some("packets"))
        {
            self.push(" ");
            self.word(unit);
        }
        self.push("/");
        self.word(per);
        if let Some(burst) = body.get("burst") {
            self.push(" burst ");
            self.number(burst);
            self.push(" ");
            match body.get("burst_unit") {
                Some(unit) => self.word(unit),
                None => self.push("packets"),
            }
        }
    }

    fn log(&mut self, body: &Node) {
        self.push("log");
        if let Some(prefix) = body.get("prefix") {
            self.push(" prefix ");
            self.quoted_text(prefix);
        }
        self.number_member(body, "group", "group");
        self.number_member(body, "snaplen", "snaplen");
        self.number_member(body, "queue-threshold", "queue-threshold");
        if let Some(level) = body.get("level") {
            self.push(" level ");
            self.word(level);
        }
        for flag in body.get("flags").map_or(&[][..], Node::items) {
            self.push(" flags ");
            self.word(flag);
        }
    }

    fn reject(&mut self, body: &Node) {
        self.push("reject");
        let Some(kind) = body.get("type") else {
            return;
        };
        self.push(" with ");
        self.word(kind);
        if let Some(code) = body.get("expr") {
            self.push(" type ");
            self.expr(code, &[]);
        }
    }

    /// A match or target of iptables, of which nft knows the name at most.
    fn foreign(&mut self, body: &Node) {
        self.push("xt ");
        match body.get("type") {
            Some(kind) => self.word(kind),
            None => self.push("match"),
        }
        self.push(" ");
        match body.get("name") {
            Some(name) => self.quoted_text(name),
            None => self.push("\"?\""),
        }
    }

    fn family(&mut self, body: &Node) {
        if let Some(family) = body.get("family") {
            self.push(" ");
            self.word(family);
        }
    }

    /// `addr:port`.
    fn endpoint(&mut self, body: &Node) {
        let (addr, port) = (body.get("addr"), body.get("port"));
        if let Some(addr) = addr {
            match (&addr.kind, port) {
                (Kind::Text(text), Some(_)) if text.contains(':') => {
                    self.push("[");
                    self.expr(addr, &[]);
                    self.push("]");
                }
                _ => self.expr(addr, &[]),
            }
        }
        if let Some(port) = port {
            self.push(if matches!(port.only(), Some(("map", _))) {
                " : "
            } else {
                ":"
            });
            self.expr(port, &[]);
        }
    }

    fn nat(&mut self, word: &str, body: &Node) {
        self.push(word);
        self.family(body);
        if let Some(kind) = body.get("type_flags") {
            self.push(" ");
            self.word(kind);
        }
        if body.get("addr").is_some() || body.get("port").is_some() {
            self.push(" to ");
            self.endpoint(body);
        }
        let flags = body.get("flags").map_or(&[][..], Node::items).iter();
        let flags = flags.filter(|flag| flag.text() != Some("netmap"));
        for (at, flag) in flags.enumerate() {
            self.push(if at == 0 { " " } else { "," });
            self.word(flag);
        }
    }

    fn mangle(&mut self, body: &Node) {
        let (Some(key), Some(value)) = (self.need(body, "key"), self.need(body, "value")) else {
            return;
        };
        self.expr(key, &[]);
        self.push(" set ");
        let secmark = key.get("meta").and_then(|meta| meta.get("key"));
        if secmark.and_then(Node::text) == Some("secmark") && value.text().is_some() {
            self.object_ref(value);
        } else if let Kind::Array(_) = value.kind {
            self.joined(value.items(), ",", &style_of(key));
        } else {
            self.expr(value, &style_of(key));
        }
    }

    fn dynset(&mut self, word: &str, body: &Node) {
        let (Some(op), Some(elem), Some(set)) = (
            self.need(body, "op"),
            self.need(body, "elem"),
            self.need(body, word),
        ) else {
            return;
        };
        self.word(op);
        self.push(" ");
        self.word(set);
        self.push(" { ");
        self.expr(elem, &[]);
        for stmt in body.get("stmt").map_or(&[][..], Node::items) {
            self.push(" ");
            self.stmt(stmt);
        }
        if let Some(data) = body.get("data") {
            self.push(" : ");
            self.expr(data, &[]);
        }
        self.push(" }");
    }

    fn meter(&mut self, body: &Node) {
        let (Some(name), Some(key)) = (self.need(body, "name"), self.need(body, "key")) else {
            return;
        };
        self.push("meter ");
        self.word(name);
        self.number_member(body, "size", "size");
        self.push(" { ");
        self.expr(key, &[]);
        for stmt in body.get("stmt").map_or(&[][..], Node::items) {
            self.push(" ");
            self.stmt(stmt);
        }
        self.push(" }");
    }

    fn queue(&mut self, body: &Node) {
        self.push("queue");
        let flags = body.get("flags").map_or(&[][..], Node::items);
        for (at, flag) in flags.iter().enumerate() {
            self.push(if at == 0 { " flags " } else { "," });
            self.word(flag);
        }
        if let Some(num) = body.get("num") {
            self.push(" to ");
            self.expr(num, &[]);
        }
    }

    fn devices_and(&mut self, addr: Option<&Node>, body: &Node) {
        let device = body.get("dev");
        if let Some(addr) = addr {
            let plain = addr.text().is_some_and(|text| !text.contains(['.', ':']));
            self.expr(addr, &[if plain { Text::Quoted } else { Text::Bare }]);
        }
        if let Some(device) = device {
            self.push(" device ");
            self.expr(device, &[Text::Quoted]);
        }
    }

    fn fwd(&mut self, body: &Node) {
        self.push("fwd");
        self.family(body);
        self.push(" to ");
        match body.get("addr") {
            Some(addr) => self.devices_and(Some(addr), body),
            None => {
                if let Some(device) = self.need(body, "dev") {
                    self.expr(device, &[Text::Quoted]);
                }
            }
        }
    }
}
