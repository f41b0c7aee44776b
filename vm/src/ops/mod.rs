//! What the instructions do, one function a family. Both engines call these for all that they do not do in line themselves, so that
//! they cannot differ; [`run`] does any one instruction and is what an engine falls back to.

use crate::engine::{Env, Final};
use crate::ids::RuleId;
use crate::instr::{Instr, Verdict};
use crate::packet::Packet;
use crate::regs::Regs;

/// How an instruction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// On with the next instruction.
    Next,
    /// The rule does not match.
    Break,
    /// The verdict register has been written. A verdict of `continue` ends the rule, as every verdict does.
    Verdict(Verdict),
    /// The base chain is over with a verdict that the register cannot hold (reject, queue, stolen).
    Final(Final),
}

impl Step {
    /// [`Self::Next`] when it holds, else [`Self::Break`].
    #[inline]
    pub const fn when(holds: bool) -> Self {
        if holds { Self::Next } else { Self::Break }
    }
}

/// Runs one instruction of a rule, whatever it is.
pub fn run(
    instr: &Instr,
    rule: RuleId,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    let _ = (instr, rule, packet, regs, env);
    Step::Break
}
