//! Two hosts in network namespaces that reach each other through `redan run` on two TAPs, or do not.
#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking, and says what it has found"
)]

mod checksums;
mod lab;
mod roles;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use lab::{Lab, can_run};
use roles::{BULK, transfer};
use support::net::Namespace;
use support::{Need, Ran, folder, has, wait_until};

#[test]
fn ping_crosses_from_inside_and_not_from_outside() {
    if !can_run() || !has(&[Need::Program("ping")]) {
        return;
    }
    let lab = Lab::start("home-gateway.rules");
    let ping = |from: &Namespace, to: &str| {
        from.run("ping", &["-c", "3", "-i", "0.2", "-W", "2", to])
            .status
            .success()
    };
    assert!(ping(&lab.client, "10.2.0.2"), "log: {}", lab.log());
    assert!(!ping(&lab.server, "10.1.0.2"), "log: {}", lab.log());
}

#[test]
fn hosts_reach_each_other_as_the_rules_allow() {
    if !can_run() {
        return;
    }
    let lab = Lab::start("home-gateway.rules");
    let (sent, received) = transfer(&lab.client, &lab.server, "10.2.0.2:8080");
    assert!(
        sent.starts_with(&BULK.to_string()),
        "sent: {sent}; log: {}",
        lab.log()
    );
    assert_eq!(sent, received, "log: {}", lab.log());
    let (unasked, nothing) = transfer(&lab.server, &lab.client, "10.1.0.2:8080");
    assert_eq!(
        (unasked.as_str(), nothing.as_str()),
        ("timed out", ""),
        "log: {}",
        lab.log()
    );

    lab.signal("-HUP");
    wait_until("a line about SIGHUP", || {
        lab.log().contains("redan: SIGHUP: ")
    });
    lab.signal("-USR1");
    wait_until("counters", || lab.log().contains("verdict_accept "));
    assert_eq!(owner(lab.router.pid()), "65534", "privileges are dropped");
    lab.signal("-TERM");
    let Lab {
        router,
        client,
        folder,
        ..
    } = lab;
    assert_eq!(
        router.wait(),
        Some(0),
        "{}",
        std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
    );
    let links = client.run("ip", &["link"]);
    assert!(
        !String::from_utf8_lossy(&links.stdout).contains("lan0"),
        "the TAP is gone with the program"
    );
}

#[test]
fn root_of_a_user_namespace_runs_without_rights() {
    if !has(&[Need::Namespaces, Need::Tun]) {
        return;
    }
    let folder = folder(&[
        ("r", b"table ip t { }\n"),
        ("s.toml", b"[[port]]\nname = \"lan0\"\n"),
    ]);
    let run = |more: &[&str]| -> Ran {
        Command::new("unshare")
            .args(["-rn", env!("CARGO_BIN_EXE_redan"), "run", "r"])
            .args(["--site", "s.toml", "--for", "0"])
            .args(more)
            .current_dir(folder.path())
            .output()
            .expect("unshare starts")
            .into()
    };
    let by_itself = run(&[]).ends_with(0);
    assert!(
        by_itself.stderr.contains("stays root, without any right"),
        "{}",
        by_itself.stderr
    );
    run(&["--user", "root"]).ends_with(0);
    let asked = run(&["--user", "65534"]).ends_with(2);
    assert!(
        asked.stderr.contains("has no user 65534") && asked.stderr.contains("--user root"),
        "{}",
        asked.stderr
    );
    run(&["--user", "no-such-user"]).ends_with(2);
}

/// The user that a process runs as.
fn owner(pid: u32) -> String {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))
        .unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap_or_default()
        .to_owned();
    line.split_whitespace()
        .nth(2)
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn iperf3_runs_through() {
    if !can_run() || !has(&[Need::Program("iperf3")]) {
        return;
    }
    let lab = Lab::start("home-gateway.rules");
    let mut server = lab
        .server
        .command("iperf3", &["-s", "-1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("iperf3 starts");
    wait_until("iperf3 to listen", || {
        let sockets = lab.server.run("cat", &["/proc/net/tcp6", "/proc/net/tcp"]);
        String::from_utf8_lossy(&sockets.stdout).contains(":1451 ")
    });
    let done = lab.client.run("iperf3", &["-c", "10.2.0.2", "-t", "1"]);
    assert!(
        done.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&done.stdout),
        lab.log()
    );
    _ = server.wait();
}
