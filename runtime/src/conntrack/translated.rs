//! What address translation asks of and tells the table, as long as a connection is not confirmed.

use redan_vm::ct::status;
use redan_vm::{Instant, Packet};

use super::engine::Conntrack;
use super::reservations::Reservations;
use super::slab::EntryId;
use super::tuple::Tuple;

/// The status bits that translation sets.
const NAT: u32 = status::SRC_NAT | status::DST_NAT | status::SRC_NAT_DONE | status::DST_NAT_DONE;

impl Conntrack {
    /// The tuples of a packet's connection: as its first packet came, and as answers lie on the wire.
    pub fn tuples(&self, packet: &Packet) -> Option<[Tuple; 2]> {
        let entry = self.entry_of(packet)?;
        Some(self.table.tuples(entry))
    }

    /// Whether answers with this tuple would go to another connection than the packet's (`nf_nat_core.c: nf_nat_used_tuple`).
    pub fn is_taken(&self, now: Instant, packet: &Packet, reply: &Tuple) -> bool {
        EntryId::of(&packet.ct).is_some_and(|ours| self.table.is_taken(reply, ours, now))
    }

    /// Says what a packet's connection is translated into, before it is confirmed: the tuple of its answers, and which of the [`status`] bits about
    /// translation hold from here on (`nf_nat_core.c: nf_nat_setup_info`). A tuple that is no other needs no `SRC_NAT` and no `DST_NAT`.
    /// False where there is no such connection, or it is confirmed already.
    pub fn set_reply(&mut self, packet: &mut Packet, reply: &Tuple, bits: u32) -> bool {
        let Some(id) = EntryId::of(&packet.ct) else {
            return false;
        };
        let Some(entry) = self.table.entry_mut(id) else {
            return false;
        };
        if entry.life.is_confirmed() {
            return false;
        }
        entry.life.add(bits & NAT);
        packet.ct.status = entry.life.status();
        if !entry.is_mirrored() {
            self.table.set_reply(id, reply);
        }
        true
    }
}
