//! Captures made by hand: each with what is strange about captures from firewalls.

use std::io::Write as _;

use redan_runtime::driver::capture::CaptureWriter;
use redan_vm::Instant;
use serde_json::Value;

use crate::support::frames::{ACK, End, LAN_MAC, SITE, SYN, Segment, WAN_MAC, capture, tcp, udp};
use crate::support::{Ran, folder, redan, redan_with_stdin};

const CLIENT: End = ([10, 1, 0, 5], 40000);
const SERVER: End = ([10, 2, 0, 9], 443);

const RULES: &[u8] = br#"table inet t {
	chain f {
		type filter hook forward priority 0; policy drop;
		ct state invalid drop
		ct state established counter accept
		iifname "lan0" tcp dport 443 counter accept comment "out"
	}
}
"#;

const HOST_RULES: &[u8] = b"table inet t {
\tchain i {
\t\ttype filter hook input priority 0; policy drop;
\t\ttcp dport 443 counter accept
\t}
}
";

fn syn(to: [u8; 6]) -> Vec<u8> {
    segment(to, (CLIENT, SERVER), SYN, (1, 0))
}

fn segment(to: [u8; 6], (src, dst): (End, End), flags: u8, numbers: (u32, u32)) -> Vec<u8> {
    tcp(
        to,
        &Segment {
            src,
            dst,
            flags,
            numbers,
            payload: b"",
        },
    )
}

/// A frame as a router sends it on: one hop less, from its own link address.
fn sent_on(frame: &[u8], from: [u8; 6]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 8, 8]);
    frame[6..12].copy_from_slice(&from);
    frame[22] -= 1;
    // RFC 1624: one less in the high byte of a word is one more in the sum.
    let sum = u16::from_be_bytes([frame[24], frame[25]]);
    let (sum, carry) = sum.overflowing_add(0x100);
    frame[24..26].copy_from_slice(&(sum + u16::from(carry)).to_be_bytes());
    frame
}

/// A pcapng of two interfaces with times in milliseconds.
fn timed(frames: &[(u64, u32, Vec<u8>)]) -> Vec<u8> {
    let names = ["lan0".to_owned(), "wan0".to_owned()];
    let mut writer = CaptureWriter::new(Vec::new(), &names).expect("memory takes everything");
    for (ms, interface, bytes) in frames {
        let time = Instant::from_nanos(1_700_000_000_000_000_000 + ms * 1_000_000);
        writer
            .write(time, *interface, bytes)
            .expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything")
}

fn session() -> Vec<(u64, u32, Vec<u8>)> {
    let out = syn(LAN_MAC);
    let back = segment(WAN_MAC, (SERVER, CLIENT), SYN | ACK, (9, 2));
    let last = segment(LAN_MAC, (CLIENT, SERVER), ACK, (2, 10));
    vec![
        (0, 0, out.clone()),
        (1, 1, sent_on(&out, WAN_MAC)),
        (20, 1, back.clone()),
        (21, 0, sent_on(&back, LAN_MAC)),
        (30, 0, last.clone()),
        (31, 1, sent_on(&last, WAN_MAC)),
    ]
}

fn objects(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

#[track_caller]
fn check(files: &[(&str, &[u8])], arguments: &[&str], code: i32, said: &[&str]) -> Ran {
    let ran = redan(folder(files).path(), arguments).ends_with(code);
    for part in said {
        assert!(ran.stderr.contains(part), "no {part:?} in:\n{}", ran.stderr);
    }
    ran
}

#[test]
fn a_forwarded_packet_is_taken_once() {
    let bytes = timed(&session());
    for site in [&["--site", "s"][..], &[]] {
        let arguments = ["replay", "r", "c", "--format", "json"];
        let ran = check(
            &[("r", RULES), ("c", &bytes), ("s", SITE.as_bytes())],
            &[&arguments[..], site].concat(),
            0,
            &["3 frames: captured a second time on the way out"],
        );
        let seen: Vec<_> = objects(&ran)
            .iter()
            .map(|object| {
                let verdict = object["verdict"].as_str().unwrap_or_default().to_owned();
                (verdict, object["copy_of"].as_u64())
            })
            .collect();
        let (accept, other) = ("accept".to_owned(), "other".to_owned());
        let wanted =
            [1, 3, 5].map(|number| [(accept.clone(), None), (other.clone(), Some(number))]);
        assert_eq!(seen, wanted.as_flattened());
    }
}

#[test]
fn frames_of_two_interfaces_are_put_in_order() {
    let mut frames = session();
    frames.sort_by_key(|(_, interface, _)| *interface);
    let arguments = ["replay", "r", "c", "--site", "s", "--format", "json"];
    let files: [(&str, &[u8]); 3] = [("r", RULES), ("c", &timed(&frames)), ("s", SITE.as_bytes())];
    let ran = check(&files, &arguments, 0, &["2 frames stand behind later ones"]);
    let numbers: Vec<_> = objects(&ran)
        .iter()
        .map(|object| object["packet"].as_u64())
        .collect();
    assert_eq!(numbers, [1, 4, 5, 2, 3, 6].map(Some));
    frames.push((10_000, 0, syn(LAN_MAC)));
    frames.push((13_000, 0, syn(LAN_MAC)));
    frames.push((5_000, 0, syn(LAN_MAC)));
    let files: [(&str, &[u8]); 3] = [("r", RULES), ("c", &timed(&frames)), ("s", SITE.as_bytes())];
    check(&files, &arguments, 0, &["1 frames are more than 2 s older"]);
}

#[test]
fn checksums_left_to_the_card_are_told() {
    let mut frame = syn(LAN_MAC);
    // The sum of the pseudo-header alone.
    let words = [0x0a01_u32, 0x0005, 0x0a02, 0x0009, 6, 20];
    let sum = words.iter().sum::<u32>();
    let sum = u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded");
    frame[50..52].copy_from_slice(&sum.to_be_bytes());
    let files: [(&str, &[u8]); 3] = [
        ("r", RULES),
        ("c", &timed(&[(0, 0, frame)])),
        ("s", SITE.as_bytes()),
    ];
    let arguments = ["replay", "r", "c", "--site", "s"];
    let ran = check(
        &files,
        &arguments,
        0,
        &["add --checksums ignore", "10.1.0.5"],
    );
    assert!(
        ran.stdout.contains("ct invalid (bad-checksum)"),
        "{}",
        ran.stdout
    );
    let arguments = [&arguments[..], &["--checksums", "ignore"]].concat();
    let ran = check(&files, &arguments, 0, &[]);
    assert!(ran.stdout.contains("accept"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn another_machines_link_addresses_are_told() {
    let strange = [6, 6, 6, 6, 6, 6];
    let files: [(&str, &[u8]); 3] = [
        ("r", RULES),
        ("c", &timed(&[(0, 0, syn(strange))])),
        ("s", SITE.as_bytes()),
    ];
    let arguments = ["replay", "r", "c", "--site", "s"];
    let said = ["06:06:06:06:06:06 (1)", "--any-mac"];
    let ran = check(&files, &arguments, 0, &said);
    assert!(ran.stdout.contains("other-host"), "{}", ran.stdout);
    let ran = check(&files, &[&arguments[..], &["--any-mac"]].concat(), 0, &[]);
    assert!(ran.stdout.contains("accept"), "{}", ran.stdout);
}

#[test]
fn a_hosts_own_address_is_asked_for() {
    let files: [(&str, &[u8]); 2] = [
        ("r", HOST_RULES),
        (
            "c",
            &capture(
                &["eth0"],
                &[(0, syn([2; 6])), (0, udp([2; 6], SERVER, CLIENT, b"x"))],
            ),
        ),
    ];
    check(&files, &["replay", "r", "c"], 0, &["add --local 10."]);
    let arguments = ["replay", "r", "c", "--local", "10.2.0.9"];
    let ran = check(&files, &arguments, 0, &[]);
    assert!(ran.stdout.contains("local"), "{}", ran.stdout);
}

#[test]
fn ports_that_are_of_no_use_are_errors() {
    let nameless = {
        let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0, 0, 65535, 1].map(u32::to_le_bytes).as_flattened());
        bytes
    };
    let named = timed(&session());
    let files: [(&str, &[u8]); 3] = [("r", RULES), ("p", &nameless), ("c", &named)];
    let port = |capture, ports: &[&'static str]| {
        let mut arguments = vec!["replay", "r", capture];
        for port in ports {
            arguments.extend(["--port", port]);
        }
        arguments
    };
    check(&files, &port("p", &["a"]), 0, &[]);
    check(
        &files,
        &port("p", &["a", "b"]),
        2,
        &["--port b is not used"],
    );
    check(&files, &port("c", &["a"]), 2, &["--port a is not used"]);
    check(&files, &port("c", &["eth9=a"]), 2, &["no interface `eth9`"]);
    let ran = check(&files, &port("c", &["lan0=in0"]), 0, &[]);
    assert!(ran.stdout.contains(" in0 "), "{}", ran.stdout);
}

#[test]
fn captures_come_gzipped_and_through_pipes() {
    let bytes = timed(&session());
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&bytes).expect("memory takes everything");
    let packed = packer.finish().expect("memory takes everything");
    let files: [(&str, &[u8]); 4] = [
        ("r", RULES),
        ("c", &bytes),
        ("z", &packed),
        ("s", SITE.as_bytes()),
    ];
    let folder = folder(&files);
    let run = |capture| redan(folder.path(), &["replay", "r", capture, "--site", "s"]);
    let plain = run("c").ends_with(0).stdout;
    assert_eq!(run("z").ends_with(0).stdout, plain);
    let arguments = ["replay", "r", "-", "--site", "s"];
    let piped = redan_with_stdin(folder.path(), &arguments, &packed).ends_with(0);
    assert_eq!(piped.stdout, plain);
}

#[test]
fn a_site_is_proposed_that_replays_the_capture() {
    let bytes = timed(&session());
    let folder = folder(&[("r", RULES), ("c", &bytes)]);
    let proposed = redan(folder.path(), &["site", "--from-capture", "c"]).ends_with(0);
    for part in [
        "mode = \"router\"",
        "name = \"lan0\"\nmac = \"02:00:00:00:01:01\"",
        "name = \"wan0\"\nmac = \"02:00:00:00:02:01\"",
        "10.1.0.1 is made up",
    ] {
        assert!(
            proposed.stdout.contains(part),
            "no {part:?} in:\n{}",
            proposed.stdout
        );
    }
    std::fs::write(folder.path().join("s"), proposed.stdout).expect("a scratch file");
    let arguments = ["replay", "r", "c", "--site", "s", "--counters", "-"];
    let ran = redan(folder.path(), &arguments).ends_with(0);
    let counters: Value = serde_json::from_str(&ran.stdout).expect("counters alone");
    assert_eq!(
        (&counters[0]["packets"], &counters[1]["packets"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn nothing_that_is_read_is_overwritten() {
    let bytes = timed(&session());
    let folder = folder(&[("r", RULES), ("c", &bytes), ("s", SITE.as_bytes())]);
    std::fs::hard_link(folder.path().join("c"), folder.path().join("hard")).expect("a link");
    for (option, name) in [
        ("--write", "c"),
        ("--write", "hard"),
        ("--counters", "r"),
        ("--conntrack", "s"),
        ("--sets", "./c"),
    ] {
        let arguments = ["replay", "r", "c", "--site", "s", option, name];
        let ran = redan(folder.path(), &arguments).ends_with(2);
        assert!(ran.stderr.contains("would overwrite"), "{}", ran.stderr);
    }
    assert_eq!(
        std::fs::read(folder.path().join("c")).expect("a capture"),
        bytes
    );
}

#[test]
fn what_is_printed_is_chosen_and_summed() {
    let bytes = timed(&session());
    let files: [(&str, &[u8]); 3] = [("r", RULES), ("c", &bytes), ("s", SITE.as_bytes())];
    let lines = |only: &str| {
        let arguments = ["replay", "r", "c", "--site", "s", "--only", only];
        let ran = check(&files, &arguments, 0, &[]);
        ran.stdout
            .lines()
            .map(|line| {
                line.split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(lines("accept"), "1 3 5");
    assert_eq!(lines("ct state new"), "1");
    assert_eq!(
        lines("iifname \"wan0\" tcp sport 443 ct state established"),
        "3"
    );
    assert_eq!(lines("oifname wan0"), "1 5");
    let arguments = ["replay", "r", "c", "--only", "tcp dprot 1"];
    check(&files, &arguments, 2, &["neither a verdict"]);
    let arguments = ["replay", "r", "c", "--site", "s", "--summary"];
    let ran = check(&files, &arguments, 0, &[]);
    for part in [
        "accept  r:6 (inet t f)",
        "accept 3          tcp 10.1.0.5:40000 > 10.2.0.9:443, last by r:5",
    ] {
        let part = part.replace("r:6 (inet t f)", "r:6 (inet t f \"out\")");
        assert!(
            ran.stdout.contains(&part),
            "no {part:?} in:\n{}",
            ran.stdout
        );
    }
}

#[test]
fn json_says_what_text_says() {
    let dropped = udp(WAN_MAC, SERVER, CLIENT, b"x");
    let bytes = timed(&[(0, 0, syn(LAN_MAC)), (5, 1, dropped)]);
    let files: [(&str, &[u8]); 3] = [("r", RULES), ("c", &bytes), ("s", SITE.as_bytes())];
    let arguments = ["replay", "r", "c", "--site", "s", "--format", "json"];
    let objects = objects(&check(&files, &arguments, 0, &[]));
    let (first, second) = (&objects[0], &objects[1]);
    assert_eq!(first["rule"]["comment"], "out");
    assert_eq!(
        (&first["protocol"], &first["flags"]),
        (&"tcp".into(), &"syn".into())
    );
    assert_eq!(
        (&first["saddr"], &first["sport"]),
        (&"10.1.0.5".into(), &40000.into())
    );
    assert_eq!(
        (&first["daddr"], &first["dport"]),
        (&"10.2.0.9".into(), &443.into())
    );
    assert_eq!(
        (&first["out_port"], &first["policy"]),
        (&"wan0".into(), &Value::Null)
    );
    let policy = serde_json::json!({"family": "inet", "table": "t", "chain": "f"});
    assert_eq!(
        (&second["policy"], &second["out_port"]),
        (&policy, &"lan0".into())
    );
}

#[test]
fn lines_are_cut_to_a_width() {
    let long = "x".repeat(100);
    let rules = String::from_utf8_lossy(RULES).replace("\"out\"", &format!("\"{long}\""));
    let bytes = timed(&session());
    let files: [(&str, &[u8]); 3] = [
        ("r", rules.as_bytes()),
        ("c", &bytes),
        ("s", SITE.as_bytes()),
    ];
    let arguments = ["replay", "r", "c", "--site", "s"];
    let ran = check(&files, &arguments, 0, &[]);
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 120),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("x…\"), ct new original"),
        "{}",
        ran.stdout
    );
    let ran = check(&files, &[&arguments[..], &["-v"]].concat(), 0, &[]);
    assert!(ran.stdout.contains(&long), "{}", ran.stdout);
}

#[test]
fn sets_that_packets_change_are_listed() {
    let rules = b"table inet t {
\tset seen { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 1m; }
\tchain f { type filter hook forward priority 0; update @seen { ip saddr . tcp dport } }
}
";
    let bytes = timed(&session());
    let files: [(&str, &[u8]); 3] = [("r", rules), ("c", &bytes), ("s", SITE.as_bytes())];
    let arguments = ["replay", "r", "c", "--site", "s", "--sets", "-"];
    let ran = check(&files, &arguments, 0, &[]);
    let wanted = "table inet t {
\tset seen {
\t\ttype ipv4_addr . inet_service
\t\tflags dynamic,timeout
\t\ttimeout 1m
\t\telements = { 10.1.0.5 . 443 expires 59s999ms,
\t\t\t     10.2.0.9 . 40000 expires 59s989ms }
\t}
}
";
    assert_eq!(ran.stdout, wanted);
}
