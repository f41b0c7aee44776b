//! The one table of tokens: what logos yields, which words are keywords, and the character that stands for each token in front of pest.
//!
//! A token's [`Kind`] is its row in the table. The grammar's terminals (`grammar/terminals.pest`) are generated from the table; a test compares them. Keywords
//! stand in groups so that a group is one range of characters. Keywords of the soft groups may also be values (`ip protocol tcp`), and names (`chain state`) unless
//! nft reserves them; hard ones may not.

use std::sync::OnceLock;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u16);

/// The character of kind 0.
const BASE: u32 = 0xe000;

impl Kind {
    /// The private-use character that stands for it.
    pub fn char(self) -> char {
        char::from_u32(BASE + u32::from(self.0)).unwrap_or('\u{e000}')
    }

    /// The kind that a character stands for.
    pub fn of_char(c: char) -> Option<Self> {
        let row = u16::try_from(u32::from(c).checked_sub(BASE)?).ok()?;
        (usize::from(row) < count()).then_some(Self(row))
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        rows().get(usize::from(self.0)).unwrap_or(&UNKNOWN)
    }

    /// Whether it is a keyword.
    pub fn is_keyword(self) -> bool {
        usize::from(self.0) >= SYMBOLS.len()
    }

    /// Whether it is a field without further words (`mark`, `iifname`).
    pub fn is_field_alone(self) -> bool {
        const FIRST: Kind = keyword("mark");
        const LAST: Kind = keyword("cgroup");
        const IPSEC: Kind = keyword("ipsec");
        (FIRST..=LAST).contains(&self) || self == IPSEC
    }

    /// Whether it may be a name or a value: a plain word or a soft keyword.
    pub fn is_name(self) -> bool {
        self == WORD || (self.is_keyword() && self.row().soft)
    }
}

/// What the table says about a token.
#[derive(Debug, Clone)]
pub struct Row {
    /// The terminal's name in the grammar.
    pub terminal: String,
    /// The word itself, or how messages call the token.
    pub text: &'static str,
    /// Whether the keyword may also be a name or value.
    pub soft: bool,
}

static UNKNOWN: Row = Row {
    terminal: String::new(),
    text: "?",
    soft: false,
};

macro_rules! symbols {
    ($($name:ident $terminal:literal $text:literal;)+) => {
        /// Tokens that are not words: terminal and how messages call them.
        const SYMBOLS: &[(&str, &str)] = &[$(($terminal, $text),)+];
        symbols!(@number 0; $($name $text;)+);
    };
    (@number $at:expr; $name:ident $text:literal; $($rest:tt)*) => {
        #[doc = concat!("Kind of ", $text, ".")]
        pub const $name: Kind = Kind($at);
        symbols!(@number $at + 1; $($rest)*);
    };
    (@number $at:expr;) => {};
}

symbols! {
    WORD "t_word" "a name";
    WILDCARD_WORD "t_wildcard_word" "a name with `*`";
    STR "t_str" "a string";
    NUMBER "t_number" "a number";
    TIME "t_time" "a time";
    IPV4 "t_ipv4" "an IPv4 address";
    IPV6 "t_ipv6" "an IPv6 address";
    MAC "t_mac" "a link-layer address";
    CLASS_ID "t_class_id" "a class";
    VAR "t_var" "a variable";
    SET_REF "t_set_ref" "a set reference";
    SET "t_set" "`{ ... }`";
    CHAIN_BLOCK "t_chain_block" "a block of rules";
    COMMA "p_comma" "`,`";
    COLON "p_colon" "`:`";
    SEMICOLON "p_semicolon" "`;`";
    DOT "p_dot" "`.`";
    DASH "p_dash" "`-`";
    PLUS "p_plus" "`+`";
    SLASH "p_slash" "`/`";
    STAR "p_star" "`*`";
    ASSIGN "p_assign" "`=`";
    EQ "p_eq" "`==`";
    NE "p_ne" "`!=`";
    LE "p_le" "`<=`";
    GE "p_ge" "`>=`";
    LT "p_lt" "`<`";
    GT "p_gt" "`>`";
    SHL "p_shl" "`<<`";
    SHR "p_shr" "`>>`";
    AND "p_and" "`&`";
    OR "p_or" "`|`";
    XOR "p_xor" "`^`";
    NOT "p_not" "`!`";
    LBRACE "p_lbrace" "`{`";
    RBRACE "p_rbrace" "`}`";
    LPAREN "p_lparen" "`(`";
    RPAREN "p_rparen" "`)`";
    LBRACKET "p_lbracket" "`[`";
    RBRACKET "p_rbracket" "`]`";
    AT "p_at" "`@`";
    AT_LL "p_at_ll" "`@ll`";
    AT_NH "p_at_nh" "`@nh`";
    AT_TH "p_at_th" "`@th`";
    AT_IH "p_at_ih" "`@ih`";
    NOTHING "t_nothing" "a rule without statements";
    UNCLOSED_STR "t_unclosed_str" "an unclosed string";
    BAD "t_bad" "an unknown character";
    NEWLINE "t_newline" "the end of the line";
    END "t_end" "the end of the file";
}

/// A group of keywords.
struct Group {
    /// The terminal for any of them; empty for none.
    terminal: &'static str,
    /// Whether they may also be names and values.
    soft: bool,
    /// The words.
    words: &'static [&'static str],
}

/// Keywords by group; the soft groups come first, so that they form one range.
const GROUPS: &[Group] = &[
    Group {
        terminal: "c_tunnel",
        soft: true,
        words: &["vxlan", "geneve", "gre", "gretap"],
    },
    Group {
        terminal: "c_header",
        soft: true,
        words: &[
            "ether", "vlan", "arp", "ip", "ip6", "icmp", "icmpv6", "igmp", "tcp", "udp", "udplite",
            "sctp", "dccp", "ah", "esp", "comp", "th",
        ],
    },
    Group {
        terminal: "c_exthdr",
        soft: true,
        words: &["hbh", "rt", "rt0", "rt2", "rt4", "srh", "frag", "dst", "mh"],
    },
    Group {
        terminal: "c_meta_key",
        soft: true,
        words: &[
            "mark",
            "iif",
            "iifname",
            "iiftype",
            "iifgroup",
            "oif",
            "oifname",
            "oiftype",
            "oifgroup",
            "skuid",
            "skgid",
            "nftrace",
            "rtclassid",
            "ibriport",
            "obriport",
            "ibrname",
            "obrname",
            "pkttype",
            "cpu",
            "time",
            "day",
            "hour",
            "cgroup",
        ],
    },
    Group {
        terminal: "",
        soft: true,
        words: &[
            "meta",
            "ct",
            "fib",
            "socket",
            "osf",
            "ipsec",
            "numgen",
            "jhash",
            "symhash",
            "exthdr",
            "option",
            "chunk",
            "original",
            "reply",
            "in",
            "out",
            "spnum",
            "inc",
            "random",
            "mod",
            "offset",
            "seed",
            "level",
            "exists",
            "missing",
            "inet",
            "bridge",
            "netdev",
            "table",
            "chain",
            "rule",
            "element",
            "flowtable",
            "ruleset",
            "handle",
            "position",
            "index",
            "helper",
            "expectation",
            "count",
            "type",
            "typeof",
            "hook",
            "device",
            "devices",
            "priority",
            "policy",
            "flags",
            "elements",
            "size",
            "interval",
            "prefix",
            "addr",
            "port",
            "gc-interval",
            "auto-merge",
            "protocol",
            "l3proto",
            "dport",
            "sport",
            "saddr",
            "daddr",
            "packets",
            "bytes",
            "kbytes",
            "mbytes",
            "rate",
            "over",
            "until",
            "used",
            "never",
            "burst",
            "second",
            "minute",
            "week",
            "name",
            "group",
            "snaplen",
            "queue-threshold",
            "sequence",
            "options",
            "all",
            "icmpx",
            "code",
            "reset",
            "snat",
            "dnat",
            "redirect",
            "fully-random",
            "persistent",
            "with",
            "num",
            "bypass",
            "fanout",
            "flow",
            "offload",
            "dup",
            "fwd",
            "synproxy",
            "mss",
            "wscale",
            "timestamp",
            "sack-perm",
            "secmark",
            "tunnel",
            "erspan",
            "id",
            "tos",
            "gbp",
            "version",
            "direction",
            "class",
            "opt-type",
            "data",
            "last",
            "xt",
            "add",
            "create",
            "insert",
            "replace",
            "delete",
            "destroy",
            "update",
            "flush",
            "list",
            "get",
            "rename",
            "describe",
            "monitor",
            "export",
            "import",
            "state",
            "ttl",
            "check",
            "loose",
            "skip",
            "verdict",
        ],
    },
    Group {
        terminal: "",
        soft: false,
        words: &[
            "accept",
            "drop",
            "continue",
            "return",
            "jump",
            "goto",
            "counter",
            "limit",
            "quota",
            "log",
            "reject",
            "masquerade",
            "tproxy",
            "notrack",
            "queue",
            "meter",
            "comment",
            "set",
            "map",
            "vmap",
            "to",
            "timeout",
            "expires",
            "define",
            "redefine",
            "undefine",
            "include",
            "eq",
            "ne",
            "le",
            "ge",
            "lt",
            "gt",
            "and",
            "or",
            "xor",
            "lshift",
            "rshift",
            "not",
        ],
    },
];

/// Words that nft knows everywhere, so that nothing can be called by them, though most may be values. The other soft keywords it knows only in their statements.
/// Sorted.
const RESERVED: &[&str] = &[
    "add",
    "ah",
    "all",
    "arp",
    "auto-merge",
    "bridge",
    "cgroup",
    "chain",
    "comp",
    "constant",
    "cpu",
    "create",
    "ct",
    "day",
    "dccp",
    "delete",
    "describe",
    "device",
    "devices",
    "dnat",
    "dst",
    "dup",
    "dynamic",
    "ecn",
    "element",
    "elements",
    "esp",
    "ether",
    "exists",
    "export",
    "exthdr",
    "fib",
    "flags",
    "flow",
    "flowtable",
    "flush",
    "frag",
    "fwd",
    "gc-interval",
    "get",
    "handle",
    "hbh",
    "hook",
    "hour",
    "ibriport",
    "ibrname",
    "icmp",
    "icmpv6",
    "igmp",
    "iif",
    "iifgroup",
    "iifname",
    "iiftype",
    "import",
    "index",
    "inet",
    "insert",
    "interval",
    "ip",
    "ip6",
    "ipsec",
    "jhash",
    "list",
    "mark",
    "meta",
    "mh",
    "missing",
    "monitor",
    "netdev",
    "nftrace",
    "numgen",
    "obriport",
    "obrname",
    "offload",
    "oif",
    "oifgroup",
    "oifname",
    "oiftype",
    "osf",
    "pkttype",
    "policy",
    "position",
    "priority",
    "random",
    "redirect",
    "rename",
    "replace",
    "reset",
    "rt",
    "rt0",
    "rt2",
    "rtclassid",
    "rule",
    "ruleset",
    "sctp",
    "secmark",
    "size",
    "skgid",
    "skuid",
    "snat",
    "socket",
    "srh",
    "symhash",
    "synproxy",
    "table",
    "tcp",
    "th",
    "time",
    "type",
    "typeof",
    "udp",
    "udplite",
    "update",
    "vlan",
    "xt",
];

/// Whether something may be called by this word, as far as nft is concerned.
pub(crate) fn may_name(word: &str) -> bool {
    let kind = kind_of_word(word);
    RESERVED.binary_search(&word).is_err() && kind.is_name()
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "bounded by the loop; evaluated while compiling"
        )]
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The kind of a keyword that the table has; fails to compile for any other word.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "bounded by the loops; evaluated while compiling"
)]
pub(crate) const fn keyword(word: &str) -> Kind {
    let mut kind = SYMBOLS.len();
    let mut group = 0;
    while group < GROUPS.len() {
        let mut at = 0;
        while at < GROUPS[group].words.len() {
            if same(GROUPS[group].words[at], word) {
                return Kind(kind as u16);
            }
            kind += 1;
            at += 1;
        }
        group += 1;
    }
    panic!("not a keyword of the table");
}

fn count() -> usize {
    rows().len()
}

/// `gc-interval` is `k_gc_interval`.
fn terminal_of(word: &str) -> String {
    format!("k_{}", word.replace('-', "_"))
}

/// The whole table.
pub fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let symbols = SYMBOLS.iter().map(|&(terminal, text)| Row {
            terminal: terminal.into(),
            text,
            soft: false,
        });
        let words = GROUPS.iter().flat_map(|group| {
            let row = |word: &&'static str| Row {
                terminal: terminal_of(word),
                text: word,
                soft: group.soft,
            };
            group.words.iter().map(row)
        });
        symbols.chain(words).collect()
    })
}

/// Open-addressed table from word to kind; the words are known, so a weak hash will do.
struct Lookup {
    slots: Vec<Option<(&'static str, Kind)>>,
}

const LOOKUP_SLOTS: usize = 1024;

fn slot_of(word: &[u8]) -> usize {
    // FNV-1a
    let hash = word.iter().fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 15)) as usize % LOOKUP_SLOTS
}

impl Lookup {
    fn new() -> Self {
        let mut slots: Vec<Option<(&'static str, Kind)>> = vec![None; LOOKUP_SLOTS];
        for (kind, row) in (0_u16..).zip(rows()).skip(SYMBOLS.len()) {
            let mut at = slot_of(row.text.as_bytes());
            while let Some(Some(_)) = slots.get(at) {
                at = (at + 1) % LOOKUP_SLOTS;
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = Some((row.text, Kind(kind)));
            }
        }
        Self { slots }
    }
}

/// The keyword that a word is, else [`WORD`]; operators in words (`eq`, `and`) are the operators.
pub fn kind_of_word(word: &str) -> Kind {
    static LOOKUP: OnceLock<Lookup> = OnceLock::new();
    let lookup = LOOKUP.get_or_init(Lookup::new);
    let mut at = slot_of(word.as_bytes());
    while let Some(Some((text, kind))) = lookup.slots.get(at) {
        if *text == word {
            return *kind;
        }
        at = (at + 1) % LOOKUP_SLOTS;
    }
    WORD
}

/// The grammar file that declares a terminal for each token and each group.
pub fn terminals() -> String {
    use std::fmt::Write as _;
    let mut out = String::from(
        "// Generated from the table in token.rs; a test compares them. To write it anew: cargo test -p redan-lang write_terminals -- --ignored\n\n",
    );
    let escape = |kind: usize| format!("\\u{{{:x}}}", BASE as usize + kind);
    let mut range = |terminal: &str, first: usize, end: usize| {
        let _ = writeln!(
            out,
            "{terminal} = _{{ '{}'..'{}' }}",
            escape(first),
            escape(end - 1)
        );
    };
    let mut at = SYMBOLS.len();
    for group in GROUPS {
        if !group.terminal.is_empty() {
            range(group.terminal, at, at + group.words.len());
        }
        at += group.words.len();
    }
    let soft: usize = GROUPS
        .iter()
        .filter(|group| group.soft)
        .map(|group| group.words.len())
        .sum();
    range("c_soft", SYMBOLS.len(), SYMBOLS.len() + soft);
    range("c_hard", SYMBOLS.len() + soft, rows().len());
    out.push('\n');
    for (at, row) in rows().iter().enumerate() {
        let _ = writeln!(
            out,
            "{} = _{{ \"{}\" }} // {}",
            row.terminal,
            escape(at),
            row.text
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const TERMINALS: &str = include_str!("grammar/terminals.pest");

    #[test]
    fn grammar_terminals_are_the_token_table() {
        assert_eq!(
            TERMINALS,
            terminals(),
            "see the first line of terminals.pest"
        );
    }

    #[test]
    #[ignore = "writes a source file"]
    fn write_terminals() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/grammar/terminals.pest");
        std::fs::write(path, terminals()).unwrap();
    }

    #[test]
    fn reserved_words_are_found() {
        assert!(RESERVED.is_sorted());
        assert!(RESERVED.iter().all(|word| !may_name(word)));
        // flags are words to this lexer, state is known only behind `ct`
        assert!(["ssh", "state", "counter2"].into_iter().all(may_name));
    }

    #[test]
    fn keywords_are_unique_and_found() {
        let mut seen = BTreeSet::new();
        for row in rows().iter().skip(SYMBOLS.len()) {
            assert!(seen.insert(row.text), "{} twice", row.text);
            let kind = kind_of_word(row.text);
            assert_eq!(kind.row().text, row.text);
            assert_eq!(Kind::of_char(kind.char()), Some(kind));
        }
        assert_eq!(kind_of_word("ssh"), WORD);
        assert_eq!(keyword("chain"), kind_of_word("chain"));
    }
}
