//! Listings and JSON: `list/*.rules` with what nft 1.0.6 lists (`.list`), lists with handles (`.numbered`) and prints as JSON (`.json`)
//! beside them, and the way back.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use redan_lang::compile::{Compiled, Options, analyze};
use redan_lang::diag::Diagnostic;
use redan_lang::json;
use redan_lang::list::{list, print, print_numbered};
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

/// Rulesets with what nft makes of them beside; of tunnels, which nft 1.0.6 does not know, what nft 1.1.6 is told to make.
const CASES: &[&str] = &["gateway", "shapes", "tunnels"];

/// What nft 1.0.6 leaves out of sets. (It also leaves the family out of `ct original ip saddr` in tables of both, and cannot read that.)
const OWN: &[&str] = &["auto-merge", "dynamic", "typeof", "timeout-ms"];

fn compile(name: &str) -> Compiled {
    compiled(&read(&format!("{name}.rules")))
}

#[test]
fn rules_are_listed_as_nft_lists_them() {
    for name in CASES {
        let listing = list(&compile(name));
        assert_eq!(print(&listing), read(&format!("{name}.list")));
        assert_eq!(
            print_numbered(&listing),
            read(&format!("{name}.numbered")),
            "{name}: handles"
        );
    }
}

#[test]
fn hours_and_dates_are_listed_in_local_time() {
    let text = "table ip t {\n\tcomment \"where\"\n\tchain c {\n\t\tmeta hour \"01:00\"-\"17:30\" accept\n\t\tmeta time \"2026-01-31 00:30:00\" accept\n\t}\n}\n";
    let mut sources = Sources::new();
    let root = sources.add("test.rules", text);
    let (mut file, _) = parse(&mut sources, root, &NoLoader, &[]);
    for utc_offset_secs in [0, 3600, -3600] {
        let options = Options {
            clock: redan_lang::datatype::Clock::fixed(utc_offset_secs),
            ..Options::default()
        };
        let compiled = analyze(&mut file, &sources, &options);
        assert_eq!(print(&list(&compiled)), text);
    }
}

#[test]
fn json_is_as_nft_prints_it() {
    for name in CASES {
        let text = read(&format!("{name}.json"));
        let want: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut found = json::emit(&list(&compile(name)));
        for set in found["nftables"].as_array_mut().unwrap() {
            let members = set.as_object_mut().unwrap();
            for (_, set) in members
                .iter_mut()
                .filter(|(word, _)| matches!(word.as_str(), "set" | "map"))
            {
                let set = set.as_object_mut().unwrap();
                for own in OWN {
                    set.remove(*own);
                }
            }
        }
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn json_means_the_same_as_rules() {
    for name in CASES {
        let listing = read(&format!("{name}.list"));
        let written = json::emit(&list(&compile(name))).to_string();
        let converted = json::convert(&written);
        assert_eq!(print(&list(&compiled(&converted.text))), listing, "{name}");
        assert_eq!(print(&list(&compiled(&listing))), listing, "{name}");
    }
    let nft = json::convert(&read("gateway.json"));
    assert_eq!(print(&list(&compiled(&nft.text))), read("gateway.list"));
}

#[test]
fn what_came_after_nft_1_0_6_is_listed() {
    let text = "table inet t {\n\tflags dormant,owner,persist\n\n\tsecmark web {\n\t\t\"system_u\"\n\t}\n\n\tset s {\n\t\ttype ipv4_addr\n\t\ttimeout 1m\n\t\telements = { 192.0.2.1 timeout never, 192.0.2.2 }\n\t}\n\n\tset m {\n\t\ttypeof tcp option mptcp subtype\n\t\telements = { mp-join,\n\t\t\t     dss }\n\t}\n\n\tset f {\n\t\ttypeof ip saddr . tcp dport\n\t}\n\n\tmap q {\n\t\ttypeof ip saddr . tcp dport : queue\n\t\telements = { 192.0.2.1 . 22 : 7 }\n\t}\n\n\tchain c {\n\t\tip saddr . 22 @f accept\n\t\texthdr ah exists\n\t\tmeta secmark set \"web\"\n\t\tqueue to ip saddr . tcp dport map @q\n\t}\n}\n";
    let listing = list(&compiled(text));
    assert_eq!(print(&listing), text);
    let written = json::emit(&listing).to_string();
    assert_eq!(print(&list(&compiled(&json::convert(&written).text))), text);
}

#[test]
fn rules_without_statements_are_read_from_json() {
    let rule = |more: &str| {
        format!("{{\"rule\": {{\"family\": \"ip\", \"table\": \"t\", \"chain\": \"c\"{more}}}}}")
    };
    let text = format!(
        "{{\"nftables\": [{{\"table\": {{\"family\": \"ip\", \"name\": \"t\"}}}}, {{\"chain\": {{\"family\": \"ip\", \"table\": \"t\", \"name\": \"c\"}}}}, {}, {}, {}]}}",
        rule(""),
        rule(", \"comment\": \"a remark\""),
        rule(", \"expr\": []"),
    );
    let converted = json::convert(&text);
    let listing = list(&compiled(&converted.text));
    assert_eq!(
        print(&listing),
        "table ip t {\n\tchain c {\n\t\t# a remark\n\t}\n}\n"
    );
    let written = json::emit(&listing).to_string();
    let again = list(&compiled(&json::convert(&written).text));
    assert_eq!(json::emit(&again).to_string(), written);
    assert_eq!(written.matches("\"rule\"").count(), 3);
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
