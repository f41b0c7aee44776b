//! TCP options: finding, writing and removing them (`nft_exthdr.c: nft_exthdr_tcp_*`).

use std::ops::Range;

use super::exthdr::Place;
use super::{Step, payload};
use crate::instr::{Base, Verdict};
use crate::packet::rewrite::{Part, Zero};
use crate::packet::{Packet, layout_flags, protocol};

const NOP: u8 = 1;
const MAXSEG: u8 = 2;
/// Bytes of a TCP header without options.
const HEADER: usize = 20;
/// Where the checksum lies in the header.
const CHECKSUM: usize = 16;

/// The TCP header with its options, as a range of the frame; `None` when the packet does not have all of it.
fn header(packet: &Packet) -> Option<Range<usize>> {
    let layout = &packet.layout;
    if layout.flags & layout_flags::L4PROTO == 0 || layout.l4proto != protocol::TCP {
        return None;
    }
    let start = payload::start(layout, Base::Transport)?;
    let bytes = packet.frame.get(start..layout.end as usize)?;
    let len = usize::from(bytes.get(12)? >> 4) * 4;
    (len >= HEADER && len <= bytes.len()).then_some(start..start + len)
}

/// Length of the option that starts here. One of length 0 counts as 1 so that a walk gets on.
fn option_len(option: &[u8]) -> usize {
    match *option {
        [] | [0..=NOP, ..] | [_] | [_, 0, ..] => 1,
        [_, len, ..] => usize::from(len),
    }
}

/// Where the first option of a kind lies, counted from the header's start; it may reach past the header's end.
fn position(header: &[u8], kind: u8) -> Option<Range<usize>> {
    let mut at = HEADER;
    while at + 1 < header.len() {
        let rest = header.get(at..)?;
        let len = option_len(rest);
        if rest.first() == Some(&kind) {
            return Some(at..at + len);
        }
        at += len;
    }
    None
}

/// The bytes of a place in an option, as a range of the frame.
pub(super) fn find(packet: &Packet, place: Place) -> Option<Range<usize>> {
    let header = header(packet)?;
    let start = header.start;
    let bytes = packet.frame.get(header)?;
    let option = position(bytes, place.kind)?;
    let from = option.start.checked_add(place.offset as usize)?;
    let to = from.checked_add(usize::from(place.len))?;
    (option.end <= bytes.len() && to <= option.end).then_some(start + from..start + to)
}

/// Writes into an option and mends the checksum. A packet without the option is left as it is; a segment size only ever shrinks.
pub fn write(packet: &mut Packet, place: Place, value: &[u8]) -> Step {
    let Some((range, bytes)) = whole(packet) else {
        return Step::Break;
    };
    let Some(option) = position(bytes, place.kind) else {
        return Step::Next;
    };
    let from = option.start.saturating_add(place.offset as usize);
    let to = from.saturating_add(value.len());
    if option.end > bytes.len() || to > option.end {
        return Step::Break;
    }
    if place.kind == MAXSEG && value.len() == 2 && bytes.get(from..to) <= Some(value) {
        return Step::Next;
    }
    Step::some(replace(packet, range.start + from, value))
}

/// Overwrites an option with no-operations and mends the checksum.
pub fn reset(packet: &mut Packet, kind: u8) -> Step {
    let Some((range, bytes)) = whole(packet) else {
        return Step::Break;
    };
    let Some(option) = position(bytes, kind) else {
        return Step::Next;
    };
    if option.end > bytes.len() {
        return Step::Verdict(Verdict::Drop);
    }
    let nops = [NOP; 255];
    let nops = nops.get(..option.len()).unwrap_or(&nops);
    Step::some(replace(packet, range.start + option.start, nops))
}

/// The TCP header, as a range of the frame and as bytes.
fn whole(packet: &Packet) -> Option<(Range<usize>, &[u8])> {
    let range = header(packet)?;
    Some((range.clone(), packet.frame.get(range)?))
}

/// Replaces bytes of the TCP header, from `at` in the frame on, and mends its checksum.
fn replace(packet: &mut Packet, at: usize, value: &[u8]) -> Option<()> {
    // Sums run over 16-bit words of the segment, so both are taken from an even offset on.
    let lead = (at - packet.layout.transport as usize) % 2;
    let mut old = [0; 256];
    let mut new = [0; 256];
    let end = lead + value.len();
    let (old, new) = (old.get_mut(..end)?, new.get_mut(..end)?);
    let place = at..at + value.len();
    old.get_mut(lead..)?
        .copy_from_slice(packet.frame.get(place.clone())?);
    new.get_mut(lead..)?.copy_from_slice(value);
    packet.frame.get_mut(place)?.copy_from_slice(value);
    packet.mend_transport(CHECKSUM, Part::Segment, (old, new), Zero::Kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::nfproto;
    use crate::packet::{Layout, checksum};

    /// A SYN over IPv4 with these options, its checksum right.
    fn syn(options: &[u8]) -> Packet {
        let mut frame = vec![0; 40];
        frame[0] = 0x45;
        frame[9] = protocol::TCP;
        frame[32] = u8::try_from((20 + options.len()) / 4).unwrap() << 4;
        frame.extend_from_slice(options);
        let total = u16::try_from(frame.len()).unwrap();
        frame[2..4].copy_from_slice(&total.to_be_bytes());
        let mut packet = Packet {
            layout: Layout {
                transport: 20,
                end: u32::from(total),
                l4proto: protocol::TCP,
                nfproto: nfproto::IPV4,
                flags: layout_flags::L4PROTO | layout_flags::TRANSPORT,
                ..Layout::default()
            },
            frame,
            ..Packet::default()
        };
        checksum::fill(&mut packet.frame, &packet.layout);
        packet
    }

    fn maxseg(len: u8) -> Place {
        Place {
            kind: MAXSEG,
            offset: 2,
            len,
        }
    }

    #[test]
    fn options_are_found_within_the_header_only() {
        let check = |options: &[u8], place, want: Option<&[u8]>| {
            let packet = syn(options);
            let got = find(&packet, place).and_then(|at| packet.frame.get(at));
            assert_eq!(got, want, "{options:?}");
        };
        check(&[2, 4, 5, 180], maxseg(2), Some(&[5, 180]));
        check(&[1, 1, 1, 1, 2, 4, 5, 180], maxseg(2), Some(&[5, 180]));
        check(&[2, 4, 5, 180], maxseg(3), None);
        check(&[1, 1, 2, 4], maxseg(2), None);
        check(&[3, 0, 2, 4], maxseg(2), None);
        check(&[], maxseg(2), None);
    }

    #[test]
    fn a_write_shrinks_the_segment_size_and_mends_the_checksum() {
        let check = |options: &[u8], value: u16, want: &[u8]| {
            let mut packet = syn(options);
            assert_eq!(
                write(&mut packet, maxseg(2), &value.to_be_bytes()),
                Step::Next
            );
            assert_eq!(&packet.frame[40..], want);
            assert_eq!(
                checksum::verify(&packet.frame, &packet.layout),
                checksum::Verified::Right
            );
        };
        check(&[2, 4, 5, 180], 1400, &[2, 4, 5, 120]);
        check(&[2, 4, 5, 180], 1500, &[2, 4, 5, 180]);
        check(&[1, 2, 4, 5, 180, 1, 1, 1], 536, &[1, 2, 4, 2, 24, 1, 1, 1]);
        check(&[1, 1, 1, 1], 536, &[1, 1, 1, 1]);
    }

    #[test]
    fn a_reset_leaves_no_operations() {
        let mut packet = syn(&[1, 4, 2, 1]);
        assert_eq!(reset(&mut packet, 4), Step::Next);
        assert_eq!(packet.frame[40..], [1, 1, 1, 1]);
        assert_eq!(
            checksum::verify(&packet.frame, &packet.layout),
            checksum::Verified::Right
        );
        let mut cut = syn(&[1, 1, 4, 9]);
        assert_eq!(reset(&mut cut, 4), Step::Verdict(Verdict::Drop));
        assert_eq!(reset(&mut cut, 5), Step::Next);
    }
}
