//! A frame by what stays the same when a machine hands it on, so that it is known again on another interface.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use redan_vm::packet::{Ipv4, Ipv6, Layout, LinkKind, Tcp, dissect, protocol};

/// A frame's headers as far as copies, directions and proposals need them.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// What a forwarded frame has in common with the one that came in.
    pub(crate) key: Key,
    /// Hops left.
    pub(crate) ttl: u8,
    /// Destination and source on the link.
    pub(crate) link: [u8; 12],
    /// What a TCP segment carries; devices cut and join segments.
    pub(crate) segment: Option<Span>,
    /// Bytes of the IP packet.
    pub(crate) bytes: usize,
    /// Where its headers are.
    pub(crate) layout: Layout,
}

/// Addresses, protocol, and what tells packets between them apart: of TCP the ports, of others a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    rest: u64,
}

/// The sequence numbers of a TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    bytes: u32,
    ack: u32,
    flags: u8,
}

impl Span {
    /// Whether it has any of these flags.
    pub(crate) const fn has(self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Whether the other segment carries part of what this one does. Devices that cut a segment set some flags on one part alone.
    pub(crate) fn holds(self, part: Self) -> bool {
        let from = part.start.wrapping_sub(self.start);
        let whole = part.bytes == self.bytes && part.flags == self.flags;
        self.ack == part.ack
            && from <= self.bytes
            && part.bytes <= self.bytes - from
            && (whole || (part.bytes > 0 && part.bytes < self.bytes))
    }
}

impl Flow {
    /// The flow of a frame that starts with an Ethernet header; `None` when it is no IP packet.
    pub(crate) fn of(frame: &[u8]) -> Option<Self> {
        let layout = dissect(frame, LinkKind::Ethernet).ok()?;
        let packet = frame.get(layout.network as usize..layout.end as usize)?;
        let mut hasher = DefaultHasher::new();
        let (src, dst, ttl): (IpAddr, IpAddr, u8) = if layout.is_ipv4() {
            let ip = Ipv4::new_checked(packet)?;
            ip.id().hash(&mut hasher);
            (ip.src().into(), ip.dst().into(), ip.ttl())
        } else if layout.is_ipv6() {
            let ip = Ipv6::new_checked(packet)?;
            (ip.src().into(), ip.dst().into(), ip.hop_limit())
        } else {
            return None;
        };
        let body = frame.get(layout.transport as usize..layout.end as usize)?;
        let tcp =
            Tcp::new_checked(body).filter(|_| layout.is_l4(protocol::TCP) && !layout.is_fragment());
        let segment = tcp.as_ref().map(|tcp| Span {
            start: tcp.seq(),
            bytes: u32::try_from(body.len().saturating_sub(tcp.header_len())).unwrap_or(u32::MAX),
            ack: tcp.ack(),
            flags: tcp.flags(),
        });
        let rest = if let Some(tcp) = tcp {
            u64::from(tcp.src_port()) << 16 | u64::from(tcp.dst_port())
        } else {
            layout.fragment_offset.hash(&mut hasher);
            without_checksum(layout.l4proto, body).hash(&mut hasher);
            hasher.finish()
        };
        Some(Self {
            key: Key {
                src,
                dst,
                protocol: layout.l4proto,
                rest,
            },
            ttl,
            link: frame.first_chunk().copied()?,
            segment,
            bytes: packet.len(),
            layout,
        })
    }

    /// Where the frame goes on its link.
    pub(crate) fn to(&self) -> [u8; 6] {
        self.link.first_chunk().copied().unwrap_or_default()
    }

    /// Where the frame comes from on its link.
    pub(crate) fn from(&self) -> [u8; 6] {
        self.link.last_chunk().copied().unwrap_or_default()
    }
}

/// A transport header and payload in two parts, around a checksum that a device may still have to fill in.
fn without_checksum(l4proto: u8, body: &[u8]) -> (&[u8], &[u8]) {
    let at = match l4proto {
        protocol::UDP => 6,
        protocol::ICMP | protocol::ICMPV6 => 2,
        _ => return (body, &[]),
    };
    (
        body.get(..at).unwrap_or(body),
        body.get(at + 2..).unwrap_or(&[]),
    )
}
