//! Loads from the packet inside a tunnel: VXLAN, Geneve, GRE (`nft_inner.c`).

use super::{Step, payload};
use crate::Reg;
use crate::instr::{Base, Instr};
use crate::meta::MetaKey;
use crate::packet::{
    Checksums, Layout, LinkKind, Packet, dissect_with, gre, layout_flags, protocol,
};
use crate::regs::Regs;

/// Geneve's number as a kind of tunnel.
const GENEVE: u32 = 2;
/// Flag of a tunnel in which there is a link header.
const LINK: u32 = 2;

/// How the tunnelled packet is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// 1 vxlan, 2 geneve, 3 gre, 4 gretap.
    pub kind: u32,
    /// Bytes of the tunnel header behind UDP.
    pub header_size: u32,
    /// 1 the tunnel header, 2 a link header, 4 a network header, 8 a transport header can be read.
    pub flags: u32,
}

/// Where the tunnel header is, and the headers of the packet in it; all counted from the frame's start.
struct Found {
    tunnel: usize,
    layout: Layout,
}

/// Runs one load against the tunnelled packet; breaks when there is none.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the verifier lets loads through alone, and of them the kernel knows these"
)]
pub fn load(packet: &Packet, tunnel: Tunnel, load: &Instr, regs: &mut Regs) -> Step {
    let Some(found) = find(packet, tunnel) else {
        return Step::Break;
    };
    match load {
        Instr::PayloadLoad {
            base,
            offset,
            len,
            dst,
        } => bytes(packet, &found, (*base, *offset, *len), *dst, regs),
        Instr::MetaLoad {
            key: MetaKey::Protocol,
            dst,
        } => {
            regs.set(*dst, &found.layout.ethertype.to_be_bytes());
            Step::Next
        }
        Instr::MetaLoad {
            key: MetaKey::L4proto,
            dst,
        } if found.layout.flags & layout_flags::TRANSPORT != 0 => {
            regs.set(*dst, &[found.layout.l4proto]);
            Step::Next
        }
        _ => Step::Break,
    }
}

fn bytes(
    packet: &Packet,
    found: &Found,
    (base, offset, len): (Base, u32, u8),
    dst: Reg,
    regs: &mut Regs,
) -> Step {
    let len = usize::from(len);
    let range = if base == Base::Tunnel {
        let from = found.tunnel.saturating_add(offset as usize);
        let to = from.saturating_add(len);
        (to <= packet.layout.end as usize).then_some(from..to)
    } else {
        payload::locate(&found.layout, base, offset, len)
    };
    match range.and_then(|range| packet.frame.get(range)) {
        Some(value) => {
            regs.set(dst, value);
            Step::Next
        }
        None => Step::Break,
    }
}

fn find(packet: &Packet, tunnel: Tunnel) -> Option<Found> {
    let outer = &packet.layout;
    let frame = packet.frame.get(..outer.end as usize)?;
    let transport = payload::start(outer, Base::Transport)?;
    let (tunnel_at, inside) = match outer.l4proto {
        protocol::GRE => (
            transport,
            transport.checked_add(gre::header_len(frame.get(transport..)?)?)?,
        ),
        protocol::UDP => {
            let at = transport.checked_add(8)?;
            let options = if tunnel.kind == GENEVE {
                usize::from(frame.get(at)? & 0x3f) * 4
            } else {
                0
            };
            let len = (tunnel.header_size as usize).checked_add(options)?;
            (at, at.checked_add(len)?)
        }
        _ => return None,
    };
    let kind = if tunnel.flags & LINK == 0 {
        LinkKind::Raw
    } else {
        LinkKind::Ethernet
    };
    let mut layout = dissect_with(frame.get(inside..)?, kind, Checksums::Ignore).ok()?;
    let by = u32::try_from(inside).ok()?;
    for at in [
        &mut layout.link,
        &mut layout.network,
        &mut layout.transport,
        &mut layout.inner,
        &mut layout.end,
    ] {
        *at = at.checked_add(by)?;
    }
    Some(Found {
        tunnel: tunnel_at,
        layout,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::dissect;

    const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];

    fn ip(l4proto: u8, last: u8, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
        let mut header = vec![
            0x45, 0, len[0], len[1], 0, 1, 0, 0, 64, l4proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, last,
        ];
        let sum = crate::packet::checksum::internet(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [&header, payload].concat()
    }

    fn udp(dport: u16, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
        let dport = dport.to_be_bytes();
        let header = [0, 9, dport[0], dport[1], len[0], len[1], 0, 0];
        [&header, payload].concat()
    }

    fn packet(network: &[u8]) -> Packet {
        let frame = [&ETHERNET, network].concat();
        Packet {
            layout: dissect(&frame, LinkKind::Ethernet).unwrap(),
            frame,
            ..Packet::default()
        }
    }

    fn check(packet: &Packet, tunnel: Tunnel, base: Base, offset: u32, want: Option<[u8; 4]>) {
        let mut regs = Regs::default();
        let instr = Instr::PayloadLoad {
            base,
            offset,
            len: 4,
            dst: Reg::R1,
        };
        let got = load(packet, tunnel, &instr, &mut regs);
        assert_eq!(got, Step::when(want.is_some()), "{base:?} {offset}");
        if let Some(want) = want {
            assert_eq!(regs.get(Reg::R1, 4), want, "{base:?} {offset}");
        }
    }

    #[test]
    fn vxlan_carries_a_frame() {
        let inner = [&ETHERNET[..], &ip(17, 77, &udp(53, b"data"))].concat();
        let vxlan = [&[8, 0, 0, 0, 0, 0, 10, 0][..], &inner].concat();
        let packet = packet(&ip(17, 2, &udp(4789, &vxlan)));
        let tunnel = Tunnel {
            kind: 1,
            header_size: 8,
            flags: 15,
        };
        check(&packet, tunnel, Base::Tunnel, 4, Some([0, 0, 10, 0]));
        check(&packet, tunnel, Base::Link, 0, Some([2, 0, 0, 0]));
        check(&packet, tunnel, Base::Network, 16, Some([10, 0, 0, 77]));
        check(&packet, tunnel, Base::Transport, 0, Some([0, 9, 0, 53]));
        check(&packet, tunnel, Base::Transport, 12, None);
    }

    #[test]
    fn gre_carries_a_packet_behind_its_options() {
        let tunnel = Tunnel {
            kind: 3,
            header_size: 4,
            flags: 12,
        };
        let inner = ip(17, 77, &udp(53, b"data"));
        let check = |header: &[u8], want| {
            let packet = packet(&ip(47, 2, &[header, &inner].concat()));
            check(&packet, tunnel, Base::Network, 16, want);
        };
        check(&[0, 0, 8, 0], Some([10, 0, 0, 77]));
        check(&[0x20, 0, 8, 0, 1, 2, 3, 4], Some([10, 0, 0, 77]));
        check(&[0, 1, 8, 0], None);
        check(&[0x40, 0, 8, 0], None);
    }
}
