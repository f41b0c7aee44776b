//! Running a test: its packets through a datapath, each compared with what the line says.

use std::time::Duration;

use redan_runtime::{Datapath, Frame, Mac, OutFrame, PortId, Report, Verdict};
use redan_vm::Instant;

use super::{Expected, Line, Step, What};
use crate::craft::Spec;
use crate::output::decision;

/// When every test starts; any time does.
const START: Instant = Instant::from_secs(1_700_000_000);

/// Time between two packets.
const PAUSE: Duration = Duration::from_millis(1);

/// A line that did not come out as it says.
pub(crate) struct Failure {
    /// Which line.
    pub(crate) line: usize,
    /// What it says and what happened.
    pub(crate) message: String,
}

/// The packet before, and where it went.
struct Last {
    spec: Spec,
    port: PortId,
    left_by: Option<PortId>,
}

/// Runs a test; what did not come out as it says.
pub(crate) fn run(datapath: &mut Datapath, lines: &[Line]) -> Vec<Failure> {
    let mut now = START;
    let mut last = None;
    let mut failures = Vec::new();
    for line in lines {
        match &line.step {
            Step::Wait(time) => now = now + *time,
            Step::Send {
                packet,
                port,
                expected,
            } => {
                now = now + PAUSE;
                let done = send(datapath, now, &mut last, packet, port.as_deref(), expected);
                if let Err(message) = done {
                    failures.push(Failure {
                        line: line.number,
                        message: format!("{}\n      {message}", line.text),
                    });
                }
            }
        }
    }
    failures
}

fn send(
    datapath: &mut Datapath,
    now: Instant,
    last: &mut Option<Last>,
    what: &What,
    port: Option<&str>,
    expected: &Expected,
) -> Result<(), String> {
    let (spec, port) = packet(datapath, last.as_ref(), what, port)?;
    let mac = datapath
        .site()
        .ports
        .get(port.index())
        .map_or(Mac::default(), |port| port.mac);
    let frame = Frame::from(spec.frame(Mac::made_up(spec.src), mac));
    let mut out: Vec<OutFrame> = Vec::new();
    datapath.handle_timeout(now, &mut out);
    out.clear();
    let report = datapath.handle_frame(now, port, frame, &mut out);
    let left_by = out
        .first()
        .filter(|_| report.verdict == Verdict::Accept)
        .map(|frame| frame.port);
    *last = Some(Last {
        spec,
        port,
        left_by,
    });
    compare(datapath, &report, expected)
}

fn packet(
    datapath: &Datapath,
    last: Option<&Last>,
    what: &What,
    port: Option<&str>,
) -> Result<(Spec, PortId), String> {
    let named = match port {
        Some(name) => {
            let found = datapath.site().port_by_name(name);
            Some(found.ok_or_else(|| format!("the site has no port `{name}`"))?)
        }
        None => None,
    };
    let before = || last.ok_or_else(|| "there is no packet before it".to_owned());
    match what {
        What::New(spec) => Ok((spec.clone(), named.unwrap_or(PortId(0)))),
        What::Again => {
            let last = before()?;
            Ok((last.spec.clone(), named.unwrap_or(last.port)))
        }
        What::Answer => {
            let last = before()?;
            let port = named
                .or(last.left_by)
                .ok_or("the packet before went nowhere; say `in PORT`")?;
            Ok((last.spec.answer(), port))
        }
    }
}

fn compare(datapath: &Datapath, report: &Report, expected: &Expected) -> Result<(), String> {
    let state = report.ct.map(|ct| ct.state);
    let state_fits = expected
        .state
        .as_deref()
        .is_none_or(|wanted| state == Some(wanted));
    if report.verdict == expected.verdict && state_fits {
        return Ok(());
    }
    let who = decision::describe(datapath.ruleset(), report);
    Err(format!(
        "got {} {} by {who}",
        report.verdict.name(),
        state.unwrap_or("untracked (connections are not tracked)")
    ))
}
