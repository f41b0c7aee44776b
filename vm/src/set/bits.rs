//! Bit vectors over boxes that no single part separates: for each part and each of at most 256 stretches of its values, which boxes reach into it. The
//! vectors of a point's stretches, and-ed, propose the boxes to compare.

use super::ranges::{Boxes, Point};
use super::sorted::Sorted;
use super::word::Word;

/// Most stretches of a part.
const STRETCHES_MAX: usize = 256;

/// The vectors.
#[derive(Debug)]
pub(super) struct Bits<K, const B: usize> {
    items: Vec<u32>,
    /// Words of a vector.
    words: usize,
    parts: Vec<Part<K, B>>,
}

#[derive(Debug)]
struct Part<K, const B: usize> {
    /// The least value of each stretch.
    starts: Sorted<K, B>,
    /// A vector a stretch, back to back.
    vectors: Vec<u64>,
}

impl<K: Word, const B: usize> Bits<K, B> {
    /// Takes boxes in order of precedence.
    pub(super) fn new(boxes: &Boxes<K>, items: &[u32]) -> Self {
        let words = items.len().div_ceil(64);
        let parts = (0..boxes.parts())
            .map(|part| Part::new(boxes, items, part, words))
            .collect();
        Self {
            items: items.to_vec(),
            words,
            parts,
        }
    }

    /// Boxes that may hold the point, in order of precedence.
    pub(super) fn candidates<'a>(
        &'a self,
        point: &Point<K>,
    ) -> Option<impl Iterator<Item = u32> + 'a> {
        let mut rows: [&[u64]; super::ranges::PARTS_MAX] = [&[]; super::ranges::PARTS_MAX];
        for ((row, part), value) in rows.iter_mut().zip(&self.parts).zip(point) {
            let start = part.starts.at_most(*value)? * self.words;
            *row = part.vectors.get(start..start + self.words)?;
        }
        let count = self.parts.len();
        let and = move |word: usize| {
            rows.iter().take(count).fold(u64::MAX, |bits, row| {
                bits & row.get(word).copied().unwrap_or(0)
            })
        };
        Some((0..self.words).flat_map(move |word| {
            Ones(and(word)).filter_map(move |bit| self.items.get(word * 64 + bit).copied())
        }))
    }
}

impl<K: Word, const B: usize> Part<K, B> {
    fn new(boxes: &Boxes<K>, items: &[u32], part: usize, words: usize) -> Self {
        let starts = boxes.class_starts(items, part);
        let step = starts.len().div_ceil(STRETCHES_MAX).max(1);
        let starts: Vec<K> = starts.into_iter().step_by(step).collect();
        let mut vectors = vec![0u64; starts.len() * words];
        for (index, item) in items.iter().enumerate() {
            let (first, last) = boxes.classes_of(*item, part, &starts);
            for stretch in first..=last {
                if let Some(word) = vectors.get_mut(stretch * words + index / 64) {
                    *word |= 1 << (index % 64);
                }
            }
        }
        Self {
            starts: Sorted::new(&starts),
            vectors,
        }
    }
}

/// The bits of a word that are set, from the lowest.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit as usize)
    }
}
