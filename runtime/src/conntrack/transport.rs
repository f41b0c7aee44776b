//! Where conntrack finds the transport header, in packets and in what ICMP errors quote of them.

use redan_vm::family::nfproto;
use redan_vm::packet::checksum::Sum;
use redan_vm::packet::ipv6::{self, next_header};
use redan_vm::packet::{Ipv4, Ipv6, protocol};

use super::reason::InvalidReason;

/// A packet from its transport header on, with what of the network header matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport<'a> {
    /// [`nfproto`] of the network header.
    pub(super) nfproto: u8,
    /// Source address, as in [`super::Tuple`].
    pub(super) src: [u8; 16],
    /// Destination address.
    pub(super) dst: [u8; 16],
    /// Layer 4 protocol.
    pub(super) protocol: u8,
    /// TTL or hop limit.
    pub(super) hop_limit: u8,
    /// From the transport header to the packet's end.
    pub(super) bytes: &'a [u8],
    /// Bytes of the whole packet, network header included.
    pub(super) packet_len: u32,
}

impl<'a> Transport<'a> {
    /// Finds the transport header of a packet that starts with its network header (`nf_conntrack_core.c: get_l4proto`).
    ///
    /// # Errors
    /// Headers end early, this is a later fragment, or nothing follows.
    pub(super) fn locate(nfproto: u8, packet: &'a [u8]) -> Result<Self, InvalidReason> {
        match nfproto {
            nfproto::IPV4 => Self::locate_ipv4(packet),
            nfproto::IPV6 => Self::locate_ipv6(packet),
            _ => Err(InvalidReason::Truncated),
        }
    }

    fn locate_ipv4(packet: &'a [u8]) -> Result<Self, InvalidReason> {
        let ip = Ipv4::new_checked(packet).ok_or(InvalidReason::Truncated)?;
        if ip.fragment_offset() != 0 {
            return Err(InvalidReason::Fragment);
        }
        Ok(Self {
            nfproto: nfproto::IPV4,
            src: widen(ip.src().octets()),
            dst: widen(ip.dst().octets()),
            protocol: ip.protocol(),
            hop_limit: ip.ttl(),
            bytes: packet
                .get(ip.header_len()..)
                .ok_or(InvalidReason::Truncated)?,
            packet_len: length(packet),
        })
    }

    fn locate_ipv6(packet: &'a [u8]) -> Result<Self, InvalidReason> {
        let ip = Ipv6::new_checked(packet).ok_or(InvalidReason::Truncated)?;
        let mut chain = ipv6::Chain::new(packet).ok_or(InvalidReason::Truncated)?;
        while ipv6::is_extension(chain.number) {
            if chain.number == next_header::NONE {
                return Err(InvalidReason::Truncated);
            }
            let header = chain.read().ok_or(InvalidReason::Truncated)?;
            if header.fragment.is_some_and(|fragment| fragment.offset != 0) {
                return Err(InvalidReason::Fragment);
            }
            chain.pass(&header);
        }
        Ok(Self {
            nfproto: nfproto::IPV6,
            src: ip.src().octets(),
            dst: ip.dst().octets(),
            protocol: chain.number,
            hop_limit: ip.hop_limit(),
            // A last header that claims more than there is leaves nothing behind it, as in Linux; the protocol's own check follows.
            bytes: packet.get(chain.at..).unwrap_or(&[]),
            packet_len: length(packet),
        })
    }

    /// Whether the ones' complement checksum over the first `covered` bytes is right, with the pseudo-header where the protocol has one.
    pub(super) fn is_checksum_ok(&self, covered: usize) -> bool {
        // `nf_checksum_partial` takes UDP-Lite for UDP in the pseudo-header.
        let protocol = match self.protocol {
            protocol::UDPLITE => protocol::UDP,
            other => other,
        };
        let sum = if self.protocol == protocol::ICMP {
            Sum::new()
        } else {
            Sum::new()
                .add_bytes(&self.src)
                .add_bytes(&self.dst)
                .add_u32(u32::from(protocol))
                .add_u32(length(self.bytes))
        };
        sum.add_bytes(self.bytes.get(..covered).unwrap_or(self.bytes))
            .fold()
            == 0xffff
    }
}

/// An IPv4 address as tuples hold it.
fn widen(address: [u8; 4]) -> [u8; 16] {
    let mut wide = [0; 16];
    if let Some(first) = wide.first_chunk_mut::<4>() {
        *first = address;
    }
    wide
}

/// A length in 32 bits; packets are far shorter than that.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
