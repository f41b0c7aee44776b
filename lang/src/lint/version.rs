//! Versions of nft: which knows what, and which compiles what wrongly. Two tables; the lints L062 and L063 read them.

use std::fmt;
use std::str::FromStr;

use redan_vm::family::Hook;
use redan_vm::instr::{ExthdrOp, Instr, SocketKey};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{Chain, Elements, Set, set_flags};

use crate::ast::{Command, CommandKind, StmtKind, Target, Verb, Verdict};
use crate::typed::{Rule, SetInfo};

/// A version of nft, such as 1.0.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8, pub u8, pub u8);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Reads `1.0.6`, `nft-1.0.6`, `1.1`.
impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("nft-").unwrap_or(text);
        let mut parts = [0_u8; 3];
        let mut given = digits.split('.');
        let mut count = 0;
        for (part, digits) in parts.iter_mut().zip(given.by_ref()) {
            *part = digits
                .parse()
                .map_err(|_| format!("`{text}` is no version of nft: write it like nft-1.0.6"))?;
            count += 1;
        }
        if count < 2 || given.next().is_some() {
            return Err(format!(
                "`{text}` is no version of nft: write it like nft-1.0.6"
            ));
        }
        let [major, minor, patch] = parts;
        Ok(Self(major, minor, patch))
    }
}

/// Something of the language that older versions do not know.
pub(super) struct Feature {
    /// As a message names it.
    pub(super) name: &'static str,
    /// The first version that knows it (release announcements of the Netfilter project).
    pub(super) since: Version,
    /// How it shows.
    pub(super) sign: Sign,
}

/// How a feature shows.
pub(super) enum Sign {
    /// In a command.
    Command(fn(&Command) -> bool),
    /// In a statement as written.
    Stmt(fn(&StmtKind) -> bool),
    /// In a rule's bytecode.
    Code(fn(&Instr) -> bool),
    /// In a set.
    Set(fn(&Set, &SetInfo) -> bool),
    /// In a chain.
    Chain(fn(&Chain) -> bool),
}

/// What came when, oldest first.
pub(super) const FEATURES: &[Feature] = &[
    Feature {
        name: "`synproxy`",
        since: Version(0, 9, 2),
        sign: Sign::Code(|i| matches!(i, Instr::Synproxy { .. })),
    },
    Feature {
        name: "a match of the time of day",
        since: Version(0, 9, 3),
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::MetaLoad {
                    key: MetaKey::Time | MetaKey::Day | MetaKey::Hour,
                    ..
                }
            )
        }),
    },
    Feature {
        name: "ranges in a concatenation",
        since: Version(0, 9, 4),
        sign: Sign::Set(|set, _| set.flags & set_flags::CONCAT != 0),
    },
    Feature {
        name: "`typeof` in place of a type",
        since: Version(0, 9, 4),
        sign: Sign::Set(|_, info| info.is_typeof),
    },
    Feature {
        name: "a chain written in place",
        since: Version(0, 9, 7),
        sign: Sign::Stmt(|stmt| {
            matches!(
                stmt,
                StmtKind::Verdict(
                    Verdict::Jump(Target::Block(_)) | Verdict::Goto(Target::Block(_))
                )
            )
        }),
    },
    Feature {
        name: "the catch-all element `*`",
        since: Version(0, 9, 9),
        sign: Sign::Set(|set, _| {
            let mut flags = set.elements.flags.iter();
            flags.any(|flags| flags & Elements::CATCHALL != 0)
        }),
    },
    Feature {
        name: "`socket cgroupv2`",
        since: Version(0, 9, 9),
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::Socket {
                    key: SocketKey::Cgroupv2(_),
                    ..
                }
            )
        }),
    },
    Feature {
        name: "`sctp chunk`",
        since: Version(1, 0, 0),
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::ExthdrLoad {
                    op: ExthdrOp::Sctp,
                    ..
                }
            )
        }),
    },
    Feature {
        name: "the hook egress",
        since: Version(1, 0, 1),
        sign: Sign::Chain(|chain| {
            let base = chain.base.as_ref();
            base.is_some_and(|base| base.hook == Hook::Egress)
        }),
    },
    Feature {
        name: "`reset tcp option`",
        since: Version(1, 0, 2),
        sign: Sign::Code(|i| matches!(i, Instr::ExthdrReset { .. })),
    },
    Feature {
        name: "`destroy`",
        since: Version(1, 0, 7),
        sign: Sign::Command(|command| verb(command) == Some(Verb::Destroy)),
    },
    Feature {
        name: "`last`",
        since: Version(1, 0, 7),
        sign: Sign::Stmt(|stmt| matches!(stmt, StmtKind::Last { .. })),
    },
    Feature {
        name: "a field of a packet in a tunnel",
        since: Version(1, 0, 7),
        sign: Sign::Code(|i| matches!(i, Instr::Inner { .. })),
    },
];

fn verb(command: &Command) -> Option<Verb> {
    match &command.kind {
        CommandKind::Table(c) => Some(c.verb),
        CommandKind::Chain(c) => Some(c.verb),
        CommandKind::Rule(c) => Some(c.verb),
        CommandKind::Set(c) => Some(c.verb),
        CommandKind::Element(c) => Some(c.verb),
        CommandKind::Object(c) => Some(c.verb),
        CommandKind::Flowtable(c) => Some(c.verb),
        CommandKind::Define(_)
        | CommandKind::Undefine(_)
        | CommandKind::RenameChain(_)
        | CommandKind::Flush(_)
        | CommandKind::Query(_) => None,
    }
}

/// Rules that versions of nft compile to something else than they say.
pub(super) struct Bug {
    /// What comes out.
    pub(super) effect: &'static str,
    /// How to write it so that it comes out right.
    pub(super) instead: &'static str,
    /// The last version that has been seen to do so.
    pub(super) last: Version,
    /// Whether a rule is one of them.
    pub(super) shows: fn(&Rule) -> bool,
}

/// Measured with nft 1.0.6 by comparing its bytecode with what the rule says.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        effect: "two `!=` of neighbouring fields become one: \"neither\" turns into \"not both\"",
        instead: "compare one of them with a named set, or in a rule of its own",
        last: Version(1, 0, 6),
        shows: super::miscompiled_by_old_nft::has_neighbouring_unequals,
    },
    Bug {
        effect: "the matches around a statement are merged and moved, so that it runs for other packets",
        instead: "put the statement behind all matches",
        last: Version(1, 0, 6),
        shows: super::miscompiled_by_old_nft::has_statement_between_neighbours,
    },
    Bug {
        effect: "addresses from `numgen` come out with their bytes reversed on little-endian machines",
        instead: "give the addresses by a map: `numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`",
        last: Version(1, 0, 6),
        shows: super::miscompiled_by_old_nft::has_numgen_address,
    },
    Bug {
        effect: "`ip6 dscp` is looked up with its bytes in the wrong order on little-endian machines",
        instead: "compare with single values",
        last: Version(1, 0, 6),
        shows: super::miscompiled_by_old_nft::looks_ip6_dscp_up,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("nft-1.0.6", Some(Version(1, 0, 6))),
            ("0.9.8", Some(Version(0, 9, 8))),
            ("1.1", Some(Version(1, 1, 0))),
            ("1", None),
            ("1.0.6.1", None),
            ("1.x", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), wanted, "{text}");
        }
    }
}
