//! Segments that travelled as one packet, each made a packet of its own (`tcp_offload.c: tcp_gso_segment`, `udp_offload.c:
//! __udp_gso_segment`, `af_inet.c: inet_gso_segment`).

use redan_vm::Packet;
use redan_vm::packet::checksum::Sum;
use redan_vm::packet::tcp::flags;
use redan_vm::packet::{Ipv4, Ipv6, Offload, SegmentKind, Tcp, TransportSum, Udp, ipv6, protocol};

/// The segments of a packet in order, each complete; `None` for a packet that is one alone, or whose headers are not of its segments' kind.
pub fn segments(packet: &Packet) -> Option<Vec<Packet>> {
    let segments = packet
        .offload
        .segments
        .filter(|_| packet.has_sound_segments())?;
    let layout = &packet.layout;
    let head = packet.frame.get(..layout.inner as usize)?;
    let payload = packet
        .frame
        .get(layout.inner as usize..layout.end as usize)?;
    let size = usize::from(segments.size);
    let count = payload.len().div_ceil(size).max(1);
    let mut made = Vec::with_capacity(count);
    let has_sum = packet.is_sum_open() || packet.udp().is_none_or(|header| header.checksum() != 0);
    for n in 0..count {
        let at = n * size;
        let part = payload.get(at..payload.len().min(at + size))?;
        let mut frame = Vec::with_capacity(head.len() + part.len());
        frame.extend_from_slice(head);
        frame.extend_from_slice(part);
        let mut piece = Packet {
            layout: *layout,
            meta: packet.meta,
            ct: packet.ct,
            frame,
            offload: Offload::default(),
        };
        piece.layout.end = u32::try_from(piece.frame.len()).ok()?;
        write_network(&mut piece, n)?;
        write_transport(&mut piece, segments.kind, (n, at), n + 1 == count)?;
        if has_sum {
            write_sum(&mut piece, packet)?;
        }
        piece.refresh();
        made.push(piece);
    }
    Some(made)
}

/// Makes the transport checksum that of a segment. The whole's field holds the sum of its pseudo-header, from which all but the length is
/// taken: what a rule has written without mending the checksum stays unmended.
fn write_sum(piece: &mut Packet, whole: &Packet) -> Option<()> {
    let TransportSum::Partial { start, field } = whole.offload.sum else {
        piece.fill_transport_sum();
        return Some(());
    };
    let start = usize::from(start);
    let at = start + usize::from(field);
    let pseudo = u16::from_be_bytes(*whole.frame.get(at..)?.first_chunk()?);
    // A UDP header says itself how long it is, at times by a rule that has written that.
    let len = match whole.udp() {
        Some(header) => header.len(),
        None => u16::try_from(whole.layout.transport_len()).ok()?,
    };
    let pseudo = Sum::new()
        .add_u16(pseudo)
        .add_u16(!len)
        .add_u16(u16::try_from(piece.layout.transport_len()).ok()?)
        .fold();
    *piece.frame.get_mut(at..)?.first_chunk_mut()? = pseudo.to_be_bytes();
    let sum = match Sum::new().add_bytes(piece.frame.get(start..)?).finish() {
        0 if piece.layout.is_l4(protocol::UDP) => 0xffff,
        sum => sum,
    };
    *piece.frame.get_mut(at..)?.first_chunk_mut()? = sum.to_be_bytes();
    piece.offload.sum = TransportSum::Trusted;
    Some(())
}

/// Makes the whole's network header that of segment `n`.
fn write_network(piece: &mut Packet, n: usize) -> Option<()> {
    let len = u16::try_from(piece.layout.network_len()).ok()?;
    let is_ipv4 = piece.layout.is_ipv4();
    let network = piece.frame.get_mut(piece.layout.network as usize..)?;
    if is_ipv4 {
        let mut ip = Ipv4::new_checked(network)?;
        ip.set_id(ip.id().wrapping_add(u16::try_from(n).ok()?));
        ip.set_total_len(len);
        ip.fill_checksum();
    } else {
        let payload = usize::from(len).checked_sub(ipv6::LEN)?;
        Ipv6::new_checked(network)?.set_payload_len(u16::try_from(payload).ok()?);
    }
    Some(())
}

/// Makes the whole's transport header that of segment `n`, whose payload starts at byte `at` of the whole's.
fn write_transport(
    piece: &mut Packet,
    kind: SegmentKind,
    (n, at): (usize, usize),
    is_last: bool,
) -> Option<()> {
    let len = u16::try_from(piece.layout.transport_len()).ok()?;
    let transport = piece.frame.get_mut(piece.layout.transport as usize..)?;
    match kind {
        SegmentKind::Udp => Udp::new_checked(transport)?.set_len(len),
        SegmentKind::Tcp4 | SegmentKind::Tcp6 => {
            let mut header = Tcp::new_checked(transport)?;
            let mut kept = header.flags();
            if !is_last {
                kept &= !(flags::FIN | flags::PSH);
            }
            if n > 0 {
                kept &= !flags::CWR;
            }
            header.set_flags(kept);
            header.set_seq(header.seq().wrapping_add(u32::try_from(at).ok()?));
        }
    }
    Some(())
}
