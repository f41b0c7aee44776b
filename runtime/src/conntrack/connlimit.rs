//! Lists of connections for `ct count` (`nf_conncount.c`).

use redan_vm::Packet;
use redan_vm::ct::Direction;
use std::collections::BTreeMap;

use super::Conntrack;
use super::entry::Entry;
use super::slab::EntryId;
use super::tuple::Tuple;

/// The lists, by the number that the ruleset's state gives each.
#[derive(Debug, Default)]
pub(super) struct Lists(BTreeMap<u64, Vec<(EntryId, Tuple)>>);

impl Conntrack {
    /// Adds the packet's connection to a list, forgets those that are over, and says how many there are. A packet without a connection
    /// counts as one that is gone by the next; `None` where it has no addresses to count.
    pub fn count_connection(&mut self, packet: &Packet, list: u64) -> Option<u32> {
        if !packet.layout.has_l4proto() {
            return None;
        }
        let own = self
            .entry_of(packet)
            .map(|entry| (EntryId(packet.ct.entry), *entry.tuple(Direction::Original)));
        let mut lists = std::mem::take(&mut self.lists);
        let counted = lists.0.entry(list).or_default();
        counted
            .retain(|(id, tuple)| Some(*id) == own.map(|(own, _)| own) || self.is_open(*id, tuple));
        let count = match own {
            Some(own) => {
                if !counted.contains(&own) {
                    counted.push(own);
                }
                counted.len()
            }
            None => counted.len() + 1,
        };
        self.lists = lists;
        u32::try_from(count).ok()
    }

    /// Whether a connection is still the one that was counted, and not over (`nf_conncount.c: already_closed`).
    fn is_open(&self, id: EntryId, tuple: &Tuple) -> bool {
        let same = |entry: &&Entry| entry.tuple(Direction::Original) == tuple;
        self.table
            .entry(id)
            .filter(same)
            .is_some_and(|entry| !entry.proto.is_over())
    }
}
