//! A replay in sum: how many frames each rule or policy decided about, and what became of each connection.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;

use redan_runtime::{Reason, Report, Verdict};
use serde_json::json;

use super::Setting;
use crate::output::decision;
use crate::output::summary::Summary;

/// Most connections that are told apart; a capture of a scan has millions.
const MOST: usize = 10_000;

/// The sums.
#[derive(Default)]
pub(crate) struct Tally {
    deciders: HashMap<(Verdict, String), Sum>,
    connections: HashMap<Ends, Connection>,
    /// Frames of connections beyond those.
    beyond: u64,
    frames: u64,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    frames: u64,
    bytes: u64,
}

impl Sum {
    const fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes as u64;
    }
}

/// A connection's protocol and ends, the lesser first.
type Ends = (String, (IpAddr, u16), (IpAddr, u16));

struct Connection {
    first: u64,
    /// As its first frame went.
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    sum: Sum,
    verdicts: [u64; Verdict::ALL.len()],
    last: String,
}

impl Tally {
    /// Counts a frame.
    pub(crate) fn count(
        &mut self,
        setting: &Setting<'_>,
        number: u64,
        frame: &[u8],
        report: &Report,
    ) {
        self.frames += 1;
        let who = decision::describe(setting.ruleset, report);
        let decider = (report.verdict, who.clone());
        self.deciders.entry(decider).or_default().add(frame.len());
        if report.reason == Some(Reason::Copy) {
            return;
        }
        let summary = Summary::of(frame);
        let Some((src, dst)) = summary.addresses else {
            return;
        };
        let (sport, dport) = summary.ports.unwrap_or_default();
        let (from, to) = ((src, sport), (dst, dport));
        let ends = (summary.protocol, from.min(to), from.max(to));
        if self.connections.len() >= MOST && !self.connections.contains_key(&ends) {
            self.beyond += 1;
            return;
        }
        let connection = self.connections.entry(ends).or_insert_with(|| Connection {
            first: number,
            from,
            to,
            sum: Sum::default(),
            verdicts: [0; Verdict::ALL.len()],
            last: String::new(),
        });
        connection.sum.add(frame.len());
        connection.last = who;
        if let Some(count) = connection.verdicts.get_mut(report.verdict as usize) {
            *count += 1;
        }
    }

    fn deciders(&self) -> Vec<(&(Verdict, String), &Sum)> {
        let mut all: Vec<_> = self.deciders.iter().collect();
        all.sort_by(|a, b| (b.1.frames, a.0).cmp(&(a.1.frames, b.0)));
        all
    }

    fn connections(&self) -> Vec<(&Ends, &Connection)> {
        let mut all: Vec<_> = self.connections.iter().collect();
        all.sort_by_key(|(_, connection)| connection.first);
        all
    }

    /// Prints it for people, in lines of at most so many columns.
    pub(crate) fn text(&self, out: &mut impl Write, columns: usize) -> io::Result<()> {
        let mut line = |text: String| writeln!(out, "{}", decision::cut(&text, columns));
        line(format!(
            "{:>9} {:>12} {:<7} {}",
            "FRAMES", "BYTES", "VERDICT", "DECIDED BY"
        ))?;
        for ((verdict, who), sum) in self.deciders() {
            line(format!(
                "{:>9} {:>12} {:<7} {who}",
                sum.frames,
                sum.bytes,
                verdict.name()
            ))?;
        }
        line(String::new())?;
        line(format!(
            "{:>9} {:>12} {:<17} {}",
            "FRAMES", "BYTES", "BECAME", "CONNECTION"
        ))?;
        for ((protocol, ..), connection) in self.connections() {
            let became: Vec<String> = Verdict::ALL
                .iter()
                .zip(connection.verdicts)
                .filter(|(_, count)| *count > 0)
                .map(|(verdict, count)| format!("{} {count}", verdict.name()))
                .collect();
            line(format!(
                "{:>9} {:>12} {:<17} {protocol} {} > {}, last by {}",
                connection.sum.frames,
                connection.sum.bytes,
                became.join(" "),
                end(connection.from),
                end(connection.to),
                connection.last
            ))?;
        }
        if self.beyond > 0 {
            line(format!(
                "{:>9} frames of connections beyond the first {MOST}",
                self.beyond
            ))?;
        }
        Ok(())
    }

    /// Prints it for programs, as one object.
    pub(crate) fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let deciders: Vec<_> = self
            .deciders()
            .into_iter()
            .map(|((verdict, who), sum)| {
                json!({"verdict": verdict.name(), "decided_by": who, "frames": sum.frames, "bytes": sum.bytes})
            })
            .collect();
        let connections: Vec<_> = self
            .connections()
            .into_iter()
            .map(|((protocol, ..), connection)| {
                let verdicts: serde_json::Map<_, _> = Verdict::ALL
                    .iter()
                    .zip(connection.verdicts)
                    .filter(|(_, count)| *count > 0)
                    .map(|(verdict, count)| (verdict.name().to_owned(), count.into()))
                    .collect();
                json!({
                    "protocol": protocol,
                    "saddr": connection.from.0.to_string(), "sport": connection.from.1,
                    "daddr": connection.to.0.to_string(), "dport": connection.to.1,
                    "first": connection.first, "frames": connection.sum.frames, "bytes": connection.sum.bytes,
                    "verdicts": verdicts, "last_by": connection.last,
                })
            })
            .collect();
        let whole = json!({
            "schema": 1, "frames": self.frames, "deciders": deciders, "connections": connections, "frames_beyond": self.beyond,
        });
        writeln!(out, "{whole}")
    }
}

/// An end as the rule language's neighbours write it; no port where there is none.
fn end((address, port): (IpAddr, u16)) -> String {
    if port == 0 {
        address.to_string()
    } else {
        std::net::SocketAddr::new(address, port).to_string()
    }
}
