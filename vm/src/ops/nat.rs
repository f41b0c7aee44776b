//! NAT statements: registers to a range, the rest is the host's (`nft_nat.c`, `nft_masq.c`, `nft_redir.c`).

use super::Step;
use crate::Reg;
use crate::engine::{Env, NatAsk, NatRange};
use crate::family::nfproto;
use crate::instr::{Nat, NatKind, nat_flags};
use crate::packet::Packet;
use crate::regs::Regs;

/// `snat` and `dnat`.
pub fn nat(packet: &mut Packet, nat: &Nat, regs: &Regs, env: &mut Env<'_>) -> Step {
    let addr_len = if nat.nfproto == nfproto::IPV6 { 16 } else { 4 };
    let addr = nat.addr_min.map(|min| {
        let low = address(min, addr_len, regs);
        let high = nat.addr_max.map_or(low, |max| address(max, addr_len, regs));
        if nat.flags & nat_flags::NETMAP == 0 {
            return (low, high);
        }
        let mapped = netmap(packet, nat.kind, (&low, &high), addr_len);
        (mapped, mapped)
    });
    let range = NatRange {
        addr,
        port: ports((nat.proto_min, nat.proto_max), regs),
        flags: nat.flags,
    };
    env.host.nat(packet, NatAsk::Nat(nat), &range).step()
}

/// `masquerade`.
pub fn masquerade(
    packet: &mut Packet,
    proto: (Option<Reg>, Option<Reg>),
    flags: u32,
    regs: &Regs,
    env: &mut Env<'_>,
) -> Step {
    let range = port_range(proto, flags, regs);
    env.host.nat(packet, NatAsk::Masquerade, &range).step()
}

/// `redirect`.
pub fn redirect(
    packet: &mut Packet,
    proto: (Option<Reg>, Option<Reg>),
    flags: u32,
    regs: &Regs,
    env: &mut Env<'_>,
) -> Step {
    let range = port_range(proto, flags, regs);
    env.host.nat(packet, NatAsk::Redirect, &range).step()
}

fn port_range(proto: (Option<Reg>, Option<Reg>), flags: u32, regs: &Regs) -> NatRange {
    NatRange {
        addr: None,
        port: ports(proto, regs),
        flags,
    }
}

fn ports((min, max): (Option<Reg>, Option<Reg>), regs: &Regs) -> Option<(u16, u16)> {
    let low = regs.be16(min?);
    Some((low, max.map_or(low, |max| regs.be16(max))))
}

fn address(reg: Reg, len: usize, regs: &Regs) -> [u8; 16] {
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(regs.get(reg, len)) {
        *to = *from;
    }
    out
}

/// The packet's own address with the network part replaced (`nft_nat.c: nft_nat_setup_netmap`): where the range's ends agree the new
/// bits count, where they differ the old ones stay.
fn netmap(
    packet: &Packet,
    kind: NatKind,
    (low, high): (&[u8; 16], &[u8; 16]),
    len: usize,
) -> [u8; 16] {
    let v6 = packet.layout.nfproto == nfproto::IPV6;
    let at = match (kind, v6) {
        (NatKind::Snat, false) => 12,
        (NatKind::Dnat, false) => 16,
        (NatKind::Snat, true) => 8,
        (NatKind::Dnat, true) => 24,
    };
    let start = packet.layout.network as usize + at;
    let old = packet.frame.get(start..start + len).unwrap_or(&[]);
    let mut out = [0; 16];
    for (((to, low), high), old) in out.iter_mut().zip(low).zip(high).zip(old) {
        let mask = !(low ^ high);
        *to = (old & !mask) | (low & mask);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Layout;

    #[test]
    fn netmap_keeps_the_host_part() {
        let mut frame = vec![0; 20];
        frame[12..16].copy_from_slice(&[10, 0, 3, 7]);
        let packet = Packet {
            layout: Layout {
                end: 20,
                nfproto: nfproto::IPV4,
                ..Layout::default()
            },
            frame,
            ..Packet::default()
        };
        let mut low = [0; 16];
        let mut high = [0; 16];
        low[..4].copy_from_slice(&[192, 168, 0, 0]);
        high[..4].copy_from_slice(&[192, 168, 255, 255]);
        let got = netmap(&packet, NatKind::Snat, (&low, &high), 4);
        assert_eq!(got[..5], [192, 168, 3, 7, 0]);
    }
}
