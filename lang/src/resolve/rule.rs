//! Rules: where they go, and their way to bytecode.

#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::{Context, chain, command, handle};
use crate::ast::{self, RuleCommand, RulePosition, Verb};
use crate::check::{Place, RuleCheck};
use crate::diag::{Code, Diagnostic};
use crate::lower;
use crate::typed;
use redan_vm::ids::{ChainId, RuleId, TableId};
use redan_vm::ruleset::Rule;

/// A verb on a rule.
pub(super) fn command(cx: &mut Context<'_>, command: &RuleCommand) -> Option<()> {
    let table = command::table(cx, &command.table)?;
    let chain = chain::find(cx, table, command.chain)?;
    let position = position(cx, chain, command)?;
    match (command.verb, &command.rule) {
        (Verb::Add | Verb::Create, Some(rule)) => {
            add(cx, table, chain, rule, At::index(position.map(|at| at + 1)))
        }
        (Verb::Insert, Some(rule)) => {
            let at = At::index(Some(position.unwrap_or(0)));
            add(cx, table, chain, rule, at)
        }
        (Verb::Replace, Some(rule)) => {
            let index = position.unwrap_or(0);
            let handle = remove(cx, chain, index);
            let at = At {
                index: Some(index),
                handle,
            };
            add(cx, table, chain, rule, at)
        }
        (Verb::Delete | Verb::Destroy, _) => {
            if let Some(at) = position {
                remove(cx, chain, at);
            }
            Some(())
        }
        (Verb::Add | Verb::Create | Verb::Insert | Verb::Replace, None) => cx.error(
            Code::BadDeclaration,
            command.chain.span,
            "a rule is missing",
        ),
    }
}

/// The index of the rule that a position names.
fn position(cx: &mut Context<'_>, chain: ChainId, command: &RuleCommand) -> Option<Option<usize>> {
    let len = cx
        .ruleset
        .chains
        .get(chain.index())
        .map_or(0, |chain| chain.rules.len());
    match command.position {
        None => Some(None),
        Some(RulePosition::Index(number)) => match usize::try_from(number.value) {
            Ok(at) if at < len => Some(Some(at)),
            _ => cx.error(
                Code::ValueOutOfRange,
                number.span,
                format!("the chain has {len} rules; the index counts from 0"),
            ),
        },
        Some(RulePosition::Handle(number) | RulePosition::Position(number)) => {
            handle::rule(cx, chain, number).map(Some)
        }
    }
}

/// Takes a rule out of its chain; its handle.
fn remove(cx: &mut Context<'_>, chain: ChainId, at: usize) -> Option<u64> {
    let chain = cx.ruleset.chains.get_mut(chain.index())?;
    let id = (at < chain.rules.len()).then(|| chain.rules.remove(at))?;
    Some(cx.program.rules.get(id.index())?.handle)
}

/// Where a rule goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    /// Its index in the chain; the end where there is none.
    index: Option<usize>,
    /// The handle that it takes over; the next where there is none.
    handle: Option<u64>,
}

impl At {
    /// A place of its own.
    fn index(index: Option<usize>) -> Self {
        Self {
            index,
            handle: None,
        }
    }
}

/// The statement for which a rule cannot be compiled although nft lists it: nft knows no more than its name.
fn passed_over(rule: &ast::Rule) -> Option<&ast::Stmt> {
    let mut stmts = rule.stmts.iter();
    stmts.find(|stmt| matches!(stmt.kind, ast::StmtKind::Xt(_)))
}

/// Types and compiles a rule, and puts it into its chain.
pub(super) fn add(
    cx: &mut Context<'_>,
    table: TableId,
    chain: ChainId,
    rule: &ast::Rule,
    at: At,
) -> Option<()> {
    if let Some(stmt) = passed_over(rule) {
        let handle = at.handle;
        handle.unwrap_or_else(|| cx.program.notes.handles.next(table));
        cx.program.passed_over.insert(table);
        cx.report(
            Diagnostic::new(
                Code::ForeignRule,
                stmt.span,
                format!(
                    "`{}` says not what it does: the rule is passed over",
                    cx.sources.text(stmt.span)
                ),
            )
            .help("it is of iptables: list it with `iptables-save`, translate it with `iptables-translate`"),
        );
        return Some(());
    }
    let place = place(cx, table, chain)?;
    let family = place.family;
    let origin = cx.origin(rule.span);
    let mut check = RuleCheck::new(cx, place);
    let sound = check.rule(rule);
    let (stmts, sets) = (check.stmts, check.sets);
    let handles = &mut cx.program.notes.handles;
    let handle = at.handle.unwrap_or_else(|| handles.next(table));
    sound?;
    let code = match lower::rule(&stmts, &cx.program.sets, family, cx.options.peephole) {
        Ok(code) => code,
        Err(error) => return cx.error(Code::UnsupportedYet, error.span, error.message),
    };
    let id = RuleId(u32::try_from(cx.ruleset.rules.len()).unwrap_or(u32::MAX));
    let comment = rule
        .comment
        .map(|comment| comment.text(cx.sources).to_owned());
    cx.ruleset.rules.push(Rule {
        chain,
        code,
        origin,
        comment,
        sets,
    });
    let stmts = if cx.options.keep_rules {
        stmts
    } else {
        Vec::new()
    };
    cx.program.rules.push(typed::Rule {
        id,
        chain,
        handle,
        span: rule.span,
        stmts,
    });
    let rules = &mut cx.ruleset.chains.get_mut(chain.index())?.rules;
    match at.index {
        Some(at) if at <= rules.len() => rules.insert(at, id),
        _ => rules.push(id),
    }
    Some(())
}

fn place(cx: &Context<'_>, table: TableId, chain: ChainId) -> Option<Place> {
    let found = cx.ruleset.tables.get(table.index())?;
    let base = cx.ruleset.chains.get(chain.index())?.base.as_ref();
    Some(Place {
        table,
        family: found.family,
        base: base.map(|base| (base.chain_type, base.hook)),
    })
}
