//! Where a replay's results go: stdout, the file of frames, and at the end counters, connections and figures.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use redan_runtime::driver::capture::CaptureWriter;
use redan_runtime::{Datapath, OutFrame, Site, Verdict};
use redan_vm::ids::StateId;
use redan_vm::instr::{Instr, ObjectKind};
use redan_vm::ruleset::Object;
use redan_vm::{Instant, Ruleset};
use serde_json::{Value, json};

use super::{ReplayArgs, ReplayFormat};
use crate::output::file::{self, Pending};
use crate::output::replay::tally::Tally;
use crate::output::replay::{Event, Setting, json as json_lines, text};
use crate::output::terminal::Terminal;
use crate::output::{connections, decision, sets};

/// Prints frames and writes those that came out.
pub(super) struct Printer<'a> {
    args: &'a ReplayArgs,
    setting: Setting<'a>,
    /// A file that cannot be written is said at the end: it does not cost the others.
    writer: Option<Result<CaptureWriter<Pending>>>,
    /// Whether stdout is for frames, and not for a file.
    prints: bool,
    tally: Option<Tally>,
}

impl<'a> Printer<'a> {
    /// A printer.
    pub(super) fn new(args: &'a ReplayArgs, site: &Site, setting: Setting<'a>) -> Self {
        let names: Vec<String> = site.ports.iter().map(|port| port.name.clone()).collect();
        let open = |path: &Path| Ok(CaptureWriter::new(Pending::create(path)?, &names)?);
        Self {
            args,
            setting,
            writer: args.write.as_deref().map(open),
            prints: args.prints() && !args.summary,
            tally: args.summary.then(Tally::default),
        }
    }

    /// A frame that came in, and whether it is one of those that are to be printed.
    pub(super) fn frame(
        &mut self,
        terminal: &mut Terminal,
        event: &Event<'_>,
        is_wanted: bool,
    ) -> Result<()> {
        if let Some(tally) = self.tally.as_mut().filter(|_| is_wanted) {
            tally.count(&self.setting, event.number, event.frame, event.report);
        }
        if self.prints && is_wanted {
            let color = terminal.out_color;
            match self.args.format {
                ReplayFormat::Text => text::event(terminal, color, &self.setting, event)?,
                ReplayFormat::Json => json_lines::event(terminal, &self.setting, event)?,
            }
        }
        self.keep(event.time, event.out);
        Ok(())
    }

    /// Frames that a timer sent; often there are none.
    pub(super) fn timer(
        &mut self,
        terminal: &mut Terminal,
        time: Instant,
        out: &[OutFrame],
    ) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        if self.prints && self.args.only.is_none() {
            let color = terminal.out_color;
            match self.args.format {
                ReplayFormat::Text => text::timer(terminal, color, &self.setting, time, out)?,
                ReplayFormat::Json => json_lines::timer(terminal, &self.setting, time, out)?,
            }
        }
        self.keep(time, out);
        Ok(())
    }

    fn keep(&mut self, time: Instant, out: &[OutFrame]) {
        let Some(Ok(writer)) = &mut self.writer else {
            return;
        };
        let written = out
            .iter()
            .try_for_each(|frame| writer.write(time, u32::from(frame.port.0), &frame.bytes));
        if let Err(error) = written {
            self.writer = Some(Err(error.into()));
        }
    }

    /// Prints sums, where they are wanted, and ends the file of frames.
    pub(super) fn finish(self, terminal: &mut Terminal) -> Result<()> {
        if let Some(tally) = self.tally.filter(|_| self.args.prints()) {
            let columns = if self.args.verbose {
                usize::MAX
            } else {
                text::COLUMNS
            };
            match self.args.format {
                ReplayFormat::Text => tally.text(terminal, columns)?,
                ReplayFormat::Json => tally.json(terminal)?,
            }
        }
        match self.writer {
            Some(writer) => writer?.finish()?.commit(),
            None => Ok(()),
        }
    }
}

/// Writes the files of counters, connections and sets.
pub(super) fn write_files(args: &ReplayArgs, datapath: &Datapath, end: Instant) -> Result<()> {
    let counted = args.counters.as_ref().map_or(Ok(()), |path| {
        let mut text = serde_json::to_vec(&counters(datapath))?;
        text.push(b'\n');
        file::write(path, &text)
    });
    let connected = args.conntrack.as_ref().map_or(Ok(()), |path| {
        file::write(path, connections::table(datapath, end).as_bytes())
    });
    let listed = args.sets.as_ref().map_or(Ok(()), |path| {
        file::write(path, sets::list(datapath, end).as_bytes())
    });
    counted.and(connected).and(listed)
}

/// Every counter of a rule, in order of the rules, then every named one.
fn counters(datapath: &Datapath) -> Vec<Value> {
    let ruleset = datapath.ruleset();
    let mut all = Vec::new();
    for rule in &ruleset.rules {
        let Some([family, table, chain]) = decision::chain(ruleset, rule.chain) else {
            continue;
        };
        if ruleset
            .chains
            .get(rule.chain.index())
            .is_some_and(|chain| chain.deleted)
        {
            continue;
        }
        let own = rule.code.iter().filter_map(counter_of);
        all.extend(own.map(|state| {
            let (packets, bytes) = value(datapath, state);
            let file = decision::file(ruleset, rule.origin.file);
            json!({
                "family": family, "table": table, "chain": chain, "file": file, "line": rule.origin.line,
                "packets": packets, "bytes": bytes,
            })
        }));
    }
    let named = |object: &&Object| object.kind == ObjectKind::Counter && !object.deleted;
    all.extend(ruleset.objects.iter().filter(named).map(|object| {
        let (packets, bytes) = value(datapath, object.state);
        let (family, table) = table_of(ruleset, object.table.index());
        json!({
            "family": family, "table": table, "chain": null, "file": null, "line": null, "name": object.name,
            "packets": packets, "bytes": bytes,
        })
    }));
    all
}

/// The counter that an instruction counts in, when it is the rule's own.
fn counter_of(instruction: &Instr) -> Option<StateId> {
    if let Instr::Counter { state } = instruction {
        Some(*state)
    } else {
        None
    }
}

fn table_of(ruleset: &Ruleset, index: usize) -> (&str, &str) {
    ruleset
        .tables
        .get(index)
        .map_or(("", ""), |table| (table.family.word(), &table.name))
}

fn value(datapath: &Datapath, state: StateId) -> (u64, u64) {
    datapath
        .state()
        .counter(state)
        .map_or((0, 0), |counter| (counter.packets, counter.bytes))
}

/// What the runs that were not printed cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Nanoseconds.
    pub(super) total_ns: u64,
    /// Frames.
    pub(super) packets: u64,
}

/// `key value` lines. The total is that of the runs without measuring points where there were any (`--repeat`); the phases are the printed
/// run's, each with the cost of two looks at the clock.
pub(super) fn stats(datapath: &Datapath, measured: Option<Measured>) -> String {
    let counters = datapath.counters();
    let packets = counters.packets();
    let profile = datapath.profile();
    let mut text = format!("packets {packets}\n");
    for verdict in Verdict::ALL {
        _ = writeln!(
            text,
            "verdict_{} {}",
            verdict.name(),
            counters.verdict(*verdict)
        );
    }
    let total = measured.unwrap_or(Measured {
        total_ns: profile.total_ns,
        packets,
    });
    for (name, ns, packets) in [
        ("total", total.total_ns, total.packets),
        ("dissect", profile.dissect_ns, packets),
        ("conntrack", profile.conntrack_ns, packets),
        ("rules", profile.rules_ns, packets),
    ] {
        let tenths = ns.saturating_mul(10).checked_div(packets).unwrap_or(0);
        _ = writeln!(text, "ns_per_packet_{name} {}.{}", tenths / 10, tenths % 10);
    }
    text
}
