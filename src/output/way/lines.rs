//! Steps to lines, each as deep as it stands: hooks hold what is met there, chains their rules, a rule that jumps the rules of the chain that
//! it jumps to.

use redan_runtime::OutFrame;
use redan_vm::Visit;

use super::{Setting, Way, words};
use crate::output::summary;
use crate::way::Step;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A hook or an answer: nothing where nothing stands below it.
    Group,
    /// Whatever happens.
    Event,
    /// A rule that held.
    Held,
    /// A rule of which a match failed.
    Failed {
        /// How far it came: 0 where that was the first match.
        at: usize,
    },
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) depth: usize,
    pub(super) kind: Kind,
    /// Where a rule stands.
    pub(super) place: String,
    pub(super) text: String,
    /// What is said of it, which is not cut short.
    pub(super) note: String,
}

impl Line {
    pub(super) fn new(depth: usize, kind: Kind, text: impl Into<String>) -> Self {
        Self {
            depth,
            kind,
            place: String::new(),
            text: text.into(),
            note: String::new(),
        }
    }
}

/// Columns of a match that failed.
const MATCH: usize = 40;

/// Below an answer, hooks stand two levels deeper.
const ANSWER: usize = 2;

/// The lines of a way.
pub(super) fn lines(setting: &Setting<'_>, way: &Way<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut base = 0;
    let mut out = way.out.iter();
    // A rule is told of at its end, behind what it logged.
    let mut logs = Vec::new();
    for step in way.steps {
        let line = match step {
            Step::Hook(hook, layer) => Line::new(base, Kind::Group, words::hook(*hook, *layer)),
            Step::Tracked(ct) => Line::new(base + 1, Kind::Event, words::tracked(ct)),
            Step::Chain(chain) => {
                let text = words::chain(setting.ruleset, *chain);
                Line::new(base + 1, Kind::Event, text)
            }
            Step::Rule(visit) => {
                let depth = base + 2 + visit.depth;
                lines.push(rule(setting, visit, depth));
                let logged = logs.drain(..);
                lines.extend(logged.map(|text: &str| {
                    Line::new(depth + 1, Kind::Event, format!("logs \"{text}\""))
                }));
                continue;
            }
            Step::Ended(chain, outcome) => {
                if outcome.rule.is_some() {
                    continue;
                }
                let text = words::policy(setting.ruleset, *chain);
                Line::new(base + 2, Kind::Event, text)
            }
            Step::Route(to, hop) => {
                Line::new(base, Kind::Event, words::route(setting.site, *to, *hop))
            }
            Step::Forward { hops, bytes, mtu } => {
                Line::new(base + 1, Kind::Event, words::forward(*hops, *bytes, *mtu))
            }
            Step::Answer(fault) => {
                base += ANSWER;
                Line::new(base - 1, Kind::Group, words::answer(*fault))
            }
            Step::Answered => {
                base = base.saturating_sub(ANSWER);
                continue;
            }
            Step::Leaves(port) => {
                let text = format!("leaves by {}", words::port(setting.site, *port));
                let mut line = Line::new(base, Kind::Event, text);
                line.note = out
                    .next()
                    .map_or_else(String::new, |frame| leaves(frame, base));
                line
            }
            Step::Log(text) => {
                logs.push(text);
                continue;
            }
        };
        lines.push(line);
    }
    without_empty_groups(lines)
}

/// Where a frame goes on its link; of an answer, what it is.
fn leaves(frame: &OutFrame, base: usize) -> String {
    if base > 0 {
        return summary::of_frame(&frame.bytes);
    }
    let to: Vec<String> = (frame.bytes.iter().take(6))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("to {}", to.join(":"))
}

fn rule(setting: &Setting<'_>, visit: &Visit, depth: usize) -> Line {
    let ruleset = setting.ruleset;
    let failed = setting.texts.failed(ruleset, visit);
    let held = visit.step != redan_vm::Step::Break;
    let kind = match &failed {
        _ if held => Kind::Held,
        Some(failed) if failed.is_first => Kind::Failed { at: 0 },
        _ => Kind::Failed {
            at: visit.at.max(1),
        },
    };
    let note = failed
        .map(|failed| format!("{}: {}", shortened(&failed.text), failed.because))
        .or_else(|| words::ended(ruleset, visit.step));
    Line {
        place: words::place(ruleset, visit.rule),
        note: note.unwrap_or_else(|| "goes on".to_owned()),
        ..Line::new(depth, kind, setting.texts.rule(visit.rule))
    }
}

/// A match, which stands in the rule's own text, too.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MATCH {
        return text.to_owned();
    }
    let mut text: String = text.chars().take(MATCH - 3).collect();
    text.push_str("...");
    text
}

fn without_empty_groups(lines: Vec<Line>) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        while kept
            .last()
            .is_some_and(|last| last.kind == Kind::Group && last.depth >= line.depth)
        {
            kept.pop();
        }
        kept.push(line);
    }
    while kept.last().is_some_and(|last| last.kind == Kind::Group) {
        kept.pop();
    }
    kept
}
