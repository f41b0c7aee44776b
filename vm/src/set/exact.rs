//! Sets of single keys that never change: open addressing with the key in the slot, so that a lookup touches one cache line.
//!
//! What is in the table comes from the rules' author. Who sends packets chooses only what is looked up, which cannot make the runs of taken slots
//! longer, so a fast hash does.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::word::Word;

/// Marks a free slot.
const FREE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Slot<K> {
    key: K,
    element: u32,
}

/// Keys of up to 16 bytes.
#[derive(Debug)]
pub(super) struct Exact<K> {
    slots: Vec<Slot<K>>,
    hasher: FixedState,
}

impl<K: Word> Exact<K> {
    /// Takes keys with their element numbers; of equal keys the first counts.
    pub(super) fn new(keys: impl ExactSizeIterator<Item = (K, u32)>, seed: u64) -> Self {
        let free = Slot {
            key: K::default(),
            element: FREE,
        };
        let mut table = Self {
            slots: vec![free; keys.len() + keys.len() / 2 + 1],
            hasher: FixedState::with_seed(seed),
        };
        for (key, element) in keys {
            table.insert(Slot { key, element });
        }
        table
    }

    /// Where the search for a key starts: the hash, scaled to the number of slots.
    #[inline]
    fn start(&self, key: K) -> usize {
        let scaled = (u128::from(self.hasher.hash_one(key)) * self.slots.len() as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn insert(&mut self, new: Slot<K>) {
        let start = self.start(new.key);
        let (before, behind) = self.slots.split_at_mut(start);
        for slot in behind.iter_mut().chain(before) {
            if slot.element == FREE {
                *slot = new;
                return;
            }
            if slot.key == new.key {
                return;
            }
        }
    }

    /// The element with this key.
    #[inline]
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let (before, behind) = self.slots.split_at(self.start(key));
        // There is a free slot: the table is never full.
        for slot in behind.iter().chain(before) {
            if slot.element == FREE {
                return None;
            }
            if slot.key == key {
                return Some(slot.element);
            }
        }
        None
    }
}

/// Keys of more than 16 bytes.
#[derive(Debug)]
pub(super) struct Long {
    table: HashTable<u32>,
    keys: Vec<u8>,
    key_len: usize,
    hasher: FixedState,
}

/// Key number `index` of keys that lie back to back.
#[inline]
pub(super) fn key_at(keys: &[u8], key_len: usize, index: u32) -> &[u8] {
    let start = index as usize * key_len;
    keys.get(start..start + key_len).unwrap_or(&[])
}

impl Long {
    /// Takes all keys back to back, and the numbers of those that count; of equal keys the first counts.
    pub(super) fn new(
        keys: &[u8],
        key_len: usize,
        elements: impl Iterator<Item = u32>,
        seed: u64,
    ) -> Self {
        let mut long = Self {
            table: HashTable::with_capacity(keys.len() / key_len.max(1)),
            keys: keys.to_vec(),
            key_len,
            hasher: FixedState::with_seed(seed),
        };
        for element in elements {
            let key = key_at(&long.keys, key_len, element);
            if long.find(key).is_none() {
                let hash =
                    |element: &u32| long.hasher.hash_one(key_at(&long.keys, key_len, *element));
                long.table.insert_unique(hash(&element), element, hash);
            }
        }
        long
    }

    /// The element with this key.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.table
            .find(self.hasher.hash_one(key), |element| {
                key_at(&self.keys, self.key_len, *element) == key
            })
            .copied()
    }
}
