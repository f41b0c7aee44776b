//! A packet of a capture, behind all that came before it.

use std::path::Path;

use anyhow::{Result, bail};
use redan_runtime::frame::Takes;
use redan_runtime::{Checksums, Settings};
use redan_vm::Instant;

use super::Why;
use crate::args::{self, WhyArgs};
use crate::capture::Capture;
use crate::capture::machine::Machine;
use crate::cmd::replay::ports::{self, Asked};
use crate::cmd::replay::{handle, place};
use crate::exit::Exit;
use crate::output::summary;
use crate::output::terminal::Terminal;
use crate::output::way::Way;
use crate::output::way::text::SCREEN;
use crate::ruleset;
use crate::way::Recorder;

/// Shows the way of a capture's packet, which is read and taken as a replay does it.
pub(super) fn run(
    args: &WhyArgs,
    path: &Path,
    number: u64,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let mut capture = Capture::open(path, false)?;
    let asked = Asked {
        capture: path,
        site: args.site.as_deref(),
        port: &args.port,
        local: &args.local,
    };
    let (site, mut ports) = ports::assign(&asked, &capture)?;
    let names = site.ports.iter().map(|port| port.name.clone()).collect();
    let loaded = ruleset::load_traced(&args.rules, &args.reading, names, terminal)?;
    let Some((ruleset, texts)) = loaded else {
        return Ok(Exit::Findings);
    };
    let why = Why {
        args,
        ruleset,
        texts,
    };
    let settings = Settings {
        site: site.clone(),
        checksums: match args.checksums {
            args::Checksums::Verify => Checksums::Verify,
            args::Checksums::Ignore => Checksums::Ignore,
        },
        any_mac: args.any_mac,
        takes: Takes {
            partial: true,
            tcp: true,
            udp: true,
        },
        ..Settings::default()
    };
    let recorder = Recorder::default();
    let mut datapath = why.datapath(settings, &recorder)?;
    let mut machine = Machine::new(&site, args.any_mac);
    let mut now = Instant::default();
    while let Some(numbered) = capture.next_frame() {
        let at = numbered.number;
        now = now.max(numbered.captured.time);
        let placed = place(&site, numbered, &capture, &mut ports, &mut machine)?;
        let Some(placed) = placed else {
            if at == number {
                bail!("packet {number} came over a loopback interface, which is no port here");
            }
            continue;
        };
        let mut out = Vec::new();
        if datapath.poll_timeout().is_some_and(|due| due <= now) {
            datapath.handle_timeout(now, &mut out);
            out.clear();
        }
        drop(recorder.take());
        let name = site.ports.get(placed.port.index());
        let name = name.map_or("", |port| port.name.as_str());
        let packet = format!(
            "packet {at}: {} at {name}",
            summary::of_frame(&placed.frame.bytes)
        );
        let fate = (placed.port, placed.fate);
        let report = handle(&mut datapath, now, fate, placed.frame, &mut out);
        if at == number {
            let way = Way {
                packet: &packet,
                steps: &recorder.take(),
                report: &report,
                out: &out,
            };
            why.print(&site, &way, SCREEN, terminal)?;
            return Ok(Exit::Fine);
        }
        let own = usize::from(report.verdict == redan_runtime::Verdict::Accept);
        machine.answered(now, out.get(own..).unwrap_or(&[]));
    }
    capture.close(terminal)?;
    bail!("{}: there is no packet {number}", capture.name)
}
