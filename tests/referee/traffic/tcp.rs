//! One end's part in a TCP connection: mostly right, at times stray, early, late, or out of the window.

use std::net::IpAddr;

use pnet_packet::tcp::{self, MutableTcpPacket};

use super::Talk;
use crate::rng::Rng;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// What an end offers in its SYN, and how much it takes at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    mss: bool,
    scale: Option<u8>,
    sack: bool,
    stamps: bool,
    window: u16,
}

impl Manners {
    pub(super) fn random(rng: &mut Rng) -> Self {
        Self {
            mss: rng.one_in(2),
            scale: rng.one_in(2).then(|| rng.choose(&[0, 2, 7, 7, 14, 15])),
            sack: rng.one_in(2),
            stamps: rng.one_in(3),
            window: rng.choose(&[64_000, 64_000, 65_535, 501, 0, 1]),
        }
    }

    /// A maximum segment size, and a window that takes anything.
    pub(super) const fn plain() -> Self {
        Self {
            mss: true,
            scale: None,
            sack: true,
            stamps: false,
            window: 64_000,
        }
    }

    /// The options of a segment, padded to words.
    fn options(self, flags: u8, ack: u32, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = Vec::new();
        if flags & SYN != 0 {
            if self.mss {
                bytes.extend([2, 4, 5, 0xb4]);
            }
            if self.sack {
                bytes.extend([4, 2]);
            }
            if let Some(scale) = self.scale {
                bytes.extend([1, 3, 3, scale]);
            }
        } else if self.sack && flags & ACK != 0 && rng.one_in(8) {
            bytes.extend([1, 1, 5, 10]);
            bytes.extend(ack.wrapping_add(100).to_be_bytes());
            bytes.extend(ack.wrapping_add(300).to_be_bytes());
        }
        if self.stamps {
            bytes.extend([1, 1, 8, 10]);
            bytes.extend(rng.u32().to_be_bytes());
            bytes.extend([0; 4]);
        }
        while bytes.len() % 4 != 0 {
            bytes.push(rng.choose(&[0, 1]));
        }
        bytes
    }
}

/// What makes a segment.
#[derive(Clone, Copy, Debug)]
struct Segment {
    from: usize,
    flags: u8,
    seq: u32,
    ack: u32,
    data: usize,
}

impl Talk {
    /// Sender, protocol, segment.
    pub(super) fn tcp(&mut self, rng: &mut Rng) -> (usize, (u8, Vec<u8>)) {
        if rng.one_in(20)
            && let Some((from, segment)) = self.said.clone()
        {
            return (from, (6, segment));
        }
        let segment = match rng.below(28) {
            0 | 1 => self.stray(rng),
            2 => self.off_the_mark(rng),
            _ => self.expected(rng),
        };
        let bytes = self.segment(segment, rng);
        self.said = Some((segment.from, bytes.clone()));
        (segment.from, (6, bytes))
    }

    /// A segment with these flags, by their letters, `ahead` of where it belongs; what is in its place is counted as said.
    pub(super) fn say(
        &mut self,
        from: usize,
        letters: &str,
        data: usize,
        ahead: u32,
        rng: &mut Rng,
    ) -> Vec<u8> {
        let flags = letters.chars().fold(0, |flags, letter| {
            flags
                | match letter {
                    'S' => SYN,
                    'A' => ACK,
                    'F' => FIN,
                    'R' => RST,
                    _ => PSH,
                }
        });
        let mut segment = self.now(from, flags, data);
        segment.seq = segment.seq.wrapping_add(ahead);
        if ahead == 0 {
            let used = data as u32 + u32::from(flags & (SYN | FIN) != 0);
            self.ends[from].seq = segment.seq.wrapping_add(used);
        }
        self.segment(segment, rng)
    }

    /// What comes next in a decent connection; counts what it says.
    fn expected(&mut self, rng: &mut Rng) -> Segment {
        let push = if rng.one_in(2) { PSH | ACK } else { ACK };
        let (from, flags, data) = match (self.step, rng.below(24)) {
            (1, _) => (0, SYN, 0),
            // A simultaneous open, at times.
            (2, 0 | 1) => (1, SYN, 0),
            (2, _) => (1, SYN | ACK, 0),
            (3, _) => (0, ACK, 0),
            (_, 0) => (0, FIN | ACK, 0),
            (_, 1) => (1, FIN | ACK, 0),
            (_, 2) => (rng.below(2), rng.choose(&[RST | ACK, RST]), 0),
            (_, 3) => (0, SYN, 0),
            _ => (rng.below(2), push, super::size(rng, 200)),
        };
        let segment = self.now(from, flags, data);
        let used = data as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.ends[from].seq = segment.seq.wrapping_add(used);
        segment
    }

    /// Any flags, at the right place.
    fn stray(&self, rng: &mut Rng) -> Segment {
        let flags = rng.choose(&[
            SYN,
            SYN | ACK,
            ACK,
            FIN | ACK,
            RST,
            RST | ACK,
            FIN,
            0,
            SYN | FIN,
            PSH | ACK,
            SYN | RST,
            FIN | RST | ACK,
            FIN | PSH | ACK | 32,
            SYN | 0xc0,
            SYN | ACK | 0x40,
        ]);
        self.now(rng.below(2), flags, 0)
    }

    /// Beside the window: old data, data from far ahead, keep-alives, acknowledgements of what nobody sent, blind resets.
    fn off_the_mark(&self, rng: &mut Rng) -> Segment {
        let flags = rng.choose(&[ACK, PSH | ACK, RST, RST | ACK, FIN | ACK, SYN, SYN | ACK]);
        let mut segment = self.now(rng.below(2), flags, rng.choose(&[0, 0, 1, 100]));
        let off = rng.choose(&[
            0,
            1,
            1_u32.wrapping_neg(),
            100_u32.wrapping_neg(),
            1000,
            64_000,
            65_536,
            66_001,
            70_000_u32.wrapping_neg(),
            200_000,
            0x4000_0000,
            0x8000_0001,
        ]);
        if rng.one_in(2) {
            segment.seq = segment.seq.wrapping_add(off);
        } else {
            segment.ack = segment.ack.wrapping_add(off);
        }
        segment
    }

    fn now(&self, from: usize, flags: u8, data: usize) -> Segment {
        let ack = self.ends[1 - from].seq;
        Segment {
            from,
            flags,
            seq: self.ends[from].seq,
            ack: if flags & ACK == 0 { 0 } else { ack },
            data,
        }
    }

    fn segment(&self, segment: Segment, rng: &mut Rng) -> Vec<u8> {
        let Segment { from, flags, .. } = segment;
        let (me, peer) = (self.ends[from], self.ends[1 - from]);
        let options = me.manners.options(flags, segment.ack, rng);
        let header = 20 + options.len();
        let mut bytes = vec![0; header + segment.data];
        bytes[20..header].copy_from_slice(&options);
        let mut p = MutableTcpPacket::new(&mut bytes).expect("20 bytes");
        p.set_source(me.port);
        p.set_destination(peer.port);
        p.set_sequence(segment.seq);
        p.set_acknowledgement(segment.ack);
        p.set_data_offset((header / 4) as u8);
        p.set_flags(flags);
        p.set_window(if rng.one_in(12) { 0 } else { me.manners.window });
        let sum = match (me.address, peer.address) {
            (IpAddr::V4(s), IpAddr::V4(d)) => tcp::ipv4_checksum(&p.to_immutable(), &s, &d),
            (IpAddr::V6(s), IpAddr::V6(d)) => tcp::ipv6_checksum(&p.to_immutable(), &s, &d),
            _ => unreachable!("both ends of a conversation have one family"),
        };
        p.set_checksum(if rng.one_in(60) { sum ^ 0x55 } else { sum });
        bytes
    }
}
