//! Tunnel objects in JSON, both ways.

use super::node::Node;
use super::write::Writer;
use crate::list::words::{direction, hex};
use redan_vm::ruleset::{Tunnel, TunnelKind};
use serde_json::{Map, Value, json};

/// The members of a tunnel object, as nft 1.1.6 writes them.
pub(super) fn members(map: &mut Map<String, Value>, tunnel: &Tunnel) {
    let version = if tunnel.saddr.is_ipv4() { 4 } else { 6 };
    let mut put = |key: String, value: Value| map.insert(key, value);
    put("id".to_owned(), tunnel.id.into());
    put(format!("src-ipv{version}"), tunnel.saddr.to_string().into());
    put(format!("dst-ipv{version}"), tunnel.daddr.to_string().into());
    put("sport".to_owned(), tunnel.sport.into());
    put("dport".to_owned(), tunnel.dport.into());
    put("tos".to_owned(), tunnel.tos.into());
    put("ttl".to_owned(), tunnel.ttl.into());
    let (kind, body) = match &tunnel.kind {
        None => return,
        Some(TunnelKind::Vxlan { gbp }) => ("vxlan", json!({"gbp": gbp})),
        Some(TunnelKind::Erspan1 { index }) => ("erspan", json!({"version": 1, "index": index})),
        Some(TunnelKind::Erspan2 { egress, hwid }) => (
            "erspan",
            json!({"version": 2, "dir": direction(*egress), "hwid": hwid}),
        ),
        Some(TunnelKind::Geneve(options)) => {
            let options = options.iter().map(|option| {
                json!({"class": option.class, "opt-type": option.kind, "data": hex(&option.data)})
            });
            ("geneve", options.collect())
        }
    };
    put("type".to_owned(), kind.into());
    put("tunnel".to_owned(), body);
}

/// A tunnel object as lines of rule text.
pub(super) fn object(out: &mut Writer, body: &Node) {
    for (key, word) in [("id", "id"), ("sport", "sport"), ("dport", "dport")] {
        number(out, body, key, word);
    }
    for (key, word) in [("tos", "tos"), ("ttl", "ttl")] {
        number(out, body, key, word);
    }
    for (key, word) in [
        ("src-ipv4", "ip saddr"),
        ("dst-ipv4", "ip daddr"),
        ("src-ipv6", "ip6 saddr"),
        ("dst-ipv6", "ip6 daddr"),
    ] {
        if let Some(addr) = body.get(key) {
            out.push(&format!(" {word} "));
            out.word(addr);
            out.push(";");
        }
    }
    let Some(kind) = body.get("type") else {
        return;
    };
    let Some(of) = out.need(body, "tunnel") else {
        return;
    };
    out.push(" ");
    out.word(kind);
    out.push(" {");
    if kind.text() == Some("geneve") {
        for option in of.items() {
            geneve_option(out, option);
        }
    }
    for (key, word) in [("gbp", "gbp"), ("version", "version"), ("index", "index")] {
        number(out, of, key, word);
    }
    number(out, of, "hwid", "id");
    if let Some(way) = of.get("dir") {
        out.push(" direction ");
        out.word(way);
        out.push(";");
    }
    out.push(" }");
}

fn geneve_option(out: &mut Writer, option: &Node) {
    for (key, word) in [("class", " class "), ("opt-type", " opt-type ")] {
        if let Some(value) = out.need(option, key) {
            out.push(word);
            out.number(value);
        }
    }
    if let Some(data) = out.need(option, "data") {
        out.push(" data ");
        out.quoted_text(data);
    }
    out.push(";");
}

fn number(out: &mut Writer, body: &Node, key: &str, word: &str) {
    if let Some(value) = body.get(key) {
        out.push(&format!(" {word} "));
        out.number(value);
        out.push(";");
    }
}
