//! Connections that rules count (`ct count`): which list they are in, and when they leave it.

use redan_vm::ct::status;
use redan_vm::{Instant, Packet};

use super::engine::Conntrack;
use super::slab::EntryId;

impl Conntrack {
    /// Adds the packet's connection to a list and says how many there are. A packet without a connection counts as one that is gone by the
    /// next; `None` where it has no addresses to count.
    pub fn count_connection(&mut self, now: Instant, packet: &Packet, list: u64) -> Option<u32> {
        if !packet.layout.has_l4proto() {
            return None;
        }
        let list = self.lists.open(list);
        self.lists.look(list, &mut self.table, now);
        let id = EntryId::of(&packet.ct);
        let own = id.and_then(|id| Some((id, self.table.entry(id)?)));
        if let Some((id, entry)) = own
            && !entry.life.has(status::DYING)
            && !entry.proto.is_over()
        {
            self.lists.join(list, id, &mut self.table);
            return Some(self.lists.len(list));
        }
        self.lists.len(list).checked_add(1)
    }

    /// Connections that are in a list.
    pub fn counted(&self, list: u64) -> u32 {
        self.lists.find(list).map_or(0, |list| self.lists.len(list))
    }

    /// Gives a list up.
    pub fn forget_list(&mut self, number: u64) {
        self.lists.forget(number, &mut self.table);
    }

    /// Takes a connection out of all lists, because it is over.
    pub(super) fn leave_lists(&mut self, id: EntryId) {
        self.lists.leave_all(id, &mut self.table);
    }
}
