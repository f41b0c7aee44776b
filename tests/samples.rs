//! The rulesets in `rules/`: formatted, without findings, accepted by nft, compiled as nft compiles them, and letting through what their tests say.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::{Need, has, project, redan};

/// The sample files that end so, by name.
fn samples(extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(project().join("rules")).expect("the folder of samples");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path: &PathBuf| path.extension().is_some_and(|its| its == extension))
        .filter_map(|path| Some(format!("rules/{}", path.file_name()?.to_str()?)))
        .collect();
    names.sort();
    assert!(names.len() >= 6, "{names:?}");
    names
}

fn run(arguments: &[&str], files: &[String], code: i32) -> support::Ran {
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(files.iter().map(String::as_str))
        .collect();
    redan(&project(), &arguments).ends_with(code)
}

#[test]
fn they_have_no_findings() {
    let ran = run(&["lint", "--deny", "warnings"], &samples("rules"), 0);
    assert_eq!(ran.stdout, "");
}

#[test]
fn they_are_formatted() {
    run(&["fmt", "--diff"], &samples("rules"), 0);
}

#[test]
fn they_let_through_what_their_tests_say() {
    assert_eq!(
        samples("test").len(),
        samples("rules").len(),
        "each has a test"
    );
    run(&["test"], &samples("test"), 0);
    run(&["test", "--engine", "interp"], &samples("test"), 0);
}

/// The instructions of nft's or redan's output: what an interface's number is depends on the machine.
fn instructions(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('['))
    {
        lines.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    lines
}

#[test]
fn nft_accepts_them_and_compiles_them_alike() {
    if !has(&[Need::Program("nft"), Need::Namespaces]) {
        return;
    }
    for sample in samples("rules") {
        let own = redan(&project(), &["compile", &sample]).ends_with(0);
        let nft = Command::new("unshare")
            .args(["-rn", "nft", "--debug=netlink", "-c", "-f", &sample])
            .current_dir(project())
            .output()
            .expect("unshare starts");
        assert!(
            nft.status.success(),
            "{sample}: {}",
            String::from_utf8_lossy(&nft.stderr)
        );
        assert_eq!(
            instructions(&own.stdout),
            instructions(&String::from_utf8_lossy(&nft.stdout)),
            "{sample}"
        );
    }
}
