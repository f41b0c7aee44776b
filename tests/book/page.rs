//! Pages as files, and the Markdown that several of them need.

use std::path::{Path, PathBuf};

/// What stands first in a generated page.
pub(crate) const GENERATED: &str =
    "<!-- Generated from the code's tables: cargo xtask docs -->\n\n";

fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page)
}

/// The page as it is.
pub(crate) fn read(page: &str) -> String {
    std::fs::read_to_string(path(page)).unwrap_or_default()
}

/// Pages that people write.
pub(crate) fn hand_written() -> Vec<String> {
    let entries = std::fs::read_dir(path("")).expect("docs/ is there");
    let mut pages: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .collect();
    pages.sort();
    pages
}

/// Compares a page with what it should be, or writes it where `UPDATE_EXPECT` is set.
pub(crate) fn check(page: &str, wanted: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path(page), wanted).expect("the page can be written");
        return;
    }
    let is = read(page);
    let different = is
        .lines()
        .chain(["(end)"])
        .zip(wanted.lines().chain(["(end)"]))
        .find(|(is, wanted)| is != wanted);
    if let Some((is, wanted)) = different {
        panic!(
            "docs/{page} is stale: it has\n  {is}\nwhere the tables have\n  {wanted}\n`cargo xtask docs` writes it anew"
        );
    }
}

/// Text in a table's cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Code in a table's cell or a line of text; nothing for no code.
pub(crate) fn inline(code: &str) -> String {
    if code.is_empty() {
        String::new()
    } else {
        format!("`{}`", cell(code))
    }
}

/// A sentence without its full stop, for a cell of a table.
pub(crate) fn clause(sentence: &str) -> String {
    let text = links_plain(sentence);
    let text = text.strip_suffix('.').unwrap_or(&text);
    text.to_owned()
}

/// Rustdoc's links as plain code; those in parentheses of their own are for readers of the code.
pub(crate) fn links_plain(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(at) = text.find(" ([`")
        && let Some(end) = text.get(at..).and_then(|rest| rest.find("`])"))
    {
        text.replace_range(at..at + end + "`])".len(), "");
    }
    text.replace("[`", "`").replace("`]", "`")
}

/// The word or sentence with a capital at its start.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}
