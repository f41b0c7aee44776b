//! A packet of a capture, behind all that came before it.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use redan_runtime::driver::capture::{CaptureReader, Captured};
use redan_runtime::site::is_interface_name;
use redan_runtime::{Mode, Port, Site};
use redan_vm::Instant;

use super::Why;
use crate::exit::Exit;
use crate::input;
use crate::output::summary;
use crate::output::terminal::Terminal;
use crate::output::way::Way;
use crate::output::way::text::SCREEN;
use crate::way::Recorder;

/// Shows the way of a capture's packet.
pub(super) fn run(
    why: &Why<'_>,
    given: Option<Site>,
    path: &Path,
    number: u64,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let (frames, names) = read(path, number)?;
    let mut site = given.unwrap_or_else(|| wire(&names));
    site.local.extend(&why.args.local);
    let recorder = Recorder::default();
    let mut datapath = why.datapath(site.clone(), &recorder)?;
    let mut now = Instant::default();
    for (at, captured) in (1..).zip(frames) {
        let name = names
            .get(captured.interface as usize)
            .map_or("eth0", String::as_str);
        let Some(port) = site.port_by_name(name) else {
            bail!(
                "{}: the interface `{name}` is no port of the site",
                input::display_name(path)
            );
        };
        now = now.max(captured.time);
        let mut out = Vec::new();
        if datapath.poll_timeout().is_some_and(|due| due <= now) {
            datapath.handle_timeout(now, &mut out);
            out.clear();
        }
        drop(recorder.take());
        let packet = format!(
            "packet {at}: {} in {name}",
            summary::of_frame(&captured.frame.bytes)
        );
        let report = datapath.handle_frame(now, port, captured.frame, &mut out);
        if at == number {
            let way = Way {
                packet: &packet,
                steps: &recorder.take(),
                report: &report,
                out: &out,
            };
            why.print(&site, &way, SCREEN, terminal)?;
        }
    }
    Ok(Exit::Fine)
}

/// The frames up to a number, and the names of the capture's interfaces.
fn read(path: &Path, number: u64) -> Result<(Vec<Captured>, Vec<String>)> {
    let name = input::display_name(path);
    let bytes = input::read(path)?;
    let mut reader = CaptureReader::new(Box::new(Cursor::new(bytes)))
        .with_context(|| format!("cannot read {name}"))?;
    let mut frames = Vec::new();
    while (frames.len() as u64) < number {
        let frame = reader
            .next_frame()
            .with_context(|| format!("{name}: behind packet {}", frames.len()))?;
        let Some(frame) = frame else {
            bail!(
                "{name} has {} packets, and no packet {number}",
                frames.len()
            );
        };
        frames.push(frame);
    }
    let mut names: Vec<String> = reader
        .interfaces()
        .iter()
        .enumerate()
        .map(|(index, interface)| {
            let name = interface.name.clone();
            let name = name.filter(|name| is_interface_name(name));
            name.unwrap_or_else(|| format!("eth{index}"))
        })
        .collect();
    if names.is_empty() {
        names.push("eth0".to_owned());
    }
    Ok((frames, names))
}

/// A wire between the capture's interfaces, each name once.
fn wire(names: &[String]) -> Site {
    let mut site = Site {
        mode: Mode::Wire,
        ..Site::default()
    };
    for name in names {
        if site.port_by_name(name).is_none() {
            site.ports.push(Port::new(name.clone(), site.ports.len()));
        }
    }
    site
}
