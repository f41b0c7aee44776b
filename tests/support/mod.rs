//! What whole-program tests share: running the command, scratch folders, frames and captures, and tools that may be missing.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "each test binary uses its own part, and a test fails by panicking"
)]

pub mod frames;
#[cfg(target_os = "linux")]
pub mod net;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run of the command gave.
pub struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Panics with everything that the command printed unless it ended with this code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// The command, in a folder, with arguments.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redan"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("NO_COLOR");
    command
}

/// Runs the command in a folder.
pub fn redan(folder: &Path, arguments: &[&str]) -> Ran {
    command(folder, arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
        .into()
}

/// Runs the command in a folder with a text on its stdin.
pub fn redan_with_stdin(folder: &Path, arguments: &[&str], text: &[u8]) -> Ran {
    let mut child = command(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // The command may end before it has read everything.
    _ = child.stdin.take().expect("stdin is a pipe").write_all(text);
    child.wait_with_output().expect("the command ends").into()
}

/// A folder with these files in it, which goes away with the value.
pub fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a scratch file");
    }
    folder
}

/// The project's own folder.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a test may go on: whether each of these is there. Says what is missing; in CI nothing may be.
pub fn has(needs: &[Need]) -> bool {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|need| !need.is_met())
        .map(|need| need.name())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(
        std::env::var_os("CI").is_none(),
        "this test needs {missing}, which CI must have"
    );
    println!("skipped: needs {missing}");
    if let Some(path) = std::env::var_os("REDAN_SKIPPED")
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(path)
    {
        _ = writeln!(file, "needs {missing}");
    }
    false
}

/// Something that not every machine has.
#[derive(Clone, Copy)]
pub enum Need {
    /// A program on the search path.
    Program(&'static str),
    /// The right to make network namespaces, as root or in a user namespace.
    Namespaces,
    /// The TUN driver, which may be opened.
    Tun,
    /// To be root.
    Root,
}

impl Need {
    const fn name(self) -> &'static str {
        match self {
            Self::Program(name) => name,
            Self::Namespaces => "network namespaces",
            Self::Tun => "/dev/net/tun",
            Self::Root => "root",
        }
    }

    fn is_met(self) -> bool {
        match self {
            Self::Program(name) => succeeds("sh", &["-c", &format!("command -v {name}")]),
            Self::Namespaces => {
                succeeds("unshare", &["-n", "true"]) || succeeds("unshare", &["-rn", "true"])
            }
            Self::Tun => std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/net/tun")
                .is_ok(),
            Self::Root => succeeds("sh", &["-c", "test $(id -u) = 0"]),
        }
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Waits until something holds, for ten seconds at most.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "other processes have their own time"
)]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("waited in vain for {what}");
}
