//! No circle of files: what two files need of each other lies below both. The `use` lines of every crate are read.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Files of each crate that still stand in circles, a line each: the list only gets shorter.
const KNOWN: &str = include_str!("circles.txt");

const CRATES: &[(&str, &str)] = &[
    ("vm", "vm/src"),
    ("lang", "lang/src"),
    ("jit", "jit/src"),
    ("runtime", "runtime/src"),
    ("redan", "src"),
];

/// A module by its path: `a::b`, empty for the crate's root.
type Name = String;
type Graph = BTreeMap<Name, BTreeSet<Name>>;

/// The sources of a crate, test modules left out.
fn sources(root: &Path) -> BTreeMap<Name, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("sources are readable") {
            let path = entry.expect("sources are readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = name_of(root, &path);
                if !name.split("::").any(|part| part == "tests") {
                    let text = std::fs::read_to_string(&path).expect("sources are readable");
                    found.insert(name, text);
                }
            }
        }
    }
    found
}

fn name_of(root: &Path, path: &Path) -> Name {
    let relative = path.strip_prefix(root).expect("it is below");
    let mut parts: Vec<String> = relative
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts.join("::")
}

/// The trees of a file's `use` lines, its inline test module left out.
fn uses(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let end = lines
        .windows(2)
        .position(|pair| {
            let [first, second] = pair else { return false };
            first.trim() == "#[cfg(test)]" && second.starts_with("mod ") && second.ends_with('{')
        })
        .unwrap_or(lines.len());
    let code: Vec<&str> = lines[..end]
        .iter()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect();
    let mut trees = Vec::new();
    for statement in code.join("\n").split(';') {
        let Some(line) = statement.lines().find(|line| {
            let line = line.trim();
            line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
        }) else {
            continue;
        };
        let from = statement.find(line).unwrap_or(0) + line.find("use ").unwrap_or(0) + 4;
        trees.push(statement[from..].split_whitespace().collect());
    }
    trees
}

/// The paths of a tree: `a::{b,c::d}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        return vec![tree.to_owned()];
    };
    let body = tree[open + 1..].strip_suffix('}').unwrap_or("");
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, letter) in body.char_indices().chain([(body.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = body.get(start..at).unwrap_or("");
                if !branch.is_empty() {
                    found.extend(paths(&format!("{}{branch}", &tree[..open])));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The file that a path leads to.
fn target(path: &str, from: &str, files: &BTreeMap<Name, String>) -> Option<Name> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut base: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
    match *parts.first()? {
        "crate" => {
            base.clear();
            parts.remove(0);
        }
        "self" | "super" => {
            while let Some(part @ ("self" | "super")) = parts.first().copied() {
                if part == "super" {
                    base.pop();
                }
                parts.remove(0);
            }
        }
        first => {
            let child: Vec<&str> = base.iter().copied().chain([first]).collect();
            if !files.contains_key(&child.join("::")) {
                return None;
            }
        }
    }
    base.append(&mut parts);
    while !files.contains_key(&base.join("::")) {
        base.pop()?;
    }
    Some(base.join("::"))
}

fn graph(files: &BTreeMap<Name, String>) -> Graph {
    let mut graph = Graph::new();
    for (name, text) in files {
        let targets = uses(text)
            .iter()
            .flat_map(|tree| paths(tree))
            .filter_map(|path| target(&path, name, files))
            .filter(|other| other != name)
            .collect();
        graph.insert(name.clone(), targets);
    }
    graph
}

/// Everything that can be reached from a file.
fn reach<'a>(graph: &'a Graph, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = graph[from].iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if seen.insert(name) {
            open.extend(graph[name].iter().map(String::as_str));
        }
    }
    seen
}

#[test]
fn files_that_stand_in_circles_are_those_that_are_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for (krate, folder) in CRATES {
        let files = sources(&root.join(folder));
        let graph = graph(&files);
        let edges: usize = graph.values().map(BTreeSet::len).sum();
        assert!(edges >= files.len() / 2, "{krate}: hardly any use is seen");
        for name in graph.keys() {
            if reach(&graph, name).contains(name.as_str()) {
                found.insert(format!("{krate} {name}").trim_end().to_owned());
            }
        }
    }
    let known: BTreeSet<String> = KNOWN.lines().map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty(),
        "these files use each other in a circle; move what both need below both: {new:#?}"
    );
    assert!(
        gone.is_empty(),
        "these files stand in no circle: take them out of circles.txt: {gone:#?}"
    );
}

#[test]
fn circles_are_seen() {
    let files: BTreeMap<Name, String> = [
        ("", "mod a;\nmod b;\nmod c;"),
        (
            "a",
            "use std::fmt;\npub(super) use super::{\n    b::{One, Two},\n};",
        ),
        ("b", "// use crate::c;\nuse crate::a::Three as Four;"),
        (
            "c",
            "use super::a;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}",
        ),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect();
    let graph = graph(&files);
    let in_circle: Vec<&str> = graph
        .keys()
        .map(String::as_str)
        .filter(|name| reach(&graph, name).contains(name))
        .collect();
    assert_eq!(in_circle, ["a", "b"]);
}
