//! Packets as a machine hands them to its network card: with the pseudo-header's sum for a checksum, and several segments in one.

use pnet_packet::tcp::MutableTcpPacket;

use super::Frame;
use crate::rng::Rng;

/// `struct virtio_net_hdr`; all zero for a frame that is finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vnet(pub(crate) [u8; Self::LEN]);

impl Vnet {
    pub(crate) const LEN: usize = 10;
    const NEEDS_CSUM: u8 = 1;
    pub(crate) const TCP4: u8 = 1;
    pub(crate) const TCP6: u8 = 4;
    pub(crate) const UDP: u8 = 5;
    const ECN: u8 = 0x80;

    fn half(self, at: usize) -> u16 {
        u16::from_ne_bytes([self.0[at], self.0[at + 1]])
    }

    /// Where the checksum starts, and where its field lies from there.
    pub(crate) fn partial(self) -> Option<(u16, u16)> {
        (self.0[0] & Self::NEEDS_CSUM != 0).then(|| (self.half(6), self.half(8)))
    }

    /// The kind of segments, their size, the length of the headers, and whether the first has CWR.
    pub(crate) fn segments(self) -> Option<(u8, u16, u16, bool)> {
        let kind = self.0[1] & !Self::ECN;
        (kind != 0).then(|| (kind, self.half(4), self.half(2), self.0[1] & Self::ECN != 0))
    }
}

/// The frame of a packet, TCP or UDP right behind the IP header, as it would be on its way to a card.
pub(super) fn offload(mut frame: Frame, rng: &mut Rng) -> Frame {
    let ip = 14;
    let six = frame.bytes[ip] >> 4 == 6;
    let (protocol, header) = if six {
        (frame.bytes[ip + 6], 40)
    } else {
        (frame.bytes[ip + 9], usize::from(frame.bytes[ip] & 15) * 4)
    };
    let start = ip + header;
    let (field, transport) = match protocol {
        6 => (16, usize::from(frame.bytes[start + 12] >> 4) * 4),
        17 => (6, 8),
        _ => return frame,
    };
    let len = frame.bytes.len() - start;
    let sum = pseudo(&frame.bytes[ip..start], protocol, len, six);
    frame.bytes[start + field..start + field + 2].copy_from_slice(&sum.to_be_bytes());
    let mut vnet = [0; Vnet::LEN];
    vnet[0] = Vnet::NEEDS_CSUM;
    vnet[6..8].copy_from_slice(&(start as u16).to_ne_bytes());
    vnet[8..10].copy_from_slice(&(field as u16).to_ne_bytes());
    let data = len - transport;
    let sizes: &[u16] = if data > 1000 {
        &[1000, 1400, 536]
    } else {
        &[8, 20, 33]
    };
    let size = rng.choose(sizes);
    if data > usize::from(size)
        && (data > 1000 || rng.one_in(2))
        && !(protocol == 17 && rng.one_in(2))
    {
        let kind = match (protocol, six) {
            (6, false) => Vnet::TCP4,
            (6, true) => Vnet::TCP6,
            _ => Vnet::UDP,
        };
        let cwr = protocol == 6 && has_cwr(&mut frame.bytes[start..]);
        vnet[1] = kind | if cwr { Vnet::ECN } else { 0 };
        vnet[2..4].copy_from_slice(&((start + transport) as u16).to_ne_bytes());
        vnet[4..6].copy_from_slice(&size.to_ne_bytes());
    }
    frame.vnet = Vnet(vnet);
    frame
}

fn has_cwr(segment: &mut [u8]) -> bool {
    MutableTcpPacket::new(segment)
        .expect("20 bytes")
        .get_flags()
        & 0x80
        != 0
}

/// The pseudo-header's sum, not inverted.
fn pseudo(header: &[u8], protocol: u8, len: usize, six: bool) -> u16 {
    let addresses = if six { &header[8..40] } else { &header[12..20] };
    let mut sum = u32::from(protocol) + len as u32;
    for pair in addresses.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}
