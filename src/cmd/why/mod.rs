//! `redan why`: a packet's whole way through a ruleset.

mod capture;

use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Result, bail};
use redan_runtime::{Datapath, Settings, Site};
use redan_vm::Ruleset;

use crate::args::{WhyArgs, WhyFormat};
use crate::exit::Exit;
use crate::output::terminal::{Style, Terminal};
use crate::output::way::text::{Room, SCREEN};
use crate::output::way::{Setting, Way, json, text};
use crate::scenario::{self, Stage, Step};
use crate::site::plausible::{self, Hint};
use crate::way::{Recorder, Texts};
use crate::{engine, input, ruleset, site};

/// A packet for which fewer lines than these are left is not shown shorter.
const LEAST_LINES: usize = 12;

/// Runs the command.
pub(crate) fn run(args: &WhyArgs, terminal: &mut Terminal) -> Result<Exit> {
    let steps = read(&args.packets)?;
    if input::is_stdin(&args.rules) && args.from.as_deref().is_some_and(input::is_stdin) {
        bail!("rules and capture cannot both come from stdin; name a file for one of them");
    }
    if let (Some(path), Some(number)) = (&args.from, args.packet) {
        return capture::run(args, path, number, terminal);
    }
    let given = args.site.as_deref().map(site::read).transpose()?;
    let names = match &given {
        Some(site) => site.ports.iter().map(|port| port.name.clone()).collect(),
        None => plausible::ports(&hints(&steps)),
    };
    let loaded = ruleset::load_traced(&args.rules, &args.reading, names, terminal)?;
    let Some((ruleset, texts)) = loaded else {
        return Ok(Exit::Findings);
    };
    let why = Why {
        args,
        ruleset,
        texts,
    };
    why.packets(given, &steps, terminal)
}

/// The packets, each with its text.
fn read(packets: &[String]) -> Result<Vec<(String, Step)>> {
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    for text in packets {
        match scenario::one(text) {
            Ok(step) => steps.push((text.trim().to_owned(), step)),
            Err(fault) => faults.push(format!(
                "{}\n    {text}\n    {}{}",
                fault.message,
                " ".repeat(fault.column - 1),
                "^".repeat(fault.len)
            )),
        }
    }
    if faults.is_empty() {
        return Ok(steps);
    }
    bail!("{}", faults.join("\n"))
}

/// What is asked, and of which rules.
struct Why<'a> {
    args: &'a WhyArgs,
    ruleset: Arc<Ruleset>,
    texts: Texts,
}

impl Why<'_> {
    fn datapath(&self, settings: Settings, recorder: &Recorder) -> Result<Datapath> {
        let settings = Settings {
            trace: true,
            ..settings
        };
        let engine = engine::tracing(&self.ruleset);
        let observer = Box::new(recorder.clone());
        Ok(Datapath::new(
            self.ruleset.clone(),
            engine,
            observer,
            settings,
        )?)
    }

    fn print(
        &self,
        site: &Site,
        way: &Way<'_>,
        lines: usize,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let setting = Setting {
            ruleset: &self.ruleset,
            texts: &self.texts,
            site,
        };
        match self.args.format {
            WhyFormat::Text => {
                let room = Room {
                    lines: (!self.args.verbose).then_some(lines),
                    color: terminal.out_color,
                    indent: 0,
                };
                text::print(terminal, &setting, way, room)?;
            }
            WhyFormat::Json => writeln!(terminal, "{}", json::object(&setting, way))?,
        }
        Ok(())
    }

    /// A conversation.
    fn packets(
        &self,
        given: Option<Site>,
        steps: &[(String, Step)],
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        let local = own_addresses(self.args, steps);
        let is_made = given.is_none();
        let site = plausible::given_or_made(given, &self.ruleset, &hints(steps), &local);
        if is_made {
            terminal.note(&plausible::describe(&site));
        }
        let recorder = Recorder::default();
        let settings = Settings {
            site: site.clone(),
            ..Settings::default()
        };
        let datapath = self.datapath(settings, &recorder)?;
        let mut stage = Stage::new(datapath, recorder);
        let packets = steps
            .iter()
            .filter(|(_, step)| matches!(step, Step::Send { .. }))
            .count();
        let lines = (SCREEN / packets.max(1)).max(LEAST_LINES);
        let mut exit = Exit::Fine;
        let mut is_first = true;
        for (said, step) in steps {
            let Some(sent) = stage.step(step) else {
                continue;
            };
            let played = match sent {
                Ok(played) => played,
                Err(message) => bail!("`{said}`: {message}"),
            };
            let packet = format!("{} {}", scenario::words_of(&played.spec), played.way);
            let way = Way {
                packet: &packet,
                steps: &played.steps,
                report: &played.report,
                out: &played.out,
            };
            if !std::mem::take(&mut is_first) && self.args.format == WhyFormat::Text {
                writeln!(terminal)?;
            }
            self.print(&site, &way, lines, terminal)?;
            let differs = step
                .expected()
                .and_then(|expected| scenario::difference(&self.ruleset, &played, expected));
            if let Some(message) = differs {
                let word = terminal.paint(Style::Bad, "not as expected");
                writeln!(terminal, "{word}: {message}")?;
                exit = Exit::Findings;
            }
        }
        Ok(exit)
    }
}

/// Addresses that are the machine's own.
fn own_addresses(args: &WhyArgs, steps: &[(String, Step)]) -> Vec<IpAddr> {
    let said = steps.iter().filter_map(|(_, step)| step.local());
    args.local.iter().copied().chain(said).collect()
}

/// What a site must take to suit packets.
fn hints(steps: &[(String, Step)]) -> Vec<Hint<'_>> {
    steps.iter().filter_map(|(_, step)| step.hint()).collect()
}
