//! The machine's registers while a rule is compiled: which of their bytes are at hand as SSA values.
//!
//! A value is written to the register file only when a helper will read it there, so most rules never touch the file. That is all right
//! because a rule reads nothing but what it has written itself: the verifier sees to it.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use redan_vm::REGISTER_BYTES;

use crate::context::{at, offset};

/// Bytes of one register slot.
const SLOT: usize = 4;

/// A part of the register file that is at hand as a value.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it starts, in bytes: a multiple of [`SLOT`].
    at: usize,
    /// The value: 8 bytes when `wide`, else 4.
    value: Value,
    /// An `i64` over two slots, or an `i32` over one.
    wide: bool,
    /// How many of the value's low bits may be set.
    bits: u32,
    /// Whether the register file holds it too.
    stored: bool,
}

impl Piece {
    fn end(&self) -> usize {
        self.at + if self.wide { 2 * SLOT } else { SLOT }
    }
}

/// A value of one slot, with how many of its low bits may be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// An `i32`.
    pub(super) value: Value,
    /// Bits above these are zero.
    pub(super) bits: u32,
}

/// What is known of the register file at one point of a rule.
#[derive(Clone, Debug)]
pub(super) struct Registers {
    /// Address of the context, which holds the register file.
    context: Value,
    pieces: Vec<Piece>,
}

impl Registers {
    /// Nothing known.
    pub(super) fn new(context: Value) -> Self {
        Self {
            context,
            pieces: Vec::new(),
        }
    }

    /// Forgets everything: a helper has written the file.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
    }

    /// Writes four bytes at `at`.
    pub(super) fn set_word(&mut self, fb: &mut FunctionBuilder<'_>, at: usize, word: Word) {
        self.set(
            fb,
            Piece {
                at,
                value: word.value,
                wide: false,
                bits: word.bits,
                stored: false,
            },
        );
    }

    /// Writes eight bytes at `at`.
    pub(super) fn set_dword(&mut self, fb: &mut FunctionBuilder<'_>, at: usize, value: Value) {
        self.set(
            fb,
            Piece {
                at,
                value,
                wide: true,
                bits: 64,
                stored: false,
            },
        );
    }

    fn set(&mut self, fb: &mut FunctionBuilder<'_>, piece: Piece) {
        self.displace(fb, piece.at, piece.end());
        self.pieces.push(piece);
    }

    /// Makes room for new bytes: drops the pieces that they cover and halves those that they cover in part.
    fn displace(&mut self, fb: &mut FunctionBuilder<'_>, from: usize, to: usize) {
        let mut halves = Vec::new();
        self.pieces.retain(|piece| {
            let overlaps = piece.at < to && from < piece.end();
            if overlaps && piece.wide {
                halves.extend([(*piece, 0), (*piece, SLOT)]);
            }
            !overlaps
        });
        for (piece, half) in halves {
            let at = piece.at + half;
            if at + SLOT <= from || to <= at {
                let value = half_of(fb, piece.value, half);
                self.pieces.push(Piece {
                    at,
                    value,
                    wide: false,
                    bits: 32,
                    stored: piece.stored,
                });
            }
        }
    }

    /// Four bytes at `at`.
    pub(super) fn word(&mut self, fb: &mut FunctionBuilder<'_>, at: usize) -> Word {
        if let Some(piece) = self.pieces.iter().find(|p| p.at <= at && at < p.end()) {
            return if piece.wide {
                Word {
                    value: half_of(fb, piece.value, at - piece.at),
                    bits: 32,
                }
            } else {
                Word {
                    value: piece.value,
                    bits: piece.bits,
                }
            };
        }
        let value = fb
            .ins()
            .load(types::I32, file_flags(), self.context, file_offset(at));
        self.pieces.push(Piece {
            at,
            value,
            wide: false,
            bits: 32,
            stored: true,
        });
        Word { value, bits: 32 }
    }

    /// Eight bytes at `at`.
    pub(super) fn dword(&mut self, fb: &mut FunctionBuilder<'_>, at: usize) -> Value {
        if let Some(piece) = self.pieces.iter().find(|p| p.wide && p.at == at) {
            return piece.value;
        }
        let end = at + 2 * SLOT;
        if self.pieces.iter().any(|p| p.at < end && at < p.end()) {
            let low = self.word(fb, at).value;
            let high = self.word(fb, at + SLOT).value;
            let low = fb.ins().uextend(types::I64, low);
            let high = fb.ins().uextend(types::I64, high);
            let high = fb.ins().ishl_imm_u(high, 32);
            return fb.ins().bor(low, high);
        }
        let value = fb
            .ins()
            .load(types::I64, file_flags(), self.context, file_offset(at));
        self.pieces.push(Piece {
            at,
            value,
            wide: true,
            bits: 64,
            stored: true,
        });
        value
    }

    /// Brings the register file up to date, for a helper that reads it.
    pub(super) fn spill(&mut self, fb: &mut FunctionBuilder<'_>) {
        for index in 0..self.pieces.len() {
            let Some(piece) = self.pieces.get(index).copied() else {
                continue;
            };
            if !piece.stored {
                self.store(fb, piece);
            }
            if let Some(piece) = self.pieces.get_mut(index) {
                piece.stored = true;
            }
        }
    }

    fn store(&self, fb: &mut FunctionBuilder<'_>, piece: Piece) {
        fb.ins().store(
            file_flags(),
            piece.value,
            self.context,
            file_offset(piece.at),
        );
    }
}

/// The low (`half` 0) or high half of a wide value.
fn half_of(fb: &mut FunctionBuilder<'_>, value: Value, half: usize) -> Value {
    let value = if half == 0 {
        value
    } else {
        fb.ins().ushr_imm_u(value, 32)
    };
    fb.ins().ireduce(types::I32, value)
}

/// Register file accesses never trap; pieces are aligned to 4 bytes only.
fn file_flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// Where byte `byte` of the register file is in the context.
fn file_offset(byte: usize) -> i32 {
    debug_assert!(byte < REGISTER_BYTES, "register file byte {byte}");
    at::REGISTERS + offset(byte)
}
