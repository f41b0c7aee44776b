//! A router and a host with the same rules in the kernel and in a replay of what was captured on them. What a replay advises is followed,
//! and nothing else is known to it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::net::Namespace;
use crate::support::{Need, folder, has, redan, wait_until};

const ROUTER: &[u8] = br#"table inet fw {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state invalid counter drop
		ct state established,related counter accept
		icmp type echo-request counter accept
		tcp dport 5202 counter accept
		counter
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state invalid counter drop
		ct state established,related counter accept
		iifname "lan0" oifname "wan0" tcp dport 5201 counter accept
		iifname "lan0" icmp type echo-request counter accept
		tcp dport 25 counter reject with tcp reset
		counter
	}
	chain output {
		type filter hook output priority 0;
		ct state invalid counter
		ct state new counter
		ct state established,related counter
	}
}
"#;

const HOST: &[u8] = br"table inet host {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state invalid counter drop
		ct state established,related counter accept
		icmp type echo-request counter accept
		counter
	}
	chain output {
		type filter hook output priority 0;
		ct state invalid counter
		ct state new counter
		ct state established,related counter
	}
}
";

struct Lab {
    lan: Namespace,
    router: Namespace,
    wan: Namespace,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let lab = Self {
            lan: Namespace::new(),
            router: Namespace::new(),
            wan: Namespace::new(),
            folder: folder(&[("router.nft", ROUTER), ("host.nft", HOST)]),
        };
        for host in [&lab.lan, &lab.router, &lab.wan] {
            let off = "net.ipv6.conf.all.disable_ipv6=1";
            assert!(host.run("sysctl", &["-qw", off]).status.success());
        }
        let forward = "net.ipv4.ip_forward=1";
        assert!(lab.router.run("sysctl", &["-qw", forward]).status.success());
        for (host, port, own, address) in [
            (&lab.lan, "lan0", "10.1.0.1", "10.1.0.5/24"),
            (&lab.wan, "wan0", "10.2.0.1", "10.2.0.9/24"),
        ] {
            lab.router.ip(&[
                &format!(
                    "link add {port} type veth peer name eth0 netns {}",
                    host.pid()
                ),
                &format!("addr add {own}/24 dev {port}"),
                &format!("link set {port} up"),
            ]);
            host.ip(&[
                &format!("addr add {address} dev eth0"),
                "link set eth0 up",
                &format!("route add default via {own}"),
            ]);
        }
        lab
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a capture, and waits until it runs.
    fn capture(&self, host: &Namespace, program: &str, arguments: &[&str], file: &str) -> Child {
        let path = self.path(file);
        let child = host
            .command(program, arguments)
            .arg("-w")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a capture starts");
        wait_until("a capture's header", || {
            std::fs::metadata(&path).is_ok_and(|meta| meta.len() >= 24)
        });
        child
    }

    fn load(&self, host: &Namespace, rules: &str) {
        let path = self.path(rules);
        let done = host.run("nft", &["-f", path.to_str().expect("a plain name")]);
        assert!(done.status.success(), "{done:?}");
    }

    /// Bulk TCP through the router and to it, pings, and a connection that is refused.
    fn traffic(&self) {
        let serve = |host: &Namespace, port: &str| {
            let server = host
                .command("iperf3", &["-s", "-1", "-p", port])
                .stdout(Stdio::null())
                .spawn()
                .expect("iperf3 starts");
            wait_until("a server", || {
                let listening = host.run("ss", &["-Hltn", &format!("sport = :{port}")]);
                !listening.stdout.is_empty()
            });
            server
        };
        let mut servers = [serve(&self.wan, "5201"), serve(&self.router, "5202")];
        for (address, port) in [("10.2.0.9", "5201"), ("10.1.0.1", "5202")] {
            let arguments = ["-c", address, "-p", port, "-n", "500K"];
            assert!(self.lan.run("iperf3", &arguments).status.success());
        }
        for address in ["10.2.0.9", "10.1.0.1"] {
            let arguments = ["-q", "-c", "2", "-i", "0.2", address];
            assert!(self.lan.run("ping", &arguments).status.success());
        }
        let refused = ["-c", "10.2.0.9", "-p", "25", "--connect-timeout", "1000"];
        assert!(!self.lan.run("iperf3", &refused).status.success());
        for server in &mut servers {
            server.wait().expect("a server ends");
        }
    }

    /// The counters of the kernel's rules, in order.
    fn counted(host: &Namespace) -> Vec<(u64, u64)> {
        let listed = host.run("nft", &["-j", "list", "ruleset"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("nft speaks JSON");
        let objects = listed["nftables"].as_array().expect("a list");
        let statements = objects
            .iter()
            .filter_map(|object| object["rule"]["expr"].as_array())
            .flatten();
        statements
            .filter_map(|statement| statement.get("counter"))
            .map(pair)
            .collect()
    }
}

fn pair(counter: &Value) -> (u64, u64) {
    let number = |key: &str| counter[key].as_u64().expect("a number");
    (number("packets"), number("bytes"))
}

/// Ends a capture as its user does.
fn end(mut capture: Child) {
    let pid = capture.id().to_string();
    let done = Command::new("kill").args(["-INT", &pid]).status();
    assert!(done.is_ok_and(|status| status.success()));
    capture.wait().expect("a capture ends");
}

/// Replays a capture, and again with everything that the replay advises; the counters at last. `ports` is what the user knows of its
/// machine, for captures that know interfaces by number alone.
fn follow(folder: &Path, rules: &str, capture: &str, ports: &[String]) -> Vec<(u64, u64)> {
    let mut advised: Vec<String> = Vec::new();
    for _ in 0..5 {
        let mut arguments = vec!["replay", rules, capture, "--counters", "counters"];
        arguments.extend(advised.iter().map(String::as_str));
        let said = redan(folder, &arguments).ends_with(0).stderr;
        let before = advised.len();
        if said.contains("--checksums ignore") {
            advised.extend(["--checksums", "ignore"].map(str::to_owned));
        }
        if said.contains("no port is called as the rules call interfaces") {
            advised.extend(ports.iter().cloned());
        }
        if let Some((_, rest)) = said.split_once("add --local ") {
            let address = rest.split(' ').next().expect("an address");
            advised.extend(["--local", address].map(str::to_owned));
        }
        if said.contains("redan site --from-capture") {
            let mut arguments = vec!["site", "--from-capture", capture];
            arguments.extend(ports.iter().map(String::as_str));
            let site = redan(folder, &arguments).ends_with(0).stdout;
            std::fs::write(folder.join("site.toml"), site).expect("a scratch file");
            advised.extend(["--site", "site.toml"].map(str::to_owned));
        }
        if advised.len() == before {
            let counters = std::fs::read(folder.join("counters")).expect("counters");
            let counters: Vec<Value> = serde_json::from_slice(&counters).expect("an array");
            return counters.iter().map(pair).collect();
        }
    }
    panic!("the advice does not end: {advised:?}");
}

#[test]
fn counters_agree_with_the_kernel() {
    let programs = ["nft", "ip", "iperf3", "ping", "tcpdump"].map(Need::Program);
    if !has(&[&programs[..], &[Need::Namespaces, Need::Root]].concat()) {
        return;
    }
    let lab = Lab::new();
    // Room for what comes while others have the processor.
    let tcpdump = ["-Z", "root", "-U", "-B", "16384", "-i"];
    let on = |interface| [&tcpdump[..], &[interface]].concat();
    // Two interfaces in one file: dumpcap where it is there, else one after the other.
    let both = if has_dumpcap() {
        let arguments = ["-q", "-i", "lan0", "-i", "wan0"];
        vec![lab.capture(&lab.router, "dumpcap", &arguments, "both")]
    } else {
        ["lan0", "wan0"]
            .map(|port| lab.capture(&lab.router, "tcpdump", &on(port), port))
            .into()
    };
    let others = [
        lab.capture(&lab.router, "tcpdump", &on("any"), "any"),
        lab.capture(&lab.lan, "tcpdump", &on("eth0"), "host"),
    ];
    lab.load(&lab.router, "router.nft");
    lab.load(&lab.lan, "host.nft");
    lab.traffic();
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel hands over what it has at the latest after a second, and nothing tells when"
    )]
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let (router, host) = (Lab::counted(&lab.router), Lab::counted(&lab.lan));
    both.into_iter().chain(others).for_each(end);
    if !has_dumpcap() {
        join(lab.folder.path());
    }
    let ports: Vec<String> = ["lan0", "wan0"]
        .iter()
        .flat_map(|port| {
            [
                "--port".to_owned(),
                format!("{}={port}", link_index(&lab.router, port)),
            ]
        })
        .collect();
    let folder = lab.folder.path();
    for (rules, capture, ports, kernel) in [
        ("router.nft", "both", &[][..], &router),
        ("router.nft", "any", &ports, &router),
        ("host.nft", "host", &[], &host),
    ] {
        let replayed = follow(folder, rules, capture, ports);
        assert_eq!(&replayed, kernel, "{rules} on {capture}");
        assert!(kernel.iter().map(|(packets, _)| packets).sum::<u64>() > 50);
    }
}

/// An interface's index.
fn link_index(host: &Namespace, port: &str) -> String {
    let listed = host.run("ip", &["-o", "link", "show", port]).stdout;
    let listed = String::from_utf8(listed).expect("text");
    let index = listed.split(':').next().expect("an index");
    index.trim().to_owned()
}

fn has_dumpcap() -> bool {
    Command::new("sh")
        .args(["-c", "command -v dumpcap"])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// One pcapng of two captures, one behind the other: the order that a sort must mend is as wrong as it can be.
fn join(folder: &Path) {
    use redan_runtime::driver::capture::{CaptureReader, CaptureWriter};
    let names = ["lan0".to_owned(), "wan0".to_owned()];
    let mut frames = Vec::new();
    for (number, name) in (0_u32..).zip(&names) {
        let file = std::fs::File::open(folder.join(name)).expect("a capture");
        let mut reader = CaptureReader::new(Box::new(file)).expect("a header");
        while let Some(frame) = reader.next_frame().expect("whole records") {
            frames.push((frame.time, number, frame.frame.bytes));
        }
    }
    // As far apart as buffers are handed over.
    frames.sort_by_key(|(time, number, _)| (time.as_nanos() / 250_000_000, *number));
    let mut writer = CaptureWriter::new(Vec::new(), &names).expect("memory takes everything");
    for (time, number, bytes) in &frames {
        writer
            .write(*time, *number, bytes)
            .expect("memory takes everything");
    }
    let bytes = writer.finish().expect("memory takes everything");
    std::fs::write(folder.join("both"), bytes).expect("a scratch file");
}
