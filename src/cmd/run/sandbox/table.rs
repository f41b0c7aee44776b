//! What the sandbox shows at the end: what was tried, what became of it, who decided, and which rules were met.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;
use redan_runtime::Verdict;
use redan_vm::Ruleset;
use redan_vm::ids::{ChainId, FileId, RuleId};
use redan_vm::ruleset::Policy;

use super::Tried;
use super::plan::Progress;
use super::protocol::{Outcome, Try};
use super::stage::{Seen, Talk};
use crate::meet::Goal;
use crate::output::decision;
use crate::output::terminal::{Style, Terminal};

/// Columns that a table may take.
const WIDTH: usize = 100;

/// Rules above which only those that were not met are listed.
const LISTED: usize = 200;

/// A row of the first table.
struct Row {
    cells: [String; 5],
    style: Style,
    /// What the rules say, where it became something else.
    expected: Option<String>,
}

/// Prints what was tried in a scene.
pub(super) fn tries(
    terminal: &mut Terminal,
    ruleset: &Ruleset,
    title: &str,
    tried: &[Tried],
) -> Result<()> {
    let head = ["TRY", "FROM > TO", "WAY", "BECAME", "DECIDED BY"].map(str::to_owned);
    let rows: Vec<Row> = tried.iter().map(|tried| row(ruleset, tried)).collect();
    let widths = widths(&head, &rows);
    writeln!(terminal, "{}", terminal.paint(Style::Strong, title))?;
    line(terminal, &widths, &head, Style::Strong)?;
    for row in rows {
        line(terminal, &widths, &row.cells, row.style)?;
        if let Some(expected) = row.expected {
            writeln!(terminal, "    but the rules say: {expected}")?;
        }
    }
    writeln!(terminal)?;
    Ok(())
}

/// What an outcome is called: of a frame that nobody answers it is said whether it came in.
const fn became(tried: &Tried, outcome: Outcome) -> &'static str {
    match (outcome, &tried.planned.attempt.what) {
        (Outcome::Through, _) => "answered",
        (Outcome::Arrived, _) => "arrived",
        (Outcome::Taken, _) => "let in",
        (Outcome::Refused, _) => "refused",
        (Outcome::Nothing, Try::Raw { .. }) => "stopped",
        (Outcome::Nothing, Try::Ping { .. } | Try::Udp { .. } | Try::Tcp { .. }) => "no answer",
    }
}

fn row(ruleset: &Ruleset, tried: &Tried) -> Row {
    let agrees = tried.outcome == tried.planned.forecast;
    let seen = if tried.seen.is_empty() {
        &tried.planned.seen
    } else {
        &tried.seen
    };
    Row {
        cells: [
            tried.planned.attempt.title(),
            tried.planned.attempt.route(),
            tried.way.clone(),
            became(tried, tried.outcome).to_owned(),
            decided_by(ruleset, tried, tried.outcome, seen),
        ],
        style: match (agrees, tried.outcome) {
            (false, _) => Style::Bad,
            (true, Outcome::Nothing | Outcome::Refused) => Style::Notable,
            (true, Outcome::Through | Outcome::Arrived | Outcome::Taken) => Style::Good,
        },
        expected: (!agrees).then(|| {
            format!(
                "{}, {}",
                became(tried, tried.planned.forecast),
                decided_by(ruleset, tried, tried.planned.forecast, &tried.planned.seen)
            )
        }),
    }
}

/// Columns' widths: what they hold, but of the addresses only as much as leaves room for the rest.
fn widths(head: &[String; 5], rows: &[Row]) -> [usize; 5] {
    let mut widths = [0; 5];
    for cells in std::iter::once(head).chain(rows.iter().map(|row| &row.cells)) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [title, route, way, became, by] = widths;
    let room = WIDTH.saturating_sub(title + way + became + by.min(31) + 8);
    [title, route.min(room), way, became, by]
}

fn line(
    terminal: &mut Terminal,
    widths: &[usize; 5],
    cells: &[String; 5],
    style: Style,
) -> Result<()> {
    let ([title, route, way, became, by], [w0, w1, w2, w3, _]) = (cells, widths);
    let painted = terminal.paint(style, &format!("{became:<w3$}"));
    let by = cut(by, WIDTH.saturating_sub(w0 + w1 + w2 + w3 + 8));
    if route.chars().count() > *w1 {
        // Long addresses get a line of their own.
        writeln!(terminal, "{title:<w0$}  {route}")?;
        let gap = w0 + w1 + 4;
        writeln!(terminal, "{:gap$}{way:<w2$}  {painted}  {by}", "")?;
    } else {
        writeln!(
            terminal,
            "{title:<w0$}  {route:<w1$}  {way:<w2$}  {painted}  {by}"
        )?;
    }
    Ok(())
}

/// At most so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(3)).collect();
    short.push_str("...");
    short
}

/// The decision on the first frame that was stopped, where something was, else on the first one that passed.
fn decided_by(ruleset: &Ruleset, tried: &Tried, outcome: Outcome, seen: &[Seen]) -> String {
    let from = tried.planned.attempt.from;
    let stops = |seen: &&Seen| {
        let is_search = Talk::of(&seen.bytes) != Talk::Else;
        match seen.report.verdict {
            Verdict::Drop | Verdict::Reject | Verdict::Other if is_search => seen.stops_search(),
            Verdict::Drop | Verdict::Reject | Verdict::Other => true,
            Verdict::Accept | Verdict::Local | Verdict::Held | Verdict::Queue => false,
        }
    };
    let passes = |seen: &&Seen| Talk::of(&seen.bytes) == Talk::Else;
    let has_passed = matches!(
        outcome,
        Outcome::Through | Outcome::Arrived | Outcome::Taken
    );
    let stopped = seen.iter().find(stops).filter(|_| !has_passed);
    let Some(seen) = stopped
        .or_else(|| seen.iter().find(passes))
        .or(seen.first())
    else {
        return "no frame came".to_owned();
    };
    let mut text = format!("{} {}", who(ruleset, seen), seen.report.verdict.name());
    match (Talk::of(&seen.bytes).name(), seen.report.ct) {
        (Some(name), _) => text = format!("{text}, {name}"),
        (None, _) if seen.from != from => text = format!("answer: {text}"),
        (None, Some(ct)) => text = format!("{text}, {}", ct.state),
        (None, None) => {}
    }
    text
}

/// Which rule, policy or part of the engine decided.
fn who(ruleset: &Ruleset, seen: &Seen) -> String {
    match (seen.report.decision, seen.report.policy, seen.report.reason) {
        (Some(decision), _, _) => place(ruleset, decision.rule),
        (None, Some(chain), _) => {
            let names = decision::chain(ruleset, chain);
            format!("policy of {}", names.map_or("", |[_, _, chain]| chain))
        }
        (None, None, Some(reason)) => reason.name().to_owned(),
        (None, None, None) => "no rule".to_owned(),
    }
}

/// A rule's line, with its file where there are several.
fn place(ruleset: &Ruleset, rule: RuleId) -> String {
    let Some(rule) = ruleset.rules.get(rule.index()) else {
        return "unknown rule".to_owned();
    };
    let (file, line) = (rule.origin.file, rule.origin.line);
    if ruleset.rules.iter().all(|other| other.origin.file == file) {
        return format!("line {line}");
    }
    let name = decision::file(ruleset, file);
    format!("{}:{line}", name.rsplit('/').next().unwrap_or(name))
}

/// What stops the search for link addresses, a sentence for each rule or policy and family, with what helps.
pub(super) fn searches_stopped(ruleset: &Ruleset, tried: &[Tried]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let frames = tried.iter().flat_map(|tried| &tried.planned.seen);
    for seen in frames.filter(|seen| seen.stops_search()) {
        let (what, family, help) = if Talk::of(&seen.bytes).is_arp() {
            ("ARP", "IPv4", "accept ARP")
        } else {
            (
                "neighbour discovery",
                "IPv6",
                "accept icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }",
            )
        };
        let who = who(ruleset, seen);
        let sentence = format!(
            "{who} drops {what}: without it hosts do not find each other over {family}\n       help: {help} before it"
        );
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said
}

/// Prints which rules were met, how often, and why the others were not.
pub(super) fn rules(
    terminal: &mut Terminal,
    ruleset: &Ruleset,
    goals: &[Goal],
    met: &BTreeMap<Goal, usize>,
    progress: &Progress,
) -> Result<()> {
    let mut texts = Texts::default();
    let head = format!("{:>6}  {:>4}  RULE", "LINE", "MET");
    writeln!(terminal, "{}", terminal.paint(Style::Strong, &head))?;
    let lists_all = goals.len() <= LISTED;
    let (mut left, mut untried) = (LISTED, 0);
    for goal in goals {
        let count = met.get(goal).copied().unwrap_or(0);
        let is_tried = progress.met.contains(goal) || progress.unmet.contains_key(goal);
        untried += usize::from(count == 0 && !is_tried);
        if (count > 0 && !lists_all) || (count == 0 && !is_tried) {
            continue;
        }
        if left == 0 {
            writeln!(terminal, "{:14}and more that were not met", "")?;
            break;
        }
        left -= 1;
        let (line, text) = match goal {
            Goal::Rule(rule) => texts.rule(ruleset, *rule),
            Goal::Policy(chain) => (String::new(), policy(ruleset, *chain)),
        };
        let (style, number) = if count > 0 {
            (Style::Good, count.to_string())
        } else {
            (Style::Notable, "-".to_owned())
        };
        let number = terminal.paint(style, &format!("{number:>4}"));
        writeln!(terminal, "{line:>6}  {number}  {}", cut(&text, WIDTH - 14))?;
        if count == 0 {
            let why = match progress.unmet.get(goal) {
                Some(why) => why.describe(ruleset),
                None => "it was when this was worked out beforehand, but not here".to_owned(),
            };
            writeln!(
                terminal,
                "{:14}{}",
                "",
                cut(&format!("not met: {why}"), WIDTH - 14)
            )?;
        }
    }
    if untried > 0 {
        writeln!(
            terminal,
            "{:14}{untried} rules and policies are not tried: there are too many",
            ""
        )?;
    }
    Ok(())
}

fn policy(ruleset: &Ruleset, chain: ChainId) -> String {
    let names = decision::chain(ruleset, chain).map_or_else(String::new, |names| names.join(" "));
    let base = ruleset
        .chains
        .get(chain.index())
        .and_then(|chain| chain.base.as_ref());
    let word = match base.map(|base| base.policy) {
        Some(Policy::Drop) => "drop",
        Some(Policy::Accept) | None => "accept",
    };
    format!("policy {word} of {names}")
}

/// The files' lines.
#[derive(Default)]
struct Texts(BTreeMap<FileId, Vec<String>>);

impl Texts {
    /// A rule's line number and what stands there; where the file cannot be read again, the rule's chain.
    fn rule(&mut self, ruleset: &Ruleset, id: RuleId) -> (String, String) {
        let Some(rule) = ruleset.rules.get(id.index()) else {
            return (String::new(), String::new());
        };
        let file = rule.origin.file;
        let lines = self.0.entry(file).or_insert_with(|| {
            let text = std::fs::read_to_string(decision::file(ruleset, file));
            let text = text.unwrap_or_default();
            text.lines().map(|line| line.trim().to_owned()).collect()
        });
        let number = rule.origin.line as usize;
        let text = lines.get(number.wrapping_sub(1)).cloned();
        (
            rule.origin.line.to_string(),
            text.filter(|text| !text.is_empty())
                .unwrap_or_else(|| decision::rule(ruleset, id)),
        )
    }
}
