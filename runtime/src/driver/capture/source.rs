//! Bytes of a capture file, unpacked where it is gzipped, as many as a record needs.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// A reader with what has been read and not taken yet.
pub(super) struct Source {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    taken: usize,
    offset: u64,
    ended: bool,
    /// Whether `reader` unpacks: a file that was cut off ends in an error then.
    is_packed: bool,
    /// Whether a packed file ended before its end.
    is_cut: bool,
}

/// How a gzipped file starts (RFC 1952 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Source {
    pub(super) fn new(reader: Box<dyn Read>) -> io::Result<Self> {
        let mut source = Self {
            reader,
            buffer: Vec::new(),
            taken: 0,
            offset: 0,
            ended: false,
            is_packed: false,
            is_cut: false,
        };
        if source.fill(GZIP.len())? && source.bytes().starts_with(GZIP) {
            let start = io::Cursor::new(std::mem::take(&mut source.buffer));
            let whole = start.chain(source.reader);
            source.reader = Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(
                CHUNK, whole,
            )));
            source.ended = false;
            source.is_packed = true;
        }
        Ok(source)
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
                // What could be unpacked is there; the record that it ends in is not whole.
                Err(error) if self.is_packed && error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    break Ok(0);
                }
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

    /// Whether the file ended where no record does, although what was unpacked of it ends with one.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }
}
