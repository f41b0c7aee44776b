//! What `log group` logs: a pcapng file a group. A packet's comment is the rule's prefix.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use redan_runtime::driver::capture::CaptureWriter;
use redan_runtime::{LogEntry, Site};
use redan_vm::instr::Instr;
use redan_vm::{Packet, Ruleset};

/// The link header, which `snaplen` does not count.
const LINK_BYTES: usize = 14;

/// The groups of a ruleset, each with what takes its packets.
pub(crate) struct Groups<W: Write> {
    writers: BTreeMap<u16, CaptureWriter<W>>,
    ports: Vec<String>,
}

impl<W: Write> Groups<W> {
    /// Every group that a rule logs to; `open` makes what its packets go to.
    pub(crate) fn new(
        ruleset: &Ruleset,
        site: &Site,
        mut open: impl FnMut(u16) -> Result<W>,
    ) -> Result<Self> {
        let ports: Vec<String> = site.ports.iter().map(|port| port.name.clone()).collect();
        let mut writers = BTreeMap::new();
        for group in of(ruleset) {
            writers.insert(group, CaptureWriter::new(open(group)?, &ports)?);
        }
        Ok(Self { writers, ports })
    }

    /// Takes a packet that is logged to a group; whether it was.
    pub(crate) fn write(&mut self, entry: &LogEntry<'_>) -> io::Result<bool> {
        let Some(writer) = entry
            .log
            .group
            .and_then(|group| self.writers.get_mut(&group))
        else {
            return Ok(false);
        };
        let frame = complete(entry.packet);
        // nft_log.c: 0 is as much as there is.
        let most = match entry.log.snaplen {
            None | Some(0) => frame.len(),
            Some(bytes) => LINK_BYTES.saturating_add(bytes as usize),
        };
        writer.write_part(
            entry.now,
            interface(&self.ports, entry),
            frame.get(..most).unwrap_or(&frame),
            frame.len(),
            entry.log.prefix.as_deref().unwrap_or_default(),
        )?;
        Ok(true)
    }

    /// Hands on what has been written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writers.values_mut().try_for_each(CaptureWriter::flush)
    }

    /// The groups and what their packets went to.
    pub(crate) fn finish(self) -> io::Result<Vec<(u16, W)>> {
        let ended = |(group, writer): (u16, CaptureWriter<W>)| Ok((group, writer.finish()?));
        self.writers.into_iter().map(ended).collect()
    }
}

/// A packet's bytes with its checksum whole: nobody who reads a capture completes it.
fn complete(packet: &Packet) -> Cow<'_, [u8]> {
    if !packet.is_sum_open() {
        return Cow::Borrowed(&packet.frame);
    }
    let mut whole = packet.clone();
    whole.complete();
    Cow::Owned(whole.frame)
}

/// The groups that rules log to, each once.
pub(crate) fn of(ruleset: &Ruleset) -> impl Iterator<Item = u16> {
    let code = ruleset.rules.iter().flat_map(|rule| &rule.code);
    let groups: BTreeSet<u16> = code
        .filter_map(|instr| {
            if let Instr::Log(log) = instr {
                log.group
            } else {
                None
            }
        })
        .collect();
    groups.into_iter()
}

/// The file of a group.
pub(crate) fn path(folder: &Path, group: u16) -> PathBuf {
    folder.join(format!("group-{group}.pcapng"))
}

/// Makes a group's file; one that is there is replaced.
pub(crate) fn create(folder: &Path, group: u16) -> Result<io::BufWriter<std::fs::File>> {
    let path = path(folder, group);
    let file =
        std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(io::BufWriter::new(file))
}

/// Where the packet came in; a packet that the machine made, where it leaves.
fn interface(ports: &[String], entry: &LogEntry<'_>) -> u32 {
    let meta = &entry.packet.meta;
    let at = [&meta.iifname, &meta.oifname].into_iter().find_map(|name| {
        let len = name
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(name.len());
        let name = name.get(..len).filter(|name| !name.is_empty())?;
        ports.iter().position(|port| port.as_bytes() == name)
    });
    at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use redan_vm::packet::{LinkKind, TransportSum, checksum, dissect};

    use super::*;

    #[test]
    fn a_checksum_that_a_card_was_to_complete_is_complete_in_the_file() {
        // From 10.0.0.1:1 to 10.0.0.2:2, two bytes; the checksum is the pseudo-header's sum.
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0x66, 0xcd]);
        frame.extend([
            10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2, 0, 10, 0x14, 0x1e, 7, 7,
        ]);
        let layout = dissect(&frame, LinkKind::Ethernet).unwrap();
        let mut packet = Packet::new(frame, layout);
        packet.offload.sum = TransportSum::Partial {
            start: 34,
            field: 6,
        };
        let written = complete(&packet);
        assert_eq!(
            checksum::verify(&written, &layout),
            checksum::Verified::Right
        );
        assert_eq!(
            packet.frame[40..42],
            [0x14, 0x1e],
            "the packet itself goes on open"
        );
    }
}
