//! Extension headers, options and chunks: finding and loading (`nft_exthdr.c`).

use super::Step;
use super::{payload, tcp_option};
use crate::Reg;
use crate::family::nfproto;
use crate::instr::{Base, ExthdrOp};
use crate::packet::{Packet, ipv6, layout_flags, protocol};
use crate::regs::Regs;

/// What of an option is loaded or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Next-header value, option kind or chunk type.
    pub kind: u8,
    /// Bytes from the option's start.
    pub offset: u32,
    /// How many bytes.
    pub len: u8,
}

/// Loads bytes of an option; breaks when there is none or it is too short.
pub fn load(packet: &Packet, op: ExthdrOp, place: Place, dst: Reg, regs: &mut Regs) -> Step {
    let bytes = match op {
        ExthdrOp::Ipv6 => ipv6(packet, place.kind).and_then(|at| behind(packet, at, place)),
        ExthdrOp::Tcpopt => tcp_option::find(packet, place).and_then(|at| packet.frame.get(at)),
        ExthdrOp::Ipv4 => ipv4(packet, place.kind).and_then(|at| behind(packet, at, place)),
        ExthdrOp::Sctp => sctp(packet, place.kind).and_then(|chunk| within(chunk, place)),
        ExthdrOp::Dccp => None,
    };
    match bytes {
        Some(bytes) => {
            regs.set(dst, bytes);
            Step::Next
        }
        None => Step::Break,
    }
}

/// Loads 1 when there is such an option, else 0. IPv6 headers and IPv4 options break in packets of another protocol.
pub fn present(packet: &Packet, op: ExthdrOp, place: Place, dst: Reg, regs: &mut Regs) -> Step {
    let found = match op {
        ExthdrOp::Ipv6 if packet.layout.nfproto != nfproto::IPV6 => return Step::Break,
        ExthdrOp::Ipv4 if packet.layout.nfproto != nfproto::IPV4 => return Step::Break,
        ExthdrOp::Ipv6 => ipv6(packet, place.kind).is_some(),
        ExthdrOp::Ipv4 => ipv4(packet, place.kind).is_some(),
        ExthdrOp::Tcpopt => tcp_option::find(packet, place).is_some(),
        ExthdrOp::Sctp => sctp(packet, place.kind).is_some(),
        ExthdrOp::Dccp => dccp(packet, place.kind).is_some(),
    };
    regs.set(dst, &[u8::from(found)]);
    Step::Next
}

/// The bytes of a place whose option starts at `at` in the frame.
fn behind(packet: &Packet, at: usize, place: Place) -> Option<&[u8]> {
    let from = at.checked_add(place.offset as usize)?;
    let to = from.checked_add(usize::from(place.len))?;
    packet
        .frame
        .get(..packet.layout.end as usize)?
        .get(from..to)
}

/// The bytes of a place within its option.
fn within(option: &[u8], place: Place) -> Option<&[u8]> {
    let from = place.offset as usize;
    option.get(from..from.checked_add(usize::from(place.len))?)
}

/// Where an extension header starts in the frame.
fn ipv6(packet: &Packet, kind: u8) -> Option<usize> {
    if packet.layout.nfproto != nfproto::IPV6 {
        return None;
    }
    let network = packet.layout.network as usize;
    let bytes = packet.frame.get(network..packet.layout.end as usize)?;
    network.checked_add(ipv6::find_header(bytes, kind)?)
}

/// Where an IPv4 option starts in the frame. Options that do not parse count as absent (`ip_options.c: __ip_options_compile`).
///
/// The header is looked for at the start of what the kernel has of the packet (`nft_exthdr.c: ipv4_find_option`), which in egress is the
/// link header: an address of a device stands there for the header's length, and few are long enough for options.
fn ipv4(packet: &Packet, kind: u8) -> Option<usize> {
    const END: u8 = 0;
    const NOP: u8 = 1;
    if packet.layout.nfproto != nfproto::IPV4 {
        return None;
    }
    let bytes = packet.frame.get(..packet.layout.end as usize)?;
    let layout = &packet.layout;
    let start = if layout.flags & layout_flags::LEAVING == 0 {
        layout.network
    } else {
        layout.link
    } as usize;
    let header = usize::from(bytes.get(start)? & 0xf) * 4;
    let end = start.checked_add(header)?;
    let options = bytes.get(..end)?;
    let mut at = start.checked_add(20)?;
    let mut found = None;
    while let Some(&option) = options.get(at) {
        let len = match option {
            END => break,
            NOP => 1,
            _ => usize::from(*options.get(at + 1)?),
        };
        if option != NOP && (len < 2 || at + len > end) {
            return None;
        }
        if option == kind && found.is_none() && is_sound(options.get(at..at + len)?) {
            found = Some(at);
        }
        at += len;
    }
    found
}

/// Whether an IPv4 option that rules may ask for has the form that the kernel accepts.
fn is_sound(option: &[u8]) -> bool {
    const RECORD_ROUTE: u8 = 7;
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    const ROUTER_ALERT: u8 = 148;
    match *option {
        [RECORD_ROUTE | LOOSE | STRICT, _, pointer, ..] => pointer >= 4,
        [ROUTER_ALERT, _, _, _, ..] => true,
        _ => false,
    }
}

/// The transport header of a packet of this protocol, unless it is a later fragment.
fn transport(packet: &Packet, l4proto: u8) -> Option<&[u8]> {
    let layout = &packet.layout;
    if layout.flags & layout_flags::L4PROTO == 0 || layout.l4proto != l4proto {
        return None;
    }
    let start = payload::start(layout, Base::Transport)?;
    packet.frame.get(start..layout.end as usize)
}

/// The first chunk of a type, header included; the one that is found may be cut off by the packet's end when only its presence counts.
fn sctp(packet: &Packet, kind: u8) -> Option<&[u8]> {
    let mut rest = transport(packet, protocol::SCTP)?.get(12..)?;
    loop {
        let &[chunk, _, high, low, ..] = rest else {
            return None;
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len == 0 {
            return None;
        }
        if chunk == kind {
            return Some(rest.get(..len).unwrap_or(&[]));
        }
        rest = rest.get(len.next_multiple_of(4)..)?;
    }
}

/// A DCCP option, by its kind (`nft_exthdr.c: nft_exthdr_dccp_eval`).
fn dccp(packet: &Packet, kind: u8) -> Option<()> {
    /// Options below this are one byte long.
    const FIRST_LONG: u8 = 32;
    let header = transport(packet, protocol::DCCP)?;
    let end = usize::from(*header.get(4)?) * 4;
    let options = header.get(..end)?.get(dccp_header_len(header)?..)?;
    let mut rest = options;
    while let Some(&option) = rest.first() {
        if option == kind {
            return Some(());
        }
        let len = if option < FIRST_LONG {
            1
        } else {
            usize::from(*rest.get(1)?).max(2)
        };
        rest = rest.get(len..)?;
    }
    None
}

/// Bytes of a DCCP header before its options, by the type of packet (RFC 4340, 5.1 to 5.8).
fn dccp_header_len(header: &[u8]) -> Option<usize> {
    const REQUEST: u8 = 0;
    const RESPONSE: u8 = 1;
    const DATA: u8 = 2;
    const RESET: u8 = 7;
    let byte = header.get(8)?;
    let (basic, ack) = if byte & 1 == 1 { (16, 8) } else { (12, 4) };
    Some(match byte >> 1 & 0xf {
        REQUEST => basic + 4,
        DATA => basic,
        RESPONSE | RESET => basic + ack + 4,
        _ => basic + ack,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Layout;

    fn v6(next: u8, rest: &[u8]) -> Packet {
        let mut frame = vec![0; 40];
        frame[0] = 0x60;
        frame[6] = next;
        frame.extend_from_slice(rest);
        Packet {
            layout: Layout {
                end: u32::try_from(frame.len()).unwrap(),
                nfproto: nfproto::IPV6,
                ..Layout::default()
            },
            frame,
            ..Packet::default()
        }
    }

    #[test]
    fn ipv6_headers_are_walked() {
        let check = |next, rest: &[u8], kind, want| {
            assert_eq!(ipv6(&v6(next, rest), kind), want, "{next} {rest:?} {kind}");
        };
        let hop_then_tcp = [6, 0, 0, 0, 0, 0, 0, 0];
        check(0, &hop_then_tcp, 0, Some(40));
        check(0, &hop_then_tcp, 44, None);
        check(0, &hop_then_tcp, 6, Some(48));
        let hop_then_fragment = [44, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 1];
        check(0, &hop_then_fragment, 44, Some(48));
        check(0, &hop_then_fragment, 43, None);
        let later_fragment = [0, 0, 0, 8, 0, 0, 0, 1];
        check(44, &later_fragment, 44, Some(40));
        check(44, &later_fragment, 0, None);
        check(0, &[6], 0, None);
        check(59, &[], 59, Some(40));
        check(135, &[], 135, Some(40));
        // A header whose length leads out of the packet.
        check(0, &[0, 255, 0, 0, 0, 0, 0, 0], 60, None);
    }

    #[test]
    fn ipv4_options_are_walked() {
        let check = |options: &[u8], kind, want| {
            let mut frame = vec![0; 20];
            frame[0] = 0x40 | u8::try_from((20 + options.len()) / 4).unwrap();
            frame.extend_from_slice(options);
            let packet = Packet {
                layout: Layout {
                    end: u32::try_from(frame.len()).unwrap(),
                    nfproto: nfproto::IPV4,
                    ..Layout::default()
                },
                frame,
                ..Packet::default()
            };
            assert_eq!(ipv4(&packet, kind), want, "{options:?} {kind}");
        };
        check(&[], 7, None);
        check(&[1, 7, 3, 4], 7, Some(21));
        check(&[0, 7, 3, 4], 7, None);
        check(&[148, 4, 0, 0], 148, Some(20));
        check(&[7, 200, 4, 0], 7, None);
        check(&[7, 0, 4, 0], 7, None);
        check(&[7, 3, 0, 0], 7, None);
        check(&[7, 3, 4, 99], 7, None);
    }

    fn over(l4proto: u8, bytes: &[u8]) -> Packet {
        Packet {
            layout: Layout {
                end: u32::try_from(bytes.len()).unwrap(),
                l4proto,
                flags: layout_flags::L4PROTO | layout_flags::TRANSPORT,
                ..Layout::default()
            },
            frame: bytes.to_vec(),
            ..Packet::default()
        }
    }

    #[test]
    fn sctp_chunks_are_walked() {
        let mut bytes = vec![0; 12];
        bytes.extend_from_slice(&[3, 0, 0, 5, 9, 0, 0, 0]);
        bytes.extend_from_slice(&[1, 0, 0, 8, 7, 7, 7, 7]);
        let packet = over(protocol::SCTP, &bytes);
        assert_eq!(sctp(&packet, 1), Some(&[1, 0, 0, 8, 7, 7, 7, 7][..]));
        assert_eq!(sctp(&packet, 3), Some(&[3, 0, 0, 5, 9][..]));
        assert_eq!(sctp(&packet, 4), None);
        assert_eq!(sctp(&over(protocol::SCTP, &[0; 40]), 1), None);
        assert_eq!(sctp(&over(protocol::TCP, &bytes), 1), None);
    }

    #[test]
    fn dccp_options_are_walked() {
        // A data packet (type 2), header of 12 bytes and 4 of options.
        let mut bytes = vec![0; 12];
        bytes[4] = 4;
        bytes[8] = 2 << 1;
        bytes.extend_from_slice(&[32, 3, 0, 1]);
        let packet = over(protocol::DCCP, &bytes);
        assert_eq!(dccp(&packet, 32), Some(()));
        assert_eq!(dccp(&packet, 1), Some(()));
        assert_eq!(dccp(&packet, 3), None);
    }
}
