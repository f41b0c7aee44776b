//! Random sane traffic between hosts behind the laboratory's two ports: conversations, strays, errors.

mod mangle;
mod offload;
mod packet;
pub(crate) mod script;
mod tcp;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet_packet::icmp::MutableIcmpPacket;
use pnet_packet::icmpv6::MutableIcmpv6Packet;
use pnet_packet::udp::{self, MutableUdpPacket};
use pnet_packet::{icmp, icmpv6};

use crate::kernel::{NEIGHBORS, PORTS};
use crate::rng::Rng;
pub(crate) use offload::Vnet;
use packet::{addresses, packet};

/// A frame on a port's wire.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) port: usize,
    pub(crate) bytes: Vec<u8>,
    /// What is left to the network card.
    pub(crate) vnet: Vnet,
}

/// One end of a conversation.
#[derive(Clone, Copy, Debug)]
struct End {
    address: IpAddr,
    port: u16,
    /// Next sequence number.
    seq: u32,
    /// What it says about itself in TCP.
    manners: tcp::Manners,
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
    /// The last TCP segment and its sender.
    said: Option<(usize, Vec<u8>)>,
}

/// `count` frames, fragments among them.
pub(crate) fn random(rng: &mut Rng, count: usize) -> Vec<Frame> {
    let mut talks: Vec<Talk> = (0..24).map(|_| new_talk(rng)).collect();
    let mut frames = Vec::with_capacity(count);
    while frames.len() < count {
        if rng.one_in(60) {
            let old = rng.below(talks.len());
            talks[old] = new_talk(rng);
        }
        let at = rng.below(talks.len());
        frames.extend(talks[at].next(rng));
    }
    frames.truncate(count);
    frames
}

/// Makes frames that a router was to get ones between two hosts on a bridge; some are tagged, some carry no IP.
pub(crate) fn onto_a_bridge(frames: &mut Vec<Frame>, rng: &mut Rng) {
    // What is too long a bridge drops, and a wire passes on: a capture may hold what a card has joined (docs/differences.md).
    frames.retain(|frame| frame.bytes.len() <= 1514 || frame.vnet.segments().is_some());
    for frame in frames {
        let peer = NEIGHBORS.iter().find(|(_, _, port)| *port != frame.port);
        let (_, mac, _) = peer.expect("a neighbour");
        frame.bytes[..6].copy_from_slice(mac);
        if frame.vnet != Vnet::default() {
            continue;
        }
        match rng.below(30) {
            0 => drop(frame.bytes.splice(12..12, [0x81, 0, 0x20, 5])),
            1 => frame.bytes[12..14].copy_from_slice(&[0x88, 0xb5]),
            2 => frame.bytes[..6].fill(0xff),
            _ => {}
        }
    }
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
                manners: tcp::Manners::random(rng),
            },
            End {
                address: peer,
                port: service,
                seq: rng.u32(),
                manners: tcp::Manners::random(rng),
            },
        ],
        home,
        step: 0,
        last: None,
        said: None,
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
    /// The next packet, or its fragments.
    fn next(&mut self, rng: &mut Rng) -> Vec<Frame> {
        self.step += 1;
        // Now and then an error about the last packet, sent by its receiver or by a router behind the same port.
        if rng.one_in(25)
            && let Some(last) = self.last.clone()
        {
            return vec![self.error(rng, &last)];
        }
        let (from, payload) = match self.kind {
            Kind::Tcp => self.tcp(rng),
            Kind::Udp => self.udp(rng),
            Kind::Ping => self.ping(rng),
            Kind::Other(protocol) => (rng.below(2), plain(protocol, rng)),
        };
        // The machine speaks for itself.
        if from == 1 && self.is_to_the_machine() {
            return self.next(rng);
        }
        let ip = self.ip(from, &payload.1, payload.0, rng);
        self.last = Some(ip.clone());
        if ip.len() > 1500 || rng.one_in(10) {
            return vec![offload::offload(self.frame(from, &ip), rng)];
        }
        let ip = mangle::dress(ip, rng);
        mangle::cut(&ip, rng)
            .iter()
            .map(|ip| self.frame(from, ip))
            .collect()
    }

    fn is_to_the_machine(&self) -> bool {
        let own = PORTS
            .iter()
            .flat_map(|port| port.addresses)
            .filter_map(|a| a.split('/').next());
        own.filter_map(|a| a.parse().ok())
            .any(|a: IpAddr| a == self.ends[1].address)
    }

    fn udp(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        let from = usize::from(self.step > 1 && rng.one_in(2));
        let mut bytes = self.datagram(from, size(rng, 100));
        if rng.one_in(20) {
            bytes[7] ^= 0x55;
        }
        (from, (17, bytes))
    }

    fn datagram(&self, from: usize, data: usize) -> Vec<u8> {
        let mut bytes = vec![0; 8 + data];
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
        p.set_checksum(sum);
        bytes
    }

    fn ping(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        let from = usize::from(self.step > 1 && rng.one_in(2));
        let data = rng.below(40);
        if rng.one_in(20) {
            let kind = rng.choose(&[13, 17, 5, 42, 3]);
            return (from, self.query(from, kind, data));
        }
        (from, self.echo(from, data))
    }

    /// An echo request from the asking end, a reply from the other.
    fn echo(&self, from: usize, data: usize) -> (u8, Vec<u8>) {
        let kind = match (from == 0, self.ends[0].address.is_ipv6()) {
            (true, false) => 8,
            (false, false) => 0,
            (true, true) => 128,
            (false, true) => 129,
        };
        self.query(from, kind, data)
    }

    fn query(&self, from: usize, kind: u8, data: usize) -> (u8, Vec<u8>) {
        let mut bytes = vec![0; 8 + data];
        bytes[0] = kind;
        bytes[4..6].copy_from_slice(&self.ends[0].port.to_be_bytes());
        self.icmp(from, bytes)
    }

    /// Protocol number and message with its checksum.
    fn icmp(&self, from: usize, mut bytes: Vec<u8>) -> (u8, Vec<u8>) {
        let ends = (self.ends[from].address, self.ends[1 - from].address);
        if let (IpAddr::V6(s), IpAddr::V6(d)) = ends {
            let mut p = MutableIcmpv6Packet::new(&mut bytes).expect("8 bytes");
            let sum = icmpv6::checksum(&p.to_immutable(), &s, &d);
            p.set_checksum(sum);
            return (58, bytes);
        }
        let mut p = MutableIcmpPacket::new(&mut bytes).expect("8 bytes");
        let sum = icmp::checksum(&p.to_immutable());
        p.set_checksum(sum);
        (1, bytes)
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
        self.frame(from, &ip)
    }

    fn frame(&self, from: usize, ip: &[u8]) -> Frame {
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
        bytes.extend_from_slice(ip);
        Frame {
            port,
            bytes,
            vnet: Vnet::default(),
        }
    }
}

/// Bytes of data: fewer than `most`, now and then several segments' worth.
fn size(rng: &mut Rng, most: usize) -> usize {
    if rng.one_in(30) {
        1500 + rng.below(3000)
    } else {
        rng.below(most)
    }
}

/// A protocol that is nothing but its number: GRE version 0 with an ordinary payload type; all others are opaque.
fn plain(protocol: u8, rng: &mut Rng) -> (u8, Vec<u8>) {
    let mut bytes = vec![0; 8 + rng.below(40)];
    bytes[2..4].copy_from_slice(&[8, 0]);
    (protocol, bytes)
}
