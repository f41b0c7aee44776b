//! Sets of intervals without concatenation: sorted boundaries, of which the greatest that is not above the key decides.

use super::exact::key_at;
use super::sorted::Sorted;
use super::word::Word;
use crate::ruleset::Elements;

/// The boundaries' numbers in ascending order of key, and behind an end that shares its key with a start the start, so that it wins.
fn in_order<K: Ord>(elements: &Elements, mut key: impl FnMut(u32) -> K) -> Vec<u32> {
    let flags = |element: u32| elements.flags.get(element as usize).copied().unwrap_or(0);
    let count = u32::try_from(elements.len()).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..count)
        .filter(|element| flags(*element) & Elements::CATCHALL == 0)
        .collect();
    let mut rank = |element: u32| (key(element), flags(element) & Elements::END == 0);
    if !order.is_sorted_by_key(|element| rank(*element)) {
        order.sort_by_key(|element| rank(*element));
    }
    order
}

/// What stands at a boundary: an element number, or [`END`].
fn starts(elements: &Elements, order: &[u32]) -> Vec<u32> {
    let is_end = |element: u32| {
        elements
            .flags
            .get(element as usize)
            .is_some_and(|flags| flags & Elements::END != 0)
    };
    order
        .iter()
        .map(|element| if is_end(*element) { END } else { *element })
        .collect()
}

/// From here on nothing matches.
const END: u32 = u32::MAX;

/// Keys of up to 16 bytes.
#[derive(Debug)]
pub(super) struct Interval<K, const B: usize> {
    boundaries: Sorted<K, B>,
    starts: Vec<u32>,
}

impl<K: Word, const B: usize> Interval<K, B> {
    pub(super) fn new(elements: &Elements, key_len: usize) -> Self {
        let key = |element| K::load(key_at(&elements.keys, key_len, element));
        let order = in_order(elements, key);
        let numbers: Vec<K> = order.iter().map(|element| key(*element)).collect();
        Self {
            boundaries: Sorted::new(&numbers),
            starts: starts(elements, &order),
        }
    }

    /// The element whose interval holds the key.
    #[inline]
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let element = self.starts.get(self.boundaries.at_most(key)?).copied()?;
        (element != END).then_some(element)
    }
}

/// Keys of more than 16 bytes.
#[derive(Debug)]
pub(super) struct LongInterval {
    keys: Vec<u8>,
    starts: Vec<u32>,
    key_len: usize,
}

impl LongInterval {
    pub(super) fn new(elements: &Elements, key_len: usize) -> Self {
        let order = in_order(elements, |element| key_at(&elements.keys, key_len, element));
        let keys = order
            .iter()
            .flat_map(|element| key_at(&elements.keys, key_len, *element))
            .copied()
            .collect();
        Self {
            keys,
            starts: starts(elements, &order),
            key_len,
        }
    }

    /// The element whose interval holds the key.
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, u32::try_from(self.starts.len()).unwrap_or(u32::MAX));
        while low < high {
            let middle = low + (high - low) / 2;
            if key_at(&self.keys, self.key_len, middle) <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let element = self.starts.get(low.checked_sub(1)? as usize).copied()?;
        (element != END).then_some(element)
    }
}
