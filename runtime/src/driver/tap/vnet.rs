//! The virtio-net header (`linux/virtio_net.h: struct virtio_net_hdr`; little-endian here as on every machine that redan runs on).

use crate::frame::{Offload, SegmentKind, Segments, TransportSum};

/// Bytes of the header.
pub(super) const BYTES: usize = 10;
/// The transport checksum is left to the device.
const NEEDS_CSUM: u8 = 1;
/// The transport checksum has been verified.
const DATA_VALID: u8 = 2;

/// Segments of TCP over IPv4.
const GSO_TCPV4: u8 = 1;
/// Segments of TCP over IPv6.
const GSO_TCPV6: u8 = 4;
/// Segments of UDP.
const GSO_UDP_L4: u8 = 5;
/// The first segment has "congestion window reduced" set.
const GSO_ECN: u8 = 0x80;

/// Kinds of segments by their numbers.
const KINDS: [(u8, SegmentKind); 3] = [
    (GSO_TCPV4, SegmentKind::Tcp4),
    (GSO_TCPV6, SegmentKind::Tcp6),
    (GSO_UDP_L4, SegmentKind::Udp),
];

/// Reads a header.
pub(super) fn parse(header: &[u8; BYTES]) -> Offload {
    let &[flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1] = header;
    let sum = if flags & NEEDS_CSUM != 0 {
        TransportSum::Partial {
            start: u16::from_ne_bytes([s0, s1]),
            field: u16::from_ne_bytes([o0, o1]),
        }
    } else if flags & DATA_VALID != 0 {
        TransportSum::Trusted
    } else {
        TransportSum::Unverified
    };
    let kind = KINDS
        .iter()
        .find(|(number, _)| *number == gso_type & !GSO_ECN);
    Offload {
        sum,
        segments: kind.map(|&(_, kind)| Segments {
            kind,
            size: u16::from_ne_bytes([g0, g1]),
            has_cwr: gso_type & GSO_ECN != 0,
            header_bytes: u16::from_ne_bytes([h0, h1]),
        }),
    }
}

/// Writes a header.
pub(super) fn emit(offload: &Offload) -> [u8; BYTES] {
    let (flags, start, field) = match offload.sum {
        TransportSum::Partial { start, field } => (NEEDS_CSUM, start, field),
        TransportSum::Unverified | TransportSum::Trusted => (0, 0, 0),
    };
    let (gso_type, header_bytes, size) = match &offload.segments {
        None => (0, 0, 0),
        Some(segments) => {
            let number = KINDS.iter().find(|(_, kind)| *kind == segments.kind);
            let ecn = if segments.has_cwr { GSO_ECN } else { 0 };
            (
                number.map_or(0, |(number, _)| number | ecn),
                segments.header_bytes,
                segments.size,
            )
        }
    };
    let [h0, h1] = header_bytes.to_ne_bytes();
    let [g0, g1] = size.to_ne_bytes();
    let [s0, s1] = start.to_ne_bytes();
    let [o0, o1] = field.to_ne_bytes();
    [flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
}
