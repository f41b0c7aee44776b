//! A test's results as one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Tested;
use crate::output::way::json as way;
use crate::scenario::Step;

/// Version of the object's form.
const SCHEMA: u32 = 1;

/// Prints the object.
pub(crate) fn print(out: &mut impl Write, tested: &Tested<'_>) -> io::Result<()> {
    let sends = |step: &Step| matches!(step, Step::Send { .. });
    let lines: Vec<Value> = tested
        .lines
        .iter()
        .filter(|line| sends(&line.step))
        .map(|line| {
            let failed = (tested.failures.iter()).find(|failed| failed.failure.line == line.number);
            let way = failed.and_then(|failed| {
                let setting = tested.setting.as_ref()?;
                failed.with_way(|packet| way::object(setting, packet))
            });
            json!({
                "line": line.number,
                "text": line.text,
                "ok": failed.is_none(),
                "message": failed.map(|failed| failed.failure.message.as_str()),
                "way": way,
            })
        })
        .collect();
    let object = json!({
        "schema": SCHEMA,
        "file": tested.name,
        "tests": tested.sent,
        "failures": tested.failures.len(),
        "lines": lines,
    });
    writeln!(out, "{object}")
}
