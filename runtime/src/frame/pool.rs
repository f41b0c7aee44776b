//! Buffers for frames, used again and again whichever port they leave by.

/// Bytes of a buffer: a packet with all its segments (`GSO_MAX_SIZE`) behind an Ethernet header with two tags.
pub const BUFFER: usize = 65536 + 22;
/// Buffers that are kept.
const KEPT: usize = 256;

/// Buffers that wait for a frame, the one that was used last in front: its bytes are still near.
#[derive(Debug, Default)]
pub struct Pool {
    spare: Vec<Vec<u8>>,
}

impl Pool {
    /// An empty buffer with room for any frame.
    pub fn take(&mut self) -> Vec<u8> {
        self.spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(BUFFER))
    }

    /// Takes a frame's buffer back. One with less room is not kept.
    pub fn give(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() >= BUFFER && self.spare.len() < KEPT {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// Puts a frame that has to wait into a buffer of its own length: whoever waits long does not keep the room of the longest frame.
    pub fn shrink(&mut self, bytes: &mut Vec<u8>) {
        if bytes.capacity() >= BUFFER {
            let waiting = bytes.as_slice().to_vec();
            self.give(std::mem::replace(bytes, waiting));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_a_short_one_does_not() {
        let mut pool = Pool::default();
        let mut bytes = pool.take();
        bytes.extend([1, 2, 3]);
        let place = bytes.as_ptr();
        pool.give(vec![0; 100]);
        pool.give(bytes);
        let again = pool.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert!(pool.take().capacity() >= BUFFER);
    }

    #[test]
    fn what_waits_keeps_its_bytes_and_not_their_room() {
        let mut pool = Pool::default();
        let mut bytes = pool.take();
        bytes.extend([1, 2, 3]);
        pool.shrink(&mut bytes);
        assert_eq!((bytes.as_slice(), bytes.capacity()), (&[1, 2, 3][..], 3));
        assert_eq!(pool.spare.len(), 1);
    }
}
