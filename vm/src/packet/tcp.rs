//! TCP (RFC 9293).

use super::header::{chunk, header};

header! {
    /// A TCP header.
    Tcp, 20 {
        /// Source port.
        src_port, set_src_port: u16 = 0;
        /// Destination port.
        dst_port, set_dst_port: u16 = 2;
        /// Sequence number.
        seq, set_seq: u32 = 4;
        /// Acknowledgement number.
        ack, set_ack: u32 = 8;
        /// Header length in 4-byte words (4 bits) and reserved bits.
        data_offset, set_data_offset: u8 = 12;
        /// [`flags`].
        flags, set_flags: u8 = 13;
        /// Window, unscaled.
        window, set_window: u16 = 14;
        /// Checksum over pseudo-header, header and payload.
        checksum, set_checksum: u16 = 16;
        /// Urgent pointer.
        urgent, set_urgent: u16 = 18;
    }
}

/// Bits of [`Tcp::flags`].
pub mod flags {
    /// No more data from this side.
    pub const FIN: u8 = 0x01;
    /// First segment of this side.
    pub const SYN: u8 = 0x02;
    /// Connection refused or broken off.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer counts.
    pub const URG: u8 = 0x20;
    /// ECN echo.
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u8 = 0x80;
}

/// Option kinds.
pub mod option {
    /// End of the list.
    pub const EOL: u8 = 0;
    /// No operation.
    pub const NOP: u8 = 1;
    /// Maximum segment size.
    pub const MSS: u8 = 2;
    /// Window scale.
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted.
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK blocks.
    pub const SACK: u8 = 5;
    /// Timestamps.
    pub const TIMESTAMP: u8 = 8;
}

impl<T: AsRef<[u8]>> Tcp<T> {
    /// Bytes of the header with options, as the header says; at least 20 in a sound one.
    pub fn header_len(&self) -> usize {
        usize::from(self.data_offset() >> 4) * 4
    }

    /// The options, as far as they are there.
    pub fn options(&self) -> TcpOptions<'_> {
        let bytes = self.bytes();
        TcpOptions(
            bytes
                .get(LEN..self.header_len().min(bytes.len()))
                .unwrap_or(&[]),
        )
    }

    /// What lies behind the header; empty when the header's length is unsound.
    pub fn payload(&self) -> &[u8] {
        if self.header_len() < LEN {
            return &[];
        }
        self.bytes().get(self.header_len()..).unwrap_or(&[])
    }
}

/// Options one by one, no-operations left out; ends at the end of the list or at the first one that is cut off or shorter than 2.
#[derive(Clone, Debug)]
pub struct TcpOptions<'a>(&'a [u8]);

impl<'a> Iterator for TcpOptions<'a> {
    /// The kind, and the bytes behind kind and length.
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0.first()? {
                option::EOL => return None,
                option::NOP => self.0 = self.0.get(1..)?,
                kind => {
                    let len = usize::from(*self.0.get(1)?);
                    let value = self.0.get(2..len)?;
                    self.0 = self.0.get(len..)?;
                    return Some((kind, value));
                }
            }
        }
    }
}

impl<'a> TcpOptions<'a> {
    /// Options from their bytes: what lies between the fixed header and the payload.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The 16-bit value of the option of this kind, if it is there with that width.
    pub fn find_u16(self, kind: u8) -> Option<u16> {
        self.into_iter()
            .find(|(found, value)| *found == kind && value.len() == 2)
            .map(|(_, value)| u16::from_be_bytes(chunk(value, 0)))
    }
}
