//! Packet bytes: loads, and writes with their checksums (`nft_payload.c`).

use std::ops::Range;

use super::Step;
use crate::Reg;
use crate::family::nfproto;
use crate::instr::{Base, ChecksumKind};
use crate::packet::rewrite::{self, Part, Zero};
use crate::packet::{Layout, Packet, checksum, layout_flags, protocol};
use crate::regs::Regs;

/// Where a base lies in the frame; `None` when the packet has no such header.
#[inline]
pub fn start(layout: &Layout, base: Base) -> Option<usize> {
    let (at, flag) = match base {
        Base::Network => return Some(layout.network as usize),
        Base::Transport => (layout.transport, layout_flags::TRANSPORT),
        Base::Link => (layout.link, layout_flags::LINK),
        Base::Inner => (layout.inner, layout_flags::INNER),
        Base::Tunnel => return None,
    };
    (layout.flags & flag != 0).then_some(at as usize)
}

/// The `len` bytes at `offset` from a base, as a range of the frame; `None` when they are not all in the packet.
#[inline]
pub fn locate(layout: &Layout, base: Base, offset: u32, len: usize) -> Option<Range<usize>> {
    let from = start(layout, base)?.checked_add(offset as usize)?;
    let to = from.checked_add(len)?;
    (to <= layout.end as usize).then_some(from..to)
}

/// As [`locate`], for loads: they find something in later fragments, too.
#[inline]
pub fn locate_load(layout: &Layout, base: Base, offset: u32, len: usize) -> Option<Range<usize>> {
    if start(layout, base).is_some() || !is_one_number(base, offset, len) {
        return locate(layout, base, offset, len);
    }
    let from = later_fragment(layout)?.checked_add(offset as usize)?;
    let to = from.checked_add(len)?;
    (to <= layout.end as usize).then_some(from..to)
}

/// Whether a load of a transport field is one that the kernel does in line, where nobody asks for the fragment's offset: an aligned number of
/// 1, 2 or 4 bytes (`nft_payload.c: nft_payload_select_ops`, `nf_tables_core.c: nft_payload_fast_eval`).
pub const fn is_one_number(base: Base, offset: u32, len: usize) -> bool {
    matches!(base, Base::Transport)
        && matches!(len, 1 | 2 | 4)
        && (offset as usize).is_multiple_of(len)
}

/// What such loads take for a later fragment's transport header: its payload in IPv4. The walk over IPv6's headers gives no offset then
/// (`exthdrs_core.c: ipv6_find_hdr`), which leaves what the kernel takes for the start of the packet.
#[cold]
pub fn later_fragment(layout: &Layout) -> Option<usize> {
    if !layout.has_l4proto() || layout.fragment_offset == 0 {
        return None;
    }
    let at = match layout.nfproto {
        nfproto::IPV4 => layout.transport,
        _ if layout.flags & layout_flags::LEAVING != 0 => layout.link,
        _ => layout.network,
    };
    Some(at as usize)
}

/// Copies packet bytes to a register.
#[inline]
pub fn load(packet: &Packet, base: Base, offset: u32, len: u8, dst: Reg, regs: &mut Regs) -> Step {
    let bytes = locate_load(&packet.layout, base, offset, usize::from(len))
        .and_then(|range| packet.frame.get(range));
    match bytes {
        Some(bytes) => {
            regs.set(dst, bytes);
            Step::Next
        }
        None => Step::Break,
    }
}

/// Where a payload write goes and which checksums it mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where the offsets count from.
    pub base: Base,
    /// Bytes from the base.
    pub offset: u32,
    /// The header's own checksum.
    pub csum: ChecksumKind,
    /// Where that checksum is, in bytes from the base.
    pub csum_offset: u32,
    /// 1: the bytes are part of the transport checksum's pseudo-header.
    pub csum_flags: u32,
}

/// Writes bytes into the packet and mends checksums.
pub fn write(packet: &mut Packet, to: &Write, value: &[u8]) -> Step {
    Step::some(try_write(packet, to, value))
}

fn try_write(packet: &mut Packet, to: &Write, value: &[u8]) -> Option<()> {
    let place = locate(&packet.layout, to.base, to.offset, value.len())?;
    let mut old = [0; 64];
    let old = old.get_mut(..value.len())?;
    old.copy_from_slice(packet.frame.get(place.clone())?);
    // What the rest of a partial checksum covers changes nothing in it (`nft_payload.c: nft_payload_set_eval`).
    let is_left = packet.is_partial() && matches!(to.base, Base::Transport | Base::Inner);
    if to.csum == ChecksumKind::Inet && !is_left {
        let sum = locate(&packet.layout, to.base, to.csum_offset, 2)?;
        rewrite::mend(&mut packet.frame, sum, (old, value), Zero::Mangled)?;
    }
    if to.csum_flags != 0
        && !is_left
        && let Some(field) = packet.transport_sum_field()
    {
        packet.mend_transport(field, Part::PseudoHeader, (old, value), Zero::Mangled)?;
    }
    packet.frame.get_mut(place)?.copy_from_slice(value);
    if to.csum == ChecksumKind::Sctp
        && packet.layout.l4proto == protocol::SCTP
        && !packet.is_partial()
    {
        checksum::fill(&mut packet.frame, &packet.layout);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 UDP packet of 32 bytes behind 14 bytes of Ethernet, as its layout says.
    fn packet() -> Packet {
        let mut packet = Packet {
            frame: (0..46).collect(),
            layout: Layout {
                network: 14,
                transport: 34,
                inner: 42,
                end: 46,
                l4proto: protocol::UDP,
                flags: layout_flags::LINK
                    | layout_flags::L4PROTO
                    | layout_flags::TRANSPORT
                    | layout_flags::INNER,
                nfproto: nfproto::IPV4,
                ..Layout::default()
            },
            ..Packet::default()
        };
        packet.frame[14..34].copy_from_slice(&[
            0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        let sum = checksum::internet(&packet.frame[14..34]);
        packet.frame[24..26].copy_from_slice(&sum.to_be_bytes());
        checksum::fill(&mut packet.frame, &packet.layout);
        packet
    }

    #[test]
    fn loads_stay_within_the_packet_and_its_headers() {
        let check = |base, offset, len, flags: u8, want| {
            let mut packet = packet();
            packet.layout.flags &= !flags;
            let mut regs = Regs::default();
            let got = load(&packet, base, offset, len, Reg::R1, &mut regs);
            assert_eq!(got, Step::when(want), "{base:?} {offset} {len}");
        };
        check(Base::Link, 0, 6, 0, true);
        check(Base::Link, 0, 6, layout_flags::LINK, false);
        check(Base::Network, 12, 4, 0, true);
        check(Base::Network, 31, 1, 0, true);
        check(Base::Network, 31, 2, 0, false);
        check(Base::Transport, 2, 2, 0, true);
        check(Base::Transport, 2, 2, layout_flags::TRANSPORT, false);
        check(Base::Inner, 0, 4, 0, true);
        check(Base::Inner, 0, 5, 0, false);
        check(Base::Network, u32::MAX, 16, 0, false);
        check(Base::Tunnel, 0, 1, 0, false);
    }

    #[test]
    fn numbers_are_loaded_from_later_fragments() {
        let check = |nfproto, flags, offset, len, want: Option<u8>| {
            let mut packet = packet();
            packet.layout.nfproto = nfproto;
            packet.layout.fragment_offset = 8;
            packet.layout.flags = flags;
            for (at, byte) in packet.frame.iter_mut().zip(0..) {
                *at = byte;
            }
            let mut regs = Regs::default();
            let step = load(&packet, Base::Transport, offset, len, Reg::R1, &mut regs);
            let found = (step == Step::Next).then(|| regs.get(Reg::R1, 1)[0]);
            assert_eq!(found, want, "{nfproto} {flags} {offset} {len}");
            let to = Write {
                base: Base::Transport,
                offset,
                csum: ChecksumKind::None,
                csum_offset: 0,
                csum_flags: 0,
            };
            assert_eq!(write(&mut packet, &to, &[1, 2]), Step::Break);
        };
        let (known, leaving) = (
            layout_flags::L4PROTO,
            layout_flags::L4PROTO | layout_flags::LEAVING,
        );
        check(nfproto::IPV4, known, 2, 2, Some(36));
        check(nfproto::IPV4, leaving, 4, 4, Some(38));
        check(nfproto::IPV4, known, 11, 1, Some(45));
        check(nfproto::IPV4, known, 12, 1, None);
        check(nfproto::IPV4, known, 1, 2, None);
        check(nfproto::IPV4, known, 0, 8, None);
        check(nfproto::IPV4, 0, 2, 2, None);
        check(nfproto::IPV6, known, 2, 2, Some(16));
        check(nfproto::IPV6, leaving, 2, 2, Some(2));
    }

    #[test]
    fn a_load_zeroes_the_rest_of_its_last_word() {
        let mut regs = Regs::default();
        regs.set(Reg::R1, &[0xff; 16]);
        load(&packet(), Base::Network, 12, 3, Reg::R1, &mut regs);
        assert_eq!(regs.get(Reg::R1, 5), [10, 0, 0, 0, 0xff]);
    }

    #[test]
    fn writes_mend_both_checksums() {
        let mut packet = packet();
        let to = Write {
            base: Base::Network,
            offset: 12,
            csum: ChecksumKind::Inet,
            csum_offset: 10,
            csum_flags: 1,
        };
        assert_eq!(write(&mut packet, &to, &[192, 0, 2, 7]), Step::Next);
        assert_eq!(checksum::internet(&packet.frame[14..34]), 0);
        assert_eq!(
            checksum::verify(&packet.frame, &packet.layout),
            checksum::Verified::Right
        );
        assert_eq!(packet.frame[26..30], [192, 0, 2, 7]);
    }

    #[test]
    fn udp_without_a_checksum_stays_without() {
        let mut packet = packet();
        packet.frame[40..42].copy_from_slice(&[0, 0]);
        let to = Write {
            base: Base::Network,
            offset: 16,
            csum: ChecksumKind::Inet,
            csum_offset: 10,
            csum_flags: 1,
        };
        assert_eq!(write(&mut packet, &to, &[192, 0, 2, 7]), Step::Next);
        assert_eq!(packet.frame[40..42], [0, 0]);
    }

    #[test]
    fn a_write_past_the_end_breaks_and_changes_nothing() {
        let mut packet = packet();
        let before = packet.frame.clone();
        let to = Write {
            base: Base::Transport,
            offset: 11,
            csum: ChecksumKind::Inet,
            csum_offset: 6,
            csum_flags: 0,
        };
        assert_eq!(write(&mut packet, &to, &[1, 2]), Step::Break);
        assert_eq!(packet.frame, before);
    }
}
