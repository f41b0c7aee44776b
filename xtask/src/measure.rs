//! `cargo xtask measure`: what big inputs cost redan and nft, in one run, as ratios. Figures of one run compare; figures of two do not.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::needs::is_root;
use crate::say;
use crate::tests::cargo;

/// Each command runs this often; the least time counts, since other work on the machine only ever adds.
const RUNS: usize = 5;

/// What a command took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// User and system time in seconds.
    secs: f64,
    /// Most memory in KiB.
    kib: f64,
}

/// Makes the inputs, runs both programs on them, and prints the ratios; whether both took every input.
pub(crate) fn run() -> Result<bool> {
    if !Path::new("/usr/bin/time").exists() {
        bail!("/usr/bin/time is missing; install the package `time`");
    }
    let build = cargo()
        .args(["build", "--release", "--package", "redan"])
        .status()
        .context("cannot run cargo build")?;
    if !build.success() {
        return Ok(false);
    }
    let target = PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into()));
    let (redan, place) = (target.join("release/redan"), target.join("measure"));
    fs::create_dir_all(&place)?;
    for (name, text) in [
        ("addresses", addresses(1_000_000)),
        ("rules", rules(50_000)),
    ] {
        let input = place.join(name).with_extension("nft");
        fs::write(&input, text).with_context(|| format!("cannot write {}", input.display()))?;
        let theirs = cost(&nft(), &input, &place)?;
        print(name, "nft -c -f", theirs, theirs);
        for verb in ["compile", "lint"] {
            let ours = cost(&[redan.clone(), verb.into()], &input, &place)?;
            print(name, &format!("redan {verb}"), ours, theirs);
        }
    }
    Ok(true)
}

/// nft's check, in a network of its own. Inside a user namespace the size of a message to the kernel is limited
/// (`net.core.wmem_max`), which a million addresses may exceed; root needs none.
fn nft() -> Vec<PathBuf> {
    let user: &[&str] = if is_root() { &[] } else { &["--map-root-user"] };
    ["unshare"]
        .iter()
        .chain(user)
        .chain(&["--net", "nft", "-c", "-f"])
        .map(Into::into)
        .collect()
}

fn print(name: &str, command: &str, cost: Cost, theirs: Cost) {
    say(&format!(
        "{name:<10} {command:<14} {:>6.2} s {:>5.2} x   {:>6.0} MiB {:>5.2} x",
        cost.secs,
        cost.secs / theirs.secs,
        cost.kib / 1024.0,
        cost.kib / theirs.kib,
    ));
}

/// Runs a command on an input; the least time and memory of all runs.
fn cost(command: &[PathBuf], input: &Path, place: &Path) -> Result<Cost> {
    let report = place.join("cost");
    let mut least: Option<Cost> = None;
    for _ in 0..RUNS {
        let status = Command::new("/usr/bin/time")
            .args(["-f", "%U %S %M", "-o"])
            .arg(&report)
            .args(command)
            .arg(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            bail!("{command:?} fails on {}", input.display());
        }
        let text = fs::read_to_string(&report)?;
        let figures: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
        let &[user, system, kib] = figures.as_slice() else {
            bail!("/usr/bin/time says {text:?}");
        };
        let secs = user + system;
        least = Some(least.map_or(Cost { secs, kib }, |least| Cost {
            secs: secs.min(least.secs),
            kib: kib.min(least.kib),
        }));
    }
    least.context("nothing was run")
}

/// A set of addresses in no order.
fn addresses(count: u32) -> String {
    let mut text = String::from("table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n");
    for number in 0..count {
        let [a, b, c, d] = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
        _ = writeln!(text, "\t\t\t{a}.{b}.{c}.{d},");
    }
    text + "\t\t}\n\t}\n\tchain c {\n\t\ttype filter hook input priority 0;\n\t\tip saddr @s drop\n\t}\n}\n"
}

/// Rules of two matches, a counter and a verdict each, no two of them alike.
fn rules(count: u32) -> String {
    let mut text =
        String::from("table inet t {\n\tchain c {\n\t\ttype filter hook input priority 0;\n");
    for number in 0..count {
        let [_, a, b, c] = number.to_be_bytes();
        let port = 1024 + number % 60_000;
        _ = writeln!(
            text,
            "\t\tip saddr 10.{a}.{b}.{c} tcp dport {port} counter accept"
        );
    }
    text + "\t}\n}\n"
}
