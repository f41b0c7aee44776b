//! Capture files: classic pcap and pcapng in, also gzipped; pcapng out.

mod link;
pub mod order;
mod pcap;
mod pcapng;
mod source;
#[cfg(test)]
mod tests;
mod writer;

use std::io::{self, Read};

use redan_vm::Instant;

pub use writer::CaptureWriter;

use crate::frame::Frame;
use source::Source;

/// What is wrong with a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Not a capture file.
    #[error("this is no pcap and no pcapng file (it starts with {0:02x?})")]
    UnknownFormat([u8; 4]),
    /// A link type that redan does not read.
    #[error(
        "interface {interface} has link type {linktype}, which redan does not read; capture on an Ethernet, raw IP or \"any\" device"
    )]
    UnknownLinkType {
        /// Which interface.
        interface: u32,
        /// Its `LINKTYPE_` number.
        linktype: u32,
    },
    /// Less than a capture's header.
    #[error("this is no whole capture: it is empty or ends inside its header")]
    NoHeader,
    /// A record that contradicts itself.
    #[error("record {record} at byte {offset}: {what}")]
    Damaged {
        /// Which record, from 1.
        record: u64,
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The file ends inside a record; everything before it has been given.
    #[error(
        "the file ends inside record {record} (byte {offset}); the whole records before it were read"
    )]
    Truncated {
        /// Which record, from 1.
        record: u64,
        /// Where in the file, in bytes.
        offset: u64,
    },
    /// Reading failed.
    #[error("read: {0}")]
    Io(#[from] io::Error),
}

/// Which way a frame went, where the capture says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heading {
    /// It came in.
    In,
    /// The capturing machine sent it.
    Out,
}

/// A frame of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When it was captured.
    pub time: Instant,
    /// Number of the interface that it was captured on, in [`CaptureReader::interfaces`].
    pub interface: u32,
    /// Which way it went; `None` where the capture does not say.
    pub heading: Option<Heading>,
    /// The frame; padded with zeros to its original length where the capture cut it short.
    pub frame: Frame,
}

/// An interface of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name, where the file has it.
    pub name: Option<String>,
    /// Its number among those of its section of the file.
    pub ordinal: u32,
    /// The capturing machine's own number for it, where the capture is of its "any" device and says so (`LINKTYPE_LINUX_SLL2`).
    pub index: Option<u32>,
    /// Whether it is the loopback device (its frames say so in captures of the "any" device).
    pub is_loopback: bool,
}

/// Records of one kind that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub what: String,
    /// The first of them, from 1.
    pub first: u64,
    /// How many there were.
    pub count: u64,
}

/// Most kinds of records that are told apart when they are skipped: what a hostile file can make of them is bounded.
const KINDS: usize = 16;

/// What a capture told beside its frames.
#[derive(Debug, Default)]
struct Notes {
    interfaces: Vec<Interface>,
    skipped: Vec<Skipped>,
}

impl Notes {
    fn skip(&mut self, record: u64, what: String) {
        if let Some(known) = self.skipped.iter_mut().find(|known| known.what == what) {
            known.count += 1;
        } else if self.skipped.len() < KINDS {
            self.skipped.push(Skipped {
                what,
                first: record,
                count: 1,
            });
        } else if let Some(last) = self.skipped.last_mut() {
            last.count += 1;
        }
    }

    /// The number of the interface that the capturing machine calls `index`, among those of the file's interface `within`.
    fn by_index(&mut self, within: &mut Vec<(u32, u32)>, index: u32, is_loopback: bool) -> u32 {
        if let Some((_, number)) = within.iter().find(|(known, _)| *known == index) {
            return *number;
        }
        let number = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        // What does not fit counts as the last one: a hostile file may name four thousand million interfaces.
        if within.len() >= MOST_INDICES {
            return within.last().map_or(0, |(_, number)| *number);
        }
        within.push((index, number));
        self.interfaces.push(Interface {
            ordinal: number,
            index: Some(index),
            is_loopback,
            name: is_loopback.then(|| "lo".to_owned()),
        });
        number
    }
}

/// Most interfaces that a capture of the "any" device may have.
const MOST_INDICES: usize = 4096;

/// Reads a capture file, frame by frame, in bounded memory.
pub struct CaptureReader {
    source: Source,
    format: Format,
    notes: Notes,
    records: u64,
    ended: bool,
}

enum Format {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

impl CaptureReader {
    /// Reads a capture's header.
    ///
    /// # Errors
    /// The format or the link type is unknown, or reading failed.
    pub fn new(reader: Box<dyn Read>) -> Result<Self, CaptureError> {
        let mut source = Source::new(reader)?;
        let whole = source.fill(4)?;
        let magic = source.bytes().first_chunk::<4>().copied();
        let magic = magic.filter(|_| whole).ok_or(CaptureError::NoHeader)?;
        let mut notes = Notes::default();
        let format = match (pcap::kind(magic), magic) {
            (Some(kind), _) => pcap::Pcap::new(&mut source, kind, &mut notes).map(Format::Pcap),
            (None, pcapng::MAGIC) => pcapng::Pcapng::new(&mut source).map(Format::Pcapng),
            (None, _) => return Err(CaptureError::UnknownFormat(magic)),
        };
        if matches!(format, Err(CaptureError::Truncated { .. })) {
            return Err(CaptureError::NoHeader);
        }
        Ok(Self {
            source,
            format: format?,
            notes,
            records: 0,
            ended: false,
        })
    }

    /// The interfaces seen so far, by number. In a pcapng, and in a capture of the "any" device, they may come between frames.
    pub fn interfaces(&self) -> &[Interface] {
        &self.notes.interfaces
    }

    /// The records passed over so far, by kind.
    pub fn skipped(&self) -> &[Skipped] {
        &self.notes.skipped
    }

    /// Records so far, those that were passed over included: the number of the frame given last, from 1.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError::Truncated`] when the file ends inside a record. After an error there is nothing more.
    pub fn next_frame(&mut self) -> Result<Option<Captured>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        let next = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source, &mut self.notes, &mut self.records),
            Format::Pcapng(pcapng) => {
                pcapng.next(&mut self.source, &mut self.notes, &mut self.records)
            }
        };
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }
}
