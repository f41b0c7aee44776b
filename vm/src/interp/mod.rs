//! The interpreter: flat decoded code, run rule by rule (`nf_tables_core.c: nft_do_chain`). It assumes what
//! [`verify`](crate::verify) accepted; code that was not verified cannot make it panic, but can make it loop.

mod decode;
mod op;
mod step;
mod tracer;

pub use tracer::Tracer;

use decode::{Program, RuleCode, Span};

use crate::engine::{Engine, Env, Final, Outcome};
use crate::ids::{ChainId, RuleId};
use crate::instr::Verdict;
use crate::ops::Step;
use crate::packet::Packet;
use crate::regs::Regs;
use crate::ruleset::{Policy, Ruleset};

/// How deep jumps may go: the kernel's `NFT_JUMP_STACK_SIZE`.
pub const JUMP_DEPTH: usize = 16;

/// Runs bytecode directly.
#[derive(Clone, Debug)]
pub struct Interpreter {
    program: Program,
}

impl Interpreter {
    /// An interpreter for a ruleset.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self {
            program: Program::new(ruleset),
        }
    }
}

impl Engine for Interpreter {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
        let program = &self.program;
        run(program, chain, packet, env, |rule, _, packet, regs, env| {
            step::rule(program, rule, packet, regs, env)
        })
    }
}

/// Where a chain goes on, and the chains to return to.
struct Stack {
    now: Span,
    depth: usize,
    saved: [Span; JUMP_DEPTH],
}

impl Stack {
    /// Into a chain; `false` when jumps are too deep, which the verifier rules out.
    fn jump(&mut self, to: Span) -> bool {
        let Some(place) = self.saved.get_mut(self.depth) else {
            return false;
        };
        *place = self.now;
        self.depth += 1;
        self.now = to;
        true
    }

    /// Back to the rule behind the jump; `false` at the base chain's level.
    fn pop(&mut self) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else {
            return false;
        };
        self.depth = depth;
        self.now = self.saved.get(depth).copied().unwrap_or_default();
        true
    }
}

/// Runs a base chain, each rule by `run_rule`, which is also told how many jumps deep it stands.
#[expect(
    clippy::inline_always,
    reason = "one copy an engine, with the engine's way to run a rule in it"
)]
#[inline(always)]
fn run(
    program: &Program,
    chain: ChainId,
    packet: &mut Packet,
    env: &mut Env<'_>,
    mut run_rule: impl FnMut(RuleCode, usize, &mut Packet, &mut Regs, &mut Env<'_>) -> Step,
) -> Outcome {
    let mut regs = Regs::default();
    let mut stack = Stack {
        now: program.chain(chain),
        depth: 0,
        saved: [Span::default(); JUMP_DEPTH],
    };
    loop {
        let Some(rule) = program.next_rule(&mut stack.now) else {
            if stack.pop() {
                continue;
            }
            return by_policy(program.policy(chain));
        };
        let verdict = match run_rule(rule, stack.depth, packet, &mut regs, env) {
            Step::Next | Step::Break => continue,
            Step::Verdict(verdict) => verdict,
            Step::Final(verdict) => return by_rule(verdict, rule.id),
        };
        let goes_on = match verdict {
            Verdict::Accept => return by_rule(Final::Accept, rule.id),
            Verdict::Drop => return by_rule(Final::Drop, rule.id),
            Verdict::Continue => true,
            Verdict::Return => stack.pop(),
            Verdict::Jump(to) => {
                if !stack.jump(program.chain(to)) {
                    return by_rule(Final::Drop, rule.id);
                }
                true
            }
            Verdict::Goto(to) => {
                stack.now = program.chain(to);
                true
            }
        };
        if !goes_on {
            return by_policy(program.policy(chain));
        }
    }
}

const fn by_rule(verdict: Final, rule: RuleId) -> Outcome {
    Outcome {
        verdict,
        rule: Some(rule),
    }
}

const fn by_policy(policy: Policy) -> Outcome {
    Outcome {
        verdict: match policy {
            Policy::Accept => Final::Accept,
            Policy::Drop => Final::Drop,
        },
        rule: None,
    }
}
