//! Rules of other programs and what they become: pairs of files. `UPDATE_EXPECT=1` writes the second of each anew.
//!
//! Beside the text, each translation must compile, have no finding of the lints that is an error but those that its input deserves, and stay as it is when it
//! is formatted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use redan_lang::compile::{self, Options};
use redan_lang::diag::Diagnostic;
use redan_lang::fmt::fmt;
use redan_lang::parse::{self, NoLoader};
use redan_lang::source::Sources;
use redan_lang::translate::networkpolicy::evaluate::{End, connection};
use redan_lang::translate::networkpolicy::{Model, Protocol};
use redan_lang::translate::{iptables, networkpolicy};

/// The files of a folder that have one of these endings, sorted.
fn inputs(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/translate")
        .join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|end| endings.iter().any(|known| end == *known))
    });
    files.sort();
    assert!(files.len() > 5, "{} files only", files.len());
    files
}

/// Compares a text with that of a file, or writes the file where `UPDATE_EXPECT` is set.
fn check(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, text).expect("the file can be written");
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, wanted, "{}", path.display());
}

/// Findings, a line each.
fn list(findings: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for finding in findings {
        let at = sources.position(finding.span().source, finding.span().start);
        let (code, level) = (finding.code.info().code, finding.level.name());
        _ = writeln!(
            out,
            "{}:{} {level} {code} {}",
            at.line, at.column, finding.message
        );
    }
    out
}

/// Whether the rules compile, and formatting leaves them as they are.
fn is_sound(name: &str, rules: &str) {
    let mut sources = Sources::new();
    let root = sources.add(name, rules);
    let (file, mut findings) = parse::parse(&mut sources, root, &NoLoader, &[]);
    let (_, more) = compile::compile(file, &sources, &Options::default());
    findings.extend(more);
    findings.retain(Diagnostic::is_error);
    assert!(
        findings.is_empty(),
        "{name}:\n{rules}\n{}",
        list(&findings, &sources)
    );
    let (formatted, _) = fmt(&mut Sources::new(), name, rules);
    assert_eq!(formatted, rules, "{name}: not in the form of `redan fmt`");
}

#[test]
fn iptables_becomes_nft() {
    for path in inputs("iptables", &["save", "sh"]) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let bytes = std::fs::read(&path).expect("the input can be read");
        let mut sources = Sources::new();
        let id = sources.add(name.clone(), String::from_utf8_lossy(&bytes));
        let done = iptables::translate(&sources, &[id], iptables::Options::default());
        let text = done.text.unwrap_or_default();
        if !text.is_empty() {
            is_sound(&name, &text);
        }
        check(&path.with_extension("rules"), &text);
        check(
            &path.with_extension("findings"),
            &list(&done.findings, &sources),
        );
    }
}

/// Files whose name begins so have errors, and no translation.
const BAD: &str = "bad-";

#[test]
fn network_policies_become_nft() {
    for path in inputs("networkpolicy", &["yaml", "json"]) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let mut sources = Sources::new();
        let text = std::fs::read_to_string(&path).expect("the input can be read");
        let id = sources.add(name.clone(), text);
        let options = networkpolicy::Options {
            explain: true,
            placeholders: false,
        };
        let done = networkpolicy::translate(&sources, &[id], &[], options);
        check(
            &path.with_extension("findings"),
            &list(&done.findings, &sources),
        );
        assert_eq!(done.text.is_none(), name.starts_with(BAD), "{name}");
        if let Some(text) = done.text {
            is_sound(&name, &text);
            check(&path.with_extension("rules"), &text);
            check(
                &path.with_extension("connections"),
                &done.model.connections(),
            );
            passes_what_policies_allow(&name, &text, &done.model);
        }
    }
}

/// Ports at which the policies of the fixtures begin or end, their neighbours, and a few that no policy names.
const PORTS: [u16; 14] = [
    1, 52, 53, 80, 443, 5999, 6000, 6010, 6011, 8079, 8080, 9100, 36412, 65535,
];

/// Hosts that are no pods: in a block of a policy, in what it leaves out, and elsewhere.
const OUTSIDE: [&str; 6] = [
    "192.0.2.5",
    "192.0.2.200",
    "198.51.100.7",
    "203.0.113.9",
    "2001:db8:1::7",
    "2001:db8:ffff::9",
];

/// Sends packets between all pods and hosts through the rules: they pass where the API's definition lets them pass.
fn passes_what_policies_allow(name: &str, rules: &str, model: &Model) {
    let pods = model.addresses().map(|(pod, address)| End {
        pod: Some(pod),
        address: Some(address),
    });
    let outside = OUTSIDE.iter().map(|address| End {
        pod: None,
        address: Some(address.parse().expect("an address")),
    });
    let ends: Vec<End> = pods.chain(outside).collect();
    let bracketed = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let mut test = String::new();
    for end in &ends {
        let address = end.address.expect("each has one");
        _ = writeln!(test, "host {address} pods0");
    }
    for from in &ends {
        for to in ends
            .iter()
            .filter(|to| to.pod.is_none() || to.pod != from.pod)
        {
            let (Some(source), Some(target)) = (from.address, to.address) else {
                continue;
            };
            if source.is_ipv4() != target.is_ipv4() || source == target {
                continue;
            }
            let allowed = connection(model, *from, *to);
            // Lines of a test make no SCTP packets with ports.
            for (protocol, word) in [(Protocol::Tcp, "tcp"), (Protocol::Udp, "udp")] {
                for port in PORTS {
                    let verdict = if allowed.allows(Some(protocol), port) {
                        "accept"
                    } else {
                        "drop"
                    };
                    let (source, target) = (bracketed(source), bracketed(target));
                    _ = writeln!(
                        test,
                        "{word} {source}:40000 > {target}:{port} in pods0 => {verdict}"
                    );
                }
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |end: &str| folder.path().join(format!("policies.{end}"));
    std::fs::write(path("rules"), rules).expect("the rules can be written");
    std::fs::write(path("test"), &test).expect("the test can be written");
    let done = Command::new(env!("CARGO_BIN_EXE_redan"))
        .arg("test")
        .arg(path("test"))
        .output()
        .expect("the command can be run");
    let said = String::from_utf8_lossy(&done.stdout);
    let faults = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{name}: {said}{faults}");
}

/// What the command says of some input: exit code, stdout, stderr.
fn command(args: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_redan"))
        .args(["translate", "networkpolicy"])
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate/networkpolicy"))
        .output()
        .expect("the command can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn faulty_policies_are_refused_with_their_place() {
    for (file, place) in [
        ("bad-garbage.yaml", "bad-garbage.yaml:3:1"),
        ("bad-kind.yaml", "bad-kind.yaml:2:7"),
        ("bad-field.yaml", "bad-field.yaml:5:3"),
    ] {
        for args in [&[file][..], &["--connections", file][..]] {
            let (code, stdout, stderr) = command(args);
            assert_eq!((code, stdout.as_str()), (Some(1), ""), "{file}: {stderr}");
            assert!(stderr.contains(place), "{file}: {stderr}");
        }
    }
}

#[test]
fn a_folder_is_read_with_all_below_it() {
    let (code, stdout, stderr) = command(&["--connections", "cluster"]);
    assert_eq!(code, Some(0), "{stderr}");
    check(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/translate/networkpolicy/cluster.connections"),
        &stdout,
    );
    let (code, _, stderr) = command(&["--deny", "warnings", "cluster"]);
    assert_eq!(code, Some(1), "pods have no address: {stderr}");
    let (code, stdout, _) = command(&["--placeholders", "--deny", "warnings", "cluster"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("198.18.0.1"), "{stdout}");
}
