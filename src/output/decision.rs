//! Who decided about a frame, and why, in words.

use redan_runtime::Report;
use redan_vm::Ruleset;
use redan_vm::ids::{ChainId, FileId, RuleId};

/// The decision: the rule's place and chain, or the engine's reason.
pub(crate) fn describe(ruleset: &Ruleset, report: &Report) -> String {
    match (
        report.decision,
        report.policy.and_then(|policy| chain(ruleset, policy)),
        report.reason,
    ) {
        (Some(decision), _, _) => rule(ruleset, decision.rule),
        (None, Some(names), _) => format!("policy of {}", names.join(" ")),
        (None, None, Some(reason)) => reason.name().to_owned(),
        (None, None, None) => "no rule".to_owned(),
    }
}

/// `FILE:LINE (FAMILY TABLE CHAIN "comment")`.
pub(crate) fn rule(ruleset: &Ruleset, id: RuleId) -> String {
    let Some(rule) = ruleset.rules.get(id.index()) else {
        return "unknown rule".to_owned();
    };
    let chain = chain(ruleset, rule.chain).map_or_else(String::new, |[family, table, chain]| {
        format!("{family} {table} {chain}")
    });
    let comment = rule
        .comment
        .as_ref()
        .map(|comment| format!(" \"{comment}\""))
        .unwrap_or_default();
    format!(
        "{}:{} ({chain}{comment})",
        file(ruleset, rule.origin.file),
        rule.origin.line
    )
}

/// Family, table and chain by name.
pub(crate) fn chain(ruleset: &Ruleset, id: ChainId) -> Option<[&str; 3]> {
    let chain = ruleset.chains.get(id.index())?;
    let table = ruleset.tables.get(chain.table.index())?;
    Some([table.family.word(), &table.name, &chain.name])
}

/// A file's name.
pub(crate) fn file(ruleset: &Ruleset, id: FileId) -> &str {
    ruleset.files.get(id.index()).map_or("", String::as_str)
}
