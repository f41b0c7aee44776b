//! Hostile frames through a whole datapath with connection tracking: no panic, no frame from nowhere, and a connection table that
//! empties itself in time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redan_lang::compile::{Options, compile};
use redan_runtime::conntrack::Conntrack;
use redan_runtime::frame::{Frame, Offload, SegmentKind, Segments, Takes, TransportSum};
use redan_runtime::{
    Checksums, Datapath, Mode, Neighbor, Port, PortId, Prefix, Reason, Route, Settings, Side,
    Silent, Site,
};
use redan_vm::packet::{ethernet, ethertype, ipv4, ipv6};
use redan_vm::verify::verify;
use redan_vm::{Instant, Interpreter, Ruleset};

use super::rules::Read;

/// Rules that look at much of a packet and do much to it.
const RULES: &str = include_str!("datapath.rules");

static RULESET: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let read = Read::new(RULES.as_bytes());
    let options = Options {
        interfaces: vec!["lo".to_owned(), "lan0".to_owned(), "wan0".to_owned()],
        ..Options::default()
    };
    let (ruleset, findings) = compile(read.file, &read.sources, &options);
    let Some(ruleset) = ruleset else {
        panic!("the target's own rules have errors: {findings:?}");
    };
    assert_eq!(verify(&ruleset), []);
    Arc::new(ruleset)
});

/// The first byte sets the datapath up; then come frames, each with a byte that says where it comes from, one that says how much later,
/// and one that says how long it is.
pub fn run(input: &[u8]) {
    let (setup, mut rest) = input
        .split_first()
        .map_or((0, input), |(s, rest)| (*s, rest));
    let mut datapath = datapath(setup);
    let mut now = Instant::from_secs(1_700_000_000);
    let mut out = Vec::new();
    while let Some((head, more)) = rest.split_first_chunk::<3>() {
        let [from, later, len] = *head;
        let (bytes, more) = more.split_at(usize::from(len).min(more.len()));
        rest = more;
        // From an eighth of a second to well above the longest timeout.
        now = now + Duration::from_millis(125 << (later % 24));
        datapath.handle_timeout(now, &mut out);
        let frame = Frame {
            bytes: frame(from, bytes),
            offload: offload(from),
            made_link: false,
        };
        let report = datapath.handle_frame(now, PortId(u16::from(from & 1)), frame, &mut out);
        assert_ne!(report.reason, Some(Reason::Internal));
        assert!(out.len() <= 64, "{} frames out of one", out.len());
        out.clear();
    }
    settle(&mut datapath, now);
    assert_eq!(datapath.counters().dropped(Reason::Internal), 0);
}

/// Without traffic every connection ends.
fn settle(datapath: &mut Datapath, mut now: Instant) {
    let mut out = Vec::new();
    for _ in 0..1000 {
        let Some(due) = datapath.poll_timeout() else {
            break;
        };
        now = due.max(now);
        datapath.handle_timeout(now, &mut out);
        out.clear();
    }
    let left = datapath.conntrack().map_or(0, Conntrack::count);
    assert_eq!(left, 0, "connections that do not end");
    assert_eq!(datapath.poll_timeout(), None, "something is due forever");
}

fn datapath(setup: u8) -> Datapath {
    let mode = match setup & 3 {
        0 | 1 => Mode::Router,
        2 => Mode::Wire,
        _ => Mode::Host,
    };
    let settings = Settings {
        site: site(mode),
        live: setup & 4 != 0,
        any_mac: setup & 16 != 0,
        checksums: if setup & 8 == 0 {
            Checksums::Ignore
        } else {
            Checksums::Verify
        },
        takes: Takes {
            partial: setup & 16 != 0,
            tcp: setup & 32 != 0,
            udp: setup & 64 != 0,
        },
        seed: 1,
        profile: false,
        trace: false,
    };
    let engine = Box::new(Interpreter::new(&RULESET));
    match Datapath::new(Arc::clone(&RULESET), engine, Box::new(Silent), settings) {
        Ok(datapath) => datapath,
        Err(error) => panic!("the target's own site has an error: {error}"),
    }
}

fn site(mode: Mode) -> Site {
    let prefix = |text: &str| -> Prefix {
        match text.parse() {
            Ok(prefix) => prefix,
            Err(error) => panic!("{text}: {error}"),
        }
    };
    let mut lan = Port::new("lan0", 0);
    lan.addresses = vec![prefix("10.1.0.1/16"), prefix("fd01::1/64")];
    let mut wan = Port::new("wan0", 1);
    wan.addresses = vec![prefix("10.2.0.1/16"), prefix("fd02::1/64")];
    wan.mtu = 1280;
    if mode == Mode::Host {
        lan.side = Side::Inside;
    }
    let peer = wan.addresses.first().map(|own| own.address);
    let routes = peer
        .map(|_| Route {
            to: prefix("0.0.0.0/0"),
            via: std::net::IpAddr::from([10, 2, 0, 2]),
        })
        .into_iter()
        .collect();
    let neighbors = vec![Neighbor {
        address: std::net::IpAddr::from([10, 1, 0, 2]),
        mac: redan_runtime::Mac([2, 0, 0, 0, 9, 2]),
    }];
    Site {
        mode,
        ports: vec![lan, wan],
        routes,
        neighbors,
        ..Site::default()
    }
}

/// What a driver says of a frame, true or not: bits 3 and 4 say whether its checksum is left open and whether it has several segments.
fn offload(from: u8) -> Offload {
    let partial = TransportSum::Partial {
        start: if from & 4 == 0 { 34 } else { 54 },
        field: if from & 128 == 0 { 16 } else { 6 },
    };
    let segments = Segments {
        kind: match from >> 5 & 3 {
            0 | 1 => SegmentKind::Tcp4,
            2 => SegmentKind::Tcp6,
            _ => SegmentKind::Udp,
        },
        size: 8,
        has_cwr: false,
        header_bytes: 54,
    };
    Offload {
        sum: if from & 8 == 0 {
            TransportSum::Unverified
        } else {
            partial
        },
        segments: (from & 16 != 0).then_some(segments),
    }
}

/// The frame that the bytes stand for: bits 1 and 2 say whether a sound link or IP header is put in front of them.
fn frame(from: u8, bytes: &[u8]) -> Vec<u8> {
    let port = usize::from(from & 1);
    let to = Port::new("x", port).mac.0;
    let ethernet = |ethertype| ethernet::emit(to, [2, 0, 0, 0, 9, 2], ethertype).to_vec();
    let (inside, outside) = ([10, 1, 0, 2], [10, 2, 0, 2]);
    let (src, dst) = if port == 0 {
        (inside, outside)
    } else {
        (outside, inside)
    };
    // Protocol and the last byte of the destination come from the input; all else is as it should be.
    let (&[protocol, last], payload) = bytes.split_first_chunk::<2>().unwrap_or((&[0, 0], bytes));
    match from >> 1 & 3 {
        0 => bytes.to_vec(),
        1 => [
            ethernet(u16::from_be_bytes([protocol, last])),
            payload.to_vec(),
        ]
        .concat(),
        2 => {
            let [a, b, c, _] = dst;
            let len = u16::try_from(payload.len()).unwrap_or(0);
            let header = ipv4::emit(src.into(), [a, b, c, last].into(), protocol, 64, len);
            [ethernet(ethertype::IPV4), header.to_vec(), payload.to_vec()].concat()
        }
        _ => {
            let ends = if port == 0 {
                (0xfd01, 0xfd02)
            } else {
                (0xfd02, 0xfd01)
            };
            let address = |net, last: u16| std::net::Ipv6Addr::new(net, 0, 0, 0, 0, 0, 0, last);
            let len = u16::try_from(payload.len()).unwrap_or(0);
            let (src, dst) = (address(ends.0, 2), address(ends.1, u16::from(last)));
            let header = ipv6::emit(src, dst, protocol, 64, len);
            [ethernet(ethertype::IPV6), header.to_vec(), payload.to_vec()].concat()
        }
    }
}
