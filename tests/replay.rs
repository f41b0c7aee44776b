//! `replay`: the contract of its output, and sessions whose verdicts everybody can work out.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::Value;
use support::frames::{ACK, End, LAN_MAC, RST, SITE, SYN, Segment, WAN_MAC, capture, tcp, udp};
use support::{Ran, folder, redan};

const CLIENT: End = ([192, 0, 2, 1], 40000);
const SERVER: End = ([192, 0, 2, 10], 22);

/// The three lines that most servers start from.
const SERVER_RULES: &[u8] = b"table inet filter {
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t\tct state established,related accept
\t\ttcp dport 22 ct state new accept
\t\tct state invalid drop
\t}
}
";

/// A router's: out, back, and nothing else.
const ROUTER_RULES: &[u8] = b"table inet filter {
\tchain forward {
\t\ttype filter hook forward priority filter; policy drop;
\t\tct state established,related counter accept
\t\tiifname \"lan0\" counter accept
\t\ttcp dport 23 reject with tcp reset
\t}
}
";

fn segment(src: End, dst: End, flags: u8, numbers: (u32, u32), payload: &'static [u8]) -> Segment {
    Segment {
        src,
        dst,
        flags,
        numbers,
        payload,
    }
}

/// The first segments of a session.
fn session(client: End, server: End, to_server: [u8; 6], to_client: [u8; 6]) -> Vec<Vec<u8>> {
    vec![
        tcp(to_server, &segment(client, server, SYN, (100, 0), b"")),
        tcp(
            to_client,
            &segment(server, client, SYN | ACK, (500, 101), b""),
        ),
        tcp(to_server, &segment(client, server, ACK, (101, 501), b"")),
        tcp(
            to_client,
            &segment(server, client, ACK, (501, 101), b"SSH-2.0-x\r\n"),
        ),
        tcp(
            to_server,
            &segment(client, server, ACK, (101, 512), b"SSH-2.0-y\r\n"),
        ),
    ]
}

/// The objects of a replay.
fn objects(ran: &Ran) -> Vec<Value> {
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

/// Verdict, reason, line of the rule, and connection state of each frame, in words.
fn fates(objects: &[Value]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |object: &Value| {
        object["rule"]["line"]
            .as_u64()
            .map_or("-".to_owned(), |line| line.to_string())
    };
    objects
        .iter()
        .map(|object| {
            format!(
                "{} {} {} {}",
                word(&object["verdict"]),
                word(&object["reason"]),
                line(object),
                word(&object["ct"]["state"])
            )
        })
        .collect()
}

#[test]
fn an_ssh_session_to_the_machine_itself() {
    let mut frames: Vec<(u32, Vec<u8>)> = session(CLIENT, SERVER, [2; 6], [4; 6])
        .into_iter()
        .map(|frame| (0, frame))
        .collect();
    let dns = udp(
        [2; 6],
        ([192, 0, 2, 53], 53),
        ([192, 0, 2, 10], 5353),
        b"an answer that nobody asked for",
    );
    let stray = tcp(
        [2; 6],
        &segment(
            ([198, 51, 100, 1], 443),
            ([192, 0, 2, 10], 40001),
            SYN | ACK,
            (1, 1),
            b"",
        ),
    );
    frames.extend([(0, dns), (0, stray)]);
    let folder = folder(&[
        ("in.rules", SERVER_RULES),
        ("c.pcapng", &capture(&["eth0"], &frames)),
    ]);
    let run = |engine: &str| {
        let arguments = [
            "replay",
            "in.rules",
            "c.pcapng",
            "--local",
            "192.0.2.10",
            "--format",
            "json",
            "--engine",
            engine,
        ];
        redan(folder.path(), &arguments).ends_with(0)
    };
    let wanted = [
        "local - 5 new",
        "accept no-rule - established",
        "local - 4 established",
        "accept no-rule - established",
        "local - 4 established",
        "drop policy - new",
        "drop - 6 invalid",
    ];
    let jit = run("jit");
    assert_eq!(fates(&objects(&jit)), wanted);
    assert_eq!(run("interp").stdout, jit.stdout);
    let stray = &objects(&jit)[6];
    assert_eq!(
        (&stray["ct"]["direction"], stray["ct"]["reason"].is_string()),
        (&Value::Null, true),
        "{stray}"
    );
}

/// A session through the router, a connection from outside, and one that is refused.
fn routed() -> tempfile::TempDir {
    let (inside, outside) = (([10, 1, 0, 2], 40000), ([10, 2, 0, 2], 22));
    let mut frames: Vec<(u32, Vec<u8>)> = (0..)
        .zip(session(inside, outside, LAN_MAC, WAN_MAC))
        .map(|(at, frame)| (at % 2, frame))
        .collect();
    frames.push((
        1,
        tcp(
            WAN_MAC,
            &segment(([10, 2, 0, 2], 999), ([10, 1, 0, 2], 22), SYN, (1, 0), b""),
        ),
    ));
    frames.push((
        1,
        tcp(
            WAN_MAC,
            &segment(([10, 2, 0, 2], 999), ([10, 1, 0, 2], 23), SYN, (1, 0), b""),
        ),
    ));
    folder(&[
        ("in.rules", ROUTER_RULES),
        ("s.toml", SITE.as_bytes()),
        ("c.pcapng", &capture(&["lan0", "wan0"], &frames)),
    ])
}

const ROUTED: [&str; 6] = [
    "replay", "in.rules", "c.pcapng", "--site", "s.toml", "--format",
];

#[test]
fn objects_have_the_promised_shape() {
    let folder = routed();
    let ran = redan(folder.path(), &[&ROUTED[..], &["json"]].concat()).ends_with(0);
    let objects = objects(&ran);
    let wanted = [
        "accept - 5 new",
        "accept - 4 established",
        "accept - 4 established",
        "accept - 4 established",
        "accept - 4 established",
        "drop policy - new",
        "reject - 6 new",
    ];
    assert_eq!(fates(&objects), wanted);
    let first = &objects[0];
    assert_eq!(
        (&first["schema"], &first["packet"], &first["port"]),
        (&Value::from(1), &Value::from(1), &Value::from("lan0"))
    );
    assert!(
        ran.stdout
            .starts_with("{\"schema\":1,\"packet\":1,\"time\":1700000000.000000,"),
        "{}",
        ran.stdout
    );
    let rule = serde_json::json!({
        "family": "inet", "table": "filter", "chain": "forward", "hook": "forward", "file": "in.rules", "line": 5,
    });
    assert_eq!(first["rule"], rule);
    assert_eq!(
        first["ct"],
        serde_json::json!({"state": "new", "direction": "original", "mark": 0, "reason": null})
    );
    assert_eq!(first["out"][0]["port"], "wan0");
    let bytes = first["out"][0]["bytes"].as_str().expect("hex");
    assert_eq!(bytes.len(), 2 * 54, "the frame, link header first");
    assert_eq!(&bytes[44..46], "3f", "one hop farther");
    assert_eq!(objects[5]["out"], serde_json::json!([]));
    let reset = &objects[6]["out"][0];
    assert_eq!(reset["port"], "wan0");
    let flags = u8::from_str_radix(&reset["bytes"].as_str().expect("hex")[2 * 47..2 * 48], 16)
        .expect("a byte");
    assert_ne!(flags & RST, 0, "{reset}");
}

#[test]
fn text_says_who_decided_and_why() {
    let folder = routed();
    let ran = redan(folder.path(), &[&ROUTED[..], &["text", "--trace"]].concat()).ends_with(0);
    for part in [
        "tcp 10.1.0.2:40000 > 10.2.0.2:22 syn  by in.rules:5 (inet filter forward), ct new original",
        "tcp 10.2.0.2:22 > 10.1.0.2:40000 syn,ack  by in.rules:4",
        "by policy of inet filter forward, ct new",
        "sends wan0 tcp 10.1.0.2:23 > 10.2.0.2:999 rst,ack",
        "forward     matches in.rules:5 (inet filter forward)",
        "forward     no      in.rules:4 (inet filter forward): ct state established,related: was new\n",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in:\n{}", ran.stdout);
    }
}

#[test]
fn files_at_the_end() {
    let folder = routed();
    let files = [
        "json",
        "--write",
        "out.pcapng",
        "--counters",
        "counters",
        "--conntrack",
        "table",
        "--stats",
        "--repeat",
        "3",
    ];
    let ran = redan(folder.path(), &[&ROUTED[..], &files].concat()).ends_with(0);
    let file =
        |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("the file is there");
    let counters: Value = serde_json::from_str(&file("counters")).expect("one array");
    let row = |line: u32, packets: u32, bytes: u32| {
        serde_json::json!({
            "family": "inet", "table": "filter", "chain": "forward", "file": "in.rules", "line": line, "packets": packets, "bytes": bytes,
        })
    };
    assert_eq!(
        counters,
        serde_json::json!([row(4, 4, 40 * 4 + 22), row(5, 1, 40)])
    );
    let table = file("table");
    assert!(
        table.starts_with("ipv4     2 tcp      6 ")
            && table.contains(" ESTABLISHED src=10.1.0.2 dst=10.2.0.2 "),
        "{table}"
    );
    assert_eq!(
        table.lines().count(),
        1,
        "what was dropped has no entry:\n{table}"
    );
    for key in [
        "packets 7\n",
        "verdict_accept 5\n",
        "verdict_reject 1\n",
        "ns_per_packet_total ",
        "ns_per_packet_rules ",
    ] {
        assert!(ran.stderr.contains(key), "no {key:?} in:\n{}", ran.stderr);
    }
    // What came out is a capture itself: five frames and the reset.
    let ran = redan(
        folder.path(),
        &["replay", "in.rules", "out.pcapng", "--format", "json"],
    )
    .ends_with(0);
    let ports: Vec<Value> = objects(&ran)
        .into_iter()
        .map(|mut object| object["port"].take())
        .collect();
    assert_eq!(ports, ["wan0", "lan0", "wan0", "lan0", "wan0", "wan0"]);
}

#[test]
fn a_ruleset_with_errors_stops_the_replay() {
    let folder = folder(&[
        ("in.rules", b"table inet t { chain c { jump nowhere; }; }\n"),
        ("c", &capture(&["eth0"], &[(0, vec![0; 60])])),
    ]);
    let ran = redan(folder.path(), &["replay", "in.rules", "c"]).ends_with(1);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.contains("in.rules:1") && ran.stderr.contains("nowhere"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_site_frames_leave_by_the_other_port() {
    let frame = udp([2; 6], ([10, 0, 0, 1], 1), ([10, 0, 0, 2], 2), b"x");
    let rules = b"table inet t {\n\tchain c {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tiifname \"a\" oifname \"b\" accept\n\t}\n}\n";
    let folder = folder(&[
        ("in.rules", rules),
        (
            "c",
            &capture(&["a", "b"], &[(0, frame.clone()), (1, frame.clone())]),
        ),
    ]);
    let ran = redan(
        folder.path(),
        &["replay", "in.rules", "c", "--format", "json"],
    )
    .ends_with(0);
    let objects = objects(&ran);
    assert_eq!(objects[0]["out"][0]["port"], "b");
    let hex = frame
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(objects[0]["out"][0]["bytes"], hex, "a wire changes nothing");
    assert_eq!(
        (&objects[1]["verdict"], &objects[1]["reason"]),
        (&Value::from("drop"), &Value::from("policy"))
    );
}

#[test]
fn log_groups_go_to_files() {
    let frame = udp([2; 6], ([10, 0, 0, 1], 1), ([10, 0, 0, 2], 2), b"payload");
    let rules = b"table inet t {\n\tchain c {\n\t\ttype filter hook forward priority 0;\n\t\tlog prefix \"line: \"\n\t\tlog prefix \"three\" group 3 snaplen 20\n\t\tlog group 4\n\t}\n}\n";
    let folder = folder(&[
        ("in.rules", rules),
        ("c", &capture(&["a", "b"], &[(1, frame.clone())])),
    ]);
    for engine in ["jit", "interp"] {
        let logs = folder.path().join(engine);
        std::fs::create_dir(&logs).expect("a folder");
        let arguments = ["replay", "in.rules", "c", "--engine", engine, "--log-dir"];
        let ran = redan(folder.path(), &[&arguments[..], &[engine]].concat()).ends_with(0);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(
            ran.stderr.starts_with("line: IN=b OUT=a "),
            "{}",
            ran.stderr
        );
        let holds = |name: &str, wanted: &[u8]| {
            let bytes = std::fs::read(logs.join(name)).expect("a group's file");
            bytes.windows(wanted.len()).any(|bytes| bytes == wanted)
        };
        assert!(holds("group-3.pcapng", b"three"));
        assert!(
            !holds("group-3.pcapng", b"payload"),
            "the link header and 20 bytes"
        );
        assert!(holds("group-4.pcapng", &frame));
    }
    let arguments = ["replay", "in.rules", "c", "--log-dir", "nowhere"];
    let ran = redan(folder.path(), &arguments).ends_with(2);
    assert!(
        ran.stderr.contains("nowhere/group-3.pcapng"),
        "{}",
        ran.stderr
    );
    let ran = redan(folder.path(), &["replay", "in.rules", "c"]).ends_with(0);
    assert!(
        ran.stderr.contains("threeIN=b"),
        "a line without files: {}",
        ran.stderr
    );
}
