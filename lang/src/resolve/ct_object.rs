//! Objects of connection tracking: helpers, timeouts, expectations.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::Context;
use crate::ast::{ObjectItem, Word};
use crate::datatype::{Type, read_symbol};
use crate::diag::Code;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, nfproto};
use redan_vm::ids::TableId;
use redan_vm::ruleset::StateSpec;

/// The layer 4 protocol that an object is for.
fn protocol(cx: &mut Context<'_>, word: Word) -> Option<u8> {
    let text = cx.text(word);
    let ty = Type::of(DataType::InetProto);
    match read_symbol(ty, text, cx.options.clock) {
        Ok(value) => u8::try_from(value).ok(),
        Err(error) => cx.value_error(word.span, ty, &error),
    }
}

fn l3proto(cx: &mut Context<'_>, word: Word) -> Option<Option<u8>> {
    match cx.text(word) {
        "ip" => Some(Some(nfproto::IPV4)),
        "ip6" => Some(Some(nfproto::IPV6)),
        "inet" => Some(None),
        other => cx.unknown(
            Code::UnknownKeyword,
            word.span,
            "family",
            other,
            ["ip", "ip6", "inet"],
        ),
    }
}

/// The family of an object by its table, unless it is for both.
fn table_l3proto(cx: &Context<'_>, table: TableId) -> Option<u8> {
    match cx.ruleset.tables.get(table.index())?.family {
        Family::Ip => Some(nfproto::IPV4),
        Family::Ip6 => Some(nfproto::IPV6),
        Family::Inet | Family::Arp | Family::Bridge | Family::Netdev => None,
    }
}

/// The protocols that an object of connection tracking is for.
struct ForProtocols {
    l3: Option<u8>,
    l4: Option<u8>,
}

impl ForProtocols {
    fn new(cx: &Context<'_>, table: TableId) -> Self {
        Self {
            l3: table_l3proto(cx, table),
            l4: None,
        }
    }

    /// Reads a line of the object's block if it names a protocol.
    fn read(&mut self, cx: &mut Context<'_>, item: &ObjectItem) -> Option<()> {
        match item {
            ObjectItem::Protocol(word) => self.l4 = Some(protocol(cx, *word)?),
            ObjectItem::L3proto(word) => self.l3 = l3proto(cx, *word)?,
            _ => {}
        }
        Some(())
    }
}

pub(super) fn helper(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    items: &[ObjectItem],
) -> Option<StateSpec> {
    let mut l3 = table_l3proto(cx, table);
    let mut found = None;
    for item in items {
        match item {
            ObjectItem::Helper(name, proto) => {
                let text = name.text(cx.sources);
                if text.is_empty() || text.len() > 15 {
                    return cx.error(
                        Code::BadString,
                        name.span,
                        "the name of a helper has 1 to 15 bytes",
                    );
                }
                found = Some((text.to_owned(), protocol(cx, *proto)?));
            }
            ObjectItem::L3proto(word) => {
                let seen = table_l3proto(cx, table);
                l3 = l3proto(cx, *word)?;
                if l3.zip(seen).is_some_and(|(asked, seen)| asked != seen) {
                    return cx.error(
                        Code::ConflictingProtocols,
                        word.span,
                        "a table of one family sees no packets for a helper of the other",
                    );
                }
            }
            _ => {}
        }
    }
    match found {
        Some((name, l4proto)) => Some(StateSpec::CtHelper {
            name,
            l4proto,
            l3proto: l3,
        }),
        None => cx.error(
            Code::BadDeclaration,
            word.span,
            "a ct helper needs its type: `type \"ftp\" protocol tcp`",
        ),
    }
}

/// Names of states whose timeouts can be set, by protocol.
fn timeout_states(l4proto: u8) -> &'static [&'static str] {
    match l4proto {
        6 => &[
            "syn_sent",
            "syn_recv",
            "established",
            "fin_wait",
            "close_wait",
            "last_ack",
            "time_wait",
            "close",
            "retrans",
            "unack",
        ],
        17 => &["unreplied", "replied"],
        _ => &[],
    }
}

pub(super) fn timeout(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    items: &[ObjectItem],
) -> Option<StateSpec> {
    let mut protocols = ForProtocols::new(cx, table);
    for item in items {
        protocols.read(cx, item)?;
    }
    let Some(l4proto) = protocols.l4.filter(|l4| !timeout_states(*l4).is_empty()) else {
        return cx.error(
            Code::BadDeclaration,
            word.span,
            "a ct timeout needs `protocol tcp` or `protocol udp`",
        );
    };
    let mut policy = Vec::new();
    for item in items {
        let ObjectItem::TimeoutPolicy(states) = item else {
            continue;
        };
        for (state, secs) in states {
            let name = cx.text(*state);
            if !timeout_states(l4proto).contains(&name) {
                return cx.unknown(
                    Code::UnknownSymbol,
                    state.span,
                    "state",
                    name,
                    timeout_states(l4proto).iter().copied(),
                );
            }
            policy.push((name.to_owned(), u32::try_from(*secs).unwrap_or(u32::MAX)));
        }
    }
    // in the kernel's order of states
    let place = |name: &str| {
        timeout_states(l4proto)
            .iter()
            .position(|state| *state == name)
    };
    policy.sort_by_key(|(name, _): &(String, u32)| place(name));
    Some(StateSpec::CtTimeout {
        l4proto,
        l3proto: protocols.l3,
        policy,
    })
}

pub(super) fn expectation(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    items: &[ObjectItem],
) -> Option<StateSpec> {
    let mut protocols = ForProtocols::new(cx, table);
    let (mut dport, mut timeout_ms, mut size) = (None, None, None);
    for item in items {
        match item {
            ObjectItem::Dport(port) => {
                dport = u16::try_from(cx.single(port, Type::of(DataType::InetService))?).ok();
            }
            ObjectItem::Timeout(ms) => timeout_ms = Some(*ms),
            ObjectItem::Size(number) => size = u8::try_from(number.value).ok(),
            _ => protocols.read(cx, item)?,
        }
    }
    match (protocols.l4, dport, timeout_ms, size) {
        (Some(l4proto), Some(dport), Some(timeout_ms), Some(size)) => {
            Some(StateSpec::CtExpectation {
                l4proto,
                dport,
                timeout_ms,
                size,
                l3proto: protocols.l3,
            })
        }
        _ => cx.error(
            Code::BadDeclaration,
            word.span,
            "a ct expectation needs protocol, dport, timeout and size",
        ),
    }
}
