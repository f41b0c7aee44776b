//! What a fragment says of itself.

use std::net::IpAddr;

use redan_vm::Packet;
use redan_vm::packet::ipv6::{self, Chain, Fragment, next_header};

/// How a packet had been cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Where each part but the first starts, in bytes of the fragmented payload.
    pub cuts: Vec<u16>,
    /// The longest part, in bytes from the network header on.
    pub longest: u32,
}

/// A fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) id: u32,
    /// Layer 4 protocol in IPv4; 0 in IPv6, where it does not tell packets apart.
    pub(super) l4proto: u8,
    /// Where its payload belongs, in bytes.
    pub(super) offset: usize,
    /// Whether more follow.
    pub(super) more: bool,
    /// Where its payload starts in the frame, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// IPv6: where the fragment header starts in the frame.
    pub(super) header: usize,
    /// IPv6: the byte of the frame that announces it.
    pub(super) announced_at: usize,
    /// DSCP and ECN byte.
    pub(super) class: u8,
    /// IPv4: do not fragment.
    pub(super) dont_fragment: bool,
}

/// An IPv4 fragment; `None` for a whole packet.
pub(super) fn v4(packet: &Packet) -> Option<Piece> {
    let ip = packet.ipv4()?;
    if ip.fragment_offset() == 0 && !ip.is_more_fragments() {
        return None;
    }
    let network = packet.layout.network as usize;
    Some(Piece {
        src: ip.src().into(),
        dst: ip.dst().into(),
        id: u32::from(ip.id()),
        l4proto: ip.protocol(),
        offset: usize::from(ip.fragment_offset()),
        more: ip.is_more_fragments(),
        start: network + ip.header_len(),
        end: packet.layout.end as usize,
        header: 0,
        announced_at: 0,
        class: ip.tos(),
        dont_fragment: ip.is_dont_fragment(),
    })
}

/// Whether a first fragment ends before its layer 4 header does (RFC 8200 4.5). Such a one is not put together with others
/// (`nf_conntrack_reasm.c`): it goes on alone, and is invalid.
fn is_cut_short(packet: &[u8]) -> bool {
    let walk = ipv6::walk(packet, ipv6::Auth::IsSkipped);
    if walk.fragment.is_some_and(|at| at.header.offset != 0) {
        return false;
    }
    let header = match walk.l4proto {
        None | Some(next_header::NONE) => return false,
        Some(6) => 20,
        Some(17 | 58) => 8,
        Some(_) => 1,
    };
    walk.transport + header > packet.len()
}

/// An IPv6 packet with a fragment header, atomic fragments included; `None` without one, and for a first fragment without all headers.
pub(super) fn v6(packet: &Packet) -> Option<Piece> {
    let ip = packet.ipv6()?;
    let bytes = packet.network();
    let network = packet.layout.network as usize;
    let mut chain = Chain::new(bytes)?;
    // Authentication ends the walk: what it covers is not put together by those in between (`find_prev_fhdr`).
    while matches!(
        chain.number,
        next_header::HOP_BY_HOP | next_header::ROUTING | next_header::DEST_OPTIONS
    ) {
        chain.pass(&chain.read()?);
    }
    if chain.number != next_header::FRAGMENT {
        return None;
    }
    let fragment = chain.read()?.fragment?;
    if fragment.offset == 0 && is_cut_short(bytes) {
        return None;
    }
    Some(Piece {
        src: ip.src().into(),
        dst: ip.dst().into(),
        id: fragment.id,
        l4proto: 0,
        offset: usize::from(fragment.offset),
        more: fragment.is_more,
        start: network + chain.at + Fragment::LEN,
        end: packet.layout.end as usize,
        header: network + chain.at,
        announced_at: network + chain.announced_at,
        class: ip.traffic_class(),
        dont_fragment: false,
    })
}
