//! Where entries lie: chunks that never move, so that growing costs no copy, and numbers that notice when an entry has been replaced.

use super::entry::Entry;
use super::wheel::Link;

/// Slots in a chunk.
const CHUNK: usize = 1024;
/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Number of an entry: 24 bits of slot, 8 bits of generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryId(pub(super) u32);

impl EntryId {
    const SLOT_BITS: u32 = 24;

    const fn new(slot: u32, generation: u8) -> Self {
        Self((generation as u32) << Self::SLOT_BITS | slot)
    }

    /// The slot.
    pub(super) const fn slot(self) -> u32 {
        self.0 & ((1 << Self::SLOT_BITS) - 1)
    }

    const fn generation(self) -> u8 {
        (self.0 >> Self::SLOT_BITS) as u8
    }
}

/// A place for an entry.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its place in the timer wheel, or in the free list.
    pub(super) link: Link,
    generation: u8,
    entry: Option<Entry>,
}

/// All entries.
#[derive(Debug)]
pub(super) struct Slab {
    chunks: Vec<Box<[Slot]>>,
    free: u32,
    len: usize,
}

impl Slab {
    /// Entries that numbers reach.
    pub(super) const CAPACITY: usize = 1 << EntryId::SLOT_BITS;

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
        u32::try_from(self.chunks.len() * CHUNK).unwrap_or(u32::MAX)
    }

    /// Stores an entry; `None` when all numbers are taken.
    pub(super) fn insert(&mut self, entry: Entry) -> Option<EntryId> {
        if self.free == NONE {
            self.grow()?;
        }
        let index = self.free;
        let slot = self.slot_mut(index)?;
        let next = slot.link.next;
        slot.entry = Some(entry);
        slot.link = Link::UNARMED;
        let id = EntryId::new(index, slot.generation);
        self.free = next;
        self.len += 1;
        Some(id)
    }

    /// Takes an entry out. It must be in no list and no index.
    pub(super) fn remove(&mut self, id: EntryId) -> Option<Entry> {
        let free = self.free;
        let slot = self.slot_mut(id.slot())?;
        if slot.generation != id.generation() {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.link.next = free;
        self.free = id.slot();
        self.len -= 1;
        Some(entry)
    }

    /// The entry with this number.
    #[inline]
    pub(super) fn find(&self, id: EntryId) -> Option<&Entry> {
        let slot = self.slot(id.slot())?;
        slot.entry
            .as_ref()
            .filter(|_| slot.generation == id.generation())
    }

    /// The entry with this number, to change.
    #[inline]
    pub(super) fn find_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        let slot = self.slot_mut(id.slot())?;
        slot.entry
            .as_mut()
            .filter(|_| slot.generation == id.generation())
    }

    /// The entry in a slot, with its number.
    #[inline]
    pub(super) fn at(&self, index: u32) -> Option<(EntryId, &Entry)> {
        let slot = self.slot(index)?;
        let entry = slot.entry.as_ref()?;
        Some((EntryId::new(index, slot.generation), entry))
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

    fn grow(&mut self) -> Option<()> {
        let first = self.slots();
        if first as usize >= Self::CAPACITY {
            return None;
        }
        let end = first + u32::try_from(CHUNK).ok()?;
        let chunk = (first..end).map(|index| Slot {
            link: Link {
                next: if index + 1 == end {
                    self.free
                } else {
                    index + 1
                },
                ..Link::UNARMED
            },
            generation: 0,
            entry: None,
        });
        self.chunks.push(chunk.collect());
        self.free = first;
        Some(())
    }
}
