//! What the input says, before any of it is understood: tables, chains and rules as words.

use super::words::Word;
use crate::source::Span;

/// Which of the two programs a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// iptables.
    V4,
    /// ip6tables.
    V6,
}

impl Family {
    /// nft's word for it, also for its header.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::V4 => "ip",
            Self::V6 => "ip6",
        }
    }

    /// Bits of an address.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// nft's type of addresses.
    pub(super) fn addr(self) -> &'static str {
        match self {
            Self::V4 => "ipv4_addr",
            Self::V6 => "ipv6_addr",
        }
    }
}

/// Packets and bytes.
pub(super) type Counts = (u64, u64);

/// A rule as its words.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Matches and target, without the command and the chain.
    pub(super) words: Vec<Word>,
    /// The whole command.
    pub(super) span: Span,
    /// Its counters, where the input has them.
    pub(super) counts: Option<Counts>,
}

impl Entry {
    /// Its words, for a comment.
    pub(super) fn text(&self) -> String {
        let words: Vec<String> = self.words.iter().map(Word::quoted).collect();
        words.join(" ")
    }
}

/// A chain.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Its name in iptables.
    pub(super) name: String,
    /// Where it is first spoken of.
    pub(super) span: Span,
    /// Whether something in the input makes it.
    pub(super) declared: bool,
    /// The policy of a built-in chain.
    pub(super) policy: Option<String>,
    /// The policy's counters.
    pub(super) counts: Option<Counts>,
    /// Its rules.
    pub(super) rules: Vec<Entry>,
}

/// A table of one family.
#[derive(Debug)]
pub(super) struct Table {
    /// Whose it is.
    pub(super) family: Family,
    /// Its name.
    pub(super) name: String,
    /// Its chains, in the order in which they are spoken of.
    pub(super) chains: Vec<Chain>,
    /// Whether counters are worth keeping: the input is a dump with `-c`, or commands.
    pub(super) counted: bool,
}

impl Table {
    /// The chain of this name; made where it is not there.
    pub(super) fn chain(&mut self, name: &str, span: Span) -> &mut Chain {
        let at = self.chains.iter().position(|chain| chain.name == name);
        let at = at.unwrap_or_else(|| {
            self.chains.push(Chain {
                name: name.to_owned(),
                span,
                declared: is_builtin(&self.name, name),
                policy: None,
                counts: None,
                rules: Vec::new(),
            });
            self.chains.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.chains[at]
    }
}

/// A built-in chain: its table, its name, and nft's type, hook and priority.
pub(super) struct Builtin {
    table: &'static str,
    chain: &'static str,
    /// What follows `type`.
    pub(super) hook: &'static str,
}

macro_rules! builtins {
    ($($table:literal $chain:literal $hook:literal;)*) => {
        /// Where iptables' tables hang: the priorities are those of its own hooks (`netfilter_ipv4.h`: `nf_ip_hook_priorities`).
        const BUILTINS: &[Builtin] = &[$(Builtin { table: $table, chain: $chain, hook: $hook },)*];
    };
}

builtins! {
    "raw" "PREROUTING" "filter hook prerouting priority raw";
    "raw" "OUTPUT" "filter hook output priority raw";
    "mangle" "PREROUTING" "filter hook prerouting priority mangle";
    "mangle" "INPUT" "filter hook input priority mangle";
    "mangle" "FORWARD" "filter hook forward priority mangle";
    "mangle" "OUTPUT" "route hook output priority mangle";
    "mangle" "POSTROUTING" "filter hook postrouting priority mangle";
    "nat" "PREROUTING" "nat hook prerouting priority dstnat";
    "nat" "INPUT" "nat hook input priority 100";
    "nat" "OUTPUT" "nat hook output priority -100";
    "nat" "POSTROUTING" "nat hook postrouting priority srcnat";
    "filter" "INPUT" "filter hook input priority filter";
    "filter" "FORWARD" "filter hook forward priority filter";
    "filter" "OUTPUT" "filter hook output priority filter";
    "security" "INPUT" "filter hook input priority security";
    "security" "FORWARD" "filter hook forward priority security";
    "security" "OUTPUT" "filter hook output priority security";
}

/// The built-in chain of this name.
pub(super) fn builtin(table: &str, chain: &str) -> Option<&'static Builtin> {
    BUILTINS
        .iter()
        .find(|row| row.table == table && row.chain == chain)
}

/// Whether the kernel makes this chain.
pub(super) fn is_builtin(table: &str, chain: &str) -> bool {
    builtin(table, chain).is_some()
}

/// Whether iptables has a table of this name.
pub(super) fn is_table(name: &str) -> bool {
    BUILTINS.iter().any(|row| row.table == name)
}
