//! The language's words.

use std::fmt::Write as _;

use redan_lang::token::{Kind, rows};

use crate::page::GENERATED;

/// Words of the token table, those that are reserved or those that are not.
fn words(soft: bool) -> Vec<&'static str> {
    let mut words: Vec<&str> = (0_u16..)
        .zip(rows())
        .filter(|(kind, row)| Kind(*kind).is_keyword() && row.soft == soft)
        .map(|(_, row)| row.text)
        .collect();
    words.sort_unstable();
    words
}

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str("# Words of the language\n\n## Reserved\n\nThese cannot be the name of a table, chain, set or object.\n\n");
    list(&mut out, &words(false));
    out.push_str("\n## Words with a meaning in their place\n\nThese may be names, too: a chain may be called `state`.\n\n");
    list(&mut out, &words(true));
    out
}

fn list(out: &mut String, words: &[&str]) {
    for (at, word) in words.iter().enumerate() {
        let comma = if at == 0 { "" } else { ",\n" };
        _ = write!(out, "{comma}`{word}`");
    }
    out.push_str(".\n");
}

/// Every word as a token of libFuzzer's dictionaries.
pub(crate) fn dictionary() -> String {
    let mut out = String::from("# Generated from the token table: cargo xtask docs\n");
    for word in words(false).into_iter().chain(words(true)) {
        _ = writeln!(out, "\" {word} \"");
    }
    out
}
