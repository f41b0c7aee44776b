//! What tests need from the machine: programs from Debian packages, network namespaces, TAP devices.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::say;

/// A program that some tests run, and the Debian package that has it.
struct Tool {
    program: &'static str,
    package: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "nft",
        package: "nftables",
    },
    Tool {
        program: "conntrack",
        package: "conntrack",
    },
    Tool {
        program: "ip",
        package: "iproute2",
    },
    Tool {
        program: "iperf3",
        package: "iperf3",
    },
    Tool {
        program: "ping",
        package: "iputils-ping",
    },
    Tool {
        program: "tcpdump",
        package: "tcpdump",
    },
];

/// Installs what is missing where that is possible, and says in one line what tests will skip where it is not.
pub(crate) fn provide() {
    let wanted: Vec<&str> = missing_tools().map(|tool| tool.package).collect();
    if !wanted.is_empty() && can_install() {
        install(&wanted);
    }
    let mut lacking: Vec<&str> = missing_tools().map(|tool| tool.program).collect();
    if !succeeds("unshare", &["-n", "true"]) && !succeeds("unshare", &["-rn", "true"]) {
        lacking.push("network namespaces");
    }
    if !Path::new("/dev/net/tun").exists() {
        lacking.push("/dev/net/tun");
    }
    if !lacking.is_empty() {
        say(&format!(
            "tests that need these will skip: {}",
            lacking.join(", ")
        ));
    }
}

fn missing_tools() -> impl Iterator<Item = &'static Tool> {
    TOOLS.iter().filter(|tool| !on_path(tool.program))
}

/// Whether a program is on the search path, or where administration tools live when the path leaves those out.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

fn can_install() -> bool {
    is_root() && on_path("apt-get")
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn install(packages: &[&str]) {
    say(&format!("installing {}", packages.join(" ")));
    let install = || {
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages)
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !install() {
        // A fresh machine has no package lists yet.
        succeeds("apt-get", &["update", "--quiet"]);
        install();
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
