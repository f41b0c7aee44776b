//! The contracts of the commands that work on text: exit codes, output formats, what goes where.

mod support;

use serde_json::Value;
use support::{folder, redan, redan_with_stdin};

/// Faulty in three places: an unknown chain, an unknown word, a port without a protocol.
const FAULTY: &[u8] = b"table inet t {
\tchain c {
\t\ttype filter hook input priority 0; policy accept;
\t\tjump nowhere
\t\ttcp dport 22 acept
\t}
}
";

/// Compiles, with a warning: the second rule is the first one again.
const TWICE: &[u8] = b"table inet t {
\tchain c {
\t\ttype filter hook forward priority 0; policy accept;
\t\ttcp dport 22 counter accept
\t\ttcp dport 22 counter accept
\t}
}
";

const CLEAN: &[u8] = b"table inet t {
\tchain c {
\t\ttype filter hook forward priority filter; policy accept;
\t\ttcp dport 22 counter drop
\t}
}
";

#[test]
fn lint_counts_errors_and_denied_warnings() {
    let folder = folder(&[("faulty", FAULTY), ("twice", TWICE), ("clean", CLEAN)]);
    let lint = |arguments: &[&str], code| redan(folder.path(), arguments).ends_with(code);
    lint(&["lint", "clean"], 0);
    lint(&["lint", "twice"], 0);
    lint(&["lint", "--deny", "warnings", "twice"], 1);
    lint(&["lint", "--deny", "warnings", "clean"], 0);
    let ran = lint(&["lint", "clean", "faulty"], 1);
    assert!(
        ran.stdout.contains("nowhere") && ran.stdout.contains("acept"),
        "every error of a file in one run:\n{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("2 files"), "{}", ran.stderr);
    assert!(
        !ran.stdout.contains('\u{1b}'),
        "no colour without a terminal:\n{}",
        ran.stdout
    );
    let ran = lint(&["lint", "--color", "always", "faulty"], 1);
    assert!(ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}

#[test]
fn lint_reads_stdin() {
    let folder = folder(&[]);
    let ran = redan_with_stdin(folder.path(), &["lint", "-"], FAULTY).ends_with(1);
    assert!(ran.stdout.contains("<stdin>:4"), "{}", ran.stdout);
}

#[test]
fn lint_json_has_the_promised_shape() {
    let folder = folder(&[("faulty", FAULTY), ("twice", TWICE), ("clean", CLEAN)]);
    let json = |arguments: &[&str], code| -> Vec<Value> {
        let ran = redan(folder.path(), arguments).ends_with(code);
        serde_json::from_str(&ran.stdout).expect("one array")
    };
    assert_eq!(
        json(&["lint", "--format", "json", "clean"], 0),
        Vec::<Value>::new()
    );
    let findings = json(&["lint", "--format", "json", "twice", "faulty"], 1);
    for finding in &findings {
        for key in ["code", "name", "level", "message", "file"] {
            assert!(finding[key].is_string(), "{key}: {finding}");
        }
        for key in ["line", "column", "end_line", "end_column"] {
            assert!(
                finding[key].as_u64().is_some_and(|number| number > 0),
                "{key}: {finding}"
            );
        }
        assert!(
            finding["help"].is_string() || finding["help"].is_null(),
            "{finding}"
        );
        assert!(finding["related"].is_array(), "{finding}");
    }
    let twice = findings
        .iter()
        .find(|finding| finding["code"] == "L003")
        .expect("a duplicate rule");
    assert_eq!(
        (&twice["name"], &twice["level"]),
        (&Value::from("duplicate-rule"), &Value::from("warning"))
    );
    assert_eq!(
        (&twice["line"], &twice["column"]),
        (&Value::from(5), &Value::from(3))
    );
    assert_eq!(twice["related"][0]["line"], 4);
    let unknown = findings
        .iter()
        .find(|finding| finding["file"] == "faulty" && finding["line"] == 4)
        .expect("an unknown chain");
    assert!(
        unknown["code"]
            .as_str()
            .is_some_and(|code| code.starts_with('E')),
        "{unknown}"
    );
}

#[test]
fn lint_speaks_sarif_and_github() {
    let folder = folder(&[("twice", TWICE)]);
    let ran = redan(folder.path(), &["lint", "--format", "sarif", "twice"]).ends_with(0);
    let log: Value = serde_json::from_str(&ran.stdout).expect("one object");
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    let index =
        usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
    assert_eq!(rules[index]["id"], result["ruleId"]);
    assert_eq!(
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "twice"
    );
    let ran = redan(folder.path(), &["lint", "--format", "github", "twice"]).ends_with(0);
    assert!(
        ran.stdout
            .contains("::warning file=twice,line=5,endLine=5,col=3,"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("title=L003 duplicate-rule::"),
        "{}",
        ran.stdout
    );
}

#[test]
fn lint_explains_codes_and_names() {
    let folder = folder(&[]);
    let by_code = redan(folder.path(), &["lint", "--explain", "L003"]).ends_with(0);
    let by_name = redan(folder.path(), &["lint", "--explain", "duplicate-rule"]).ends_with(0);
    assert_eq!(by_code.stdout, by_name.stdout);
    assert!(by_code.stdout.contains("Use instead"), "{}", by_code.stdout);
    let near = redan(folder.path(), &["lint", "--explain", "duplicate-rul"]).ends_with(2);
    assert!(
        near.stderr.contains("did you mean duplicate-rule?"),
        "{}",
        near.stderr
    );
}

#[test]
fn fmt_rewrites_shows_and_checks() {
    const UGLY: &[u8] = b"table inet t {\n# mine\nchain c { type filter hook forward priority 0;policy accept;\n tcp   dport 22 drop\n}\n}";
    let folder = folder(&[("ugly", UGLY), ("faulty", b"table {"), ("clean", CLEAN)]);
    let file = |name: &str| std::fs::read(folder.path().join(name)).expect("the file is there");

    let checked = redan(folder.path(), &["fmt", "--check", "ugly", "clean"]).ends_with(1);
    assert_eq!(checked.stdout, "ugly\n");
    let shown = redan(folder.path(), &["fmt", "--diff", "ugly"]).ends_with(1);
    assert!(
        shown.stdout.contains("- tcp   dport 22 drop\n")
            && shown.stdout.contains("+\t\ttcp dport 22 drop\n"),
        "{}",
        shown.stdout
    );
    assert_eq!(file("ugly"), UGLY, "looking changes nothing");

    let piped = redan_with_stdin(folder.path(), &["fmt", "-"], UGLY).ends_with(0);
    redan(folder.path(), &["fmt", "ugly"]).ends_with(0);
    assert_eq!(String::from_utf8_lossy(&file("ugly")), piped.stdout);
    assert!(piped.stdout.contains("# mine"), "{}", piped.stdout);
    redan(folder.path(), &["fmt", "--check", "ugly"]).ends_with(0);

    let faulty = redan(folder.path(), &["fmt", "faulty", "clean"]).ends_with(1);
    assert!(faulty.stderr.contains("faulty:1"), "{}", faulty.stderr);
    assert_eq!(file("faulty"), b"table {");
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        3,
        "nothing is left behind"
    );
}

#[test]
fn variables_and_folders_come_from_the_command_line() {
    let open = b"include \"ports.rules\"\ntable inet t {\n\tchain c {\n\t\tiifname $wan tcp dport $ports drop\n\t}\n}\n";
    let parts = folder(&[("ports.rules", b"define ports = { 22, 80 }\n")]);
    let (folder, parts) = (folder(&[("open", open)]), parts.path().display());
    let include = format!("-I{parts}");
    let ran = redan(folder.path(), &["list", &include, "-D", "wan=eth1", "open"]).ends_with(0);
    let rule = "iifname \"eth1\" tcp dport { 22, 80 } drop";
    assert!(ran.stdout.contains(rule), "{}", ran.stdout);
    let lint = |arguments: &[&str]| redan(folder.path(), arguments).ends_with(1);
    lint(&["lint", &include, "open"]);
    lint(&["lint", "-D", "wan=eth1", "open"]);
    lint(&["lint", &include, "-D", "wan", "open"]);
}

#[test]
fn compile_prints_bytecode() {
    let folder = folder(&[("clean", CLEAN), ("faulty", FAULTY)]);
    let ran = redan(folder.path(), &["compile", "clean"]).ends_with(0);
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim_end).collect();
    let wanted = [
        "inet t c",
        "  [ meta load l4proto => reg 1 ]",
        "  [ cmp eq reg 1 0x00000006 ]",
        "  [ payload load 2b @ transport header + 2 => reg 1 ]",
        "  [ cmp eq reg 1 0x00001600 ]",
        "  [ counter pkts 0 bytes 0 ]",
        "  [ immediate reg 0 drop ]",
        "",
    ];
    assert_eq!(lines, wanted);
    let ran = redan(folder.path(), &["compile", "faulty"]).ends_with(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("nowhere"), "{}", ran.stderr);
    for emit in ["ast", "clif", "asm"] {
        let ran = redan(folder.path(), &["compile", "--emit", emit, "clean"]).ends_with(0);
        assert!(!ran.stdout.is_empty(), "{emit}");
    }
}

#[test]
fn test_says_which_line_failed_and_who_decided() {
    let site = support::frames::SITE.as_bytes();
    let good = b"tcp 10.1.0.2:1 > 10.2.0.2:22 in lan0 => drop\n";
    let bad = b"# none\ntcp 10.1.0.2:1 > 10.2.0.2:22 in lan0 => accept\n";
    let folder = folder(&[
        ("a.rules", CLEAN),
        ("a.toml", site),
        ("a.test", good),
        ("b.rules", CLEAN),
        ("b.toml", site),
        ("b.test", bad),
    ]);
    redan(folder.path(), &["test", "a.test"]).ends_with(0);
    std::fs::write(folder.path().join("empty.test"), "# later\n").unwrap();
    let ran = redan(folder.path(), &["test", "empty.test"]).ends_with(2);
    assert!(ran.stderr.contains("nothing is tested"), "{}", ran.stderr);
    let ran = redan(folder.path(), &["test", "a.test", "b.test"]).ends_with(1);
    assert!(ran.stdout.contains("b.test:2: FAILED"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("got drop") && ran.stdout.contains("b.rules:4"),
        "{}",
        ran.stdout
    );
}

const OPEN_TEST: &[u8] = b"tcp 10.1.0.5:1 > 192.0.2.1:22 in lan0 => accept\ntcp 10.1.0.5:1 > 192.0.2.1:23 in lan0 => accept\n";

#[test]
fn tests_find_their_rules_and_need_no_site() {
    let folder = folder(&[
        ("a.nft", CLEAN),
        ("a.test", OPEN_TEST),
        ("b.test", OPEN_TEST),
        (
            "c.test",
            b"tcp 10.1.0.5:1 > 192.0.2.1:23 in lan0 => accept\n",
        ),
        ("c.rules", CLEAN),
    ]);
    redan(folder.path(), &["test", "c.test"]).ends_with(0);
    let ran = redan(folder.path(), &["test", "b.test"]).ends_with(2);
    assert!(
        ran.stderr.contains("neither b.rules nor b.nft"),
        "{}",
        ran.stderr
    );
    let way = "      + 4  tcp dport 22 counter drop  => drop\n";
    for arguments in [
        &["test", "a.test"][..],
        &["test", "--rules", "c.rules", "b.test"],
        &["test", "--engine", "interp", "a.test"],
    ] {
        let ran = redan(folder.path(), arguments).ends_with(1);
        assert!(
            ran.stdout.contains(way) && ran.stdout.contains("1 of 2 as expected"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn test_results_for_programs() {
    let folder = folder(&[("a.nft", CLEAN), ("a.test", OPEN_TEST)]);
    let ran = redan(folder.path(), &["test", "--format", "json", "a.test"]).ends_with(1);
    let object: Value = serde_json::from_str(&ran.stdout).expect("one object");
    assert_eq!(
        (&object["tests"], &object["failures"]),
        (&2.into(), &1.into())
    );
    assert_eq!(object["lines"][0]["way"]["rule"]["line"], 4);
    assert_eq!(object["lines"][1]["ok"], true);
    let ran = redan(folder.path(), &["test", "--format", "junit", "a.test"]).ends_with(1);
    for part in [
        "<testsuite name=\"a.test\" tests=\"2\" failures=\"1\">",
        "10.1.0.5:1 &gt; 192.0.2.1:22 in lan0",
        "<failure message=\"got drop ",
        "tcp dport 22 counter drop",
        "</testsuites>",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in\n{}", ran.stdout);
    }
}

#[test]
fn a_translation_says_what_it_leaves_out() {
    let dump = b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -m string --string x --algo bm -j DROP\nCOMMIT\n";
    let folder = folder(&[
        ("v4.save", dump),
        ("cut.save", &dump[..60]),
        ("photo.save", b"\xff\xd8 no rules"),
    ]);
    let translate = |arguments: &[&str]| {
        let arguments = [&["translate", "iptables"], arguments].concat();
        redan(folder.path(), &arguments)
    };
    let fine = translate(&["v4.save"]).ends_with(0);
    assert!(
        fine.stdout
            .contains("\t\ttcp dport 22 accept\n\t\t# not translated")
    );
    assert!(fine.stderr.contains("v4.save:4:13"), "{}", fine.stderr);
    assert!(!fine.stderr.contains("T009"), "{}", fine.stderr);
    let cut = translate(&["cut.save"]).ends_with(0);
    assert!(cut.stderr.contains("T009"), "{}", cut.stderr);
    translate(&["v4.save", "--deny", "warnings"]).ends_with(1);
    let nothing = translate(&["photo.save"]).ends_with(1);
    assert_eq!(nothing.stdout, "");
    translate(&["absent.save"]).ends_with(2);
}

#[test]
fn a_rule_that_is_passed_over_is_told_of_by_every_command() {
    let rules = b"table ip t {
\tchain c {
\t\ttype filter hook forward priority 0; policy accept;
\t\txt match \"recent\" drop
\t\tip saddr 10.0.0.1 drop
\t}
}
";
    let lines = b"udp 10.0.0.1:1 > 10.0.1.1:2 in eth0 => drop\n";
    let folder = folder(&[("dump.nft", rules), ("dump.test", lines)]);
    let packet = "udp 10.0.0.1:1 > 10.0.1.1:2 in eth0";
    for arguments in [
        &["list", "dump.nft"][..],
        &["compile", "dump.nft"],
        &["compile", "--emit", "json", "dump.nft"],
        &["why", "dump.nft", packet],
        &["test", "dump.test"],
    ] {
        let ran = redan(folder.path(), arguments).ends_with(0);
        assert!(
            ran.stderr.contains("L069") && ran.stderr.contains("dump.nft:4:"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}
