//! Listings and JSON: `list/*.rules` with what nft 1.0.6 lists (`.list`) and prints as JSON (`.json`, without handles) beside them, and the way back.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use redan_lang::compile::{Compiled, Options, analyze};
use redan_lang::diag::Diagnostic;
use redan_lang::json;
use redan_lang::list::{list, print};
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;
use std::path::{Path, PathBuf};

fn read(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/list");
    std::fs::read_to_string(path.join(name)).unwrap()
}

fn compiled(text: &str) -> Compiled {
    let mut sources = Sources::new();
    let root = sources.add("test.rules", text);
    let (mut file, mut found) = parse(&mut sources, root, &NoLoader, &[]);
    let compiled = analyze(&mut file, &sources, &Options::default());
    found.extend(compiled.diagnostics.iter().cloned());
    let errors: Vec<&Diagnostic> = found.iter().filter(|finding| finding.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    compiled
}

#[test]
fn rules_are_listed_as_nft_lists_them() {
    let listing = list(&compiled(&read("gateway.rules")));
    assert_eq!(print(&listing), read("gateway.list"));
}

#[test]
fn json_is_as_nft_prints_it() {
    let listing = list(&compiled(&read("gateway.rules")));
    let want: serde_json::Value = serde_json::from_str(&read("gateway.json")).unwrap();
    assert_eq!(json::emit(&listing), want);
}

#[test]
fn json_means_the_same_as_rules() {
    let converted = json::convert(&read("gateway.json"));
    assert_eq!(
        print(&list(&compiled(&converted.text))),
        read("gateway.list")
    );
    assert_eq!(
        print(&list(&compiled(&read("gateway.list")))),
        read("gateway.list")
    );
}

#[test]
fn faults_of_json_have_places() {
    let check = |text: &str, at: &str, message: &str| {
        let mut sources = Sources::new();
        let id = sources.add("test.json", text);
        let found = json::convert(text).findings(id);
        let finding = found.first().unwrap();
        assert_eq!(sources.text(finding.span()), at, "{text}");
        assert!(finding.message.contains(message), "{}", finding.message);
    };
    check("{\"nftables\": [}", "}", "JSON value");
    check("{\"nftables\": 5}", "5", "array");
    check(
        "{\"rules\": []}",
        "{\"rules\": []}",
        "`nftables` is missing",
    );
    check(
        "{\"nftables\": [{\"table\": {\"family\": \"ip\"}}]}",
        "{\"family\": \"ip\"}",
        "`name` is missing",
    );
    check(
        "{\"nftables\": [{\"rule\": {\"family\": \"ip\", \"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"magic\": 1}]}}]}",
        "{\"magic\": 1}",
        "unknown statement",
    );
}

#[test]
fn findings_in_converted_rules_point_into_the_json() {
    let text = "{\"nftables\": [{\"table\": {\"family\": \"ip\", \"name\": \"t\"}}, {\"chain\": {\"family\": \"ip\", \"table\": \"t\", \"name\": \"c\"}}, {\"rule\": {\"family\": \"ip\", \"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"jump\": {\"target\": \"nowhere\"}}]}}]}";
    let mut sources = Sources::new();
    let given = sources.add("test.json", text);
    let converted = json::convert(text);
    let root = sources.add("test.json", converted.text.as_str());
    let (mut file, _) = parse(&mut sources, root, &NoLoader, &[]);
    let mut found = analyze(&mut file, &sources, &Options::default()).diagnostics;
    converted.relocate(root, given, &mut found);
    let finding = found.first().unwrap();
    assert_eq!(finding.span().source, given);
    assert_eq!(sources.text(finding.span()), "\"nowhere\"");
}
