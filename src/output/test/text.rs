//! A test's results for people: of each line that failed, the packet's way through the rules.

use std::io::{self, Write as _};

use super::Tested;
use crate::output::terminal::{Style, Terminal};
use crate::output::way::text::{self as way, Room, SCREEN};

/// Lines of one packet's way, however many fail.
const LEAST: usize = 10;

/// Prints a test's results.
pub(crate) fn print(terminal: &mut Terminal, tested: &Tested<'_>) -> io::Result<()> {
    let lines = (SCREEN / tested.failures.len().max(1)).max(LEAST);
    for failed in &tested.failures {
        let failure = failed.failure;
        writeln!(
            terminal,
            "{}:{}: {} {}\n      {}",
            tested.name,
            failure.line,
            terminal.paint(Style::Bad, "FAILED"),
            failure.text,
            failure.message
        )?;
        let room = Room {
            lines: Some(lines),
            color: terminal.out_color,
            indent: 6,
        };
        if let Some(setting) = &tested.setting {
            failed
                .with_way(|packet| way::print(terminal, setting, packet, room))
                .transpose()?;
        }
    }
    let verdict = if tested.failures.is_empty() {
        terminal.paint(Style::Good, "ok")
    } else {
        terminal.paint(Style::Bad, "FAILED")
    };
    writeln!(
        terminal,
        "{}: {verdict}, {} of {} as expected",
        tested.name,
        tested.sent - tested.failures.len(),
        tested.sent
    )
}
