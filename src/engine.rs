//! Which engine runs a ruleset: the interpreter, or native code with the interpreter as what it falls back to.

use std::sync::Arc;

use redan_jit::Jit;
use redan_vm::ids::ChainId;
use redan_vm::{Engine, Env, Final, Interpreter, Outcome, Packet, Ruleset, Tracer};

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

/// The interpreter. Rules run in order; there is no index yet that a plan could switch on.
pub(crate) fn interpreter(ruleset: &Ruleset, plan: OnOff) -> Box<dyn Engine + Send> {
    match plan {
        OnOff::On | OnOff::Off => Box::new(Interpreter::new(ruleset)),
    }
}

/// The interpreter, telling of every rule that it visits.
pub(crate) fn tracing(ruleset: &Ruleset) -> Box<dyn Engine + Send> {
    Box::new(Tracer::new(ruleset))
}

/// An engine for the moment in which a datapath has given its own away: it drops everything.
pub(crate) struct Nothing;

impl Engine for Nothing {
    fn run(&mut self, _chain: ChainId, _packet: &mut Packet, _env: &mut Env<'_>) -> Outcome {
        Outcome {
            verdict: Final::Drop,
            rule: None,
        }
    }
}
