//! `redan run --sandbox`: real traffic through the rules, on any machine, without touching its network.
//!
//! A child process for each port makes a network namespace (in a user namespace where the caller is not root) with a TAP as its only
//! network card, and hands the TAP's file over. This process is redan between them: it reads frames from one TAP, puts them through the
//! datapath and writes what leaves to another. It needs no namespace, no privilege and no program of its own. When it ends, the kernel ends
//! the children, and with them go namespaces and TAPs.
//!
//! What is tried follows from the rules: [`scene`] says among which hosts, [`plan`] finds a packet for each rule. Everything went as the
//! rules say when what each try came to, as the hosts' own kernels saw it, is what [`stage`] played before.

mod attempt;
mod host;
mod link;
mod netlink;
mod plan;
mod protocol;
mod scene;
mod stage;
mod sys;
mod table;
mod tries;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use redan_runtime::clock::Clock;
use redan_runtime::{Datapath, Settings, Silent, Site};
use redan_vm::Ruleset;

use self::link::Link;
use self::plan::{Planned, Progress};
use self::protocol::Outcome;
use self::scene::Scene;
use self::stage::Seen;
use crate::args::{EngineName, OnOff};
use crate::engine;
use crate::exit::Exit;
use crate::meet::Goal;
use crate::output::terminal::Terminal;

pub(crate) use host::serve as serve_host;

/// What was tried, and what came of it.
struct Tried {
    planned: Planned,
    way: String,
    outcome: Outcome,
    seen: Vec<Seen>,
}

/// Makes the sandbox, tries everything, prints what came of it.
pub(crate) fn run(
    ruleset: &Arc<Ruleset>,
    site: Option<Site>,
    engine: EngineName,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let mut notes = Vec::new();
    let is_given = site.is_some();
    let scenes = site.map_or_else(
        || scene::for_rules(ruleset),
        |site| vec![scene::for_site(site)],
    );
    let left_out = scene::left_out(ruleset, &scenes).join(", ");
    if !left_out.is_empty() && !is_given {
        notes.push(format!(
            "redan: sandbox: too many interfaces; none is made for {left_out}"
        ));
    }
    let mut progress = Progress::default();
    let mut met: BTreeMap<Goal, usize> = BTreeMap::new();
    let (mut count, mut strange) = (0, 0);
    for scene in &scenes {
        let tried = play(ruleset, scene, engine, &mut progress, terminal)?;
        for goal in tried
            .iter()
            .flat_map(|tried| &tried.seen)
            .flat_map(|seen| seen.met.iter().copied())
        {
            *met.entry(goal).or_default() += 1;
        }
        count += tried.len();
        strange += tried
            .iter()
            .filter(|t| t.outcome != t.planned.forecast)
            .count();
        for sentence in table::searches_stopped(ruleset, &tried) {
            let note = format!("redan: sandbox: {sentence}");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    if count == 0 {
        bail!(
            "there is nothing to try: no chain of the ruleset sees what passes a router, a host's card or a wire here (a kernel without IPv6 tries none)"
        );
    }
    let goals = plan::goals(ruleset);
    if !goals.is_empty() {
        table::rules(terminal, ruleset, &goals, &met, &progress)?;
    }
    for note in notes {
        terminal.note(&note);
    }
    terminal.note(&summary(&goals, &met, (count, strange)));
    Ok(Exit::findings_if(strange > 0))
}

/// The last line.
fn summary(
    goals: &[Goal],
    met: &BTreeMap<Goal, usize>,
    (count, strange): (usize, usize),
) -> String {
    let is_rule = |goal: &&Goal| matches!(goal, Goal::Rule(_));
    let has_rule =
        met.keys().any(|goal| is_rule(&goal)) || !goals.iter().any(|goal| is_rule(&goal));
    let are_met = goals.iter().filter(|goal| met.contains_key(goal)).count();
    let went = match strange {
        0 => "everything went as the rules say".to_owned(),
        some => format!("{some} went otherwise than the rules say"),
    };
    let rules = match (are_met, goals.len()) {
        (_, 0) => "there are no rules".to_owned(),
        _ if !has_rule => "nothing that was tried meets a rule".to_owned(),
        (some, all) => format!("{some} of {all} rules and policies met"),
    };
    format!("redan: sandbox: {count} tries: {went}; {rules}")
}

/// Plans a scene, tries it, and prints what was tried.
fn play(
    ruleset: &Arc<Ruleset>,
    scene: &Scene,
    engine: EngineName,
    progress: &mut Progress,
    terminal: &mut Terminal,
) -> Result<Vec<Tried>> {
    let clock = Clock::start();
    let mut plan = plan::plan(ruleset, scene, clock.now(), progress)?;
    if plan.attempts.is_empty() {
        return Ok(Vec::new());
    }
    let settings = Settings {
        site: plan.site.clone(),
        live: true,
        ..Settings::default()
    };
    let runs = engine::make(ruleset, engine, OnOff::On, terminal);
    let live = Datapath::new(ruleset.clone(), runs, Box::new(Silent), settings)?;
    let shadow = stage::tracing(ruleset, &plan.site)?;
    let mut link = Link::start(scene, &plan, live, shadow, clock)?;
    let mut results = Vec::new();
    let mut stage = plan.stage(ruleset, scene, link.clock.now())?;
    let mut rest = plan.attempts.as_mut_slice();
    while let Some((batch, more)) = together(rest) {
        rest = more;
        // Limits and rules that ask for the time see what they will see.
        stage.set_now(link.clock.now());
        for planned in batch.iter_mut() {
            (planned.forecast, planned.seen) = stage.play(&planned.attempt);
        }
        let titles = || batch.iter().map(|planned| planned.attempt.title());
        let tried = link
            .try_out(batch)
            .with_context(|| format!("cannot try {}", titles().collect::<Vec<_>>().join(", ")))?;
        results.extend(tried);
    }
    let tried = plan.attempts.into_iter().zip(results);
    let tried: Vec<Tried> = tried
        .map(|(planned, (outcome, seen))| Tried {
            way: scene.way(planned.attempt.draft.way),
            planned,
            outcome,
            seen,
        })
        .collect();
    table::tries(terminal, ruleset, &scene.title, &tried)?;
    Ok(tried)
}

/// The attempts that are made together: those in a row that should come to nothing, so that they wait together; else one.
fn together(rest: &mut [Planned]) -> Option<(&mut [Planned], &mut [Planned])> {
    let silent = |planned: &&Planned| matches!(planned.forecast, Outcome::Nothing | Outcome::Taken);
    let count = rest.iter().take_while(silent).count().max(1);
    rest.split_at_mut_checked(count)
}
