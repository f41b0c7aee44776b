//! The one place that draws findings for people, with ariadne.
//!
//! ariadne counts bytes here; a span that ends inside a character is widened, since it would panic. It prints whole lines, so a long one is cut to a window around
//! the labels first, and the carriage returns of Windows files are left out.

use super::{Diagnostic, Label, Level};
use crate::source::{Source, SourceId, Sources};
use ariadne::{Color, Config, IndexType, ReportKind};
use std::collections::BTreeMap;
use std::ops::Range;

/// Characters of a line that are shown.
const MAX_LINE: usize = 160;

/// Empty lines that stand for those before the first one shown.
const MAX_EMPTY_LINES: usize = 20_000;

/// Lines around the labelled ones that ariadne may look at.
type Excerpts = BTreeMap<SourceId, Excerpt>;

/// The lines of a source that labels touch, cut to a window, with other lines left empty so that line numbers stay right.
#[derive(Debug, Default)]
struct Excerpt {
    name: String,
    text: String,
    /// Lines before that are not even there as empty ones.
    line_offset: usize,
    /// Where each line's window starts in the source and in the excerpt.
    lines: Vec<(usize, Range<usize>, usize)>,
}

/// Draws findings as text, each followed by an empty line.
pub fn render(findings: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let mut out = Vec::new();
    for finding in findings {
        draw(finding, sources, color, &mut out);
    }
    let text = String::from_utf8(out).unwrap_or_default();
    if color { text } else { plain(&text) }
}

/// The text without escape sequences: ariadne colours the word for the level whatever its settings say.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        plain + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

fn kind(level: Level) -> (&'static str, Color) {
    match level {
        Level::Error => ("error", Color::Red),
        Level::Warning => ("warning", Color::Yellow),
        Level::Info => ("info", Color::Blue),
    }
}

fn draw(finding: &Diagnostic, sources: &Sources, color: bool, out: &mut Vec<u8>) {
    let excerpts = excerpts(finding, sources);
    let place = |label: &Label| {
        let excerpt = excerpts.get(&label.span.source)?;
        Some((
            excerpt.name.clone(),
            excerpt.place(label.span.start as usize..label.span.end as usize)?,
        ))
    };
    let (word, paint) = kind(finding.level);
    let Some(main) = finding
        .labels
        .iter()
        .find(|label| label.primary)
        .and_then(place)
    else {
        out.extend_from_slice(
            format!(
                "{word}[{}]: {}\n\n",
                finding.code.info().code,
                finding.message
            )
            .as_bytes(),
        );
        return;
    };
    let config = Config::new()
        .with_index_type(IndexType::Byte)
        .with_color(color);
    let info = finding.code.info();
    let mut message = format!("{} ({})", finding.message, info.name);
    let at = sources.position(finding.span().source, finding.span().start);
    if at.column as usize > MAX_LINE / 4 && excerpts.values().any(Excerpt::is_cropped) {
        // the drawing counts columns from the window's start
        message = format!("{message} at line {}, column {}", at.line, at.column);
    }
    let mut report = ariadne::Report::build(ReportKind::Custom(word, paint), main)
        .with_config(config)
        .with_code(info.code)
        .with_message(message);
    for label in &finding.labels {
        if let Some(span) = place(label) {
            let drawn = ariadne::Label::new(span).with_color(if label.primary {
                paint
            } else {
                Color::Cyan
            });
            // even an empty message, since without one ariadne does not mark the place
            report = report.with_label(drawn.with_message(&label.message));
        }
    }
    if let Some(help) = &finding.help {
        report = report.with_help(help);
    }
    let cache = excerpts.values().map(|excerpt| {
        let source = ariadne::Source::from(excerpt.text.clone())
            .with_display_line_offset(excerpt.line_offset);
        (excerpt.name.clone(), source)
    });
    let cache = Cache(cache.collect());
    // writing into memory cannot fail
    let _ = report.finish().write(cache, &mut *out);
    out.push(b'\n');
}

/// ariadne's view of the excerpts.
struct Cache(BTreeMap<String, ariadne::Source<String>>);

impl ariadne::Cache<String> for Cache {
    type Storage = String;

    fn fetch(&mut self, id: &String) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        self.0.get(id).ok_or("unknown source")
    }

    fn display<'a>(&self, id: &'a String) -> Option<impl std::fmt::Display + 'a> {
        Some(id.clone())
    }
}

fn excerpts(finding: &Diagnostic, sources: &Sources) -> Excerpts {
    let mut wanted: BTreeMap<SourceId, Vec<Range<usize>>> = BTreeMap::new();
    for label in &finding.labels {
        wanted
            .entry(label.span.source)
            .or_default()
            .push(label.span.start as usize..label.span.end as usize);
    }
    let excerpt = |(id, spans): (SourceId, Vec<Range<usize>>)| {
        Some((id, Excerpt::of(sources.source(id)?, &spans)))
    };
    wanted.into_iter().filter_map(excerpt).collect()
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Excerpt {
    fn of(source: &Source, spans: &[Range<usize>]) -> Self {
        let line_of = |at: usize| source.line_index(u32::try_from(at).unwrap_or(u32::MAX));
        let ends = |span: &Range<usize>| {
            [
                line_of(span.start),
                line_of(span.end.saturating_sub(1).max(span.start)),
            ]
        };
        let mut touched: Vec<usize> = spans.iter().flat_map(ends).collect();
        touched.sort_unstable();
        touched.dedup();
        let first_line = touched.first().copied().unwrap_or(0);
        // ariadne's own offset for line numbers moves those in the header alone, so the lines before are there, empty, up to a bound
        let empty = first_line.min(MAX_EMPTY_LINES);
        let mut excerpt = Self {
            name: source.name().to_owned(),
            text: "\n".repeat(empty),
            line_offset: first_line - empty,
            ..Self::default()
        };
        let mut next = first_line;
        for line in touched {
            for _ in next..line {
                excerpt.text.push('\n');
            }
            excerpt.push_line(source, line, spans);
            excerpt.text.push('\n');
            next = line + 1;
        }
        excerpt
    }

    /// Whether a line's start is cut off.
    fn is_cropped(&self) -> bool {
        self.text.split('\n').any(|line| line.starts_with('…'))
    }

    fn push_line(&mut self, source: &Source, line: usize, spans: &[Range<usize>]) {
        let text = source.text();
        let whole = source.line_range(line);
        let inside = spans
            .iter()
            .map(|span| span.start)
            .filter(|at| (whole.start..=whole.end).contains(at))
            .min();
        let mut window = whole.clone();
        if whole.len() > MAX_LINE {
            let start = inside
                .unwrap_or(whole.start)
                .saturating_sub(MAX_LINE / 4)
                .max(whole.start);
            window = floor(text, start)..floor(text, (start + MAX_LINE).min(whole.end));
        }
        if window.start > whole.start {
            self.text.push('…');
        }
        let at = self.text.len();
        // a tab or a carriage return in the middle must not move what follows
        let body = text
            .get(window.clone())
            .unwrap_or_default()
            .replace('\r', " ");
        self.text.push_str(&body);
        if window.end < whole.end {
            self.text.push('…');
        }
        self.lines.push((line, window, at));
    }

    /// Where a place of the source is in the excerpt; what lies outside the windows is moved to their ends.
    fn offset(&self, at: usize) -> Option<usize> {
        let holds = self.lines.iter().find(|(_, window, _)| at <= window.end);
        let (_, window, start) = holds.or(self.lines.last())?;
        Some(start + at.clamp(window.start, window.end) - window.start)
    }

    fn place(&self, span: Range<usize>) -> Option<Range<usize>> {
        let start = floor(&self.text, self.offset(span.start)?);
        let end = floor(&self.text, self.offset(span.end)?).max(start);
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;
    use crate::source::Span;

    fn drawn(text: &str, start: u32, end: u32) -> String {
        let mut sources = Sources::new();
        let id = sources.add("x.rules", text);
        let span = Span::new(id, start, end);
        let finding = Diagnostic::new(Code::SyntaxError, span, "wrong")
            .note("here")
            .help("mend it")
            .related(Span::new(id, 0, 1), "and this");
        render(&[finding], &sources, false)
    }

    #[test]
    fn findings_are_drawn_with_place_and_help() {
        let text = drawn("table x {\r\n\tt\u{e4}st wrong\r\n}\r\n", 18, 23);
        for part in [
            "E010",
            "x.rules:2:7",
            "wrong",
            "here",
            "mend it",
            "and this",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn odd_places_do_not_panic() {
        let long = "\u{e4}".repeat(5000);
        for (start, end) in [
            (0, 0),
            (1, 2),
            (3, 9001),
            (5001, 5003),
            (10_000, 10_001),
            (20_000, 30_000),
            (7, 3),
        ] {
            let text = drawn(&long, start, end);
            assert!(text.len() < 3000, "{}", text.len());
        }
        drawn("", 0, 0);
        drawn("\n\n\n", 3, 3);
    }
}
