//! Random sane traffic between hosts behind the laboratory's two ports: conversations, strays, errors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet_packet::icmp::MutableIcmpPacket;
use pnet_packet::icmpv6::MutableIcmpv6Packet;
use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv4::{self, MutableIpv4Packet};
use pnet_packet::ipv6::MutableIpv6Packet;
use pnet_packet::tcp::{self, MutableTcpPacket};
use pnet_packet::udp::{self, MutableUdpPacket};
use pnet_packet::{icmp, icmpv6};

use crate::kernel::{NEIGHBORS, PORTS};
use crate::rng::Rng;

/// A frame on a port's wire.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) port: usize,
    pub(crate) bytes: Vec<u8>,
}

/// TCP flag bits.
mod flag {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const PSH: u8 = 8;
    pub(crate) const ACK: u8 = 16;
}

/// One end of a conversation.
#[derive(Clone, Copy, Debug)]
struct End {
    address: IpAddr,
    port: u16,
    /// Next sequence number.
    seq: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tcp,
    Udp,
    Ping,
    Other(u8),
}

/// A conversation; end 0 asks.
#[derive(Clone, Debug)]
struct Talk {
    kind: Kind,
    ends: [End; 2],
    /// Which port end 0 is behind.
    home: usize,
    step: usize,
    last: Option<Vec<u8>>,
}

/// `count` frames.
pub(crate) fn random(rng: &mut Rng, count: usize) -> Vec<Frame> {
    let mut talks: Vec<Talk> = (0..24).map(|_| new_talk(rng)).collect();
    let mut frames = Vec::with_capacity(count);
    while frames.len() < count {
        if rng.one_in(60) {
            let old = rng.below(talks.len());
            talks[old] = new_talk(rng);
        }
        let at = rng.below(talks.len());
        frames.push(talks[at].next(rng));
    }
    frames
}

fn host(rng: &mut Rng, six: bool, port: usize) -> IpAddr {
    let n = rng.below(4);
    match (six, port) {
        (false, 0) => [
            Ipv4Addr::new(192, 168, 1, 10),
            Ipv4Addr::new(192, 168, 1, 11),
            Ipv4Addr::new(192, 168, 40, 2),
            Ipv4Addr::new(10, 1, 0, 2),
        ][n]
            .into(),
        (false, _) => [
            Ipv4Addr::new(198, 51, 100, 7),
            Ipv4Addr::new(198, 51, 100, 200),
            Ipv4Addr::new(203, 0, 113, 8),
            Ipv4Addr::new(10, 2, 0, 2),
        ][n]
            .into(),
        (true, 0) => ["fd10::10", "fd10::11", "fd10:0:40::2", "fd01::2"][n]
            .parse::<Ipv6Addr>()
            .expect("an address")
            .into(),
        (true, _) => ["2001:db8::7", "2001:db8::200", "2001:db8:1::8", "fd02::2"][n]
            .parse::<Ipv6Addr>()
            .expect("an address")
            .into(),
    }
}

fn new_talk(rng: &mut Rng) -> Talk {
    let six = rng.one_in(3);
    let home = usize::from(rng.one_in(3));
    let kind = match rng.below(10) {
        0..=4 => Kind::Tcp,
        5..=7 => Kind::Udp,
        8 => Kind::Ping,
        _ => Kind::Other(rng.choose(&[47, 50, 89, 253])),
    };
    let service = rng.choose(&[22, 53, 80, 443, 8080, 25, 5000]);
    let client = rng.choose(&[40_000, 40_001, 1024, 5353]) + rng.below(3) as u16;
    let peer = if rng.one_in(12) {
        own_address(six, home)
    } else {
        host(rng, six, 1 - home)
    };
    Talk {
        kind,
        ends: [
            End {
                address: host(rng, six, home),
                port: client,
                seq: rng.u32(),
            },
            End {
                address: peer,
                port: service,
                seq: rng.u32(),
            },
        ],
        home,
        step: 0,
        last: None,
    }
}

/// The laboratory's own address on a port.
fn own_address(six: bool, port: usize) -> IpAddr {
    PORTS[port].addresses[usize::from(six)]
        .split('/')
        .next()
        .and_then(|a| a.parse().ok())
        .expect("an address")
}

impl Talk {
    fn next(&mut self, rng: &mut Rng) -> Frame {
        self.step += 1;
        // Now and then an error about the last packet, sent by its receiver or by a router behind the same port.
        if rng.one_in(25)
            && let Some(last) = self.last.clone()
        {
            return self.error(rng, &last);
        }
        let (from, payload) = match self.kind {
            Kind::Tcp => self.tcp(rng),
            Kind::Udp => self.udp(rng),
            Kind::Ping => self.ping(rng),
            Kind::Other(protocol) => (rng.below(2), self.plain(protocol, rng)),
        };
        // The machine speaks for itself.
        if from == 1 && self.is_to_the_machine() {
            return self.next(rng);
        }
        let ip = self.ip(from, &payload.1, payload.0, rng);
        self.last = Some(ip.clone());
        self.frame(from, ip)
    }

    fn is_to_the_machine(&self) -> bool {
        let own = PORTS
            .iter()
            .flat_map(|port| port.addresses)
            .filter_map(|a| a.split('/').next());
        own.filter_map(|a| a.parse().ok())
            .any(|a: IpAddr| a == self.ends[1].address)
    }

    fn tcp(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        use flag::{ACK, FIN, PSH, RST, SYN};
        let stray = rng.one_in(14);
        let (from, flags, data) = if stray {
            (
                rng.below(2),
                rng.choose(&[
                    SYN,
                    SYN | ACK,
                    ACK,
                    FIN | ACK,
                    RST,
                    RST | ACK,
                    FIN,
                    0,
                    SYN | FIN,
                    PSH | ACK,
                ]),
                0,
            )
        } else {
            match self.step {
                1 => (0, SYN, 0),
                2 => (1, SYN | ACK, 0),
                3 => (0, ACK, 0),
                _ => match rng.below(24) {
                    0 => (0, FIN | ACK, 0),
                    1 => (1, FIN | ACK, 0),
                    2 => (rng.below(2), RST | ACK, 0),
                    3 => (0, SYN, 0),
                    _ => (
                        rng.below(2),
                        if rng.one_in(2) { PSH | ACK } else { ACK },
                        rng.below(200),
                    ),
                },
            }
        };
        let to = 1 - from;
        let (seq, ack) = (
            self.ends[from].seq,
            if flags & ACK == 0 {
                0
            } else {
                self.ends[to].seq
            },
        );
        let segment = self.segment(from, flags, seq, ack, data);
        if !stray {
            let used = u32::try_from(data).expect("small") + u32::from(flags & (SYN | FIN) != 0);
            self.ends[from].seq = seq.wrapping_add(used);
        }
        (from, (6, segment))
    }

    fn segment(&self, from: usize, flags: u8, seq: u32, ack: u32, data: usize) -> Vec<u8> {
        let mut bytes = vec![0; 20 + data];
        let mut p = MutableTcpPacket::new(&mut bytes).expect("20 bytes");
        p.set_source(self.ends[from].port);
        p.set_destination(self.ends[1 - from].port);
        p.set_sequence(seq);
        p.set_acknowledgement(ack);
        p.set_data_offset(5);
        p.set_flags(flags);
        p.set_window(64_000);
        let sum = match (self.ends[from].address, self.ends[1 - from].address) {
            (IpAddr::V4(s), IpAddr::V4(d)) => tcp::ipv4_checksum(&p.to_immutable(), &s, &d),
            (IpAddr::V6(s), IpAddr::V6(d)) => tcp::ipv6_checksum(&p.to_immutable(), &s, &d),
            _ => unreachable!("both ends of a conversation have one family"),
        };
        p.set_checksum(sum);
        bytes
    }

    fn udp(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        let from = usize::from(self.step > 1 && rng.one_in(2));
        let mut bytes = vec![0; 8 + rng.below(100)];
        let len = u16::try_from(bytes.len()).expect("small");
        let mut p = MutableUdpPacket::new(&mut bytes).expect("8 bytes");
        p.set_source(self.ends[from].port);
        p.set_destination(self.ends[1 - from].port);
        p.set_length(len);
        let sum = match (self.ends[from].address, self.ends[1 - from].address) {
            (IpAddr::V4(s), IpAddr::V4(d)) => udp::ipv4_checksum(&p.to_immutable(), &s, &d),
            (IpAddr::V6(s), IpAddr::V6(d)) => udp::ipv6_checksum(&p.to_immutable(), &s, &d),
            _ => unreachable!("both ends of a conversation have one family"),
        };
        p.set_checksum(if rng.one_in(20) { sum ^ 0x55 } else { sum });
        (from, (17, bytes))
    }

    fn ping(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        let from = usize::from(self.step > 1 && rng.one_in(2));
        let mut bytes = vec![0; 8 + rng.below(40)];
        bytes[4..6].copy_from_slice(&self.ends[0].port.to_be_bytes());
        let echo = match (from == 0, self.ends[0].address.is_ipv6()) {
            (true, false) => 8,
            (false, false) => 0,
            (true, true) => 128,
            (false, true) => 129,
        };
        bytes[0] = if rng.one_in(20) {
            rng.choose(&[13, 17, 5, 42, 3])
        } else {
            echo
        };
        (from, self.icmp(from, bytes))
    }

    /// Protocol number and message with its checksum.
    fn icmp(&self, from: usize, mut bytes: Vec<u8>) -> (u8, Vec<u8>) {
        match (self.ends[from].address, self.ends[1 - from].address) {
            (IpAddr::V6(s), IpAddr::V6(d)) => {
                let mut p = MutableIcmpv6Packet::new(&mut bytes).expect("8 bytes");
                let sum = icmpv6::checksum(&p.to_immutable(), &s, &d);
                p.set_checksum(sum);
                (58, bytes)
            }
            _ => {
                let mut p = MutableIcmpPacket::new(&mut bytes).expect("8 bytes");
                let sum = icmp::checksum(&p.to_immutable());
                p.set_checksum(sum);
                (1, bytes)
            }
        }
    }

    fn plain(&self, protocol: u8, rng: &mut Rng) -> (u8, Vec<u8>) {
        // GRE version 0 with an ordinary payload type; all others are opaque.
        let mut bytes = vec![0; 8 + rng.below(40)];
        bytes[2..4].copy_from_slice(&[8, 0]);
        (protocol, bytes)
    }

    fn ip(&self, from: usize, payload: &[u8], protocol: u8, rng: &mut Rng) -> Vec<u8> {
        let ttl = if rng.one_in(40) { 1 } else { 64 };
        packet(
            self.ends[from].address,
            self.ends[1 - from].address,
            protocol,
            ttl,
            rng.u16(),
            payload,
        )
    }

    fn error(&self, rng: &mut Rng, last: &[u8]) -> Frame {
        let six = last[0] >> 4 == 6;
        let (src, dst) = addresses(last);
        let dst = if self.is_to_the_machine() {
            host(rng, six, 1 - self.home)
        } else {
            dst
        };
        // The error goes back to the sender of the quoted packet.
        let from = usize::from(src == self.ends[0].address);
        let reporter = if rng.one_in(3) {
            host(rng, six, if from == 0 { self.home } else { 1 - self.home })
        } else {
            dst
        };
        let quote = &last[..last.len().min(if six { 100 } else { 28 + rng.below(30) })];
        let mut bytes = vec![0; 8];
        let (kind, code) = if six {
            rng.choose(&[(1, 4), (1, 1), (2, 0), (3, 0)])
        } else {
            rng.choose(&[(3, 3), (3, 1), (11, 0), (3, 4), (12, 0)])
        };
        (bytes[0], bytes[1]) = (kind, code);
        if (six, kind) == (true, 2) || (six, kind, code) == (false, 3, 4) {
            bytes[6..8].copy_from_slice(&1400_u16.to_be_bytes());
        }
        bytes.extend_from_slice(quote);
        let mut talk = self.clone();
        talk.ends[from].address = reporter;
        talk.ends[1 - from].address = src;
        let (protocol, message) = talk.icmp(from, bytes);
        let ip = packet(reporter, src, protocol, 64, rng.u16(), &message);
        self.frame(from, ip)
    }

    fn frame(&self, from: usize, ip: Vec<u8>) -> Frame {
        let port = if from == 0 { self.home } else { 1 - self.home };
        let six = ip[0] >> 4 == 6;
        let (_, mac, _) = NEIGHBORS
            .iter()
            .find(|(a, _, p)| *p == port && a.contains(':') == six)
            .expect("a neighbour");
        let mut bytes = Vec::with_capacity(14 + ip.len());
        bytes.extend_from_slice(&PORTS[port].mac);
        bytes.extend_from_slice(mac);
        bytes.extend_from_slice(if six { &[0x86, 0xdd] } else { &[8, 0] });
        bytes.extend_from_slice(&ip);
        Frame { port, bytes }
    }
}

fn addresses(ip: &[u8]) -> (IpAddr, IpAddr) {
    if ip[0] >> 4 == 6 {
        let at = |i: usize| IpAddr::from(<[u8; 16]>::try_from(&ip[i..i + 16]).expect("16 bytes"));
        (at(8), at(24))
    } else {
        let at = |i: usize| IpAddr::from(<[u8; 4]>::try_from(&ip[i..i + 4]).expect("4 bytes"));
        (at(12), at(16))
    }
}

fn packet(src: IpAddr, dst: IpAddr, protocol: u8, ttl: u8, id: u16, payload: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut bytes = vec![0; 20 + payload.len()];
            let len = u16::try_from(bytes.len()).expect("small");
            let mut p = MutableIpv4Packet::new(&mut bytes).expect("20 bytes");
            p.set_version(4);
            p.set_header_length(5);
            p.set_total_length(len);
            p.set_identification(id);
            p.set_ttl(ttl);
            p.set_next_level_protocol(IpNextHeaderProtocol(protocol));
            p.set_source(src);
            p.set_destination(dst);
            p.set_payload(payload);
            let sum = ipv4::checksum(&p.to_immutable());
            p.set_checksum(sum);
            bytes
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut bytes = vec![0; 40 + payload.len()];
            let mut p = MutableIpv6Packet::new(&mut bytes).expect("40 bytes");
            p.set_version(6);
            p.set_payload_length(u16::try_from(payload.len()).expect("small"));
            p.set_next_header(IpNextHeaderProtocol(protocol));
            p.set_hop_limit(ttl);
            p.set_source(src);
            p.set_destination(dst);
            p.set_payload(payload);
            bytes
        }
        _ => unreachable!("both ends of a conversation have one family"),
    }
}
