//! What the sandbox shows at the end: what was tried, what became of it, who decided, and the connection table.

use std::io::Write as _;

use anyhow::Result;
use redan_runtime::Verdict;
use redan_vm::Ruleset;

use super::Tried;
use super::link::{Link, Seen};
use super::protocol::{Outcome, Try};
use crate::output::terminal::{Style, Terminal};
use crate::output::{connections, decision};

/// Prints the tables.
pub(super) fn print(
    terminal: &mut Terminal,
    ruleset: &Ruleset,
    tried: &[Tried],
    link: &Link,
) -> Result<()> {
    let head = format!(
        "{:<31} {:<34} {:<12} {:<12} {}",
        "TRIED", "FROM > TO", "BECAME", "RULES SAY", "DECIDED BY"
    );
    writeln!(terminal, "{}", terminal.paint(Style::Strong, &head))?;
    for row in tried {
        let style = if row.outcome == row.forecast {
            Style::Good
        } else {
            Style::Bad
        };
        let became = terminal.paint(style, &format!("{:<12}", word(row, row.outcome)));
        writeln!(
            terminal,
            "{:<31} {:<34} {became} {:<12} {}",
            row.attempt.title,
            row.attempt.route(),
            word(row, row.forecast),
            decided_by(ruleset, row)
        )?;
    }
    writeln!(terminal)?;
    writeln!(terminal, "{}", terminal.paint(Style::Strong, "CONNECTIONS"))?;
    let now = link.clock.now();
    let connections = connections::table(&link.datapath, now);
    if connections.is_empty() {
        writeln!(terminal, "none")?;
    }
    terminal.write_all(connections.as_bytes())?;
    Ok(())
}

/// What an outcome is called for this kind of try.
const fn word(row: &Tried, outcome: Outcome) -> &'static str {
    match (outcome, row.attempt.what) {
        (Outcome::Through, Try::Stray(_)) => "arrived",
        (Outcome::Nothing, Try::Stray(_)) => "stopped",
        (Outcome::Through, Try::Ping { .. } | Try::Udp { .. } | Try::Tcp { .. }) => "answered",
        (Outcome::Nothing, Try::Ping { .. } | Try::Udp { .. } | Try::Tcp { .. }) => "no answer",
        (Outcome::Refused, _) => "refused",
    }
}

/// The decision on the first frame that was stopped, else on the first one that passed.
fn decided_by(ruleset: &Ruleset, row: &Tried) -> String {
    let own: Vec<&Seen> = row
        .seen
        .iter()
        .filter(|seen| seen.is_between(row.attempt.from, row.attempt.to()))
        .collect();
    let stopped = own
        .iter()
        .find(|seen| seen.report.verdict != Verdict::Accept);
    match stopped.or(own.first()) {
        Some(seen) => {
            let text = decision::describe(ruleset, &seen.report);
            let connection = seen
                .report
                .ct
                .map(|ct| format!(" (ct state {})", ct.state))
                .unwrap_or_default();
            format!("{}: {text}{connection}", seen.report.verdict.name())
        }
        None => "no frame came".to_owned(),
    }
}
