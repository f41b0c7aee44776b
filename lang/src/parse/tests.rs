use super::*;
use crate::ast::dump::dump;
use crate::ast::{CommandKind, ExprKind, Integer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

/// Files in memory; a `*` in an include's path stands for anything.
struct Files(BTreeMap<&'static str, &'static str>);

impl Loader for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = path.to_str().and_then(|name| self.0.get(name));
        text.map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn resolve(&self, path: &str) -> Vec<PathBuf> {
        match path.split_once('*') {
            None => vec![PathBuf::from(path)],
            Some((head, tail)) => {
                let fits = |name: &&&str| name.starts_with(head) && name.ends_with(tail);
                self.0.keys().filter(fits).map(PathBuf::from).collect()
            }
        }
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}

/// Findings as `line:column CODE message (help)`.
fn findings(sources: &Sources, list: &[Diagnostic]) -> Vec<String> {
    let show = |finding: &Diagnostic| {
        let span = finding.span();
        let at = sources.position(span.source, span.start);
        let help = finding
            .help
            .as_ref()
            .map(|help| format!(" ({help})"))
            .unwrap_or_default();
        format!(
            "{}:{} {} {}{help}",
            at.line,
            at.column,
            finding.code.info().code,
            finding.message
        )
    };
    list.iter().map(show).collect()
}

fn parsed(text: &str) -> (Sources, File, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let id = sources.add("x.rules", text);
    let (file, list) = parse(&mut sources, id, &NoLoader, &[]);
    (sources, file, list)
}

fn rules(statements: &str) -> String {
    format!("table inet t {{\n\tchain c {{\n{statements}\n\t}}\n}}\n")
}

#[test]
fn statements_of_every_kind_are_read() {
    let text = include_str!("../../tests/accepted.nft");
    let (sources, file, list) = parsed(text);
    assert_eq!(findings(&sources, &list), Vec::<String>::new());
    assert!(file.commands.len() > 20);
}

#[test]
fn trees() {
    let check = |stmt: &str, want: &str| {
        let (sources, file, list) = parsed(&rules(stmt));
        assert_eq!(findings(&sources, &list), Vec::<String>::new(), "{stmt}");
        let tree = dump(&file, &sources);
        let rule = tree
            .pointer("/commands/0/kind/Table/body/0/kind/Chain/body/items/0/Rule/stmts")
            .cloned();
        assert_eq!(rule.unwrap_or_default().to_string(), want, "{stmt}");
    };
    check(
        "tcp dport 22 accept",
        r#"[{"kind":{"Match":{"left":{"kind":{"Payload":{"field":"dport","header":"tcp","of":null}}},"op":"Implicit","right":{"kind":{"Number":22}}}}},{"kind":{"Verdict":"Accept"}}]"#,
    );
    check(
        "meta mark set mark and 0xf0 or 3",
        r#"[{"kind":{"Set":{"field":{"kind":{"Meta":{"explicit":true,"key":"mark"}}},"value":{"kind":{"Binary":["Or",[{"kind":{"Binary":["And",[{"kind":{"Meta":{"explicit":false,"key":"mark"}}},{"kind":{"Number":240}}]]}},{"kind":{"Number":3}}]]}}}}}]"#,
    );
    check(
        "tcp flags syn / fin,syn",
        r#"[{"kind":{"Match":{"left":{"kind":{"Payload":{"field":"flags","header":"tcp","of":null}}},"op":"Implicit","right":{"kind":{"FlagMatch":[{"kind":{"Symbol":"syn"}},{"kind":{"List":[{"kind":{"Symbol":"fin"}},{"kind":{"Symbol":"syn"}}]}}]}}}}}]"#,
    );
    check(
        "ip saddr . tcp dport { 10.0.0.0/8 . 22 }",
        r#"[{"kind":{"Match":{"left":{"kind":{"Concat":[{"kind":{"Payload":{"field":"saddr","header":"ip","of":null}}},{"kind":{"Payload":{"field":"dport","header":"tcp","of":null}}}]}},"op":"Implicit","right":{"kind":{"Set":[["10.0.0.0","/","8",".","22"]]}}}}}]"#,
    );
    check(
        "rt classid 1",
        r#"[{"kind":{"Match":{"left":{"kind":{"Rt":{"family":null,"key":"classid"}}},"op":"Implicit","right":{"kind":{"Number":1}}}}}]"#,
    );
}

#[test]
fn plain_elements_come_back_as_expressions() {
    let (sources, file, _) = parsed("define x = { 10.0.0.0/8 . 22, eth*, 1-5, tcp }\n");
    let Some(CommandKind::Define(define)) =
        file.commands.into_iter().map(|command| command.kind).next()
    else {
        panic!("no define");
    };
    let ExprKind::Set(set) = &define.value.kind else {
        panic!("no set")
    };
    let keys: Vec<ExprKind> = set
        .elements(&sources)
        .map(|element| element.key.kind.clone())
        .collect();
    assert!(
        matches!(&keys[0], ExprKind::Concat(parts) if matches!(parts[0].kind, ExprKind::Prefix(_)))
    );
    assert!(matches!(&keys[1], ExprKind::WildcardWord(word) if word.text(&sources) == "eth"));
    assert!(
        matches!(&keys[2], ExprKind::Range(ends) if ends.1.kind == ExprKind::Number(Integer::new(5)))
    );
    assert!(matches!(&keys[3], ExprKind::Symbol(word) if word.text(&sources) == "tcp"));
}

/// `tests/errors.txt`: cases divided by `====`, each a text, a line `----`, and its findings.
#[test]
fn mistakes_are_explained() {
    let golden = include_str!("../../tests/errors.txt");
    let mut out = String::new();
    for case in golden.split("====\n") {
        let text = case.split("----\n").next().unwrap_or_default();
        let (sources, _, list) = parsed(text);
        let lines = findings(&sources, &list).join("\n");
        if !out.is_empty() {
            out.push_str("====\n");
        }
        out.push_str(text);
        out.push_str("----\n");
        out.push_str(&lines);
        out.push('\n');
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors.txt"),
            &out,
        )
        .unwrap();
    }
    assert_eq!(
        out, golden,
        "run with UPDATE_GOLDEN=1 and look at the difference"
    );
}

#[test]
fn includes_are_read_in_place() {
    let files = Files(BTreeMap::from([
        (
            "main",
            "include \"d/*.nft\"\ntable ip t {\n\tinclude \"chain\"\n}\n",
        ),
        ("d/1.nft", "define a = 1\n"),
        ("d/2.nft", "define b = 2\n"),
        ("chain", "chain c {\n\tinclude \"rule\"\n}\n"),
        ("rule", "accept\n"),
    ]));
    let mut sources = Sources::new();
    let id = sources.add("main", files.0["main"]);
    let (file, list) = parse(&mut sources, id, &files, &["c=3".to_owned()]);
    assert_eq!(findings(&sources, &list), Vec::<String>::new());
    assert_eq!(file.commands.len(), 4);
    assert_eq!(file.includes.len(), 4);
    let tree = dump(&file, &sources).to_string();
    assert!(tree.contains("Accept") && tree.contains("\"c\""), "{tree}");
}

#[test]
fn includes_that_cannot_be() {
    let check = |files: &[(&'static str, &'static str)], want: &str| {
        let files = Files(files.iter().copied().collect());
        let mut sources = Sources::new();
        let id = sources.add("a", files.0["a"]);
        let (_, list) = parse(&mut sources, id, &files, &[]);
        let got = findings(&sources, &list).join("\n");
        assert!(got.contains(want), "{got}");
    };
    check(&[("a", "include \"a\"\n")], "1:10 E021 `a` includes itself");
    check(
        &[("a", "include \"b\"\n"), ("b", "include \"a\"\n")],
        "1:10 E021 `a` includes itself",
    );
    check(
        &[("a", "include \"b\"\n")],
        "1:10 E020 cannot read `b`: no such file",
    );
    check(&[("a", "include \"*\"\n"), ("b", "accpt\n")], "1:6 E010");
    check(
        &[
            ("a", "table ip t {\ninclude \"b\"\n}\n"),
            ("b", "table ip x {\n}\n"),
        ],
        "E012",
    );
}

#[test]
fn bytes_that_are_not_utf8_are_placed() {
    let mut sources = Sources::new();
    let (id, list) = add_bytes(
        &mut sources,
        "x",
        b"# \xe4\ndefine a = 1\n# \xff\xfe\n".to_vec(),
    );
    assert_eq!(list.len(), 3);
    assert!(findings(&sources, &list)[0].starts_with("1:3 E001 0xe4 is not UTF-8"));
    let (file, list) = parse(&mut sources, id, &NoLoader, &[]);
    assert_eq!((file.commands.len(), list.len()), (1, 0));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the limit is far above what it takes, and guards against seconds of backtracking"
)]
fn hostile_texts_are_answered_fast() {
    let deep = |open: &str, close: &str, n: usize| {
        rules(&format!("meta mark {}1{}", open.repeat(n), close.repeat(n)))
    };
    let cases = [
        deep("{", "}", 10_000),
        deep("(", ")", 10_000),
        deep("(", "", 15),
        deep("jump {", "}", 10_000),
        "table ip t {\n".repeat(10_000),
        "}\n".repeat(100_000),
        "{".repeat(100_000),
        "a:".repeat(200_000),
        "\"".repeat(100_001),
        "\0".repeat(1_000_000),
        format!("define x = {{{}}}", ",".repeat(100_000)),
        format!("define x = {}", "1".repeat(100_000)),
        rules(&"ip saddr . ".repeat(5000)),
        rules(&"meta mark set 1 | ".repeat(5000)),
        rules(&format!("{} acept", "tcp dport 1 ".repeat(5000))),
        "\u{feff}table ip t {\n}\n".to_owned(),
    ];
    for text in cases {
        let start = Instant::now();
        let (_, _, list) = parsed(&text);
        assert!(start.elapsed().as_secs() < 10, "{text:.40}");
        assert!(
            list.len() <= MAX_ERRORS + 2,
            "{} findings: {:.40}",
            list.len(),
            text
        );
    }
}

/// Pieces of the language in no order.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "table", "inet", "chain", "{", "}", "{\n", "}\n", "\n", ";", "tcp", "dport", "22", "ip",
        "saddr", "10.0.0.1", "/8", "-", ",", ".", ":", "@s", "$x", "accept", "jump", "set", "map",
        "vmap", "elements", "=", "type", "typeof", "ct", "state", "new", "(", ")", "&", "|", "==",
        "!=", "\"a\"", "\"b", "# c\n", "\\\n", "counter", "limit", "rate", "10", "second", "add",
        "element", "comment", "meta", "mark", "*", "[", "]", "fe80::1", "1d2h", "@nh", "define",
        "include", "timeout", "\u{e4}",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in soup()) {
        let (sources, file, list) = parsed(&text);
        for finding in &list {
            let (start, end) = sources.range(finding.span());
            prop_assert!(start <= end);
        }
        dump(&file, &sources);
        crate::diag::render::render(&list, &sources, true);
    }

    #[test]
    fn formatting_twice_changes_nothing(text in soup()) {
        let (once, list) = crate::fmt::fmt(&mut Sources::new(), "x", &text);
        if !list.iter().any(Diagnostic::is_error) {
            let (twice, again) = crate::fmt::fmt(&mut Sources::new(), "x", &once);
            prop_assert!(!again.iter().any(Diagnostic::is_error), "{}", once);
            prop_assert_eq!(once, twice);
        }
    }
}
