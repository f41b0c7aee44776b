//! The test as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use redan_runtime::Site;
use redan_vm::Ruleset;

use super::scene::Scene;
use crate::meet::Goal;
use crate::output::decision;
use crate::scenario::{self, Played, Step, What};
use crate::way::Texts;

/// Columns of a rule's text in a comment.
const COLUMNS: usize = 100;

/// Whose tests are written.
pub(crate) struct Subject<'a> {
    /// How the rules are called.
    pub(crate) name: &'a str,
    /// The rules, to be traced.
    pub(crate) ruleset: &'a Arc<Ruleset>,
    /// Their text.
    pub(crate) texts: &'a Texts,
    /// The site, where there is one.
    pub(crate) site: Option<Site>,
    /// What the site is called.
    pub(crate) site_name: Option<String>,
}

/// A packet that was sent, and what it reached.
pub(super) struct Line {
    pub(super) step: Step,
    pub(super) played: Option<Played>,
    pub(super) reached: BTreeSet<Goal>,
}

/// A goal that was not reached.
pub(super) struct Missed {
    pub(super) goal: Goal,
    /// Why not.
    pub(super) why: String,
}

/// Writes the test.
pub(super) fn write(
    subject: &Subject<'_>,
    scene: &Scene,
    lines: &[Line],
    missed: &[Missed],
) -> String {
    let mut text = format!(
        "# What {} does today, written by `redan test --generate`.\n",
        subject.name
    );
    let site = match &subject.site_name {
        Some(name) => format!("# The site is {name}.\n"),
        None => format!(
            "# Without a site; the ports are {}.\n",
            scene.ports.join(", ")
        ),
    };
    text.push_str(&site);
    let mut known = BTreeSet::new();
    for line in lines {
        let new: Vec<Goal> = line
            .reached
            .iter()
            .filter(|goal| known.insert(**goal))
            .copied()
            .collect();
        if !new.is_empty()
            && matches!(
                line.step,
                Step::Send {
                    packet: What::New(_),
                    ..
                }
            )
        {
            text.push('\n');
        }
        for goal in new {
            _ = writeln!(text, "# {}", name(subject, goal));
        }
        text.push_str(&said(line));
        text.push('\n');
    }
    if !missed.is_empty() {
        text.push_str("\n# Not reached:\n");
    }
    for missed in missed {
        _ = writeln!(
            text,
            "# {}\n#     {}",
            name(subject, missed.goal),
            missed.why
        );
    }
    text
}

/// A line of the test.
fn said(line: &Line) -> String {
    let (packet, way) = match &line.step {
        Step::Wait(time) => return format!("wait {}s", time.as_secs()),
        Step::Host(address, port) => return format!("host {address} {port}"),
        Step::Local(address) => return format!("local {address}"),
        Step::Send { packet, way, .. } => (packet, way),
    };
    let mut text = match packet {
        What::New(spec) => scenario::words_of(spec),
        What::Answer => "answer".to_owned(),
        What::Again => "again".to_owned(),
        What::Error(kind, 0) => format!("error {kind}"),
        What::Error(kind, code) => format!("error {kind} code {code}"),
    };
    match way {
        Some(scenario::Way::In(port)) => _ = write!(text, " in {port}"),
        Some(scenario::Way::Out(port)) => _ = write!(text, " out {port}"),
        None => {}
    }
    if let Some(played) = &line.played {
        _ = write!(text, " => {}", played.report.verdict.name());
        if let Some(ct) = played.report.ct {
            _ = write!(text, " {}", ct.state);
        }
    }
    text
}

/// A rule by line and text, a policy by chain.
fn name(subject: &Subject<'_>, goal: Goal) -> String {
    let ruleset: &Ruleset = subject.ruleset;
    match goal {
        Goal::Policy(chain) => {
            let names = decision::chain(ruleset, chain).unwrap_or_default();
            format!("policy of {}", names.join(" "))
        }
        Goal::Rule(id) => {
            let line = (ruleset.rules.get(id.index())).map_or(0, |rule| rule.origin.line);
            let mut text = subject.texts.rule(id);
            if text.chars().count() > COLUMNS {
                text = text.chars().take(COLUMNS - 3).collect();
                text.push_str("...");
            }
            format!("line {line}: {text}")
        }
    }
}
