//! Running a test: each packet's fate compared with what its line says.

use redan_vm::Ruleset;

use super::{Expected, Line, Played, Stage};
use crate::output::decision;

/// A line that did not come out as it says.
pub(crate) struct Failure {
    /// Which line.
    pub(crate) line: usize,
    /// What it says.
    pub(crate) text: String,
    /// What happened instead, or why nothing could.
    pub(crate) message: String,
    /// The packet; `None` where it could not be sent.
    pub(crate) played: Option<Played>,
}

/// Runs a test; what did not come out as it says.
pub(crate) fn run(stage: &mut Stage, lines: &[Line]) -> Vec<Failure> {
    let mut failures = Vec::new();
    for line in lines {
        let Some(sent) = stage.step(&line.step) else {
            continue;
        };
        let (message, played) = match sent {
            Ok(played) => {
                let differs = line
                    .step
                    .expected()
                    .and_then(|expected| difference(stage.datapath().ruleset(), &played, expected));
                match differs {
                    Some(message) => (message, Some(played)),
                    None => continue,
                }
            }
            Err(message) => (message, None),
        };
        failures.push(Failure {
            line: line.number,
            text: line.text.clone(),
            message,
            played,
        });
    }
    failures
}

/// What became of a packet, where that is not what was expected.
pub(crate) fn difference(
    ruleset: &Ruleset,
    played: &Played,
    expected: &Expected,
) -> Option<String> {
    let report = &played.report;
    let state = report.ct.map(|ct| ct.state);
    let state_fits = expected
        .state
        .as_deref()
        .is_none_or(|wanted| state == Some(wanted));
    if report.verdict == expected.verdict && state_fits {
        return None;
    }
    let who = decision::describe(ruleset, report);
    Some(format!(
        "got {} {} by {who}",
        report.verdict.name(),
        state.unwrap_or("untracked (connections are not tracked)")
    ))
}
