//! Sets of single keys that never change: keys and element numbers side by side in buckets of one cache line, so that a lookup touches one line and
//! compares all of its keys at once.
//!
//! What is in the table comes from the rules' author. Who sends packets chooses only what is looked up, which cannot make a run of full buckets
//! longer, so a fast hash does.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::word::Word;

/// Element number of a free place.
const FREE: u32 = u32::MAX;

/// A cache line of keys, free places behind the taken ones.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket<K, const B: usize> {
    keys: [K; B],
    elements: [u32; B],
}

/// Keys of up to 16 bytes, `B` to a bucket.
#[derive(Debug)]
pub(super) struct Exact<K, const B: usize> {
    buckets: Vec<Bucket<K, B>>,
    hasher: FixedState,
}

impl<K: Word, const B: usize> Exact<K, B> {
    /// Takes keys with their element numbers; of equal keys the first counts.
    pub(super) fn new(keys: impl ExactSizeIterator<Item = (K, u32)>, seed: u64) -> Self {
        let free = Bucket {
            keys: [K::default(); B],
            elements: [FREE; B],
        };
        // Three fifths full: few keys do not find room in their own bucket, and there is always a bucket with a free place.
        let count = keys.len() * 5 / (B * 3) + 1;
        let mut table = Self {
            buckets: vec![free; count],
            hasher: FixedState::with_seed(seed),
        };
        for (key, element) in keys {
            table.insert(key, element);
        }
        table
    }

    /// The bucket where the search for a key starts: the hash, scaled to the number of buckets.
    #[inline]
    fn start(&self, key: K) -> usize {
        let scaled = (u128::from(self.hasher.hash_one(key)) * self.buckets.len() as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn insert(&mut self, key: K, element: u32) {
        let start = self.start(key);
        let (before, behind) = self.buckets.split_at_mut(start);
        for bucket in behind.iter_mut().chain(before) {
            for (place, taken) in bucket.keys.iter_mut().zip(&mut bucket.elements) {
                if *taken == FREE {
                    (*place, *taken) = (key, element);
                    return;
                }
                if *place == key {
                    return;
                }
            }
        }
    }

    /// The element with this key.
    #[inline]
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let mut at = self.start(key);
        loop {
            let bucket = self.buckets.get(at)?;
            let equal = bucket
                .keys
                .iter()
                .zip(0..)
                .fold(0u32, |bits, (other, place)| {
                    bits | (u32::from(*other == key) << place)
                });
            // Free places hold some key too; a taken place with the same key lies before them.
            if let Some(element) = bucket.elements.get(equal.trailing_zeros() as usize) {
                return (*element != FREE).then_some(*element);
            }
            if bucket.elements.last() == Some(&FREE) {
                return None;
            }
            at = if at + 1 == self.buckets.len() {
                0
            } else {
                at + 1
            };
        }
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
