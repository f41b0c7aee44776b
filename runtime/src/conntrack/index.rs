//! The index over tuples: open addressing over buckets of one cache line, each with seven tags, seven references, and how many references
//! had to go on to later buckets.
//!
//! Tags are 32 bits of a keyed hash, so that no stranger can aim at a bucket; they also say where a reference belongs, so that growing reads
//! no entry. The index grows by segments: a full one is split in two, and no other is touched, so that no packet pays for all connections
//! (extendible hashing). A directory says which segment has which tags.

use super::huge_pages;

/// References in a bucket.
const WIDTH: usize = 7;
/// Buckets in a segment.
const SEGMENT: usize = 1 << SEGMENT_BITS;
/// Bits of a tag that say which bucket of its segment is its own; those above say which segment.
const SEGMENT_BITS: u32 = 7;
/// References in a segment that is split before it takes more: three quarters of its places.
const FULL: usize = SEGMENT * WIDTH * 3 / 4;
/// Segments in a chunk of memory: 16 MB, of which only what is used is ever touched.
const CHUNK: usize = 2048;
/// Most bits of a tag that the directory looks at.
const DEEPEST: u32 = 32 - SEGMENT_BITS;

/// A cache line of the index.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    tags: [u32; WIDTH],
    refs: [u32; WIDTH],
    /// Which places are taken, one bit each.
    used: u32,
    /// References that belong here or before and lie behind.
    overflow: u32,
}

impl Bucket {
    const EMPTY: Self = Self {
        tags: [0; WIDTH],
        refs: [0; WIDTH],
        used: 0,
        overflow: 0,
    };

    /// Places with this tag, one bit each.
    #[inline]
    fn matches(&self, tag: u32) -> u32 {
        let mut hits = 0;
        for (at, found) in self.tags.iter().enumerate() {
            hits |= u32::from(*found == tag) << at;
        }
        hits & self.used
    }

    #[inline]
    fn reference(&self, at: u32) -> u32 {
        self.refs.get(at as usize).copied().unwrap_or(0)
    }

    /// Tags and references.
    fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        let places = self.tags.iter().zip(&self.refs).enumerate();
        places
            .filter(|(at, _)| self.used & (1 << at) != 0)
            .map(|(_, (tag, reference))| (*tag, *reference))
    }
}

/// What is known of a segment.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// How many bits of the directory's index all its tags have in common.
    depth: u32,
    /// References in it.
    len: usize,
}

/// The index.
#[derive(Debug)]
pub(super) struct Index {
    /// The segment of a tag, by the bits above [`SEGMENT_BITS`]; a power of two of them.
    directory: Vec<u32>,
    segments: Vec<Segment>,
    chunks: Vec<Vec<Bucket>>,
    /// Where a segment lies while it is split.
    scratch: Vec<Bucket>,
}

/// The buckets of a segment in which a tag may lie, in order.
#[inline]
fn probe(tag: u32) -> impl Iterator<Item = usize> {
    (0..SEGMENT).map(move |step| (tag as usize).wrapping_add(step) % SEGMENT)
}

impl Index {
    pub(super) fn new() -> Self {
        let mut index = Self {
            directory: vec![0],
            segments: Vec::new(),
            chunks: Vec::new(),
            scratch: Vec::with_capacity(SEGMENT),
        };
        index.add_segment(0);
        index
    }

    #[inline]
    fn segment_of(&self, tag: u32) -> u32 {
        let at = (tag >> SEGMENT_BITS) as usize & (self.directory.len() - 1);
        self.directory.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn buckets(&self, segment: u32) -> &[Bucket] {
        let start = segment as usize % CHUNK * SEGMENT;
        let chunk = self.chunks.get(segment as usize / CHUNK);
        chunk
            .and_then(|chunk| chunk.get(start..start + SEGMENT))
            .unwrap_or(&[])
    }

    #[inline]
    fn buckets_mut(&mut self, segment: u32) -> &mut [Bucket] {
        let start = segment as usize % CHUNK * SEGMENT;
        let chunk = self.chunks.get_mut(segment as usize / CHUNK);
        chunk
            .and_then(|chunk| chunk.get_mut(start..start + SEGMENT))
            .unwrap_or(&mut [])
    }

    /// The reference with this tag that is the one.
    #[inline]
    pub(super) fn find(&self, tag: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let buckets = self.buckets(self.segment_of(tag));
        for at in probe(tag) {
            let bucket = buckets.get(at)?;
            let mut hits = bucket.matches(tag);
            while hits != 0 {
                let reference = bucket.reference(hits.trailing_zeros());
                if is_it(reference) {
                    return Some(reference);
                }
                hits &= hits - 1;
            }
            if bucket.overflow == 0 {
                return None;
            }
        }
        None
    }

    /// References in each of the first `buckets` buckets from a tag's own on.
    pub(super) fn near(
        &self,
        tag: u32,
        buckets: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = u32>> {
        let segment = self.buckets(self.segment_of(tag));
        probe(tag)
            .take(buckets)
            .filter_map(|at| segment.get(at))
            .map(|bucket| bucket.pairs().map(|(_, reference)| reference))
    }

    /// Puts a reference in.
    pub(super) fn insert(&mut self, tag: u32, reference: u32) {
        let mut segment = self.segment_of(tag);
        if self.is_full(segment) {
            self.split(segment);
            segment = self.segment_of(tag);
        }
        self.place(segment, tag, reference);
    }

    fn is_full(&self, segment: u32) -> bool {
        let segment = self.segments.get(segment as usize);
        segment.is_some_and(|segment| segment.len >= FULL && segment.depth < DEEPEST)
    }

    fn place(&mut self, segment: u32, tag: u32, reference: u32) {
        let buckets = self.buckets_mut(segment);
        for at in probe(tag) {
            let Some(bucket) = buckets.get_mut(at) else {
                return;
            };
            let free = bucket.used.trailing_ones();
            if let Some((tag_place, ref_place)) = bucket
                .tags
                .get_mut(free as usize)
                .zip(bucket.refs.get_mut(free as usize))
            {
                (*tag_place, *ref_place) = (tag, reference);
                bucket.used |= 1 << free;
                break;
            }
            bucket.overflow += 1;
        }
        if let Some(segment) = self.segments.get_mut(segment as usize) {
            segment.len += 1;
        }
    }

    /// Takes a reference out, if it is in.
    pub(super) fn remove(&mut self, tag: u32, reference: u32) {
        let segment = self.segment_of(tag);
        let buckets = self.buckets_mut(segment);
        let place_of = |bucket: &Bucket| {
            let mut hits = bucket.matches(tag);
            while hits != 0 && bucket.reference(hits.trailing_zeros()) != reference {
                hits &= hits - 1;
            }
            (hits != 0).then(|| hits.trailing_zeros())
        };
        let found = probe(tag)
            .enumerate()
            .map_while(|(passed, at)| Some((passed, at, buckets.get(at)?)))
            .find_map(|(passed, at, bucket)| Some((passed, at, place_of(bucket)?)));
        let Some((passed, at, place)) = found else {
            return;
        };
        if let Some(bucket) = buckets.get_mut(at) {
            bucket.used &= !(1 << place);
        }
        for at in probe(tag).take(passed) {
            if let Some(bucket) = buckets.get_mut(at) {
                bucket.overflow = bucket.overflow.saturating_sub(1);
            }
        }
        if let Some(segment) = self.segments.get_mut(segment as usize) {
            segment.len -= 1;
        }
    }

    /// An empty segment behind all others.
    fn add_segment(&mut self, depth: u32) -> u32 {
        let number = self.segments.len();
        if number.is_multiple_of(CHUNK) {
            let mut chunk = Vec::with_capacity(CHUNK * SEGMENT);
            huge_pages::advise(&mut chunk);
            self.chunks.push(chunk);
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.resize(chunk.len() + SEGMENT, Bucket::EMPTY);
        }
        self.segments.push(Segment { depth, len: 0 });
        u32::try_from(number).unwrap_or(0)
    }

    /// Deals a segment's references out to itself and a new one, by the next bit of their tags.
    #[cold]
    fn split(&mut self, segment: u32) {
        let Some(info) = self.segments.get_mut(segment as usize) else {
            return;
        };
        let bit = info.depth;
        *info = Segment {
            depth: bit + 1,
            len: 0,
        };
        if self.directory.len() == 1 << bit {
            self.directory.extend_from_within(..);
        }
        let new = self.add_segment(bit + 1);
        for at in 0..self.directory.len() {
            if let Some(place) = self.directory.get_mut(at)
                && *place == segment
                && at & (1 << bit) != 0
            {
                *place = new;
            }
        }
        let mut old = std::mem::take(&mut self.scratch);
        old.clear();
        old.extend_from_slice(self.buckets(segment));
        self.buckets_mut(segment).fill(Bucket::EMPTY);
        for (tag, reference) in old.iter().flat_map(Bucket::pairs) {
            self.place(self.segment_of(tag), tag, reference);
        }
        self.scratch = old;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A tag for a number, spread as a hash would.
    const fn tag(number: u32) -> u32 {
        number.wrapping_mul(0x9e37_79b1) ^ (number.wrapping_mul(0x85eb_ca6b) >> 13)
    }

    fn has(index: &Index, number: u32) -> bool {
        index.find(tag(number), |found| found == number).is_some()
    }

    #[test]
    fn it_grows_by_one_segment_at_a_time_and_finds_all() {
        let mut index = Index::new();
        let mut before = index.segments.len();
        for number in 0..200_000 {
            index.insert(tag(number), number);
            assert!(index.segments.len() <= before + 1);
            before = index.segments.len();
        }
        assert!((0..200_000).all(|number| has(&index, number)));
        assert!(!has(&index, 200_000));
        let load = 200_000 * 100 / (before * SEGMENT * WIDTH);
        assert!((40..75).contains(&load), "{load} %");
        for number in 0..200_000 {
            index.remove(tag(number), number);
        }
        assert!(!(0..200_000).any(|number| has(&index, number)));
        for number in 0..200_000 {
            index.insert(tag(number), number);
        }
        assert_eq!(index.segments.len(), before, "what was there is used again");
    }

    #[test]
    fn one_tag_may_have_many_references() {
        let mut index = Index::new();
        for number in 0..500 {
            index.insert(7, number);
        }
        assert!((0..500).all(|number| index.find(7, |found| found == number).is_some()));
    }

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((any::<bool>(), 0..3_000_u32), 1..6_000)) {
            let (mut index, mut model) = (Index::new(), BTreeSet::new());
            for (is_in, number) in steps {
                if is_in && model.insert(number) {
                    index.insert(tag(number), number);
                } else if !is_in {
                    model.remove(&number);
                    index.remove(tag(number), number);
                }
            }
            for number in 0..3_000 {
                prop_assert_eq!(has(&index, number), model.contains(&number));
            }
        }
    }
}
