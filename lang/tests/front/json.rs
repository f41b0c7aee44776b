//! `json.txt`: JSON that is no ruleset, and what is said of it: what is wrong and where it stands in the JSON. All that is wrong, in one run.

use redan_lang::compile::{Options, analyze};
use redan_lang::diag::Diagnostic;
use redan_lang::json;
use redan_lang::parse::{NoLoader, add_bytes, parse};
use redan_lang::source::Sources;
use std::time::Duration;

use crate::hostile::now;
use crate::support;

/// Everything that is found in JSON, with its place in it.
fn findings(bytes: Vec<u8>) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let (given, mut found) = add_bytes(&mut sources, "test.json", bytes);
    let converted = json::convert(sources.whole(given));
    found.extend(converted.findings(given));
    if !found.iter().any(Diagnostic::is_error) {
        let root = sources.add("test.json", converted.text.as_str());
        let (mut file, mut more) = parse(&mut sources, root, &NoLoader, &[]);
        more.extend(analyze(&mut file, &sources, &Options::default()).diagnostics);
        converted.relocate(root, given, &mut more);
        found.extend(more);
    }
    found.sort_by_key(|finding| (finding.span().source, finding.span().start));
    (sources, found)
}

#[test]
fn faults_of_json_are_explained() {
    support::compare_cases("json.txt", |text| {
        let (sources, found) = findings(text.trim_end().as_bytes().to_vec());
        support::lines(&sources, &found)
    });
}

#[test]
fn rules_on_one_long_line_know_it() {
    let rule = "{\"rule\": {\"family\": \"ip\", \"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"accept\": null}]}}";
    let text = format!(
        "{{\"nftables\": [{{\"table\": {{\"family\": \"ip\", \"name\": \"t\"}}}},
        {{\"chain\": {{\"family\": \"ip\", \"table\": \"t\", \"name\": \"c\"}}}}, {}]}}",
        vec![rule; 10_000].join(", ")
    );
    let mut sources = Sources::new();
    let given = sources.add("test.json", text.as_str());
    let start = now();
    let converted = json::convert(&text);
    let root = sources.add("test.json", converted.text.as_str());
    let (mut file, _) = parse(&mut sources, root, &NoLoader, &[]);
    let mut ruleset = analyze(&mut file, &sources, &Options::default()).ruleset;
    converted.relocate_rules(&sources, root, given, &mut ruleset);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(ruleset.rules.len(), 10_000);
    assert!(ruleset.rules.iter().all(|rule| rule.origin.line == 2));
}

#[test]
fn odd_json_gets_a_quick_answer() {
    let listing = include_str!("../list/shapes.json");
    let many = |what: &str| format!("{{\"nftables\": [{}]}}", vec![what; 20_000].join(","));
    let members: Vec<String> = (0..50_000).map(|at| format!("\"k{at}\": 1")).collect();
    let mut texts: Vec<Vec<u8>> = vec![
        "[".repeat(1_000_000).into_bytes(),
        "{\"a\":".repeat(1_000_000).into_bytes(),
        many("5").into_bytes(),
        many("{\"add\": {\"rule\": {\"table\": \"t\", \"chain\": \"c\", \"expr\": [7]}}}")
            .into_bytes(),
        format!(
            "{{\"nftables\": [{{\"table\": {{{}}}}}]}}",
            members.join(",")
        )
        .into_bytes(),
        format!(
            "{{\"nftables\": [{{\"table\": {{\"name\": {}}}}}]}}",
            "9".repeat(1_000_000)
        )
        .into_bytes(),
        b"{\"nftables\": [{\"table\": {\"name\": \"\xff\xfe\"}}]}".to_vec(),
    ];
    // cut off in the middle, and a byte gone wrong
    for at in (0..listing.len()).step_by(331) {
        let bytes = listing.as_bytes();
        texts.push(bytes.iter().take(at).copied().collect());
        texts.push(
            bytes
                .iter()
                .enumerate()
                .map(|(place, byte)| byte ^ u8::from(place == at))
                .collect(),
        );
    }
    for text in texts {
        let len = text.len();
        let start = now();
        let (sources, found) = findings(text);
        // a debug build on a busy machine; what is looked for takes minutes
        assert!(start.elapsed() < Duration::from_secs(10), "{len} bytes");
        for label in found.iter().flat_map(|finding| &finding.labels) {
            let text = sources.whole(label.span.source);
            let range = label.span.start as usize..label.span.end as usize;
            assert!(text.get(range).is_some(), "{label:?} of {len} bytes");
        }
    }
}
