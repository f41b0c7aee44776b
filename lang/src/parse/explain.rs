//! What is wrong with a statement that is not in the grammar, in words.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pest's enum of rules has a variant for every token"
)]

use super::tree::{Failure, Rule};
use crate::cut::cursor::Tok;
use crate::datatype::info;
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::{SourceId, Span};
use crate::token::{self, Kind, keyword};
use redan_vm::datatype::DataType;
use std::collections::BTreeSet;

/// Expected tokens that are listed one by one; more are summed up.
const MAX_LISTED: usize = 8;

/// The finding for tokens that do not fit an entry rule.
pub(super) fn explain(
    entry: Rule,
    failure: &Failure,
    toks: &[Tok],
    source: SourceId,
    text: &str,
) -> Diagnostic {
    let slice = |tok: &Tok| {
        text.get(tok.start as usize..tok.end as usize)
            .unwrap_or_default()
    };
    if failure.gave_up {
        let span = toks.first().map(|tok| tok.span(source)).unwrap_or_default();
        return Diagnostic::new(Code::TooLong, span, "this statement is too complex to read")
            .help("split it");
    }
    if let Some(diagnostic) = misspelt_command(entry, toks, source, text)
        .or_else(|| misspelt_family(failure, toks, source, text))
    {
        return diagnostic;
    }
    let found = toks.get(failure.at);
    let span = match found {
        Some(tok) => tok.span(source),
        None => toks.last().map_or(Span::default(), |last| {
            Span::new(source, last.end, last.end)
        }),
    };
    let what = match found {
        None => "the end of the statement".to_owned(),
        Some(tok) if tok.kind == token::SET || tok.kind == token::CHAIN_BLOCK => "`{`".to_owned(),
        Some(tok) => format!("`{}`", short(slice(tok))),
    };
    let expected = Expected::of(failure, entry);
    let wanted = match entry {
        Rule::e_element if failure.at > 0 && expected.tokens.contains(&token::COLON) => {
            "`,`, `:` or `}`".to_owned()
        }
        Rule::e_element if failure.at > 0 && expected.is_broad() => "`,` or `}`".to_owned(),
        _ => expected.text(),
    };
    let message = format!("expected {wanted}, found {what}");
    let mut diagnostic = Diagnostic::new(Code::SyntaxError, span, message);
    if let Some(help) = incomplete(entry, failure, toks, text) {
        return diagnostic.help(help);
    }
    let Some(tok) = found else {
        return diagnostic;
    };
    let word = slice(tok);
    let guess = word_like(tok.kind).then(|| expected.guess(word)).flatten();
    if let Some(guess) = guess {
        let fix = format!("replace it with `{guess}`");
        diagnostic = diagnostic
            .help(format!("did you mean `{guess}`?"))
            .fix(fix, span, guess);
    } else if expected.name && !expected.value && tok.kind.is_keyword() && !tok.kind.is_name() {
        diagnostic = diagnostic.help(format!("`{word}` is a keyword and cannot be a name"));
    } else if let Some(help) = cause(failure, toks, tok.kind, word) {
        diagnostic = diagnostic.help(help);
    }
    diagnostic
}

/// Commands that nft knows by their first word.
const COMMANDS: [&str; 16] = [
    "table", "add", "create", "insert", "replace", "delete", "destroy", "flush", "list", "reset",
    "rename", "define", "redefine", "undefine", "include", "chain",
];

/// A command whose first word is nearly one: the rest would be read as a rule of a table by that name.
fn misspelt_command(entry: Rule, toks: &[Tok], source: SourceId, text: &str) -> Option<Diagnostic> {
    let first = toks
        .first()
        .filter(|first| entry == Rule::e_command && first.kind == token::WORD)?;
    let word = text.get(first.start as usize..first.end as usize)?;
    let guess = did_you_mean(word, COMMANDS)?;
    let span = first.span(source);
    let message = format!("expected a command, found `{}`", short(word));
    let diagnostic =
        Diagnostic::new(Code::SyntaxError, span, message).help(format!("did you mean `{guess}`?"));
    Some(diagnostic.fix(format!("replace it with `{guess}`"), span, guess))
}

/// A word between `table` and a name that is no family.
fn misspelt_family(
    failure: &Failure,
    toks: &[Tok],
    source: SourceId,
    text: &str,
) -> Option<Diagnostic> {
    let before = failure.at.checked_sub(2)?;
    let [table, family, name] = toks.get(before..=failure.at)? else {
        return None;
    };
    let words = family.kind == token::WORD && word_like(name.kind);
    if table.kind != keyword("table") || !words {
        return None;
    }
    let word = text.get(family.start as usize..family.end as usize)?;
    let known = redan_vm::family::Family::ALL.iter().map(|f| f.word());
    let span = family.span(source);
    let message = format!("expected a family, found `{}`", short(word));
    let finding = Diagnostic::new(Code::SyntaxError, span, message);
    Some(match did_you_mean(word, known.clone()) {
        Some(guess) => finding.help(format!("did you mean `{guess}`?")).fix(
            format!("replace it with `{guess}`"),
            span,
            guess,
        ),
        None => finding.help(format!(
            "families are {}",
            known.collect::<Vec<_>>().join(", ")
        )),
    })
}

/// Words that people write without the word before them, and what they mean.
const INCOMPLETE: &[(&str, &str)] = &[
    (
        "dport",
        "a port belongs to a protocol: `tcp dport` or `udp dport`",
    ),
    (
        "sport",
        "a port belongs to a protocol: `tcp sport` or `udp sport`",
    ),
    (
        "saddr",
        "an address belongs to a family: `ip saddr` or `ip6 saddr`",
    ),
    (
        "daddr",
        "an address belongs to a family: `ip daddr` or `ip6 daddr`",
    ),
    ("ctstate", "did you mean `ct state`?"),
    (
        "port",
        "a port belongs to a protocol and a direction: `tcp dport` or `udp sport`",
    ),
    ("src", "did you mean `ip saddr` or `ip6 saddr`?"),
    ("dst", "did you mean `ip daddr` or `ip6 daddr`?"),
    (
        "hook",
        "one line says it all: `type filter hook input priority 0; policy accept;`",
    ),
    ("state", "did you mean `ct state`?"),
    ("status", "did you mean `ct status`?"),
    ("direction", "did you mean `ct direction`?"),
    ("l4proto", "did you mean `meta l4proto`?"),
    ("nfproto", "did you mean `meta nfproto`?"),
    ("length", "did you mean `meta length`?"),
    ("priority", "did you mean `meta priority`?"),
    ("protocol", "did you mean `meta protocol` or `ip protocol`?"),
    ("option", "did you mean `tcp option` or `ip option`?"),
    ("elements", "`elements` belongs into a set or map"),
    (
        "add",
        "a command cannot stand in a block; write only the rule",
    ),
    (
        "insert",
        "a command cannot stand in a block; write only the rule",
    ),
    ("table", "is a `}` missing above?"),
];

/// What iptables' rules and saved files begin with.
const IPTABLES: &str =
    "this looks like an iptables rule; `iptables-translate` turns it into one of nft";

/// What a statement lacks whose first word says what is meant.
fn incomplete(entry: Rule, failure: &Failure, toks: &[Tok], text: &str) -> Option<&'static str> {
    let slice = |at: usize| {
        let tok: &Tok = toks.get(at)?;
        text.get(tok.start as usize..tok.end as usize)
    };
    let first = slice(0)?;
    if matches!(
        first,
        "iptables" | "ip6tables" | "iptables-restore" | "COMMIT"
    ) {
        return Some(IPTABLES);
    }
    if matches!(first, "nft" | "sudo") {
        return Some("a rules file holds commands without `nft` in front of them");
    }
    if failure.at == 0 {
        let known = INCOMPLETE.iter().find(|(word, _)| *word == first);
        return known.map(|(_, help)| *help);
    }
    if entry == Rule::e_command && first == "include" {
        return Some("the path stands in quotes: `include \"/etc/nftables.d/x.nft\"`");
    }
    if entry == Rule::e_command && matches!(first, "chain" | "set" | "map") {
        return Some("it stands in a table: `table inet x {` is missing above, or its `{`");
    }
    let second = slice(1)?;
    let mut fields = FIELD_LEFT_OUT.iter();
    fields.find_map(|(header, datatype, help)| {
        let mut symbols = info(*datatype).symbols.iter();
        (*header == first && symbols.any(|symbol| symbol.name == second)).then_some(*help)
    })
}

/// Headers whose most common field people leave out, known by its values.
const FIELD_LEFT_OUT: [(&str, DataType, &str); 4] = [
    ("ct", DataType::CtState, "write `ct state` in front of it"),
    ("tcp", DataType::TcpFlag, "write `tcp flags` in front of it"),
    (
        "icmp",
        DataType::IcmpType,
        "write `icmp type` in front of it",
    ),
    (
        "icmpv6",
        DataType::Icmpv6Type,
        "write `icmpv6 type` in front of it",
    ),
];

/// What people mean by a sign that does not stand there in nft.
fn misplaced_sign(
    failure: &Failure,
    found: Kind,
    before: Option<Kind>,
    word: &str,
) -> Option<&'static str> {
    let number = before == Some(token::NUMBER);
    let first = failure.at == 0;
    if first && matches!(found, token::DASH | token::STAR | token::COLON) {
        return Some(IPTABLES);
    }
    if first && found == token::NOT {
        return Some("what is negated stands behind the field: `ip saddr != 10.0.0.1`");
    }
    if number && (found == token::COLON || word.starts_with("..")) {
        return Some("a range is written `first-last`");
    }
    if number && word.starts_with('.') {
        return Some("an IPv4 address has four numbers; a net is written `10.0.0.0/24`");
    }
    if !first && found == token::COLON {
        return Some("nothing stands between a field and its value");
    }
    None
}

/// What people usually mean by tokens that nft refuses.
fn cause(failure: &Failure, toks: &[Tok], found: Kind, word: &str) -> Option<&'static str> {
    let before = failure
        .at
        .checked_sub(1)
        .and_then(|at| toks.get(at))
        .map(|tok| tok.kind);
    let literal =
        |kind: Kind| matches!(kind, token::NUMBER | token::IPV4 | token::IPV6 | token::STR);
    let behind = |kind: Kind| toks.iter().take(failure.at).any(|tok| tok.kind == kind);
    if found == token::COLON && behind(keyword("time")) {
        return Some("a time of day stands in quotes: `\"17:00\"`");
    }
    if found == token::COLON && (behind(keyword("ether")) || behind(keyword("arp"))) {
        return Some("an Ethernet address has six parts: `00:00:5e:00:53:01`");
    }
    if let Some(help) = misplaced_sign(failure, found, before, word) {
        return Some(help);
    }
    if found == token::COMMA || (literal(found) && before.is_some_and(literal)) {
        return Some("several values go into braces: `{ a, b }`");
    }
    if word == "prio" {
        return Some("did you mean `priority`?");
    }
    if found == token::WORD && before == Some(token::WORD) {
        return Some("several flags are joined by `,`, other values go into braces: `{ a, b }`");
    }
    if found == token::ASSIGN {
        return Some("equality is written `==`, or not at all");
    }
    if found == keyword("policy") {
        return Some("a `;` or a newline belongs before `policy`");
    }
    if toks
        .iter()
        .take(failure.at + 1)
        .any(|tok| tok.kind == keyword("comment"))
    {
        return Some("a comment comes last in a rule");
    }
    None
}

fn word_like(kind: Kind) -> bool {
    kind == token::WORD || kind.is_keyword()
}

fn short(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(40).collect();
    short.push('…');
    short
}

/// What would have fitted.
#[expect(clippy::struct_excessive_bools, reason = "independent kinds of tokens")]
struct Expected {
    /// Any name.
    name: bool,
    /// Any literal.
    value: bool,
    /// Any field.
    field: bool,
    /// Any statement.
    statement: bool,
    /// Single tokens besides.
    tokens: BTreeSet<Kind>,
    /// Every keyword that would fit as such.
    words: BTreeSet<&'static str>,
    line: &'static str,
}

impl Expected {
    fn of(failure: &Failure, entry: Rule) -> Self {
        const ACCEPT: Kind = keyword("accept");
        const LOG: Kind = keyword("log");
        let mut tokens: BTreeSet<Kind> = failure.expected.iter().copied().collect();
        let has = |kind: Kind| tokens.contains(&kind);
        let group = |word: Kind| {
            failure
                .groups
                .iter()
                .any(|&(first, last)| (first..=last).contains(&word))
        };
        let soft = group(keyword("verdict"));
        let field =
            group(keyword("tcp")) && !soft || has(keyword("meta")) && has(keyword("numgen"));
        let mut expected = Self {
            name: has(token::WORD) && soft,
            value: has(token::NUMBER) && has(token::STR) && has(token::IPV4),
            field,
            statement: has(ACCEPT) && has(LOG),
            words: tokens
                .iter()
                .filter(|kind| kind.is_keyword())
                .map(|kind| kind.row().text)
                .collect(),
            tokens: BTreeSet::new(),
            line: line_name(entry),
        };
        for &(first, last) in &failure.groups {
            if !(first..=last).contains(&keyword("verdict")) {
                expected
                    .words
                    .extend((first.0..=last.0).map(|kind| Kind(kind).row().text));
            }
        }
        tokens.retain(|&kind| {
            let value = matches!(
                kind,
                token::NUMBER
                    | token::STR
                    | token::IPV4
                    | token::IPV6
                    | token::MAC
                    | token::TIME
                    | token::WILDCARD_WORD
                    | token::CLASS_ID
                    | token::VAR
                    | token::WORD
                    | token::LPAREN
                    | token::LBRACKET
                    | token::SET_REF
                    | token::SET
                    | token::STAR
                    | token::AT_LL
                    | token::AT_NH
                    | token::AT_TH
                    | token::AT_IH
            );
            // What gives a verdict for an element has no rules of its own.
            let block = entry == Rule::e_element && kind == token::CHAIN_BLOCK;
            !(block || expected.value && value || expected.name && kind == token::WORD)
        });
        expected.tokens = tokens;
        expected
    }

    /// Whether too much would fit to list it.
    fn is_broad(&self) -> bool {
        !self.value && !self.name && self.tokens.len() > MAX_LISTED
    }

    fn guess(&self, word: &str) -> Option<&'static str> {
        did_you_mean(word, self.words.iter().copied())
    }

    fn text(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.statement {
            parts.push("a statement".into());
        }
        if self.field && !self.statement && !self.value {
            parts.push("a match".into());
        }
        if self.value {
            parts.push("a value".into());
        } else if self.name {
            parts.push("a name".into());
        }
        let broad = self.statement || self.field;
        let listed: Vec<Kind> = self
            .tokens
            .iter()
            .copied()
            .filter(|kind| !(broad && kind.is_keyword()))
            .collect();
        if listed.len() <= MAX_LISTED && !self.statement {
            parts.extend(listed.iter().map(|kind| token_name(*kind)));
        } else if parts.is_empty() {
            parts.push(self.line.into());
        }
        match parts.pop() {
            None => "the end of the statement".into(),
            Some(last) if parts.is_empty() => last,
            Some(last) => format!("{} or {last}", parts.join(", ")),
        }
    }
}

fn token_name(kind: Kind) -> String {
    let text = kind.row().text;
    if kind.is_keyword() {
        format!("`{text}`")
    } else {
        text.to_owned()
    }
}

fn line_name(entry: Rule) -> &'static str {
    match entry {
        Rule::e_command => "a command",
        Rule::e_table_line => "a chain, set, map, object or flowtable",
        Rule::e_chain_line => "a rule, or the chain's type, policy or flags",
        Rule::e_set_line => "the set's type, flags, elements or other property",
        Rule::e_object_line => "a property of the object",
        Rule::e_flowtable_line => "the flowtable's hook, devices or flags",
        _ => "an element",
    }
}
