//! What the way does to a packet: options and extension headers around its payload, and fragments.

use pnet_packet::ipv4::{self, MutableIpv4Packet};

use crate::rng::Rng;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;

/// The packet, at times with IP options or extension headers.
pub(super) fn dress(ip: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    if !rng.one_in(14) {
        return ip;
    }
    if ip[0] >> 4 == 4 {
        return with_options(&ip, rng);
    }
    let mut ip = ip;
    // From the inside out; hop-by-hop comes first or nowhere.
    if rng.one_in(3) {
        ip = with_header(&ip, DESTINATION, &padding(rng));
    }
    if rng.one_in(4) {
        ip = with_header(&ip, FRAGMENT, &[0, 0, 0, 1, 2, 3, 4]);
    }
    if rng.one_in(4) {
        let kind = rng.choose(&[0, 2, 4, 253]);
        ip = with_header(&ip, ROUTING, &[0, kind, 0, 0, 0, 0, 0]);
    }
    if rng.one_in(2) {
        ip = with_header(&ip, HOP_BY_HOP, &padding(rng));
    }
    ip
}

/// The packet with one set of IP options or extension headers.
pub(super) fn dressed(ip: &[u8]) -> Vec<u8> {
    let mut rng = Rng::new(1);
    if ip[0] >> 4 == 4 {
        return with_options(ip, &mut rng);
    }
    let routed = with_header(ip, ROUTING, &[0, 4, 0, 0, 0, 0, 0]);
    with_header(&routed, HOP_BY_HOP, &padding(&mut rng))
}

/// Length in further words, then `PadN`.
fn padding(rng: &mut Rng) -> Vec<u8> {
    if rng.one_in(2) {
        vec![0, 1, 4, 0, 0, 0, 0]
    } else {
        [&[1, 1, 6], [0; 6].as_slice(), &[1, 4], &[0; 4]].concat()
    }
}

/// `rest` is the header behind its first byte.
fn with_header(ip: &[u8], kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut made = ip[..40].to_vec();
    made[6] = kind;
    made.push(ip[6]);
    made.extend_from_slice(rest);
    made.extend_from_slice(&ip[40..]);
    set_length(&mut made);
    made
}

fn with_options(ip: &[u8], rng: &mut Rng) -> Vec<u8> {
    // Router alert, or nothing of importance.
    let options: [u8; 4] = rng.choose(&[[148, 4, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]);
    let mut made = [&ip[..20], &options, &ip[20..]].concat();
    made[0] = 0x46;
    set_length(&mut made);
    made
}

/// Length and checksum of the IP header.
fn set_length(ip: &mut [u8]) {
    let len = ip.len();
    if ip[0] >> 4 == 6 {
        ip[4..6].copy_from_slice(&((len - 40) as u16).to_be_bytes());
        return;
    }
    ip[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    let mut p = MutableIpv4Packet::new(ip).expect("20 bytes");
    let sum = ipv4::checksum(&p.to_immutable());
    p.set_checksum(sum);
}

/// The packet, at times in pieces: in any order, one of them lost or twice there.
pub(super) fn cut(ip: &[u8], rng: &mut Rng) -> Vec<Vec<u8>> {
    let six = ip[0] >> 4 == 6;
    let payload = &ip[head_len(ip)..];
    let plain = !six || !matches!(ip[6], HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION);
    if !rng.one_in(16) || payload.len() < 24 || !plain {
        return vec![ip.to_vec()];
    }
    let id = rng.u32();
    let step = 8 * (1 + rng.below(payload.len() / 8 - 1));
    // Linux forgets the parts when it has to join them for a TCP header with its options.
    if six && ip[6] == 6 && (20..usize::from(payload[12] >> 4) * 4).contains(&step) {
        return vec![ip.to_vec()];
    }
    let mut pieces = pieces(ip, id, step);
    if rng.one_in(2) {
        pieces.reverse();
    }
    let one = rng.below(pieces.len());
    match rng.below(6) {
        0 => drop(pieces.remove(one)),
        1 => pieces.extend_from_within(one..=one),
        _ => {}
    }
    pieces
}

/// The packet in pieces of `step` bytes, in order.
pub(super) fn pieces(ip: &[u8], id: u32, step: usize) -> Vec<Vec<u8>> {
    let (head, payload) = ip.split_at(head_len(ip));
    let n_pieces = payload.len().div_ceil(step);
    let cut = payload.chunks(step).enumerate().map(|(i, data)| {
        let at = ((i * step) as u16, i + 1 < n_pieces);
        piece(head, id, at, data)
    });
    cut.collect()
}

fn head_len(ip: &[u8]) -> usize {
    if ip[0] >> 4 == 6 {
        40
    } else {
        usize::from(ip[0] & 15) * 4
    }
}

/// A fragment; `at` is its place in bytes, and whether more follow.
fn piece(head: &[u8], id: u32, at: (u16, bool), data: &[u8]) -> Vec<u8> {
    let (offset, more) = at;
    if head[0] >> 4 == 4 {
        let mut made = [head, data].concat();
        let field = (offset / 8) | (u16::from(more) << 13);
        made[6..8].copy_from_slice(&field.to_be_bytes());
        set_length(&mut made);
        return made;
    }
    let field = (offset | u16::from(more)).to_be_bytes();
    let rest = [&[0], field.as_slice(), &id.to_be_bytes()].concat();
    with_header(&[head, data].concat(), FRAGMENT, &rest)
}
