//! What makes a chain a base chain: its type, hook, devices and policy, and which of them go together.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::Context;
use super::command::{check_comment, define_in};
use super::context::every;
use super::priority::priority;
use crate::ast::{ChainBody, ChainItem, Expr, ExprKind, HookSpec};
use crate::diag::Code;
use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ruleset::{BaseChain, Policy};

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

/// Hook and policy of a chain's block: `None` where it is wrong, `Some(None)` where it has neither.
pub(super) fn base_chain(
    cx: &mut Context<'_>,
    family: Family,
    body: &ChainBody,
) -> Option<Option<(Option<BaseChain>, Option<Policy>)>> {
    let mut spec: Option<&HookSpec> = None;
    let mut policy = None;
    let mut policy_span = None;
    let mut devices: Option<&Expr> = None;
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
            ChainItem::Comment(comment) => check_comment(cx, *comment)?,
            ChainItem::Define(define) => define_in(cx, define),
            ChainItem::Rule(_) | ChainItem::Undefine(_) => {}
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
            let elements = lit.elements(cx.sources);
            every(elements.map(|element| device_names(cx, &element.key)))
                .map(|names| names.concat())
        }
        ExprKind::Str(text) => Some(vec![text.text(cx.sources).to_owned()]),
        ExprKind::List(items) | ExprKind::Concat(items) => {
            every(items.iter().map(|item| device_names(cx, item))).map(|names| names.concat())
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
