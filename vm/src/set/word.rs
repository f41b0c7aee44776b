//! Keys as numbers: keys of one length compare as their bytes do when they are read in network order.

use std::hash::Hash;

/// A number that holds a key.
pub(super) trait Word: Copy + Ord + Hash + Default {
    /// The greatest one.
    const MAX: Self;

    /// The key's bytes as a number in network order; of a key that is too long only the last bytes count.
    fn load(bytes: &[u8]) -> Self;

    /// The next number; `None` behind the greatest.
    fn next(self) -> Option<Self>;
}

/// Any length, byte by byte.
macro_rules! slowly {
    ($bytes:ident) => {
        $bytes
            .iter()
            .fold(0, |number, byte| (number << 8) | Self::from(*byte))
    };
}

impl Word for u32 {
    const MAX: Self = Self::MAX;

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        match *bytes {
            [a, b, c, d] => Self::from_be_bytes([a, b, c, d]),
            [a, b] => Self::from(u16::from_be_bytes([a, b])),
            [a] => Self::from(a),
            _ => slowly!(bytes),
        }
    }

    #[inline]
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Word for u64 {
    const MAX: Self = Self::MAX;

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        if let Some((head, rest)) = bytes.split_first_chunk::<4>() {
            // Whole keys of 8 bytes first: they are the most common.
            if let Ok(rest) = <[u8; 4]>::try_from(rest) {
                return (Self::from(u32::from_be_bytes(*head)) << 32)
                    | Self::from(u32::from_be_bytes(rest));
            }
        }
        match *bytes {
            [a, b, c, d] => Self::from(u32::from_be_bytes([a, b, c, d])),
            [a, b] => Self::from(u16::from_be_bytes([a, b])),
            _ => slowly!(bytes),
        }
    }

    #[inline]
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Word for u128 {
    const MAX: Self = Self::MAX;

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        if let Some((head, [])) = bytes.split_first_chunk::<16>() {
            return Self::from_be_bytes(*head);
        }
        if let Some((head, rest)) = bytes.split_first_chunk::<8>() {
            let rest_bits = rest.len() * 8;
            return (Self::from(u64::from_be_bytes(*head)) << rest_bits)
                | Self::from(u64::load(rest));
        }
        Self::from(u64::load(bytes))
    }

    #[inline]
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}
