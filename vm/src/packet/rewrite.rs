//! Whoever writes into a packet keeps its checksums true here, in each state that [`TransportSum`](super::TransportSum) knows.
//!
//! A whole checksum is mended by what changes, whatever it was before: a wrong one stays wrong. Where the field holds the pseudo-header's
//! sum alone, only what belongs to the pseudo-header changes it (`utils.c: inet_proto_csum_replace4` and its neighbours).

use std::net::IpAddr;
use std::ops::Range;

use super::checksum::{self, Sum};
use super::icmpv6::icmpv6_type;
use super::{Packet, icmp, protocol};
use crate::family::nfproto;

/// How bytes count in a transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// They are of the pseudo-header: addresses.
    PseudoHeader,
    /// They lie in the transport header or behind it.
    Segment,
}

/// What a checksum of 0 is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// As 0.
    Kept,
    /// As 0xffff, which means the same and never "no checksum" (`CSUM_MANGLED_0`).
    Mangled,
}

/// One end of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// Mends a 16-bit checksum of which bytes at an even offset change; nothing when it is not there.
pub(crate) fn mend(
    frame: &mut [u8],
    at: Range<usize>,
    (old, new): (&[u8], &[u8]),
    zero: Zero,
) -> Option<()> {
    let place: &mut [u8; 2] = frame.get_mut(at)?.try_into().ok()?;
    *place = match (checksum::update(u16::from_be_bytes(*place), old, new), zero) {
        (0, Zero::Mangled) => [0xff, 0xff],
        (sum, _) => sum.to_be_bytes(),
    };
    Some(())
}

impl Packet {
    /// Where the checksum with a pseudo-header lies, in bytes from the transport header; `None` where there is none that a change has to
    /// reach (`nft_payload.c: nft_payload_l4csum_offset`). The field may lie behind the end of a packet that is cut short.
    pub(crate) fn transport_sum_field(&self) -> Option<usize> {
        let layout = &self.layout;
        if !layout.has_l4proto() || layout.fragment_offset != 0 {
            return None;
        }
        match layout.l4proto {
            protocol::TCP => Some(16),
            protocol::UDP => {
                let sum = self.frame.get(self.transport_range(6, 2)?)?;
                (self.is_partial() || sum != [0, 0]).then_some(6)
            }
            protocol::UDPLITE => Some(6),
            protocol::ICMPV6 => Some(2),
            _ => None,
        }
    }

    /// Bytes of the transport header, as a range of the frame; `None` when the packet does not have them.
    fn transport_range(&self, offset: usize, len: usize) -> Option<Range<usize>> {
        let from = (self.layout.transport as usize).checked_add(offset)?;
        let to = from.checked_add(len)?;
        (self.layout.has_transport() && to <= self.layout.end as usize).then_some(from..to)
    }

    /// Mends the transport checksum's field at `field` of the transport header for bytes at an even offset that change. Nothing when the
    /// packet ends before the field.
    pub(crate) fn mend_transport(
        &mut self,
        field: usize,
        part: Part,
        (old, new): (&[u8], &[u8]),
        zero: Zero,
    ) -> Option<()> {
        let at = self.transport_range(field, 2)?;
        if !self.is_partial() {
            return mend(&mut self.frame, at, (old, new), zero);
        }
        if part == Part::PseudoHeader {
            let place: &mut [u8; 2] = self.frame.get_mut(at)?.try_into().ok()?;
            let sum = Sum::new()
                .add_u16(u16::from_be_bytes(*place))
                .add_u16(Sum::new().add_bytes(old).finish())
                .add_bytes(new);
            *place = sum.fold().to_be_bytes();
        }
        Some(())
    }

    /// Replaces an address of the network header (`nf_nat_proto.c: nf_nat_ipv4_manip_pkt` and its neighbours). Nothing, and no change, for
    /// an address of another family or a packet that is cut short.
    pub fn set_address(&mut self, end: End, address: IpAddr) -> Option<()> {
        let (family, offset) = match (address, end) {
            (IpAddr::V4(_), End::Source) => (nfproto::IPV4, 12),
            (IpAddr::V4(_), End::Destination) => (nfproto::IPV4, 16),
            (IpAddr::V6(_), End::Source) => (nfproto::IPV6, 8),
            (IpAddr::V6(_), End::Destination) => (nfproto::IPV6, 24),
        };
        if self.layout.nfproto != family {
            return None;
        }
        let (mut new, mut old) = ([0; 16], [0; 16]);
        let len = match address {
            IpAddr::V4(v4) => {
                *new.first_chunk_mut()? = v4.octets();
                4
            }
            IpAddr::V6(v6) => {
                new = v6.octets();
                16
            }
        };
        let network = self.layout.network as usize;
        let place = network + offset..network + offset + len;
        let (old, new) = (old.get_mut(..len)?, new.get(..len)?);
        old.copy_from_slice(self.frame.get(place.clone())?);
        // The rules' writes do not know DCCP's checksum, NAT does.
        let is_dccp = self.layout.is_l4(protocol::DCCP) && self.layout.fragment_offset == 0;
        let field = self.transport_sum_field().or(is_dccp.then_some(6));
        if let Some(field) = field {
            self.mend_transport(field, Part::PseudoHeader, (old, new), self.nat_zero())?;
        }
        if family == nfproto::IPV4 {
            let sum = network + 10..network + 12;
            mend(&mut self.frame, sum, (old, new), Zero::Kept)?;
        }
        self.frame.get_mut(place)?.copy_from_slice(new);
        Some(())
    }

    /// Replaces a port of TCP, UDP, UDP-Lite, SCTP or DCCP. Nothing, and no change, for other packets.
    pub fn set_port(&mut self, end: End, port: u16) -> Option<()> {
        let offset = match end {
            End::Source => 0,
            End::Destination => 2,
        };
        match self.layout.l4proto {
            protocol::SCTP => {
                let place = self.transport_range(offset, 2)?;
                self.transport_range(8, 4)?;
                self.frame
                    .get_mut(place)?
                    .copy_from_slice(&port.to_be_bytes());
                if !self.is_partial() {
                    checksum::fill(&mut self.frame, &self.layout);
                }
                Some(())
            }
            protocol::TCP | protocol::UDP | protocol::UDPLITE => {
                self.transport_range(0, super::udp::LEN)?;
                let field = self.transport_sum_field();
                self.set_transport16(offset, port, field)
            }
            protocol::DCCP => self.set_transport16(offset, port, Some(6)),
            _ => None,
        }
    }

    /// Replaces the identifier of an ICMP or ICMPv6 query. Nothing, and no change, for other packets.
    pub fn set_icmp_id(&mut self, id: u16) -> Option<()> {
        let is_query = match (self.layout.nfproto, self.layout.l4proto) {
            (nfproto::IPV4, protocol::ICMP) => !icmp::is_error(self.icmp()?.icmp_type()),
            (nfproto::IPV6, protocol::ICMPV6) => matches!(
                self.icmpv6()?.icmpv6_type(),
                icmpv6_type::ECHO_REQUEST | icmpv6_type::ECHO_REPLY
            ),
            _ => false,
        };
        if !is_query {
            return None;
        }
        self.set_transport16(4, id, Some(2))
    }

    /// Replaces two bytes of the transport header, whose checksum's field, if there is one, lies at `field`.
    fn set_transport16(&mut self, offset: usize, value: u16, field: Option<usize>) -> Option<()> {
        let place = self.transport_range(offset, 2)?;
        let old: [u8; 2] = self.frame.get(place.clone())?.try_into().ok()?;
        let new = value.to_be_bytes();
        if let Some(field) = field {
            self.mend_transport(field, Part::Segment, (&old, &new), self.nat_zero())?;
        }
        self.frame.get_mut(place)?.copy_from_slice(&new);
        Some(())
    }

    /// Only UDP's checksum may not become 0 (`nf_nat_proto.c: __udp_manip_pkt`).
    const fn nat_zero(&self) -> Zero {
        match self.layout.l4proto {
            protocol::UDP | protocol::UDPLITE => Zero::Mangled,
            _ => Zero::Kept,
        }
    }
}
