//! Listings as text, line by line as nft prints them.

mod expr;
pub(super) mod stmt;

use super::model::{Chain, Element, Kind, Listing, Object, Set, Table};
use super::words::{l3proto, object_word, protocol, synproxy_flags};
use crate::datatype::{self, Type};
use crate::resolve::named_priorities;
use expr::expr_text;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook};
use redan_vm::ruleset::{BaseChain, Policy, StateSpec};
use std::fmt::Write as _;
use stmt::{limit_body, quota_body, rule_text, stmt_text, stmts_text};

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

mod tunnel;

fn print_table(out: &mut String, table: &Table, handles: Handles) {
    let handle = handles.text(table.handle);
    line!(
        out,
        "table {} {} {{{handle}",
        table.family.word(),
        table.name
    );
    if !table.flags.is_empty() {
        line!(out, "\tflags {}", table.flags.join(","));
    }
    if let Some(comment) = &table.comment {
        line!(out, "\tcomment \"{comment}\"");
    }
    // flags are set off from what follows, a comment is not
    let mut first = table.flags.is_empty();
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
        StateSpec::Tunnel(of) => tunnel::lines(out, of),
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
    match element.timeout_ms {
        None => {}
        Some(0) => text.push_str(" timeout never"),
        Some(ms) => {
            let _ = write!(text, " timeout {}", span(ms));
        }
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
        let line = format!("\t\t{}{}", rule_text(rule), handles.text(rule.handle));
        // a rule without statements
        if !line.trim_end().is_empty() {
            line!(out, "{line}");
        }
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
