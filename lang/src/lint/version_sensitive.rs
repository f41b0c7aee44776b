//! L062: what the version of nft or Linux that is to load the file does not know yet.

use std::collections::BTreeSet;

use super::Facts;
use super::features::{FEATURES, Feature, Sign};
use super::version::{Target, Version};
use super::walk::{Part, walk};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let Some(target) = facts.target else { return };
    for feature in FEATURES.iter().filter(|f| is_unknown(f, target)) {
        let mut seen = BTreeSet::new();
        for span in places(facts, feature) {
            if seen.insert((span.source, span.start)) {
                found.push(
                    Diagnostic::new(
                        Code::VersionSensitive,
                        span,
                        format!("{target} does not know {}", feature.name),
                    )
                    .help(needs(feature)),
                );
            }
        }
    }
}

fn is_unknown(feature: &Feature, target: Target) -> bool {
    match target {
        Target::Nft(version) => feature.since > version,
        Target::Kernel(version) => feature.kernel.is_some_and(|since| since > version),
    }
}

fn needs(feature: &Feature) -> String {
    let (since, source) = (feature.since, feature.source);
    match feature.kernel {
        None => format!("it needs nft {since} or newer ({source})"),
        Some(Version(major, minor, _)) => {
            format!("it needs nft {since} or newer, and Linux {major}.{minor} ({source})")
        }
    }
}

fn places(facts: &Facts<'_>, feature: &Feature) -> Vec<Span> {
    let mut places = Vec::new();
    let sources = facts.sources;
    match &feature.sign {
        Sign::Command(shows) => walk(facts.file, sources, &mut |_, part| match part {
            Part::Command(command) if shows(command) => places.push(command.span),
            _ => {}
        }),
        Sign::Stmt(shows) => walk(facts.file, sources, &mut |_, part| match part {
            Part::Stmt(stmt) if shows(sources, stmt) => places.push(stmt.span),
            _ => {}
        }),
        Sign::Expr(shows) => walk(facts.file, sources, &mut |_, part| match part {
            Part::Expr(expr) if shows(sources, expr) => places.push(expr.span),
            _ => {}
        }),
        Sign::InFamily(families, shows) => {
            walk(facts.file, sources, &mut |family, part| match part {
                Part::Expr(expr) if families.contains(&family) && shows(sources, expr) => {
                    places.push(expr.span);
                }
                _ => {}
            });
        }
        Sign::Part(shows) => walk(facts.file, sources, &mut |_, part| {
            places.extend(shows(sources, &part));
        }),
        Sign::Code(shows) => {
            for (rule, typed) in facts.ruleset.rules.iter().zip(&facts.program.rules) {
                if rule.code.iter().any(shows) {
                    places.push(typed.span);
                }
            }
        }
        Sign::Set(shows) => {
            for (set, info) in facts.ruleset.sets.iter().zip(&facts.program.sets) {
                if shows(set, info) {
                    places.push(info.span);
                }
            }
        }
        Sign::Chain(shows) => {
            let chains = facts.chains().filter(|(_, chain)| shows(chain));
            places.extend(chains.map(|(id, _)| facts.chain_span(id)));
        }
    }
    places
}
