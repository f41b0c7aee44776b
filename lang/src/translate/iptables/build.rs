//! What a match or a target builds its nft rule with.

use super::module::{How, Seen};
use super::nft::{Chain, Match, Object, Op, Stmt, Value, Verdict};
use super::source::Family;
use super::spec::Fault;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token;
use std::collections::BTreeMap;

/// What the rules of a table share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Sets and objects, in the order in which they are needed.
    pub(super) objects: Vec<Object>,
    /// Chains that the translation adds.
    pub(super) chains: Vec<Chain>,
    /// Names that iptables knows by nft's names, where those differ.
    pub(super) renamed: BTreeMap<String, String>,
    /// What is wrong or differs.
    pub(super) findings: Vec<Diagnostic>,
}

impl Shared {
    /// Makes an object unless one of this name is there; whether the one that is there is the same.
    pub(super) fn object(&mut self, object: Object) -> bool {
        if let Some(known) = self
            .objects
            .iter()
            .find(|known| known.kind == object.kind && known.name == object.name)
        {
            *known == object
        } else {
            self.objects.push(object);
            true
        }
    }

    /// A name that no object has yet: `stem0`, `stem1` and so on.
    pub(super) fn fresh(&self, stem: &str) -> String {
        let taken = self
            .objects
            .iter()
            .filter(|object| object.name.starts_with(stem))
            .count();
        format!("{stem}{taken}")
    }
}

/// What the whole input says that a single rule needs to know.
pub(super) struct World<'a> {
    /// ipset's sets.
    pub(super) sets: &'a super::ipset::Sets,
    /// What `recent` is asked in the table, by the name of its list.
    pub(super) recent: &'a super::matches::recent::Lists,
}

/// A rule in the making.
pub(super) struct Build<'a> {
    /// Whose rule it is.
    pub(super) family: Family,
    /// The table's name.
    pub(super) table: &'a str,
    /// The chain's name, in iptables.
    pub(super) chain: &'a str,
    /// What the input says elsewhere.
    pub(super) world: &'a World<'a>,
    /// What the table's rules share.
    pub(super) shared: &'a mut Shared,
    /// The protocol that `-p` asks for.
    pub(super) protocol: Option<u8>,
    /// Rules, of which at most one matches a packet.
    pub(super) rows: Vec<Vec<Stmt>>,
    /// What is done before the verdict.
    pub(super) actions: Vec<String>,
    /// The verdict.
    pub(super) verdict: Verdict,
    /// A verdict for packets that match and that the rule itself lets pass.
    pub(super) otherwise: Option<Verdict>,
    /// nft's comment.
    pub(super) comment: Option<String>,
    /// Lines above the rule.
    pub(super) above: Vec<String>,
    /// Why there is no such rule in nft.
    pub(super) fault: Option<Fault>,
    /// Why no packet can match.
    pub(super) never: Option<Fault>,
}

impl Build<'_> {
    /// Runs a module's own function, and says what its table says of the options that are there.
    pub(super) fn module(&mut self, seen: &Seen) {
        let own = [(seen.span, seen.module.how)];
        let options = seen.options.iter().map(|given| (given.span, given.opt.how));
        for (span, how) in own.into_iter().chain(options) {
            match how {
                How::Exact => {}
                How::Approximated(how) => self.approximate(span, how),
                How::Refused(why) => self.refuse(span, why),
            }
        }
        if self.fault.is_none() {
            (seen.module.write)(self, seen);
        }
    }

    /// There is no such rule in nft, or none that can be made of this.
    pub(super) fn refuse(&mut self, span: Span, why: impl Into<String>) {
        self.fault.get_or_insert((span, why.into()));
    }

    /// No packet can match.
    pub(super) fn never(&mut self, span: Span, why: &str) {
        self.never.get_or_insert((span, why.to_owned()));
    }

    /// The rule is nearly the same: a warning, and a comment above it.
    pub(super) fn approximate(&mut self, span: Span, how: &str) {
        self.shared
            .findings
            .push(Diagnostic::new(Code::ApproximatedRule, span, how));
        let line = format!("approximated: {how}");
        if !self.above.contains(&line) {
            self.above.push(line);
        }
    }

    /// Adds a part to every row.
    pub(super) fn push(&mut self, stmt: Stmt) {
        if let Some((last, others)) = self.rows.split_last_mut() {
            for row in others {
                row.push(stmt.clone());
            }
            last.push(stmt);
        }
    }

    /// Adds a test that is written as text.
    pub(super) fn test(&mut self, text: impl Into<String>) {
        self.push(Stmt::Test(text.into()));
    }

    /// Adds a statement that counts or changes something.
    pub(super) fn act(&mut self, text: impl Into<String>) {
        self.push(Stmt::Act(text.into()));
    }

    /// Adds `key value`, or `key != value`.
    pub(super) fn compare(&mut self, key: impl Into<String>, not: bool, values: Vec<Value>) {
        let op = if not { Op::Ne } else { Op::Eq };
        self.push(Stmt::Match(Match {
            key: key.into(),
            op,
            values,
        }));
    }

    /// Adds a comparison with one word.
    pub(super) fn is(&mut self, key: impl Into<String>, not: bool, word: impl Into<String>) {
        self.compare(key, not, vec![Value::word(word)]);
    }

    /// Adds a comparison with numbers from `first` to `last`.
    pub(super) fn within(&mut self, key: impl Into<String>, not: bool, first: u128, last: u128) {
        self.compare(key, not, vec![Value::numbers(first, last)]);
    }

    /// Replaces every row by one for each alternative; a packet must fit one alternative at most.
    pub(super) fn split(&mut self, alternatives: &[Vec<Stmt>]) {
        let rows = std::mem::take(&mut self.rows);
        for row in rows {
            for more in alternatives {
                self.rows.push(row.iter().chain(more).cloned().collect());
            }
        }
    }

    /// The header that the rule's address field is in.
    pub(super) fn header(&self) -> &'static str {
        self.family.word()
    }

    /// The word of the protocol that `-p` asks for, if its header has ports.
    pub(super) fn ports(&self) -> Option<&'static str> {
        match self.protocol? {
            6 => Some("tcp"),
            17 => Some("udp"),
            132 => Some("sctp"),
            33 => Some("dccp"),
            136 => Some("udplite"),
            _ => None,
        }
    }
}

/// A number, decimal, octal or hexadecimal, as strtoul reads it.
pub(super) fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// `value/mask`, both numbers.
pub(super) fn masked(text: &str) -> Option<(u64, Option<u64>)> {
    match text.split_once('/') {
        None => Some((number(text)?, None)),
        Some((value, mask)) => {
            let value = if value.is_empty() { 0 } else { number(value)? };
            Some((value, Some(number(mask)?)))
        }
    }
}

/// `first:last`, where either may be left out; a number alone is both.
pub(super) fn span_of(text: &str, separator: char, most: u64) -> Option<(u64, u64)> {
    let (first, last) = match text.split_once(separator) {
        None => {
            let one = number(text)?;
            (one, one)
        }
        Some((first, last)) => (
            if first.is_empty() { 0 } else { number(first)? },
            if last.is_empty() { most } else { number(last)? },
        ),
    };
    (first <= last && last <= most).then_some((first, last))
}

/// A name as nft takes it.
pub(super) fn name(text: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let mut out: String = text
        .chars()
        .map(|c| if fine(c) { c } else { '_' })
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert(0, 'x');
    }
    let kind = token::kind_of_word(&out);
    if !token::may_name(&out) || (kind.is_keyword() && !kind.is_name()) {
        out.push('_');
    }
    out
}
