//! `redan replay`: a capture through a ruleset. Time is the capture's, so that the same input always gives the same output.

mod capture;
mod ports;
mod results;
mod watcher;

use std::sync::Arc;

use anyhow::{Result, bail};
use redan_runtime::clock::Stopwatch;
use redan_runtime::{Checksums, Datapath, Observer, OutFrame, PortId, Settings, Silent, Site};
use redan_vm::{Engine, Instant, Ruleset};

use self::capture::Capture;
use self::results::{Measured, Printer};
use self::watcher::Watch;
use crate::args::{self, ReplayArgs, ReplayFormat};
use crate::exit::Exit;
use crate::output::groups::Groups;
use crate::output::terminal::Terminal;
use crate::way::Texts;
use crate::{engine, input, output, ruleset};

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs, terminal: &mut Terminal) -> Result<Exit> {
    if input::is_stdin(&args.rules) && input::is_stdin(&args.capture) {
        bail!("rules and capture cannot both come from stdin; name a file for one of them");
    }
    let capture = Capture::read(&args.capture)?;
    let (site, ports) = ports::assign(args, &capture)?;
    let Some((ruleset, texts)) = load(args, &site, terminal)? else {
        return Ok(Exit::Findings);
    };
    let mut replay = Replay {
        args,
        capture: &capture,
        ports: &ports,
        site: &site,
        ruleset: &ruleset,
        texts: texts.as_ref(),
    };
    let measured = replay.measure(terminal)?;
    let (datapath, written) = replay.print(terminal)?;
    // A file that cannot be written does not cost the others.
    written.and(results::write_files(args, &datapath, capture.end()))?;
    if args.stats {
        terminal.raw_note(&results::stats(&datapath, measured));
    }
    match capture.fault {
        None => Ok(Exit::Fine),
        Some(fault) if fault.is_truncation => {
            terminal.warning(&fault.message);
            Ok(Exit::Findings)
        }
        Some(fault) => bail!("{}", fault.message),
    }
}

/// The rules, with their text where it will be told which of them failed why.
fn load(
    args: &ReplayArgs,
    site: &Site,
    terminal: &mut Terminal,
) -> Result<Option<(Arc<Ruleset>, Option<Texts>)>> {
    if !args.trace {
        let ruleset = ruleset::load(&args.rules, &args.reading, site, terminal)?;
        return Ok(ruleset.map(|ruleset| (ruleset, None)));
    }
    let names = site.ports.iter().map(|port| port.name.clone()).collect();
    let loaded = ruleset::load_traced(&args.rules, &args.reading, names, terminal)?;
    Ok(loaded.map(|(ruleset, texts)| (ruleset, Some(texts))))
}

struct Replay<'a> {
    args: &'a ReplayArgs,
    capture: &'a Capture,
    ports: &'a [PortId],
    site: &'a Site,
    ruleset: &'a Arc<Ruleset>,
    texts: Option<&'a Texts>,
}

impl Replay<'_> {
    /// Runs the capture all but once without printing; what that cost.
    fn measure(&mut self, terminal: &mut Terminal) -> Result<Option<Measured>> {
        let runs = self.args.repeat - 1;
        if runs == 0 {
            return Ok(None);
        }
        let mut total_ns = 0;
        let mut engine = engine::make(self.ruleset, self.args.engine, self.args.plan, terminal);
        for _ in 0..runs {
            let mut datapath = self.datapath(engine, Box::new(Silent), false)?;
            let frames: Vec<_> = self
                .capture
                .frames
                .iter()
                .map(|captured| captured.frame.clone())
                .collect();
            let mut out = Vec::new();
            let mut now = Instant::default();
            let watch = Stopwatch::start();
            for ((captured, port), frame) in self
                .capture
                .frames
                .iter()
                .zip(self.ports_of_frames())
                .zip(frames)
            {
                now = now.max(captured.time);
                if datapath.poll_timeout().is_some_and(|due| due <= now) {
                    datapath.handle_timeout(now, &mut out);
                }
                datapath.handle_frame(now, port, frame, &mut out);
                out.clear();
            }
            total_ns += watch.elapsed_ns();
            engine = datapath.set_engine(Box::new(engine::Nothing));
        }
        Ok(Some(Measured {
            total_ns,
            packets: self.capture.frames.len() as u64 * u64::from(runs),
        }))
    }

    /// Runs the capture and prints every frame; with what comes of it, whether the files of frames could be written.
    fn print(&mut self, terminal: &mut Terminal) -> Result<(Datapath, Result<()>)> {
        let groups = self.args.log_dir.as_ref().map(|_| self.groups());
        let deeds = Watch::new(groups.transpose()?);
        let engine = if self.args.trace {
            engine::tracing(self.ruleset)
        } else {
            engine::make(self.ruleset, self.args.engine, self.args.plan, terminal)
        };
        let mut datapath = self.datapath(engine, Box::new(deeds.clone()), self.args.stats)?;
        let setting = output::replay::Setting {
            ruleset: self.ruleset,
            texts: self.texts,
            site: self.site,
            start: self.capture.start(),
        };
        let mut printer = Printer::new(self.args, self.site, setting)?;
        let mut now = Instant::default();
        for ((number, captured), port) in
            (1..).zip(&self.capture.frames).zip(self.ports_of_frames())
        {
            now = now.max(captured.time);
            while let Some(due) = datapath.poll_timeout().filter(|due| *due <= now) {
                let mut out: Vec<OutFrame> = Vec::new();
                datapath.handle_timeout(due, &mut out);
                printer.timer(terminal, due, &out)?;
                if datapath.poll_timeout() == Some(due) {
                    break;
                }
            }
            let mut out = Vec::new();
            let report = datapath.handle_frame(now, port, captured.frame.clone(), &mut out);
            let deeds = deeds.take();
            for line in &deeds.log {
                terminal.note(line);
            }
            printer.frame(
                terminal,
                number,
                captured,
                port,
                &report,
                &out,
                self.args.trace.then_some(deeds.visits.as_slice()),
            )?;
        }
        let written = printer.finish();
        Ok((datapath, written.and(self.write_groups(&deeds))))
    }

    fn write_groups(&self, deeds: &Watch) -> Result<()> {
        if let (Some(folder), Some(groups)) = (&self.args.log_dir, deeds.take_groups()) {
            for (group, bytes) in groups.finish()? {
                output::file::write(&output::groups::path(folder, group), &bytes)?;
            }
        }
        Ok(())
    }

    /// What log groups write, to memory: files are written at the end, whole or not at all.
    fn groups(&self) -> Result<Groups<Vec<u8>>> {
        Groups::new(self.ruleset, self.site, |_| Ok(Vec::new()))
    }

    fn ports_of_frames(&self) -> impl Iterator<Item = PortId> {
        self.capture.frames.iter().map(|captured| {
            self.ports
                .get(captured.interface as usize)
                .copied()
                .unwrap_or(PortId(0))
        })
    }

    fn datapath(
        &self,
        engine: Box<dyn Engine + Send>,
        observer: Box<dyn Observer>,
        profile: bool,
    ) -> Result<Datapath> {
        let settings = Settings {
            site: self.site.clone(),
            checksums: match self.args.checksums {
                args::Checksums::Verify => Checksums::Verify,
                args::Checksums::Ignore => Checksums::Ignore,
            },
            profile,
            trace: self.args.trace,
            ..Settings::default()
        };
        Ok(Datapath::new(
            self.ruleset.clone(),
            engine,
            observer,
            settings,
        )?)
    }
}
