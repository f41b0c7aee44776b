//! What `redan translate iptables` makes of each match and target.

use std::fmt::Write as _;

use redan_lang::translate::iptables::{Family, GENERIC, How, Kind, Module, Opt, modules};

use crate::page::{GENERATED, cell};

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Translating iptables\n\n\
         What `redan translate iptables` makes of each option. *Exact*: nft says the same. *Approximated*: nearly the same; a warning says where, and a comment \
         stands above the rule. *Refused*: nft cannot say it; a warning says where, and the rule stands in the output as a comment. What is not in these \
         tables is refused, too. Values that nft cannot take are refused even where the option is exact, with the reason. [migrate.md](../migrate.md) says how \
         to go about it.\n\n## Options of every rule\n\n",
    );
    table(&mut out, GENERIC.iter());
    for (kind, title) in [(Kind::Match, "Matches"), (Kind::Target, "Targets")] {
        _ = write!(out, "\n## {title}\n");
        for module in modules().filter(|module| module.kind == kind) {
            section(&mut out, module);
        }
    }
    out
}

fn section(out: &mut String, module: &Module) {
    let only = match module.family {
        None => "",
        Some(Family::V4) => " (iptables)",
        Some(Family::V6) => " (ip6tables)",
    };
    _ = write!(out, "\n### {}{only}\n\n", module.names.join(", "));
    match module.how {
        How::Exact => {}
        How::Approximated(how) => _ = write!(out, "Approximated: {how}.\n\n"),
        How::Refused(why) => {
            _ = writeln!(out, "Refused: {why}.");
            return;
        }
    }
    if !module.nft.is_empty() {
        _ = writeln!(out, "Becomes {}.", module.nft);
        if !module.options.is_empty() {
            out.push('\n');
        }
    }
    if !module.options.is_empty() {
        table(out, module.options.iter());
    }
}

fn table<'a>(out: &mut String, options: impl Iterator<Item = &'a Opt>) {
    out.push_str("| option | how | becomes |\n|---|---|---|\n");
    for option in options {
        let how = match option.how {
            How::Exact => "exact".to_owned(),
            How::Approximated(how) => format!("approximated: {how}"),
            How::Refused(why) => format!("refused: {why}"),
        };
        let names: Vec<String> = option
            .names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        _ = writeln!(
            out,
            "| {} | {} | {} |",
            names.join(", "),
            cell(&how),
            cell(option.nft)
        );
    }
}
