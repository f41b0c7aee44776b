//! `predicates.txt`: rules, and what [`redan_vm::predicate`] reads back from their bytecode.

use std::fmt::Write as _;

use redan_lang::compile::{self, Options};
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;
use redan_vm::ids::RuleId;
use redan_vm::predicate::{self, Pass, Predicate, Subject, Test};

use crate::support;

#[test]
fn predicates_are_what_rules_ask() {
    support::compare_cases("predicates.txt", |text| {
        let mut sources = Sources::new();
        let root = sources.add("test.rules", text);
        let (mut file, errors) = parse::parse(&mut sources, root, &FileLoader::default(), &[]);
        let compiled = compile::analyze(&mut file, &sources, &Options::default());
        let wrong: Vec<&str> = errors
            .iter()
            .chain(&compiled.diagnostics)
            .map(|d| d.message.as_str())
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let mut out = String::new();
        for (id, rule) in (0..).map(RuleId).zip(&compiled.program.rules) {
            let predicate = predicate::read(&compiled.ruleset, id);
            _ = writeln!(out, "{}: {}", sources.text(rule.span), line(&predicate));
        }
        out
    });
}

fn line(predicate: &Predicate) -> String {
    let tests: Vec<String> = predicate.tests.iter().map(test).collect();
    let mut out = tests.join(", ");
    if !predicate.effects.is_empty() {
        _ = write!(out, " ({} effects)", predicate.effects.len());
    }
    if let Some(verdict) = predicate.verdict {
        _ = write!(out, " -> {verdict:?}");
    }
    if predicate.verdict_map.is_some() {
        out += " -> by map";
    }
    out + if predicate.is_exact {
        ""
    } else {
        " (not exact)"
    }
}

fn test(test: &Test) -> String {
    let pass = match &test.pass {
        Pass::In(values) => {
            let ranges: Vec<String> = values
                .ranges()
                .iter()
                .map(|(low, high)| {
                    if low == high {
                        format!("{low:#x}")
                    } else {
                        format!("{low:#x}-{high:#x}")
                    }
                })
                .collect();
            format!("in {{{}}}", ranges.join(" "))
        }
        Pass::Masked { mask, want, equal } => {
            format!("& {mask:#x} {} {want:#x}", if *equal { "==" } else { "!=" })
        }
        Pass::Set { inverted, .. } => if *inverted {
            "not in a set"
        } else {
            "in a set"
        }
        .to_owned(),
    };
    format!("{} {pass}", subject(&test.subject))
}

fn subject(subject_: &Subject) -> String {
    match subject_ {
        Subject::Payload { base, offset, len } => format!("{base:?}[{offset}+{len}]"),
        Subject::Meta(key) => format!("meta {}", key.word()),
        Subject::Ct(key, None) => format!("ct {}", key.word()),
        Subject::Ct(key, Some(direction)) => format!("ct {direction:?} {}", key.word()),
        Subject::Concat(parts) => parts.iter().map(subject).collect::<Vec<_>>().join(" . "),
        Subject::Other(..) => "other".to_owned(),
    }
}
