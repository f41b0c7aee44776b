//! Packets from words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_vm::Packet;
use redan_vm::family::nfproto;
use redan_vm::packet::checksum::{Sum, sctp};
use redan_vm::packet::{ipv4, ipv6, protocol};

/// Makes packets, and remembers them to quote them.
pub(super) struct Builder {
    isn: [u32; 2],
    sent: Vec<Vec<u8>>,
}

/// `key=value` words.
struct Words<'a>(&'a [&'a str]);

impl<'a> Words<'a> {
    fn find(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn number(&self, key: &str, default: u32) -> u32 {
        self.find(key).map_or(default, |value| {
            value
                .strip_prefix("0x")
                .map_or_else(|| value.parse(), |hex| u32::from_str_radix(hex, 16))
                .unwrap_or_else(|_| panic!("{key}={value}"))
        })
    }

    fn short(&self, key: &str, default: u16) -> u16 {
        u16::try_from(self.number(key, default.into())).unwrap()
    }

    fn byte(&self, key: &str, default: u8) -> u8 {
        u8::try_from(self.number(key, default.into())).unwrap()
    }
}

fn host(name: &str) -> IpAddr {
    let number = match name.as_bytes()[0] {
        b'a' => 1,
        b'b' => 2,
        b'c' => 3,
        _ => panic!("no host {name}"),
    };
    match name.get(1..) {
        Some("6") => Ipv6Addr::new(0xfd00, number.into(), 0, 0, 0, 0, 0, 2).into(),
        Some("ll") => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number.into()).into(),
        _ => Ipv4Addr::new(10, 0, number, 2).into(),
    }
}

impl Builder {
    pub(super) const fn new(isn: [u32; 2]) -> Self {
        Self {
            isn,
            sent: Vec::new(),
        }
    }

    /// The packet of `FROM>TO WORDS`.
    pub(super) fn build(&mut self, words: &[&str]) -> Packet {
        let (from, to) = words[0].split_once('>').unwrap();
        let is_a = from.starts_with('a');
        let words = Words(&words[1..]);
        let (src, dst) = (host(from), host(to));
        let kind = words.0[0];
        let is_flags = kind.chars().all(|c| "FSRPAUEC0".contains(c));
        let (proto, mut payload) = match kind {
            _ if is_flags => (protocol::TCP, self.tcp(kind, &words, is_a)),
            "udp" => (protocol::UDP, udp(&words, is_a)),
            "udplite" => (protocol::UDPLITE, udp(&words, is_a)),
            "icmp" => (protocol::ICMP, self.icmp(&words)),
            "icmp6" => (protocol::ICMPV6, self.icmp(&words)),
            "sctp" => (protocol::SCTP, sctp_packet(&words, is_a)),
            "gre" => (protocol::GRE, gre(&words)),
            "ip" => (
                words.byte("proto", 50),
                vec![0; words.number("len", 8) as usize],
            ),
            _ => panic!("no protocol {kind}"),
        };
        fill_checksum(src, dst, proto, &mut payload, &words);
        let cut = words.number("cut", 0) as usize;
        payload.truncate(payload.len() - cut);
        let bytes = with_network(src, dst, proto, &payload, &words);
        self.sent.push(bytes.clone());
        into_packet(bytes)
    }

    fn tcp(&self, flags: &str, words: &Words<'_>, is_a: bool) -> Vec<u8> {
        let flags = flags.chars().fold(0, |all, flag| {
            all | match flag {
                'F' => 1,
                'S' => 2,
                'R' => 4,
                'P' => 8,
                'A' => 16,
                'U' => 32,
                'E' => 64,
                'C' => 128,
                _ => 0,
            }
        });
        let [a, b] = self.isn;
        let (own, peer) = if is_a { (a, b) } else { (b, a) };
        let seq = own.wrapping_add(words.number("seq", u32::from(flags & 2 == 0)));
        let ack = words.find("ack").is_some() || flags & 16 != 0;
        let ack = if ack {
            peer.wrapping_add(words.number("ack", 1))
        } else {
            0
        };
        let ack = if words.has("ack0") { 0 } else { ack };
        let seq = if words.has("seq0") { 0 } else { seq };
        let options = tcp_options(words, peer);
        let offset = words.byte("doff", u8::try_from(5 + options.len() / 4).unwrap());
        let (sport, dport) = ports(words, is_a);
        let mut bytes = Vec::new();
        bytes.extend(sport.to_be_bytes());
        bytes.extend(dport.to_be_bytes());
        bytes.extend(seq.to_be_bytes());
        bytes.extend(ack.to_be_bytes());
        bytes.extend([offset << 4, flags]);
        bytes.extend(words.short("win", 8192).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(options);
        bytes.resize(bytes.len() + words.number("len", 0) as usize, 0x61);
        bytes
    }

    /// A query, or an error that quotes packet `quote` of this script (from 1) up to `bytes` bytes.
    fn icmp(&self, words: &Words<'_>) -> Vec<u8> {
        let mut bytes = vec![words.byte("type", 8), words.byte("code", 0), 0, 0];
        bytes.extend(words.short("id", 7).to_be_bytes());
        bytes.extend(words.short("seq", 1).to_be_bytes());
        match words.find("quote") {
            Some(number) => {
                let number: usize = number.parse().unwrap();
                let quoted = &self.sent[number - 1];
                let len = words.number("bytes", 1000) as usize;
                bytes.extend(vec![0; words.number("skip", 0) as usize]);
                if let Some(option) = words.find("option") {
                    bytes.extend([option.parse().unwrap(), 6, 0, 0, 0, 0, 0, 0]);
                }
                bytes.extend(&quoted[..len.min(quoted.len())]);
            }
            None => bytes.resize(bytes.len() + words.number("len", 0) as usize, 0),
        }
        bytes
    }
}

fn ports(words: &Words<'_>, is_a: bool) -> (u16, u16) {
    let (client, server) = (words.short("cport", 40000), words.short("sport", 80));
    if is_a {
        (client, server)
    } else {
        (server, client)
    }
}

fn tcp_options(words: &Words<'_>, peer: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(scale) = words.find("ws") {
        bytes.extend([3, 3, scale.parse().unwrap()]);
    }
    if words.has("sackok") {
        bytes.extend([4, 2]);
    }
    if let Some((left, right)) = words.find("sack").and_then(|sack| sack.split_once(':')) {
        bytes.extend([5, 10]);
        for edge in [left, right] {
            bytes.extend(peer.wrapping_add(edge.parse().unwrap()).to_be_bytes());
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4), 1);
    bytes
}

fn udp(words: &Words<'_>, is_a: bool) -> Vec<u8> {
    let (sport, dport) = ports(words, is_a);
    let payload = words.short("len", 1);
    let length = words.short("udplen", payload + 8);
    let mut bytes = Vec::new();
    bytes.extend(sport.to_be_bytes());
    bytes.extend(dport.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 2]);
    bytes.resize(8 + usize::from(payload), 0x61);
    bytes
}

/// `kinds=` lists chunk types; `init=` is the tag that INIT and INIT ACK announce.
fn sctp_packet(words: &Words<'_>, is_a: bool) -> Vec<u8> {
    let (sport, dport) = ports(words, is_a);
    let mut bytes = Vec::new();
    bytes.extend(sport.to_be_bytes());
    bytes.extend(dport.to_be_bytes());
    bytes.extend(words.number("tag", 0).to_be_bytes());
    bytes.extend([0; 4]);
    for kind in words.find("kinds").unwrap().split(',') {
        let kind: u8 = kind.parse().unwrap();
        let value = match kind {
            1 | 2 => 16,
            _ => 4,
        };
        let flags = words.byte("flags", 0);
        let len = words.short("chunklen", 4 + value);
        bytes.extend([kind, flags]);
        bytes.extend(len.to_be_bytes());
        let start = bytes.len();
        bytes.extend(words.number("init", 0).to_be_bytes());
        bytes.resize(start + usize::from(value), 0);
    }
    bytes
}

/// Version 0, or 1 with `call=`.
fn gre(words: &Words<'_>) -> Vec<u8> {
    let version = words.byte("version", 0);
    let mut bytes = vec![0, version];
    bytes.extend(words.short("ethertype", 0x880b).to_be_bytes());
    bytes.extend([0, 4]);
    bytes.extend(words.short("call", 0).to_be_bytes());
    bytes.extend([0; 8]);
    bytes
}

fn fill_checksum(src: IpAddr, dst: IpAddr, proto: u8, payload: &mut [u8], words: &Words<'_>) {
    if words.has("nosum") {
        return;
    }
    if proto == protocol::SCTP {
        let sum = sctp(payload);
        payload[8..12].copy_from_slice(&sum);
    }
    let at = match proto {
        protocol::TCP => 16,
        protocol::UDP | protocol::UDPLITE => 6,
        protocol::ICMP | protocol::ICMPV6 => 2,
        _ => 0,
    };
    if at != 0 {
        let len = u32::try_from(payload.len()).unwrap();
        let pseudo = words.byte("pseudo", proto);
        let sum = match (src, dst) {
            _ if proto == protocol::ICMP => Sum::new(),
            (IpAddr::V4(src), IpAddr::V4(dst)) => Sum::pseudo_v4(src, dst, pseudo, len),
            (IpAddr::V6(src), IpAddr::V6(dst)) => Sum::pseudo_v6(src, dst, pseudo, len),
            _ => panic!("mixed families"),
        };
        let sum = sum.add_bytes(payload).finish();
        payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    if words.has("badsum") {
        let at = if proto == protocol::SCTP { 8 } else { at };
        payload[at] ^= 1;
    }
}

fn with_network(src: IpAddr, dst: IpAddr, proto: u8, payload: &[u8], words: &Words<'_>) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut bytes = ipv4::emit(src, dst, proto, 64, len).to_vec();
            let offset = words.short("frag", 0);
            bytes[6..8].copy_from_slice(&offset.to_be_bytes());
            bytes.extend(payload);
            bytes
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let extensions = extensions(words, proto);
            let first = words.find("ext").map_or(proto, |list| {
                list.split(',').next().unwrap().parse().unwrap()
            });
            let total = len + u16::try_from(extensions.len()).unwrap();
            let hop_limit = words.byte("hl", 64);
            let mut bytes = ipv6::emit(src, dst, first, hop_limit, total).to_vec();
            bytes.extend(extensions);
            bytes.extend(payload);
            bytes
        }
        _ => panic!("mixed families"),
    }
}

/// `ext=` lists extension headers, eight bytes each.
fn extensions(words: &Words<'_>, proto: u8) -> Vec<u8> {
    let Some(list) = words.find("ext") else {
        return Vec::new();
    };
    let list: Vec<u8> = list
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect();
    let nexts = list.iter().skip(1).copied().chain([proto]);
    nexts
        .flat_map(|next| {
            let [o0, o1] = words.short("frag", 0).to_be_bytes();
            [next, 0, o0, o1, 0, 0, 0, 0]
        })
        .collect()
}

/// A packet without a link header.
pub(super) fn into_packet(bytes: Vec<u8>) -> Packet {
    let mut packet = Packet {
        frame: bytes,
        ..Packet::default()
    };
    packet.layout.end = u32::try_from(packet.frame.len()).unwrap();
    packet.layout.nfproto = match packet.frame.first().map(|byte| byte >> 4) {
        Some(6) => nfproto::IPV6,
        _ => nfproto::IPV4,
    };
    packet
}
