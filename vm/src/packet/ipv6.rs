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

    /// The fragment header at the front of `bytes`; `None` when its offset is not there. The kernel's walk reads no further, so
    /// the identification of a header that is cut off behind it is padded with zeros.
    pub fn new_checked(bytes: &[u8]) -> Option<Self> {
        let &[next_header, _, o0, o1] = bytes.first_chunk::<4>()?;
        let offset = u16::from_be_bytes([o0, o1]);
        Some(Self {
            next_header,
            offset: offset & !7,
            is_more: offset & 1 != 0,
            id: u32::from_be_bytes(chunk(bytes, 4)),
        })
    }
}

/// Where a packet's fragment header is and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentAt {
    /// Byte of the packet at which it starts.
    pub at: usize,
    /// Byte of the packet that announces it (44).
    pub announced_at: usize,
    /// What it says.
    pub header: Fragment,
}

/// Whether an authentication header ends the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It is the layer 4 protocol, as for `meta l4proto` (`nf_tables_ipv6.h`: `IP6_FH_F_AUTH`).
    IsTransport,
    /// It is one more extension header, as for conntrack (`exthdrs_core.c: ipv6_skip_exthdr`).
    IsSkipped,
}

/// What lies behind the extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The layer 4 protocol ([`next_header::NONE`] included); `None` when an extension header is cut off, or when this is a later fragment that starts
    /// with another extension header.
    pub l4proto: Option<u8>,
    /// Byte of the packet behind the last extension header that was read; may lie behind the packet's end.
    pub transport: usize,
    /// The last fragment header met.
    pub fragment: Option<FragmentAt>,
}

/// The chain of a packet's headers behind the first, read one after another by whoever knows where to stop: dissection, rules, conntrack,
/// defragmentation, and cutting.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    packet: &'a [u8],
    /// What starts at `at`: an extension header by its number, or the layer 4 protocol.
    pub number: u8,
    /// Byte of the packet at which it starts; may lie behind the packet's end.
    pub at: usize,
    /// Byte of the packet that announces it.
    pub announced_at: usize,
}

/// An extension header that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// From its first byte to the packet's end; it may be longer than that.
    pub bytes: &'a [u8],
    /// Its length in bytes.
    pub len: usize,
    /// What it says, if it is a fragment header.
    pub fragment: Option<Fragment>,
}

impl<'a> Chain<'a> {
    /// The chain of a packet that starts with its IPv6 header; `None` when that is cut off before it announces anything.
    pub fn new(packet: &'a [u8]) -> Option<Self> {
        const ANNOUNCED_AT: usize = 6;
        Some(Self {
            packet,
            number: *packet.get(ANNOUNCED_AT)?,
            at: LEN,
            announced_at: ANNOUNCED_AT,
        })
    }

    /// Whether an extension header comes that has a length, so that something may follow it.
    pub const fn is_at_extension(&self) -> bool {
        is_extension(self.number) && self.number != next_header::NONE
    }

    /// Reads what is next as an extension header; `None` when it is cut off before its length, or before a fragment's offset.
    pub fn read(&self) -> Option<Extension<'a>> {
        let bytes = self.packet.get(self.at..)?;
        let units = usize::from(bytes.first_chunk::<2>()?[1]);
        let (len, fragment) = match self.number {
            next_header::FRAGMENT => (Fragment::LEN, Some(Fragment::new_checked(bytes)?)),
            next_header::AUTH => ((units + 2) * 4, None),
            _ => ((units + 1) * 8, None),
        };
        Some(Extension {
            bytes,
            len,
            fragment,
        })
    }

    /// Goes on behind the extension header that was read.
    pub fn pass(&mut self, header: &Extension<'_>) {
        self.number = header.bytes.first().copied().unwrap_or(next_header::NONE);
        self.announced_at = self.at;
        self.at += header.len;
    }
}

/// Walks a packet's extension headers to the last one (`exthdrs_core.c: ipv6_find_hdr` without a target).
pub fn walk(packet: &[u8], auth: Auth) -> Walk {
    let mut walk = Walk {
        l4proto: None,
        transport: LEN,
        fragment: None,
    };
    let Some(mut chain) = Chain::new(packet) else {
        return walk;
    };
    loop {
        let is_last = chain.number == next_header::AUTH && auth == Auth::IsTransport;
        if !chain.is_at_extension() || is_last {
            walk.l4proto = Some(chain.number);
            return walk;
        }
        let Some(header) = chain.read() else {
            return walk;
        };
        let (at, announced_at) = (chain.at, chain.announced_at);
        chain.pass(&header);
        walk.transport = chain.at;
        if let Some(fragment) = header.fragment {
            walk.fragment = Some(FragmentAt {
                at,
                announced_at,
                header: fragment,
            });
            if fragment.offset != 0 {
                walk.l4proto = (!chain.is_at_extension()).then_some(chain.number);
                return walk;
            }
        }
    }
}

/// Byte of the packet at which the header with this number starts (`exthdrs_core.c: ipv6_find_hdr` with a target); `None` when it is absent, cut off
/// before its second byte, or behind a later fragment's header.
pub fn find_header(packet: &[u8], target: u8) -> Option<usize> {
    let mut chain = Chain::new(packet)?;
    loop {
        if !chain.is_at_extension() {
            return (chain.number == target).then_some(chain.at);
        }
        let header = chain.read()?;
        if chain.number == target {
            return Some(chain.at);
        }
        if header.fragment.is_some_and(|fragment| fragment.offset != 0) {
            return None;
        }
        chain.pass(&header);
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
