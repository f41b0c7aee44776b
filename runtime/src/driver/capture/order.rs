//! Frames in order of time. Captures of several interfaces are written as each interface's buffer fills, so that a frame may stand behind
//! one that came later; it is put in its place as long as it is not further behind than a window.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use redan_vm::Instant;

use super::{CaptureError, CaptureReader, Captured, Interface, Skipped};

/// How much older a frame may be than one before it in the file to be put in its place. dumpcap hands over a buffer at the latest after a
/// quarter of a second, and writes those of all interfaces in turn.
pub const WINDOW: Duration = Duration::from_secs(2);
/// Most frames that wait for older ones.
const MOST_FRAMES: usize = 65_536;
/// Most bytes of frames that wait for older ones.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A frame with its number in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number among the records of packets, from 1.
    pub number: u64,
    /// The frame.
    pub captured: Captured,
}

/// Order is by time, then by number.
struct Waiting(Numbered);

impl Waiting {
    const fn key(&self) -> (Instant, u64) {
        (self.0.captured.time, self.0.number)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// A capture whose frames come in order of time.
pub struct Ordered {
    reader: CaptureReader,
    waiting: BinaryHeap<Reverse<Waiting>>,
    bytes: usize,
    newest: Instant,
    given: Instant,
    moved: u64,
    late: u64,
    end: Option<CaptureError>,
    ended: bool,
}

impl Ordered {
    /// Orders what a reader gives.
    pub const fn new(reader: CaptureReader) -> Self {
        Self {
            reader,
            waiting: BinaryHeap::new(),
            bytes: 0,
            newest: Instant::from_nanos(0),
            given: Instant::from_nanos(0),
            moved: 0,
            late: 0,
            end: None,
            ended: false,
        }
    }

    /// Reads on as far as frames wait for older ones, so that what comes first and the interfaces of its neighbours are known.
    pub fn look_ahead(&mut self) -> Option<&Captured> {
        while !self.ended && !self.is_full() {
            match self.reader.next_frame() {
                Ok(Some(captured)) => self.take(captured),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.end = Some(error);
                    self.ended = true;
                }
            }
        }
        self.waiting.peek().map(|first| &first.0.0.captured)
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// As [`CaptureReader::next_frame`], behind every frame that could be read.
    pub fn next_frame(&mut self) -> Result<Option<Numbered>, CaptureError> {
        self.look_ahead();
        let Some(Reverse(Waiting(next))) = self.waiting.pop() else {
            return self.end.take().map_or(Ok(None), Err);
        };
        self.bytes = self.bytes.saturating_sub(next.captured.frame.bytes.len());
        self.given = self.given.max(next.captured.time);
        Ok(Some(next))
    }

    fn is_full(&self) -> bool {
        let oldest = self.waiting.peek().map(|first| first.0.0.captured.time);
        self.waiting.len() >= MOST_FRAMES
            || self.bytes >= MOST_BYTES
            || oldest.is_some_and(|oldest| self.newest.since(oldest) >= WINDOW)
    }

    fn take(&mut self, captured: Captured) {
        if captured.time < self.given {
            self.late += 1;
        } else if captured.time < self.newest {
            self.moved += 1;
        }
        self.newest = self.newest.max(captured.time);
        self.bytes += captured.frame.bytes.len();
        self.waiting.push(Reverse(Waiting(Numbered {
            number: self.reader.records(),
            captured,
        })));
    }

    /// Frames so far that stood behind a later one and were put in their place.
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Frames so far that are older than what had been given when they were read: they come too late.
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// As [`CaptureReader::interfaces`].
    pub fn interfaces(&self) -> &[Interface] {
        self.reader.interfaces()
    }

    /// As [`CaptureReader::skipped`].
    pub fn skipped(&self) -> &[Skipped] {
        self.reader.skipped()
    }
}
