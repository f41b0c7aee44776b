//! Two hosts in network namespaces that reach each other through `redan run` on two TAPs, or do not.
#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking, and says what it has found"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::net::Namespace;
use support::{Need, Ran, folder, has, project, wait_until};

/// Bytes of the bulk transfer.
const BULK: usize = 64 << 20;

/// The two hosts and the router between them, with a folder for its output.
struct Lab {
    client: Namespace,
    server: Namespace,
    router: Namespace,
    folder: tempfile::TempDir,
}

impl Lab {
    fn start(rules: &str) -> Self {
        let rules = std::fs::read(project().join("rules").join(rules)).expect("a sample ruleset");
        let site = std::fs::read(project().join("rules/home-gateway.toml")).expect("its site");
        let folder = folder(&[("r", &rules), ("s.toml", &site)]);
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let router = Namespace::of(
            Command::new("unshare")
                .args([
                    "-n",
                    env!("CARGO_BIN_EXE_redan"),
                    "run",
                    "r",
                    "--site",
                    "s.toml",
                    "--for",
                    "60",
                ])
                .current_dir(folder.path())
                .stderr(log)
                .stdout(Stdio::null()),
        );
        let lab = Self {
            client: Namespace::new(),
            server: Namespace::new(),
            router,
            folder,
        };
        wait_until("the router to run", || lab.log().contains("running on"));
        for (host, port, address, gateway) in [
            (&lab.client, "lan0", "10.1.0.2/16", "10.1.0.1"),
            (&lab.server, "wan0", "10.2.0.2/16", "10.2.0.1"),
        ] {
            lab.router
                .ip(&[&format!("link set {port} netns {}", host.pid())]);
            host.ip(&[
                "link set lo up",
                &format!("link set {port} up"),
                &format!("addr add {address} dev {port}"),
                &format!("route add default via {gateway}"),
            ]);
        }
        lab
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, signal: &str) {
        let pid = self.router.pid().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .expect("kill starts")
                .success()
        );
    }
}

/// This program again, inside a namespace, in one of [`role`]'s roles.
fn act(host: &Namespace, role: &str, address: &str) -> Command {
    let own = std::env::current_exe().expect("the test's own file");
    let mut command = host.command(own, &["--exact", "role", "--ignored", "--nocapture"]);
    command
        .env("REDAN_TEST_ROLE", role)
        .env("REDAN_TEST_ADDRESS", address)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What a role printed behind its mark.
fn said(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines()
        .find_map(|line| line.split_once("role says "))
        .map(|(_, said)| said.to_owned())
        .unwrap_or_default()
}

#[test]
#[ignore = "a part of the tests below, run inside a namespace"]
fn role() {
    let address = std::env::var("REDAN_TEST_ADDRESS").expect("an address");
    let role = std::env::var("REDAN_TEST_ROLE").expect("a role");
    let result = match role.as_str() {
        "receive" => receive(&address),
        _ => send(&address),
    };
    println!(
        "\nrole says {}",
        result.unwrap_or_else(|error| error.kind().to_string())
    );
}

fn receive(address: &str) -> std::io::Result<String> {
    let (mut connection, _) = TcpListener::bind(address)?.accept()?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes)?;
    Ok(format!(
        "{} {:08x}",
        bytes.len(),
        redan_vm::packet::checksum::crc32c(&bytes)
    ))
}

fn send(address: &str) -> std::io::Result<String> {
    let address = address.parse().expect("an address and port");
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    // A linear congruential generator's bytes (Numerical Recipes), so that no two blocks are alike.
    let mut state = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(BULK)
    .collect();
    connection.write_all(&bytes)?;
    Ok(format!(
        "{} {:08x}",
        bytes.len(),
        redan_vm::packet::checksum::crc32c(&bytes)
    ))
}

fn transfer(from: &Namespace, to: &Namespace, address: &str) -> (String, String) {
    let mut receiver = act(to, "receive", address)
        .spawn()
        .expect("the receiver starts");
    let port = address.rsplit(':').next().expect("a port");
    wait_until("the receiver to listen", || {
        let sockets = to.run("cat", &["/proc/net/tcp"]);
        let wanted = format!(
            ":{:04X} 00000000:0000 0A",
            port.parse::<u16>().expect("a port")
        );
        String::from_utf8_lossy(&sockets.stdout).contains(&wanted)
    });
    let sent = said(
        &act(from, "send", address)
            .output()
            .expect("the sender starts")
            .stdout,
    );
    if sent.contains(' ') && !sent.starts_with(char::is_numeric) {
        // Nobody came: the receiver would wait for ever.
        _ = receiver.kill();
    }
    let received = said(
        &receiver
            .wait_with_output()
            .expect("the receiver ends")
            .stdout,
    );
    (sent, received)
}

fn can_run() -> bool {
    has(&[
        Need::Root,
        Need::Namespaces,
        Need::Tun,
        Need::Program("ip"),
        Need::Program("nsenter"),
    ])
}

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
