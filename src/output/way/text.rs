//! A way as a tree, for people: what is long is folded so that it fits a screen.

use std::io::{self, Write};

use redan_runtime::Verdict;

use super::lines::{Kind, Line, lines};
use super::{Setting, Way, words};
use crate::output::terminal::{Style, paint};

/// Lines of a packet that fit a screen.
pub(crate) const SCREEN: usize = 34;

/// Columns of a line.
const COLUMNS: usize = 120;

/// Columns that a rule's text keeps, however much is to be said of it.
const LEAST: usize = 40;

/// As many rules in a row are worth a fold.
const FOLD: usize = 3;

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Lines, above which rules that failed are folded; `None`: everything in full.
    pub(crate) lines: Option<usize>,
    /// Whether it is coloured.
    pub(crate) color: bool,
    /// Columns in front of every line.
    pub(crate) indent: usize,
}

/// Prints a packet, its way, and its end.
pub(crate) fn print(
    out: &mut impl Write,
    setting: &Setting<'_>,
    way: &Way<'_>,
    room: Room,
) -> io::Result<()> {
    let start = " ".repeat(room.indent);
    writeln!(
        out,
        "{start}{}",
        paint(room.color, Style::Strong, way.packet)
    )?;
    let lines = folded(lines(setting, way), room.lines);
    let place = lines
        .iter()
        .map(|line| line.place.len())
        .max()
        .unwrap_or_default();
    for line in &lines {
        writeln!(out, "{start}  {}", draw(line, place, room))?;
    }
    let verdict = way.report.verdict;
    let style = match verdict {
        Verdict::Accept | Verdict::Local => Style::Good,
        Verdict::Drop | Verdict::Reject => Style::Bad,
        Verdict::Held | Verdict::Queue | Verdict::Other => Style::Notable,
    };
    let text = words::verdict(setting.ruleset, way.report);
    writeln!(out, "{start}{}", paint(room.color, style, &text))
}

fn draw(line: &Line, place: usize, room: Room) -> String {
    let indent = "  ".repeat(line.depth);
    let (mark, style) = match line.kind {
        Kind::Group => return format!("{indent}{}", paint(room.color, Style::Strong, &line.text)),
        Kind::Event => {
            let space = if line.note.is_empty() { "" } else { " " };
            let text = format!("{}{space}{}", line.text, line.note);
            let columns = COLUMNS.saturating_sub(room.indent + 2 + indent.len());
            return format!("{indent}{}", cut(&text, columns, room));
        }
        Kind::Held => ("+", Style::Notable),
        Kind::Failed { .. } => ("-", Style::Faint),
    };
    let before = format!("{indent}{mark} {:>place$}  ", line.place);
    let arrow = if line.kind == Kind::Held { "=>" } else { "--" };
    let used = room.indent + 2 + before.len() + 4 + line.note.chars().count();
    let columns = COLUMNS.saturating_sub(used).max(LEAST);
    let text = cut(&line.text, columns, room);
    if text.is_empty() {
        return format!("{before}{}", line.note);
    }
    format!(
        "{}  {arrow} {}",
        paint(room.color, style, &format!("{before}{text}")),
        line.note
    )
}

/// A text of at most so many characters.
fn cut(text: &str, columns: usize, room: Room) -> String {
    if room.lines.is_none() || text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut text: String = text.chars().take(columns.saturating_sub(3)).collect();
    text.push_str("...");
    text
}

/// Runs of rules that failed, in one line each, where there are more lines than fit: first those that failed at once, then all but those that
/// came farthest.
fn folded(lines: Vec<Line>, room: Option<usize>) -> Vec<Line> {
    let Some(room) = room.filter(|room| lines.len() > *room) else {
        return lines;
    };
    let few = fold(&lines, |at| at == 0);
    if few.len() <= room {
        return few;
    }
    let farthest = lines.iter().filter_map(failed_at).max();
    fold(&lines, |at| Some(at) < farthest)
}

/// How far a rule came that failed.
const fn failed_at(line: &Line) -> Option<usize> {
    match line.kind {
        Kind::Failed { at } => Some(at),
        Kind::Group | Kind::Event | Kind::Held => None,
    }
}

fn fold(lines: &[Line], is_dull: impl Fn(usize) -> bool) -> Vec<Line> {
    let mut kept = Vec::with_capacity(lines.len());
    let mut run: Vec<Line> = Vec::new();
    for line in lines {
        let is_dull = failed_at(line).is_some_and(&is_dull);
        let goes_on = is_dull && run.first().is_none_or(|first| first.depth == line.depth);
        if !goes_on {
            flush(&mut kept, &mut run);
        }
        if is_dull {
            run.push(line.clone());
        } else {
            kept.push(line.clone());
        }
    }
    flush(&mut kept, &mut run);
    kept
}

fn flush(kept: &mut Vec<Line>, run: &mut Vec<Line>) {
    let (Some(first), Some(last), true) = (run.first(), run.last(), run.len() >= FOLD) else {
        kept.append(run);
        return;
    };
    let mut line = Line::new(first.depth, first.kind, "");
    line.note = format!(
        "{} rules that do not hold, lines {} to {} (-v shows them)",
        run.len(),
        first.place,
        last.place
    );
    kept.push(line);
    run.clear();
}
