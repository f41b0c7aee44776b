//! A way as one JSON object.

use std::fmt::Write as _;

use redan_runtime::router::fib::Hop;
use redan_vm::Visit;
use serde_json::{Map, Value, json};

use super::{Setting, Way, words};
use crate::output::{decision, summary};
use crate::way::Step;

/// Version of the object's form.
const SCHEMA: u32 = 1;

/// The object.
pub(crate) fn object(setting: &Setting<'_>, way: &Way<'_>) -> Value {
    let report = way.report;
    let rule = report.decision.and_then(|decision| {
        let place = rule_place(setting, decision.rule)?;
        Some(with(place, json!({"hook": decision.hook.word()})))
    });
    let policy = report
        .policy
        .and_then(|chain| decision::chain(setting.ruleset, chain));
    let ct = report.ct.map(|ct| {
        json!({
            "state": ct.state,
            "direction": ct.direction.map(redan_runtime::datapath::direction_name),
            "mark": ct.mark,
            "reason": ct.reason,
        })
    });
    let out: Vec<Value> = way
        .out
        .iter()
        .map(|frame| {
            let bytes = hex(&frame.bytes);
            json!({
                "port": words::port(setting.site, frame.port),
                "packet": summary::of_frame(&frame.bytes),
                "bytes": bytes,
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "packet": way.packet,
        "verdict": report.verdict.name(),
        "reason": report.reason.map(redan_runtime::Reason::name),
        "rule": rule,
        "policy": policy.map(chain_value),
        "ct": ct,
        "out": out,
        "steps": way.steps.iter().map(|step| value(setting, step)).collect::<Vec<_>>(),
    })
}

fn chain_value([family, table, chain]: [&str; 3]) -> Value {
    json!({"family": family, "table": table, "chain": chain})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// Both objects as one.
fn with(first: Value, second: Value) -> Value {
    let mut all = Map::new();
    for value in [first, second] {
        if let Value::Object(object) = value {
            all.extend(object);
        }
    }
    Value::Object(all)
}

fn rule_place(setting: &Setting<'_>, id: redan_vm::ids::RuleId) -> Option<Value> {
    let rule = setting.ruleset.rules.get(id.index())?;
    let chain = chain_value(decision::chain(setting.ruleset, rule.chain)?);
    let file = decision::file(setting.ruleset, rule.origin.file);
    Some(with(
        chain,
        json!({"file": file, "line": rule.origin.line, "comment": rule.comment}),
    ))
}

fn value(setting: &Setting<'_>, step: &Step) -> Value {
    let chain = |id| chain_value(decision::chain(setting.ruleset, id).unwrap_or_default());
    match step {
        Step::Hook(hook, layer) => {
            json!({"step": "hook", "hook": hook.word(), "layer": words::layer(*layer)})
        }
        Step::Tracked(ct) => json!({
            "step": "conntrack",
            "state": ct.state,
            "direction": ct.direction.map(redan_runtime::datapath::direction_name),
            "mark": ct.mark,
            "reason": ct.reason,
        }),
        Step::Chain(id) => with(json!({"step": "chain"}), chain(*id)),
        Step::Rule(visit) => rule(setting, visit),
        Step::Ended(id, outcome) => with(
            json!({
                "step": "end",
                "policy": outcome.rule.is_none().then(|| words::policy(setting.ruleset, *id)),
            }),
            chain(*id),
        ),
        Step::Route(to, hop) => {
            let (what, port, via) = match hop {
                Some(Hop::Local) => ("local", None, None),
                Some(Hop::Broadcast) => ("broadcast", None, None),
                Some(Hop::Multicast) => ("multicast", None, None),
                Some(Hop::Port { port, via }) => (
                    "forward",
                    Some(words::port(setting.site, *port)),
                    via.map(|via| via.to_string()),
                ),
                None => ("none", None, None),
            };
            json!({"step": "route", "to": to.to_string(), "what": what, "port": port, "via": via})
        }
        Step::Forward { hops, bytes, mtu } => {
            json!({"step": "forward", "hop_limit": hops, "bytes": bytes, "mtu": mtu})
        }
        Step::Answer(fault) => json!({"step": "answer", "what": words::answer(*fault)}),
        Step::Answered => json!({"step": "answered"}),
        Step::Leaves(port) => {
            json!({"step": "leaves", "port": words::port(setting.site, *port)})
        }
        Step::Log(text) => json!({"step": "log", "text": text}),
    }
}

fn rule(setting: &Setting<'_>, visit: &Visit) -> Value {
    let failed = setting.texts.failed(setting.ruleset, visit);
    let place = rule_place(setting, visit.rule).unwrap_or_default();
    with(
        with(json!({"step": "rule"}), place),
        json!({
            "text": setting.texts.rule(visit.rule),
            "depth": visit.depth,
            "matched": visit.step != redan_vm::Step::Break,
            "verdict": words::ended(setting.ruleset, visit.step),
            "match": failed.as_ref().map(|failed| failed.text.as_str()),
            "because": failed.as_ref().map(|failed| failed.because.as_str()),
        }),
    )
}
