//! The slow obvious engine: every instruction through [`ops::run`], every chain by recursion.

use redan_vm::ids::{ChainId, RuleId};
use redan_vm::ops::{self, Step};
use redan_vm::ruleset::Policy;
use redan_vm::{Engine, Env, Final, Outcome, Packet, Regs, Ruleset, Verdict};

/// Runs rules as they are written.
pub(crate) struct Reference<'r> {
    pub(crate) ruleset: &'r Ruleset,
}

/// A run of a base chain.
struct Run<'r, 'p, 'e, 'h> {
    ruleset: &'r Ruleset,
    packet: &'p mut Packet,
    env: &'e mut Env<'h>,
    regs: Regs,
}

impl Engine for Reference<'_> {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
        let mut run = Run {
            ruleset: self.ruleset,
            packet,
            env,
            regs: Regs::default(),
        };
        let decided = run.chain(chain);
        decided.unwrap_or_else(|| {
            let base = self.ruleset.chains[chain.index()].base.as_ref();
            Outcome {
                verdict: match base.expect("a base chain").policy {
                    Policy::Accept => Final::Accept,
                    Policy::Drop => Final::Drop,
                },
                rule: None,
            }
        })
    }
}

impl Run<'_, '_, '_, '_> {
    /// The outcome, unless the chain ends or returns.
    fn chain(&mut self, chain: ChainId) -> Option<Outcome> {
        let ruleset = self.ruleset;
        for &rule in &ruleset.chains[chain.index()].rules {
            let decide = |verdict| {
                Some(Outcome {
                    verdict,
                    rule: Some(rule),
                })
            };
            match self.rule(rule) {
                Step::Next | Step::Break | Step::Verdict(Verdict::Continue) => {}
                Step::Verdict(Verdict::Accept) => return decide(Final::Accept),
                Step::Verdict(Verdict::Drop) => return decide(Final::Drop),
                Step::Verdict(Verdict::Return) => return None,
                Step::Verdict(Verdict::Goto(to)) => return self.chain(to),
                Step::Verdict(Verdict::Jump(to)) => {
                    if let Some(outcome) = self.chain(to) {
                        return Some(outcome);
                    }
                }
                Step::Final(verdict) => return decide(verdict),
            }
        }
        None
    }

    fn rule(&mut self, rule: RuleId) -> Step {
        let ruleset = self.ruleset;
        for instr in &ruleset.rules[rule.index()].code {
            match ops::run(instr, rule, self.packet, &mut self.regs, self.env) {
                Step::Next => {}
                step @ (Step::Break | Step::Verdict(_) | Step::Final(_)) => return step,
            }
        }
        Step::Next
    }
}
