//! What came into the language with which version of nft, and with which kernel. One table; the lint L062 reads it.
//!
//! A row is here because a release announcement of the Netfilter project names it (<https://www.netfilter.org/projects/nftables/files/>), or because nft 1.0.6 and a
//! newer one have been seen to differ.

use redan_vm::datatype::DataType;
use redan_vm::family::Hook;
use redan_vm::instr::{ExthdrOp, Instr, ObjectKind as VmKind, SocketKey};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{Chain, Elements, Set, set_flags};

use super::version::Version;
use super::walk::{Part, data_object};
use crate::ast::{
    Command, CommandKind, Expr, ExprKind, MatchOp, NatMode, ObjectItem, ObjectKind, RejectWith,
    SetBodyItem, SetItem, Stmt, StmtKind, Target, Verb, Verdict,
};
use crate::source::{Sources, Span};
use crate::typed::SetInfo;

/// Something of the language that older versions do not know.
pub(super) struct Feature {
    /// As a message names it.
    pub(super) name: &'static str,
    /// The first version of nft that knows it.
    pub(super) since: Version,
    /// The first Linux that does, where that is no older than nft 0.9.8.
    pub(super) kernel: Option<Version>,
    /// Where that stands.
    pub(super) source: &'static str,
    /// How it shows.
    pub(super) sign: Sign,
}

/// How a feature shows.
pub(super) enum Sign {
    /// In a command.
    Command(fn(&Command) -> bool),
    /// In a statement as written.
    Stmt(fn(&Sources, &Stmt) -> bool),
    /// In an expression as written.
    Expr(fn(&Sources, &Expr) -> bool),
    /// In an expression in tables of some families.
    InFamily(&'static [&'static str], fn(&Sources, &Expr) -> bool),
    /// In any part of the file: its place.
    Part(fn(&Sources, &Part<'_>) -> Option<Span>),
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
        kernel: Some(Version(5, 3, 0)),
        source: "nftables 0.9.2 release notes",
        sign: Sign::Code(|i| matches!(i, Instr::Synproxy { .. })),
    },
    Feature {
        name: "a match of the time of day",
        since: Version(0, 9, 3),
        kernel: Some(Version(5, 4, 0)),
        source: "nftables 0.9.3 release notes",
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
        kernel: Some(Version(5, 6, 0)),
        source: "nftables 0.9.4 release notes",
        sign: Sign::Set(|set, _| set.flags & set_flags::CONCAT != 0),
    },
    Feature {
        name: "`typeof` in place of a type",
        since: Version(0, 9, 4),
        kernel: None,
        source: "nftables 0.9.4 release notes",
        sign: Sign::Set(|_, info| info.is_typeof),
    },
    Feature {
        name: "a chain written in place",
        since: Version(0, 9, 7),
        kernel: Some(Version(5, 9, 0)),
        source: "nftables 0.9.7 release notes",
        sign: Sign::Stmt(|_, stmt| {
            matches!(
                &stmt.kind,
                StmtKind::Verdict(
                    Verdict::Jump(Target::Block(_)) | Verdict::Goto(Target::Block(_))
                )
            )
        }),
    },
    Feature {
        name: "the catch-all element `*`",
        since: Version(0, 9, 9),
        kernel: Some(Version(5, 13, 0)),
        source: "nftables 0.9.9 release notes",
        sign: Sign::Set(|set, _| {
            let mut flags = set.elements.flags.iter();
            flags.any(|flags| flags & Elements::CATCHALL != 0)
        }),
    },
    Feature {
        name: "`socket cgroupv2`",
        since: Version(0, 9, 9),
        kernel: Some(Version(5, 13, 0)),
        source: "nftables 0.9.9 release notes",
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
        since: Version(0, 9, 9),
        kernel: Some(Version(5, 14, 0)),
        source: "nftables 0.9.9 release notes",
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
        name: "the flowtable flag `offload`",
        since: Version(0, 9, 9),
        kernel: Some(Version(5, 13, 0)),
        source: "nftables 0.9.9 release notes",
        sign: Sign::Part(|s, part| flowtable_flag(s, part, "offload")),
    },
    Feature {
        name: "the table flag `owner`",
        since: Version(0, 9, 9),
        kernel: Some(Version(5, 12, 0)),
        source: "nftables 0.9.9 release notes",
        sign: Sign::Part(|s, part| table_flag(s, part, "owner")),
    },
    Feature {
        name: "`flags SET / MASK`",
        since: Version(0, 9, 9),
        kernel: None,
        source: "nftables 0.9.9 release notes",
        sign: Sign::Expr(|_, e| matches!(e.kind, ExprKind::FlagMatch(_))),
    },
    Feature {
        name: "`! FLAGS`",
        since: Version(0, 9, 9),
        kernel: None,
        source: "nftables 0.9.9 release notes",
        sign: Sign::Stmt(
            |_, stmt| matches!(&stmt.kind, StmtKind::Match(m) if m.op == MatchOp::Not),
        ),
    },
    Feature {
        name: "the link type `8021ad`",
        since: Version(0, 9, 9),
        kernel: None,
        source: "nftables 0.9.9 release notes",
        sign: Sign::Expr(|s, e| is_word(s, e, &["8021ad"])),
    },
    Feature {
        name: "`verdict` as a map's data behind `typeof`",
        since: Version(0, 9, 9),
        kernel: None,
        source: "nftables 0.9.9 release notes",
        sign: Sign::Part(|s, part| typeof_data(s, part, &["verdict"])),
    },
    Feature {
        name: "statements of a map's elements",
        since: Version(1, 0, 0),
        kernel: None,
        source: "nftables 1.0.0 release notes",
        sign: Sign::Part(|_, part| match part {
            Part::SetLine(SetBodyItem::Stmt(stmt), true) => Some(stmt.span),
            _ => None,
        }),
    },
    Feature {
        name: "`queue to`",
        since: Version(1, 0, 0),
        kernel: None,
        source: "nftables 1.0.0 release notes",
        sign: Sign::Stmt(|s, stmt| {
            matches!(stmt.kind, StmtKind::Queue { .. }) && has_word(s.text(stmt.span), "to")
        }),
    },
    Feature {
        name: "`reject with` an ICMP code without `type`",
        since: Version(1, 0, 0),
        kernel: None,
        source: "nftables 1.0.0 release notes",
        sign: Sign::Stmt(|s, stmt| {
            let with_code =
                matches!(&stmt.kind, StmtKind::Reject(Some(with)) if *with != RejectWith::TcpReset);
            with_code && !has_word(s.text(stmt.span), "type")
        }),
    },
    Feature {
        name: "a map of ranges, or of addresses and ports, in NAT without `interval` or `addr . port`",
        since: Version(1, 0, 0),
        kernel: None,
        source: "nftables 1.0.0 release notes",
        sign: Sign::Stmt(|_, stmt| nat_map_without_words(stmt)),
    },
    Feature {
        name: "`vlan dei`",
        since: Version(1, 0, 0),
        kernel: None,
        source: "nftables 1.0.0 release notes",
        sign: Sign::Expr(|s, e| is_field(s, e, "vlan", &["dei"])),
    },
    Feature {
        name: "the hook egress",
        since: Version(1, 0, 1),
        kernel: Some(Version(5, 16, 0)),
        source: "nftables 1.0.1 release notes",
        sign: Sign::Chain(|chain| {
            let base = chain.base.as_ref();
            base.is_some_and(|base| base.hook == Hook::Egress)
        }),
    },
    Feature {
        name: "bytes of the payload (`@ih`)",
        since: Version(1, 0, 1),
        kernel: Some(Version(5, 16, 0)),
        source: "nftables 1.0.1 release notes",
        sign: Sign::Expr(
            |s, e| matches!(e.kind, ExprKind::RawPayload { base, .. } if base.text(s) == "ih"),
        ),
    },
    Feature {
        name: "the TCP options fastopen, md5sig and mptcp",
        since: Version(1, 0, 2),
        kernel: None,
        source: "nftables 1.0.2 release notes",
        sign: Sign::Expr(
            |s, e| matches!(e.kind, ExprKind::TcpOption { kind, .. } if ["fastopen", "md5sig", "mptcp"].contains(&kind.text(s))),
        ),
    },
    Feature {
        name: "`typeof` of an option or chunk",
        since: Version(1, 0, 2),
        kernel: None,
        source: "nftables 1.0.2 release notes",
        sign: Sign::Part(|_, part| {
            typeof_key(part, |e| {
                matches!(
                    e.kind,
                    ExprKind::TcpOption { .. }
                        | ExprKind::IpOption { .. }
                        | ExprKind::SctpChunk { .. }
                )
            })
        }),
    },
    Feature {
        name: "maps of `synproxy`",
        since: Version(1, 0, 2),
        kernel: None,
        source: "nftables 1.0.2 release notes",
        sign: Sign::Part(|_, part| map_of(part, &[ObjectKind::Synproxy])),
    },
    Feature {
        name: "`reset tcp option`",
        since: Version(1, 0, 3),
        kernel: Some(Version(5, 18, 0)),
        source: "nftables 1.0.3 release notes",
        sign: Sign::Code(|i| matches!(i, Instr::ExthdrReset { .. })),
    },
    Feature {
        name: "interface names with `*` in a set",
        since: Version(1, 0, 3),
        kernel: None,
        source: "nftables 1.0.3 release notes",
        sign: Sign::Set(|set, info| {
            set.flags & set_flags::INTERVAL != 0
                && info.key.iter().any(|t| t.datatype == DataType::Ifname)
        }),
    },
    Feature {
        name: "raw bytes in a set's key",
        since: Version(1, 0, 3),
        kernel: None,
        source: "nftables 1.0.3 release notes",
        sign: Sign::Part(|_, part| {
            typeof_key(part, |e| matches!(e.kind, ExprKind::RawPayload { .. }))
        }),
    },
    Feature {
        name: "raw bytes in a concatenation",
        since: Version(1, 0, 3),
        kernel: None,
        source: "nftables 1.0.3 release notes",
        sign: Sign::Expr(|_, e| {
            in_concat(e, |part| matches!(part.kind, ExprKind::RawPayload { .. }))
        }),
    },
    Feature {
        name: "numbers without a type of their own in a set's concatenation",
        since: Version(1, 0, 3),
        kernel: None,
        source: "nftables 1.0.3 release notes",
        sign: Sign::Set(|set, info| {
            set.flags & set_flags::ANONYMOUS == 0
                && info.is_typeof
                && info.key.len() > 1
                && info.key.iter().any(|t| t.datatype == DataType::Integer)
        }),
    },
    Feature {
        name: "the DSCP names `df`, `lephb` and `va`",
        since: Version(1, 0, 5),
        kernel: None,
        source: "nftables 1.0.5 release notes",
        sign: Sign::Stmt(names_new_dscp),
    },
    Feature {
        name: "`vlan id` in a concatenation",
        since: Version(1, 0, 6),
        kernel: None,
        source: "nftables 1.0.6 release notes",
        sign: Sign::Expr(|s, e| {
            in_concat(e, |part| {
                is_field(s, part, "vlan", &["id", "pcp", "dei", "cfi"])
            })
        }),
    },
    Feature {
        name: "`vlan` in tables of ip, ip6 and inet",
        since: Version(1, 0, 6),
        kernel: None,
        source: "nftables 1.0.6 release notes",
        sign: Sign::InFamily(
            &["ip", "ip6", "inet"],
            |s, e| matches!(e.kind, ExprKind::Payload { header, of: None, .. } if header.text(s) == "vlan"),
        ),
    },
    Feature {
        name: "`destroy`",
        since: Version(1, 0, 7),
        kernel: Some(Version(6, 3, 0)),
        source: "nftables 1.0.7 release notes",
        sign: Sign::Command(|command| verb(command) == Some(Verb::Destroy)),
    },
    Feature {
        name: "`last`",
        since: Version(1, 0, 7),
        kernel: Some(Version(5, 14, 0)),
        source: "nftables 1.0.7 release notes",
        sign: Sign::Stmt(|_, stmt| matches!(stmt.kind, StmtKind::Last { .. })),
    },
    Feature {
        name: "a field of a packet in a tunnel",
        since: Version(1, 0, 7),
        kernel: Some(Version(6, 2, 0)),
        source: "nftables 1.0.7 release notes",
        sign: Sign::Code(|i| matches!(i, Instr::Inner { .. })),
    },
    Feature {
        name: "a mark set from a field",
        since: Version(1, 0, 8),
        kernel: None,
        source: "nftables 1.0.8 release notes",
        sign: Sign::Stmt(sets_mark_from_field),
    },
    Feature {
        name: "statements of a nameless map's elements",
        since: Version(1, 0, 8),
        kernel: None,
        source: "nftables 1.0.8 release notes",
        sign: Sign::Stmt(|_, stmt| nameless_map_with_stmts(stmt)),
    },
    Feature {
        name: "constants in a looked-up key",
        since: Version(1, 0, 8),
        kernel: None,
        source: "nftables 1.0.8 release notes",
        sign: Sign::Stmt(|_, stmt| looks_constant_up(stmt)),
    },
    Feature {
        name: "`meta broute`",
        since: Version(1, 0, 8),
        kernel: None,
        source: "nftables 1.0.8 release notes",
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::MetaSet {
                    key: MetaKey::Broute,
                    ..
                }
            )
        }),
    },
    Feature {
        name: "`dccp option`",
        since: Version(1, 0, 8),
        kernel: None,
        source: "nftables 1.0.8 release notes",
        sign: Sign::Expr(|_, e| matches!(e.kind, ExprKind::DccpOption(_))),
    },
    Feature {
        name: "timeout policies with units",
        since: Version(1, 0, 9),
        kernel: None,
        source: "nftables 1.0.9 release notes",
        sign: Sign::Part(policy_with_units),
    },
    Feature {
        name: "a target in ICMPv6",
        since: Version(1, 0, 9),
        kernel: None,
        source: "nftables 1.0.9 release notes",
        sign: Sign::Expr(|s, e| is_field(s, e, "icmpv6", &["taddr", "daddr"])),
    },
    Feature {
        name: "the priority srcnat at hook input",
        since: Version(1, 0, 9),
        kernel: None,
        source: "nftables 1.0.9 release notes",
        sign: Sign::Part(srcnat_at_input),
    },
    Feature {
        name: "`gc-interval` of a map",
        since: Version(1, 0, 9),
        kernel: None,
        source: "nftables 1.0.9 release notes",
        sign: Sign::Part(|_, part| match part {
            Part::SetLine(SetBodyItem::GcInterval(_, span), true) => Some(*span),
            _ => None,
        }),
    },
    Feature {
        name: "maps of objects of `ct`",
        since: Version(1, 1, 0),
        kernel: None,
        source: "nftables 1.1.0 release notes",
        sign: Sign::Part(|_, part| {
            map_of(
                part,
                &[
                    ObjectKind::CtHelper,
                    ObjectKind::CtTimeout,
                    ObjectKind::CtExpectation,
                ],
            )
        }),
    },
    Feature {
        name: "an object as a map's data behind `typeof`",
        since: Version(1, 1, 0),
        kernel: None,
        source: "nftables 1.1.0 release notes",
        sign: Sign::Part(|s, part| {
            typeof_data(
                s,
                part,
                &[
                    "counter",
                    "quota",
                    "limit",
                    "synproxy",
                    "secmark",
                    "ct helper",
                    "ct timeout",
                    "ct expectation",
                    "tunnel",
                ],
            )
        }),
    },
    Feature {
        name: "the table flag `persist`",
        since: Version(1, 1, 0),
        kernel: Some(Version(6, 9, 0)),
        source: "nftables 1.1.0 release notes",
        sign: Sign::Part(|s, part| table_flag(s, part, "persist")),
    },
    Feature {
        name: "a map that is a variable",
        since: Version(1, 1, 0),
        kernel: None,
        source: "nftables 1.1.0 release notes",
        sign: Sign::Expr(
            |_, e| matches!(&e.kind, ExprKind::Map(two) if matches!(two.1.kind, ExprKind::Var(_))),
        ),
    },
    Feature {
        name: "an IPv6 address that ends like `1.2.3.4`",
        since: Version(1, 1, 0),
        kernel: None,
        source: "nftables 1.1.0 release notes",
        sign: Sign::Expr(|s, e| {
            matches!(e.kind, ExprKind::Ipv6(_)) && ends_like_ipv4(s.text(e.span))
        }),
    },
    Feature {
        name: "`timeout never`",
        since: Version(1, 1, 1),
        kernel: Some(Version(6, 12, 0)),
        source: "nftables 1.1.1 release notes",
        sign: Sign::Part(|_, part| match part {
            Part::Element(element) if element.timeout_ms == Some(0) => Some(element.span),
            _ => None,
        }),
    },
    Feature {
        name: "a queue as a map's data behind `typeof`",
        since: Version(1, 1, 2),
        kernel: None,
        source: "nftables 1.1.2 release notes",
        sign: Sign::Part(|s, part| typeof_data(s, part, &["queue"])),
    },
    Feature {
        name: "two fields in one computation",
        since: Version(1, 1, 2),
        kernel: Some(Version(6, 13, 0)),
        source: "nftables 1.1.2 release notes",
        sign: Sign::Expr(
            |_, e| matches!(&e.kind, ExprKind::Binary(_, two) if has_field(&two.0) && has_field(&two.1)),
        ),
    },
    Feature {
        name: "names of MPTCP subtypes",
        since: Version(1, 1, 2),
        kernel: None,
        source: "nftables 1.1.2 release notes",
        sign: Sign::Stmt(names_mptcp_subtype),
    },
    Feature {
        name: "a part of a byte set from itself",
        since: Version(1, 1, 2),
        kernel: None,
        source: "nftables 1.1.2 release notes",
        sign: Sign::Stmt(sets_bits_from_themselves),
    },
    Feature {
        name: "`fib ... check`",
        since: Version(1, 1, 4),
        kernel: None,
        source: "nftables 1.1.4 release notes",
        sign: Sign::Expr(
            |s, e| matches!(&e.kind, ExprKind::Fib { result, .. } if result.text(s) == "check"),
        ),
    },
    Feature {
        name: "`meta ibrhwaddr`",
        since: Version(1, 1, 6),
        kernel: Some(Version(6, 18, 0)),
        source: "nftables 1.1.6 release notes",
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::MetaLoad {
                    key: MetaKey::Ibrhwaddr,
                    ..
                }
            )
        }),
    },
    Feature {
        name: "tunnel objects",
        since: Version(1, 1, 6),
        kernel: None,
        source: "nftables 1.1.6 release notes",
        sign: Sign::Part(|_, part| match part {
            Part::Object(body) => tells_of_tunnel(&body.items).then_some(body.span),
            _ => None,
        }),
    },
    Feature {
        name: "`tunnel`",
        since: Version(1, 1, 6),
        kernel: None,
        source: "nftables 1.1.6 release notes",
        sign: Sign::Code(|i| {
            matches!(
                i,
                Instr::Tunnel { .. }
                    | Instr::Objref {
                        kind: VmKind::Tunnel,
                        ..
                    }
            )
        }),
    },
    Feature {
        name: "devices with `*`",
        since: Version(1, 1, 6),
        kernel: Some(Version(6, 16, 0)),
        source: "nftables 1.1.6 release notes",
        sign: Sign::Part(|s, part| match part {
            Part::Devices(devices) => s.text(devices.span).contains('*').then_some(devices.span),
            _ => None,
        }),
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

fn has_word(text: &str, word: &str) -> bool {
    text.split_ascii_whitespace().any(|part| part == word)
}

fn is_word(sources: &Sources, expr: &Expr, words: &[&str]) -> bool {
    matches!(expr.kind, ExprKind::Symbol(word) if words.contains(&word.text(sources)))
}

fn is_field(sources: &Sources, expr: &Expr, of: &str, fields: &[&str]) -> bool {
    matches!(expr.kind, ExprKind::Payload { header, field, .. }
        if header.text(sources) == of && fields.contains(&field.text(sources)))
}

fn flowtable_flag(sources: &Sources, part: &Part<'_>, name: &str) -> Option<Span> {
    match part {
        Part::FlowtableFlag(word) if word.text(sources) == name => Some(word.span),
        _ => None,
    }
}

fn table_flag(sources: &Sources, part: &Part<'_>, name: &str) -> Option<Span> {
    match part {
        Part::TableFlag(word) if word.text(sources) == name => Some(word.span),
        _ => None,
    }
}

/// A `typeof` line whose data are one of some words.
fn typeof_data(sources: &Sources, part: &Part<'_>, words: &[&str]) -> Option<Span> {
    let Part::SetLine(SetBodyItem::Typeof(of), _) = part else {
        return None;
    };
    let data = of.data.as_ref()?;
    words
        .contains(&sources.text(data.span))
        .then_some(data.span)
}

/// A `typeof` line whose key has a part of a kind.
fn typeof_key(part: &Part<'_>, is: fn(&Expr) -> bool) -> Option<Span> {
    let Part::SetLine(SetBodyItem::Typeof(of), _) = part else {
        return None;
    };
    (is(&of.key) || in_concat(&of.key, is)).then_some(of.key.span)
}

/// A line `type KEY : OBJECT`.
fn map_of(part: &Part<'_>, kinds: &[ObjectKind]) -> Option<Span> {
    let Part::SetLine(line @ SetBodyItem::Type(types), _) = part else {
        return None;
    };
    let kind = data_object(line)?;
    let first = types.key.first()?;
    kinds.contains(&kind).then_some(first.span)
}

fn in_concat(expr: &Expr, is: impl Fn(&Expr) -> bool) -> bool {
    matches!(&expr.kind, ExprKind::Concat(parts) if parts.iter().any(is))
}

/// Whether a value is read from somewhere, not looked up and not written out.
fn has_field(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(_, two) => has_field(&two.0) || has_field(&two.1),
        ExprKind::Meta { .. } | ExprKind::Ct { .. } => true,
        _ => is_of_packet(expr),
    }
}

fn is_of_packet(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(_, two) => is_of_packet(&two.0) || is_of_packet(&two.1),
        ExprKind::Payload { .. }
        | ExprKind::RawPayload { .. }
        | ExprKind::Exthdr { .. }
        | ExprKind::TcpOption { .. }
        | ExprKind::IpOption { .. } => true,
        _ => false,
    }
}

fn is_mark(sources: &Sources, expr: &Expr) -> bool {
    match expr.kind {
        ExprKind::Meta { key, .. } | ExprKind::Ct { key, .. } => key.text(sources) == "mark",
        _ => false,
    }
}

/// `meta mark set ip dscp`.
pub(super) fn sets_mark_from_field(sources: &Sources, stmt: &Stmt) -> bool {
    matches!(&stmt.kind, StmtKind::Set { field, value } if is_mark(sources, field) && is_of_packet(value))
}

/// `ip dscp set ip dscp | 1`.
fn sets_bits_from_themselves(sources: &Sources, stmt: &Stmt) -> bool {
    let StmtKind::Set { field, value } = &stmt.kind else {
        return false;
    };
    let is_part = matches!(field.kind, ExprKind::Payload { field, .. }
        if ["dscp", "ecn", "pcp", "id", "dei", "cfi"].contains(&field.text(sources)));
    is_part && matches!(value.kind, ExprKind::Binary(..)) && is_of_packet(value)
}

fn names_new_dscp(sources: &Sources, stmt: &Stmt) -> bool {
    let (field, value) = match &stmt.kind {
        StmtKind::Match(m) => (&m.left, &m.right),
        StmtKind::Set { field, value } => (&**field, &**value),
        _ => return false,
    };
    let is_dscp =
        matches!(field.kind, ExprKind::Payload { field, .. } if field.text(sources) == "dscp");
    is_dscp && is_word(sources, value, &["df", "lephb", "va"])
}

fn names_mptcp_subtype(sources: &Sources, stmt: &Stmt) -> bool {
    let StmtKind::Match(m) = &stmt.kind else {
        return false;
    };
    let is_subtype = matches!(m.left.kind, ExprKind::TcpOption { field: Some(field), .. }
        if field.text(sources) == "subtype");
    let text = sources.text(m.right.span);
    is_subtype && text.contains(|c: char| c.is_ascii_alphabetic()) && !text.contains("0x")
}

/// `dnat to ip saddr map { 10.0.0.1 : 10.1.0.1-10.1.0.9 }`.
fn nat_map_without_words(stmt: &Stmt) -> bool {
    let StmtKind::Nat(nat) = &stmt.kind else {
        return false;
    };
    let Some(ExprKind::Map(two)) = nat.addr.as_ref().map(|addr| &addr.kind) else {
        return false;
    };
    let ExprKind::Set(set) = &two.1.kind else {
        return false;
    };
    let data = set.items.iter().filter_map(|item| match item {
        SetItem::Full(element) => element.data.as_ref(),
        SetItem::Plain { .. } => None,
    });
    let mut kinds = data.map(|data| &data.kind);
    !matches!(
        nat.mode,
        Some(NatMode::AddrPort | NatMode::Interval | NatMode::Prefix)
    ) && kinds.any(|kind| {
        matches!(
            kind,
            ExprKind::Range(_) | ExprKind::Prefix(_) | ExprKind::Concat(_)
        )
    })
}

/// `ct state vmap { established counter : accept }`.
fn nameless_map_with_stmts(stmt: &Stmt) -> bool {
    let StmtKind::Vmap { map, .. } = &stmt.kind else {
        return false;
    };
    let ExprKind::Set(set) = &map.kind else {
        return false;
    };
    set.items
        .iter()
        .any(|item| matches!(item, SetItem::Full(element) if !element.stmts.is_empty()))
}

/// `ip saddr . 22 @set`.
fn looks_constant_up(stmt: &Stmt) -> bool {
    let key = match &stmt.kind {
        StmtKind::Match(m) if matches!(m.right.kind, ExprKind::SetRef(_)) => &m.left,
        StmtKind::Vmap { key, .. } => key,
        StmtKind::Dynset(dynset) => &dynset.element.key,
        _ => return false,
    };
    in_concat(key, |part| {
        matches!(
            part.kind,
            ExprKind::Number(_)
                | ExprKind::Ipv4(_)
                | ExprKind::Ipv6(_)
                | ExprKind::Mac(_)
                | ExprKind::Str(_)
                | ExprKind::Symbol(_)
        )
    })
}

fn tells_of_tunnel(items: &[ObjectItem]) -> bool {
    items.iter().any(|item| {
        matches!(
            item,
            ObjectItem::TunnelNumber(..) | ObjectItem::TunnelAddr(..) | ObjectItem::TunnelKind(..)
        )
    })
}

/// `policy = { established : 2m }`.
fn policy_with_units(sources: &Sources, part: &Part<'_>) -> Option<Span> {
    let Part::Object(body) = part else {
        return None;
    };
    let mut items = body.items.iter();
    items
        .any(|item| matches!(item, ObjectItem::TimeoutPolicy(_)))
        .then_some(())?;
    let text = sources.text(body.span).as_bytes();
    let mut pairs = text.windows(2);
    let with_unit = pairs.any(|two| matches!(two, [b'0'..=b'9', b'd' | b'h' | b'm' | b's']));
    with_unit.then_some(body.span)
}

/// `64:ff9b::1.2.3.4`; older nft reads `::1.2.3.4` alone.
fn ends_like_ipv4(text: &str) -> bool {
    text.contains('.') && !text.starts_with("::")
}

fn srcnat_at_input(sources: &Sources, part: &Part<'_>) -> Option<Span> {
    let Part::Hook(hook) = part else {
        return None;
    };
    let base = hook.priority.base.as_ref()?;
    (hook.hook.text(sources) == "input" && is_word(sources, base, &["srcnat"])).then_some(base.span)
}
