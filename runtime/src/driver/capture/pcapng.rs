//! pcapng: blocks, of which sections, interfaces and packets matter here.

use std::error::Error;

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgParseError, PcapNgParser};
use redan_vm::Instant;

use super::link::Link;
use super::pcap::MOST;
use super::source::Source;
use super::{CaptureError, Captured};

/// A pcapng being read.
pub(super) struct Pcapng {
    parser: PcapNgParser,
    /// Links of all interfaces so far; `None` for a link type that is not known, by number.
    links: Vec<Result<Link, u32>>,
    /// Number of the section's first interface.
    first: usize,
}

/// What a block says.
enum Said {
    Packet(Captured),
    Nothing,
}

impl Pcapng {
    /// Reads the section header.
    pub(super) fn new(source: &mut Source) -> Result<Self, CaptureError> {
        loop {
            let before = source.bytes().len();
            match PcapNgParser::new(source.bytes()) {
                Ok((rest, parser)) => {
                    let used = before - rest.len();
                    source.take(used);
                    return Ok(Self {
                        parser,
                        links: Vec::new(),
                        first: 0,
                    });
                }
                Err(error) => wait(source, &error, 0)?,
            }
        }
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(
        &mut self,
        source: &mut Source,
        names: &mut Vec<Option<String>>,
        record: u64,
    ) -> Result<Option<Captured>, CaptureError> {
        loop {
            if source.bytes().is_empty() && !source.more()? {
                return Ok(None);
            }
            let before = source.bytes().len();
            let (used, said) = match self.parser.next_block(source.bytes()) {
                Ok((rest, block)) => {
                    let used = before - rest.len();
                    (
                        used,
                        read(
                            block,
                            &mut self.links,
                            &mut self.first,
                            names,
                            (record, source.offset()),
                        )?,
                    )
                }
                Err(error) => {
                    wait(source, &error, record)?;
                    continue;
                }
            };
            source.take(used);
            if let Said::Packet(captured) = said {
                return Ok(Some(captured));
            }
        }
    }
}

/// Reads on where a block is not all there; an error where that cannot help.
fn wait(source: &mut Source, error: &PcapNgParseError, record: u64) -> Result<(), CaptureError> {
    let offset = source.offset();
    let damaged = |what: &str| CaptureError::Damaged {
        record,
        offset,
        what: what.to_owned(),
    };
    if !matches!(error, PcapNgParseError::IncompleteBuffer(..)) {
        let mut cause: &dyn Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        return Err(damaged(&format!("the block contradicts itself ({cause})")));
    }
    if source.bytes().len() > MOST as usize {
        return Err(damaged("its length is beyond that of any frame"));
    }
    if source.more()? {
        Ok(())
    } else {
        Err(CaptureError::Truncated { record, offset })
    }
}

fn read(
    block: Block<'_>,
    links: &mut Vec<Result<Link, u32>>,
    first: &mut usize,
    names: &mut Vec<Option<String>>,
    (record, offset): (u64, u64),
) -> Result<Said, CaptureError> {
    let (interface, time, data, original) = match block {
        Block::SectionHeader(_) => {
            *first = links.len();
            return Ok(Said::Nothing);
        }
        Block::InterfaceDescription(described) => {
            let linktype = u32::from(described.linktype);
            links.push(Link::new(linktype).ok_or(linktype));
            names.push(name(&described));
            return Ok(Said::Nothing);
        }
        Block::EnhancedPacket(EnhancedPacketBlock {
            interface_id,
            timestamp,
            original_len,
            data,
            ..
        }) => (interface_id as usize, Some(timestamp), data, original_len),
        Block::Packet(packet) => (
            usize::from(packet.interface_id),
            Some(packet.timestamp),
            packet.data,
            packet.original_len,
        ),
        Block::SimplePacket(packet) => (0, None, packet.data, packet.original_len),
        Block::NameResolution(_)
        | Block::InterfaceStatistics(_)
        | Block::SystemdJournalExport(_)
        | Block::CustomCopiable(_)
        | Block::CustomNonCopiable(_)
        | Block::Unknown(_) => return Ok(Said::Nothing),
    };
    let at = *first + interface;
    let number = u32::try_from(at).unwrap_or(u32::MAX);
    let link = match links.get(at) {
        Some(Ok(link)) => *link,
        Some(&Err(linktype)) => {
            return Err(CaptureError::UnknownLinkType {
                interface: number,
                linktype,
            });
        }
        None => {
            return Err(CaptureError::Damaged {
                record,
                offset,
                what: "it names an interface that was not described".to_owned(),
            });
        }
    };
    let ns = time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let frame = link.frame(&data, original as usize);
    Ok(Said::Packet(Captured {
        time: Instant::from_nanos(ns),
        interface: number,
        frame,
    }))
}

fn name(described: &InterfaceDescriptionBlock<'_>) -> Option<String> {
    described.options.iter().find_map(|option| {
        if let InterfaceDescriptionOption::IfName(name) = option {
            Some(name.to_string())
        } else {
            None
        }
    })
}
