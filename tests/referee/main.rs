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
mod listing;
mod redan;
mod rng;
mod rulesets;
mod scripted;
mod traffic;

use std::path::{Path, PathBuf};

use case::Case;
use compare::difference;
use kernel::Kernel;
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
    let mut failures = Vec::new();
    let mut total = 0;
    for seed in first..first + rulesets {
        let mut rng = Rng::new(seed);
        let ruleset = random_ruleset(&mut rng, seed, &mut failures);
        let case = Case {
            rules: ruleset.clone(),
            frames: traffic::random(
                &mut rng,
                !ruleset.sees_fragments(),
                usize::try_from(frames).expect("a count of frames"),
            ),
        };
        total += case.frames.len();
        // What does not come again with the same frames is a matter of the kernel's own clock.
        let found = case.difference();
        if let Some(what) = found.as_ref().and_then(|_| case.difference()) {
            println!("seed {seed}: {what}");
            let (small, what) = case.shrink(what);
            let path = small.keep(seed);
            failures.push(format!("seed {seed}: {what}\n  kept as {}", path.display()));
        } else if let Some(what) = found {
            println!("seed {seed}: only once: {what}");
        }
    }
    println!(
        "seeds {first} to {}: {rulesets} rulesets, {total} frames, each through Linux, interpreter and native code",
        first + rulesets - 1
    );
    assert!(
        failures.is_empty(),
        "{} differences in {rulesets} rulesets\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// A ruleset whose every rule nft accepts; each rule alone is also judged by redan, which must agree.
fn random_ruleset(rng: &mut Rng, seed: u64, failures: &mut Vec<String>) -> Ruleset {
    let whole = Ruleset::random(rng);
    let (ruleset, found) = std::thread::spawn(move || {
        let mut found = Vec::new();
        let _kernel = Kernel::new().expect("a namespace with ports");
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
        // The kernel, not nft: its configuration leaves something out.
        (Err(why), Ok(_)) if why.contains("Could not process rule") => Ok(false),
        (Err(why), Ok(_)) => Err(format!("redan accepts what nft refuses: {rule}\n{why}")),
    }
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

/// Asks the kernel anew about the scripted cases and writes what it says: `cargo test --test referee -- --ignored write_scripted_cases`.
#[test]
#[ignore = "writes tests/referee/cases"]
fn write_scripted_cases() {
    for script in scripted::ALL {
        let path = cases().join(format!("{}.case", script.name));
        assert!(
            case::keep(&path, script.rules, &script.frames()),
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
        let (rules, frames, kernel) = case::read(path);
        for engine in EngineKind::ALL {
            let redan = redan::judge(&rules, &frames, engine);
            if let Some(what) = difference(&kernel, &redan) {
                panic!("{} ({engine:?}): {what}", path.display());
            }
        }
    }
    println!("{} kept cases", files.len());
}
