//! Listings, compared with what Linux printed for the same packets.

use super::Script;
use crate::conntrack::{LineOptions, Stats, write_line};

/// The `/proc` and `conntrack -L` lines after a script.
fn listings(settings: &str, text: &str) -> (String, String) {
    let mut script = Script::new([1000, 5000]);
    script.run(settings);
    script.run(text);
    let mut proc = String::new();
    script.conntrack.write_proc(script.now, &mut proc).unwrap();
    let mut lines = String::new();
    for entry in script.conntrack.entries(script.now) {
        write_line(&entry, LineOptions::default(), &mut lines).unwrap();
        lines.push('\n');
    }
    (proc, lines)
}

const COUNT_AND_TIME: &str = "set timestamp 1";

#[test]
fn proc_lines() {
    let cases = [
        (
            "0 a>b S => new\n 0 b>a SA => est\n 0 a>b A => est\n 0.5 a>b A => est",
            "ipv4     2 tcp      6 432000 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 packets=3 bytes=120 \
             src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000 packets=1 bytes=40 [ASSURED] mark=0 zone=0 delta-time=0 use=2\n",
        ),
        (
            "0 a>b udp cport=5000 sport=53 => new",
            "ipv4     2 udp      17 30 src=10.0.1.2 dst=10.0.2.2 sport=5000 dport=53 packets=1 bytes=29 [UNREPLIED] \
             src=10.0.2.2 dst=10.0.1.2 sport=53 dport=5000 packets=0 bytes=0 mark=0 zone=0 delta-time=0 use=2\n",
        ),
        (
            "0 a>b icmp len=8 => new",
            "ipv4     2 icmp     1 30 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=7 packets=1 bytes=36 [UNREPLIED] \
             src=10.0.2.2 dst=10.0.1.2 type=0 code=0 id=7 packets=0 bytes=0 mark=0 zone=0 delta-time=0 use=2\n",
        ),
        (
            "0 a>b gre version=1 call=0x21 => new",
            "ipv4     2 gre      47 30 timeout=30, stream_timeout=180 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x21 \
             packets=1 bytes=36 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 srckey=0x21 dstkey=0x0 packets=0 bytes=0 mark=0 zone=0 \
             delta-time=0 use=2\n",
        ),
        (
            "0 a>b ip proto=50 len=16 => new\n 0 b>a ip proto=50 len=16 => est",
            "ipv4     2 unknown  50 600 src=10.0.1.2 dst=10.0.2.2 packets=1 bytes=36 src=10.0.2.2 dst=10.0.1.2 packets=1 bytes=36 \
             mark=0 zone=0 delta-time=0 use=2\n",
        ),
        (
            "0 a6>b6 icmp6 type=128 id=5 len=8 => new\n 0 b6>a6 icmp6 type=129 id=5 len=8 => est",
            "ipv6     10 icmpv6   58 30 src=fd00:0001:0000:0000:0000:0000:0000:0002 dst=fd00:0002:0000:0000:0000:0000:0000:0002 type=128 \
             code=0 id=5 packets=1 bytes=56 src=fd00:0002:0000:0000:0000:0000:0000:0002 dst=fd00:0001:0000:0000:0000:0000:0000:0002 \
             type=129 code=0 id=5 packets=1 bytes=56 mark=0 zone=0 delta-time=0 use=2\n",
        ),
    ];
    for (script, expected) in cases {
        assert_eq!(listings(COUNT_AND_TIME, script).0, expected);
    }
}

#[test]
fn conntrack_lines() {
    let (_, line) = listings("", "0 a6>b6 udp => new");
    assert_eq!(
        line,
        "udp      17 30 src=fd00:1::2 dst=fd00:2::2 sport=40000 dport=80 packets=1 bytes=49 [UNREPLIED] src=fd00:2::2 dst=fd00:1::2 \
         sport=80 dport=40000 packets=0 bytes=0 mark=0 use=1\n"
    );
    let (_, line) = listings(COUNT_AND_TIME, "0 a>b gre version=1 call=0x20 => new");
    assert_eq!(
        line,
        "gre      47 30 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x20 packets=1 bytes=36 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 \
         srckey=0x20 dstkey=0x0 packets=0 bytes=0 mark=0 delta-time=0 use=1\n"
    );
}

#[test]
fn statistics() {
    let stats = Stats {
        invalid: 2,
        insert_failed: 2,
        drop: 2,
        ..Stats::default()
    };
    let mut line = String::new();
    stats.write_line(0, &mut line).unwrap();
    assert_eq!(
        line,
        "cpu=0   \tfound=0 invalid=2 insert=0 insert_failed=2 drop=2 early_drop=0 error=0 search_restart=0 clash_resolve=0 \
         chaintoolong=0 \n"
    );
    let mut proc = String::new();
    stats.write_proc(17, &mut proc).unwrap();
    assert_eq!(
        proc,
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new \
         expect_create expect_delete search_restart\n\
         00000011  00000000 00000000 00000000 00000002 00000000 00000000 00000000 00000000 00000002 00000002 00000000 00000000  00000000 \
         00000000 00000000 00000000\n"
    );
}
