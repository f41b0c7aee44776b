//! Checks a ruleset before it runs. What passes here, engines may assume: registers are in range and written before they are read,
//! ids lead somewhere, jumps end.

mod access;
mod chains;
mod operands;
mod sets;

pub use access::{Access, access};
pub use chains::MAX_CHAINS;

use thiserror::Error;

use crate::ids::{ChainId, RuleId, SetId, StateId};
use crate::ruleset::{Ruleset, StateSpec};

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {kind}")]
pub struct VerifyError {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: VerifyErrorKind,
}

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A rule's instruction, counted from 0.
    Instr(RuleId, u32),
    /// A chain.
    Chain(ChainId),
    /// A set.
    Set(SetId),
    /// A stateful expression.
    State(StateId),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instr(rule, pc) => write!(f, "rule {} instruction {pc}", rule.0),
            Self::Chain(chain) => write!(f, "chain {}", chain.0),
            Self::Set(set) => write!(f, "set {}", set.0),
            Self::State(state) => write!(f, "state {}", state.0),
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyErrorKind {
    /// Nothing to load, compare or store, or more than a register file holds.
    #[error("length out of range")]
    BadLength,
    /// Goes past the end of the register file.
    #[error("register out of range")]
    RegisterRange,
    /// Nothing in this rule wrote these bytes.
    #[error("register read before it is written")]
    Uninitialized,
    /// The two operands have not the same length.
    #[error("operands of different length")]
    LengthMismatch,
    /// A shift, number size, modulus or family that has no meaning.
    #[error("operand out of range")]
    BadOperand,
    /// No such table, chain, rule, set or state.
    #[error("leads nowhere")]
    Dangling,
    /// The set holds something else than what the instruction wants.
    #[error("set of another kind")]
    WrongSet,
    /// The state is of another kind.
    #[error("state of another kind")]
    WrongState,
    /// A jump into a base chain.
    #[error("jump into a base chain")]
    JumpToBase,
    /// A jump into a chain of another table.
    #[error("jump into another table")]
    JumpToOtherTable,
    /// Chains that jump in a circle, or more than [`MAX_CHAINS`] deep.
    #[error("jump loop, or too many chains deep")]
    TooDeep,
    /// Vectors of a set's elements that do not fit together.
    #[error("elements do not fit together")]
    BadElements,
    /// A rate of zero, or a unit of zero.
    #[error("rate of zero")]
    ZeroRate,
}

/// Collects errors.
struct Verifier<'a> {
    ruleset: &'a Ruleset,
    errors: Vec<VerifyError>,
}

impl Verifier<'_> {
    fn fail(&mut self, place: Place, kind: VerifyErrorKind) {
        self.errors.push(VerifyError { place, kind });
    }

    fn check(&mut self, holds: bool, place: Place, kind: VerifyErrorKind) {
        if !holds {
            self.fail(place, kind);
        }
    }
}

/// Everything that is wrong with a ruleset; nothing when it may run. Rules of deleted chains are not looked at: they do not run.
pub fn verify(ruleset: &Ruleset) -> Vec<VerifyError> {
    let mut verifier = Verifier {
        ruleset,
        errors: Vec::new(),
    };
    verifier.states();
    verifier.sets();
    verifier.chains();
    verifier.depth();
    verifier.errors
}

impl Verifier<'_> {
    fn states(&mut self) {
        for (spec, index) in self.ruleset.states.iter().zip(0..) {
            self.state(spec, Place::State(StateId(index)));
        }
    }

    fn state(&mut self, spec: &StateSpec, place: Place) {
        if let StateSpec::Limit(limit) = spec {
            let holds = limit.rate != 0 && limit.unit_secs != 0;
            self.check(holds, place, VerifyErrorKind::ZeroRate);
        }
    }
}

/// An index as an id's number.
fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
