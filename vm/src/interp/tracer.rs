//! The interpreter that tells of every rule that it visits: which of the rule's instructions ended it, and what its loads gave. It runs
//! instructions one by one where the other runs fused operations; what both do is the same.

use super::decode::{Program, RuleCode};
use super::run;
use crate::engine::{Engine, Env, Loaded, Outcome, Step, Visit};
use crate::ids::ChainId;
use crate::instr::Instr;
use crate::ops;
use crate::packet::Packet;
use crate::regs::Regs;
use crate::ruleset::Ruleset;
use crate::{Data, Reg};

/// Runs bytecode and tells the host of every rule ([`Host::trace`](crate::Host::trace)).
#[derive(Clone, Debug)]
pub struct Tracer(Program);

impl Tracer {
    /// A tracer for a ruleset.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self(Program::plain(ruleset))
    }
}

impl Engine for Tracer {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
        let program = &self.0;
        run(
            program,
            chain,
            packet,
            env,
            |rule, depth, packet, regs, env| visit(program, rule, depth, packet, regs, env),
        )
    }
}

fn visit(
    program: &Program,
    rule: RuleCode,
    depth: usize,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    let mut visit = Visit {
        rule: rule.id,
        depth,
        step: Step::Next,
        at: 0,
        loads: Vec::new(),
    };
    for instr in program.instrs(rule) {
        visit.step = ops::run(instr, rule.id, packet, regs, env);
        if visit.step != Step::Next {
            break;
        }
        let loaded = target(instr).and_then(|dst| Data::new(regs.get(dst, 16)));
        visit
            .loads
            .extend(loaded.map(|data| Loaded { at: visit.at, data }));
        visit.at += 1;
    }
    env.host.trace(packet, &visit);
    visit.step
}

/// Where an instruction puts what it has from outside the registers.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other instruction works on registers or has an effect"
)]
fn target(instr: &Instr) -> Option<Reg> {
    match instr {
        Instr::PayloadLoad { dst, .. }
        | Instr::MetaLoad { dst, .. }
        | Instr::CtLoad { dst, .. }
        | Instr::ExthdrLoad { dst, .. }
        | Instr::Fib { dst, .. }
        | Instr::Rt { dst, .. }
        | Instr::Socket { dst, .. }
        | Instr::Osf { dst, .. }
        | Instr::Xfrm { dst, .. }
        | Instr::Tunnel { dst, .. }
        | Instr::Numgen { dst, .. }
        | Instr::Symhash { dst, .. } => Some(*dst),
        Instr::Inner { load, .. } => target(load),
        _ => None,
    }
}
