//! Capture files: classic pcap and pcapng in, pcapng out.

mod link;
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

/// A frame of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When it was captured.
    pub time: Instant,
    /// Number of the interface that it was captured on; its name is in [`CaptureReader::interfaces`].
    pub interface: u32,
    /// The frame; padded with zeros to its original length where the capture cut it short.
    pub frame: Frame,
}

/// Reads a capture file, frame by frame, in bounded memory.
pub struct CaptureReader {
    source: Source,
    format: Format,
    interfaces: Vec<Option<String>>,
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
        let mut source = Source::new(reader);
        let whole = source.fill(4)?;
        let magic = source.bytes().first_chunk::<4>().copied();
        let magic = magic.filter(|_| whole).ok_or(CaptureError::NoHeader)?;
        let (format, interfaces) = match (pcap::kind(magic), magic) {
            (Some(kind), _) => (
                pcap::Pcap::new(&mut source, kind).map(Format::Pcap),
                vec![None],
            ),
            (None, [0x0a, 0x0d, 0x0d, 0x0a]) => (
                pcapng::Pcapng::new(&mut source).map(Format::Pcapng),
                Vec::new(),
            ),
            (None, _) => return Err(CaptureError::UnknownFormat(magic)),
        };
        if matches!(format, Err(CaptureError::Truncated { .. })) {
            return Err(CaptureError::NoHeader);
        }
        Ok(Self {
            source,
            format: format?,
            interfaces,
            records: 0,
            ended: false,
        })
    }

    /// The interfaces seen so far, by number, with their names where the file has them. In a pcapng they may come between frames.
    pub fn interfaces(&self) -> &[Option<String>] {
        &self.interfaces
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError::Truncated`] when the file ends inside a record. After an error there is nothing more.
    pub fn next_frame(&mut self) -> Result<Option<Captured>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        self.records += 1;
        let next = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source, self.records),
            Format::Pcapng(pcapng) => {
                pcapng.next(&mut self.source, &mut self.interfaces, self.records)
            }
        };
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }
}
