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

/// The decision for a line of at most `most` characters, less and less of it: without the end of a comment, without the chain, and cut off.
pub(crate) fn describe_within(ruleset: &Ruleset, report: &Report, most: usize) -> String {
    let whole = describe(ruleset, report);
    if whole.chars().count() <= most {
        return whole;
    }
    let least = shortest(ruleset, report);
    let rule = (report.decision).and_then(|decision| ruleset.rules.get(decision.rule.index()));
    let Some(rule) = rule else {
        return cut(&least, most);
    };
    let names = chain(ruleset, rule.chain).map_or_else(String::new, |names| names.join(" "));
    let fixed = least.chars().count() + names.chars().count() + " ( \"\")".len();
    let comment = rule.comment.as_deref().unwrap_or_default();
    if !comment.is_empty() && most >= fixed + 4 {
        return format!("{least} ({names} \"{}\")", cut(comment, most - fixed));
    }
    let short = format!("{least} ({names})");
    if short.chars().count() <= most {
        return short;
    }
    // Of a path the end says more.
    let over = (least.chars().count() + 1).saturating_sub(most.max(1));
    if over <= 1 {
        return least;
    }
    let end: String = least.chars().skip(over).collect();
    format!("…{end}")
}

/// The least that says who decided: the rule's place, the chain whose policy it was, or the engine's reason.
pub(crate) fn shortest(ruleset: &Ruleset, report: &Report) -> String {
    let rule = (report.decision).and_then(|decision| ruleset.rules.get(decision.rule.index()));
    let policy = report.policy.and_then(|policy| chain(ruleset, policy));
    match (rule, policy) {
        (Some(rule), _) => format!("{}:{}", file(ruleset, rule.origin.file), rule.origin.line),
        (None, Some([_, _, chain])) => format!("policy of {chain}"),
        (None, None) => describe(ruleset, report),
    }
}

/// A text of at most `most` characters, the last of which says that it goes on.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
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
