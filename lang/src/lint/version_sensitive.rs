//! L062: what the version of nft that is to load the file does not know yet.

use std::collections::BTreeSet;

use super::version::{FEATURES, Feature, Sign};
use super::{Facts, syntax};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let Some(target) = facts.target else { return };
    for feature in FEATURES.iter().filter(|feature| feature.since > target) {
        let mut seen = BTreeSet::new();
        for span in places(facts, feature) {
            if seen.insert((span.source, span.start)) {
                found.push(
                    Diagnostic::new(
                        Code::VersionSensitive,
                        span,
                        format!("nft {target} does not know {}", feature.name),
                    )
                    .help(format!("it needs nft {} or newer", feature.since)),
                );
            }
        }
    }
}

fn places(facts: &Facts<'_>, feature: &Feature) -> Vec<Span> {
    let mut places = Vec::new();
    match feature.sign {
        Sign::Command(shows) => {
            let commands = facts.file.commands.iter();
            places.extend(commands.filter(|c| shows(c)).map(|c| c.span));
        }
        Sign::Stmt(shows) => syntax::rules(facts.file, facts.sources, |_, rule| {
            let stmts = rule.stmts.iter();
            places.extend(stmts.filter(|s| shows(&s.kind)).map(|s| s.span));
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
