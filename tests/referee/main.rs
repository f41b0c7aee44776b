//! The kernel as referee: random rulesets and random traffic through Linux and through redan, interpreter and native code. Frames that come
//! out, connection states, rule counters and the connection table must be the same, and nft must accept and compile the rules alike.
//!
//! `REFEREE_SEED`, `REFEREE_RULESETS` and `REFEREE_FRAMES` widen the run. A case that fails is shrunk and written to `target/referee/`;
//! copied to `tests/referee/cases/` it is run without a kernel from then on.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test that makes its own bytes, and stops where something is not as it made it"
)]

mod case;
mod compare;
mod kernel;
mod lab;
mod listing;
mod redan;
mod rng;
mod rulesets;
mod scripted;
mod traffic;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use case::Case;
use compare::difference;
use kernel::Kernel;
use lab::Lab;
use redan::EngineKind;
use rng::Rng;
use rulesets::Ruleset;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

/// Says why a test that needs the kernel does nothing here; a CI run must not skip.
fn skips() -> bool {
    let Some(why) = Kernel::missing() else {
        return false;
    };
    assert!(
        std::env::var_os("CI").is_none(),
        "the kernel cannot be asked: {why}"
    );
    println!("skipped: the kernel cannot be asked: {why}");
    if let Some(path) = std::env::var_os("REDAN_SKIPPED")
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(path)
    {
        _ = writeln!(file, "the kernel cannot be asked: {why}");
    }
    true
}

#[test]
fn redan_agrees_with_linux() {
    if skips() {
        return;
    }
    let (first, rulesets, frames) = (
        setting("REFEREE_SEED", 1),
        setting("REFEREE_RULESETS", 12),
        setting("REFEREE_FRAMES", 1500),
    );
    let frames = usize::try_from(frames).expect("a count of frames");
    let mut tally = Tally::default();
    for seed in first..first + rulesets {
        let mut rng = Rng::new(seed);
        for (kind, share) in KINDS {
            let case = random_case(&mut rng, kind, frames / share, seed, &mut tally.failures);
            tally.add(seed, &case);
        }
    }
    println!(
        "seeds {first} to {}: {} rulesets, {} frames, each through Linux, interpreter and native code; {} differences once",
        first + rulesets - 1,
        tally.cases,
        tally.frames,
        tally.once.len()
    );
    for difference in &tally.once {
        println!("once: {difference}");
    }
    // What does not come again has to be explained, too, but for one in each million that was begun.
    if tally.once.len() > tally.frames.div_ceil(1_000_000) {
        tally.failures.append(&mut tally.once);
    }
    assert!(
        tally.failures.is_empty(),
        "{} differences in {} rulesets\n{}",
        tally.failures.len(),
        tally.cases,
        tally.failures.join("\n")
    );
}

/// What a random ruleset is like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Of everything, and watched.
    Mixed,
    /// About one thing.
    Single,
    /// Of the bridge family.
    Bridge,
}

/// The rulesets of one seed, and what share of its frames each gets.
const KINDS: [(Kind, usize); 7] = [
    (Kind::Mixed, 1),
    (Kind::Single, 5),
    (Kind::Single, 5),
    (Kind::Single, 5),
    (Kind::Single, 5),
    (Kind::Single, 5),
    (Kind::Bridge, 3),
];

/// What a run has found.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    frames: usize,
    failures: Vec<String>,
    /// Differences that did not come again with the same frames.
    once: Vec<String>,
}

impl Tally {
    fn add(&mut self, seed: u64, case: &Case) {
        self.cases += 1;
        self.frames += case.frames.len();
        let Some(first) = case.difference() else {
            return;
        };
        let Some(what) = case.difference() else {
            println!("seed {seed}: only once: {first}");
            self.once.push(format!("seed {seed}: only once: {first}"));
            return;
        };
        println!("seed {seed}: {what}");
        let (small, what) = case.clone().shrink(what);
        let path = small.keep(seed, self.failures.len());
        self.failures
            .push(format!("seed {seed}: {what}\n  kept as {}", path.display()));
    }
}

fn random_case(
    rng: &mut Rng,
    kind: Kind,
    frames: usize,
    seed: u64,
    failures: &mut Vec<String>,
) -> Case {
    let (whole, lab) = match kind {
        Kind::Mixed => (Ruleset::random(rng), Lab::Watched),
        Kind::Single => (Ruleset::single(rng), Lab::Router),
        Kind::Bridge => (Ruleset::bridge(rng), Lab::Bridge),
    };
    let rules = accepted(whole, lab, seed, failures);
    let mut frames = traffic::random(rng, frames);
    if lab == Lab::Bridge {
        traffic::onto_a_bridge(&mut frames, rng);
    }
    Case { rules, frames, lab }
}

/// A ruleset whose every rule nft accepts; each rule alone is also judged by redan, which must agree.
fn accepted(whole: Ruleset, lab: Lab, seed: u64, failures: &mut Vec<String>) -> Ruleset {
    let (ruleset, found) = std::thread::spawn(move || {
        let mut found = Vec::new();
        let _kernel = Kernel::new(lab).expect("a namespace with ports");
        let mut ruleset = whole.filtered(|alone, rule| {
            let same = acceptance_difference(alone, rule);
            found.extend(same.as_ref().err().cloned());
            same == Ok(true)
        });
        ruleset.prune();
        (ruleset, found)
    })
    .join()
    .expect("nft and redan answer");
    failures.extend(found.into_iter().map(|what| format!("seed {seed}: {what}")));
    ruleset
}

/// Whether both compilers accept the rules, or how they differ.
fn acceptance_difference(rules: &str, rule: &str) -> Result<bool, String> {
    match (Kernel::compile(rules), redan::bytecode(rules)) {
        (Ok(nft), Ok(redan)) if instructions(&nft) != instructions(&redan) => {
            let lines = |text: &str| instructions(text).join("\n  ");
            Err(format!(
                "bytecode differs: {rule}\nnft\n  {}\nredan\n  {}",
                lines(&nft),
                lines(&redan)
            ))
        }
        (Ok(_), Ok(_)) => Ok(true),
        (Err(_), Err(_)) => Ok(false),
        (Ok(_), Err(why)) => Err(format!("redan refuses what nft accepts: {rule}\n{why}")),
        (Err(why), Ok(_)) if is_missing_module(rule, &why) => Ok(false),
        (Err(why), Ok(_)) => Err(format!("redan accepts what nft refuses: {rule}\n{why}")),
    }
}

/// What this kernel's configuration leaves out: a word of the rule, and what the kernel answers.
const MISSING_MODULES: &[(&str, &str)] = &[
    // NFT_QUEUE, and NFT_REJECT_NETDEV and NFT_BRIDGE_REJECT for those families.
    ("queue", "No such file or directory"),
    ("reject", "No such file or directory"),
    // NF_CONNTRACK_BRIDGE.
    ("ct state", "Protocol error"),
];

fn is_missing_module(rule: &str, why: &str) -> bool {
    MISSING_MODULES
        .iter()
        .any(|(word, answer)| rule.contains(word) && why.contains(answer))
}

/// The instruction lines, with what belongs to the machine (an interface's number) taken out.
fn instructions(bytecode: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in bytecode
        .lines()
        .map(str::trim)
        .filter(|l| l.starts_with('['))
    {
        let index = lines.last().is_some_and(|l| {
            l.starts_with("[ meta load iif =>") || l.starts_with("[ meta load oif =>")
        });
        lines.push(if index {
            line.split(" 0x").next().unwrap_or(line).to_string()
        } else {
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        });
    }
    lines
}

/// Asks the kernel about the scripted cases that are not there yet and writes what it says: `cargo test --test referee -- --ignored write_scripted_cases`.
#[test]
#[ignore = "writes tests/referee/cases"]
fn write_scripted_cases() {
    for script in scripted::ALL {
        let path = cases().join(format!("{}.case", script.name));
        if path.exists() {
            continue;
        }
        assert!(
            case::keep(&path, script.rules, &script.frames(), script.lab),
            "{}",
            script.name
        );
    }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/referee/cases")
}

/// Cases that once failed, or that settle a question, without a kernel: what Linux answered is in the file.
#[test]
fn kept_cases() {
    let mut files: Vec<_> = std::fs::read_dir(cases())
        .expect("a folder of cases")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "case"))
        .collect();
    files.sort();
    for path in &files {
        let kept = case::read(path);
        for engine in EngineKind::ALL {
            let redan = redan::judge(&kept.rules, &kept.frames, engine, kept.lab);
            if let Some(what) = difference(&kept.kernel, &redan) {
                panic!("{} ({engine:?}): {what}", path.display());
            }
        }
    }
    println!("{} kept cases", files.len());
}
