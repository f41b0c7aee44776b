//! Lines as the kernel wrote them for the same packets.

use redan_vm::packet::{LinkKind, dissect};

use super::*;

/// Three lines a packet: the frame as it was logged (in forward, lan0 to wan0), the kernel's line for `log prefix "all "`, and for
/// `log prefix "flags " flags all`. Linux 6.18.
const LINES: &str = include_str!("lines.txt");

fn frame(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn line(bytes: &[u8], prefix: &str, flags: u32) -> String {
    let layout = dissect(bytes, LinkKind::Ethernet).unwrap();
    let mut packet = Packet::new(bytes.to_vec(), layout);
    packet.meta.iif = 1;
    packet.meta.iifname[..4].copy_from_slice(b"lan0");
    packet.meta.oifname[..4].copy_from_slice(b"wan0");
    let log = Log {
        prefix: Some(prefix.into()),
        flags,
        ..Log::default()
    };
    let entry = LogEntry {
        now: Instant::default(),
        hook: Hook::Forward,
        rule: RuleId(0),
        log: &log,
        packet: &packet,
    };
    entry.to_string()
}

#[test]
fn lines_are_the_kernels() {
    let lines: Vec<_> = LINES.lines().collect();
    assert!(lines.len() >= 45);
    for case in lines.chunks(3) {
        let bytes = frame(case[0]);
        assert_eq!(line(&bytes, "all ", 0), case[1]);
        assert_eq!(line(&bytes, "flags ", 0x2f), case[2]);
    }
}

#[test]
fn cut_headers_are_said_to_be_incomplete() {
    for case in LINES.lines().step_by(3) {
        let whole = frame(case);
        let layout = dissect(&whole, LinkKind::Ethernet).unwrap();
        for end in layout.network..layout.end {
            let mut packet = Packet::new(whole.clone(), layout);
            packet.layout.end = end;
            let log = Log {
                flags: 0x2f,
                ..Log::default()
            };
            let entry = LogEntry {
                now: Instant::default(),
                hook: Hook::Forward,
                rule: RuleId(0),
                log: &log,
                packet: &packet,
            };
            assert!(entry.to_string().starts_with("IN="));
        }
    }
}
