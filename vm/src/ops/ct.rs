//! Connection tracking (`nft_ct.c`).

use super::Step;
use crate::Reg;
use crate::ct::{CtKey, Direction};
use crate::engine::Env;
use crate::packet::Packet;
use crate::regs::Regs;

/// Loads a key. `state` never breaks; every other key does without an entry.
pub fn load(
    packet: &Packet,
    key: CtKey,
    direction: Option<Direction>,
    dst: Reg,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    let ct = &packet.ct;
    if key == CtKey::State {
        regs.set_u32(dst, ct.state);
        return Step::Next;
    }
    if ct.has_entry == 0 {
        return Step::Break;
    }
    match (key, direction) {
        (CtKey::Direction, _) => regs.set(dst, &[ct.direction as u8]),
        (CtKey::Status, _) => regs.set_u32(dst, ct.status),
        (CtKey::Mark, _) => regs.set_u32(dst, ct.mark),
        _ => {
            let mut value = [0; 16];
            let value = value.get_mut(..bytes(key)).unwrap_or(&mut []);
            if !env.host.ct_load(packet, key, direction, value) {
                return Step::Break;
            }
            regs.set(dst, value);
        }
    }
    Step::Next
}

/// Stores a key; without an entry nothing happens.
pub fn set(
    packet: &mut Packet,
    key: CtKey,
    direction: Option<Direction>,
    src: Reg,
    regs: &Regs,
    env: &mut Env<'_>,
) -> Step {
    env.host
        .ct_store(packet, key, direction, regs.get(src, bytes(key)));
    Step::Next
}

/// Bytes of a key's value.
pub const fn bytes(key: CtKey) -> usize {
    (key.bits() as usize).div_ceil(8)
}
