//! One line a frame, for people: number, time since the first frame, port, what the frame is, what became of it, who decided and why.

use std::fmt::Write as _;
use std::io::{self, Write};

use redan_runtime::{OutFrame, Reason, Verdict};
use redan_vm::Instant;

use super::{Event, Setting, port_name, since};
use crate::output::terminal::{Style, paint};
use crate::output::{decision, summary};

/// Most columns of a line, unless everything is wanted.
pub(crate) const COLUMNS: usize = 120;

/// Prints a frame that came in, and under it the rules that it visited and frames that are not its own.
pub(crate) fn event(
    out: &mut impl Write,
    color: bool,
    setting: &Setting<'_>,
    event: &Event<'_>,
) -> io::Result<()> {
    let verdict = event.report.verdict;
    let names = setting.site.ports.iter().map(|port| port.name.len());
    let (number, time) = (
        format!("{:>4}", event.number),
        format!("{:>9}", since(setting.start, event.time)),
    );
    let port = format!("{:<width$}", event.port, width = names.max().unwrap_or(0));
    let became = format!("{:<6}", verdict.name());
    let frame = summary::of_frame(event.frame);
    let columns = if setting.everything {
        usize::MAX
    } else {
        let before = [&number, &time, &port, &became, &frame].map(|text| text.chars().count());
        COLUMNS.saturating_sub(before.iter().sum::<usize>() + " ".len() * 4 + "  by ".len())
    };
    writeln!(
        out,
        "{} {} {port} {} {}  {}{}",
        paint(color, Style::Faint, &number),
        paint(color, Style::Faint, &time),
        paint(color, style(verdict), &became),
        frame,
        paint(color, Style::Faint, "by "),
        why(setting, event, columns),
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
        paint(color, Style::Faint, "   -"),
        paint(
            color,
            Style::Faint,
            &format!("{:>9}", since(setting.start, at))
        )
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

/// Who decided, and what conntrack made of the frame, in at most so many columns.
fn why(setting: &Setting<'_>, event: &Event<'_>, columns: usize) -> String {
    let report = event.report;
    if let Some(number) = event.copy_of {
        return format!("{} of frame {number}", Reason::Copy.name());
    }
    let (mut state, mut short) = (String::new(), String::new());
    if let Some(ct) = report.ct {
        _ = write!(short, ", ct {}", ct.state);
        state.clone_from(&short);
        if let Some(direction) = ct.direction {
            _ = write!(
                state,
                " {}",
                redan_runtime::datapath::direction_name(direction)
            );
        }
        if let Some(reason) = ct.reason {
            _ = write!(state, " ({reason})");
        }
    }
    let least = decision::shortest(setting.ruleset, report);
    // The direction is the least of it, then the state.
    let state = [state, short, String::new()]
        .into_iter()
        .find(|state| least.chars().count() + state.chars().count() <= columns)
        .unwrap_or_default();
    let left = columns.saturating_sub(state.chars().count());
    let who = decision::describe_within(setting.ruleset, report, left);
    format!("{who}{state}")
}

const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Accept | Verdict::Local => Style::Good,
        Verdict::Drop | Verdict::Reject => Style::Bad,
        Verdict::Held | Verdict::Queue => Style::Notable,
        Verdict::Other => Style::Faint,
    }
}
