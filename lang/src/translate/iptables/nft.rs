//! Rules of nft as the translation makes them: matches with their values apart, so that rules can be joined, and everything else as text.

use crate::source::Span;

/// A value that a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Value {
    /// As it is written.
    pub(super) text: String,
    /// First and last number that it stands for, where that is known.
    pub(super) range: Option<(u128, u128)>,
}

impl Value {
    /// A word, such as an interface's name.
    pub(super) fn word(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            range: None,
        }
    }

    /// Numbers from `first` to `last`.
    pub(super) fn numbers(first: u128, last: u128) -> Self {
        let text = if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        };
        Self {
            text,
            range: Some((first, last)),
        }
    }

    /// A number written in its own way.
    pub(super) fn number(number: u128, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            range: Some((number, number)),
        }
    }

    /// Whether nothing is both in `self` and in `other`; `false` where that is not known.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => b < c || d < a,
            (None, None) => {
                self.text != other.text && !self.text.contains('*') && !other.text.contains('*')
            }
            _ => false,
        }
    }

    /// Whether all of `other` is in `self`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => a <= c && d <= b,
            _ => self.text == other.text,
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// Is one of them.
    Eq,
    /// Is none of them.
    Ne,
}

/// A field compared with values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Match {
    /// The field.
    pub(super) key: String,
    /// How.
    pub(super) op: Op,
    /// With what.
    pub(super) values: Vec<Value>,
}

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Stmt {
    /// A match whose values may be joined with another rule's.
    Match(Match),
    /// A match of another form.
    Test(String),
    /// A statement that changes or counts something, such as a limit: order matters.
    Act(String),
}

impl Stmt {
    /// Its field, or its text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Match(this) => &this.key,
            Self::Test(text) | Self::Act(text) => text,
        }
    }

    /// The layer 4 protocol that nft takes for granted behind it.
    pub(super) fn protocol(&self) -> Option<u8> {
        let text = self.text();
        let text = text.strip_prefix("exthdr ").unwrap_or(text);
        // what is missing is missing in packets of other protocols, too
        if text.starts_with("tcp option") || text.starts_with("sctp chunk") {
            return None;
        }
        let first = text.split(' ').next()?;
        PROTOCOLS
            .iter()
            .find(|(word, _)| *word == first)
            .map(|(_, number)| *number)
    }

    /// The layer 3 family that nft takes for granted behind it.
    pub(super) fn family(&self) -> Option<&'static str> {
        let text = self.text();
        let mut words = text.split(' ');
        match words.next()? {
            "ip" | "icmp" => Some("ip"),
            "ip6" | "icmpv6" | "rt" | "frag" | "hbh" | "dst" | "mh" => Some("ip6"),
            _ => None,
        }
    }
}

/// Headers whose fields make nft ask for their protocol by itself.
const PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("sctp", 132),
    ("dccp", 33),
    ("udplite", 136),
    ("icmp", 1),
    ("icmpv6", 58),
    ("ah", 51),
    ("esp", 50),
    ("comp", 108),
    ("mh", 135),
];

/// Keys whose values are bits: several of them are written with commas.
pub(super) fn is_bits(key: &str) -> bool {
    matches!(key, "ct state" | "ct status")
}

/// What a rule does at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// It goes on with the next rule.
    None,
    /// accept, drop, return, goto: the chain's next rule is not seen.
    Ends(String),
    /// A refusal: ends too, but is no verdict that a map could hold.
    Rejects(String),
    /// jump: the next rule is seen when the chain returns.
    Jumps(String),
}

impl Verdict {
    /// As it is written; empty for none.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Ends(text) | Self::Rejects(text) | Self::Jumps(text) => text,
        }
    }

    /// Whether a packet that it decides about never sees the chain's next rule.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::Ends(_) | Self::Rejects(_))
    }
}

/// Which counter a rule gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Counter {
    /// None.
    None,
    /// One that starts at zero.
    Fresh,
    /// One that goes on from these packets and bytes.
    From(u64, u64),
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// What is asked, in order.
    pub(super) matches: Vec<Stmt>,
    /// Its counter.
    pub(super) counter: Counter,
    /// What is done before the verdict.
    pub(super) actions: Vec<String>,
    /// The verdict.
    pub(super) verdict: Verdict,
    /// The comment that nft keeps.
    pub(super) comment: Option<String>,
    /// Lines that stand above it, without their `#`.
    pub(super) above: Vec<String>,
    /// The rule that it comes from.
    pub(super) span: Span,
}

/// What stands in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A rule.
    Rule(Rule),
    /// A line of comment, without its `#`.
    Comment(String),
}

/// A chain.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Its name.
    pub(super) name: String,
    /// What follows `type`, for base chains.
    pub(super) hook: Option<&'static str>,
    /// Base chains' policy.
    pub(super) policy: &'static str,
    /// Its rules.
    pub(super) items: Vec<Item>,
}

/// A set or an object of a table: its declaration without the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// `set`, `ct helper`.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// Lines inside the braces.
    pub(super) body: Vec<String>,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// `ip`, `ip6` or `inet`.
    pub(super) family: &'static str,
    /// Its name.
    pub(super) name: String,
    /// Lines above it.
    pub(super) above: Vec<String>,
    /// Sets and objects.
    pub(super) objects: Vec<Object>,
    /// Chains.
    pub(super) chains: Vec<Chain>,
}
