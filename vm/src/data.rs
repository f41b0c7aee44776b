//! Register data: up to 16 bytes, in the order in which they lie in a register.

/// Bytes for a register, as on a little-endian machine: network fields in network order, host-order keys in little-endian order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Data {
    bytes: [u8; 16],
    len: u8,
}

impl Data {
    /// The bytes given; `None` when there are more than 16.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut data = Self {
            bytes: [0; 16],
            len: u8::try_from(bytes.len()).ok()?,
        };
        data.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(data)
    }

    /// `len` zero bytes (at most 16 are kept).
    pub const fn zero(len: u8) -> Self {
        Self {
            bytes: [0; 16],
            len: if len > 16 { 16 } else { len },
        }
    }

    /// One byte.
    pub const fn u8(value: u8) -> Self {
        let mut bytes = [0; 16];
        bytes[0] = value;
        Self { bytes, len: 1 }
    }

    /// Four bytes in the machine's own (little-endian) order.
    pub const fn u32_le(value: u32) -> Self {
        let mut bytes = [0; 16];
        let [a, b, c, d] = value.to_le_bytes();
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (a, b, c, d);
        Self { bytes, len: 4 }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// All 16 bytes, zero behind the data.
    pub const fn padded(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// How many bytes there are.
    pub const fn len(&self) -> u8 {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("0x")?;
        self.as_bytes()
            .iter()
            .try_for_each(|b| write!(f, "{b:02x}"))
    }
}
