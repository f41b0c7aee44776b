use super::*;
use crate::ast::dump::dump;
use crate::parse::NoLoader;

fn tree(text: &str) -> serde_json::Value {
    let mut sources = Sources::new();
    let id = sources.add("x", text);
    let (file, _) = parse(&mut sources, id, &NoLoader, &[]);
    dump(&file, &sources)
}

/// Formats, and checks that the result means the same and stays as it is.
fn formatted(text: &str) -> String {
    let (once, findings) = fmt(&mut Sources::new(), "x", text);
    assert!(!findings.iter().any(Diagnostic::is_error), "{findings:?}");
    let (twice, _) = fmt(&mut Sources::new(), "x", &once);
    assert_eq!(once, twice, "not stable");
    assert_eq!(tree(text), tree(&once), "another tree: {once}");
    once
}

#[test]
fn every_kind_of_statement_keeps_its_meaning() {
    formatted(include_str!("../../tests/accepted.nft"));
}

#[test]
fn style() {
    let check = |text: &str, want: &str| assert_eq!(formatted(text), want);
    check(
        "table inet x{chain c{type filter hook input priority 0;policy drop;ct state established, related accept;tcp dport {22,80} accept}}",
        "table inet x {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established,related accept\n\t\ttcp dport { 22, 80 } accept\n\t}\n}\n",
    );
    check("# a\n\n\n\n# b", "# a\n\n# b\n");
    check("\n\nflush ruleset\r\n", "flush ruleset\n");
    check("define a={1,2 , 3}", "define a = { 1, 2, 3 }\n");
    check(
        "define a = { 1, # one\n 2 }",
        "define a = {\n\t1, # one\n\t2\n}\n",
    );
    check("define  a=-5", "define a = -5\n");
    check(
        "table ip a { }\ntable ip b {\n\n}",
        "table ip a {\n}\n\ntable ip b {\n}\n",
    );
    check(
        "table ip a {\nchain c { dnat to 1.2.3.4:80 ; dnat to : 80 # x\n tcp flags & (fin|syn)==syn jump { accept } } # end\n}",
        "table ip a {\n\tchain c {\n\t\tdnat to 1.2.3.4:80\n\t\tdnat to :80 # x\n\t\ttcp flags & (fin | syn) == syn jump {\n\t\t\taccept\n\t\t}\n\t} # end\n}\n",
    );
    check(
        "table ip a {\nmap m { type ipv4_addr:verdict; elements={1.1.1.1:accept,\n\n# two\n2.2.2.2 : drop } }\n}",
        "table ip a {\n\tmap m {\n\t\ttype ipv4_addr : verdict\n\t\telements = {\n\t\t\t1.1.1.1 : accept,\n\t\t\t# two\n\t\t\t2.2.2.2 : drop\n\t\t}\n\t}\n}\n",
    );
}

#[test]
fn faulty_texts_stay() {
    let text = "table  ip a {\n";
    let (out, findings) = fmt(&mut Sources::new(), "x", text);
    assert_eq!(out, text);
    assert_eq!(findings.len(), 1);
}

/// Public rulesets, where they are at hand: every one parses, and formatting keeps its tree.
#[test]
fn public_rulesets_parse_and_keep_their_meaning() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    for dir in ["real", "dumps"] {
        let Ok(entries) = std::fs::read_dir(corpus.join(dir)) else {
            println!("skipped: no {dir} in {}", corpus.display());
            continue;
        };
        let nft = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "nft");
        for path in entries.flatten().map(|entry| entry.path()).filter(nft) {
            let text = std::fs::read_to_string(&path).unwrap();
            formatted(&text);
        }
    }
}
