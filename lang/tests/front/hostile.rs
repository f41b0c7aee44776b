//! Whatever is done to a ruleset's bytes, there is an answer, and soon.

use std::path::Path;
use std::time::{Duration, Instant};

use redan_lang::lint;

use crate::support;

/// What one text may take, in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1);
/// What all texts together may take; what is left then is not tried.
const BUDGET: Duration = Duration::from_secs(6);

fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the sample rulesets are there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "rules"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("readable"))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is of the time that an answer takes"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Checks texts until the budget is spent; a panic or a slow answer names its text.
fn check(texts: impl Iterator<Item = Vec<u8>>) {
    let start = now();
    for text in texts {
        let before = now();
        if before.duration_since(start) > BUDGET {
            return;
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        let answer = std::panic::catch_unwind(|| support::check(text, lint::Options::default()));
        assert!(answer.is_ok(), "panic at\n{shown}");
        let took = now().duration_since(before);
        assert!(took < PATIENCE, "{took:?} for\n{shown}");
    }
}

/// Steps through `0..len` in an order that meets every part early: multiples of a number without common factors.
fn spread(len: usize) -> impl Iterator<Item = usize> {
    let start = len * 5 / 8;
    let step = (start..start + len)
        .find(|step| gcd(*step, len) == 1)
        .unwrap_or(1);
    (0..len).map(move |n| n * step % len.max(1))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn every_prefix_has_an_answer() {
    let samples = samples();
    let longest = samples.iter().map(Vec::len).max().unwrap_or(0);
    check(spread(longest).flat_map(|len| {
        samples
            .iter()
            .filter_map(move |text| Some(text.get(..len)?.to_vec()))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn every_changed_byte_has_an_answer() {
    const BYTES: &[u8] = b"{}()\"'\\$@*;:,.-/!=<>&|^#\n \t\0\x7f\xc3\xff09azAZ";
    let samples = samples();
    let longest = samples.iter().map(Vec::len).max().unwrap_or(0);
    check(spread(longest * BYTES.len()).flat_map(|n| {
        let (at, byte) = (n / BYTES.len(), BYTES[n % BYTES.len()]);
        samples
            .iter()
            .filter_map(move |text| {
                let mut text = text.clone();
                *text.get_mut(at)? = byte;
                Some(text)
            })
            .collect::<Vec<_>>()
    }));
}

/// Definitions of which each is made from the one before, and what uses the last.
fn growing(steps: usize, first: &str, next: impl Fn(&str) -> String, used: &str) -> Vec<u8> {
    let mut lines = vec![format!("define a0 = {first}")];
    lines.extend(
        (0..steps).map(|step| format!("define a{} = {}", step + 1, next(&format!("$a{step}")))),
    );
    lines.push(used.replace("$last", &format!("$a{steps}")));
    lines.join("\n").into_bytes()
}

#[test]
fn variables_that_double_have_an_answer() {
    let set = |before: &str| format!("{{ {before}, {before} }}");
    let uses = [
        "table ip t {\n\tchain c {\n\t\tip saddr $last accept\n\t}\n}\n",
        "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = $last\n\t}\n}\n",
        "table netdev t {\n\tchain c {\n\t\ttype filter hook ingress devices = $last priority 0\n\t}\n}\n",
    ];
    check(
        uses.iter()
            .map(|used| growing(60, "{ 1.1.1.1 }", set, used)),
    );
    let used = "table ip t {\n\tchain c {\n\t\tmeta mark set $last\n\t}\n}\n";
    let or = |before: &str| format!("{before} | {before}");
    check(std::iter::once(growing(60, "1", or, used)));
    let nest = |before: &str| format!("{{ {before} }}");
    check(std::iter::once(growing(
        1_000,
        "{ 1.1.1.1 }",
        nest,
        uses[0],
    )));
}
