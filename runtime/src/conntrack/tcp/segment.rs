//! A TCP segment as the tracker sees it, and arithmetic on sequence numbers.

use redan_vm::packet::tcp::{self, TcpOptions, flags, option};

use super::state::Class;
use crate::conntrack::reason::InvalidReason;
use crate::conntrack::tracker::Seen;

/// Whether sequence number `a` comes before `b`, mod 2^32.
pub(super) const fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

/// Whether sequence number `a` comes after `b`, mod 2^32.
pub(super) const fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

/// A segment with sound length, checksum and flags.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    /// Its class.
    pub(super) class: Class,
    /// Its flags.
    pub(super) flags: u8,
    /// Sequence number.
    pub(super) seq: u32,
    /// Acknowledgement number, whether it counts or not.
    pub(super) ack: u32,
    /// Sequence number behind its data, SYN and FIN counted.
    pub(super) end: u32,
    /// Window, unscaled.
    pub(super) window: u16,
    /// Whether there are bytes of options at all.
    pub(super) has_options: bool,
    /// The options.
    options: TcpOptions<'a>,
}

impl<'a> Segment<'a> {
    /// Reads and checks a segment (`tcp_error`).
    ///
    /// # Errors
    /// Why it is INVALID.
    pub(super) fn read(seen: &Seen<'a>) -> Result<Self, InvalidReason> {
        let bytes = seen.packet.bytes;
        let tcp = redan_vm::packet::Tcp::new_checked(bytes).ok_or(InvalidReason::Truncated)?;
        let header_len = tcp.header_len();
        if header_len < tcp::LEN || header_len > bytes.len() {
            return Err(InvalidReason::BadLength);
        }
        if seen.is_verified && !seen.packet.is_checksum_ok(bytes.len()) {
            return Err(InvalidReason::BadChecksum);
        }
        let class = Class::of(tcp.flags()).ok_or(InvalidReason::BadFlags)?;
        let payload = u32::try_from(bytes.len() - header_len).unwrap_or(u32::MAX);
        let counted = |flag| u32::from(tcp.flags() & flag != 0);
        Ok(Self {
            class,
            flags: tcp.flags(),
            seq: tcp.seq(),
            ack: tcp.ack(),
            end: tcp
                .seq()
                .wrapping_add(payload)
                .wrapping_add(counted(flags::SYN) + counted(flags::FIN)),
            window: tcp.window(),
            has_options: header_len > tcp::LEN,
            options: TcpOptions::new(bytes.get(tcp::LEN..header_len).unwrap_or(&[])),
        })
    }

    /// Whether any of these flags is set.
    pub(super) const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Window scale, at most 14 (RFC 7323 2.3), and whether SACK is permitted.
    pub(super) fn offers(&self) -> (Option<u8>, bool) {
        let mut scale = None;
        let mut is_sack_permitted = false;
        for (kind, value) in self.options.clone() {
            match (kind, value) {
                (option::WINDOW_SCALE, [shift]) => scale = Some((*shift).min(14)),
                (option::SACK_PERMITTED, []) => is_sack_permitted = true,
                _ => {}
            }
        }
        (scale, is_sack_permitted)
    }

    /// The highest right edge of its SACK blocks, or `ack` where none lies beyond it.
    pub(super) fn sack(&self, ack: u32) -> u32 {
        let blocks = self.options.clone().find(|(kind, value)| {
            *kind == option::SACK && !value.is_empty() && value.len() % 8 == 0
        });
        let Some((_, blocks)) = blocks else {
            return ack;
        };
        let (blocks, _) = blocks.as_chunks::<8>();
        blocks
            .iter()
            .fold(ack, |highest, &[_, _, _, _, a, b, c, d]| {
                let right = u32::from_be_bytes([a, b, c, d]);
                if after(right, highest) {
                    right
                } else {
                    highest
                }
            })
    }
}
