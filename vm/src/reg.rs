//! The machine's registers.

/// Bytes of data registers that the machine has.
pub const REGISTER_BYTES: usize = 64;

/// A data register by nft's number: 1 to 4 are 16 bytes wide, 8 to 23 are 4 bytes wide, and both lie over the same
/// [`REGISTER_BYTES`] bytes (register 1 is 8 to 11). The verdict register, 0, is no [`Reg`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reg(u8);

impl Reg {
    /// Register 1, where most rules work.
    pub const R1: Self = Self(1);
    /// Register 2.
    pub const R2: Self = Self(2);
    /// Register 3.
    pub const R3: Self = Self(3);
    /// Register 4.
    pub const R4: Self = Self(4);

    /// The register with nft's number, if there is one.
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1..=4 | 8..=23 => Some(Self(number)),
            _ => None,
        }
    }

    /// The register that starts at a 4-byte slot (0 to 15) as nft numbers parts of a concatenation: a slot on a 16-byte boundary by the
    /// wide register's number, any other by the narrow one's.
    pub const fn at_slot(slot: u8) -> Option<Self> {
        match slot {
            0 | 4 | 8 | 12 => Some(Self(slot / 4 + 1)),
            1..=15 => Some(Self(slot + 8)),
            _ => None,
        }
    }

    /// nft's number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Where the register starts in the register file, in bytes.
    pub const fn offset(self) -> usize {
        if self.0 < 8 {
            (self.0 as usize - 1) * 16
        } else {
            (self.0 as usize - 8) * 4
        }
    }
}
