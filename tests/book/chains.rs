//! Families, hooks, chain types, named priorities.

use std::fmt::Write as _;

use redan_lang::{hooks, named_priorities};
use redan_vm::family::{ChainType, Family, Hook};

use crate::page::{GENERATED, clause};

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str("# Families, hooks, priorities\n\n## Families\n\nA table has a family, which says which packets its chains see.\n\n");
    out.push_str("| family | sees | hooks |\n|---|---|---|\n");
    for &family in Family::ALL {
        let hooks: Vec<&str> = hooks(family).iter().map(|hook| hook.word()).collect();
        _ = writeln!(
            out,
            "| `{family}` | {} | {} |",
            clause(family.doc()),
            hooks.join(", ")
        );
    }
    out.push_str("\n## Hooks\n\n| hook | where |\n|---|---|\n");
    for &hook in Hook::ALL {
        _ = writeln!(out, "| `{hook}` | {} |", clause(hook.doc()));
    }
    out.push_str("\n## Types of chains\n\n| type | what |\n|---|---|\n");
    for &kind in ChainType::ALL {
        _ = writeln!(out, "| `{kind}` | {} |", clause(kind.doc()));
    }
    out.push_str(
        "\n## Priorities\n\nChains at one hook run from the lowest priority to the highest. A name may have an offset: `priority filter - 5`.\n\n\
         | family | name | priority | at |\n|---|---|---|---|\n",
    );
    for &family in Family::ALL {
        for (name, priority, at) in named_priorities(family) {
            let at: Vec<&str> = at.iter().map(|hook| hook.word()).collect();
            let at = if at.is_empty() {
                "every hook".to_owned()
            } else {
                at.join(", ")
            };
            _ = writeln!(out, "| `{family}` | `{name}` | {priority} | {at} |");
        }
    }
    out
}
