//! IPv6 hop-by-hop options, which a receiver checks before its hooks see the packet.

use super::dissect::{DissectErrorKind, Fault};
use super::ipv6;

/// Hop-by-hop option types that the kernel knows.
mod hop_option {
    /// One byte of padding.
    pub(super) const PAD1: u8 = 0;
    /// Padding.
    pub(super) const PADN: u8 = 1;
    /// Router alert.
    pub(super) const ROUTER_ALERT: u8 = 5;
    /// CALIPSO label.
    pub(super) const CALIPSO: u8 = 7;
    /// In-situ operations data.
    pub(super) const IOAM: u8 = 0x31;
    /// Jumbo payload.
    pub(super) const JUMBO: u8 = 0xc2;
}

/// Most options in a hop-by-hop header (`net.ipv6.max_hbh_opts_number`).
const MAX_HBH_OPTS: u32 = 8;
/// Most padding between options (RFC 8200 §4.2).
const MAX_PADDING: usize = 7;

/// Checks the hop-by-hop options as `exthdrs.c: ip6_parse_tlv` does; gives the payload length of a jumbogram.
pub(super) fn check(packet: &[u8]) -> Result<Option<usize>, Fault> {
    let cut = Fault(packet.len(), DissectErrorKind::Truncated);
    let header = packet.get(ipv6::LEN..).unwrap_or(&[]);
    let Some(len) = header.get(1).map(|units| (usize::from(*units) + 1) * 8) else {
        return Err(cut);
    };
    let Some(options) = header.get(..len) else {
        return Err(cut);
    };
    let mut jumbo = None;
    let (mut at, mut padding, mut count) = (2, 0, 0);
    while let Some(&kind) = options.get(at) {
        let bad = || Fault(ipv6::LEN + at, DissectErrorKind::BadOptions);
        if kind == hop_option::PAD1 {
            padding += 1;
            at += 1;
        } else {
            let value_len = usize::from(*options.get(at + 1).ok_or_else(bad)?);
            let value = options.get(at + 2..at + 2 + value_len).ok_or_else(bad)?;
            if kind == hop_option::PADN {
                padding += value_len + 2;
                if value.iter().any(|byte| *byte != 0) {
                    return Err(bad());
                }
            } else {
                padding = 0;
                count += 1;
                match judge(kind, value, at, packet.len()) {
                    Judged::Skipped => {}
                    Judged::Jumbo(len) => jumbo = Some(len),
                    Judged::Discard => return Err(bad()),
                }
            }
            at += 2 + value_len;
        }
        if padding > MAX_PADDING || count > MAX_HBH_OPTS {
            return Err(Fault(ipv6::LEN + at, DissectErrorKind::BadOptions));
        }
    }
    Ok(jumbo)
}

/// What an option other than padding makes of the packet.
enum Judged {
    /// Nothing.
    Skipped,
    /// A jumbogram with a payload of so many bytes.
    Jumbo(usize),
    /// It is discarded.
    Discard,
}

/// Judges the option at byte `at` of its header in a packet of which `available` bytes are there.
fn judge(kind: u8, value: &[u8], at: usize, available: usize) -> Judged {
    let is_sound = match (kind, value) {
        (hop_option::JUMBO, &[a, b, c, d]) => {
            let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let is_there = available
                .checked_sub(ipv6::LEN)
                .is_some_and(|room| len <= room);
            if at % 4 == 2 && len > 0xffff && is_there {
                return Judged::Jumbo(len);
            }
            false
        }
        (hop_option::ROUTER_ALERT, value) => value.len() == 2,
        (hop_option::IOAM, value) => at.is_multiple_of(4) && value.len() >= 2,
        // CALIPSO labels are checked against the system's own, of which there are none here.
        (hop_option::JUMBO | hop_option::CALIPSO, _) => false,
        // The two highest bits say what a receiver does that does not know the option; 00 is to skip it (RFC 8200 §4.2).
        (unknown, _) => unknown >> 6 == 0,
    };
    if is_sound {
        Judged::Skipped
    } else {
        Judged::Discard
    }
}
