//! Statements and expressions that leave the machine: log, reject, queue, routes, copies, sockets.

use super::{Step, generate};
use crate::ct;
use crate::engine::{Env, Final};
use crate::family::nfproto;
use crate::ids::RuleId;
use crate::instr::{FibResult, Instr, RtKey, TunnelKey, Verdict, fib_flags};
use crate::packet::{Packet, layout_flags, protocol};
use crate::regs::Regs;
use crate::{Reg, ops::payload};

/// Runs one of them; any other instruction breaks. Sockets, fingerprints and IPsec states are never there, so they break, as in Linux
/// for a forwarded packet with none of it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
pub fn run(
    instr: &Instr,
    rule: RuleId,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    match instr {
        Instr::Log(log) => env.host.log(packet, rule, log),
        Instr::Reject(reject) => return Step::Final(Final::Reject(*reject)),
        Instr::Notrack => env.host.notrack(packet),
        Instr::Queue {
            num,
            bypass,
            sreg,
            fanout,
        } => {
            let num = sreg.map_or_else(|| queue(packet, *num, *fanout), |reg| low16(regs.u32(reg)));
            return Step::Final(Final::Queue {
                num,
                bypass: *bypass,
            });
        }
        Instr::Dup { addr, dev } => {
            let addr = addr.map(|reg| regs.get(reg, address_len(packet.layout.nfproto)));
            env.host.dup(packet, addr, dev.map(|reg| regs.u32(reg)));
        }
        Instr::Fwd { dev, addr, nfproto } => {
            if addr.is_some()
                && let Err(step) = take_hop(packet, *nfproto)
            {
                return step;
            }
            let addr = addr.map(|reg| regs.get(reg, address_len(*nfproto)));
            env.host.fwd(packet, regs.u32(*dev), addr);
            return Step::Final(Final::Stolen);
        }
        Instr::Synproxy { .. } => return synproxy(packet),
        Instr::FlowOffload { .. } => return flow_offload(packet),
        Instr::Fib { flags, result, dst } => fib(packet, *flags, *result, *dst, regs, env),
        // no tunnel device hands packets over: there is no number (`nft_tunnel.c: nft_tunnel_get_eval`)
        Instr::Tunnel {
            key: TunnelKey::Path,
            dst,
        } => regs.set(*dst, &[0]),
        Instr::Rt { key, dst } => return rt(packet, *key, *dst, regs, env),
        _ => return Step::Break,
    }
    Step::Next
}

/// What goes to another neighbour loses a hop, or ends here; the rule is not for packets of the other family
/// (`nft_fwd_netdev.c: nft_fwd_neigh_eval`).
fn take_hop(packet: &mut Packet, family: u8) -> Result<(), Step> {
    const LAST: Step = Step::Verdict(Verdict::Drop);
    if let Some(mut ip) = packet.ipv4_mut().filter(|_| family == nfproto::IPV4) {
        if ip.ttl() <= 1 {
            return Err(LAST);
        }
        ip.decrement_ttl();
        return Ok(());
    }
    if let Some(mut ip) = packet.ipv6_mut().filter(|_| family == nfproto::IPV6) {
        if ip.hop_limit() <= 1 {
            return Err(LAST);
        }
        ip.set_hop_limit(ip.hop_limit() - 1);
        return Ok(());
    }
    Err(Step::Break)
}

const fn address_len(family: u8) -> usize {
    if family == nfproto::IPV6 { 16 } else { 4 }
}

const fn low16(value: u32) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Which queue of a range takes the packet: by flow, or (with `fanout`) by processor, which is always the first.
fn queue(packet: &Packet, (first, last): (u16, u16), fanout: bool) -> u16 {
    let count = u32::from(last.saturating_sub(first)) + 1;
    if fanout || count == 1 {
        return first;
    }
    first.wrapping_add(low16(generate::scale(generate::symhash(packet), count)))
}

/// `fib`: the result, or with `exists` and `missing` whether there is one.
pub fn fib(
    packet: &Packet,
    flags: u32,
    result: FibResult,
    dst: Reg,
    regs: &mut Regs,
    env: &mut Env<'_>,
) {
    let mut value = [0; 16];
    let len = match result {
        FibResult::Oif | FibResult::Type => 4,
        FibResult::Oifname => 16,
    };
    let value = value.get_mut(..len).unwrap_or(&mut []);
    env.host.fib(packet, flags, result, value);
    if flags & fib_flags::PRESENT == 0 {
        regs.set(dst, value);
    } else {
        let found = value.iter().any(|byte| *byte != 0);
        regs.set(dst, &[u8::from(found)]);
    }
}

/// `rt`: breaks where the packet has no route.
pub fn rt(packet: &Packet, key: RtKey, dst: Reg, regs: &mut Regs, env: &mut Env<'_>) -> Step {
    let mut value = [0; 16];
    let len = match key {
        RtKey::Classid | RtKey::Nexthop4 => 4,
        RtKey::Nexthop6 => 16,
        RtKey::Tcpmss => 2,
        RtKey::Ipsec => 1,
    };
    let value = value.get_mut(..len).unwrap_or(&mut []);
    if !env.host.rt(packet, key, value) {
        return Step::Break;
    }
    regs.set(dst, value);
    Step::Next
}

/// `synproxy`: a SYN would be answered on the server's behalf, an ACK that answers no such SYN is dropped (`nft_synproxy.c`).
pub fn synproxy(packet: &Packet) -> Step {
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    if packet.layout.flags & layout_flags::L4PROTO == 0 || packet.layout.l4proto != protocol::TCP {
        return Step::Break;
    }
    let flags = payload::locate(&packet.layout, crate::instr::Base::Transport, 0, 20)
        .and_then(|range| packet.frame.get(range.start + 13));
    match flags {
        None => Step::Verdict(Verdict::Drop),
        Some(flags) if flags & SYN != 0 => Step::Final(Final::Stolen),
        Some(flags) if flags & ACK != 0 => Step::Verdict(Verdict::Drop),
        Some(_) => Step::Next,
    }
}

/// `flow add`: there is no flowtable to put the connection into; what could not be put into one breaks, as in Linux.
fn flow_offload(packet: &Packet) -> Step {
    let layout = &packet.layout;
    let has_ports = layout.flags & layout_flags::TRANSPORT != 0
        && matches!(layout.l4proto, protocol::TCP | protocol::UDP);
    Step::when(has_ports && packet.ct.has_entry != 0 && packet.ct.state == ct::state::ESTABLISHED)
}
