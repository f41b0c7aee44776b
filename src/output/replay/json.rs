//! One JSON object a frame. Written by hand, since times have more digits than a float keeps and frames are long.

use std::fmt::Write as _;
use std::io::{self, Write};

use redan_runtime::{OutFrame, Report, Verdict};
use redan_vm::Instant;

use super::{Event, Setting, Visited, port_name, seconds};
use crate::output::decision;
use crate::output::summary::Summary;
use crate::way::Failed;

/// Version of the objects' form.
const SCHEMA: u32 = 1;

/// Prints a frame that came in.
pub(crate) fn event(
    out: &mut impl Write,
    setting: &Setting<'_>,
    event: &Event<'_>,
) -> io::Result<()> {
    let mut line = format!(
        "{{\"schema\":{SCHEMA},\"packet\":{},\"time\":{},\"port\":{},",
        event.number,
        seconds(event.time),
        string(event.port)
    );
    push_report(&mut line, setting, event.report);
    push_frame(&mut line, event);
    push_out(&mut line, setting, event.out);
    if let Some(visits) = event.visits {
        push_visits(&mut line, setting, visits);
    }
    line.push_str("}\n");
    out.write_all(line.as_bytes())
}

/// Prints frames that a timer sent.
pub(crate) fn timer(
    out: &mut impl Write,
    setting: &Setting<'_>,
    time: Instant,
    frames: &[OutFrame],
) -> io::Result<()> {
    let mut line = format!(
        "{{\"schema\":{SCHEMA},\"packet\":null,\"time\":{},\"port\":null,",
        seconds(time)
    );
    line.push_str("\"verdict\":null,\"reason\":null,\"rule\":null,\"policy\":null,\"ct\":null,\"out_port\":null,");
    push_out(&mut line, setting, frames);
    line.push_str("}\n");
    out.write_all(line.as_bytes())
}

fn push_report(line: &mut String, setting: &Setting<'_>, report: &Report) {
    let ruleset = setting.ruleset;
    let reason = report.reason.map(redan_runtime::Reason::name);
    _ = write!(
        line,
        "\"verdict\":{},\"reason\":{},\"rule\":",
        string(Verdict::name(report.verdict)),
        optional(reason)
    );
    let decided = report.decision.and_then(|decision| {
        let rule = ruleset.rules.get(decision.rule.index())?;
        let [family, table, chain] = decision::chain(ruleset, rule.chain)?;
        let file = decision::file(ruleset, rule.origin.file);
        let comment = rule.comment.as_ref();
        let comment = comment.map_or_else(String::new, |comment| {
            format!(",\"comment\":{}", string(comment))
        });
        Some(format!(
            "{{\"family\":{},\"table\":{},\"chain\":{},\"hook\":{},\"file\":{},\"line\":{}{comment}}}",
            string(family),
            string(table),
            string(chain),
            string(decision.hook.word()),
            string(file),
            rule.origin.line
        ))
    });
    line.push_str(decided.as_deref().unwrap_or("null"));
    let policy = report
        .policy
        .and_then(|policy| decision::chain(ruleset, policy));
    line.push_str(",\"policy\":");
    match policy {
        None => line.push_str("null"),
        Some([family, table, chain]) => {
            _ = write!(
                line,
                "{{\"family\":{},\"table\":{},\"chain\":{}}}",
                string(family),
                string(table),
                string(chain)
            );
        }
    }
    line.push_str(",\"ct\":");
    match report.ct {
        None => line.push_str("null"),
        Some(ct) => {
            _ = write!(
                line,
                "{{\"state\":{},\"direction\":{},\"mark\":{},\"reason\":{}}}",
                string(ct.state),
                optional(ct.direction.map(redan_runtime::datapath::direction_name)),
                ct.mark,
                optional(ct.reason)
            );
        }
    }
    let port = report
        .leaves_by
        .and_then(|port| setting.site.ports.get(port.index()));
    _ = write!(
        line,
        ",\"out_port\":{},",
        optional(port.map(|port| port.name.as_str()))
    );
}

/// What the frame is, in the words of the rule language.
fn push_frame(line: &mut String, event: &Event<'_>) {
    let summary = Summary::of(event.frame);
    let number = |number: Option<u64>| number.map_or_else(|| "null".to_owned(), |n| n.to_string());
    let (src, dst) = summary
        .addresses
        .map(|(src, dst)| (src.to_string(), dst.to_string()))
        .unzip();
    let (sport, dport) = summary
        .ports
        .map(|(from, to)| (u64::from(from), u64::from(to)))
        .unzip();
    _ = write!(
        line,
        "\"protocol\":{},\"saddr\":{},\"daddr\":{},\"sport\":{},\"dport\":{},\"flags\":{},\"type\":{},\"fragment\":{},\"copy_of\":{},",
        string(&summary.protocol),
        optional(src.as_deref()),
        optional(dst.as_deref()),
        number(sport),
        number(dport),
        optional(summary.flags.as_deref()),
        optional(summary.kind.as_deref()),
        number(summary.fragment.map(u64::from)),
        number(event.copy_of),
    );
}

fn push_out(line: &mut String, setting: &Setting<'_>, frames: &[OutFrame]) {
    line.push_str("\"out\":[");
    for (index, frame) in frames.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        _ = write!(
            line,
            "{comma}{{\"port\":{},\"bytes\":\"",
            string(port_name(setting.site, frame))
        );
        for byte in &frame.bytes {
            _ = write!(line, "{byte:02x}");
        }
        line.push_str("\"}");
    }
    line.push(']');
}

fn push_visits(line: &mut String, setting: &Setting<'_>, visits: &[Visited]) {
    let ruleset = setting.ruleset;
    line.push_str(",\"trace\":[");
    for (index, visit) in visits.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let rule = ruleset.rules.get(visit.visit.rule.index());
        let failed = setting
            .texts
            .and_then(|texts| texts.failed(ruleset, &visit.visit));
        let part = |part: fn(&Failed) -> &str| optional(failed.as_ref().map(part));
        let [family, table, chain] = rule
            .and_then(|rule| decision::chain(ruleset, rule.chain))
            .unwrap_or_default();
        let (file, number) = rule.map_or(("", 0), |rule| {
            (decision::file(ruleset, rule.origin.file), rule.origin.line)
        });
        _ = write!(
            line,
            "{comma}{{\"hook\":{},\"family\":{},\"table\":{},\"chain\":{},\"file\":{},\"line\":{number},\"matched\":{},\"match\":{},\"because\":{}}}",
            string(visit.hook.word()),
            string(family),
            string(table),
            string(chain),
            string(file),
            visit.held(),
            part(|failed| &failed.text),
            part(|failed| &failed.because)
        );
    }
    line.push(']');
}

/// A JSON string.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), string)
}
