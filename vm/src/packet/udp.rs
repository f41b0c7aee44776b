//! UDP (RFC 768) and UDP-Lite (RFC 3828).

use super::header::header;

header! {
    /// A UDP header.
    Udp, 8 {
        /// Source port.
        src_port, set_src_port: u16 = 0;
        /// Destination port.
        dst_port, set_dst_port: u16 = 2;
        /// Bytes of header and payload; in UDP-Lite, bytes that the checksum covers.
        len, set_len: u16 = 4;
        /// Checksum over pseudo-header, header and payload; 0 for none.
        checksum, set_checksum: u16 = 6;
    }
}

impl<T: AsRef<[u8]>> Udp<T> {
    /// What lies behind the header.
    pub fn payload(&self) -> &[u8] {
        self.bytes().get(LEN..).unwrap_or(&[])
    }

    /// Whether the length field leaves no room for the header.
    pub fn is_empty(&self) -> bool {
        usize::from(self.len()) < LEN
    }
}
