//! A test's results for people: of lines that failed, the packet's way through the rules, once for each way in which they did.

use std::io::{self, Write as _};

use super::Tested;
use crate::output::terminal::{Style, Terminal};
use crate::output::way::text::{self as way, Room, SCREEN};

/// Lines of the first way that is shown, so that it and what stands around it fit a screen.
const FIRST: usize = SCREEN - 6;

/// Lines of every other.
const LATER: usize = 14;

/// Prints a test's results.
pub(crate) fn print(terminal: &mut Terminal, tested: &Tested<'_>) -> io::Result<()> {
    let mut told: Vec<&str> = Vec::new();
    for failed in &tested.failures {
        let failure = failed.failure;
        let is_told = told.contains(&failure.message.as_str());
        writeln!(
            terminal,
            "{}:{}: {} {}\n      {}{}",
            tested.name,
            failure.line,
            terminal.paint(Style::Bad, "FAILED"),
            failure.text,
            failure.message,
            if is_told { ", as above" } else { "" }
        )?;
        if is_told {
            continue;
        }
        let room = Room {
            lines: Some(if told.is_empty() { FIRST } else { LATER }),
            color: terminal.out_color,
            indent: 6,
        };
        told.push(&failure.message);
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
