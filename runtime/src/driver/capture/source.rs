//! Bytes of a capture file, as many as a record needs.

use std::io::{self, Read};

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// A reader with what has been read and not taken yet.
pub(super) struct Source {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    taken: usize,
    offset: u64,
    ended: bool,
}

impl Source {
    pub(super) const fn new(reader: Box<dyn Read>) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            taken: 0,
            offset: 0,
            ended: false,
        }
    }

    /// What has been read and not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or(&[])
    }

    /// Where [`Self::bytes`] starts in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops bytes from the front.
    pub(super) fn take(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes().len());
        self.taken += bytes;
        self.offset += bytes as u64;
    }

    /// Reads on; `false` at the end of the file.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + CHUNK, 0);
        let read = loop {
            match self
                .reader
                .read(self.buffer.get_mut(before..).unwrap_or(&mut []))
            {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(!self.ended)
    }

    /// Reads until there are `wanted` bytes; `false` when the file ends before.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.bytes().len() < wanted {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
