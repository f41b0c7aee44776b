//! Match fields: one row a field, one table a header. Names, type check, lowering, loads, printing and checksum repair read these rows.
//!
//! [`Header`] and its [`Field`]s are what `payload` loads; [`option`] has what `exthdr` loads (IPv6 extension headers, TCP and IP
//! options, SCTP chunks).

mod header;
pub mod option;
mod payload;

pub use header::{Header, HeaderInfo, Requires, Tunnel};

use crate::datatype::DataType;
use crate::instr::Base;

/// One field of a header. On the wire every field is in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The header that it is in.
    pub header: Header,
    /// Its name in nft's language, without the header's.
    pub name: &'static str,
    /// Bits from the header's [`Base`] to its first (most significant) bit.
    pub bit_offset: u16,
    /// Its width in bits.
    pub bit_width: u16,
    /// Its type.
    pub datatype: DataType,
    /// ICMP types of which at least one is implied when nothing before fixed the type; empty for fields of every message.
    pub message_types: &'static [u8],
    /// Whether the transport checksum covers it (a pseudo-header field): a write mends that one, too.
    pub pseudo: bool,
}

impl Field {
    /// Where its load counts from.
    pub const fn base(&self) -> Base {
        self.header.info().base
    }

    /// Bytes from the base to the first byte that it touches.
    pub const fn byte_offset(&self) -> u32 {
        self.bit_offset as u32 / 8
    }

    /// How many bytes it touches.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no field is longer than 16 bytes"
    )]
    pub const fn byte_len(&self) -> u8 {
        let end = (self.bit_offset + self.bit_width).div_ceil(8);
        (end - self.bit_offset / 8) as u8
    }

    /// Whether it fills its bytes, so that no mask is needed.
    pub const fn is_whole_bytes(&self) -> bool {
        self.bit_offset.is_multiple_of(8) && self.bit_width.is_multiple_of(8)
    }

    /// How many bits lie below it in its last byte: the left shift that brings a value into place.
    pub const fn shift(&self) -> u32 {
        let end = self.bit_offset as u32 + self.bit_width as u32;
        end.div_ceil(8) * 8 - end
    }

    /// The mask over its bytes, as a number whose last byte is the field's last byte; `None` when it fills its bytes.
    pub const fn mask(&self) -> Option<u32> {
        if self.is_whole_bytes() {
            None
        } else {
            Some(((1 << self.bit_width) - 1) << self.shift())
        }
    }
}

/// Every field of a header, in nft's order.
pub const fn fields(header: Header) -> &'static [Field] {
    payload::fields(header)
}

/// The field of a header by name.
pub fn find(header: Header, name: &str) -> Option<&'static Field> {
    fields(header).iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_their_own_table_and_fit_their_bytes() {
        for &header in Header::ALL {
            for field in fields(header) {
                assert_eq!(field.header, header, "{header} {}", field.name);
                assert!(field.byte_len() <= 16, "{header} {}", field.name);
                assert!(field.is_whole_bytes() || field.byte_len() <= 4);
                assert_eq!(find(header, field.name), Some(field));
            }
        }
    }

    #[test]
    fn bit_fields_know_bytes_mask_and_shift() {
        let check = |header, name, offset, len, mask, shift| {
            let field = find(header, name).unwrap();
            assert_eq!(
                (
                    field.byte_offset(),
                    field.byte_len(),
                    field.mask(),
                    field.shift()
                ),
                (offset, len, mask, shift),
                "{header} {name}"
            );
        };
        check(Header::Ip, "version", 0, 1, Some(0xf0), 4);
        check(Header::Ip, "dscp", 1, 1, Some(0xfc), 2);
        check(Header::Ip, "saddr", 12, 4, None, 0);
        check(Header::Ip6, "dscp", 0, 2, Some(0x0fc0), 6);
        check(Header::Ip6, "ecn", 1, 1, Some(0x30), 4);
        check(Header::Ip6, "flowlabel", 1, 3, Some(0x0f_ffff), 0);
        check(Header::Vlan, "id", 14, 2, Some(0x0fff), 0);
        check(Header::Vlan, "dei", 14, 1, Some(0x10), 4);
        check(Header::Vlan, "pcp", 14, 1, Some(0xe0), 5);
        check(Header::Dccp, "type", 8, 1, Some(0x1e), 1);
        check(Header::Tcp, "doff", 12, 1, Some(0xf0), 4);
        check(Header::Gre, "version", 1, 1, Some(0x07), 0);
    }
}
