//! What a rule asks of a packet, read back from its bytecode: field tests in place of loads, masks and compares. Lints reason over it.

mod intervals;
mod read;
mod rows;

pub use intervals::{Intervals, max_of};
pub use read::read;
pub use rows::{Row, rows};

use crate::ct::{CtKey, Direction};
use crate::ids::SetId;
use crate::instr::{Base, Instr, Verdict};
use crate::meta::MetaKey;

/// A rule as tests, then effects, then a verdict.
#[derive(Clone, Debug, Default)]
pub struct Predicate {
    /// All must hold.
    pub tests: Vec<Test>,
    /// Whether `tests` says all that the rule asks: no limit, no test that is not understood, nothing after an effect.
    pub is_exact: bool,
    /// Places in the rule's code that are neither loads nor tests nor the verdict: counters, logs, limits, ...
    pub effects: Vec<usize>,
    /// The verdict at the end, if the rule has one of its own.
    pub verdict: Option<Verdict>,
    /// The rule ends in a verdict map.
    pub verdict_map: Option<SetId>,
    /// What the verdict map looks up.
    pub map_key: Option<Subject>,
}

/// One test of one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// What is tested.
    pub subject: Subject,
    /// Width of the value in bits.
    pub bits: u32,
    /// Which values pass.
    pub pass: Pass,
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Packet bytes.
    Payload {
        /// Where `offset` counts from.
        base: Base,
        /// Bytes from the base.
        offset: u32,
        /// How many bytes.
        len: u8,
    },
    /// Metadata.
    Meta(MetaKey),
    /// Of the connection.
    Ct(CtKey, Option<Direction>),
    /// Several values, one behind the other.
    Concat(Vec<Self>),
    /// Anything else: the place of its load in the rule's code, and the load.
    Other(usize, String),
}

/// Which values pass a test; numbers are the value as people write it, whatever its byte order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// These.
    In(Intervals),
    /// Those with `value & mask == want`, or with `!equal` all others.
    Masked {
        /// Which bits count.
        mask: u128,
        /// What they must be.
        want: u128,
        /// Whether they must be so, or must not.
        equal: bool,
    },
    /// Those in a set that may change or is too wide for numbers, or with `inverted` all others.
    Set {
        /// Which set.
        set: SetId,
        /// All others pass.
        inverted: bool,
    },
}

impl Subject {
    /// The parts of a concatenation; of anything else itself.
    pub fn parts(&self) -> &[Self] {
        if let Self::Concat(parts) = self {
            parts
        } else {
            std::slice::from_ref(self)
        }
    }
}

impl Predicate {
    /// Whether every packet that passes this one's tests passes `other`'s.
    pub fn is_within(&self, other: &Self) -> bool {
        other
            .tests
            .iter()
            .all(|wide| wide.is_always() || self.tests.iter().any(|narrow| narrow.implies(wide)))
    }

    /// The test of a subject, if there is one.
    pub fn test(&self, subject: &Subject) -> Option<&Test> {
        self.tests.iter().find(|test| test.subject == *subject)
    }

    /// Which values of metadata pass all tests; `None` when nothing asks for it in numbers.
    pub fn meta(&self, key: MetaKey) -> Option<&Intervals> {
        self.values(&Subject::Meta(key))
    }

    /// Which values of a connection's key pass all tests; `None` when nothing asks for it in numbers.
    pub fn ct(&self, key: CtKey) -> Option<&Intervals> {
        self.values(&Subject::Ct(key, None))
    }

    /// Which values of a subject pass; `None` when nothing asks for it in numbers.
    pub fn values(&self, subject: &Subject) -> Option<&Intervals> {
        match &self.test(subject)?.pass {
            Pass::In(values) => Some(values),
            Pass::Masked { .. } | Pass::Set { .. } => None,
        }
    }

    /// Whether the verdict ends the packet's way through this chain.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self.verdict,
            Some(Verdict::Accept | Verdict::Drop | Verdict::Goto(_))
        )
    }
}

impl Test {
    /// Whether every value passes.
    pub fn is_always(&self) -> bool {
        match &self.pass {
            Pass::In(values) => values.is_full(self.bits),
            Pass::Masked {
                mask: 0,
                want: 0,
                equal,
            } => *equal,
            Pass::Masked { .. } | Pass::Set { .. } => false,
        }
    }

    /// Whether no value passes.
    pub fn is_never(&self) -> bool {
        match &self.pass {
            Pass::In(values) => values.is_empty(),
            Pass::Masked {
                mask: 0,
                want,
                equal,
            } => (*want == 0) != *equal,
            Pass::Masked { .. } | Pass::Set { .. } => false,
        }
    }

    /// Whether whatever passes this test passes `wide`.
    fn implies(&self, wide: &Self) -> bool {
        if self.subject != wide.subject {
            return false;
        }
        match (&self.pass, &wide.pass) {
            (Pass::In(narrow), Pass::In(wide)) => narrow.is_within(wide),
            (Pass::In(narrow), Pass::Masked { mask, want, equal }) => narrow
                .ranges()
                .iter()
                .all(|(low, high)| low == high && (low & mask == *want) == *equal),
            (narrow, wide) => narrow == wide,
        }
    }
}

/// Whether an instruction only tests or loads.
pub fn is_pure(instr: &Instr) -> bool {
    matches!(
        instr,
        Instr::PayloadLoad { .. }
            | Instr::MetaLoad { .. }
            | Instr::CtLoad { .. }
            | Instr::Cmp { .. }
            | Instr::Range { .. }
            | Instr::Bitwise { .. }
            | Instr::BitwiseShift { .. }
            | Instr::BitwiseReg { .. }
            | Instr::Byteorder { .. }
            | Instr::Lookup { dst: None, .. }
            | Instr::ExthdrLoad { .. }
            | Instr::Fib { .. }
            | Instr::Rt { .. }
            | Instr::Socket { .. }
            | Instr::Osf { .. }
            | Instr::Xfrm { .. }
            | Instr::Tunnel { .. }
    )
}
