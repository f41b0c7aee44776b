//! What conntrack costs a packet of an open connection, by how many connections there are: lookup, tracker, timer and counters, with packets of random
//! connections, so that nothing is in the caches that would not be there in traffic.

#![expect(
    clippy::indexing_slicing,
    reason = "the frames are made here, with room for what is written into them"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use redan_runtime::conntrack::{Conntrack, TrackHook, Tunables};
use redan_vm::family::nfproto;
use redan_vm::packet::{ipv4, ipv6, layout_flags, protocol, tcp, udp};
use redan_vm::{Instant, Packet};

const START: Instant = Instant::from_secs(1_700_000_000);

/// A packet that can be made one of any connection.
#[derive(Clone, Copy)]
enum Kind {
    Udp4,
    Tcp4,
    Udp6,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Udp4 => "udp",
            Self::Tcp4 => "tcp",
            Self::Udp6 => "udp6",
        }
    }

    /// A packet of one direction; its addresses and ports are [`Self::aim`]'s.
    fn packet(self) -> Packet {
        let mut transport = vec![0; 20];
        let (v6, proto) = match self {
            Self::Udp4 => (false, protocol::UDP),
            Self::Udp6 => (true, protocol::UDP),
            Self::Tcp4 => (false, protocol::TCP),
        };
        if proto == protocol::TCP {
            transport[12..16].copy_from_slice(&[0x50, tcp::flags::ACK, 0x20, 0]);
        } else {
            transport.truncate(udp::LEN);
            transport[4..6].copy_from_slice(&[0, 8]);
        }
        let len = u16::try_from(transport.len()).unwrap_or(0);
        let (v4, any) = ([10, 0, 0, 1].into(), [0xfd; 16].into());
        let mut frame = if v6 {
            ipv6::emit(any, any, proto, 64, len).to_vec()
        } else {
            ipv4::emit(v4, v4, proto, 64, len).to_vec()
        };
        frame.extend(transport);
        let mut packet = Packet::default();
        packet.layout.end = u32::try_from(frame.len()).unwrap_or(0);
        packet.layout.nfproto = if v6 { nfproto::IPV6 } else { nfproto::IPV4 };
        packet.frame = frame;
        packet
    }

    /// Makes the packet one of connection `number`, as it goes or as the answer goes.
    fn aim(self, packet: &mut Packet, number: u32, is_reply: bool) {
        let (network, address) = match self {
            Self::Udp4 | Self::Tcp4 => (12, 4),
            Self::Udp6 => (8, 16),
        };
        let host = network + address - 4;
        let peer = host + address;
        let transport = match self {
            Self::Udp4 | Self::Tcp4 => ipv4::LEN,
            Self::Udp6 => ipv6::LEN,
        };
        let client = (number / 8).to_be_bytes();
        let server = 0xc0a8_0001_u32.to_be_bytes();
        let port = 1024 + (number % 8);
        let port = u16::try_from(port).unwrap_or(0).to_be_bytes();
        let ports = [port, 443_u16.to_be_bytes()];
        let (addresses, ports) = if is_reply {
            ([server, client], [ports[1], ports[0]])
        } else {
            ([client, server], ports)
        };
        packet.frame[host..host + 4].copy_from_slice(&addresses[0]);
        packet.frame[peer..peer + 4].copy_from_slice(&addresses[1]);
        packet.frame[transport..transport + 2].copy_from_slice(&ports[0]);
        packet.frame[transport + 2..transport + 4].copy_from_slice(&ports[1]);
        packet.ct = redan_vm::packet::CtView::default();
    }
}

fn pass(conntrack: &mut Conntrack, packet: &mut Packet, now: Instant) {
    conntrack.handle_packet(now, packet, TrackHook::Output);
    let _ = conntrack.confirm(now, packet);
}

/// A table with `count` connections, all open both ways.
fn table(kind: Kind, count: u32) -> Conntrack {
    let tunables = Tunables {
        max: 0,
        ..Tunables::default()
    };
    let mut conntrack = Conntrack::new(tunables, 0x5eed);
    let mut packet = kind.packet();
    for number in 0..count {
        for is_reply in [false, true] {
            kind.aim(&mut packet, number, is_reply);
            pass(&mut conntrack, &mut packet, START);
        }
    }
    conntrack
}

fn open_connections(c: &mut Criterion) {
    let now = START + Duration::from_secs(3);
    for kind in [Kind::Udp4, Kind::Tcp4, Kind::Udp6] {
        let mut group = c.benchmark_group(format!("conntrack/{}", kind.name()));
        for count in [1_000, 100_000, 1_000_000] {
            let mut conntrack = table(kind, count);
            let mut packet = kind.packet();
            let mut random = 1_u64;
            group.bench_function(BenchmarkId::from_parameter(count), |b| {
                b.iter(|| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let number = ((random >> 32) * u64::from(count)) >> 32;
                    let number = u32::try_from(number).unwrap_or(0);
                    kind.aim(&mut packet, number, random & 0x8000 != 0);
                    pass(&mut conntrack, &mut packet, now);
                    black_box(packet.ct.state)
                });
            });
            assert_eq!(conntrack.count(), count as usize);
        }
        group.finish();
    }
}

fn new_connections(c: &mut Criterion) {
    let kind = Kind::Udp4;
    let mut packet = kind.packet();
    let mut conntrack = table(kind, 0);
    let (mut number, mut now) = (0, START);
    c.bench_function("conntrack/new-and-expired", |b| {
        b.iter(|| {
            number = (number + 1) % 100_000_000;
            now = now + Duration::from_micros(100);
            kind.aim(&mut packet, number, false);
            pass(&mut conntrack, &mut packet, now);
            conntrack.handle_timeout(now);
        });
    });
}

/// `ct count` for a packet of one of so many connections that are counted together.
fn counted_connections(c: &mut Criterion) {
    let kind = Kind::Udp4;
    let now = START + Duration::from_secs(3);
    let mut group = c.benchmark_group("conntrack/count");
    for count in [100, 40_000] {
        let mut conntrack = table(kind, count);
        let mut packet = kind.packet();
        packet.layout.flags |= layout_flags::L4PROTO;
        let mut number = 0;
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                number = (number + 7919) % count;
                kind.aim(&mut packet, number, false);
                conntrack.handle_packet(now, &mut packet, TrackHook::Output);
                black_box(conntrack.count_connection(now, &packet, 1))
            });
        });
        assert!(conntrack.counted(1) > 0);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = open_connections, new_connections, counted_connections
}
criterion_main!(benches);
