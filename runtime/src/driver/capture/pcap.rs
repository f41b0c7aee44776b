//! Classic pcap: a 24-byte header, then records with 16-byte headers, in the byte order of the machine that wrote them.

use redan_vm::Instant;

use super::link::{Link, Read};
use super::source::Source;
use super::{CaptureError, Captured, Interface, Notes};

/// Bytes of the file header.
const HEADER: usize = 24;
/// Bytes of a record header.
const RECORD: usize = 16;
/// Longest record that is believed, in bytes (libpcap's `MAXIMUM_SNAPLEN` is 256 KiB; USB captures go higher).
pub(super) const MOST: u32 = 16 * 1024 * 1024;

/// What a pcap's header says.
#[derive(Clone, Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds of one unit of a record's fraction.
    unit_ns: u64,
    link: Link,
    /// The capturing machine's interfaces in a capture of its "any" device, with their numbers here.
    indices: Vec<(u32, u32)>,
}

/// The byte order and fraction unit that a file starting with `magic` has.
pub(super) const fn kind(magic: [u8; 4]) -> Option<(bool, u64)> {
    match u32::from_be_bytes(magic) {
        0xa1b2_c3d4 => Some((true, 1000)),
        0xa1b2_3c4d => Some((true, 1)),
        0xd4c3_b2a1 => Some((false, 1000)),
        0x4d3c_b2a1 => Some((false, 1)),
        _ => None,
    }
}

impl Pcap {
    /// Reads the file header.
    pub(super) fn new(
        source: &mut Source,
        (big_endian, unit_ns): (bool, u64),
        notes: &mut Notes,
    ) -> Result<Self, CaptureError> {
        if !source.fill(HEADER)? {
            return Err(CaptureError::Truncated {
                record: 0,
                offset: source.offset(),
            });
        }
        // The upper half of the field says whether frames carry a check sequence.
        let linktype = word(big_endian, source.bytes(), 20) & 0xffff;
        let link = Link::new(linktype).ok_or(CaptureError::UnknownLinkType {
            interface: 0,
            linktype,
        })?;
        source.take(HEADER);
        if !link.has_indices() {
            notes.interfaces.push(Interface::default());
        }
        Ok(Self {
            big_endian,
            unit_ns,
            link,
            indices: Vec::new(),
        })
    }

    /// The next record; `None` at the end.
    pub(super) fn next(
        &mut self,
        source: &mut Source,
        notes: &mut Notes,
        record: &mut u64,
    ) -> Result<Option<Captured>, CaptureError> {
        if !source.fill(1)? && !source.is_cut() {
            return Ok(None);
        }
        *record += 1;
        let record = *record;
        let truncated = CaptureError::Truncated {
            record,
            offset: source.offset(),
        };
        if !source.fill(RECORD)? {
            return Err(truncated);
        }
        let [secs, fraction, captured, original] =
            [0, 4, 8, 12].map(|at| word(self.big_endian, source.bytes(), at));
        if captured > MOST {
            let what = "its length is beyond that of any frame";
            return Err(CaptureError::Damaged {
                record,
                offset: source.offset(),
                what: what.to_owned(),
            });
        }
        let captured = captured as usize;
        if !source.fill(RECORD + captured)? {
            return Err(truncated);
        }
        let bytes = source.bytes().get(RECORD..RECORD + captured).unwrap_or(&[]);
        let Read {
            frame,
            heading,
            index,
            is_loopback,
        } = self.link.read(bytes, original as usize);
        source.take(RECORD + captured);
        let ns = u64::from(secs) * 1_000_000_000 + u64::from(fraction).saturating_mul(self.unit_ns);
        Ok(Some(Captured {
            time: Instant::from_nanos(ns),
            interface: index.map_or(0, |index| {
                notes.by_index(&mut self.indices, index, is_loopback)
            }),
            heading,
            frame,
        }))
    }
}

/// The 32-bit word at a byte offset; 0 when it is not there.
fn word(big_endian: bool, bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; 4]);
    if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}
