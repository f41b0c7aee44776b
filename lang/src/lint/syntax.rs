//! Walks over the syntax tree that lints of ways of writing share.

use crate::ast::{ChainItem, CommandKind, File, Match, Rule, StmtKind, TableItemKind};
use crate::source::Sources;

/// Every rule of a file with the word of its table's family (`ip` where none is written).
pub(super) fn rules<'a>(
    file: &'a File,
    sources: &'a Sources,
    mut visit: impl FnMut(&'a str, &'a Rule),
) {
    for command in &file.commands {
        match &command.kind {
            CommandKind::Rule(rule) => {
                let family = rule.table.family.map_or("ip", |word| word.text(sources));
                rule.rule.iter().for_each(|rule| visit(family, rule));
            }
            CommandKind::Chain(chain) => {
                let family = chain.table.family.map_or("ip", |word| word.text(sources));
                chain_rules(
                    chain.body.as_ref().map_or(&[][..], |body| &body.items),
                    family,
                    &mut visit,
                );
            }
            CommandKind::Table(table) => {
                let family = table.family.map_or("ip", |word| word.text(sources));
                for item in table.body.iter().flatten() {
                    if let TableItemKind::Chain(chain) = &item.kind {
                        chain_rules(&chain.body.items, family, &mut visit);
                    }
                }
            }
            _ => {}
        }
    }
}

fn chain_rules<'a>(
    items: &'a [ChainItem],
    family: &'a str,
    visit: &mut impl FnMut(&'a str, &'a Rule),
) {
    for item in items {
        if let ChainItem::Rule(rule) = item {
            visit(family, rule);
        }
    }
}

/// The matches of a rule.
pub(super) fn matches(rule: &Rule) -> impl Iterator<Item = &Match> {
    rule.stmts.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Match(m) => Some(&**m),
        _ => None,
    })
}
