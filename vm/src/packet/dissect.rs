//! Finds the headers of a frame and refuses what the kernel's receive functions drop (`ip_input.c: ip_rcv_core`, `ip6_input.c: ip6_rcv_core`).

use thiserror::Error;

use super::{
    Ethernet, Ipv4, Ipv6, Layout, Tcp, Vlan, arp, ethernet, ethertype, gre, hop_by_hop, ipv4, ipv6,
    layout_flags, protocol, udp, vlan,
};
use crate::family::nfproto;

/// What a frame starts with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// An Ethernet header.
    #[default]
    Ethernet,
    /// An IPv4 or IPv6 header; its version says which.
    Raw,
}

/// Whether checksums count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksums {
    /// A wrong IPv4 header checksum makes a frame malformed.
    #[default]
    Verify,
    /// Captures taken where a card computes checksums.
    Ignore,
}

/// Which layer could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Ethernet or VLAN.
    Link,
    /// ARP.
    Arp,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DissectErrorKind {
    /// The frame ends within a header, or before the length that the header gives.
    Truncated,
    /// The version field is not the EtherType's.
    BadVersion,
    /// A header length below the least.
    BadHeaderLength,
    /// A total length below the header's.
    BadTotalLength,
    /// The IPv4 header checksum is wrong.
    BadChecksum,
    /// Hop-by-hop options that a receiver must discard.
    BadOptions,
}

/// Why a frame is not fit for the hooks of its layer 3 protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("{layer:?} at byte {offset}: {kind:?}")]
pub struct DissectError {
    /// Where.
    pub layer: Layer,
    /// At which byte of the frame.
    pub offset: u32,
    /// What.
    pub kind: DissectErrorKind,
}

impl DissectError {
    /// Whether an IP header was at fault (and not the link header or ARP): what the kernel drops before its hooks.
    pub const fn is_malformed_ip(self) -> bool {
        matches!(self.layer, Layer::Ipv4 | Layer::Ipv6)
    }
}

/// Finds the headers of a frame as the hooks of ip, ip6, inet and arp see it. A frame of another protocol is no error:
/// its [`Layout::nfproto`] is 0.
///
/// # Errors
/// A header is cut off or unsound, so that the kernel would drop the frame before any of these hooks.
pub fn dissect(frame: &[u8], link: LinkKind) -> Result<Layout, DissectError> {
    dissect_with(frame, link, Checksums::Verify)
}

/// [`dissect`] with a say in whether the IPv4 header checksum counts.
///
/// # Errors
/// As [`dissect`].
pub fn dissect_with(
    frame: &[u8],
    link: LinkKind,
    checksums: Checksums,
) -> Result<Layout, DissectError> {
    let mut layout = Layout::default();
    dissect_into(&mut layout, frame, link, checksums)?;
    Ok(layout)
}

/// [`dissect_with`] in place: a layout that is moved once its parts are written costs more than finding them. After an error it means nothing.
///
/// # Errors
/// As [`dissect`].
pub fn dissect_into(
    layout: &mut Layout,
    frame: &[u8],
    link: LinkKind,
    checksums: Checksums,
) -> Result<(), DissectError> {
    link_layer(layout, frame, link)?;
    let packet = frame.get(layout.network as usize..).unwrap_or(&[]);
    match layout.ethertype {
        ethertype::IPV4 => {
            let len = received_ipv4(packet, checksums)
                .map_err(|fault| fault.at(Layer::Ipv4, layout.network))?;
            layout.end = layout.network + len;
            network_ipv4(layout, packet);
        }
        ethertype::IPV6 => {
            let len =
                received_ipv6(packet).map_err(|fault| fault.at(Layer::Ipv6, layout.network))?;
            layout.end = layout.network + len;
            let packet = packet.get(..len as usize).unwrap_or(packet);
            network_ipv6(layout, packet);
        }
        ethertype::ARP if packet.len() < arp::LEN => {
            return Err(
                Fault(packet.len(), DissectErrorKind::Truncated).at(Layer::Arp, layout.network)
            );
        }
        ethertype::ARP => layout.nfproto = nfproto::ARP,
        _ => {}
    }
    inner(layout, frame);
    Ok(())
}

/// Finds the headers of a frame as the hooks of bridge and netdev see it: padding counts, nothing is dropped, and where the IP header is
/// unsound the layer 4 protocol stays unknown (`nf_tables_ipv4.h: nft_set_pktinfo_ipv4_validate` and its IPv6 sister).
///
/// # Errors
/// The link header is cut off.
pub fn dissect_bridge(frame: &[u8], link: LinkKind) -> Result<Layout, DissectError> {
    let mut layout = Layout::default();
    link_layer(&mut layout, frame, link)?;
    let packet = frame.get(layout.network as usize..).unwrap_or(&[]);
    match layout.ethertype {
        ethertype::IPV4 if is_sound_ipv4(packet) => network_ipv4(&mut layout, packet),
        ethertype::IPV6 if is_sound_ipv6(packet) => network_ipv6(&mut layout, packet),
        ethertype::ARP if packet.len() >= arp::LEN => layout.nfproto = nfproto::ARP,
        _ => {}
    }
    inner(&mut layout, frame);
    Ok(layout)
}

/// What is wrong, at which byte from the layer's start.
pub(super) struct Fault(pub(super) usize, pub(super) DissectErrorKind);

impl Fault {
    fn at(self, layer: Layer, start: u32) -> DissectError {
        DissectError {
            layer,
            offset: start.saturating_add(u32::try_from(self.0).unwrap_or(u32::MAX)),
            kind: self.1,
        }
    }
}

/// The link header and VLAN tags; the packet ends where the frame ends.
fn link_layer(layout: &mut Layout, frame: &[u8], link: LinkKind) -> Result<(), DissectError> {
    let end = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let cut = Fault(frame.len(), DissectErrorKind::Truncated);
    *layout = Layout {
        end,
        ..Layout::default()
    };
    match link {
        LinkKind::Raw => {
            layout.ethertype = match frame.first().map(|byte| byte >> 4) {
                Some(4) => ethertype::IPV4,
                Some(6) => ethertype::IPV6,
                Some(_) => 0,
                None => return Err(cut.at(Layer::Link, 0)),
            };
        }
        LinkKind::Ethernet => {
            let Some(header) = Ethernet::new_checked(frame) else {
                return Err(cut.at(Layer::Link, 0));
            };
            layout.flags = layout_flags::LINK;
            layout.ethertype = header.ethertype();
            let mut network = ethernet::LEN;
            while matches!(layout.ethertype, ethertype::VLAN | ethertype::QINQ) {
                let Some(tag) = frame.get(network..).and_then(Vlan::new_checked) else {
                    return Err(cut.at(Layer::Link, 0));
                };
                layout.ethertype = tag.ethertype();
                network += vlan::LEN;
            }
            layout.network = u32::try_from(network).unwrap_or(end);
        }
    }
    Ok(())
}

/// The packet's length as its header gives it, when `ip_input.c: ip_rcv_core` would let it in.
fn received_ipv4(packet: &[u8], checksums: Checksums) -> Result<u32, Fault> {
    let Some(ip) = Ipv4::new_checked(packet) else {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    };
    if ip.version() != 4 {
        return Err(Fault(0, DissectErrorKind::BadVersion));
    }
    if ip.header_len() < ipv4::LEN {
        return Err(Fault(0, DissectErrorKind::BadHeaderLength));
    }
    if ip.header_len() > packet.len() {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    }
    if checksums == Checksums::Verify && !ip.is_checksum_ok() {
        return Err(Fault(10, DissectErrorKind::BadChecksum));
    }
    let total_len = usize::from(ip.total_len());
    if total_len > packet.len() {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    }
    if total_len < ip.header_len() {
        return Err(Fault(2, DissectErrorKind::BadTotalLength));
    }
    Ok(u32::from(ip.total_len()))
}

/// What `nft_set_pktinfo_ipv4_validate` asks for.
fn is_sound_ipv4(packet: &[u8]) -> bool {
    Ipv4::new_checked(packet).is_some_and(|ip| {
        let total_len = usize::from(ip.total_len());
        ip.version() == 4
            && ip.header_len() >= ipv4::LEN
            && total_len >= ip.header_len()
            && total_len <= packet.len()
    })
}

/// Fills in what a sound IPv4 header says.
fn network_ipv4(layout: &mut Layout, packet: &[u8]) {
    let Some(ip) = Ipv4::new_checked(packet) else {
        return;
    };
    layout.nfproto = nfproto::IPV4;
    layout.transport = layout.network + u32::try_from(ip.header_len()).unwrap_or(0);
    layout.fragment_offset = ip.fragment_offset();
    layout.more_fragments = u8::from(ip.is_more_fragments());
    layout.l4proto = ip.protocol();
    layout.flags |= layout_flags::L4PROTO;
}

/// The packet's length as its header gives it, when `ip6_input.c: ip6_rcv_core` would let it in.
fn received_ipv6(packet: &[u8]) -> Result<u32, Fault> {
    let Some(ip) = Ipv6::new_checked(packet) else {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    };
    if ip.version() != 6 {
        return Err(Fault(0, DissectErrorKind::BadVersion));
    }
    let has_options = ip.next_header() == ipv6::next_header::HOP_BY_HOP;
    let mut len = ipv6::LEN + usize::from(ip.payload_len());
    if ip.payload_len() == 0 && has_options {
        len = packet.len();
    }
    let Some(whole) = packet.get(..len) else {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    };
    if has_options && let Some(jumbo) = hop_by_hop::check(whole)? {
        if ip.payload_len() != 0 {
            return Err(Fault(4, DissectErrorKind::BadOptions));
        }
        len = ipv6::LEN + jumbo;
    }
    if len > packet.len() {
        return Err(Fault(packet.len(), DissectErrorKind::Truncated));
    }
    Ok(u32::try_from(len).unwrap_or(u32::MAX))
}

/// What `nft_set_pktinfo_ipv6_validate` asks for.
fn is_sound_ipv6(packet: &[u8]) -> bool {
    Ipv6::new_checked(packet).is_some_and(|ip| {
        ip.version() == 6 && ipv6::LEN + usize::from(ip.payload_len()) <= packet.len()
    })
}

/// Fills in what a sound IPv6 header and its extension headers say.
fn network_ipv6(layout: &mut Layout, packet: &[u8]) {
    layout.nfproto = nfproto::IPV6;
    let walk = ipv6::walk(packet, ipv6::Auth::IsTransport);
    layout.transport = layout.network + u32::try_from(walk.transport).unwrap_or(0);
    if let Some(fragment) = walk.fragment {
        layout.fragment_offset = fragment.header.offset;
        layout.more_fragments = u8::from(fragment.header.is_more);
    }
    if let Some(l4proto) = walk.l4proto {
        layout.l4proto = l4proto;
        layout.flags |= layout_flags::L4PROTO;
    }
}

/// Whether transport loads are allowed, and what lies behind a header that carries something (`nft_payload.c: nft_payload_inner_offset`).
fn inner(layout: &mut Layout, frame: &[u8]) {
    if !layout.has_l4proto() || layout.fragment_offset != 0 {
        return;
    }
    layout.flags |= layout_flags::TRANSPORT;
    // An extension header may claim to reach behind the packet's end; nothing is carried there.
    let Some(bytes) = frame.get(layout.transport as usize..layout.end as usize) else {
        return;
    };
    let header_len = match layout.l4proto {
        protocol::TCP => Tcp::new_checked(bytes).map(|header| header.header_len()),
        protocol::UDP => Some(udp::LEN),
        protocol::GRE => gre::header_len(bytes),
        protocol::IPIP => Some(0),
        _ => None,
    };
    if let Some(len) = header_len.filter(|len| *len <= bytes.len()) {
        layout.inner = layout.transport + u32::try_from(len).unwrap_or(0);
        layout.flags |= layout_flags::INNER;
    }
}
