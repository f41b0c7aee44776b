//! Network namespaces for tests: each is that of a process that does nothing, and goes away with it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A namespace.
pub struct Namespace(Child);

impl Namespace {
    /// A new one, with nothing but a loopback device that is down.
    pub fn new() -> Self {
        Self::of(Command::new("unshare").args(["-n", "sleep", "600"]))
    }

    /// The namespace of a command that makes its own.
    pub fn of(command: &mut Command) -> Self {
        let namespace = Self(command.spawn().expect("unshare starts"));
        let own = std::fs::read_link("/proc/self/ns/net").expect("/proc is there");
        let path = format!("/proc/{}/ns/net", namespace.pid());
        // unshare has its namespace a moment after it has started.
        super::wait_until("a namespace", || {
            std::fs::read_link(&path).is_ok_and(|its| its != own)
        });
        namespace
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Runs a program inside.
    pub fn run(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        self.command(program, arguments)
            .output()
            .expect("nsenter starts")
    }

    /// A program inside, not started yet.
    pub fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &self.pid().to_string(), "-n"])
            .arg(program.as_ref())
            .args(arguments);
        command.stdin(Stdio::null());
        command
    }

    /// Runs `ip` inside, a line a command.
    #[track_caller]
    pub fn ip(&self, lines: &[&str]) {
        for line in lines {
            let done = self.run("ip", &line.split_whitespace().collect::<Vec<_>>());
            assert!(
                done.status.success(),
                "ip {line}: {}",
                String::from_utf8_lossy(&done.stderr)
            );
        }
    }

    /// Waits for the process to end by itself; its exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.0.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
