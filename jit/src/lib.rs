//! Native code: a verified ruleset through Cranelift.
//!
//! Each chain becomes a function (a long one several, `chunk`) of context and packet that returns a verdict or "no verdict". `jump` is
//! a call, `goto` a tail call, the end of a chain a return, so that the machine's stack is the rules' call stack and no deeper than the
//! verifier allows. What most rules do is in line (`emit`): payload, meta and ct loads, comparisons, masks. All else calls
//! [`redan_vm::ops::run`], as the interpreter does, through a table of pointers (`helpers`). The code reaches everything through the
//! context (`context`) and contains no address of anything, so it needs no relocation.
//!
//! One [`Jit`] is one generation of a ruleset: its memory is freed when it is dropped. Pages are writable while code is made and
//! executable from then on, never both.

mod chunk;
mod code;
mod context;
mod emit;
mod error;
mod generate;
mod helpers;
mod prefix;
mod text;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::ruleset::Policy;
use redan_vm::state::counter_indices;
use redan_vm::verify::verify;
use redan_vm::{Engine, Env, Final, Outcome, Packet, Ruleset};

use code::{Code, Memory};
use context::{Context, code as result};
use generate::Generator;

pub use error::JitError;
pub use text::{emit_asm, emit_clif};

/// A ruleset as native code.
pub struct Jit {
    ruleset: Arc<Ruleset>,
    code: Code,
    /// How many counters a state made from the ruleset has.
    counters: usize,
}

const _: () = {
    const fn assert_send<T: Send>() {}
    // Compilation runs beside the packet thread, and its result moves there.
    assert_send::<Jit>();
};

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jit")
            .field("functions", &self.code.functions().len())
            .finish_non_exhaustive()
    }
}

impl Jit {
    /// Compiles a ruleset. Takes milliseconds for a thousand rules, so do it off the packet thread.
    ///
    /// # Errors
    /// When the verifier does not accept the ruleset, or when there is no code generator for this machine, or it fails or panics: let the interpreter go on.
    pub fn compile(ruleset: Arc<Ruleset>) -> Result<Self, JitError> {
        let code = guarded(|| compile(&ruleset))?;
        let counters = counter_indices(&ruleset).into_iter().flatten().count();
        Ok(Self {
            ruleset,
            code,
            counters,
        })
    }

    fn policy(&self, chain: ChainId) -> Final {
        let base = self
            .ruleset
            .chains
            .get(chain.index())
            .and_then(|chain| chain.base.as_ref());
        match base.map_or(Policy::Accept, |base| base.policy) {
            Policy::Accept => Final::Accept,
            Policy::Drop => Final::Drop,
        }
    }
}

impl Engine for Jit {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
        if env.state.counters_mut().len() < self.counters {
            // The state is not this ruleset's: generated code would count outside of it.
            return Outcome {
                verdict: Final::Drop,
                rule: None,
            };
        }
        let mut context = Context::new(self.code.functions(), packet, env, &self.ruleset);
        let returned = self.code.call(chain.index(), &mut context).unwrap_or(0);
        if let Some(panic) = context.panic.take() {
            // Generated code has been left; from here on a panic is the caller's to catch, as with any engine.
            resume_unwind(panic);
        }
        let [low, ..] = returned.to_le_bytes();
        let verdict = match low {
            result::ACCEPT => Final::Accept,
            result::DROP => Final::Drop,
            result::OTHER => context.verdict.unwrap_or(Final::Drop),
            _ => {
                return Outcome {
                    verdict: self.policy(chain),
                    rule: None,
                };
            }
        };
        let rule = u32::try_from(returned >> 32).ok().map(RuleId);
        Outcome { verdict, rule }
    }
}

/// Turns a panic of the code generator (it panics where it lacks a case) into an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, JitError>) -> Result<T, JitError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(JitError::Panicked(message(&*panic))))
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|&text| text.to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

fn compile(ruleset: &Ruleset) -> Result<Code, JitError> {
    // Generated code trusts register numbers and jump targets, so it is not enough that callers should have asked.
    if let Some(error) = verify(ruleset).into_iter().next() {
        return Err(JitError::Unverified(error));
    }
    let mut generator = Generator::new(ruleset)?;
    let builder = JITBuilder::with_isa(generator.isa().clone(), default_libcall_names());
    let mut memory = Memory::new(JITModule::new(builder));
    let module = memory.module();
    let mut context = module.make_context();
    let mut functions = Vec::new();
    for (name, chunk) in (0..).zip(chunk::cut(ruleset)) {
        let id = module.declare_anonymous_function(generator.chunk_signature())?;
        generator.chunk(name, &chunk, &mut context.func);
        module.define_function(id, &mut context)?;
        module.clear_context(&mut context);
        functions.push(id);
    }
    let enter = module.declare_function("enter", Linkage::Local, &generator.enter_signature())?;
    generator.enter(&mut context.func);
    module.define_function(enter, &mut context)?;
    memory.finish(enter, &functions)
}
