//! Cutting packets that are too long for a link (`ip_output.c: ip_do_fragment`, `ip6_output.c: ip6_fragment`).

use redan_vm::packet::{Ipv4, Ipv6, ipv4, ipv6};

use crate::defrag::Parts;

/// Pieces of a payload, each from one byte to another.
struct Cuts {
    pieces: Vec<(usize, usize)>,
    /// As it had been cut before.
    as_before: bool,
}

/// Where to cut `len` bytes of payload: as it had been cut before where those parts fit into `room` bytes, else into parts as long as fit.
fn cuts(len: usize, room: usize, parts: &Parts) -> Option<Cuts> {
    let starts = std::iter::once(0).chain(parts.cuts.iter().map(|&cut| usize::from(cut)));
    let ends = parts.cuts.iter().map(|&cut| usize::from(cut)).chain([len]);
    let before: Vec<_> = starts.zip(ends).collect();
    if !parts.cuts.is_empty()
        && before
            .iter()
            .all(|(from, to)| from < to && to - from <= room)
    {
        return Some(Cuts {
            pieces: before,
            as_before: true,
        });
    }
    let room = room & !7;
    if room == 0 {
        return None;
    }
    let pieces = (0..len)
        .step_by(room)
        .map(|from| (from, len.min(from + room)))
        .collect();
    Some(Cuts {
        pieces,
        as_before: false,
    })
}

/// Copies of an IPv4 frame's parts, each at most `mtu` bytes from the network header on, and no longer than the longest of the parts that
/// it came in; the frame itself when there is no way to cut. `network` is where the IPv4 header starts.
pub fn cut_v4(frame: Vec<u8>, network: usize, mtu: usize, parts: &Parts) -> Vec<Vec<u8>> {
    let Some(ip) = frame.get(network..).and_then(Ipv4::new_checked) else {
        return vec![frame];
    };
    let header_len = ip.header_len();
    let room = longest(mtu, parts).saturating_sub(header_len);
    let (before, last) = (
        ip.frag_off() & ipv4::frag::OFFSET,
        ip.frag_off() & ipv4::frag::MF,
    );
    let Some((head, payload)) = frame.split_at_checked(network + header_len) else {
        return vec![frame];
    };
    let Some(cuts) = cuts(payload.len(), room, parts) else {
        return vec![frame];
    };
    // Parts that leave as they came lose "do not fragment" (ip_output.c: ip_fraglist_prepare).
    let kept = if cuts.as_before { 0 } else { ipv4::frag::DF };
    let count = cuts.pieces.len();
    let mut frames = Vec::with_capacity(count);
    for (n, (from, to)) in cuts.pieces.into_iter().enumerate() {
        let part = payload.get(from..to).unwrap_or(&[]);
        let mut bytes = joined(head, &[], part);
        if let Some(mut ip) = bytes.get_mut(network..).and_then(Ipv4::new_checked) {
            if n > 0 {
                blank_options(
                    ip.bytes_mut()
                        .get_mut(ipv4::LEN..header_len)
                        .unwrap_or(&mut []),
                );
            }
            let more = if n + 1 < count { ipv4::frag::MF } else { last };
            let offset = u16::try_from(from / 8)
                .unwrap_or(u16::MAX)
                .saturating_add(before);
            let dont = ip.frag_off() & kept;
            ip.set_frag_off(dont | more | (offset & ipv4::frag::OFFSET));
            ip.set_total_len(u16::try_from(header_len + part.len()).unwrap_or(u16::MAX));
            ip.fill_checksum();
        }
        frames.push(bytes);
    }
    frames
}

/// Copies of an IPv6 frame's parts, as [`cut_v4`]; only for packets that came in parts, as routers do not cut IPv6 (RFC 8200 4.5).
pub fn cut_v6(frame: Vec<u8>, network: usize, mtu: usize, parts: &Parts, id: u32) -> Vec<Vec<u8>> {
    let Some((head_len, place, next)) = unfragmentable(&frame, network) else {
        return vec![frame];
    };
    // ip6_output.c: ip6_fragment: no shorter than every link must take.
    let most = longest(mtu, parts).max(IPV6_LEAST_MTU);
    let room = most.saturating_sub(head_len - network + ipv6::Fragment::LEN);
    let Some((head, payload)) = frame.split_at_checked(head_len) else {
        return vec![frame];
    };
    let Some(cuts) = cuts(payload.len(), room, parts) else {
        return vec![frame];
    };
    let count = cuts.pieces.len();
    let mut frames = Vec::with_capacity(count);
    for (n, (from, to)) in cuts.pieces.into_iter().enumerate() {
        let part = payload.get(from..to).unwrap_or(&[]);
        let offset = u16::try_from(from).unwrap_or(u16::MAX) | u16::from(n + 1 < count);
        let [o0, o1] = offset.to_be_bytes();
        let [a, b, c, d] = id.to_be_bytes();
        let mut bytes = joined(head, &[next, 0, o0, o1, a, b, c, d], part);
        let len = bytes.len() - network - ipv6::LEN;
        if let Some(byte) = bytes.get_mut(place) {
            *byte = ipv6::next_header::FRAGMENT;
        }
        if let Some(mut ip) = bytes.get_mut(network..).and_then(Ipv6::new_checked) {
            ip.set_payload_len(u16::try_from(len).unwrap_or(u16::MAX));
        }
        frames.push(bytes);
    }
    frames
}

/// The least MTU of IPv6 (RFC 8200 5).
const IPV6_LEAST_MTU: usize = 1280;

fn longest(mtu: usize, parts: &Parts) -> usize {
    if parts.longest == 0 {
        mtu
    } else {
        mtu.min(parts.longest as usize)
    }
}

fn joined(head: &[u8], between: &[u8], part: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(head.len() + between.len() + part.len());
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(between);
    bytes.extend_from_slice(part);
    bytes
}

/// Where the part that every fragment repeats ends in the frame, where its last next-header byte is, and what that says
/// (`output_core.c: ip6_find_1stfragopt`).
fn unfragmentable(frame: &[u8], network: usize) -> Option<(usize, usize, u8)> {
    let mut chain = ipv6::Chain::new(frame.get(network..)?)?;
    let mut routed = false;
    loop {
        match chain.number {
            ipv6::next_header::HOP_BY_HOP => {}
            ipv6::next_header::ROUTING => routed = true,
            ipv6::next_header::DEST_OPTIONS if !routed => {}
            number => return Some((network + chain.at, network + chain.announced_at, number)),
        }
        chain.pass(&chain.read()?);
    }
}

/// Options without the "copied" bit stand in the first fragment only (RFC 791 3.1; `ip_options.c: ip_options_fragment` writes no-operations).
fn blank_options(options: &mut [u8]) {
    const NOP: u8 = 1;
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        let len = match kind {
            0 => return,
            NOP => 1,
            _ => usize::from(options.get(at + 1).copied().unwrap_or(0)),
        };
        if len == 0 || at + len > options.len() {
            return;
        }
        if kind & 0x80 == 0 {
            options
                .iter_mut()
                .skip(at)
                .take(len)
                .for_each(|byte| *byte = NOP);
        }
        at += len;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn frame(payload: usize) -> Vec<u8> {
        let mut frame = vec![0; 14];
        let len = u16::try_from(payload).unwrap();
        frame.extend(ipv4::emit(
            Ipv4Addr::new(10, 0, 0, 1),
            Ipv4Addr::new(10, 0, 0, 2),
            17,
            64,
            len,
        ));
        frame.extend((0..payload).map(|n| n.to_le_bytes()[0]));
        frame
    }

    #[test]
    fn parts_join_to_the_whole() {
        let whole = frame(3001);
        let parts = cut_v4(whole.clone(), 14, 1500, &Parts::default());
        assert_eq!(parts.len(), 3);
        let mut joined = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            let ip = Ipv4::new_checked(&part[14..]).unwrap();
            assert!(ip.is_checksum_ok());
            assert_eq!(usize::from(ip.total_len()), part.len() - 14);
            assert_eq!(usize::from(ip.fragment_offset()), joined.len());
            assert_eq!(ip.is_more_fragments(), n < 2);
            joined.extend_from_slice(&part[34..]);
        }
        assert_eq!(joined, whole[34..]);
    }

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(cut_v4(frame(1480), 14, 1500, &Parts::default()).len(), 1);
        assert_eq!(cut_v4(vec![0; 20], 14, 1500, &Parts::default()).len(), 1);
        assert_eq!(cut_v4(frame(100), 14, 24, &Parts::default()).len(), 1);
    }
}
