//! Numbered places and an index over them that grow in small steps, so that no packet pays for all that came before it.

use hashbrown::HashTable;

/// Places in a chunk.
const CHUNK: usize = 4096;
/// Parts of an index; each grows alone.
const PARTS: usize = 256;
/// No place.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// The next free one.
    Free(u32),
}

/// Things that are known by a number and never move.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    chunks: Vec<Vec<Place<T>>>,
    free: u32,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: NONE,
        }
    }
}

impl<T> Arena<T> {
    /// Bytes that one of them takes.
    pub(crate) const PLACE_BYTES: usize = size_of::<Place<T>>();

    fn place_mut(&mut self, number: u32) -> Option<&mut Place<T>> {
        let at = number as usize;
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// What has a number.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let at = number as usize;
        match self.chunks.get(at / CHUNK)?.get(at % CHUNK)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// What has a number, to change.
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        match self.place_mut(number)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// Puts something in and gives its number.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let number = self.free;
        if let Some(place) = self.place_mut(number) {
            if let Place::Free(next) = std::mem::replace(place, Place::Taken(value)) {
                self.free = next;
            }
            return number;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(Place::Taken(value));
        }
        u32::try_from(self.places() - 1).unwrap_or(NONE)
    }

    /// Takes something out; its number may be given again.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let free = self.free;
        let place = self.place_mut(number)?;
        if matches!(place, Place::Free(_)) {
            return None;
        }
        let taken = std::mem::replace(place, Place::Free(free));
        self.free = number;
        match taken {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// Places that have ever been used: what its memory is in proportion to.
    pub(crate) fn places(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        full + self.chunks.last().map_or(0, Vec::len)
    }
}

/// Finds numbers by the hash of what has them. The hash is its caller's.
#[derive(Debug)]
pub(crate) struct Index(Box<[HashTable<u32>]>);

impl Default for Index {
    fn default() -> Self {
        Self((0..PARTS).map(|_| HashTable::new()).collect())
    }
}

impl Index {
    /// A part is chosen by bits in the middle: a table takes the lowest and the highest.
    fn part(hash: u64) -> usize {
        (hash >> 40) as usize % PARTS
    }

    /// The number with this hash that is the one.
    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.0.get(Self::part(hash))?.find(hash, is_it).copied()
    }

    /// Puts a number in; `hash_of` gives the hash of one that is in already.
    pub(crate) fn insert(&mut self, hash: u64, number: u32, hash_of: impl Fn(&u32) -> u64) {
        if let Some(part) = self.0.get_mut(Self::part(hash)) {
            part.insert_unique(hash, number, hash_of);
        }
    }

    /// Takes a number out.
    pub(crate) fn remove(&mut self, hash: u64, number: u32) {
        let part = self.0.get_mut(Self::part(hash));
        if let Some(Ok(found)) = part.map(|part| part.find_entry(hash, |other| *other == number)) {
            found.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Secret;

    #[test]
    fn numbers_are_given_again_and_found_by_their_hash() {
        let (mut arena, mut index) = (Arena::default(), Index::default());
        let secret = Secret::new(1, 2);
        let add = |arena: &mut Arena<u32>, index: &mut Index, value: u32| {
            let number = arena.insert(value);
            let hash_of = |number: &u32| secret.hash(arena.get(*number).unwrap());
            index.insert(secret.hash(&value), number, hash_of);
            number
        };
        for value in 0..10_000 {
            assert_eq!(add(&mut arena, &mut index, value), value);
        }
        for value in 5_000..10_000 {
            index.remove(secret.hash(&value), value);
            assert_eq!(arena.remove(value), Some(value));
            assert_eq!(arena.remove(value), None);
        }
        for value in 20_000..25_000 {
            add(&mut arena, &mut index, value);
        }
        assert_eq!(arena.places(), 10_000);
        for value in 0..25_000 {
            let is_it = |number: &u32| arena.get(*number) == Some(&value);
            let found = index.find(secret.hash(&value), is_it);
            assert_eq!(found.is_some(), !(5_000..20_000).contains(&value));
        }
    }
}
