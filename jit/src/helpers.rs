//! What generated code calls. No helper unwinds: a panic is kept in the context and raised again once generated code has been left.

use std::panic::{AssertUnwindSafe, catch_unwind};

use redan_vm::ids::{ChainId, RuleId};
use redan_vm::ops::{self, Step};
use redan_vm::{Final, Verdict};

use crate::context::{Context, code};

/// Runs instruction `index` of rule `rule`; the result is a [`code`] with a rule or chain number in the upper half.
type Helper =
    for<'c, 'run, 'env> extern "C" fn(&'c mut Context<'run, 'env>, rule: u32, index: u32) -> u64;

/// The table of helpers: generated code loads their addresses from it, so that it needs no relocation.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Helpers {
    /// Any instruction that leaves packet, metadata and conntrack view alone.
    pub(crate) run: Helper,
    /// Any instruction.
    pub(crate) disturb: Helper,
}

/// The one table there is.
pub(crate) static HELPERS: Helpers = Helpers { run, disturb };

extern "C" fn run(context: &mut Context<'_, '_>, rule: u32, index: u32) -> u64 {
    guarded(context, rule, |context| instruction(context, rule, index))
}

extern "C" fn disturb(context: &mut Context<'_, '_>, rule: u32, index: u32) -> u64 {
    guarded(context, rule, |context| {
        let step = instruction(context, rule, index);
        context.find_bases();
        step
    })
}

fn instruction(context: &mut Context<'_, '_>, rule: u32, index: u32) -> Step {
    let rule = RuleId(rule);
    let instr = context
        .ruleset
        .rules
        .get(rule.index())
        .and_then(|r| r.code.get(index as usize));
    let Some(instr) = instr else {
        return Step::Break;
    };
    let step = ops::run(instr, rule, context.packet, &mut context.regs, context.env);
    context.find_counters();
    step
}

/// Runs `step` so that it cannot unwind, and puts what it gives into one number.
fn guarded<'run, 'env>(
    context: &mut Context<'run, 'env>,
    rule: u32,
    step: impl FnOnce(&mut Context<'run, 'env>) -> Step,
) -> u64 {
    let outcome = catch_unwind(AssertUnwindSafe(|| step(context)));
    let (code, number) = match outcome {
        Ok(Step::Next | Step::Verdict(Verdict::Continue)) => (code::NEXT, 0),
        Ok(Step::Break) => (code::BREAK, 0),
        Ok(Step::Verdict(Verdict::Accept) | Step::Final(Final::Accept)) => (code::ACCEPT, rule),
        Ok(Step::Verdict(Verdict::Drop) | Step::Final(Final::Drop)) => (code::DROP, rule),
        Ok(Step::Verdict(Verdict::Return)) => (code::RETURN, 0),
        // A chain that is not there is an empty one, as in the interpreter: only a state of another ruleset leads there.
        Ok(Step::Verdict(Verdict::Jump(ChainId(chain)))) if chain >= context.chains => {
            (code::BREAK, 0)
        }
        Ok(Step::Verdict(Verdict::Goto(ChainId(chain)))) if chain >= context.chains => {
            (code::RETURN, 0)
        }
        Ok(Step::Verdict(Verdict::Jump(ChainId(chain)))) => (code::JUMP, chain),
        Ok(Step::Verdict(Verdict::Goto(ChainId(chain)))) => (code::GOTO, chain),
        Ok(Step::Final(verdict)) => {
            context.verdict = Some(verdict);
            (code::OTHER, rule)
        }
        Err(panic) => {
            context.panic = Some(panic);
            (code::PANIC, 0)
        }
    };
    u64::from(number) << 32 | u64::from(code)
}
