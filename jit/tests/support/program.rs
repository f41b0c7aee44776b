//! Short ways to write instructions.

use redan_vm::ids::{ChainId, StateId};
use redan_vm::instr::{Base, CmpOp};
use redan_vm::meta::MetaKey;
use redan_vm::{Data, Instr, Reg, Verdict};

/// The register with nft's number.
pub(crate) fn reg(number: u8) -> Reg {
    Reg::new(number).expect("a register")
}

/// Up to 16 bytes.
pub(crate) fn data(bytes: &[u8]) -> Data {
    Data::new(bytes).expect("at most 16 bytes")
}

/// A payload load into register 1.
pub(crate) fn load(base: Base, offset: u32, len: u8) -> Instr {
    load_to(base, offset, len, Reg::R1)
}

/// A payload load.
pub(crate) fn load_to(base: Base, offset: u32, len: u8, dst: Reg) -> Instr {
    Instr::PayloadLoad {
        base,
        offset,
        len,
        dst,
    }
}

/// A metadata load into register 1.
pub(crate) fn meta(key: MetaKey) -> Instr {
    Instr::MetaLoad { key, dst: Reg::R1 }
}

/// A constant.
pub(crate) fn set(dst: Reg, bytes: &[u8]) -> Instr {
    Instr::Immediate {
        dst,
        data: data(bytes),
    }
}

/// A comparison of register 1.
pub(crate) fn cmp(op: CmpOp, bytes: &[u8]) -> Instr {
    cmp_at(op, Reg::R1, bytes)
}

/// A comparison.
pub(crate) fn cmp_at(op: CmpOp, src: Reg, bytes: &[u8]) -> Instr {
    Instr::Cmp {
        op,
        src,
        data: data(bytes),
    }
}

/// Register 1 is these bytes.
pub(crate) fn equals(bytes: &[u8]) -> Instr {
    cmp(CmpOp::Eq, bytes)
}

/// A verdict.
pub(crate) fn verdict(verdict: Verdict) -> Instr {
    Instr::ImmediateVerdict { verdict }
}

/// Accept.
pub(crate) fn accept() -> Instr {
    verdict(Verdict::Accept)
}

/// Drop.
pub(crate) fn drop_it() -> Instr {
    verdict(Verdict::Drop)
}

/// Jump to a chain.
pub(crate) fn jump(chain: u32) -> Instr {
    verdict(Verdict::Jump(ChainId(chain)))
}

/// Goto a chain.
pub(crate) fn goto(chain: u32) -> Instr {
    verdict(Verdict::Goto(ChainId(chain)))
}

/// Count.
pub(crate) fn counter(state: u32) -> Instr {
    let state = StateId(state);
    Instr::Counter { state }
}
