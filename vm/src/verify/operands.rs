//! Operands that are no registers: ids, lengths, numbers with a range.

use super::{Place, Verifier, VerifyErrorKind};
use crate::family::nfproto;
use crate::ids::{SetId, StateId};
use crate::instr::{Dynset, Instr, Nat, ObjectKind};
use crate::ruleset::{SetData, StateSpec, set_flags};

/// nft's number for both IP families, where NAT names a port alone.
const INET: u8 = 1;

impl Verifier<'_> {
    /// Checks an instruction's operands.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other instruction has no operand but registers, or any value is good"
    )]
    pub(super) fn operands(&mut self, instr: &Instr, place: Place) {
        match instr {
            Instr::Range { from, to, .. } => self.same(from.len(), to.len(), place),
            Instr::Bitwise { mask, xor, .. } => self.same(mask.len(), xor.len(), place),
            Instr::BitwiseShift { bits, .. } => self.operand(*bits < 32, place),
            Instr::Byteorder { size, .. } => self.operand(matches!(size, 2 | 4 | 8), place),
            Instr::Numgen {
                modulus,
                offset,
                state,
                random,
                ..
            } => {
                self.modulus(*modulus, *offset, place);
                if !*random {
                    self.slot(*state, |spec| *spec == StateSpec::Numgen, place);
                }
            }
            Instr::Jhash {
                modulus, offset, ..
            }
            | Instr::Symhash {
                modulus, offset, ..
            } => self.modulus(*modulus, *offset, place),
            Instr::Lookup { set, dst, .. } => {
                let holds = |data| dst.is_none() || matches!(data, SetData::Value(_));
                self.set_holds(*set, holds, place);
            }
            Instr::LookupVerdict { set, .. } => {
                self.set_holds(*set, |data| data == SetData::Verdict, place);
            }
            Instr::ObjrefMap { set, .. } => {
                self.set_holds(*set, |data| matches!(data, SetData::Object(_)), place);
            }
            Instr::Dynset(dynset) => self.dynset(dynset, place),
            Instr::Nat(nat) => self.nat(nat, place),
            Instr::Queue { num, .. } => self.operand(num.0 <= num.1, place),
            Instr::Inner { load, .. } => {
                let loads = matches!(
                    **load,
                    Instr::PayloadLoad { .. } | Instr::MetaLoad { .. } | Instr::ExthdrLoad { .. }
                );
                self.operand(loads, place);
            }
            _ => self.stateful(instr, place),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest refers to no state"
    )]
    fn stateful(&mut self, instr: &Instr, place: Place) {
        match instr {
            Instr::Counter { state } => {
                self.slot(*state, |s| matches!(s, StateSpec::Counter { .. }), place);
            }
            Instr::Limit { state } => {
                self.slot(*state, |s| matches!(s, StateSpec::Limit(_)), place);
            }
            Instr::Quota { state } => {
                self.slot(*state, |s| matches!(s, StateSpec::Quota { .. }), place);
            }
            Instr::Last { state } => {
                self.slot(*state, |s| matches!(s, StateSpec::Last { .. }), place);
            }
            Instr::Connlimit { state } => {
                self.slot(*state, |s| matches!(s, StateSpec::Connlimit { .. }), place);
            }
            Instr::Objref { kind, state } => {
                self.slot(*state, |spec| is_kind(spec, *kind), place);
            }
            _ => {}
        }
    }

    fn operand(&mut self, holds: bool, place: Place) {
        self.check(holds, place, VerifyErrorKind::BadOperand);
    }

    fn same(&mut self, one: u8, other: u8, place: Place) {
        self.check(one == other, place, VerifyErrorKind::LengthMismatch);
    }

    fn modulus(&mut self, modulus: u32, offset: u32, place: Place) {
        let holds = modulus > 0 && offset.checked_add(modulus - 1).is_some();
        self.operand(holds, place);
    }

    fn slot(&mut self, state: StateId, holds: impl Fn(&StateSpec) -> bool, place: Place) {
        match self.ruleset.states.get(state.index()) {
            Some(spec) => self.check(holds(spec), place, VerifyErrorKind::WrongState),
            None => self.fail(place, VerifyErrorKind::Dangling),
        }
    }

    fn set_holds(&mut self, set: SetId, holds: impl Fn(SetData) -> bool, place: Place) {
        match self.ruleset.sets.get(set.index()) {
            Some(set) => self.check(holds(set.data), place, VerifyErrorKind::WrongSet),
            None => self.fail(place, VerifyErrorKind::Dangling),
        }
    }

    fn dynset(&mut self, dynset: &Dynset, place: Place) {
        let Some(set) = self.ruleset.sets.get(dynset.set.index()) else {
            return self.fail(place, VerifyErrorKind::Dangling);
        };
        let plain = matches!(set.data, SetData::None);
        let fits = match set.data {
            SetData::Value(_) => true,
            SetData::None | SetData::Verdict | SetData::Object(_) => dynset.data.is_none(),
        };
        let changeable = set.flags & set_flags::CONSTANT == 0;
        self.check(
            changeable && (plain || fits),
            place,
            VerifyErrorKind::WrongSet,
        );
        for spec in &dynset.exprs {
            self.state(spec, place);
        }
    }

    fn nat(&mut self, nat: &Nat, place: Place) {
        let family = match nat.nfproto {
            nfproto::IPV4 | nfproto::IPV6 => true,
            INET => nat.addr_min.is_none(),
            _ => false,
        };
        let low_first = (nat.addr_max.is_none() || nat.addr_min.is_some())
            && (nat.proto_max.is_none() || nat.proto_min.is_some());
        self.operand(family && low_first, place);
    }
}

const fn is_kind(spec: &StateSpec, kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::Counter => matches!(spec, StateSpec::Counter { .. }),
        ObjectKind::Quota => matches!(spec, StateSpec::Quota { .. }),
        ObjectKind::CtHelper => matches!(spec, StateSpec::CtHelper { .. }),
        ObjectKind::Limit => matches!(spec, StateSpec::Limit(_)),
        ObjectKind::CtTimeout => matches!(spec, StateSpec::CtTimeout { .. }),
        ObjectKind::Tunnel => matches!(spec, StateSpec::Tunnel(_)),
        ObjectKind::Secmark => matches!(spec, StateSpec::Secmark(_)),
        ObjectKind::CtExpectation => matches!(spec, StateSpec::CtExpectation { .. }),
        ObjectKind::Synproxy => matches!(spec, StateSpec::Synproxy { .. }),
    }
}
