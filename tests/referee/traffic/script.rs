//! Conversations that are written down: what the kept cases consist of.

use std::net::IpAddr;

use redan_vm::packet::checksum::Sum;

use super::{End, Frame, Kind, Talk, mangle, tcp};
use crate::rng::Rng;

/// The frames of a conversation between a host behind `lan0` and one behind `wan0`, over IPv6 or IPv4.
///
/// Each word is one packet: what it is, then `>` from the asking host or `<` from the other, then a number of data bytes, then at times
/// `/` for "in fragments of this many bytes" or `+` for "this far ahead of where it belongs". What it is: TCP's flags by their letters
/// (`S`, `SA`, `PA`, `FA`, `R`, ...), `u` a datagram, `p` a ping, `e` an ICMP error about the packet before, `x` a datagram behind
/// extension headers or IP options. In place of the number may stand `=` and a text, with `_` for a space, `~` for the end of a line, `0`, `1` and so on
/// behind `%` for a byte. `@20:4000` before a word stands for the ports of another conversation, the sender's first.
pub(crate) fn frames(six: bool, service: u16, words: &str) -> Vec<Frame> {
    let mut rng = Rng::new(7);
    let address = |v4: &str, v6: &str| if six { v6 } else { v4 }.parse().expect("an address");
    let end = |address, port, seq| End {
        address,
        port,
        seq,
        manners: tcp::Manners::plain(),
    };
    let mut talk = Talk {
        kind: Kind::Tcp,
        ends: [
            end(address("192.168.1.10", "fd10::10"), 40_000, 1000),
            end(address("198.51.100.7", "2001:db8::7"), service, 500_000),
        ],
        home: 0,
        step: 0,
        last: None,
        said: None,
    };
    words
        .split_whitespace()
        .flat_map(|word| talk.word(word, &mut rng))
        .collect()
}

impl Talk {
    fn word(&mut self, word: &str, rng: &mut Rng) -> Vec<Frame> {
        let Some((ports, word)) = word.strip_prefix('@').map(|word| {
            let at = word.find(|c: char| c.is_alphabetic()).expect("a packet");
            word.split_at(at)
        }) else {
            return self.said(word, rng);
        };
        let from = usize::from(word.contains('<'));
        let before = self.ends;
        let (own, other) = ports.split_once(':').expect("two ports");
        self.ends[from].port = own.parse().expect("a port");
        self.ends[1 - from].port = other.parse().expect("a port");
        let frames = self.said(word, rng);
        self.ends = before;
        frames
    }

    fn said(&mut self, word: &str, rng: &mut Rng) -> Vec<Frame> {
        let (word, text) = word.split_once('=').unwrap_or((word, ""));
        let text = text_of(text);
        let (what, rest) = word.split_once(['<', '>']).expect("a direction");
        let from = usize::from(word.contains('<'));
        let (data, more) = rest.split_at(rest.find(['/', '+']).unwrap_or(rest.len()));
        let data = data.parse().unwrap_or(text.len());
        let number = more.get(1..).and_then(|n| n.parse().ok()).unwrap_or(0);
        if what == "e" {
            let last = self.last.clone().expect("a packet before");
            return vec![self.error(rng, &last)];
        }
        let (protocol, mut payload) = match what {
            "u" | "x" => (17, self.datagram(from, data)),
            "p" => self.echo(from, data),
            flags => {
                let ahead = if more.starts_with('+') { number } else { 0 };
                (6, self.say(from, flags, data, ahead as u32, rng))
            }
        };
        if !text.is_empty() {
            self.write(from, protocol, &mut payload, &text);
        }
        let mut ip = super::packet(
            self.ends[from].address,
            self.ends[1 - from].address,
            protocol,
            64,
            0x1234,
            &payload,
        );
        self.last = Some(ip.clone());
        if what == "x" {
            ip = mangle::dressed(&ip);
        }
        let pieces = if more.starts_with('/') {
            mangle::pieces(&ip, 0x4321, number)
        } else {
            vec![ip]
        };
        pieces.iter().map(|ip| self.frame(from, ip)).collect()
    }

    /// Puts a text at the end of a segment or datagram.
    fn write(&self, from: usize, protocol: u8, payload: &mut [u8], text: &[u8]) {
        let start = payload.len() - text.len();
        payload[start..].copy_from_slice(text);
        let field = if protocol == 6 { 16 } else { 6 };
        payload[field..field + 2].fill(0);
        let mut sum = Sum::new();
        for end in [&self.ends[from], &self.ends[1 - from]] {
            sum = match end.address {
                IpAddr::V4(address) => sum.add_bytes(&address.octets()),
                IpAddr::V6(address) => sum.add_bytes(&address.octets()),
            };
        }
        let sum = sum
            .add_u32(u32::from(protocol))
            .add_u32(payload.len() as u32)
            .add_bytes(payload);
        payload[field..field + 2].copy_from_slice(&(!sum.fold()).to_be_bytes());
    }
}

/// The bytes that a text stands for.
fn text_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        match letter {
            b'_' => bytes.push(b' '),
            b'~' => bytes.extend(b"\r\n"),
            b'%' => bytes.push(letters.next().expect("a digit") - b'0'),
            other => bytes.push(other),
        }
    }
    bytes
}
