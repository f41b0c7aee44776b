//! Runs the bodies of the fuzz targets on the inputs in `fuzz/corpus/`, one folder a target: what fuzzing once found stays found.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

#[expect(unreachable_pub, reason = "the bodies are public for the fuzz targets")]
#[path = "../fuzz/src/lib.rs"]
mod bodies;

/// Runs a body on every input of its corpus.
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 10, "{} inputs only", inputs.len());
    for path in inputs {
        let input = std::fs::read(&path).expect("the input can be read");
        let done = std::panic::catch_unwind(|| body(&input));
        assert!(done.is_ok(), "{}", path.display());
    }
}

#[test]
fn syntax() {
    replay("syntax", bodies::syntax::run);
}

#[test]
fn format() {
    replay("format", bodies::format::run);
}

#[test]
fn compile() {
    replay("compile", bodies::compile::run);
}

#[test]
fn engines() {
    replay("engines", bodies::engines::run);
}

#[test]
fn datapath() {
    replay("datapath", bodies::datapath::run);
}

#[test]
fn capture() {
    replay("capture", bodies::capture::run);
}

#[test]
fn json() {
    replay("json", bodies::json::run);
}
