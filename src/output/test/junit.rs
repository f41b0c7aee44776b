//! A test's results in `JUnit`'s XML: a suite a file, a case a packet.

use std::io::{self, Write};

use super::{Failed, Tested};
use crate::output::way::text::{self as way, Room, SCREEN};
use crate::scenario::Step;

/// Begins the document.
pub(crate) fn start(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>"
    )
}

/// Ends the document.
pub(crate) fn end(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "</testsuites>")
}

/// Prints a file's suite.
pub(crate) fn print(out: &mut impl Write, tested: &Tested<'_>) -> io::Result<()> {
    let name = escaped(tested.name);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">",
        tested.sent,
        tested.failures.len()
    )?;
    for line in tested.lines {
        if !matches!(line.step, Step::Send { .. }) {
            continue;
        }
        write!(
            out,
            "    <testcase classname=\"{name}\" name=\"line {}: {}\"",
            line.number,
            escaped(&line.text)
        )?;
        let failed = (tested.failures.iter()).find(|failed| failed.failure.line == line.number);
        match failed {
            None => writeln!(out, "/>")?,
            Some(failed) => {
                writeln!(
                    out,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    escaped(&failed.failure.message),
                    escaped(&text(tested, failed)?)
                )?;
            }
        }
    }
    writeln!(out, "  </testsuite>")
}

/// The packet's way as text.
fn text(tested: &Tested<'_>, failed: &Failed<'_>) -> io::Result<String> {
    let room = Room {
        lines: Some(SCREEN),
        color: false,
        indent: 0,
    };
    let mut text = Vec::new();
    if let Some(setting) = &tested.setting {
        failed
            .with_way(|packet| way::print(&mut text, setting, packet, room))
            .transpose()?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Text for XML: what it cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}
