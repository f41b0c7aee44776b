//! Rules with words lost, doubled, swapped or replaced: an answer every time, and whatever compiles verifies.

#![expect(clippy::indexing_slicing, reason = "a test may fail loudly")]

use proptest::prelude::*;
use redan_lang::compile::{Options, compile};
use redan_lang::diag::Diagnostic;
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;

/// Rules that compile, to start from.
const RULES: &[&str] = &[
    include_str!("bytecode/families.rules"),
    include_str!("bytecode/matches.rules"),
    include_str!("bytecode/nat.rules"),
    include_str!("bytecode/newer.rules"),
    include_str!("bytecode/sets.rules"),
    include_str!("bytecode/statements.rules"),
];

/// Words at the edges of what fields hold.
const EDGES: &[&str] = &[
    "0",
    "4294967295",
    "4294967296",
    "340282366920938463463374607431768211455",
    "0-65535",
    "0.0.0.0/0",
    "0.0.0.0-255.255.255.255",
    "::/0",
    "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "\"\"",
    "\"*\"",
    "{ 0-255 }",
    "128",
    "@pairs",
    "$lan",
    "@nh,0,128",
    "map",
    ".",
];

/// One change: which line, which word, what to do, with what.
type Change = (usize, usize, usize, usize);

fn changed(text: &str, changes: &[Change]) -> String {
    let all: Vec<&str> = RULES
        .iter()
        .flat_map(|rules| rules.split_whitespace())
        .collect();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for &(line, word, what, with) in changes {
        let count = lines.len();
        let Some(line) = lines.get_mut(line % count.max(1)) else {
            continue;
        };
        let mut words: Vec<&str> = line.split(' ').collect();
        let at = word % words.len();
        let other = all[with % all.len()];
        match what % 5 {
            0 => drop(words.remove(at)),
            1 => words.insert(at, other),
            2 => words[at] = other,
            3 => words[at] = EDGES[with % EDGES.len()],
            _ => words.insert(at, words[at]),
        }
        *line = words.join(" ");
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn changed_rules_get_an_answer(
        start in 0..RULES.len(),
        changes in prop::collection::vec(any::<Change>(), 1..5),
        peephole in any::<bool>(),
    ) {
        let text = changed(RULES[start], &changes);
        let mut sources = Sources::new();
        let root = sources.add("x.rules", text);
        let (file, _) = parse(&mut sources, root, &NoLoader, &[]);
        let options = Options { peephole, ..Options::default() };
        let (ruleset, findings) = compile(file, &sources, &options);
        match ruleset {
            Some(ruleset) => prop_assert_eq!(redan_vm::verify::verify(&ruleset), []),
            None => prop_assert!(findings.iter().any(Diagnostic::is_error)),
        }
    }
}
