//! `redan replay`: a capture through a ruleset. Time is the capture's, so that the same input always gives the same output.

mod advice;
mod only;
pub(super) mod ports;
mod results;
mod watcher;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use redan_runtime::clock::Stopwatch;
use redan_runtime::driver::capture::order::Numbered;
use redan_runtime::frame::Takes;
use redan_runtime::site::LOOPBACK;
use redan_runtime::{
    Checksums, Datapath, Frame, Observer, OutFrame, PortId, Reason, Report, Settings, Silent, Site,
    Verdict,
};
use redan_vm::{Engine, Instant, Ruleset};

use self::advice::Advice;
use self::only::{Only, Seen};
use self::ports::Ports;
use self::results::{Measured, Printer};
use self::watcher::Watch;
use crate::args::{self, ReplayArgs, ReplayFormat};
use crate::capture::Capture;
use crate::capture::flow::Flow;
use crate::capture::machine::{Fate, Machine, Shown};
use crate::exit::Exit;
use crate::output::file::{self, Pending};
use crate::output::groups::{self, Groups};
use crate::output::replay::{Event, Setting, since};
use crate::output::terminal::Terminal;
use crate::way::Texts;
use crate::{engine, input, ruleset};

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs, terminal: &mut Terminal) -> Result<Exit> {
    if input::is_stdin(&args.rules) && input::is_stdin(&args.capture) {
        bail!("rules and capture cannot both come from stdin; name a file for one of them");
    }
    let mut capture = Capture::open(&args.capture, args.prints() && !args.summary)?;
    let asked = ports::Asked {
        capture: &args.capture,
        site: args.site.as_deref(),
        port: &args.port,
        local: &args.local,
    };
    let (site, mut ports) = ports::assign(&asked, &capture)?;
    let Some((ruleset, texts)) = load(args, &site, terminal)? else {
        return Ok(Exit::Findings);
    };
    keep_apart(args, &ruleset)?;
    let replay = Replay {
        args,
        site: &site,
        ruleset: &ruleset,
        texts: texts.as_ref(),
    };
    let measured = replay.measure(&mut capture, &mut ports, terminal)?;
    let (datapath, advice, written) = replay.print(&mut capture, &mut ports, terminal)?;
    // A file that cannot be written does not cost the others.
    let written = written.and(results::write_files(args, &datapath, capture.end()));
    if args.stats {
        terminal.raw_note(&results::stats(&datapath, measured));
    }
    let exit = capture.close(terminal)?;
    advice.print(&site, &capture.name, &datapath, terminal);
    written.map(|()| exit)
}

/// Refuses to write over anything that is read.
fn keep_apart(args: &ReplayArgs, ruleset: &Ruleset) -> Result<()> {
    let named = [Some(&args.rules), Some(&args.capture), args.site.as_ref()];
    let mut inputs: Vec<&Path> = named.into_iter().flatten().map(AsRef::as_ref).collect();
    inputs.extend(ruleset.files.iter().map(Path::new));
    let logs: Vec<_> = match &args.log_dir {
        Some(folder) => groups::of(ruleset)
            .map(|group| groups::path(folder, group))
            .collect(),
        None => Vec::new(),
    };
    let mut outputs = args.outputs();
    outputs.extend(logs.iter().map(|path| ("--log-dir", path.as_path())));
    file::keep_apart(&outputs, &inputs)
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
    site: &'a Site,
    ruleset: &'a Arc<Ruleset>,
    texts: Option<&'a Texts>,
}

/// A frame whose port and fate are known.
pub(super) struct Placed {
    pub(super) frame: Frame,
    pub(super) port: PortId,
    pub(super) fate: Fate,
    flow: Option<Flow>,
}

impl Replay<'_> {
    /// Runs the capture all but once without printing; what that cost.
    fn measure(
        &self,
        capture: &mut Capture,
        ports: &mut Ports,
        terminal: &mut Terminal,
    ) -> Result<Option<Measured>> {
        let runs = self.args.repeat - 1;
        if runs == 0 {
            return Ok(None);
        }
        let kept = capture.keep()?;
        let mut machine = Machine::new(self.site, self.args.any_mac);
        let mut placed = Vec::with_capacity(kept.len());
        for frame in kept {
            let time = frame.captured.time;
            if let Some(frame) = place(self.site, frame, capture, ports, &mut machine)? {
                placed.push((time, frame));
            }
        }
        let mut total_ns = 0;
        let mut engine = engine::make(self.ruleset, self.args.engine, self.args.plan, terminal);
        for _ in 0..runs {
            let mut datapath = self.datapath(engine, Box::new(Silent), false)?;
            let frames: Vec<_> = placed.iter().map(|(_, p)| p.frame.clone()).collect();
            let mut out = Vec::new();
            let mut now = Instant::default();
            let watch = Stopwatch::start();
            for ((time, placed), frame) in placed.iter().zip(frames) {
                now = now.max(*time);
                if datapath.poll_timeout().is_some_and(|due| due <= now) {
                    datapath.handle_timeout(now, &mut out);
                }
                handle(
                    &mut datapath,
                    now,
                    (placed.port, placed.fate),
                    frame,
                    &mut out,
                );
                out.clear();
            }
            total_ns += watch.elapsed_ns();
            engine = datapath.set_engine(Box::new(engine::Nothing));
        }
        Ok(Some(Measured {
            total_ns,
            packets: placed.len() as u64 * u64::from(runs),
        }))
    }

    /// Runs the capture and prints every frame; with what comes of it, whether the files of frames could be written.
    fn print(
        &self,
        capture: &mut Capture,
        ports: &mut Ports,
        terminal: &mut Terminal,
    ) -> Result<(Datapath, Advice, Result<()>)> {
        // A folder that cannot be written to is said at the end, too.
        let (groups, unwritten) = match self.args.log_dir.as_deref().map(|dir| self.groups(dir)) {
            Some(Ok(groups)) => (Some(groups), Ok(())),
            Some(Err(error)) => (None, Err(error)),
            None => (None, Ok(())),
        };
        let deeds = Watch::new(groups);
        let only = self.args.only.as_deref();
        let mut only = only
            .map(|text| Only::new(text, self.site, terminal))
            .transpose()?;
        let engine = if self.args.trace {
            engine::tracing(self.ruleset)
        } else {
            engine::make(self.ruleset, self.args.engine, self.args.plan, terminal)
        };
        let mut datapath = self.datapath(engine, Box::new(deeds.clone()), self.args.stats)?;
        let setting = Setting {
            ruleset: self.ruleset,
            texts: self.texts,
            site: self.site,
            start: capture.start(),
            everything: self.args.verbose,
        };
        let mut printer = Printer::new(self.args, self.site, setting);
        let mut machine = Machine::new(self.site, self.args.any_mac);
        let mut advice = Advice::default();
        let mut now = Instant::default();
        while let Some(numbered) = capture.next_frame() {
            let (number, time) = (numbered.number, numbered.captured.time);
            now = now.max(time);
            let Some(placed) = place(self.site, numbered, capture, ports, &mut machine)? else {
                advice.left_out += 1;
                continue;
            };
            timers(&mut datapath, now, &mut printer, terminal)?;
            let (port, fate) = (placed.port, placed.fate);
            let mut out = Vec::new();
            let bytes = placed.frame.bytes.clone();
            let report = handle(&mut datapath, now, (port, fate), placed.frame, &mut out);
            machine.answered(now, out.get(own(&report)..).unwrap_or(&[]));
            advice.note(port, fate, placed.flow.as_ref(), &bytes, &report);
            let deeds = deeds.take();
            for line in &deeds.log {
                let at = since(capture.start(), time);
                terminal.note(&format!("{line}  (frame {number} at {at})"));
            }
            let event = Event {
                number,
                time,
                port: self
                    .site
                    .ports
                    .get(port.index())
                    .map_or("", |port| &port.name),
                frame: &bytes,
                copy_of: match fate {
                    Fate::Copy(number) => Some(number),
                    Fate::In | Fate::Sent | Fate::Looped | Fate::Answer | Fate::Elsewhere => None,
                },
                report: &report,
                out: &out,
                visits: self.args.trace.then_some(deeds.visits.as_slice()),
            };
            let seen = Seen {
                now,
                port,
                fate,
                bytes: &bytes,
                report: &report,
            };
            let is_wanted = only.as_mut().is_none_or(|only| only.takes(&seen));
            printer.frame(terminal, &event, is_wanted)?;
        }
        advice.joined = machine.joined;
        let written = printer.finish(terminal).and(unwritten);
        let written = written.and_then(|()| commit(&deeds));
        Ok((datapath, advice, written))
    }

    /// The files of log groups.
    fn groups(&self, folder: &Path) -> Result<Groups<Pending>> {
        Groups::new(self.ruleset, self.site, |group| {
            Pending::create(&groups::path(folder, group))
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
            any_mac: self.args.any_mac,
            // What came joined leaves joined: a frame is one frame in what is printed and written.
            takes: Takes {
                partial: true,
                tcp: true,
                udp: true,
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

/// The port of a frame, and what it was to the machine; `None` for one that takes no part.
pub(super) fn place(
    site: &Site,
    numbered: Numbered,
    capture: &Capture,
    ports: &mut Ports,
    machine: &mut Machine,
) -> Result<Option<Placed>> {
    let captured = numbered.captured;
    let Some(port) = ports.of(captured.interface as usize, capture, site)? else {
        return Ok(None);
    };
    let mut frame = captured.frame;
    let (mut fate, flow) = machine.take(&Shown {
        number: numbered.number,
        time: captured.time,
        port,
        heading: captured.heading,
        made_link: frame.made_link,
        bytes: &frame.bytes,
    });
    if let Some(flow) = &flow {
        machine.mark_joined(&mut frame, port, flow);
    }
    if site
        .ports
        .get(port.index())
        .is_some_and(|port| port.name == LOOPBACK)
    {
        fate = Fate::Looped;
    }
    Ok(Some(Placed {
        frame,
        port,
        fate,
        flow,
    }))
}

/// Puts a frame through the rules as what it was to the machine.
pub(super) fn handle(
    datapath: &mut Datapath,
    now: Instant,
    (port, fate): (PortId, Fate),
    frame: Frame,
    out: &mut Vec<OutFrame>,
) -> Report {
    let other = |reason| Report {
        verdict: Verdict::Other,
        reason: Some(reason),
        decision: None,
        policy: None,
        leaves_by: None,
        ct: None,
    };
    match fate {
        Fate::In => datapath.handle_frame(now, port, frame, out),
        Fate::Sent => datapath.handle_sent(now, port, frame, out),
        Fate::Looped => datapath.handle_looped(now, port, frame, out),
        Fate::Copy(_) | Fate::Answer => other(Reason::Copy),
        Fate::Elsewhere => other(Reason::OtherHost),
    }
}

/// How many of the frames that left are the frame itself.
fn own(report: &Report) -> usize {
    usize::from(report.verdict == Verdict::Accept)
}

/// Does what is due until now.
fn timers(
    datapath: &mut Datapath,
    now: Instant,
    printer: &mut Printer<'_>,
    terminal: &mut Terminal,
) -> Result<()> {
    while let Some(due) = datapath.poll_timeout().filter(|due| *due <= now) {
        let mut out: Vec<OutFrame> = Vec::new();
        datapath.handle_timeout(due, &mut out);
        printer.timer(terminal, due, &out)?;
        if datapath.poll_timeout() == Some(due) {
            break;
        }
    }
    Ok(())
}

/// Puts the files of log groups in their place.
fn commit(deeds: &Watch) -> Result<()> {
    let Some(groups) = deeds.take_groups() else {
        return Ok(());
    };
    groups
        .finish()?
        .into_iter()
        .try_for_each(|(_, file)| file.commit())
}
