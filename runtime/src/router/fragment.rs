//! Cutting packets that are too long for a link (`ip_output.c: ip_do_fragment`, `ip6_output.c: ip6_fragment`).

use redan_vm::packet::{Ipv4, ipv4};

/// Copies of an IPv4 frame's parts, each at most `mtu` bytes from the network header on; the frame itself when there is nothing to cut
/// or no way to. `network` is where the IPv4 header starts, which ends at the frame's end.
pub fn cut_v4(frame: Vec<u8>, network: usize, mtu: usize) -> Vec<Vec<u8>> {
    let Some(ip) = frame.get(network..).and_then(Ipv4::new_checked) else {
        return vec![frame];
    };
    let header_len = ip.header_len();
    let room = mtu.saturating_sub(header_len) & !7;
    if frame.len() - network <= mtu || room == 0 {
        return vec![frame];
    }
    let (before, last) = (
        ip.frag_off() & ipv4::frag::OFFSET,
        ip.frag_off() & ipv4::frag::MF,
    );
    let Some((head, payload)) = frame.split_at_checked(network + header_len) else {
        return vec![frame];
    };
    let count = payload.len().div_ceil(room);
    let mut parts = Vec::with_capacity(count);
    for (n, part) in payload.chunks(room).enumerate() {
        let mut bytes = Vec::with_capacity(head.len() + part.len());
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(part);
        if let Some(mut ip) = bytes.get_mut(network..).and_then(Ipv4::new_checked) {
            if n > 0 {
                blank_options(
                    ip.bytes_mut()
                        .get_mut(ipv4::LEN..header_len)
                        .unwrap_or(&mut []),
                );
            }
            let more = if n + 1 < count { ipv4::frag::MF } else { last };
            let offset = u16::try_from(n * room / 8)
                .unwrap_or(u16::MAX)
                .saturating_add(before);
            let dont = ip.frag_off() & ipv4::frag::DF;
            ip.set_frag_off(dont | more | (offset & ipv4::frag::OFFSET));
            ip.set_total_len(u16::try_from(header_len + part.len()).unwrap_or(u16::MAX));
            ip.fill_checksum();
        }
        parts.push(bytes);
    }
    parts
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
        let parts = cut_v4(whole.clone(), 14, 1500);
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
        assert_eq!(cut_v4(frame(1480), 14, 1500).len(), 1);
        assert_eq!(cut_v4(vec![0; 20], 14, 1500).len(), 1);
        assert_eq!(cut_v4(frame(100), 14, 24).len(), 1);
    }
}
