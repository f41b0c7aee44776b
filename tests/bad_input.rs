//! What bad input gets: a message that names file, place and remedy, the right exit code, no panic, nothing half-written.

mod support;

use support::frames::{SITE, capture};
use support::{Ran, folder, redan, redan_with_stdin};

const RULES: &[u8] = b"table inet t {\n\tchain c {\n\t\ttype filter hook forward priority 0; policy accept;\n\t}\n}\n";

fn check(files: &[(&str, &[u8])], arguments: &[&str], code: i32, said: &[&str]) -> Ran {
    let folder = folder(files);
    let ran = redan(folder.path(), arguments).ends_with(code);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    for word in said {
        assert!(all.contains(word), "{arguments:?}: no {word:?} in:\n{all}");
    }
    assert!(!all.contains("panicked"), "{arguments:?}:\n{all}");
    ran
}

#[test]
fn files_that_cannot_be_read() {
    for command in ["lint", "fmt", "compile"] {
        check(
            &[],
            &[command, "missing.rules"],
            2,
            &["cannot read missing.rules", "No such file"],
        );
        check(&[], &[command, "."], 2, &["directory"]);
    }
    check(
        &[("r", RULES)],
        &["replay", "r", "missing.pcap"],
        2,
        &["cannot read missing.pcap"],
    );
    check(&[("r", RULES)], &["replay", "-", "-"], 2, &["stdin"]);
}

#[test]
fn a_file_that_cannot_be_read_does_not_cost_the_others_their_turn() {
    let faulty = b"table inet t {\n\tchain c {\n\t\tacept\n\t}\n}\n";
    let ugly = b"table inet t { chain c { accept; } }\n";
    let files: &[(&str, &[u8])] = &[
        ("faulty", faulty),
        ("ugly", ugly),
        ("t.rules", RULES),
        (
            "t.toml",
            b"mode = \"wire\"\n[[port]]\nname = \"a\"\n[[port]]\nname = \"b\"\n",
        ),
        (
            "t.test",
            b"\xef\xbb\xbfudp 10.0.0.1:1 > 10.0.0.2:2 in a => accept\n",
        ),
        ("u.test", b"nonsense\n"),
    ];
    let missing = "cannot read missing";
    check(
        files,
        &["lint", "missing", "faulty"],
        2,
        &[missing, "acept", "1 file:"],
    );
    check(
        files,
        &["fmt", "--check", "missing", "ugly"],
        2,
        &[missing, "ugly\n"],
    );
    let said = &[missing, "u.test:1:1: ", "t.test: ok, 1 of 1"];
    check(files, &["test", "missing", "u.test", "t.test"], 2, said);
}

#[test]
fn json_is_not_formatted() {
    let said = &["x.json is JSON", "redan list"];
    check(
        &[("x.json", b"{\"nftables\":[]}")],
        &["fmt", "x.json"],
        2,
        said,
    );
    let marked = b"\xef\xbb\xbf{\"nftables\":[]}";
    check(&[("x", marked)], &["fmt", "x"], 2, &["x is JSON"]);
    check(&[("x", marked)], &["lint", "x"], 0, &["0 errors"]);
}

#[test]
fn wrong_usage() {
    check(&[], &[], 2, &["Usage"]);
    check(&[], &["lint"], 2, &["FILE"]);
    check(&[], &["lint", "--format", "xml", "x"], 2, &["xml"]);
    check(&[], &["lint", "--explain", "L999"], 2, &["L999"]);
    check(
        &[("r", RULES)],
        &["compile", "--emit", "plan", "r"],
        2,
        &["not supported yet"],
    );
    check(&[("r", RULES)], &["run", "r"], 2, &["--site"]);
}

#[test]
fn rules_that_are_no_rules() {
    let deep = "{".repeat(10_000);
    let cases: &[(&[u8], &str)] = &[
        (b"table inet t {\n\tchain c { \xff }\n}\n", "r:2"),
        (deep.as_bytes(), "r:1"),
        (b"include \"r\"\n", "r:1"),
        (b"\0\0\0\0", "r:1"),
        (b"table inet t {\n\tchain c {\n", "r:"),
        (b"add rule", "r:1"),
        (b"table ip t {\n\tcomment \"a\0b\"\n}\n", "r:2"),
    ];
    for (rules, place) in cases {
        for command in [
            &["lint", "r"][..],
            &["compile", "r"],
            &["fmt", "--check", "r"],
            &["replay", "r", "c"],
        ] {
            // formatting does not follow includes, and what begins with a brace is JSON
            if command[0] == "fmt" && (rules.starts_with(b"include") || rules.starts_with(b"{")) {
                continue;
            }
            let capture = capture(&["eth0"], &[]);
            check(&[("r", rules), ("c", &capture)], command, 1, &[place]);
        }
    }
}

#[test]
fn a_hundred_megabytes_of_rules() {
    let mut rules = b"table inet t {\n\tchain c {\n".to_vec();
    rules.resize(100 << 20, b'x');
    check(&[("r", &rules)], &["compile", "r"], 1, &["r:"]);
}

#[test]
fn site_files() {
    let capture = capture(&["lan0"], &[]);
    let twice = "[[port]]\nname = \"lan0\"\n[[port]]\nname = \"lan0\"\n";
    let no_route = format!("{SITE}\n[[route]]\nto = \"default\"\nvia = \"192.0.2.1\"\n");
    let cases: &[(&str, &[&str])] = &[
        ("colour = 1\n", &["s.toml:1:1", "unknown key `colour`"]),
        (twice, &["s.toml:4:8", "two ports are named `lan0`"]),
        (&no_route, &["s.toml:14:7", "192.0.2.1", "subnet"]),
        (
            "[[port]]\nname = \"a-name-that-is-long\"\n",
            &["s.toml:2:8", "15"],
        ),
        (
            "mode = \"wire\"\n[[port]]\nname = \"eth7\"\n",
            &["lan0", "eth7", "--port"],
        ),
        ("\u{feff}[[port\n", &["s.toml:1"]),
    ];
    for (site, said) in cases {
        check(
            &[("r", RULES), ("c", &capture), ("s.toml", site.as_bytes())],
            &["replay", "r", "c", "--site", "s.toml"],
            2,
            said,
        );
    }
}

#[test]
fn captures() {
    check(
        &[("r", RULES), ("c", b"GIF89a")],
        &["replay", "r", "c"],
        2,
        &["c: ", "pcap"],
    );
    for short in [
        &b""[..],
        b"\xd4\xc3",
        b"\xd4\xc3\xb2\xa1\x02",
        b"\x0a\x0d\x0d\x0a\x1c",
    ] {
        check(
            &[("r", RULES), ("c", short)],
            &["replay", "r", "c"],
            2,
            &["c: this is no whole capture"],
        );
    }
    let frames: Vec<(u32, Vec<u8>)> = (0..70).map(|length| (0, vec![0; length])).collect();
    let whole = capture(&["eth0"], &frames);
    let ran = check(
        &[("r", RULES), ("c", &whole)],
        &["replay", "r", "c", "--format", "json"],
        0,
        &[],
    );
    assert_eq!(ran.stdout.lines().count(), 70);
    let cut = &whole[..whole.len() - 5];
    let ran = check(
        &[("r", RULES), ("c", cut)],
        &["replay", "r", "c", "--format", "json"],
        1,
        &["ends inside record"],
    );
    assert_eq!(ran.stdout.lines().count(), 69);
}

#[test]
fn every_cut_of_a_capture_is_answered() {
    let whole = capture(&["eth0", "eth1"], &[(0, vec![1; 60]), (1, vec![2; 14])]);
    let folder = folder(&[("r", RULES)]);
    for length in (0..whole.len()).step_by(7) {
        let ran = redan_with_stdin(folder.path(), &["replay", "r", "-"], &whole[..length]);
        assert!(
            matches!(ran.code, Some(0..=2)),
            "{length}: {:?} {}",
            ran.code,
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{length}: {}", ran.stderr);
    }
}

#[test]
fn results_are_written_whole_or_not_at_all() {
    let capture = capture(&["eth0"], &[]);
    check(
        &[("r", RULES), ("c", &capture)],
        &["replay", "r", "c", "--write", "nowhere/out.pcapng"],
        2,
        &["cannot write nowhere/out.pcapng"],
    );
    let folder = folder(&[("r", RULES), ("c", &capture)]);
    let arguments = [
        "replay",
        "r",
        "c",
        "--write",
        "nowhere/w",
        "--counters",
        "nowhere/n",
        "--conntrack",
        "t",
    ];
    let ran = redan(folder.path(), &arguments).ends_with(2);
    assert!(
        ran.stderr.contains("cannot write nowhere/w"),
        "{}",
        ran.stderr
    );
    assert!(
        folder.path().join("t").exists(),
        "one file does not cost the others"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn taps_that_cannot_be_had() {
    let site = |tap: &str| {
        format!(
            "mode = \"wire\"\n[[port]]\nname = \"a\"\ntap = \"{tap}\"\n[[port]]\nname = \"b\"\n"
        )
    };
    check(
        &[
            ("r", RULES),
            ("s.toml", site("a-name-that-is-too-long").as_bytes()),
        ],
        &["run", "r", "--site", "s.toml"],
        2,
        &["s.toml:4:7", "15"],
    );
    // lo is there and is no TAP.
    let ran = check(
        &[("r", RULES), ("s.toml", site("lo").as_bytes())],
        &["run", "r", "--site", "s.toml", "--for", "1"],
        2,
        &["lo"],
    );
    assert!(
        ran.stderr.contains("taken")
            || ran.stderr.contains("permission")
            || ran.stderr.contains("/dev/net/tun"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let frames: Vec<(u32, Vec<u8>)> = (0..5000).map(|_| (0, vec![0; 60])).collect();
    let folder = folder(&[("r", RULES), ("c", &capture(&["eth0"], &frames))]);
    let mut child = support::command(folder.path(), &["replay", "r", "c"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().expect("the command ends")).ends_with(0);
    assert_eq!(ran.stderr, "");
}
