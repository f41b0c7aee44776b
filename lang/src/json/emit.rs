//! A listing as libnftables' JSON, in the words of `nft -j list ruleset`.

use crate::list::model::{
    Chain, Element, Expr, Field, Kind, Listing, Nat, Object, Set, Stmt, Table,
};
use crate::list::stmt_text;
use crate::list::words::{
    LEVELS, LOG_ALL, LOG_FLAGS, in_unit, l3proto, object_word, per, protocol, synproxy_flags,
};
use redan_vm::instr::{DynsetOp, Log, ObjectKind};
use redan_vm::ruleset::{LimitSpec, Policy, StateSpec};
use serde_json::{Map, Value, json};

/// The whole document.
pub fn emit(listing: &Listing) -> Value {
    let mut all = vec![json!({"metainfo": {"json_schema_version": 1}})];
    for table in &listing.tables {
        table_values(&mut all, table);
    }
    json!({ "nftables": all })
}

/// An object with one member.
fn one(key: &str, value: Value) -> Value {
    let mut map = Map::new();
    map.insert(key.to_owned(), value);
    Value::Object(map)
}

fn put(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    map.insert(key.to_owned(), value.into());
}

fn put_some<T: Into<Value>>(map: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        put(map, key, value);
    }
}

fn table_values(all: &mut Vec<Value>, table: &Table) {
    let mut map = Map::new();
    put(&mut map, "family", table.family.word());
    put(&mut map, "name", table.name.as_str());
    put(&mut map, "handle", table.handle);
    put_some(&mut map, "comment", table.comment.as_deref());
    match table.flags.as_slice() {
        [] => {}
        [only] => put(&mut map, "flags", *only),
        many => put(&mut map, "flags", json!(many)),
    }
    all.push(one("table", Value::Object(map)));
    for object in &table.objects {
        all.push(object_value(table, object));
    }
    for set in &table.sets {
        all.push(set_value(table, set));
    }
    for flowtable in &table.flowtables {
        let mut map = place(table, &flowtable.name, flowtable.handle);
        put(&mut map, "hook", "ingress");
        put(&mut map, "prio", flowtable.priority);
        put_some(&mut map, "dev", names(&flowtable.devices));
        if flowtable.offload {
            put(&mut map, "flags", "offload");
        }
        if flowtable.counter {
            put(&mut map, "counter", true);
        }
        all.push(one("flowtable", Value::Object(map)));
    }
    for chain in &table.chains {
        all.push(chain_value(table, chain));
    }
    for chain in &table.chains {
        for rule in &chain.rules {
            let mut map = Map::new();
            put(&mut map, "family", table.family.word());
            put(&mut map, "table", table.name.as_str());
            put(&mut map, "chain", chain.name.as_str());
            put(&mut map, "handle", rule.handle);
            put_some(&mut map, "comment", rule.comment.as_deref());
            put(&mut map, "expr", stmts(&rule.stmts));
            all.push(one("rule", Value::Object(map)));
        }
    }
}

/// One name as a string, several as an array.
fn names(names: &[String]) -> Option<Value> {
    match names {
        [] => None,
        [only] => Some(json!(only)),
        many => Some(json!(many)),
    }
}

fn place(table: &Table, name: &str, handle: u64) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "family", table.family.word());
    put(&mut map, "name", name);
    put(&mut map, "table", table.name.as_str());
    put(&mut map, "handle", handle);
    map
}

fn object_value(table: &Table, object: &Object) -> Value {
    let mut map = place(table, &object.name, object.handle);
    put_some(&mut map, "comment", object.comment.as_deref());
    match &object.spec {
        StateSpec::Counter { packets, bytes } => {
            put(&mut map, "packets", *packets);
            put(&mut map, "bytes", *bytes);
        }
        StateSpec::Quota {
            bytes,
            consumed,
            over,
        } => {
            put(&mut map, "bytes", *bytes);
            put(&mut map, "used", *consumed);
            put(&mut map, "inv", *over);
        }
        StateSpec::Limit(limit) => {
            limit_members(&mut map, limit);
            // of an object nft leaves out a burst that is none
            if limit.burst == 0 {
                map.remove("burst");
                map.remove("burst_unit");
            }
        }
        StateSpec::CtHelper {
            name,
            l4proto,
            l3proto: l3,
        } => {
            put(&mut map, "type", name.as_str());
            put(&mut map, "protocol", protocol(*l4proto));
            put(&mut map, "l3proto", l3proto(*l3));
        }
        StateSpec::CtTimeout {
            l4proto,
            l3proto: l3,
            policy,
        } => {
            put(&mut map, "protocol", protocol(*l4proto));
            put(&mut map, "l3proto", l3proto(*l3));
            let policy: Map<String, Value> = policy
                .iter()
                .map(|(state, secs)| (state.clone(), json!(secs)))
                .collect();
            put(&mut map, "policy", policy);
        }
        StateSpec::CtExpectation {
            l4proto,
            dport,
            timeout_ms,
            size,
            l3proto: l3,
        } => {
            put(&mut map, "protocol", protocol(*l4proto));
            put(&mut map, "dport", *dport);
            put(&mut map, "timeout", *timeout_ms);
            put(&mut map, "size", *size);
            put(&mut map, "l3proto", l3proto(*l3));
        }
        StateSpec::Tunnel(of) => super::tunnel::members(&mut map, of),
        StateSpec::Secmark(context) => put(&mut map, "context", context.as_str()),
        StateSpec::Synproxy { mss, wscale, flags } => synproxy(&mut map, *mss, *wscale, *flags),
        StateSpec::Last { .. } | StateSpec::Connlimit { .. } | StateSpec::Numgen => {}
    }
    one(object_word(object.kind), Value::Object(map))
}

fn synproxy(map: &mut Map<String, Value>, mss: u16, wscale: u8, flags: u32) {
    if flags & 1 != 0 {
        put(map, "mss", mss);
    }
    if flags & 2 != 0 {
        put(map, "wscale", wscale);
    }
    let words = synproxy_flags(flags);
    if !words.is_empty() {
        put(map, "flags", words);
    }
}

fn limit_members(map: &mut Map<String, Value>, limit: &LimitSpec) {
    let (rate, rate_unit) = in_unit(limit.rate);
    let (burst, burst_unit) = in_unit(u64::from(limit.burst));
    if limit.bytes {
        put(map, "rate", rate);
        put(map, "rate_unit", rate_unit);
        put(map, "burst", burst);
        put(map, "burst_unit", burst_unit);
    } else {
        put(map, "rate", limit.rate);
        put(map, "burst", limit.burst);
    }
    put(map, "per", per(limit.unit_secs));
    if limit.over {
        put(map, "inv", true);
    }
}

fn set_value(table: &Table, set: &Set) -> Value {
    let mut map = place(table, &set.name, set.handle);
    put_some(&mut map, "comment", set.comment.as_deref());
    set_types(&mut map, set);
    if set.for_memory {
        put(&mut map, "policy", "memory");
    }
    put_some(&mut map, "size", set.size);
    let flags: Vec<&str> = set
        .flags
        .iter()
        .copied()
        .filter(|flag| *flag != "dynamic")
        .chain((set.timeout_ms.is_some() && !set.flags.contains(&"timeout")).then_some("timeout"))
        .collect();
    if !flags.is_empty() {
        put(&mut map, "flags", json!(flags));
    }
    span(&mut map, "timeout", set.timeout_ms);
    span(&mut map, "gc-interval", set.gc_interval_ms);
    for (on, word) in [
        (set.auto_merge, "auto-merge"),
        (set.flags.contains(&"dynamic"), "dynamic"),
    ] {
        if on {
            put(&mut map, word, true);
        }
    }
    if !set.elements.is_empty() {
        put(&mut map, "elem", elements(&set.elements));
    }
    if !set.stmts.is_empty() {
        put(&mut map, "stmt", stmts(&set.stmts));
    }
    let word = if set.data.is_some() { "map" } else { "set" };
    one(word, Value::Object(map))
}

/// What a set's elements are. nft has the names of types alone, which do not say how wide all of them are; `typeof`, which it passes over,
/// says it.
fn set_types(map: &mut Map<String, Value>, set: &Set) {
    let types = match set.key_types.as_slice() {
        [only] => json!(only),
        many => json!(many),
    };
    put(map, "type", types);
    if set.data.is_some() {
        put(map, "map", set.data_types.join(" . "));
    }
    let fields = |kind: Option<&Kind>| match kind {
        Some(Kind::Fields(fields)) => Some(expr(fields)),
        Some(Kind::Types(_) | Kind::Word(_)) | None => None,
    };
    if let Some(key) = fields(Some(&set.key)) {
        let mut of = Map::new();
        put(&mut of, "key", key);
        put_some(&mut of, "data", fields(set.data.as_ref()));
        put(map, "typeof", of);
    }
}

/// A span in seconds, as nft has it, and in milliseconds where seconds do not say it.
fn span(map: &mut Map<String, Value>, key: &str, ms: Option<u64>) {
    let Some(ms) = ms else { return };
    put(map, key, ms / 1000);
    // 0 is `never` of an element; seconds alone cannot say it
    if ms == 0 || !ms.is_multiple_of(1000) {
        put(map, &format!("{key}-ms"), ms);
    }
}

fn elements(elements: &[Element]) -> Value {
    Value::Array(elements.iter().map(element).collect())
}

/// The key, with what it carries where it carries something.
fn element_key(element: &Element) -> Value {
    let key = expr(&element.key);
    if element.timeout_ms.is_none() && element.comment.is_none() && element.stmts.is_empty() {
        return key;
    }
    let mut map = Map::new();
    put(&mut map, "val", key);
    span(&mut map, "timeout", element.timeout_ms);
    put_some(&mut map, "comment", element.comment.as_deref());
    // nft writes the first; the set's own say which others there are
    for stmt in element.stmts.iter().take(1) {
        if let Value::Object(members) = stmt_value(stmt) {
            map.extend(members);
        }
    }
    one("elem", Value::Object(map))
}

fn element(element: &Element) -> Value {
    let key = element_key(element);
    match &element.data {
        Some(data) => json!([key, expr(data)]),
        None => key,
    }
}

fn chain_value(table: &Table, chain: &Chain) -> Value {
    let mut map = Map::new();
    put(&mut map, "family", table.family.word());
    put(&mut map, "table", table.name.as_str());
    put(&mut map, "name", chain.name.as_str());
    put(&mut map, "handle", chain.handle);
    put_some(&mut map, "comment", chain.comment.as_deref());
    if let Some(base) = &chain.base {
        put(&mut map, "type", base.chain_type.word());
        put(&mut map, "hook", base.hook.word());
        put(&mut map, "prio", base.priority);
        put_some(&mut map, "dev", names(&base.devices));
        let policy = match base.policy {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        };
        put(&mut map, "policy", policy);
    }
    one("chain", Value::Object(map))
}

fn stmts(stmts: &[Stmt]) -> Value {
    Value::Array(stmts.iter().map(stmt_value).collect())
}

fn verdict(word: &str, chain: Option<&str>) -> Value {
    match chain {
        Some(chain) => one(word, json!({ "target": chain })),
        None => one(word, Value::Null),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a kind of statement")]
fn stmt_value(stmt: &Stmt) -> Value {
    match stmt {
        Stmt::Match(sign, left, right) => {
            let sign = match *sign {
                "" => "in",
                "=" => "==",
                sign => sign,
            };
            matching(sign, expr(left), expr(right))
        }
        Stmt::FlagMatch(sign, left, value, mask) => {
            matching(sign, json!({"&": [expr(left), expr(mask)]}), expr(value))
        }
        Stmt::Verdict(word, chain) => verdict(word, chain.as_deref()),
        // the schema has no words for these: nft writes their text
        Stmt::Block(..) => json!(stmt_text(stmt)),
        Stmt::Dynset(_, _, element) if element.data.is_some() => json!(stmt_text(stmt)),
        Stmt::Vmap(key, map) => json!({"vmap": {"key": expr(key), "data": expr(map)}}),
        Stmt::State(spec) => state(spec),
        Stmt::Objref(kind, name) if *kind == ObjectKind::Secmark => {
            json!({"mangle": {"key": {"meta": {"key": "secmark"}}, "value": expr(name)}})
        }
        Stmt::Objref(kind, name) => one(object_word(*kind), expr(name)),
        Stmt::Log(log) => log_value(log),
        Stmt::Reject(kind, code, _) => {
            let mut map = Map::new();
            put(&mut map, "type", *kind);
            put_some(&mut map, "expr", code.as_ref().map(expr));
            one("reject", Value::Object(map))
        }
        Stmt::Nat(nat) => nat_value(nat),
        Stmt::Tproxy(family, addr, port) => {
            let mut map = Map::new();
            put_some(&mut map, "family", *family);
            put_some(&mut map, "addr", addr.as_ref().map(expr));
            put_some(&mut map, "port", port.as_ref().map(expr));
            one("tproxy", Value::Object(map))
        }
        Stmt::Notrack => one("notrack", Value::Null),
        Stmt::Set(field, value) => json!({"mangle": {"key": expr(field), "value": expr(value)}}),
        Stmt::Reset(option) => one("reset", expr(option)),
        Stmt::Dynset(op, set, element) => dynset(*op, set, element),
        Stmt::Meter(name, size, element) => {
            let mut map = Map::new();
            let bare = Element {
                stmts: Vec::new(),
                ..element.as_ref().clone()
            };
            put(&mut map, "key", element_key(&bare));
            put_some(&mut map, "stmt", element.stmts.first().map(stmt_value));
            put_some(&mut map, "size", *size);
            put(&mut map, "name", name.as_str());
            one("meter", Value::Object(map))
        }
        Stmt::Flow(name) => json!({"flow": {"op": "add", "flowtable": format!("@{name}")}}),
        Stmt::Queue(target, flags) => {
            let mut map = Map::new();
            put_some(&mut map, "num", target.as_ref().map(expr));
            match flags.as_slice() {
                [] => {}
                [only] => put(&mut map, "flags", *only),
                many => put(&mut map, "flags", json!(many)),
            }
            one("queue", Value::Object(map))
        }
        Stmt::Dup(addr, device) => {
            let mut map = Map::new();
            let first = addr.as_ref().or(device.as_ref());
            put_some(&mut map, "addr", first.map(expr));
            if addr.is_some() {
                put_some(&mut map, "dev", device.as_ref().map(expr));
            }
            one("dup", Value::Object(map))
        }
        Stmt::Fwd(device, addr) => {
            let mut map = Map::new();
            put(&mut map, "dev", expr(device));
            if let Some((family, addr)) = addr {
                put(&mut map, "family", *family);
                put(&mut map, "addr", expr(addr));
            }
            one("fwd", Value::Object(map))
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what is moved into the document"
)]
fn matching(sign: &str, left: Value, right: Value) -> Value {
    json!({"match": {"op": sign, "left": left, "right": right}})
}

fn dynset(op: DynsetOp, set: &str, element: &Element) -> Value {
    let word = match op {
        DynsetOp::Add => "add",
        DynsetOp::Update => "update",
        DynsetOp::Delete => "delete",
    };
    let mut map = Map::new();
    let bare = Element {
        stmts: Vec::new(),
        data: None,
        ..element.clone()
    };
    put(&mut map, "op", word);
    put(&mut map, "elem", element_key(&bare));
    put(&mut map, "set", format!("@{set}"));
    if !element.stmts.is_empty() {
        put(&mut map, "stmt", stmts(&element.stmts));
    }
    one("set", Value::Object(map))
}

fn state(spec: &StateSpec) -> Value {
    let mut map = Map::new();
    let word = match spec {
        StateSpec::Counter { .. } => return one("counter", Value::Null),
        StateSpec::Last { .. } => return one("last", Value::Null),
        StateSpec::Limit(limit) => {
            limit_members(&mut map, limit);
            "limit"
        }
        StateSpec::Quota { bytes, over, .. } => {
            let (number, unit) = in_unit(*bytes);
            put(&mut map, "val", number);
            put(&mut map, "val_unit", unit);
            if *over {
                put(&mut map, "inv", true);
            }
            "quota"
        }
        StateSpec::Connlimit { count, over } => {
            put(&mut map, "val", *count);
            if *over {
                put(&mut map, "inv", true);
            }
            "ct count"
        }
        StateSpec::Synproxy { mss, wscale, flags } => {
            synproxy(&mut map, *mss, *wscale, *flags);
            if map.is_empty() {
                return one("synproxy", Value::Null);
            }
            "synproxy"
        }
        StateSpec::Numgen
        | StateSpec::CtHelper { .. }
        | StateSpec::CtTimeout { .. }
        | StateSpec::CtExpectation { .. }
        | StateSpec::Tunnel(_)
        | StateSpec::Secmark(_) => return Value::Null,
    };
    one(word, Value::Object(map))
}

fn log_value(log: &Log) -> Value {
    let mut map = Map::new();
    put_some(&mut map, "prefix", log.prefix.as_deref());
    put_some(&mut map, "group", log.group);
    put_some(&mut map, "snaplen", log.snaplen);
    put_some(&mut map, "queue-threshold", log.qthreshold);
    let level = log.level.filter(|level| *level != 4);
    let level = level.and_then(|level| LEVELS.get(usize::from(level)));
    put_some(&mut map, "level", level.copied());
    if log.flags & LOG_ALL == LOG_ALL {
        put(&mut map, "flags", "all");
    } else if log.flags != 0 {
        let words: Vec<&str> = LOG_FLAGS
            .iter()
            .filter(|(bit, _)| log.flags & bit != 0)
            .map(|(_, word)| *word)
            .collect();
        match words.as_slice() {
            [only] => put(&mut map, "flags", *only),
            many => put(&mut map, "flags", json!(many)),
        }
    }
    if map.is_empty() {
        return one("log", Value::Null);
    }
    one("log", Value::Object(map))
}

fn nat_value(nat: &Nat) -> Value {
    let mut map = Map::new();
    put_some(&mut map, "family", nat.family);
    put_some(&mut map, "addr", nat.addr.as_ref().map(expr));
    put_some(&mut map, "port", nat.port.as_ref().map(expr));
    let mut flags = nat.flags.clone();
    if nat.mode == Some("prefix") {
        flags.push("netmap");
    }
    match flags.as_slice() {
        [] => {}
        [only] => put(&mut map, "flags", *only),
        many => put(&mut map, "flags", json!(many)),
    }
    if nat.mode == Some("prefix") {
        put(&mut map, "type_flags", "prefix");
    }
    if map.is_empty() {
        return one(nat.word, Value::Null);
    }
    one(nat.word, Value::Object(map))
}

/// A number as JSON, in decimal text where it is too big.
fn number(value: u128) -> Value {
    match u64::try_from(value) {
        Ok(value) => json!(value),
        Err(_) => json!(format!("0x{value:x}")),
    }
}

fn expr(found: &Expr) -> Value {
    let all = |items: &[Expr]| Value::Array(items.iter().map(expr).collect());
    match found {
        Expr::Word(text) | Expr::Quoted(text) => json!(text),
        Expr::Numbered(named, _) => expr(named),
        Expr::Number(value, _) => number(*value),
        Expr::Present(on) => json!(on),
        Expr::Prefix(addr, len) => json!({"prefix": {"addr": expr(addr), "len": len}}),
        Expr::Range(ends) => json!({"range": [expr(&ends.0), expr(&ends.1)]}),
        Expr::Concat(parts) => json!({"concat": all(parts)}),
        Expr::Set(items) => json!({"set": elements(items)}),
        Expr::SetRef(name) => json!(format!("@{name}")),
        Expr::List(items) => all(items),
        Expr::Binary(sign, sides) => one(sign, json!([expr(&sides.0), expr(&sides.1)])),
        Expr::Map(sides) => json!({"map": {"key": expr(&sides.0), "data": expr(&sides.1)}}),
        Expr::Verdict(word, chain) => verdict(word, chain.as_deref()),
        Expr::CatchAll => json!("*"),
        Expr::Field(field) => field_value(field),
    }
}

fn option(word: &str, name: &str, field: Option<&str>) -> Value {
    let mut map = Map::new();
    put(&mut map, "name", name);
    put_some(&mut map, "field", field);
    one(word, Value::Object(map))
}

#[expect(clippy::too_many_lines, reason = "one arm a kind of field")]
fn field_value(field: &Field) -> Value {
    let mut map = Map::new();
    let word = match field {
        Field::Payload(protocol, name) => {
            put(&mut map, "protocol", *protocol);
            put(&mut map, "field", *name);
            "payload"
        }
        Field::Raw(base, offset, bits) => {
            put(&mut map, "base", *base);
            put(&mut map, "offset", *offset);
            put(&mut map, "len", *bits);
            "payload"
        }
        Field::Inner(tunnel, inner) => {
            if let Value::Object(inner) = field_value(inner)
                && let Some(Value::Object(members)) = inner.get("payload")
            {
                map.clone_from(members);
            }
            put(&mut map, "tunnel", *tunnel);
            "payload"
        }
        Field::Exthdr(name, field, index) => {
            let field = match (field, index) {
                (Some(field), Some(index)) => Some(format!("{field}[{index}]")),
                (field, _) => field.map(str::to_owned),
            };
            return option("exthdr", name, field.as_deref());
        }
        Field::TcpOption(name, field) => return option("tcp option", name, *field),
        Field::IpOption(name, field) => return option("ip option", name, *field),
        Field::SctpChunk(name, field) => return option("sctp chunk", name, *field),
        Field::RawTcpOption(kind, offset, bits) => {
            put(&mut map, "base", *kind);
            put(&mut map, "offset", *offset);
            put(&mut map, "len", *bits);
            "tcp option"
        }
        Field::DccpOption(kind) => {
            put(&mut map, "type", *kind);
            "dccp option"
        }
        Field::Meta(key) => {
            put(&mut map, "key", *key);
            "meta"
        }
        Field::Ct(dir, _, key) => {
            put(&mut map, "key", *key);
            put_some(&mut map, "dir", *dir);
            "ct"
        }
        Field::Fib(keys, result) => {
            put(&mut map, "result", *result);
            put(&mut map, "flags", json!(keys));
            "fib"
        }
        Field::Rt(family, key) => {
            put(&mut map, "key", *key);
            put_some(&mut map, "family", *family);
            "rt"
        }
        Field::Socket(key, level) => {
            put(&mut map, "key", *key);
            put_some(&mut map, "level", *level);
            "socket"
        }
        Field::Osf(ttl, key) => {
            put(&mut map, "key", *key);
            put_some(&mut map, "ttl", *ttl);
            "osf"
        }
        Field::Ipsec(dir, spnum, family, key) => {
            put(&mut map, "key", *key);
            put_some(&mut map, "family", *family);
            put(&mut map, "dir", *dir);
            put(&mut map, "spnum", *spnum);
            "ipsec"
        }
        Field::Tunnel(key) => {
            put(&mut map, "key", *key);
            "tunnel"
        }
        Field::Numgen(mode, modulus, offset) => {
            put(&mut map, "mode", *mode);
            put(&mut map, "mod", *modulus);
            put(&mut map, "offset", *offset);
            "numgen"
        }
        Field::Jhash(key, modulus, seed, offset) => {
            put(&mut map, "mod", *modulus);
            put(&mut map, "expr", expr(key));
            put_some(&mut map, "seed", *seed);
            put_some(
                &mut map,
                "offset",
                Some(*offset).filter(|offset| *offset > 0),
            );
            "jhash"
        }
        Field::Symhash(modulus, offset) => {
            put(&mut map, "mod", *modulus);
            put_some(
                &mut map,
                "offset",
                Some(*offset).filter(|offset| *offset > 0),
            );
            "symhash"
        }
    };
    one(word, Value::Object(map))
}
