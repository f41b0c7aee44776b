//! Chains: declaration, hooks, priorities, policies.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::Context;
use super::command::check_name;
use crate::ast::{ChainBody, ChainItem, Expr, ExprKind, HookSpec, Priority, Verb, Word};
use crate::check::RuleCheck;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ids::{ChainId, TableId};
use redan_vm::ruleset::{BaseChain, Chain, Policy};

/// Hooks that a family has.
pub fn hooks(family: Family) -> &'static [Hook] {
    match family {
        Family::Ip | Family::Ip6 | Family::Bridge => &[
            Hook::Prerouting,
            Hook::Input,
            Hook::Forward,
            Hook::Output,
            Hook::Postrouting,
        ],
        Family::Inet => &[
            Hook::Ingress,
            Hook::Prerouting,
            Hook::Input,
            Hook::Forward,
            Hook::Output,
            Hook::Postrouting,
            Hook::Egress,
        ],
        Family::Arp => &[Hook::Input, Hook::Output],
        Family::Netdev => &[Hook::Ingress, Hook::Egress],
    }
}

/// A named priority and where it may be used: name, value, hooks (none: any).
pub type Named = (&'static str, i32, &'static [Hook]);

/// Named priorities of a family (nft(8), "CHAINS").
pub fn named_priorities(family: Family) -> &'static [Named] {
    match family {
        Family::Ip | Family::Ip6 | Family::Inet => &[
            ("raw", -300, &[]),
            ("mangle", -150, &[]),
            ("dstnat", -100, &[Hook::Prerouting, Hook::Output]),
            ("filter", 0, &[]),
            ("security", 50, &[]),
            ("srcnat", 100, &[Hook::Postrouting]),
        ],
        Family::Bridge => &[
            ("dstnat", -300, &[Hook::Prerouting]),
            ("filter", -200, &[]),
            ("out", 100, &[Hook::Output]),
            ("srcnat", 300, &[Hook::Postrouting]),
        ],
        Family::Arp | Family::Netdev => &[("filter", 0, &[])],
    }
}

/// The number of a priority.
pub(super) fn priority(
    cx: &mut Context<'_>,
    family: Family,
    hook: Hook,
    priority: &Priority,
) -> Option<i32> {
    let base = match &priority.base {
        None => 0,
        Some(base) => base_priority(cx, family, hook, base)?,
    };
    match i32::try_from(i64::from(base).saturating_add(priority.offset)) {
        Ok(value) => Some(value),
        Err(_) => cx.error(Code::BadPriority, priority.span, "a priority has 32 bits"),
    }
}

fn base_priority(cx: &mut Context<'_>, family: Family, hook: Hook, base: &Expr) -> Option<i32> {
    let (base, _) = cx.resolve(base)?;
    let text = match &base.kind {
        ExprKind::Number(number) => {
            return match i32::try_from(number.value()) {
                Ok(value) => Some(value),
                Err(_) => cx.error(Code::BadPriority, base.span, "a priority has 32 bits"),
            };
        }
        ExprKind::Str(text) => text.text(cx.sources).trim(),
        _ => cx.sources.text(base.span),
    };
    let named = named_priorities(family);
    let (name, offset) = match text.find(['+', '-']) {
        Some(at) if at > 0 => {
            let (name, rest) = text.split_at(at);
            (
                name.trim(),
                rest.replace(' ', "").parse::<i32>().unwrap_or(0),
            )
        }
        _ => (text, 0),
    };
    if let Ok(number) = text.replace(' ', "").parse::<i32>() {
        return Some(number);
    }
    let Some((_, value, at)) = named.iter().find(|(known, ..)| *known == name) else {
        let finding = Diagnostic::new(
            Code::BadPriority,
            base.span,
            format!("`{text}` is invalid priority expression for family {family}"),
        );
        let known: Vec<&str> = named.iter().map(|row| row.0).collect();
        let help = format!("known names: {}", known.join(", "));
        cx.report(finding.help(help));
        return None;
    };
    if !at.is_empty() && !at.contains(&hook) {
        let words = at
            .iter()
            .map(|hook| hook.word())
            .collect::<Vec<_>>()
            .join(" or ");
        return cx.error_help(
            Code::BadPriority,
            base.span,
            format!("`{name}` is invalid priority at hook {hook}"),
            format!("`{name}` belongs to hook {words}; use a number here ({value})"),
        );
    }
    Some(value + offset)
}

/// Adds a chain, or changes what may be changed of one that exists.
pub(super) fn declare<'a>(
    cx: &mut Context<'a>,
    table: TableId,
    word: Word,
    body: Option<&'a ChainBody>,
    verb: Verb,
) -> Option<ChainId> {
    check_name(cx, word)?;
    let name = cx.text(word);
    let family = cx.ruleset.tables.get(table.index())?.family;
    // A chain whose hook is wrong is there nevertheless, so that its rules and the jumps to it are looked at.
    let base = body.and_then(|body| base_chain(cx, family, body).unwrap_or_default());
    if let Some(id) = cx.names.chain(table, name) {
        if verb == Verb::Create {
            return cx.error(
                Code::AlreadyExists,
                word.span,
                format!("chain `{name}` exists"),
            );
        }
        return redeclare(cx, id, word, base).map(|()| id);
    }
    let base = match base {
        Some((None, Some(_))) => {
            let policy = body.and_then(|body| {
                body.items.iter().find_map(|item| match item {
                    ChainItem::Policy(expr) => Some(expr.span),
                    _ => None,
                })
            });
            cx.report(
                Diagnostic::new(
                    Code::BadPolicy,
                    policy.unwrap_or(word.span),
                    "only a chain with a hook has a policy",
                )
                .help("add a line such as `type filter hook input priority filter;`"),
            );
            None
        }
        Some((base, _)) => base,
        None => None,
    };
    let id = add(cx, table, name, base, word.span);
    if let Some(names) = cx.names.of_mut(table) {
        names.chains.insert(name.to_owned(), id);
    }
    Some(id)
}

/// A new chain without a place among the names.
pub(super) fn add(
    cx: &mut Context<'_>,
    table: TableId,
    name: &str,
    base: Option<BaseChain>,
    span: Span,
) -> ChainId {
    let id = ChainId(u32::try_from(cx.ruleset.chains.len()).unwrap_or(u32::MAX));
    cx.ruleset.chains.push(Chain {
        table,
        name: name.to_owned(),
        base,
        rules: Vec::new(),
        deleted: false,
    });
    cx.program.chains.push(span);
    id
}

/// A second declaration may change the policy and nothing else.
fn redeclare(
    cx: &mut Context<'_>,
    id: ChainId,
    word: Word,
    base: Option<(Option<BaseChain>, Option<Policy>)>,
) -> Option<()> {
    let Some((base, policy)) = base else {
        return Some(());
    };
    let place = cx
        .program
        .chains
        .get(id.index())
        .copied()
        .unwrap_or_default();
    let existing = cx.ruleset.chains.get_mut(id.index())?;
    let same = match (&base, &existing.base) {
        (None, _) => true,
        (Some(new), Some(old)) => {
            (new.chain_type, new.hook, new.priority) == (old.chain_type, old.hook, old.priority)
        }
        (Some(_), None) => false,
    };
    if !same {
        cx.report(
            Diagnostic::new(
                Code::AlreadyExists,
                word.span,
                "this chain exists with another type, hook or priority",
            )
            .related(place, "first declared here"),
        );
        return None;
    }
    if let (Some(old), Some(policy)) = (&mut existing.base, policy) {
        old.policy = policy;
    }
    Some(())
}

/// Hook and policy of a chain's block: `None` where it is wrong, `Some(None)` where it has neither.
fn base_chain<'a>(
    cx: &mut Context<'a>,
    family: Family,
    body: &'a ChainBody,
) -> Option<Option<(Option<BaseChain>, Option<Policy>)>> {
    let mut spec: Option<&'a HookSpec> = None;
    let mut policy = None;
    let mut policy_span = None;
    let mut devices: Option<&'a Expr> = None;
    let before = cx.scope;
    for item in &body.items {
        match item {
            ChainItem::Hook(hook) => spec = Some(hook),
            ChainItem::Policy(expr) => {
                policy = Some(chain_policy(cx, expr)?);
                policy_span = Some(expr.span);
            }
            ChainItem::Devices(expr) => devices = Some(expr),
            ChainItem::Flags(words) => {
                for word in words {
                    if cx.text(*word) != "offload" {
                        let text = cx.text(*word);
                        return cx.unknown(
                            Code::BadFlag,
                            word.span,
                            "chain flag",
                            text,
                            ["offload"],
                        );
                    }
                }
            }
            ChainItem::Comment(comment) if comment.text(cx.sources).len() > 128 => {
                return cx.error(
                    Code::BadString,
                    comment.span,
                    "comment too long: at most 128 bytes",
                );
            }
            ChainItem::Define(define) => {
                let name = cx.text(define.name);
                cx.scope = cx
                    .scopes
                    .define(cx.scope, name, define.name.span, &define.value);
            }
            ChainItem::Rule(_) | ChainItem::Comment(_) | ChainItem::Undefine(_) => {}
        }
    }
    let found = match spec {
        Some(spec) => hook_of(cx, family, spec, devices).map(|mut base| {
            base.policy = policy.unwrap_or_default();
            Some((Some(base), policy))
        }),
        None => match policy_span {
            Some(_) => Some(Some((None, policy))),
            None => Some(None),
        },
    };
    cx.scope = before;
    found
}

fn chain_policy(cx: &mut Context<'_>, expr: &Expr) -> Option<Policy> {
    let (expr, _) = cx.resolve(expr)?;
    match cx.sources.text(expr.span).trim_matches('"') {
        "accept" => Some(Policy::Accept),
        "drop" => Some(Policy::Drop),
        other => cx.error_help(
            Code::BadPolicy,
            expr.span,
            format!("`{other}` is no policy"),
            "a policy is accept or drop",
        ),
    }
}

fn hook_of(
    cx: &mut Context<'_>,
    family: Family,
    spec: &HookSpec,
    more: Option<&Expr>,
) -> Option<BaseChain> {
    let text = cx.text(spec.chain_type);
    let Some(chain_type) = ChainType::from_word(text) else {
        return cx.unknown(
            Code::WrongChainType,
            spec.chain_type.span,
            "chain type",
            text,
            ChainType::ALL.iter().map(|kind| kind.word()),
        );
    };
    let text = cx.text(spec.hook);
    let Some(hook) = Hook::from_word(text) else {
        return cx.unknown(
            Code::WrongHook,
            spec.hook.span,
            "hook",
            text,
            hooks(family).iter().map(|hook| hook.word()),
        );
    };
    if !hooks(family).contains(&hook) {
        let known = hooks(family)
            .iter()
            .map(|hook| hook.word())
            .collect::<Vec<_>>()
            .join(", ");
        return cx.error_help(
            Code::WrongHook,
            spec.hook.span,
            format!("tables of family {family} have no hook {hook}"),
            format!("they have: {known}"),
        );
    }
    let priority = priority(cx, family, hook, &spec.priority)?;
    check_type(cx, family, chain_type, hook, priority, spec)?;
    let devices = match spec.devices.as_ref().or(more) {
        None => Vec::new(),
        Some(expr) => device_names(cx, expr)?,
    };
    if devices.is_empty() && matches!(hook, Hook::Ingress | Hook::Egress) {
        return cx.error_help(
            Code::BadDeclaration,
            spec.span,
            format!("missing device: a chain at {hook} belongs to one"),
            "add `device \"eth0\"` behind the hook",
        );
    }
    Some(BaseChain {
        chain_type,
        hook,
        priority,
        policy: Policy::Accept,
        devices,
    })
}

/// Which types go with which families and hooks.
#[expect(clippy::match_same_arms, reason = "checks of one type stand together")]
fn check_type(
    cx: &mut Context<'_>,
    family: Family,
    chain_type: ChainType,
    hook: Hook,
    priority: i32,
    spec: &HookSpec,
) -> Option<()> {
    let span = spec.chain_type.span;
    let ip = matches!(family, Family::Ip | Family::Ip6 | Family::Inet);
    match chain_type {
        ChainType::Filter => Some(()),
        ChainType::Nat if !ip => cx.error(
            Code::WrongChainType,
            span,
            format!("tables of family {family} have no chains of type nat"),
        ),
        ChainType::Nat
            if !matches!(
                hook,
                Hook::Prerouting | Hook::Input | Hook::Output | Hook::Postrouting
            ) =>
        {
            cx.error_help(
                Code::WrongHook,
                spec.hook.span,
                format!("chains of type nat cannot be at {hook}"),
                "prerouting, input, output or postrouting",
            )
        }
        ChainType::Nat if priority <= -200 => cx.error_help(
            Code::BadPriority,
            spec.priority.span,
            "chains of type nat run after connection tracking",
            "use a priority above -200, such as dstnat (-100)",
        ),
        ChainType::Nat => Some(()),
        ChainType::Route if !ip => cx.error(
            Code::WrongChainType,
            span,
            format!("tables of family {family} have no chains of type route"),
        ),
        ChainType::Route if hook != Hook::Output => cx.error_help(
            Code::WrongHook,
            spec.hook.span,
            format!("chains of type route cannot be at {hook}"),
            "output",
        ),
        ChainType::Route => Some(()),
    }
}

/// Names of devices: one, a set of them, or a variable.
pub(super) fn device_names(cx: &mut Context<'_>, expr: &Expr) -> Option<Vec<String>> {
    let (expr, scope) = cx.resolve(expr)?;
    let before = std::mem::replace(&mut cx.scope, scope);
    let found = match &expr.kind {
        ExprKind::Set(lit) => {
            let names: Vec<Option<Vec<String>>> = lit
                .elements(cx.sources)
                .map(|element| device_names(cx, &element.key))
                .collect();
            names
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|names| names.concat())
        }
        ExprKind::Str(text) => Some(vec![text.text(cx.sources).to_owned()]),
        ExprKind::List(items) | ExprKind::Concat(items) => {
            let names: Vec<Option<Vec<String>>> =
                items.iter().map(|item| device_names(cx, item)).collect();
            names
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|names| names.concat())
        }
        _ => Some(vec![cx.sources.text(expr.span).to_owned()]),
    };
    cx.scope = before;
    let names = found?;
    match names.iter().find(|name| name.is_empty() || name.len() > 15) {
        Some(_) => cx.error(
            Code::BadString,
            expr.span,
            "the name of a device has 1 to 15 bytes",
        ),
        None => Some(names),
    }
}

/// The chain that a command means.
pub(super) fn find(cx: &mut Context<'_>, table: TableId, word: Word) -> Option<ChainId> {
    let name = cx.text(word);
    if let Some(id) = cx.names.chain(table, name) {
        return Some(id);
    }
    let known: Vec<String> = cx
        .names
        .of(table)
        .map(|names| names.chains.keys().cloned().collect())
        .unwrap_or_default();
    cx.unknown(
        Code::UnknownChain,
        word.span,
        "chain",
        name,
        known.iter().map(String::as_str),
    )
}

/// Takes a chain out of use; its rules stay for printing.
pub(super) fn drop_chain(cx: &mut Context<'_>, id: ChainId) {
    if let Some(chain) = cx.ruleset.chains.get_mut(id.index()) {
        chain.deleted = true;
        chain.rules.clear();
    }
}

/// Removes a chain's rules.
pub(super) fn flush(cx: &mut Context<'_>, id: ChainId) {
    if let Some(chain) = cx.ruleset.chains.get_mut(id.index()) {
        chain.rules.clear();
    }
}

/// A chain without a name, written where it is jumped to.
pub(crate) fn inline_chain<'a>(check: &mut RuleCheck<'_, 'a>, body: &'a ChainBody) -> ChainId {
    let table = check.place.table;
    let number = check.cx.ruleset.chains.len();
    let id = add(
        check.cx,
        table,
        &format!("__chain{number}"),
        None,
        body.span,
    );
    super::command::chain_rules(check.cx, table, id, &body.items);
    id
}
