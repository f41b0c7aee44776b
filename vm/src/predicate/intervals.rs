//! Sets of numbers as sorted, disjoint, non-adjacent closed intervals.

/// A set of numbers of up to 128 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Intervals(Vec<(u128, u128)>);

impl Intervals {
    /// The numbers from `low` to `high`; none when `low` is higher.
    pub fn range(low: u128, high: u128) -> Self {
        Self(if low <= high {
            vec![(low, high)]
        } else {
            Vec::new()
        })
    }

    /// One number.
    pub fn one(value: u128) -> Self {
        Self::range(value, value)
    }

    /// The union of intervals in any order.
    pub fn from_ranges(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.retain(|(low, high)| low <= high);
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = (*end).max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    /// The intervals, ascending.
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all numbers of `bits` bits are in it.
    pub fn is_full(&self, bits: u32) -> bool {
        self.0.as_slice() == [(0, max_of(bits))]
    }

    /// Whether a number is in it.
    pub fn contains(&self, value: u128) -> bool {
        let at = self.0.partition_point(|(_, high)| *high < value);
        self.0.get(at).is_some_and(|(low, _)| *low <= value)
    }

    /// Whether everything in it is also in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|(low, high)| {
            let at = other.0.partition_point(|(_, end)| end < low);
            other
                .0
                .get(at)
                .is_some_and(|(start, end)| start <= low && high <= end)
        })
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((al, ah)), Some((bl, bh))) = (a.peek(), b.peek()) {
            if al.max(bl) <= ah.min(bh) {
                both.push((*al.max(bl), *ah.min(bh)));
            }
            if ah < bh {
                a.next()
            } else {
                b.next()
            };
        }
        Self(both)
    }

    /// Every number of `bits` bits that is not in it.
    #[must_use]
    pub fn not(&self, bits: u32) -> Self {
        let most = max_of(bits);
        let mut rest = Vec::new();
        let mut next = Some(0);
        for (low, high) in &self.0 {
            if let Some(start) = next.filter(|start| start < low) {
                rest.push((start, low - 1));
            }
            next = high.checked_add(1).filter(|n| *n <= most);
        }
        if let Some(start) = next {
            rest.push((start, most));
        }
        Self(rest)
    }
}

/// The highest number of `bits` bits.
pub fn max_of(bits: u32) -> u128 {
    match bits {
        0 => 0,
        1..=127 => (1 << bits) - 1,
        _ => u128::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u128, u128)]) -> Intervals {
        Intervals::from_ranges(ranges.to_vec())
    }

    #[test]
    fn adjacent_and_overlapping_ranges_become_one() {
        assert_eq!(set(&[(5, 9), (1, 4), (8, 12)]).ranges(), [(1, 12)]);
    }

    #[test]
    fn complement_of_complement_is_the_set() {
        for ranges in [
            vec![],
            vec![(0, 255)],
            vec![(0, 3), (7, 7), (200, 255)],
            vec![(9, 20)],
        ] {
            assert_eq!(set(&ranges).not(8).not(8), set(&ranges));
        }
        assert!(set(&[(0, u128::MAX)]).not(128).is_empty());
    }

    #[test]
    fn and_is_what_both_contain() {
        let (a, b) = (set(&[(0, 10), (20, 30)]), set(&[(5, 25), (30, 40)]));
        assert_eq!(a.and(&b).ranges(), [(5, 10), (20, 25), (30, 30)]);
        assert!(a.and(&b).is_within(&a));
        assert!(!a.is_within(&b));
    }
}
