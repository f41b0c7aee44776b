//! Named objects and flowtables.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::Context;
use super::command::{check_name, named, table};
use super::hook::device_names;
use super::priority::priority;
use crate::ast::{
    FlowtableCommand, FlowtableItem, Ident, ObjectBody, ObjectItem, ObjectKind, Verb, Word,
};
use crate::check::{kind_words, limit_spec, quota_spec, synproxy_spec, vm_kind};
use crate::datatype::{Type, read_symbol};
use crate::diag::Code;
use redan_vm::datatype::DataType;
use redan_vm::family::{Hook, nfproto};
use redan_vm::ids::TableId;
use redan_vm::ruleset::{Object, StateSpec};

/// Adds a named object; one that exists stays as it is.
pub(super) fn declare<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    kind: ObjectKind,
    word: Word,
    body: Option<&'a ObjectBody>,
    verb: Verb,
) -> Option<()> {
    check_name(cx, word)?;
    let name = cx.text(word).to_owned();
    let key = (vm_kind(kind), name.clone());
    let exists = cx
        .names
        .of(table)
        .is_some_and(|names| names.objects.contains_key(&key));
    if exists && verb == Verb::Create {
        return cx.error(
            Code::AlreadyExists,
            word.span,
            format!("{} `{name}` exists", kind.text()),
        );
    }
    let items = body.map_or(&[][..], |body| body.items.as_slice());
    let spec = spec(cx, table, kind, word, items)?;
    if exists {
        return Some(());
    }
    let state = cx.add_state(spec);
    cx.ruleset.objects.push(Object {
        table,
        name,
        kind: key.0,
        state,
    });
    if let Some(names) = cx.names.of_mut(table) {
        names.objects.insert(key, state);
    }
    Some(())
}

fn spec<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    kind: ObjectKind,
    word: Word,
    items: &'a [ObjectItem],
) -> Option<StateSpec> {
    match kind {
        ObjectKind::Counter => Some(items.iter().fold(
            StateSpec::Counter {
                packets: 0,
                bytes: 0,
            },
            |spec, item| match item {
                ObjectItem::Counter(packets, bytes) => StateSpec::Counter {
                    packets: packets.value,
                    bytes: bytes.value,
                },
                _ => spec,
            },
        )),
        ObjectKind::Quota => match items.iter().find_map(|item| {
            if let ObjectItem::Quota(quota) = item {
                Some(quota)
            } else {
                None
            }
        }) {
            Some(quota) => quota_spec(cx, quota),
            None => cx.error(
                Code::BadDeclaration,
                word.span,
                "a quota needs its size, such as `25 mbytes`",
            ),
        },
        ObjectKind::Limit => match items.iter().find_map(|item| {
            if let ObjectItem::Limit(limit) = item {
                Some(limit)
            } else {
                None
            }
        }) {
            Some(limit) => limit_spec(cx, limit).map(StateSpec::Limit),
            None => cx.error(
                Code::BadDeclaration,
                word.span,
                "a limit needs its rate, such as `rate 400/hour`",
            ),
        },
        ObjectKind::Synproxy => synproxy(cx, items),
        ObjectKind::Secmark => {
            let context = items.iter().find_map(|item| {
                if let ObjectItem::Secmark(text) = item {
                    Some(*text)
                } else {
                    None
                }
            });
            match context {
                Some(text) => Some(StateSpec::Secmark(text.text(cx.sources).to_owned())),
                None => cx.error(
                    Code::BadDeclaration,
                    word.span,
                    "a secmark needs its context",
                ),
            }
        }
        ObjectKind::CtHelper => helper(cx, table, word, items),
        ObjectKind::CtTimeout => timeout(cx, table, word, items),
        ObjectKind::CtExpectation => expectation(cx, table, word, items),
    }
}

/// One line may hold one option, so several lines add up.
fn synproxy(cx: &mut Context<'_>, items: &[ObjectItem]) -> Option<StateSpec> {
    let mut all = (0, 0, 0);
    for item in items {
        if let ObjectItem::Synproxy(synproxy) = item {
            let (mss, wscale, flags) = synproxy_spec(cx, synproxy)?;
            all = (all.0 | mss, all.1 | wscale, all.2 | flags);
        }
    }
    Some(StateSpec::Synproxy {
        mss: all.0,
        wscale: all.1,
        flags: all.2,
    })
}

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
    use redan_vm::family::Family;
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

fn helper(
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
            ObjectItem::L3proto(word) => l3 = l3proto(cx, *word)?,
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
            "established",
            "syn_sent",
            "syn_recv",
            "fin_wait",
            "close_wait",
            "last_ack",
            "time_wait",
            "close",
            "unack",
            "retrans",
        ],
        17 => &["unreplied", "replied"],
        _ => &[],
    }
}

fn timeout(
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
    Some(StateSpec::CtTimeout {
        l4proto,
        l3proto: protocols.l3,
        policy,
    })
}

fn expectation(
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

/// Removes a named object.
pub(super) fn remove(
    cx: &mut Context<'_>,
    table: TableId,
    kind: ObjectKind,
    word: Word,
    quiet: bool,
) -> Option<()> {
    let name = cx.text(word).to_owned();
    let key = (vm_kind(kind), name);
    let gone = cx
        .names
        .of_mut(table)
        .and_then(|names| names.objects.remove(&key));
    if gone.is_some() || quiet {
        return Some(());
    }
    cx.unknown(
        Code::UnknownObject,
        word.span,
        kind_words(key.0),
        &key.1,
        std::iter::empty(),
    )
}

/// Adds a flowtable.
pub(super) fn declare_flowtable(
    cx: &mut Context<'_>,
    table: TableId,
    id: Ident,
    items: &[FlowtableItem],
    verb: Verb,
) -> Option<()> {
    let word = named(cx, id)?;
    check_name(cx, word)?;
    let name = cx.text(word).to_owned();
    let exists = cx
        .names
        .of(table)
        .is_some_and(|names| names.flowtables.contains(&name));
    if exists && verb == Verb::Create {
        return cx.error(
            Code::AlreadyExists,
            word.span,
            format!("flowtable `{name}` exists"),
        );
    }
    let family = cx.ruleset.tables.get(table.index())?.family;
    for item in items {
        match item {
            FlowtableItem::Hook(hook, prio) => {
                let text = cx.text(*hook);
                if text != "ingress" {
                    return cx.unknown(
                        Code::WrongHook,
                        hook.span,
                        "flowtable hook",
                        text,
                        ["ingress"],
                    );
                }
                priority(cx, family, Hook::Ingress, prio)?;
            }
            FlowtableItem::Devices(devices) => {
                device_names(cx, devices)?;
            }
            FlowtableItem::Counter => {}
            FlowtableItem::Flags(words) => {
                for word in words {
                    let text = cx.text(*word);
                    if text != "offload" {
                        return cx.unknown(
                            Code::BadFlag,
                            word.span,
                            "flowtable flag",
                            text,
                            ["offload"],
                        );
                    }
                }
            }
        }
    }
    if let Some(names) = cx.names.of_mut(table) {
        names.flowtables.insert(name);
    }
    Some(())
}

/// A verb on a flowtable.
pub(super) fn flowtable_command(cx: &mut Context<'_>, command: &FlowtableCommand) -> Option<()> {
    let table = table(cx, &command.table)?;
    match command.verb {
        Verb::Add | Verb::Create | Verb::Insert | Verb::Replace => {
            let items = command.body.as_deref().unwrap_or_default();
            declare_flowtable(cx, table, command.id, items, command.verb)
        }
        Verb::Delete | Verb::Destroy => {
            let word = named(cx, command.id)?;
            let name = cx.text(word);
            let gone = cx
                .names
                .of_mut(table)
                .is_some_and(|names| names.flowtables.remove(name));
            if !gone && command.verb == Verb::Delete {
                return cx.unknown(
                    Code::UnknownObject,
                    word.span,
                    "flowtable",
                    name,
                    std::iter::empty(),
                );
            }
            Some(())
        }
    }
}
