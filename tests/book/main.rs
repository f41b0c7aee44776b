//! The generated pages of the book: each is made from the tables that the code itself reads, and a page that differs from its tables fails
//! its test. `cargo xtask docs` writes them anew.
//!
//! Examples are compiled while pages are made, so that what the book shows is what redan does.

#![expect(
    clippy::expect_used,
    clippy::unwrap_in_result,
    clippy::wildcard_enum_match_arm,
    clippy::format_collect,
    reason = "a test fails by panicking; a page says something special about few rows of a table and the same of all others"
)]

mod chains;
mod code;
mod fields;
mod keys;
mod lints;
mod options;
mod page;
mod reasons;
mod settings;
mod statements;
mod translate;
mod types;
mod words;

use page::check;

#[test]
fn fields_of_headers() {
    check("reference/fields.md", &fields::page());
}

#[test]
fn extension_headers_and_options() {
    check("reference/options.md", &options::page());
}

#[test]
fn keys_of_meta_and_ct() {
    check("reference/keys.md", &keys::page());
}

#[test]
fn data_types() {
    check("reference/types.md", &types::page());
}

#[test]
fn statement_list() {
    check("reference/statements.md", &statements::page());
}

#[test]
fn families_hooks_and_priorities() {
    check("reference/chains.md", &chains::page());
}

#[test]
fn reserved_words() {
    check("reference/words.md", &words::page());
}

#[test]
fn findings() {
    check("reference/lints.md", &lints::page());
}

#[test]
fn conntrack_settings() {
    check("reference/settings.md", &settings::page());
}

#[test]
fn verdicts_and_reasons() {
    check("reference/reasons.md", &reasons::page());
}

#[test]
fn translation_of_iptables() {
    check("reference/iptables.md", &translate::page());
}

#[test]
fn dictionary_of_the_fuzz_targets() {
    check("../fuzz/rules.dict", &words::dictionary());
}

/// Rule text in hand-written pages, in blocks that say `nft`, compiles.
#[test]
fn rules_in_pages() {
    let mut blocks = 0;
    for page in page::hand_written() {
        let text = page::read(&page);
        for block in text.split("```nft\n").skip(1) {
            let rules = block.split("```").next().unwrap_or_default();
            if let Err(findings) = code::compile(rules) {
                panic!("{page}:\n{rules}\n{findings}");
            }
            blocks += 1;
        }
    }
    assert!(blocks >= 5, "{blocks} blocks of rules only");
}
