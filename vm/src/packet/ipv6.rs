//! IPv6 (RFC 8200) and its extension headers.

use std::net::Ipv6Addr;

use super::header::{chunk, header};

header! {
    /// An IPv6 header.
    Ipv6, 40 {
        /// Version (4 bits), traffic class (8 bits), flow label (20 bits).
        version_class_flow, set_version_class_flow: u32 = 0;
        /// Bytes behind this header; 0 in a jumbogram.
        payload_len, set_payload_len: u16 = 4;
        /// First next-header byte: an extension header or the layer 4 protocol.
        next_header, set_next_header: u8 = 6;
        /// Hop limit.
        hop_limit, set_hop_limit: u8 = 7;
        /// Source address.
        src, set_src: Ipv6Addr = 8;
        /// Destination address.
        dst, set_dst: Ipv6Addr = 24;
    }
}

/// Next-header numbers of extension headers.
pub mod next_header {
    /// Hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// Routing.
    pub const ROUTING: u8 = 43;
    /// Fragment.
    pub const FRAGMENT: u8 = 44;
    /// Authentication.
    pub const AUTH: u8 = 51;
    /// Nothing follows.
    pub const NONE: u8 = 59;
    /// Destination options.
    pub const DEST_OPTIONS: u8 = 60;
}

impl<T: AsRef<[u8]>> Ipv6<T> {
    /// Version; 6 in a sound header.
    pub fn version(&self) -> u8 {
        self.bytes().first().map_or(0, |byte| byte >> 4)
    }

    /// Traffic class: DSCP (6 bits) and ECN (2 bits).
    pub fn traffic_class(&self) -> u8 {
        let [first, second] = chunk::<2>(self.bytes(), 0);
        (first << 4) | (second >> 4)
    }

    /// Flow label.
    pub fn flow_label(&self) -> u32 {
        self.version_class_flow() & 0x000f_ffff
    }
}

/// Whether the number is an extension header's, as the kernel counts them (`exthdrs_core.c: ipv6_ext_hdr`).
pub const fn is_extension(number: u8) -> bool {
    matches!(
        number,
        next_header::HOP_BY_HOP
            | next_header::ROUTING
            | next_header::FRAGMENT
            | next_header::AUTH
            | next_header::NONE
            | next_header::DEST_OPTIONS
    )
}

/// A fragment header's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What follows it.
    pub next_header: u8,
    /// Offset in bytes.
    pub offset: u16,
    /// Whether more fragments follow.
    pub is_more: bool,
    /// Identification.
    pub id: u32,
}

impl Fragment {
    /// Bytes of a fragment header.
    pub const LEN: usize = 8;

    /// The fragment header at the front of `bytes`; `None` when it is not all there.
    pub fn new_checked(bytes: &[u8]) -> Option<Self> {
        let &[next_header, _, o0, o1, a, b, c, d] = bytes.first_chunk::<8>()?;
        let offset = u16::from_be_bytes([o0, o1]);
        Some(Self {
            next_header,
            offset: offset & !7,
            is_more: offset & 1 != 0,
            id: u32::from_be_bytes([a, b, c, d]),
        })
    }
}

/// An IPv6 header's bytes, for `payload_len` bytes behind it.
pub fn emit(
    src: Ipv6Addr,
    dst: Ipv6Addr,
    next_header: u8,
    hop_limit: u8,
    payload_len: u16,
) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    if let Some(mut ip) = Ipv6::new_checked(&mut bytes) {
        ip.set_version_class_flow(6 << 28);
        ip.set_payload_len(payload_len);
        ip.set_next_header(next_header);
        ip.set_hop_limit(hop_limit);
        ip.set_src(src);
        ip.set_dst(dst);
    }
    bytes
}
