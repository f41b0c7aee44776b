//! The search: conversations are tried until each goal is reached or nothing is left to try.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use redan_runtime::{Datapath, Report, Settings, Verdict};
use redan_vm::{Engine, Ruleset};

use super::field;
use super::goals;
use super::scene::Scene;
use super::text::{self, Line, Missed, Subject};
use super::tries::{self, Conversation, Numbers};
use crate::engine;
use crate::meet::{Goal, Map, Unmet, Wants};
use crate::output::decision;
use crate::scenario::{Stage, Step, What};
use crate::way::Recorder;

/// Conversations that are tried for one goal.
const TRIES: usize = 160;

/// Elements of a set that are tried for one goal.
const ELEMENTS: usize = 12;

/// Conversations for one goal whose last packet is repeated.
const REPEATED: usize = 3;

/// Packets that were let through, which answers and errors are tried with.
const POOL: usize = 40;

/// When limits have forgotten what they let through.
const LATER: Duration = Duration::from_hours(2);

/// How often a packet comes again, for limits.
const AGAIN: usize = 30;

/// Writes a test of what a ruleset does.
pub(crate) fn test(subject: &Subject<'_>) -> Result<String> {
    let scene = Scene::new(subject.ruleset, subject.site.clone());
    let mut search = Search {
        ruleset: subject.ruleset,
        map: Map::new(subject.ruleset),
        scene,
        engine: Some(engine::tracing(subject.ruleset)),
        numbers: Numbers::default(),
        reached: BTreeSet::new(),
        kept: Vec::new(),
        pool: Vec::new(),
        ends: BTreeMap::new(),
    };
    let goals = goals::all(subject.ruleset);
    for goal in &goals {
        search.aim(*goal)?;
    }
    search.converse(&goals)?;
    let lines = search.play_all()?;
    let reached: BTreeSet<Goal> = lines
        .iter()
        .flat_map(|line| line.reached.iter().copied())
        .collect();
    let missed: Vec<Missed> = goals
        .iter()
        .filter(|goal| !reached.contains(goal))
        .map(|goal| Missed {
            goal: *goal,
            why: search.why_not(*goal),
        })
        .collect();
    Ok(text::write(subject, &search.scene, &lines, &missed))
}

/// Who stands where comes first, each said once.
fn in_order(steps: Vec<Step>) -> Vec<Step> {
    let mut first: Vec<Step> = Vec::new();
    let mut rest = Vec::new();
    for step in steps {
        match step {
            Step::Host(address, _) | Step::Local(address) => {
                let is_known = first.iter().any(|known| {
                    matches!(known, Step::Host(other, _) | Step::Local(other) if *other == address)
                });
                if !is_known {
                    first.push(step);
                }
            }
            Step::Wait(_) | Step::Send { .. } => rest.push(step),
        }
    }
    first.append(&mut rest);
    first
}

/// A step that follows from the one before.
const fn then(packet: What) -> Step {
    Step::Send {
        packet,
        way: None,
        expected: None,
    }
}

struct Search<'a> {
    ruleset: &'a Arc<Ruleset>,
    map: Map,
    scene: Scene,
    engine: Option<Box<dyn Engine + Send>>,
    numbers: Numbers,
    reached: BTreeSet<Goal>,
    /// Conversations that reached something new.
    kept: Vec<(Conversation, BTreeSet<Goal>)>,
    /// Packets that were let through.
    pool: Vec<Conversation>,
    /// Where packets that were meant for a goal ended, and how often.
    ends: BTreeMap<Goal, BTreeMap<String, usize>>,
}

impl Search<'_> {
    /// Tries packets made for a goal.
    fn aim(&mut self, goal: Goal) -> Result<()> {
        let mut conversations = Vec::new();
        for path in self.map.to(self.ruleset, goal) {
            let elements = self.map.elements(self.ruleset, &path, goal);
            for choice in 0..elements.min(ELEMENTS) {
                let wants = self.map.wants(self.ruleset, &path, goal, choice);
                let Ok(wants) = wants else { continue };
                let (ruleset, numbers) = (self.ruleset, &mut self.numbers);
                let found = tries::conversations(ruleset, &self.scene, path.base, &wants, numbers);
                conversations.extend(found);
            }
        }
        conversations.sort_by_key(Vec::len);
        for conversation in conversations.iter().take(TRIES) {
            if self.reached.contains(&goal) {
                return Ok(());
            }
            let end = self.attempt(conversation)?;
            *self.ends.entry(goal).or_default().entry(end).or_default() += 1;
        }
        // What comes often enough exceeds limits.
        for conversation in conversations.iter().take(REPEATED) {
            if self.reached.contains(&goal) {
                return Ok(());
            }
            let mut conversation = conversation.clone();
            conversation.extend(std::iter::repeat_n(then(What::Again), AGAIN));
            self.attempt(&conversation)?;
        }
        Ok(())
    }

    /// Tries answers, errors and repetitions for what has not been reached.
    fn converse(&mut self, goals: &[Goal]) -> Result<()> {
        let pool = std::mem::take(&mut self.pool);
        for first in &pool {
            if goals.iter().all(|goal| self.reached.contains(goal)) {
                return Ok(());
            }
            let mut tails = vec![
                vec![then(What::Answer)],
                vec![then(What::Answer), then(What::Answer)],
            ];
            for kind in ["destination-unreachable", "time-exceeded", "packet-too-big"] {
                tails.push(vec![then(What::Error(kind.to_owned(), 0))]);
            }
            tails.push(vec![then(What::Again); AGAIN]);
            for tail in tails {
                let mut conversation = self.fresh(first);
                conversation.extend(tail);
                self.attempt(&conversation)?;
            }
        }
        Ok(())
    }

    /// The same steps with connections of their own.
    fn fresh(&mut self, steps: &[Step]) -> Conversation {
        let mut steps = steps.to_vec();
        for step in &mut steps {
            if let Step::Send {
                packet: What::New(spec),
                ..
            } = step
            {
                **spec = self.numbers.fresh(spec);
            }
        }
        steps
    }

    /// Plays a conversation, and keeps it where it reaches something new; where its last packet ended.
    fn attempt(&mut self, conversation: &Conversation) -> Result<String> {
        let lines = self.play(conversation)?;
        let mut new = None;
        for (at, line) in lines.iter().enumerate() {
            let before = self.reached.len();
            self.reached.extend(&line.reached);
            if self.reached.len() > before {
                new = Some(at);
            }
            let is_through = line.played.as_ref().is_some_and(|played| {
                matches!(played.report.verdict, Verdict::Accept | Verdict::Local)
            });
            let is_new = matches!(
                line.step,
                Step::Send {
                    packet: What::New(_),
                    ..
                }
            );
            if is_new && is_through && self.pool.len() < POOL {
                let hosts = lines.iter().map(|line| &line.step);
                let hosts = hosts.filter(|step| matches!(step, Step::Host(..)));
                self.pool.push(hosts.chain([&line.step]).cloned().collect());
            }
        }
        if let Some(last) = new {
            let steps = lines.iter().take(last + 1).map(|line| line.step.clone());
            let mut said: BTreeSet<Goal> = BTreeSet::new();
            for line in lines.iter().take(last + 1) {
                said.extend(&line.reached);
            }
            self.kept.push((steps.collect(), said));
        }
        let report = lines
            .last()
            .and_then(|line| line.played.as_ref())
            .map(|played| played.report);
        Ok(report.map_or_else(String::new, |report| self.end(&report)))
    }

    fn end(&self, report: &Report) -> String {
        format!(
            "{} by {}",
            report.verdict.name(),
            decision::describe(self.ruleset, report)
        )
    }

    /// Plays steps in a datapath of their own.
    fn play(&mut self, steps: &[Step]) -> Result<Vec<Line>> {
        let recorder = Recorder::default();
        let local = self.local(steps);
        let all = in_order(local.into_iter().chain(steps.iter().cloned()).collect());
        let settings = Settings {
            site: self.scene.site(self.ruleset, &all),
            trace: true,
            ..Settings::default()
        };
        let engine = self
            .engine
            .take()
            .unwrap_or_else(|| engine::tracing(self.ruleset));
        let datapath = Datapath::new(
            self.ruleset.clone(),
            engine,
            Box::new(recorder.clone()),
            settings,
        )?;
        let mut stage = Stage::new(datapath, recorder);
        let mut lines = Vec::new();
        for step in all {
            let played = stage.step(&step).and_then(Result::ok);
            if played.is_none() && matches!(step, Step::Send { .. }) {
                // An answer to what went nowhere.
                continue;
            }
            let reached = played
                .as_ref()
                .map(|played| goals::reached(&played.steps))
                .unwrap_or_default();
            lines.push(Line {
                step,
                played,
                reached,
            });
        }
        self.engine = Some(stage.into_engine());
        Ok(lines)
    }

    /// The machine's own addresses, where lines must say them.
    fn local(&self, steps: &[Step]) -> Vec<Step> {
        if !self.scene.says_local() {
            return Vec::new();
        }
        let mut own = BTreeSet::new();
        for hint in steps.iter().filter_map(Step::hint) {
            for port in 0..self.scene.ports.len() {
                let address = self.scene.own(port, hint.src.is_ipv4());
                let is_said = |own: &IpAddr| hint.src == *own || hint.dst == Some(*own);
                own.extend(address.filter(is_said));
            }
        }
        own.into_iter().map(Step::Local).collect()
    }

    /// Plays everything that is kept, one conversation behind the other, as the test will.
    fn play_all(&mut self) -> Result<Vec<Line>> {
        let kept = std::mem::take(&mut self.kept);
        let mut steps: Vec<Step> = Vec::new();
        for (conversation, _) in &kept {
            steps.extend(conversation.iter().cloned());
        }
        let lines = self.play(&steps)?;
        let reached: BTreeSet<Goal> = lines
            .iter()
            .flat_map(|line| line.reached.iter().copied())
            .collect();
        if self.reached.is_subset(&reached) {
            return Ok(lines);
        }
        // What limits and sets took from others comes again, later.
        for (conversation, goals) in &kept {
            if !goals.is_subset(&reached) {
                steps.push(Step::Wait(LATER));
                let again = self.fresh(conversation);
                steps.extend(again);
            }
        }
        self.play(&steps)
    }

    /// Why a goal has not been reached.
    fn why_not(&self, goal: Goal) -> String {
        if self.reached.contains(&goal) {
            return "a packet reaches it alone, but not behind those above".to_owned();
        }
        let paths = self.map.to(self.ruleset, goal);
        let mut asked: Vec<Wants> = Vec::new();
        let mut unmet = Unmet::NoJump;
        for path in &paths {
            match self.map.wants(self.ruleset, path, goal, 0) {
                Ok(wants) => asked.push(wants),
                Err(why) => unmet = why,
            }
        }
        if asked.is_empty() {
            return unmet.describe(self.ruleset);
        }
        let ends = self.ends.get(&goal);
        let ended = ends.and_then(|ends| ends.iter().max_by_key(|(_, count)| **count));
        let unsaid = asked.iter().find_map(field::unsaid);
        match (unsaid, ended) {
            (Some(unsaid), _) => format!("it asks for {unsaid}, which lines of a test do not say"),
            (None, Some((end, _))) => {
                let count: usize = ends.map_or(0, |ends| ends.values().sum());
                let packets = if count == 1 {
                    "packet was"
                } else {
                    "packets were"
                };
                format!("{count} {packets} tried; most ended in {end}")
            }
            (None, None) if asked.iter().any(field::asks_for_port) => {
                format!(
                    "no packet passes the port that it asks for; there are {}",
                    self.scene.ports.join(", ")
                )
            }
            (None, None) => "no line of a test passes there on this site".to_owned(),
        }
    }
}
