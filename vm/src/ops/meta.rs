//! Packet metadata (`nft_meta.c`).

use super::Step;
use crate::Reg;
use crate::engine::Env;
use crate::instr::RtKey;
use crate::meta::MetaKey;
use crate::packet::{Packet, layout_flags};
use crate::regs::Regs;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// 1970 began on a Thursday.
const FIRST_WEEKDAY: u64 = 4;
/// Highest `pkttype` that a rule may write.
const LAST_PKTTYPE: u32 = 3;

/// Loads a key. What only a socket, a real device or the machine itself could answer breaks, as it does in Linux without one.
pub fn load(packet: &Packet, key: MetaKey, dst: Reg, regs: &mut Regs, env: &mut Env<'_>) -> Step {
    let meta = &packet.meta;
    match key {
        MetaKey::Length => regs.set_u32(dst, meta.len),
        MetaKey::Protocol => regs.set(dst, &packet.layout.ethertype.to_be_bytes()),
        MetaKey::Priority => regs.set_u32(dst, meta.priority),
        MetaKey::Mark => regs.set_u32(dst, meta.mark),
        MetaKey::Iif => regs.set_u32(dst, meta.iif),
        MetaKey::Iifname => regs.set(dst, &meta.iifname),
        MetaKey::Oif => regs.set_u32(dst, meta.oif),
        MetaKey::Oifname => regs.set(dst, &meta.oifname),
        MetaKey::Pkttype => regs.set(dst, &[meta.pkttype]),
        MetaKey::Nfproto => regs.set(dst, &[meta.nfproto]),
        MetaKey::L4proto => return l4proto(packet, dst, regs),
        // At egress there is a type where there is no input interface.
        MetaKey::Iiftype => {
            let there = u32::from(meta.iiftype);
            return device(there, &meta.iiftype.to_le_bytes(), dst, regs);
        }
        MetaKey::Oiftype => return device(meta.oif, &meta.oiftype.to_le_bytes(), dst, regs),
        MetaKey::Iifgroup => return device(meta.iif, &[0; 4], dst, regs),
        MetaKey::Oifgroup => return device(meta.oif, &[0; 4], dst, regs),
        MetaKey::Rtclassid => return super::world::rt(packet, RtKey::Classid, dst, regs, env),
        MetaKey::Random => regs.set_u32(dst, env.host.random()),
        MetaKey::Time => regs.set(dst, &env.now.as_nanos().to_le_bytes()),
        MetaKey::Day => regs.set(dst, &[weekday(env.now.as_nanos())]),
        MetaKey::Hour => regs.set_u32(dst, second_of_day(env.now.as_nanos())),
        MetaKey::Cpu | MetaKey::Secmark | MetaKey::Sdif => regs.set_u32(dst, 0),
        MetaKey::Ipsec => regs.set(dst, &[0]),
        MetaKey::Sdifname => regs.set(dst, &[0; 16]),
        MetaKey::Skuid
        | MetaKey::Skgid
        | MetaKey::Cgroup
        | MetaKey::Nftrace
        | MetaKey::Ibrname
        | MetaKey::Obrname
        | MetaKey::Ibrpvid
        | MetaKey::Ibrvproto
        | MetaKey::Iifkind
        | MetaKey::Oifkind
        | MetaKey::Broute
        | MetaKey::Ibrhwaddr => return Step::Break,
    }
    Step::Next
}

fn l4proto(packet: &Packet, dst: Reg, regs: &mut Regs) -> Step {
    if packet.layout.flags & layout_flags::L4PROTO == 0 {
        return Step::Break;
    }
    regs.set(dst, &[packet.layout.l4proto]);
    Step::Next
}

/// A property of a device: breaks when there is no device.
fn device(index: u32, value: &[u8], dst: Reg, regs: &mut Regs) -> Step {
    if index == 0 {
        return Step::Break;
    }
    regs.set(dst, value);
    Step::Next
}

/// 0 is Sunday; in UTC.
fn weekday(nanos: u64) -> u8 {
    let days = nanos / NANOS_PER_SECOND / SECONDS_PER_DAY;
    u8::try_from((days + FIRST_WEEKDAY) % 7).unwrap_or(0)
}

fn second_of_day(nanos: u64) -> u32 {
    u32::try_from(nanos / NANOS_PER_SECOND % SECONDS_PER_DAY).unwrap_or(0)
}

/// Stores a key; what cannot have meaning here is ignored.
pub fn set(packet: &mut Packet, key: MetaKey, src: Reg, regs: &Regs) -> Step {
    let value = regs.u32(src);
    let [low, ..] = value.to_le_bytes();
    match key {
        MetaKey::Mark => packet.meta.mark = value,
        MetaKey::Priority => packet.meta.priority = value,
        MetaKey::Nftrace => packet.meta.nftrace = low & 1,
        MetaKey::Pkttype => {
            if u32::from(low) <= LAST_PKTTYPE && u32::from(packet.meta.pkttype) <= LAST_PKTTYPE {
                packet.meta.pkttype = low;
            }
        }
        MetaKey::Length
        | MetaKey::Protocol
        | MetaKey::Iif
        | MetaKey::Iifname
        | MetaKey::Iiftype
        | MetaKey::Oif
        | MetaKey::Oifname
        | MetaKey::Oiftype
        | MetaKey::Skuid
        | MetaKey::Skgid
        | MetaKey::Rtclassid
        | MetaKey::Ibrname
        | MetaKey::Obrname
        | MetaKey::Ibrpvid
        | MetaKey::Ibrvproto
        | MetaKey::Cpu
        | MetaKey::Iifgroup
        | MetaKey::Oifgroup
        | MetaKey::Cgroup
        | MetaKey::Random
        | MetaKey::Ipsec
        | MetaKey::Iifkind
        | MetaKey::Oifkind
        | MetaKey::Nfproto
        | MetaKey::L4proto
        | MetaKey::Secmark
        | MetaKey::Time
        | MetaKey::Day
        | MetaKey::Hour
        | MetaKey::Sdif
        | MetaKey::Sdifname
        | MetaKey::Broute
        | MetaKey::Ibrhwaddr => {}
    }
    Step::Next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_keys_count_from_a_thursday_midnight() {
        // 2023-11-14 22:13:20 UTC, a Tuesday.
        let nanos = 1_700_000_000 * NANOS_PER_SECOND;
        assert_eq!(weekday(0), 4);
        assert_eq!(weekday(nanos), 2);
        assert_eq!(second_of_day(nanos), 22 * 3600 + 13 * 60 + 20);
    }
}
