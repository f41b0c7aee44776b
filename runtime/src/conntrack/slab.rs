//! Where entries lie: chunks that never move, so that growing costs no copy, and numbers that notice when an entry has been replaced.

use redan_vm::packet::CtView;

use super::entry::Entry;
use super::huge_pages;

/// Slots in a chunk: 12 MB, of which only what is used is ever touched.
const CHUNK: usize = 1 << 16;
/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Number of an entry: its slot, and how often that has been used, mod 2^16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EntryId {
    slot: u32,
    generation: u16,
}

impl EntryId {
    /// The entry that a packet has.
    #[inline]
    pub(super) const fn of(ct: &CtView) -> Option<Self> {
        if ct.has_entry == 0 {
            return None;
        }
        Some(Self {
            slot: ct.entry,
            generation: ct.entry_generation,
        })
    }

    /// Notes it on a packet.
    #[inline]
    pub(super) const fn write(self, ct: &mut CtView) {
        ct.entry = self.slot;
        ct.entry_generation = self.generation;
        ct.has_entry = 1;
    }

    /// The slot.
    pub(super) const fn slot(self) -> u32 {
        self.slot
    }

    /// How often the slot had been used.
    pub(super) const fn generation(self) -> u16 {
        self.generation
    }
}

/// An entry's place in the wheel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The entry before it in its slot.
    pub(super) prev: u32,
    /// The entry behind it in its slot, or in the slab's free list.
    pub(super) next: u32,
    /// The slot; [`NONE`] when it is not in the wheel.
    pub(super) place: u32,
    /// The second at which the slot comes up, since 1970.
    pub(super) tick: u32,
}

impl Link {
    /// Not in the wheel.
    pub(super) const UNARMED: Self = Self {
        prev: NONE,
        next: NONE,
        place: NONE,
        tick: 0,
    };
}

/// A place for an entry: three cache lines.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Slot {
    /// The entry, or what is left of the last one.
    entry: Entry,
    /// Its place in the timer wheel, or in the free list.
    pub(super) link: Link,
}

const _: () = assert!(size_of::<Slot>() == 192);

/// All entries.
#[derive(Debug)]
pub(super) struct Slab {
    chunks: Vec<Vec<Slot>>,
    free: u32,
    len: usize,
}

impl Slab {
    /// Most entries.
    pub(super) const CAPACITY: usize = 1 << 24;

    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    /// Entries there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Slots there are, empty ones too.
    pub(super) fn slots(&self) -> u32 {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        let last = self.chunks.last().map_or(0, Vec::len);
        u32::try_from(full + last).unwrap_or(u32::MAX)
    }

    /// Stores an entry; `None` when all numbers are taken.
    pub(super) fn insert(&mut self, mut entry: Entry) -> Option<EntryId> {
        let index = self.free;
        let Some(slot) = self.slot_mut(index) else {
            return self.append(entry);
        };
        entry.generation = slot.entry.generation;
        let id = EntryId {
            slot: index,
            generation: entry.generation,
        };
        let next = slot.link.next;
        *slot = Slot {
            entry,
            link: Link::UNARMED,
        };
        self.free = next;
        self.len += 1;
        Some(id)
    }

    /// Frees an entry's slot. It must be in no list and no index.
    pub(super) fn remove(&mut self, id: EntryId) {
        let free = self.free;
        let Some(slot) = self.slot_mut(id.slot()) else {
            return;
        };
        if slot.entry.is_vacant() || slot.entry.generation != id.generation {
            return;
        }
        slot.entry.vacate();
        slot.entry.generation = slot.entry.generation.wrapping_add(1);
        slot.link.next = free;
        self.free = id.slot();
        self.len -= 1;
    }

    /// The entry with this number.
    #[inline]
    pub(super) fn find(&self, id: EntryId) -> Option<&Entry> {
        let entry = &self.slot(id.slot())?.entry;
        (!entry.is_vacant() && entry.generation == id.generation).then_some(entry)
    }

    /// The entry with this number, to change.
    #[inline]
    pub(super) fn find_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        let entry = &mut self.slot_mut(id.slot())?.entry;
        (!entry.is_vacant() && entry.generation == id.generation).then_some(entry)
    }

    /// The entry in a slot, with its number.
    #[inline]
    pub(super) fn at(&self, index: u32) -> Option<(EntryId, &Entry)> {
        let entry = &self.slot(index)?.entry;
        let id = EntryId {
            slot: index,
            generation: entry.generation,
        };
        (!entry.is_vacant()).then_some((id, entry))
    }

    /// A slot.
    #[inline]
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        self.chunks
            .get(index as usize / CHUNK)?
            .get(index as usize % CHUNK)
    }

    /// A slot, to change.
    #[inline]
    pub(super) fn slot_mut(&mut self, index: u32) -> Option<&mut Slot> {
        self.chunks
            .get_mut(index as usize / CHUNK)?
            .get_mut(index as usize % CHUNK)
    }

    /// Stores an entry behind all slots.
    fn append(&mut self, mut entry: Entry) -> Option<EntryId> {
        let index = self.slots();
        if index as usize >= Self::CAPACITY {
            return None;
        }
        if (index as usize).is_multiple_of(CHUNK) {
            let mut chunk = Vec::with_capacity(CHUNK);
            huge_pages::advise(&mut chunk);
            self.chunks.push(chunk);
        }
        entry.generation = 0;
        self.chunks.last_mut()?.push(Slot {
            entry,
            link: Link::UNARMED,
        });
        self.len += 1;
        Some(EntryId {
            slot: index,
            generation: 0,
        })
    }
}
