//! Lists of connections for `ct count` (`nf_conncount.c`).
//!
//! Linux looks through the list at each packet. Here a connection leaves its lists when it ends, so that to count costs the same however many
//! there are. A connection that is over for its protocol counts for its own packets alone (`nf_conncount.c: already_closed`).

use redan_vm::Instant;

use super::slab::EntryId;
use super::table::Table;
use crate::bounded::Secret;
use crate::bounded::arena::{Arena, Index, NONE};

/// Members that are looked at whenever a list is counted, because their time may be over though the wheel has not come to them
/// (`nf_conncount.c: CONNCOUNT_GC_MAX_NODES`).
const LOOKED_AT: usize = 8;

/// The chains in which a member stands.
#[derive(Clone, Copy)]
enum Chain {
    /// Of its list.
    List,
    /// Of its connection.
    Entry,
}

/// Neighbours in a chain.
#[derive(Clone, Copy, Debug)]
struct Links {
    previous: u32,
    next: u32,
}

/// A connection in a list.
#[derive(Debug)]
struct Member {
    /// The number of its list, and where that lies.
    key: (u64, EntryId),
    list: u32,
    links: [Links; 2],
}

/// A list.
#[derive(Debug)]
struct List {
    number: u64,
    len: u32,
    first: u32,
    /// The next member to be looked at.
    hand: u32,
}

/// The lists, by the number that the ruleset's state gives each.
#[derive(Debug)]
pub(super) struct Lists {
    secret: Secret,
    all: Arena<List>,
    by_number: Index,
    members: Arena<Member>,
    by_key: Index,
}

impl Lists {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            secret: Secret::new(seed, 0x636f_756e_7400),
            all: Arena::default(),
            by_number: Index::default(),
            members: Arena::default(),
            by_key: Index::default(),
        }
    }

    /// Places for members and for lists that have ever been used.
    #[cfg(test)]
    pub(super) fn places(&self) -> (usize, usize) {
        (self.members.places(), self.all.places())
    }

    pub(super) fn find(&self, number: u64) -> Option<u32> {
        let is_it = |at: &u32| self.all.get(*at).is_some_and(|l| l.number == number);
        self.by_number.find(self.secret.hash(&number), is_it)
    }

    /// The list with a number, a new one if need be.
    pub(super) fn open(&mut self, number: u64) -> u32 {
        if let Some(list) = self.find(number) {
            return list;
        }
        let list = self.all.insert(List {
            number,
            len: 0,
            first: NONE,
            hand: NONE,
        });
        let (secret, all) = (&self.secret, &self.all);
        let hash_of = |at: &u32| all.get(*at).map_or(0, |list| secret.hash(&list.number));
        self.by_number.insert(secret.hash(&number), list, hash_of);
        list
    }

    pub(super) fn len(&self, list: u32) -> u32 {
        self.all.get(list).map_or(0, |list| list.len)
    }

    /// Puts a connection into a list, unless it is there.
    pub(super) fn join(&mut self, list: u32, id: EntryId, table: &mut Table) {
        let Some(number) = self.all.get(list).map(|list| list.number) else {
            return;
        };
        let key = (number, id);
        let hash = self.secret.hash(&key);
        let is_it = |at: &u32| self.members.get(*at).is_some_and(|m| m.key == key);
        if self.by_key.find(hash, is_it).is_some() {
            return;
        }
        let Some(first) = self.all.get(list).map(|list| list.first) else {
            return;
        };
        let counted = table.counted(id);
        let before = |next| Links {
            previous: NONE,
            next,
        };
        let member = self.members.insert(Member {
            key,
            list,
            links: [before(first), before(counted)],
        });
        let (secret, members) = (&self.secret, &self.members);
        let hash_of = |at: &u32| {
            members
                .get(*at)
                .map_or(0, |member| secret.hash(&member.key))
        };
        self.by_key.insert(hash, member, hash_of);
        for (next, chain) in [(first, Chain::List), (counted, Chain::Entry)] {
            self.set_links(next, chain, |links| links.previous = member);
        }
        table.set_counted(id, member);
        if let Some(list) = self.all.get_mut(list) {
            list.first = member;
            list.len += 1;
        }
    }

    fn set_links(&mut self, member: u32, chain: Chain, set: impl FnOnce(&mut Links)) {
        let member = self.members.get_mut(member);
        if let Some(links) = member.and_then(|member| member.links.get_mut(chain as usize)) {
            set(links);
        }
    }

    /// Takes a member out of its list. Its connection's chain begins with the member that is given, where it began with this one.
    fn leave(&mut self, at: u32) -> Option<(EntryId, u32)> {
        let Member { key, list, links } = self.members.remove(at)?;
        self.by_key.remove(self.secret.hash(&key), at);
        let [of_list, of_entry] = links;
        for (links, chain) in [(of_list, Chain::List), (of_entry, Chain::Entry)] {
            self.set_links(links.previous, chain, |other| other.next = links.next);
            self.set_links(links.next, chain, |other| other.previous = links.previous);
        }
        if let Some(list) = self.all.get_mut(list) {
            list.len = list.len.saturating_sub(1);
            if list.first == at {
                list.first = of_list.next;
            }
            if list.hand == at {
                list.hand = of_list.next;
            }
        }
        (of_entry.previous == NONE).then_some((key.1, of_entry.next))
    }

    /// Takes a member out of its list and its connection.
    fn part(&mut self, at: u32, table: &mut Table) {
        if let Some((id, next)) = self.leave(at) {
            table.set_counted(id, next);
        }
    }

    /// Takes out a few members whose time is over.
    pub(super) fn look(&mut self, list: u32, table: &mut Table, now: Instant) {
        for _ in 0..LOOKED_AT {
            let Some(list) = self.all.get_mut(list) else {
                return;
            };
            let at = if list.hand == NONE {
                list.first
            } else {
                list.hand
            };
            let Some(member) = self.members.get(at) else {
                return;
            };
            list.hand = member.links[0].next;
            let entry = table.entry(member.key.1);
            if entry.is_none_or(|entry| entry.life.is_expired(now)) {
                self.part(at, table);
            }
        }
    }

    /// Gives a list up.
    pub(super) fn forget(&mut self, number: u64, table: &mut Table) {
        let Some(list) = self.find(number) else {
            return;
        };
        while let Some(first) = self.all.get(list).map(|list| list.first)
            && first != NONE
        {
            self.part(first, table);
        }
        self.by_number.remove(self.secret.hash(&number), list);
        self.all.remove(list);
    }

    /// Takes a connection out of all lists.
    pub(super) fn leave_all(&mut self, id: EntryId, table: &mut Table) {
        let mut at = table.counted(id);
        if at == NONE {
            return;
        }
        table.set_counted(id, NONE);
        while at != NONE {
            at = self.leave(at).map_or(NONE, |(_, next)| next);
        }
    }
}
