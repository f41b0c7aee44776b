//! Numbers made from nothing or from keys: numgen, jhash, symhash (`nft_numgen.c`, `nft_hash.c`).

use super::Step;
use crate::engine::Env;
use crate::family::nfproto;
use crate::ids::StateId;
use crate::instr::{Base, Instr};
use crate::packet::{Packet, layout_flags, protocol};
use crate::regs::Regs;
use crate::state::Stateful;

use super::payload;

/// Runs a generator; any other instruction breaks.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
pub fn run(instr: &Instr, packet: &Packet, regs: &mut Regs, env: &mut Env<'_>) -> Step {
    let (dst, value) = match *instr {
        Instr::Numgen {
            random: true,
            modulus,
            offset,
            dst,
            ..
        } => (dst, scale(env.host.random(), modulus).wrapping_add(offset)),
        Instr::Numgen {
            random: false,
            modulus,
            offset,
            state,
            dst,
        } => (dst, next(env, state, modulus).wrapping_add(offset)),
        Instr::Jhash {
            src,
            len,
            dst,
            seed,
            modulus,
            offset,
        } => {
            let hash = jhash(regs.get(src, usize::from(len)), seed.unwrap_or(0));
            (dst, scale(hash, modulus).wrapping_add(offset))
        }
        Instr::Symhash {
            dst,
            modulus,
            offset,
        } => (dst, scale(symhash(packet), modulus).wrapping_add(offset)),
        _ => return Step::Break,
    };
    regs.set_u32(dst, value);
    Step::Next
}

/// Spreads 32 bits over `0..modulus` (the kernel's `reciprocal_scale`).
pub const fn scale(value: u32, modulus: u32) -> u32 {
    ((value as u64 * modulus as u64) >> 32) as u32
}

/// The next of 0, 1, ... `modulus - 1`.
fn next(env: &mut Env<'_>, state: StateId, modulus: u32) -> u32 {
    let Some(Stateful::Numgen(next)) = env.state.stateful_mut(state) else {
        return 0;
    };
    let now = *next;
    *next = if now.saturating_add(1) < modulus {
        now + 1
    } else {
        0
    };
    now
}

/// Bob Jenkins' lookup3 as the kernel has it (`jhash.h`), over bytes on a little-endian machine.
pub fn jhash(key: &[u8], seed: u32) -> u32 {
    let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut state = [0xdead_beef_u32.wrapping_add(len).wrapping_add(seed); 3];
    let mut rest = key;
    while rest.len() > 12 {
        let (head, tail) = rest.split_at(12);
        add(&mut state, head);
        mix(&mut state);
        rest = tail;
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    state[2]
}

/// Adds up to 12 bytes, zeros behind them.
fn add(state: &mut [u32; 3], bytes: &[u8]) {
    let mut padded = [0; 12];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    let (words, _) = padded.as_chunks::<4>();
    for (part, word) in state.iter_mut().zip(words) {
        *part = part.wrapping_add(u32::from_le_bytes(*word));
    }
}

const fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    *state = [a, b, c];
}

const fn finish(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    *state = [a, b, c];
}

/// A hash of the flow that is the same in both directions. The kernel's is keyed by a secret, so that no other could give its values.
pub fn symhash(packet: &Packet) -> u32 {
    let layout = &packet.layout;
    let network = packet
        .frame
        .get(layout.network as usize..layout.end as usize)
        .unwrap_or(&[]);
    let addresses = match layout.nfproto {
        nfproto::IPV4 => network.get(12..16).zip(network.get(16..20)),
        nfproto::IPV6 => network.get(8..24).zip(network.get(24..40)),
        _ => None,
    };
    let has_ports = layout.flags & layout_flags::L4PROTO != 0
        && matches!(
            layout.l4proto,
            protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP
        );
    let ports = payload::locate(layout, Base::Transport, 0, 4)
        .filter(|_| has_ports)
        .and_then(|range| packet.frame.get(range))
        .and_then(|bytes| bytes.split_at_checked(2));
    let sides = [addresses, ports];
    let mut key = [0; 41];
    let mut at = 0;
    for (one, other) in sides.into_iter().flatten() {
        for part in [one.min(other), one.max(other)] {
            if let Some(place) = key.get_mut(at..at + part.len()) {
                place.copy_from_slice(part);
            }
            at += part.len();
        }
    }
    if let Some(last) = key.last_mut() {
        *last = layout.l4proto;
    }
    jhash(&key, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jhash_is_lookup3() {
        // lookup3's own self test: hashlittle("Four score and seven years ago", 30, seed).
        let text = b"Four score and seven years ago";
        assert_eq!(jhash(text, 0), 0x1777_0551);
        assert_eq!(jhash(text, 1), 0xcd62_8161);
        assert_eq!(jhash(b"", 0), 0xdead_beef);
    }

    #[test]
    fn scaling_stays_below_the_modulus() {
        assert_eq!(scale(u32::MAX, 10), 9);
        assert_eq!(scale(0, 10), 0);
        assert_eq!(scale(u32::MAX, 0), 0);
    }
}
