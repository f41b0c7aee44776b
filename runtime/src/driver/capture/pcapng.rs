//! pcapng (draft-ietf-opsawg-pcapng): blocks, of which sections, interfaces and packets matter here. A block that is whole but says
//! something impossible is passed over; one whose lengths contradict each other ends the reading, since nobody knows where the next starts.

use redan_vm::Instant;

use super::link::{Link, Read};
use super::pcap::MOST;
use super::source::Source;
use super::{CaptureError, Captured, Heading, Interface, Notes};

/// How a file starts: the type of a section header, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Block types (section 11.1 of the draft).
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;
/// Options (4.2, 4.3 and A).
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const FLAGS: u16 = 2;
/// Type, length, and the length again at the end.
const FRAME: usize = 12;

/// A pcapng being read.
#[derive(Default)]
pub(super) struct Pcapng {
    big_endian: bool,
    /// The section's interfaces.
    interfaces: Vec<Described>,
    /// When the last packet was captured; simple packet blocks have no time.
    last: Instant,
}

/// What an interface's block says.
struct Described {
    /// How its packets are read; a link type that is not known.
    link: Result<Link, u32>,
    /// Its number in the whole file; of an "any" device, those of the devices behind it.
    number: u32,
    indices: Vec<(u32, u32)>,
    unit: Unit,
    /// Seconds that are added to times.
    offset: i64,
    /// Most bytes that a packet was cut to; 0 for no limit.
    snaplen: u32,
}

/// The unit of timestamps, as a power of 10 or of 2 by which a second is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Decimal(u32),
    Binary(u32),
}

impl Unit {
    fn nanos(self, ticks: u64) -> i128 {
        let ns = u128::from(ticks) * 1_000_000_000;
        let ns = match self {
            Self::Decimal(power) => 10_u128.checked_pow(power).map_or(0, |unit| ns / unit),
            Self::Binary(power) => ns.checked_shr(power).unwrap_or(0),
        };
        i128::try_from(ns).unwrap_or(i128::MAX)
    }
}

/// A packet block's own fields.
struct PacketBlock<'a> {
    interface: u32,
    ticks: Option<u64>,
    data: &'a [u8],
    original: u32,
    heading: Option<Heading>,
}

impl Pcapng {
    /// Reads the section header.
    pub(super) fn new(source: &mut Source) -> Result<Self, CaptureError> {
        let mut new = Self::default();
        let (_, length) = new.fill(source, 0)?.ok_or(CaptureError::NoHeader)?;
        let block = source.bytes().get(..length).unwrap_or(&[]).to_vec();
        new.section(&block, 0, source.offset())?;
        source.take(length);
        Ok(new)
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(
        &mut self,
        source: &mut Source,
        notes: &mut Notes,
        record: &mut u64,
    ) -> Result<Option<Captured>, CaptureError> {
        while let Some((kind, length)) = self.fill(source, *record + 1)? {
            let offset = source.offset();
            let block = source.bytes().get(..length).unwrap_or(&[]);
            let body = block.get(8..length - 4).unwrap_or(&[]);
            let captured = match kind {
                SECTION => {
                    let block = block.to_vec();
                    self.section(&block, *record + 1, offset)?;
                    None
                }
                INTERFACE => {
                    self.interface(body, notes);
                    None
                }
                PACKET | OLD_PACKET | SIMPLE_PACKET => {
                    *record += 1;
                    let read = self
                        .packet(kind, body)
                        .ok_or_else(|| "its lengths do not fit into its block".to_owned());
                    let read = read.and_then(|block| {
                        captured(&mut self.interfaces, &mut self.last, &block, notes)
                    });
                    read.map_err(|what| notes.skip(*record, what)).ok()
                }
                _ => None,
            };
            source.take(length);
            if captured.is_some() {
                return Ok(captured);
            }
        }
        Ok(None)
    }

    /// Reads until a block is there whole: its type and length.
    fn fill(&self, source: &mut Source, record: u64) -> Result<Option<(u32, usize)>, CaptureError> {
        if !source.fill(1)? && !source.is_cut() {
            return Ok(None);
        }
        let offset = source.offset();
        let truncated = || CaptureError::Truncated { record, offset };
        let damaged = |what: &str| CaptureError::Damaged {
            record,
            offset,
            what: what.to_owned(),
        };
        if !source.fill(FRAME)? {
            return Err(truncated());
        }
        let kind = word(self.big_endian, source.bytes(), 0);
        let big_endian = match word(true, source.bytes(), 8) {
            _ if kind != SECTION => self.big_endian,
            0x1a2b_3c4d => true,
            0x4d3c_2b1a => false,
            _ => return Err(damaged("a section starts in no known byte order")),
        };
        let length = word(big_endian, source.bytes(), 4);
        if length > MOST {
            return Err(damaged("its length is beyond that of any frame"));
        }
        let length = length as usize;
        if length < FRAME || !length.is_multiple_of(4) {
            return Err(damaged(
                "the block contradicts itself: its length is none that a block has",
            ));
        }
        if !source.fill(length)? {
            return Err(truncated());
        }
        if word(big_endian, source.bytes(), length - 4) as usize != length {
            return Err(damaged(
                "the block contradicts itself: its two lengths differ",
            ));
        }
        Ok(Some((kind, length)))
    }

    fn section(&mut self, block: &[u8], record: u64, offset: u64) -> Result<(), CaptureError> {
        self.big_endian = word(true, block, 8) == 0x1a2b_3c4d;
        let version = half(self.big_endian, block, 12);
        // A section of another major version is laid out otherwise.
        if version != 1 || block.len() < 28 {
            return Err(CaptureError::Damaged {
                record,
                offset,
                what: format!("a section has version {version} of pcapng, and only 1 is known"),
            });
        }
        self.interfaces.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8], notes: &mut Notes) {
        let linktype = u32::from(half(self.big_endian, body, 0));
        let link = Link::new(linktype).ok_or(linktype);
        let number = u32::try_from(notes.interfaces.len()).unwrap_or(u32::MAX);
        let mut described = Described {
            link,
            number,
            indices: Vec::new(),
            unit: Unit::Decimal(6),
            offset: 0,
            snaplen: word(self.big_endian, body, 4),
        };
        let mut name = None;
        for (code, value) in options(self.big_endian, body.get(8..).unwrap_or(&[])) {
            match (code, value) {
                (IF_NAME, _) => {
                    let end = value.iter().position(|byte| *byte == 0);
                    let text = value.get(..end.unwrap_or(value.len())).unwrap_or(value);
                    name = Some(String::from_utf8_lossy(text).into_owned());
                }
                (IF_TSRESOL, &[power]) => {
                    described.unit = if power & 0x80 == 0 {
                        Unit::Decimal(u32::from(power))
                    } else {
                        Unit::Binary(u32::from(power & 0x7f))
                    };
                }
                (IF_TSOFFSET, value) => {
                    if let Some(&bytes) = value.first_chunk::<8>() {
                        described.offset = if self.big_endian {
                            i64::from_be_bytes(bytes)
                        } else {
                            i64::from_le_bytes(bytes)
                        };
                    }
                }
                _ => {}
            }
        }
        if !link.is_ok_and(Link::has_indices) {
            notes.interfaces.push(Interface {
                name,
                ordinal: u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX),
                ..Interface::default()
            });
        }
        self.interfaces.push(described);
    }

    fn packet<'a>(&self, kind: u32, body: &'a [u8]) -> Option<PacketBlock<'a>> {
        let word = |at| word(self.big_endian, body, at);
        let ticks = || Some(u64::from(word(4)) << 32 | u64::from(word(8)));
        if kind == SIMPLE_PACKET {
            let original = word(0);
            let all = body.get(4..)?;
            let snaplen = self
                .interfaces
                .first()
                .map(|first| first.snaplen)
                .filter(|snaplen| *snaplen != 0);
            let kept = original.min(snaplen.unwrap_or(u32::MAX)) as usize;
            // A limit that the interface does not name shows in the block's own length.
            let data = all.get(..kept).unwrap_or(all);
            return Some(PacketBlock {
                interface: 0,
                ticks: None,
                data,
                original,
                heading: None,
            });
        }
        let interface = if kind == OLD_PACKET {
            u32::from(half(self.big_endian, body, 0))
        } else {
            word(0)
        };
        let length = word(12) as usize;
        let data = body.get(20..)?.get(..length)?;
        let behind = 20 + length.next_multiple_of(4);
        let flags = options(self.big_endian, body.get(behind..).unwrap_or(&[]))
            .find(|(code, value)| *code == FLAGS && value.len() == 4)
            .map(|(_, value)| self::word(self.big_endian, value, 0));
        Some(PacketBlock {
            interface,
            ticks: ticks(),
            data,
            original: word(16),
            heading: match flags.map(|flags| flags & 3) {
                Some(1) => Some(Heading::In),
                Some(2) => Some(Heading::Out),
                _ => None,
            },
        })
    }
}

/// The frame of a packet block; else what is wrong with the block.
fn captured(
    interfaces: &mut [Described],
    last: &mut Instant,
    block: &PacketBlock<'_>,
    notes: &mut Notes,
) -> Result<Captured, String> {
    let described = interfaces
        .get_mut(block.interface as usize)
        .ok_or_else(|| "it names an interface that was not described".to_owned())?;
    let link = described.link.map_err(|linktype| {
        CaptureError::UnknownLinkType {
            interface: block.interface,
            linktype,
        }
        .to_string()
    })?;
    let Read {
        frame,
        heading,
        index,
        is_loopback,
    } = link.read(block.data, block.original as usize);
    let time = block.ticks.map_or(*last, |ticks| {
        let ns = described.unit.nanos(ticks) + i128::from(described.offset) * 1_000_000_000;
        Instant::from_nanos(u64::try_from(ns.max(0)).unwrap_or(u64::MAX))
    });
    *last = time;
    let interface = index.map_or(described.number, |index| {
        notes.by_index(&mut described.indices, index, is_loopback)
    });
    Ok(Captured {
        time,
        interface,
        heading: block.heading.or(heading),
        frame,
    })
}

/// Options with their codes, up to the end of options or the first that does not fit.
fn options(big_endian: bool, mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let code = half(big_endian, rest.get(..4)?, 0);
        let length = usize::from(half(big_endian, rest, 2));
        let value = rest.get(4..4 + length)?;
        rest = rest
            .get(4 + length.next_multiple_of(4)..)
            .unwrap_or_default();
        (code != 0).then_some((code, value))
    })
}

/// The 16-bit word at a byte offset; 0 when it is not there.
fn half(big_endian: bool, bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; 2]);
    if big_endian {
        u16::from_be_bytes(bytes)
    } else {
        u16::from_le_bytes(bytes)
    }
}

/// The 32-bit word at a byte offset; 0 when it is not there.
fn word(big_endian: bool, bytes: &[u8], at: usize) -> u32 {
    u32::from(half(big_endian, bytes, at + if big_endian { 0 } else { 2 })) << 16
        | u32::from(half(big_endian, bytes, at + if big_endian { 2 } else { 0 }))
}
