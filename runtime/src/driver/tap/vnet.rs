//! The virtio-net header (`linux/virtio_net.h: struct virtio_net_hdr`; little-endian here as on every machine that redan runs on).

use crate::datapath::Offload;

/// Bytes of the header.
pub(super) const BYTES: usize = 10;
/// The transport checksum is left to the device.
const NEEDS_CSUM: u8 = 1;
/// The transport checksum has been verified.
const DATA_VALID: u8 = 2;

/// Reads a header.
pub(super) const fn parse(header: &[u8; BYTES]) -> Offload {
    let &[flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1] = header;
    Offload {
        needs_checksum: flags & NEEDS_CSUM != 0,
        checksum_verified: flags & DATA_VALID != 0,
        gso_type,
        header_bytes: u16::from_ne_bytes([h0, h1]),
        gso_size: u16::from_ne_bytes([g0, g1]),
        checksum_start: u16::from_ne_bytes([s0, s1]),
        checksum_offset: u16::from_ne_bytes([o0, o1]),
    }
}

/// Writes a header.
pub(super) const fn emit(offload: &Offload) -> [u8; BYTES] {
    let flags = if offload.needs_checksum {
        NEEDS_CSUM
    } else {
        0
    };
    let [h0, h1] = offload.header_bytes.to_ne_bytes();
    let [g0, g1] = offload.gso_size.to_ne_bytes();
    let [s0, s1] = offload.checksum_start.to_ne_bytes();
    let [o0, o1] = offload.checksum_offset.to_ne_bytes();
    [flags, offload.gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
}
