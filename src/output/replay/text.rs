//! One line a frame, for people: number, time since the first frame, port, what the frame is, what became of it, who decided and why.

use std::fmt::Write as _;
use std::io::{self, Write};

use redan_runtime::{OutFrame, Report, Verdict};
use redan_vm::Instant;

use super::{Event, Setting, port_name};
use crate::output::terminal::{Style, paint};
use crate::output::{decision, summary};

/// Prints a frame that came in, and under it the rules that it visited and frames that are not its own.
pub(crate) fn event(
    out: &mut impl Write,
    color: bool,
    setting: &Setting<'_>,
    event: &Event<'_>,
) -> io::Result<()> {
    let verdict = event.report.verdict;
    writeln!(
        out,
        "{} {} {:<6} {} {}  {}{}",
        paint(color, Style::Faint, &format!("{:>6}", event.number)),
        paint(color, Style::Faint, &time(setting, event.time)),
        event.port,
        paint(color, style(verdict), &format!("{:<6}", verdict.name())),
        summary::of_frame(event.frame),
        paint(color, Style::Faint, "by "),
        why(setting, event.report),
    )?;
    for visit in event.visits.unwrap_or(&[]) {
        let did = if visit.held() {
            paint(color, Style::Notable, "matches")
        } else {
            paint(color, Style::Faint, "no     ")
        };
        let failed = setting
            .texts
            .and_then(|texts| texts.failed(setting.ruleset, &visit.visit))
            .map(|failed| format!(": {}: {}", failed.text, failed.because));
        writeln!(
            out,
            "         {:<11} {did} {}{}",
            visit.hook.word(),
            decision::rule(setting.ruleset, visit.visit.rule),
            failed.unwrap_or_default()
        )?;
    }
    // The frame itself, forwarded, need not be said again.
    let own = usize::from(verdict == Verdict::Accept);
    frames(out, color, setting, event.out.get(own..).unwrap_or(&[]))
}

/// Prints frames that a timer sent.
pub(crate) fn timer(
    out: &mut impl Write,
    color: bool,
    setting: &Setting<'_>,
    at: Instant,
    sent: &[OutFrame],
) -> io::Result<()> {
    writeln!(
        out,
        "{} {} timer",
        paint(color, Style::Faint, "     -"),
        paint(color, Style::Faint, &time(setting, at))
    )?;
    frames(out, color, setting, sent)
}

fn frames(
    out: &mut impl Write,
    color: bool,
    setting: &Setting<'_>,
    sent: &[OutFrame],
) -> io::Result<()> {
    for frame in sent {
        let arrow = paint(color, Style::Faint, "       sends");
        writeln!(
            out,
            "{arrow} {} {}",
            port_name(setting.site, frame),
            summary::of_frame(&frame.bytes)
        )?;
    }
    Ok(())
}

/// Who decided, and what conntrack made of the frame.
fn why(setting: &Setting<'_>, report: &Report) -> String {
    let mut text = decision::describe(setting.ruleset, report);
    if let Some(ct) = report.ct {
        _ = write!(text, ", ct {}", ct.state);
        if let Some(direction) = ct.direction {
            _ = write!(
                text,
                " {}",
                redan_runtime::datapath::direction_name(direction)
            );
        }
        if let Some(reason) = ct.reason {
            _ = write!(text, " ({reason})");
        }
    }
    text
}

fn time(setting: &Setting<'_>, time: Instant) -> String {
    let since = time.since(setting.start);
    format!("{:>4}.{:06}", since.as_secs(), since.subsec_micros())
}

const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Accept | Verdict::Local => Style::Good,
        Verdict::Drop | Verdict::Reject => Style::Bad,
        Verdict::Held | Verdict::Queue => Style::Notable,
        Verdict::Other => Style::Faint,
    }
}
