//! `ct` keys of rules: what they load and what they store (`nft_ct.c`).

use redan_vm::ct::{CtKey, Direction, state};
use redan_vm::family::nfproto;
use redan_vm::{Instant, Packet};

use super::change;
use super::engine::Conntrack;
use super::entry::{Entry, Traffic};
use super::slab::EntryId;
use super::tuple::{Tuple, Zone};

impl Conntrack {
    /// Body of [`Host::ct_load`](redan_vm::Host::ct_load): writes the key in its own byte order; false where the rule does not match.
    pub fn load(
        &self,
        now: Instant,
        packet: &Packet,
        key: CtKey,
        direction: Option<Direction>,
        out: &mut [u8],
    ) -> bool {
        if key == CtKey::State {
            return fill(out, &packet.ct.state.to_le_bytes());
        }
        let found = EntryId::of(&packet.ct).and_then(|id| Some((id, self.table.entry(id)?)));
        let Some((id, entry)) = found else {
            return false;
        };
        let tuple = &match direction {
            Some(Direction::Reply) => self.table.reply(entry),
            _ => *entry.original(),
        };
        match key {
            // Answered above; can only be set.
            CtKey::State | CtKey::Event => false,
            // That of the connection which announced this one (`nft_ct_get_eval`).
            CtKey::Helper => match self.table.rare(entry).and_then(|rare| rare.announced_to) {
                Some(helper) => fill(out, helper.name().as_bytes()),
                None => false,
            },
            CtKey::Direction => fill(out, &[packet.ct.direction as u8]),
            CtKey::Status => fill(out, &entry.life.status().to_le_bytes()),
            CtKey::Mark => fill(out, &entry.mark.to_le_bytes()),
            CtKey::Secmark => fill(out, &self.table.secmark(entry).to_le_bytes()),
            CtKey::Expiration => {
                // What is not in the table yet has none: Linux takes its clock away from what is no moment yet (`nf_ct_expires`).
                let millis = if entry.life.is_confirmed() {
                    let left = entry.life.remaining(now);
                    left.as_secs() * 1000 + u64::from(left.subsec_millis())
                } else {
                    0
                };
                fill(
                    out,
                    &u32::try_from(millis).unwrap_or(u32::MAX).to_le_bytes(),
                )
            }
            CtKey::L3proto => fill(out, &[tuple.l3proto]),
            CtKey::Protocol => fill(out, &[tuple.l4proto]),
            CtKey::Saddr => fill(out, tuple.address(&tuple.src)),
            CtKey::Daddr => fill(out, tuple.address(&tuple.dst)),
            CtKey::SaddrIp => load_address(out, tuple, &tuple.src, nfproto::IPV4),
            CtKey::DaddrIp => load_address(out, tuple, &tuple.dst, nfproto::IPV4),
            CtKey::SaddrIp6 => load_address(out, tuple, &tuple.src, nfproto::IPV6),
            CtKey::DaddrIp6 => load_address(out, tuple, &tuple.dst, nfproto::IPV6),
            CtKey::ProtoSrc => fill(out, &tuple.src_key.to_be_bytes()),
            CtKey::ProtoDst => fill(out, &tuple.dst_key.to_be_bytes()),
            CtKey::Label => fill(out, &self.table.labels(entry).to_le_bytes()),
            CtKey::Packets => fill(out, &traffic(entry, direction).packets.to_le_bytes()),
            CtKey::Bytes => fill(out, &traffic(entry, direction).bytes.to_le_bytes()),
            CtKey::Avgpkt => {
                let Traffic { packets, bytes } = traffic(entry, direction);
                fill(out, &bytes.checked_div(packets).unwrap_or(0).to_le_bytes())
            }
            CtKey::Zone => {
                let id = direction.map_or(entry.zone().id, |d| entry.zone().id_for(d));
                fill(out, &id.to_le_bytes())
            }
            CtKey::Id => fill(out, &self.table.public_id(id).to_be_bytes()),
        }
    }

    /// Body of [`Host::ct_store`](redan_vm::Host::ct_store): the packet's view follows.
    pub fn store(
        &mut self,
        packet: &mut Packet,
        key: CtKey,
        direction: Option<Direction>,
        value: &[u8],
    ) {
        if key == CtKey::Zone {
            store_zone(packet, direction, value);
            return;
        }
        let Some(id) = EntryId::of(&packet.ct) else {
            return;
        };
        match key {
            CtKey::Mark => {
                let mark = u32::from_le_bytes(bytes(value));
                let Some(entry) = self.table.entry_mut(id) else {
                    return;
                };
                if entry.mark != mark {
                    entry.mark = mark;
                    entry.life.changes |= change::MARK;
                }
                packet.ct.mark = mark;
            }
            CtKey::Secmark => self.table.set_secmark(id, u32::from_le_bytes(bytes(value))),
            CtKey::Label => self.table.set_labels(id, u128::from_le_bytes(bytes(value))),
            // `ct event set` chooses what is reported, and all of it is. The language lets no rule set the others.
            CtKey::Event
            | CtKey::State
            | CtKey::Direction
            | CtKey::Status
            | CtKey::Expiration
            | CtKey::Helper
            | CtKey::L3proto
            | CtKey::Saddr
            | CtKey::Daddr
            | CtKey::SaddrIp
            | CtKey::DaddrIp
            | CtKey::SaddrIp6
            | CtKey::DaddrIp6
            | CtKey::Protocol
            | CtKey::ProtoSrc
            | CtKey::ProtoDst
            | CtKey::Packets
            | CtKey::Bytes
            | CtKey::Avgpkt
            | CtKey::Zone
            | CtKey::Id => {}
        }
    }

    /// `notrack`: the packet stays without an entry. Does nothing once it has one, or a zone.
    pub const fn notrack(&self, packet: &mut Packet) {
        if packet.ct.has_entry == 0 && packet.ct.zone_directions == 0 {
            packet.ct.state = state::UNTRACKED;
        }
    }
}

/// `ct zone set`: only before conntrack has run, and only once (`nft_ct_set_zone_eval`). A packet with a zone reads as NEW, as in Linux.
fn store_zone(packet: &mut Packet, direction: Option<Direction>, value: &[u8]) {
    let ct = &mut packet.ct;
    if ct.has_entry != 0 || ct.zone_directions != 0 {
        return;
    }
    ct.zone = u16::from_le_bytes(bytes(value));
    ct.zone_directions = match direction {
        None => Zone::BOTH,
        Some(Direction::Original) => Zone::ORIGINAL,
        Some(Direction::Reply) => Zone::REPLY,
    };
    ct.state = state::NEW;
}

/// Traffic of one direction, or of both.
fn traffic(entry: &Entry, direction: Option<Direction>) -> Traffic {
    let [original, reply] = entry.traffic;
    match direction {
        Some(Direction::Original) => original,
        Some(Direction::Reply) => reply,
        None => Traffic {
            packets: original.packets + reply.packets,
            bytes: original.bytes + reply.bytes,
        },
    }
}

fn load_address(out: &mut [u8], tuple: &Tuple, address: &[u8; 16], nfproto: u8) -> bool {
    tuple.l3proto == nfproto && fill(out, tuple.address(address))
}

/// Writes a value to the front of `out`, zeros behind it.
fn fill(out: &mut [u8], value: &[u8]) -> bool {
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = value.get(at).copied().unwrap_or(0);
    }
    true
}

/// The first `N` bytes of a value, zeros where it is shorter.
fn bytes<const N: usize>(value: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (byte, given) in bytes.iter_mut().zip(value) {
        *byte = *given;
    }
    bytes
}
