//! What each fuzz target does with an input. A target in `targets/` hands it what the fuzzer thinks up; `tests/fuzz.rs` of the main
//! package runs the same functions on the inputs in `corpus/`, without a fuzzer and with a stable compiler.
//!
//! A body panics when something is wrong, and never because the input is odd.

pub mod capture;
pub mod compile;
pub mod datapath;
pub mod engines;
pub mod format;
pub mod json;
mod rules;
pub mod syntax;

#[path = "../../vm/tests/common/mod.rs"]
mod machine;
#[path = "../../jit/tests/support/recorder.rs"]
mod recorder;
