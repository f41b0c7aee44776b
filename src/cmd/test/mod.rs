//! `redan test`: whether rulesets let through what their `.test` files say.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use redan_runtime::{Datapath, Observer, Settings, Silent, Site};
use redan_vm::Engine;

use crate::args::{OnOff, TestArgs, TestFormat};
use crate::exit::{self, Exit};
use crate::output::terminal::Terminal;
use crate::output::test::{self as output, Failed, Tested};
use crate::output::way::Setting;
use crate::scenario::{self, Failure, Line, Stage};
use crate::site::plausible::{self, Hint};
use crate::way::{Recorder, Texts};
use crate::{engine, input, ruleset, site};

/// What a file's rules may end in, in the order in which they are looked for.
const RULES: [&str; 2] = ["rules", "nft"];

/// Runs the command.
pub(crate) fn run(args: &TestArgs, terminal: &mut Terminal) -> Result<Exit> {
    if let Some(rules) = &args.generate {
        return generate(args, rules, terminal);
    }
    if args.format == TestFormat::Junit {
        output::junit::start(terminal)?;
    }
    let exit = exit::each(&args.files, terminal, |file, terminal| {
        Ok(Exit::findings_if(!one(args, file, terminal)?))
    })?;
    if args.format == TestFormat::Junit {
        output::junit::end(terminal)?;
    }
    Ok(exit)
}

/// Prints a test of what rules do.
fn generate(args: &TestArgs, rules: &Path, terminal: &mut Terminal) -> Result<Exit> {
    let site_name = site_beside(args, rules);
    let site = site_name.as_deref().map(site::read).transpose()?;
    let names = site.iter().flat_map(|site| &site.ports);
    let names = names.map(|port| port.name.clone()).collect();
    let loaded = ruleset::load_traced(rules, &args.reading, names, terminal)?;
    let Some((ruleset, texts)) = loaded else {
        return Ok(Exit::Findings);
    };
    let subject = crate::generate::Subject {
        name: &input::display_name(rules),
        ruleset: &ruleset,
        texts: &texts,
        site,
        site_name: site_name.map(|path| path.display().to_string()),
    };
    write!(terminal, "{}", crate::generate::test(&subject)?)?;
    Ok(Exit::Fine)
}

fn one(args: &TestArgs, file: &Path, terminal: &mut Terminal) -> Result<bool> {
    let name = input::display_name(file);
    let lines = read(file, &name)?;
    if lines.is_empty() {
        bail!(
            "{name}: nothing is tested; write packets, or have them written with `redan test --generate`"
        );
    }
    let rules = match &args.rules {
        Some(rules) => rules.clone(),
        None => rules_of(file)?,
    };
    let hints: Vec<Hint<'_>> = lines.iter().filter_map(|line| line.step.hint()).collect();
    let given = site_beside(args, file)
        .as_deref()
        .map(site::read)
        .transpose()?;
    let names = match &given {
        Some(site) => site.ports.iter().map(|port| port.name.clone()).collect(),
        None => plausible::ports(&hints),
    };
    let loaded = ruleset::load_for(&rules, &args.reading, names, terminal)?;
    let Some(ruleset) = loaded else {
        return Ok(false);
    };
    let local: Vec<_> = lines.iter().filter_map(|line| line.step.local()).collect();
    let site = plausible::given_or_made(given, &ruleset, &hints, &local);
    let engine = engine::make(&ruleset, args.engine, OnOff::On, terminal);
    let failures = play(&ruleset, &site, engine, Box::new(Silent), &lines, None)?;
    let ways = if failures.is_empty() {
        None
    } else {
        traced(args, &rules, &site, &lines, terminal)?
    };
    let sent = lines
        .iter()
        .filter(|line| matches!(line.step, scenario::Step::Send { .. }))
        .count();
    let tested = Tested {
        name: &name,
        lines: &lines,
        sent,
        failures: failures
            .iter()
            .map(|failure| Failed {
                failure,
                played: ways.as_ref().and_then(|ways| ways.of(failure)),
            })
            .collect(),
        setting: ways.as_ref().map(|ways| Setting {
            ruleset: &ways.ruleset,
            texts: &ways.texts,
            site: &site,
        }),
    };
    match args.format {
        TestFormat::Text => output::text::print(terminal, &tested)?,
        TestFormat::Json => output::json::print(terminal, &tested)?,
        TestFormat::Junit => output::junit::print(terminal, &tested)?,
    }
    Ok(failures.is_empty())
}

fn read(file: &Path, name: &str) -> Result<Vec<Line>> {
    let bytes = input::read(file)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        bail!("{name}: not UTF-8; save the file as UTF-8");
    };
    scenario::read(text).map_err(|faults| {
        let faults: Vec<String> = faults
            .iter()
            .map(|fault| format!("{name}:{}:{}: {}", fault.line, fault.column, fault.message))
            .collect();
        anyhow::anyhow!("{}", faults.join("\n"))
    })
}

/// The rules beside a test.
fn rules_of(file: &Path) -> Result<PathBuf> {
    let places = RULES.map(|end| file.with_extension(end));
    let found = places.iter().find(|place| place.exists()).cloned();
    let Some(found) = found else {
        let [first, second] = places.map(|place| place.display().to_string());
        bail!(
            "{}: there is neither {first} nor {second}; name the rules with --rules",
            file.display()
        );
    };
    Ok(found)
}

/// The site that is given, or stands beside a test or its rules.
fn site_beside(args: &TestArgs, file: &Path) -> Option<PathBuf> {
    let beside = || Some(file.with_extension("toml")).filter(|path| path.exists());
    args.site.clone().or_else(beside)
}

/// Puts a test's packets through a ruleset.
fn play(
    ruleset: &std::sync::Arc<redan_vm::Ruleset>,
    site: &Site,
    engine: Box<dyn Engine + Send>,
    observer: Box<dyn Observer>,
    lines: &[Line],
    recorder: Option<&Recorder>,
) -> Result<Vec<Failure>> {
    let settings = Settings {
        site: site.clone(),
        trace: recorder.is_some(),
        ..Settings::default()
    };
    let datapath = Datapath::new(ruleset.clone(), engine, observer, settings)?;
    let mut stage = Stage::new(datapath, recorder.cloned().unwrap_or_default());
    Ok(scenario::run(&mut stage, lines))
}

/// The ways of the packets that did not come out as they should.
struct Ways {
    ruleset: std::sync::Arc<redan_vm::Ruleset>,
    texts: Texts,
    failures: Vec<Failure>,
}

impl Ways {
    fn of(&self, failure: &Failure) -> Option<&scenario::Played> {
        let same = |other: &&Failure| other.line == failure.line;
        self.failures.iter().find(same)?.played.as_ref()
    }
}

/// Runs a test again, this time to be told of every step.
fn traced(
    args: &TestArgs,
    rules: &Path,
    site: &Site,
    lines: &[Line],
    terminal: &mut Terminal,
) -> Result<Option<Ways>> {
    let names = site.ports.iter().map(|port| port.name.clone()).collect();
    let loaded = ruleset::load_traced(rules, &args.reading, names, terminal)?;
    let Some((ruleset, texts)) = loaded else {
        return Ok(None);
    };
    let recorder = Recorder::default();
    let engine = engine::tracing(&ruleset);
    let observer = Box::new(recorder.clone());
    let failures = play(&ruleset, site, engine, observer, lines, Some(&recorder))?;
    Ok(Some(Ways {
        ruleset,
        texts,
        failures,
    }))
}
