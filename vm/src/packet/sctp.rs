//! SCTP (RFC 9260).

use super::header::{chunk, header};

header! {
    /// An SCTP common header. The checksum is `CRC32c`, least significant byte first: see [`super::checksum::sctp`].
    Sctp, 12 {
        /// Source port.
        src_port, set_src_port: u16 = 0;
        /// Destination port.
        dst_port, set_dst_port: u16 = 2;
        /// Verification tag.
        tag, set_tag: u32 = 4;
        /// Checksum bytes as they lie on the wire.
        checksum, set_checksum: [u8; 4] = 8;
    }
}

/// Chunk types.
pub mod chunk_type {
    /// Payload.
    pub const DATA: u8 = 0;
    /// Opens an association.
    pub const INIT: u8 = 1;
    /// Answers [`INIT`].
    pub const INIT_ACK: u8 = 2;
    /// Selective acknowledgement.
    pub const SACK: u8 = 3;
    /// Probes the peer.
    pub const HEARTBEAT: u8 = 4;
    /// Answers [`HEARTBEAT`].
    pub const HEARTBEAT_ACK: u8 = 5;
    /// Breaks off.
    pub const ABORT: u8 = 6;
    /// Asks for an end.
    pub const SHUTDOWN: u8 = 7;
    /// Answers [`SHUTDOWN`].
    pub const SHUTDOWN_ACK: u8 = 8;
    /// An error.
    pub const ERROR: u8 = 9;
    /// Third step of the handshake.
    pub const COOKIE_ECHO: u8 = 10;
    /// Fourth step of the handshake.
    pub const COOKIE_ACK: u8 = 11;
    /// The end.
    pub const SHUTDOWN_COMPLETE: u8 = 14;
}

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// [`chunk_type`].
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// The length field: header and value, without padding. May lie.
    pub len: u16,
    /// The value, as far as it is there.
    pub value: &'a [u8],
}

impl<T: AsRef<[u8]>> Sctp<T> {
    /// The chunks.
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks(self.bytes().get(LEN..).unwrap_or(&[]))
    }
}

/// Chunks one by one; ends at the first header that is cut off, and behind a chunk whose length is zero or beyond the packet. Lengths of 1 to 3
/// step over the header alone, as in Linux.
#[derive(Clone, Debug)]
pub struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let [kind, flags, ..] = *self.0.first_chunk::<4>()?;
        let len = u16::from_be_bytes(chunk(self.0, 2));
        let end = usize::from(len);
        let value = self.0.get(4..end.min(self.0.len())).unwrap_or(&[]);
        self.0 = if end == 0 {
            &[]
        } else {
            self.0.get(end.next_multiple_of(4)..).unwrap_or(&[])
        };
        Some(Chunk {
            kind,
            flags,
            len,
            value,
        })
    }
}
