//! Errors and lints.

use std::fmt::Write as _;

use redan_lang::diag::{Code, Level};

use crate::page::{GENERATED, capital, clause};

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Errors and lints\n\n\
         What `redan lint` may say of a ruleset; `redan lint --explain CODE` prints these texts. Codes with E are about text that is no ruleset: \
         nothing runs until they are gone. Codes with L are about rulesets that load and hardly do what was meant. Codes with T are what \
         `redan translate` says of its input. A code never changes its meaning.\n\n\
         | code | name | level |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let info = code.info();
        let anchor = info.code.to_lowercase() + "-" + info.name;
        _ = writeln!(
            out,
            "| [{}](#{anchor}) | {} | {} |",
            info.code,
            info.name,
            info.level.name()
        );
    }
    for code in Code::ALL {
        let info = code.info();
        _ = write!(out, "\n## {} {}\n", info.code, info.name);
        for line in info.explanation.lines() {
            match line.split_once(": ") {
                Some(("What it does", text)) => {
                    let is = if info.level == Level::Info {
                        "Note"
                    } else {
                        info.level.name()
                    };
                    _ = write!(out, "\n{}: {}.\n", capital(is), clause(text));
                }
                Some((head, text)) => _ = write!(out, "\n*{head}*: {text}\n"),
                None => _ = write!(out, "\n{line}\n"),
            }
        }
    }
    out
}
