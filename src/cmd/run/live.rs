//! A ruleset on the TAPs that a site names.

use std::fmt::Write as _;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use redan_jit::{Jit, JitError};
use redan_runtime::driver::live::{self, Watcher};
use redan_runtime::driver::tap::Tap;
use redan_runtime::frame::Takes;
use redan_runtime::{Datapath, LogEntry, Observer, Reason, Settings, Site, Verdict};
use redan_vm::Ruleset;
use redan_vm::instr::Instr;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

use super::privileges;
use crate::args::{EngineName, OnOff, RunArgs};
use crate::exit::Exit;
use crate::output::decision;
use crate::output::groups::{self, Groups};
use crate::output::terminal::Terminal;
use crate::{engine, ruleset, site};

/// Runs until a signal or the time that was asked for.
pub(super) fn run(args: &RunArgs, site: &Path, terminal: &mut Terminal) -> Result<Exit> {
    if args.control.is_some() {
        bail!("--control is not supported yet; leave it out");
    }
    let site = site::read(site)?;
    let Some(ruleset) = ruleset::load(&args.rules, &args.reading, &site, terminal)? else {
        return Ok(Exit::Findings);
    };
    let signals = Signals::register().context("cannot catch signals")?;
    let mut taps = open(&site)?;
    // Files that only this user may make, too.
    let log = Log::new(args.log_dir.as_deref(), &ruleset, &site)?;
    if let Some(note) = privileges::drop_to(args.user.as_deref())? {
        terminal.note(&format!("redan: {note}"));
    }
    let settings = Settings {
        site: site.clone(),
        live: true,
        takes: taken(&taps),
        seed: seed(),
        ..Settings::default()
    };
    let engine = engine::interpreter(&ruleset, OnOff::On);
    let mut datapath = Datapath::new(ruleset.clone(), engine, Box::new(log), settings)?;
    terminal.note(&format!("redan: running on {}", names(&site)));
    let mut watcher = Overseer {
        print_counters: signals.counters.clone(),
        hung_up: signals.hung_up.clone(),
        jit: compile(args.engine, ruleset),
        terminal,
    };
    let limit = args.seconds.map(Duration::from_secs);
    live::run(&mut datapath, &mut taps, &signals.stop, limit, &mut watcher)
        .context("a TAP failed")?;
    watcher.terminal.raw_note(&counters(&datapath));
    Ok(Exit::Fine)
}

fn open(site: &Site) -> Result<Vec<Tap>> {
    let taps = site.ports.iter().map(|port| {
        Tap::open(port.tap_name()).with_context(|| format!("cannot open the port {}", port.name))
    });
    taps.collect()
}

/// What every TAP finishes.
fn taken(taps: &[Tap]) -> Takes {
    let all = Takes {
        partial: true,
        tcp: true,
        udp: true,
    };
    taps.iter().fold(all, |all, tap| all.and(tap.takes()))
}

fn names(site: &Site) -> String {
    site.ports
        .iter()
        .map(redan_runtime::Port::tap_name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A number that nobody can guess, from the keys that the standard library takes from the system.
fn seed() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// Flags that signals set.
struct Signals {
    stop: Arc<AtomicBool>,
    counters: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
}

impl Signals {
    fn register() -> std::io::Result<Self> {
        let signals = Self {
            stop: Arc::default(),
            counters: Arc::default(),
            hung_up: Arc::default(),
        };
        for signal in [SIGINT, SIGTERM] {
            // A second one ends the program at once, should the loop ever hang.
            signal_hook::flag::register_conditional_shutdown(signal, 1, signals.stop.clone())?;
            signal_hook::flag::register(signal, signals.stop.clone())?;
        }
        signal_hook::flag::register(SIGUSR1, signals.counters.clone())?;
        signal_hook::flag::register(SIGHUP, signals.hung_up.clone())?;
        Ok(signals)
    }
}

/// Makes native code beside the packet thread; the interpreter works meanwhile.
fn compile(engine: EngineName, ruleset: Arc<Ruleset>) -> Option<Receiver<Result<Jit, JitError>>> {
    match engine {
        EngineName::Interp => None,
        EngineName::Jit => {
            let (sender, receiver) = channel();
            std::thread::spawn(move || _ = sender.send(Jit::compile(ruleset)));
            Some(receiver)
        }
    }
}

/// Log lines of rules go to stderr, packets of log groups to their files.
struct Log {
    groups: Option<Groups<BufWriter<File>>>,
}

impl Log {
    fn new(folder: Option<&Path>, ruleset: &Ruleset, site: &Site) -> Result<Self> {
        let groups = folder
            .map(|folder| Groups::new(ruleset, site, |group| groups::create(folder, group)))
            .transpose()?;
        let mut log = Self { groups };
        if let Some(groups) = &mut log.groups {
            groups.flush().context("cannot write a log group's file")?;
        }
        Ok(log)
    }

    /// Whether a file has taken the packet.
    fn keep(&mut self, entry: &LogEntry<'_>) -> std::io::Result<bool> {
        let Some(groups) = &mut self.groups else {
            return Ok(false);
        };
        let is_kept = groups.write(entry)?;
        groups.flush()?;
        Ok(is_kept)
    }
}

impl Observer for Log {
    fn log(&mut self, entry: &LogEntry<'_>) {
        use std::io::Write as _;
        // A full disk: the line is better than nothing.
        if !self.keep(entry).unwrap_or(false) {
            _ = writeln!(std::io::stderr(), "{entry}");
        }
    }
}

/// Looks after the loop between batches.
struct Overseer<'a> {
    print_counters: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
    jit: Option<Receiver<Result<Jit, JitError>>>,
    terminal: &'a mut Terminal,
}

impl Watcher for Overseer<'_> {
    fn tick(&mut self, datapath: &mut Datapath) {
        if self.print_counters.swap(false, Ordering::Relaxed) {
            self.terminal.raw_note(&counters(datapath));
        }
        if self.hung_up.swap(false, Ordering::Relaxed) {
            self.terminal.note(
                "redan: SIGHUP: rules are not reloaded yet, the ones that were loaded go on; end redan and start it anew to change them",
            );
        }
        let Some(compiled) = self.jit.as_ref().and_then(|jit| jit.try_recv().ok()) else {
            return;
        };
        self.jit = None;
        match compiled {
            Ok(jit) => drop(datapath.set_engine(Box::new(jit))),
            Err(error) => self.terminal.warning(&format!(
                "no native code ({error}); the interpreter runs the rules"
            )),
        }
    }
}

/// `key value` lines: frames by verdict, drops by reason, connections with the kernel's counters of them, rules with a counter.
fn counters(datapath: &Datapath) -> String {
    let counters = datapath.counters();
    let mut text = format!("packets {}\n", counters.packets());
    for verdict in Verdict::ALL {
        _ = writeln!(
            text,
            "verdict_{} {}",
            verdict.name(),
            counters.verdict(*verdict)
        );
    }
    for reason in Reason::ALL
        .iter()
        .filter(|reason| counters.dropped(**reason) > 0)
    {
        _ = writeln!(text, "drop_{} {}", reason.name(), counters.dropped(*reason));
    }
    if let Some(conntrack) = datapath.conntrack() {
        _ = writeln!(text, "connections {}", conntrack.count());
        let counters = conntrack.stats().counters();
        for (name, value) in counters.filter(|(_, value)| *value > 0) {
            _ = writeln!(text, "conntrack_{name} {value}");
        }
    }
    let ruleset = datapath.ruleset();
    for (id, rule) in (0..).map(redan_vm::ids::RuleId).zip(&ruleset.rules) {
        for instruction in &rule.code {
            if let Instr::Counter { state } = instruction
                && let Some(counter) = datapath.state().counter(*state)
            {
                let place = decision::rule(ruleset, id);
                _ = writeln!(
                    text,
                    "counter {place} packets {} bytes {}",
                    counter.packets, counter.bytes
                );
            }
        }
    }
    text
}
