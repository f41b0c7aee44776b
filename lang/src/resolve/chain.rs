//! Chains: declaration, redeclaration, removal.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::Context;
use super::command::{chain_rules, check_name};
use super::hook::base_chain;
use crate::ast::{ChainBody, ChainItem, Verb, Word};
use crate::check::RuleCheck;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::typed::Numbered;
use redan_vm::ids::{ChainId, TableId};
use redan_vm::ruleset::{BaseChain, Chain, Policy};

/// Adds a chain, or changes what may be changed of one that exists.
pub(super) fn declare(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    body: Option<&ChainBody>,
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
    for item in body.map_or(&[][..], |body| body.items.as_slice()) {
        if let ChainItem::Comment(comment) = item {
            let text = comment.text(cx.sources).to_owned();
            cx.program.notes.chains.insert(id, text);
        }
    }
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
    let handles = &mut cx.program.notes.handles;
    handles.give(table, Numbered::Chain(id));
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
pub(crate) fn inline_chain(check: &mut RuleCheck<'_, '_>, body: &ChainBody) -> ChainId {
    let table = check.place.table;
    let number = check.cx.ruleset.chains.len();
    let id = add(
        check.cx,
        table,
        &format!("__chain{number}"),
        None,
        body.span,
    );
    chain_rules(check.cx, table, id, &body.items);
    id
}
