//! Writing pcapng (little-endian, nanoseconds, Ethernet).

use std::io::{self, Write};

use redan_vm::Instant;

/// Block types (pcapng 4).
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Options (pcapng 4.2).
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;

/// Writes a pcapng file with interface names.
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    sink: W,
    block: Vec<u8>,
}

impl<W: Write> CaptureWriter<W> {
    /// Starts a file whose interfaces have these names, in this order.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(sink: W, interfaces: &[String]) -> io::Result<Self> {
        let mut writer = Self {
            sink,
            block: Vec::new(),
        };
        writer.block.extend(0x1a2b_3c4d_u32.to_le_bytes());
        writer.block.extend([1, 0, 0, 0]);
        writer.block.extend(u64::MAX.to_le_bytes());
        writer.end_block(SECTION)?;
        for name in interfaces {
            // LINKTYPE_ETHERNET, reserved, no limit on frames' lengths.
            writer.block.extend([1, 0, 0, 0, 0, 0, 0, 0]);
            writer.option(IF_NAME, name.as_bytes());
            writer.option(IF_TSRESOL, &[9]);
            writer.block.extend([0; 4]);
            writer.end_block(INTERFACE)?;
        }
        Ok(writer)
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block
            .extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.block.extend(value.iter().take(usize::from(u16::MAX)));
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn end_block(&mut self, kind: u32) -> io::Result<()> {
        let len = u32::try_from(self.block.len() + 12).map_err(io::Error::other)?;
        self.sink.write_all(&kind.to_le_bytes())?;
        self.sink.write_all(&len.to_le_bytes())?;
        self.sink.write_all(&self.block)?;
        self.sink.write_all(&len.to_le_bytes())?;
        self.block.clear();
        Ok(())
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write(&mut self, time: Instant, interface: u32, bytes: &[u8]) -> io::Result<()> {
        self.write_part(time, interface, bytes, bytes.len(), "")
    }

    /// Writes the first bytes of a frame of `len` bytes, with a comment that may be empty.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write_part(
        &mut self,
        time: Instant,
        interface: u32,
        bytes: &[u8],
        len: usize,
        comment: &str,
    ) -> io::Result<()> {
        let written = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let len = u32::try_from(len).map_err(io::Error::other)?;
        let ns = time.as_nanos().to_le_bytes();
        let (low, high) = ns.split_at(4);
        self.block.extend(interface.to_le_bytes());
        self.block.extend_from_slice(high);
        self.block.extend_from_slice(low);
        self.block.extend(written.to_le_bytes());
        self.block.extend(len.to_le_bytes());
        self.block.extend_from_slice(bytes);
        self.pad();
        if !comment.is_empty() {
            self.option(OPT_COMMENT, comment.as_bytes());
            self.block.extend([0; 4]);
        }
        self.end_block(PACKET)
    }

    /// Hands on what has been written.
    ///
    /// # Errors
    /// Writing failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
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
