//! Listings as text, line by line as nft prints them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::model::{
    Chain, Element, Expr, Field, Kind, Listing, Nat, Object, Rule, Set, Stmt, Table,
};
use super::words::{
    LEVELS, LOG_ALL, LOG_FLAGS, in_unit, l3proto, object_word, per, protocol, synproxy_flags,
};
use crate::datatype::{self, Type};
use crate::resolve::named_priorities;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook};
use redan_vm::instr::{DynsetOp, Log, ObjectKind};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{BaseChain, LimitSpec, Policy, StateSpec};
use std::fmt::Write as _;

/// Breaks an element list onto the next line.
const BREAK: &str = ",\n\t\t\t     ";

/// The text of a listing.
pub fn print(listing: &Listing) -> String {
    print_all(listing, Handles::Hidden)
}

/// The text of a listing with the handle of everything behind it.
pub fn print_numbered(listing: &Listing) -> String {
    print_all(listing, Handles::Shown)
}

fn print_all(listing: &Listing, handles: Handles) -> String {
    let mut out = String::new();
    for table in &listing.tables {
        print_table(&mut out, table, handles);
    }
    out
}

/// Whether handles are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handles {
    Shown,
    Hidden,
}

impl Handles {
    fn text(self, handle: u64) -> String {
        match self {
            Self::Shown => format!(" # handle {handle}"),
            Self::Hidden => String::new(),
        }
    }
}

macro_rules! line {
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out, $($arg)*);
    }};
}

fn print_table(out: &mut String, table: &Table, handles: Handles) {
    let handle = handles.text(table.handle);
    line!(
        out,
        "table {} {} {{{handle}",
        table.family.word(),
        table.name
    );
    if table.dormant {
        line!(out, "\tflags dormant");
    }
    if let Some(comment) = &table.comment {
        line!(out, "\tcomment \"{comment}\"");
    }
    // flags are set off from what follows, a comment is not
    let mut first = !table.dormant;
    let mut gap = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push('\n');
        }
    };
    for object in &table.objects {
        gap(out);
        print_object(out, object, handles);
    }
    for set in &table.sets {
        gap(out);
        print_set(out, set, handles);
    }
    for flowtable in &table.flowtables {
        gap(out);
        let handle = handles.text(flowtable.handle);
        line!(out, "\tflowtable {} {{{handle}", flowtable.name);
        let priority = priority(Family::Netdev, Hook::Ingress, flowtable.priority);
        line!(out, "\t\thook ingress priority {priority}");
        if !flowtable.devices.is_empty() {
            let devices = flowtable.devices.join(", ");
            line!(out, "\t\tdevices = {{ {devices} }}");
        }
        if flowtable.offload {
            line!(out, "\t\tflags offload");
        }
        if flowtable.counter {
            line!(out, "\t\tcounter");
        }
        line!(out, "\t}}");
    }
    for chain in &table.chains {
        gap(out);
        print_chain(out, table.family, chain, handles);
    }
    line!(out, "}}");
}

#[expect(
    clippy::match_same_arms,
    reason = "counters have nothing to say, the others are no objects"
)]
fn print_object(out: &mut String, object: &Object, handles: Handles) {
    let (word, handle) = (object_word(object.kind), handles.text(object.handle));
    line!(out, "\t{word} {} {{{handle}", object.name);
    if let Some(comment) = &object.comment {
        line!(out, "\t\tcomment \"{comment}\"");
    }
    match &object.spec {
        StateSpec::Counter { .. } => {}
        StateSpec::Quota { bytes, over, .. } => line!(out, "\t\t{}", quota_body(*bytes, *over)),
        StateSpec::Limit(limit) => line!(out, "\t\t{}", limit_body(limit)),
        StateSpec::CtHelper {
            name,
            l4proto,
            l3proto: l3,
        } => {
            line!(out, "\t\ttype \"{name}\" protocol {}", protocol(*l4proto));
            line!(out, "\t\tl3proto {}", l3proto(*l3));
        }
        StateSpec::CtTimeout {
            l4proto,
            l3proto: l3,
            policy,
        } => {
            line!(out, "\t\tprotocol {}", protocol(*l4proto));
            line!(out, "\t\tl3proto {}", l3proto(*l3));
            let policy: Vec<String> = policy
                .iter()
                .map(|(state, secs)| format!("{state} : {}", span(u64::from(*secs) * 1000)))
                .collect();
            line!(out, "\t\tpolicy = {{ {} }}", policy.join(", "));
        }
        StateSpec::CtExpectation {
            l4proto,
            dport,
            timeout_ms,
            size,
            l3proto: l3,
        } => {
            line!(out, "\t\tprotocol {}", protocol(*l4proto));
            line!(out, "\t\tdport {dport}");
            line!(out, "\t\ttimeout {}", span(*timeout_ms));
            line!(out, "\t\tsize {size}");
            line!(out, "\t\tl3proto {}", l3proto(*l3));
        }
        StateSpec::Secmark(context) => line!(out, "\t\t\"{context}\""),
        StateSpec::Synproxy { mss, wscale, flags } => {
            if flags & 1 != 0 {
                line!(out, "\t\tmss {mss}");
            }
            if flags & 2 != 0 {
                line!(out, "\t\twscale {wscale}");
            }
            let words = synproxy_flags(*flags);
            if !words.is_empty() {
                line!(out, "\t\t{}", words.join(" "));
            }
        }
        StateSpec::Last { .. } | StateSpec::Connlimit { .. } | StateSpec::Numgen => {}
    }
    line!(out, "\t}}");
}

/// Milliseconds as nft writes spans.
pub(crate) fn span(ms: u64) -> String {
    datatype::write(Type::of(DataType::Time), u128::from(ms))
}

fn print_set(out: &mut String, set: &Set, handles: Handles) {
    let word = if set.data.is_some() { "map" } else { "set" };
    line!(out, "\t{word} {} {{{}", set.name, handles.text(set.handle));
    let kind = |kind: &Kind| match kind {
        Kind::Types(words) => words.join(" . "),
        Kind::Fields(expr) => expr_text(expr),
        Kind::Word(word) => (*word).to_owned(),
    };
    let how = if matches!(set.key, Kind::Fields(_)) {
        "typeof"
    } else {
        "type"
    };
    let data = set.data.as_ref().map(|data| {
        let interval = if set.data_interval { "interval " } else { "" };
        format!(" : {interval}{}", kind(data))
    });
    line!(
        out,
        "\t\t{how} {}{}",
        kind(&set.key),
        data.unwrap_or_default()
    );
    if set.for_memory {
        line!(out, "\t\tpolicy memory");
    }
    if let Some(size) = set.size.filter(|size| *size > 0) {
        line!(out, "\t\tsize {size}");
    }
    if !set.flags.is_empty() {
        line!(out, "\t\tflags {}", set.flags.join(","));
    }
    if !set.stmts.is_empty() {
        line!(out, "\t\t{}", stmts_text(&set.stmts));
    }
    if let Some(ms) = set.timeout_ms {
        line!(out, "\t\ttimeout {}", span(ms));
    }
    if let Some(ms) = set.gc_interval_ms {
        line!(out, "\t\tgc-interval {}", span(ms));
    }
    if set.auto_merge {
        line!(out, "\t\tauto-merge");
    }
    if let Some(comment) = &set.comment {
        line!(out, "\t\tcomment \"{comment}\"");
    }
    if !set.elements.is_empty() {
        let mut text = String::new();
        for (at, element) in set.elements.iter().enumerate() {
            if at > 0 {
                let full = at.is_multiple_of(set.per_line.max(1));
                text.push_str(if full { BREAK } else { ", " });
            }
            text.push_str(&element_text(element));
        }
        line!(out, "\t\telements = {{ {text} }}");
    }
    line!(out, "\t}}");
}

/// An element with all that it carries.
fn element_text(element: &Element) -> String {
    let mut text = expr_text(&element.key);
    if let Some(ms) = element.timeout_ms {
        let _ = write!(text, " timeout {}", span(ms));
    }
    for stmt in &element.stmts {
        let _ = write!(text, " {}", stmt_text(stmt));
    }
    if let Some(comment) = &element.comment {
        let _ = write!(text, " comment \"{comment}\"");
    }
    if let Some(data) = &element.data {
        let _ = write!(text, " : {}", expr_text(data));
    }
    text
}

/// A priority by name, as near as nft names it.
fn priority(family: Family, hook: Hook, value: i32) -> String {
    let names = named_priorities(family);
    let near = names
        .iter()
        .filter(|(name, _, hooks)| {
            let out = hook == Hook::Output && *name == "dstnat";
            !out && (hooks.is_empty() || hooks.contains(&hook))
        })
        .find(|(_, named, _)| value.abs_diff(*named) <= 10);
    match near {
        Some((name, named, _)) if value == *named => (*name).to_owned(),
        Some((name, named, _)) if value > *named => format!("{name} + {}", value - named),
        Some((name, named, _)) => format!("{name} - {}", named - value),
        None => value.to_string(),
    }
}

fn print_chain(out: &mut String, family: Family, chain: &Chain, handles: Handles) {
    line!(
        out,
        "\tchain {} {{{}",
        chain.name,
        handles.text(chain.handle)
    );
    if let Some(comment) = &chain.comment {
        line!(out, "\t\tcomment \"{comment}\"");
    }
    if let Some(base) = &chain.base {
        line!(out, "\t\t{}", base_text(family, base));
    }
    for rule in &chain.rules {
        let handle = handles.text(rule.handle);
        line!(out, "\t\t{}{handle}", rule_text(rule));
    }
    line!(out, "\t}}");
}

fn base_text(family: Family, base: &BaseChain) -> String {
    let device = match base.devices.as_slice() {
        [] => String::new(),
        [only] => format!(" device \"{only}\""),
        many => format!(" devices = {{ {} }}", many.join(", ")),
    };
    let policy = match base.policy {
        Policy::Accept => "accept",
        Policy::Drop => "drop",
    };
    format!(
        "type {} hook {}{device} priority {}; policy {policy};",
        base.chain_type.word(),
        base.hook.word(),
        priority(family, base.hook, base.priority),
    )
}

fn rule_text(rule: &Rule) -> String {
    let mut text = stmts_text(&rule.stmts);
    if let Some(comment) = &rule.comment {
        let _ = write!(text, " comment \"{comment}\"");
    }
    text
}

fn stmts_text(stmts: &[Stmt]) -> String {
    stmts.iter().map(stmt_text).collect::<Vec<_>>().join(" ")
}

/// A statement as nft writes it.
pub(crate) fn stmt_text(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Match(sign, left, right) => match_text(sign, left, right),
        Stmt::FlagMatch(sign, left, value, mask) => {
            let sign = if *sign == "==" {
                String::new()
            } else {
                format!("{sign} ")
            };
            let (left, value, mask) = (expr_text(left), expr_text(value), expr_text(mask));
            format!("{left} {sign}{value} / {mask}")
        }
        Stmt::Verdict(word, chain) => verdict_text(word, chain.as_deref()),
        Stmt::Block(word, _, rules) => {
            let lines = rules.iter().fold(String::new(), |mut lines, rule| {
                let _ = writeln!(lines, "\t\t\t{}", rule_text(rule));
                lines
            });
            format!("{word} {{\n{lines}\t\t}}")
        }
        Stmt::Vmap(key, map) => format!("{} vmap {}", expr_text(key), expr_text(map)),
        Stmt::State(spec) => state_text(spec),
        Stmt::Objref(kind, name) => {
            let word = object_word(*kind);
            let set = if matches!(
                kind,
                ObjectKind::CtHelper | ObjectKind::CtTimeout | ObjectKind::CtExpectation
            ) {
                " set"
            } else if *kind == ObjectKind::Secmark {
                return format!("meta secmark set {}", expr_text(name));
            } else {
                " name"
            };
            format!("{word}{set} {}", expr_text(name))
        }
        Stmt::Log(log) => log_text(log),
        Stmt::Reject(_, _, true) => "reject".to_owned(),
        Stmt::Reject(kind, None, false) => format!("reject with {kind}"),
        Stmt::Reject(kind, Some(code), false) => format!("reject with {kind} {}", expr_text(code)),
        Stmt::Nat(nat) => nat_text(nat),
        Stmt::Tproxy(family, addr, port) => {
            let family = family.map_or_else(String::new, |family| format!(" {family}"));
            let to = match (addr, port) {
                (Some(addr), None) => bracketed(addr),
                (addr, port) => endpoint(addr.as_ref(), port.as_ref()),
            };
            format!("tproxy{family} to {to}")
        }
        Stmt::Notrack => "notrack".to_owned(),
        Stmt::Set(field, value) => format!("{} set {}", expr_text(field), expr_text(value)),
        Stmt::Reset(option) => format!("reset {}", expr_text(option)),
        Stmt::Dynset(op, set, element) => {
            let word = match op {
                DynsetOp::Add => "add",
                DynsetOp::Update => "update",
                DynsetOp::Delete => "delete",
            };
            format!("{word} @{set} {{ {} }}", element_text(element))
        }
        Stmt::Meter(name, size, element) => {
            let size = size.map_or_else(String::new, |size| format!(" size {size}"));
            format!("meter {name}{size} {{ {} }}", element_text(element))
        }
        Stmt::Flow(name) => format!("flow add @{name}"),
        Stmt::Queue(target, flags) => queue_text(target.as_ref(), flags),
        Stmt::Dup(addr, device) => match (addr, device) {
            (Some(addr), Some(device)) => {
                format!("dup to {} device {}", expr_text(addr), expr_text(device))
            }
            (Some(only), None) | (None, Some(only)) => format!("dup to {}", expr_text(only)),
            (None, None) => "dup".to_owned(),
        },
        Stmt::Fwd(device, Some((family, addr))) => {
            let (addr, device) = (expr_text(addr), expr_text(device));
            format!("fwd {family} to {addr} device {device}")
        }
        Stmt::Fwd(device, None) => format!("fwd to {}", expr_text(device)),
    }
}

fn match_text(sign: &str, left: &Expr, right: &Expr) -> String {
    let sign = match sign {
        "" | "=" => String::new(),
        sign => format!("{sign} "),
    };
    format!("{} {sign}{}", expr_text(left), expr_text(right))
}

fn verdict_text(word: &str, chain: Option<&str>) -> String {
    match chain {
        Some(chain) => format!("{word} {chain}"),
        None => word.to_owned(),
    }
}

fn quota_body(bytes: u64, over: bool) -> String {
    let (number, unit) = in_unit(bytes);
    let over = if over { "over " } else { "" };
    format!("{over}{number} {unit}")
}

fn limit_body(limit: &LimitSpec) -> String {
    let over = if limit.over { "over " } else { "" };
    let per = per(limit.unit_secs);
    if !limit.bytes {
        let burst = match limit.burst {
            0 | 5 => String::new(),
            burst => format!(" burst {burst} packets"),
        };
        return format!("rate {over}{}/{per}{burst}", limit.rate);
    }
    let (rate, unit) = in_unit(limit.rate);
    let burst = match limit.burst {
        0 => String::new(),
        burst => {
            let (number, unit) = in_unit(u64::from(burst));
            format!(" burst {number} {unit}")
        }
    };
    format!("rate {over}{rate} {unit}/{per}{burst}")
}

fn state_text(spec: &StateSpec) -> String {
    match spec {
        StateSpec::Counter { .. } => "counter".to_owned(),
        StateSpec::Limit(limit) => format!("limit {}", limit_body(limit)),
        StateSpec::Quota { bytes, over, .. } => format!("quota {}", quota_body(*bytes, *over)),
        StateSpec::Last { .. } => "last".to_owned(),
        StateSpec::Connlimit { count, over } => {
            format!("ct count {}{count}", if *over { "over " } else { "" })
        }
        StateSpec::Synproxy { mss, wscale, flags } => {
            let mut text = "synproxy".to_owned();
            if flags & 1 != 0 {
                let _ = write!(text, " mss {mss}");
            }
            if flags & 2 != 0 {
                let _ = write!(text, " wscale {wscale}");
            }
            for word in synproxy_flags(*flags) {
                let _ = write!(text, " {word}");
            }
            text
        }
        StateSpec::Numgen
        | StateSpec::CtHelper { .. }
        | StateSpec::CtTimeout { .. }
        | StateSpec::CtExpectation { .. }
        | StateSpec::Secmark(_) => String::new(),
    }
}

fn log_text(log: &Log) -> String {
    let mut text = "log".to_owned();
    if let Some(prefix) = &log.prefix {
        let _ = write!(text, " prefix \"{prefix}\"");
    }
    if let Some(group) = log.group {
        let _ = write!(text, " group {group}");
    }
    if let Some(snaplen) = log.snaplen {
        let _ = write!(text, " snaplen {snaplen}");
    }
    if let Some(threshold) = log.qthreshold {
        let _ = write!(text, " queue-threshold {threshold}");
    }
    if let Some(level) = log.level.filter(|level| *level != 4)
        && let Some(word) = LEVELS.get(usize::from(level))
    {
        let _ = write!(text, " level {word}");
    }
    if log.flags & LOG_ALL == LOG_ALL {
        text.push_str(" flags all");
        return text;
    }
    if log.flags & 3 != 0 {
        let words = [(1, "sequence"), (2, "options")];
        let words: Vec<&str> = words
            .iter()
            .filter(|(bit, _)| log.flags & bit != 0)
            .map(|(_, word)| *word)
            .collect();
        let _ = write!(text, " flags tcp {}", words.join(","));
    }
    for (bit, word) in LOG_FLAGS.iter().filter(|(bit, _)| *bit > 2) {
        if log.flags & bit != 0 {
            let _ = write!(text, " flags {word}");
        }
    }
    text
}

/// `addr:port`, with brackets where an IPv6 address has a port.
fn endpoint(addr: Option<&Expr>, port: Option<&Expr>) -> String {
    let port_text = port.map(|port| format!(":{}", expr_text(port)));
    let Some(addr) = addr else {
        return port_text.unwrap_or_default();
    };
    let text = match (addr, port) {
        (Expr::Range(ends), Some(_)) => {
            format!("{}-{}", bracketed(&ends.0), bracketed(&ends.1))
        }
        (addr, Some(_)) => bracketed(addr),
        (addr, None) => expr_text(addr),
    };
    text + port_text.as_deref().unwrap_or_default()
}

fn bracketed(addr: &Expr) -> String {
    let text = expr_text(addr);
    if matches!(addr, Expr::Word(_)) && text.contains(':') {
        format!("[{text}]")
    } else {
        text
    }
}

fn nat_text(nat: &Nat) -> String {
    let mut text = nat.word.to_owned();
    if let Some(family) = nat.family {
        let _ = write!(text, " {family}");
    }
    if nat.mode == Some("prefix") {
        text.push_str(" prefix");
    }
    if nat.addr.is_some() || nat.port.is_some() {
        let _ = write!(
            text,
            " to {}",
            endpoint(nat.addr.as_ref(), nat.port.as_ref())
        );
    }
    if !nat.flags.is_empty() {
        let _ = write!(text, " {}", nat.flags.join(","));
    }
    text
}

fn queue_text(target: Option<&Expr>, flags: &[&str]) -> String {
    let mut text = "queue".to_owned();
    if !flags.is_empty() {
        let _ = write!(text, " flags {}", flags.join(","));
    }
    if let Some(target) = target {
        let _ = write!(text, " to {}", expr_text(target));
    }
    text
}

/// Binding strength of an operator.
fn strength(sign: &str) -> u8 {
    match sign {
        "<<" | ">>" => 1,
        "&" => 2,
        "^" => 3,
        _ => 4,
    }
}

fn operand(sign: &str, expr: &Expr) -> String {
    match expr {
        Expr::Binary(inner, _) if strength(inner) > strength(sign) => {
            format!("({})", expr_text(expr))
        }
        _ => expr_text(expr),
    }
}

/// An expression as nft writes it.
pub(crate) fn expr_text(expr: &Expr) -> String {
    let join =
        |items: &[Expr], sign: &str| items.iter().map(expr_text).collect::<Vec<_>>().join(sign);
    match expr {
        Expr::Word(word) => word.clone(),
        Expr::Quoted(text) => format!("\"{text}\""),
        Expr::Number(_, text) | Expr::Numbered(_, text) => text.clone(),
        Expr::Present(true) => "exists".to_owned(),
        Expr::Present(false) => "missing".to_owned(),
        Expr::Prefix(addr, len) => format!("{}/{len}", expr_text(addr)),
        Expr::Range(ends) => format!("{}-{}", expr_text(&ends.0), expr_text(&ends.1)),
        Expr::Concat(parts) => join(parts, " . "),
        Expr::Set(elements) => {
            let elements: Vec<String> = elements.iter().map(element_text).collect();
            format!("{{ {} }}", elements.join(", "))
        }
        Expr::SetRef(name) => format!("@{name}"),
        Expr::List(items) => join(items, ","),
        Expr::Binary(sign, sides) => {
            format!(
                "{} {sign} {}",
                operand(sign, &sides.0),
                operand(sign, &sides.1)
            )
        }
        Expr::Map(sides) => format!("{} map {}", expr_text(&sides.0), expr_text(&sides.1)),
        Expr::Verdict(word, chain) => verdict_text(word, chain.as_deref()),
        Expr::CatchAll => "*".to_owned(),
        Expr::Field(field) => field_text(field),
    }
}

/// Keys of `meta` that nft writes without it.
fn is_bare(key: &str) -> bool {
    MetaKey::from_word(key).is_some_and(|key| {
        matches!(
            key,
            MetaKey::Iif
                | MetaKey::Oif
                | MetaKey::Iifname
                | MetaKey::Oifname
                | MetaKey::Iifgroup
                | MetaKey::Oifgroup
        )
    })
}

fn field_text(field: &Field) -> String {
    let option = |word: &str, name: &str, field: Option<&str>| {
        let field = field.map_or_else(String::new, |field| format!(" {field}"));
        format!("{word} {name}{field}")
    };
    match field {
        Field::Payload(protocol, name) => format!("{protocol} {name}"),
        Field::Raw(base, offset, bits) => format!("@{base},{offset},{bits}"),
        Field::Inner(tunnel, inner) => format!("{tunnel} {}", field_text(inner)),
        Field::Exthdr(name, field, index) => {
            let index = index.map_or_else(String::new, |index| format!("[{index}]"));
            match field {
                Some(field) => format!("{name} {field}{index}"),
                None => format!("exthdr {name}"),
            }
        }
        Field::TcpOption(name, field) => option("tcp option", name, *field),
        Field::RawTcpOption(kind, offset, bits) => match (offset, bits) {
            (0, 8) => format!("tcp option {kind}"),
            _ => format!("tcp option @{kind},{offset},{bits}"),
        },
        Field::IpOption(name, field) => option("ip option", name, *field),
        Field::SctpChunk(name, field) => option("sctp chunk", name, *field),
        Field::DccpOption(kind) => format!("dccp option {kind}"),
        Field::Meta(key) if is_bare(key) => (*key).to_owned(),
        Field::Meta(key) => format!("meta {key}"),
        Field::Ct(dir, key, _) => {
            let dir = dir.map_or_else(String::new, |dir| format!("{dir} "));
            format!("ct {dir}{key}")
        }
        Field::Fib(keys, result) => format!("fib {} {result}", keys.join(" . ")),
        Field::Rt(family, key) => {
            let family = family.map_or_else(String::new, |family| format!("{family} "));
            format!("rt {family}{key}")
        }
        Field::Socket(key, level) => {
            let level = level.map_or_else(String::new, |level| format!(" level {level}"));
            format!("socket {key}{level}")
        }
        Field::Osf(ttl, key) => {
            let ttl = ttl.map_or_else(String::new, |ttl| format!("ttl {ttl} "));
            format!("osf {ttl}{key}")
        }
        Field::Ipsec(dir, spnum, family, key) => {
            let spnum = if *spnum == 0 {
                String::new()
            } else {
                format!(" spnum {spnum}")
            };
            let family = family.map_or_else(String::new, |family| format!("{family} "));
            format!("ipsec {dir}{spnum} {family}{key}")
        }
        Field::Numgen(mode, modulus, offset) => {
            format!("numgen {mode} mod {modulus}{}", offset_text(*offset))
        }
        Field::Jhash(key, modulus, seed, offset) => {
            let seed = seed.map_or_else(String::new, |seed| format!(" seed 0x{seed:x}"));
            format!(
                "jhash {} mod {modulus}{seed}{}",
                expr_text(key),
                offset_text(*offset)
            )
        }
        Field::Symhash(modulus, offset) => format!("symhash mod {modulus}{}", offset_text(*offset)),
    }
}

fn offset_text(offset: u32) -> String {
    if offset == 0 {
        String::new()
    } else {
        format!(" offset {offset}")
    }
}
