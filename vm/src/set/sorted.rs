//! Search in sorted numbers: a tree without pointers whose nodes are one cache line each.
//!
//! Every layer is the sorted numbers of the layer below, thinned to the first of each line; the search counts in one line a layer how many
//! numbers are not above the key, which compiles to vector code without branches.

use super::word::Word;

/// A cache line of numbers.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line<K, const B: usize>([K; B]);

/// Sorted numbers, `B` to a line.
#[derive(Debug)]
pub(super) struct Sorted<K, const B: usize> {
    /// From the root, one line, to all numbers.
    layers: Vec<Vec<Line<K, B>>>,
    len: usize,
}

impl<K: Word, const B: usize> Sorted<K, B> {
    /// Takes numbers in ascending order.
    pub(super) fn new(numbers: &[K]) -> Self {
        let mut layers = Vec::new();
        let mut layer: Vec<K> = numbers.to_vec();
        loop {
            let lines: Vec<_> = layer
                .chunks(B)
                .map(|chunk| {
                    let mut line = Line([K::MAX; B]);
                    line.0
                        .iter_mut()
                        .zip(chunk)
                        .for_each(|(place, number)| *place = *number);
                    line
                })
                .collect();
            let is_root = lines.len() <= 1;
            layer = lines
                .iter()
                .filter_map(|line| line.0.first().copied())
                .collect();
            layers.push(lines);
            if is_root {
                break;
            }
        }
        layers.reverse();
        Self {
            layers,
            len: numbers.len(),
        }
    }

    /// Index of the last number that is not above `key`.
    #[inline]
    pub(super) fn at_most(&self, key: K) -> Option<usize> {
        let mut at = 0;
        for layer in &self.layers {
            // The last line of a layer is filled up with the greatest number, which a key can be.
            let line = layer.get(at).or(layer.last())?;
            let count = line
                .0
                .iter()
                .fold(0u32, |count, number| count + u32::from(*number <= key));
            at = (at * B + count as usize).checked_sub(1)?;
        }
        Some(at.min(self.len - 1))
    }
}
