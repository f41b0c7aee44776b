//! What puts a value into a register: constants, packet bytes, metadata, conntrack.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use redan_vm::ct::CtKey;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::packet::{CtView, Layout, Meta, layout_flags};
use redan_vm::state::Counter;
use redan_vm::{Data, Packet, Reg};

use super::compare::dwords;
use super::registers::Word;
use super::{Reach, RuleEmitter};
use crate::context::{at, offset, view_index};

/// A field of the packet's fixed part, as it goes to a register.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    /// A number of this many bytes (1, 2 or 4), in the machine's order.
    Number(usize, u32),
    /// A two-byte number that goes to the register in network order.
    Network16(usize),
    /// Sixteen bytes.
    Name(usize),
}

impl RuleEmitter<'_, '_> {
    /// `immediate`.
    pub(super) fn immediate(&mut self, dst: Reg, data: &Data) -> Reach {
        let [low, high] = dwords(data);
        let at = dst.offset();
        let len = usize::from(data.len());
        if len > 0 {
            self.constant_dword(at, low, len.min(8));
        }
        if len > 8 {
            self.constant_dword(at + 8, high, len - 8);
        }
        Reach::On
    }

    fn constant_dword(&mut self, at: usize, value: u64, len: usize) {
        let imm = i64::from_ne_bytes(value.to_ne_bytes());
        if len > 4 {
            let value = self.fb.ins().iconst(types::I64, imm);
            self.registers.set_dword(self.fb, at, value);
        } else {
            let bits = u64::BITS - value.leading_zeros();
            let value = self.fb.ins().iconst(types::I32, imm);
            self.registers.set_word(self.fb, at, Word { value, bits });
        }
    }

    /// `payload load`: breaks when the bytes are not all there.
    pub(super) fn payload_load(&mut self, base: Base, from: u32, len: u8, dst: Reg) -> Reach {
        let view = view_index(base, from, len);
        let end = u64::from(from) + u64::from(len);
        let Ok(from) = i32::try_from(from) else {
            // No frame is that long.
            return self.break_always();
        };
        let flags = MemFlagsData::trusted();
        if self.checked.get(view).is_some_and(|&known| known < end) {
            let there = self
                .fb
                .ins()
                .load(types::I64, flags, self.context, at::view_len(view));
            let end_imm = i64::from_ne_bytes(end.to_ne_bytes());
            let short = self
                .fb
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThan, there, end_imm);
            self.break_if_unlikely(short);
            if let Some(known) = self.checked.get_mut(view) {
                *known = end;
            }
        }
        let start = self
            .fb
            .ins()
            .load(types::I64, flags, self.context, at::view_start(view));
        self.copy(start, from, usize::from(len), dst);
        Reach::On
    }

    /// Copies `len` bytes behind an address to a register; the last word is filled up with zeros.
    fn copy(&mut self, start: Value, from: i32, len: usize, dst: Reg) {
        let flags = MemFlagsData::new().with_notrap();
        let mut done = 0;
        while done < len {
            let source = from + offset(done);
            let at = dst.offset() + done;
            if len - done >= 8 {
                let value = self.fb.ins().load(types::I64, flags, start, source);
                self.registers.set_dword(self.fb, at, value);
                done += 8;
                continue;
            }
            let word = match len - done {
                1 => self.number(start, source, 1),
                2 => self.number(start, source, 2),
                3 => {
                    let low = self.number(start, source, 2).value;
                    let high = self.number(start, source + 2, 1).value;
                    let high = self.fb.ins().ishl_imm_u(high, 16);
                    Word {
                        value: self.fb.ins().bor(low, high),
                        bits: 24,
                    }
                }
                _ => self.number(start, source, 4),
            };
            self.registers.set_word(self.fb, at, word);
            done += 4;
        }
    }

    /// A number of 1, 2 or 4 bytes in the machine's order, which may lie anywhere.
    fn number(&mut self, start: Value, at: i32, bytes: u32) -> Word {
        let flags = MemFlagsData::new().with_notrap();
        let value = match bytes {
            1 => self.fb.ins().uload8(types::I32, flags, start, at),
            2 => self.fb.ins().uload16(types::I32, flags, start, at),
            _ => self.fb.ins().load(types::I32, flags, start, at),
        };
        Word {
            value,
            bits: bytes * 8,
        }
    }

    fn packet_field(&mut self, field: Field, dst: Reg) {
        let word = match field {
            Field::Number(at, bytes) => self.number(self.packet, offset(at), bytes),
            Field::Network16(at) => {
                let word = self.number(self.packet, offset(at), 2);
                let swapped = self.fb.ins().bswap(word.value);
                Word {
                    value: self.fb.ins().ushr_imm_u(swapped, 16),
                    bits: 16,
                }
            }
            Field::Name(at) => return self.copy(self.packet, offset(at), 16, dst),
        };
        self.registers.set_word(self.fb, dst.offset(), word);
    }

    /// `meta load` of a key that lies in the packet.
    pub(super) fn meta_load(&mut self, key: MetaKey, field: Field, dst: Reg) -> Reach {
        if key == MetaKey::L4proto {
            self.require_l4proto();
        }
        self.packet_field(field, dst);
        Reach::On
    }

    /// Breaks when the layer 4 protocol is not known.
    fn require_l4proto(&mut self) {
        let at = offset_of!(Packet, layout) + offset_of!(Layout, flags);
        let flags = self.number(self.packet, offset(at), 1).value;
        let known = self
            .fb
            .ins()
            .band_imm_u(flags, i64::from(layout_flags::L4PROTO));
        let unknown = self.fb.ins().icmp_imm_u(IntCC::Equal, known, 0);
        self.break_if_unlikely(unknown);
    }

    /// `ct load` of a key that lies in the packet: all but the state break for a packet without an entry.
    pub(super) fn ct_load(&mut self, key: CtKey, field: Field, dst: Reg) -> Reach {
        if key != CtKey::State {
            let at = offset_of!(Packet, ct) + offset_of!(CtView, has_entry);
            let entry = self.number(self.packet, offset(at), 1).value;
            let none = self.fb.ins().icmp_imm_u(IntCC::Equal, entry, 0);
            self.break_if_unlikely(none);
        }
        self.packet_field(field, dst);
        Reach::On
    }

    /// Counts the packet.
    pub(super) fn counter(&mut self, counter: u32) -> Reach {
        let flags = MemFlagsData::trusted();
        let counters = self
            .fb
            .ins()
            .load(types::I64, flags, self.context, at::COUNTERS);
        let counter = self.element(counters, counter, size_of::<Counter>());
        let packets = offset(offset_of!(Counter, packets));
        let bytes = offset(offset_of!(Counter, bytes));
        let old = self.fb.ins().load(types::I64, flags, counter, packets);
        let new = self.fb.ins().iadd_imm_u(old, 1);
        self.fb.ins().store(flags, new, counter, packets);
        let len = self.number(self.packet, offset(META + offset_of!(Meta, len)), 4);
        let len = self.fb.ins().uextend(types::I64, len.value);
        let old = self.fb.ins().load(types::I64, flags, counter, bytes);
        let new = self.fb.ins().iadd(old, len);
        self.fb.ins().store(flags, new, counter, bytes);
        Reach::On
    }

    /// The address of an element of a table, however far from its start.
    pub(super) fn element(&mut self, table: Value, index: u32, size: usize) -> Value {
        let at = u64::from(index).saturating_mul(size as u64);
        self.fb
            .ins()
            .iadd_imm_u(table, i64::try_from(at).unwrap_or(i64::MAX))
    }
}

/// Metadata that is loaded in line, and where it lies.
const META_FIELDS: &[(MetaKey, Field)] = &[
    (
        MetaKey::Length,
        Field::Number(META + offset_of!(Meta, len), 4),
    ),
    (
        MetaKey::Mark,
        Field::Number(META + offset_of!(Meta, mark), 4),
    ),
    (
        MetaKey::Priority,
        Field::Number(META + offset_of!(Meta, priority), 4),
    ),
    (MetaKey::Iif, Field::Number(META + offset_of!(Meta, iif), 4)),
    (MetaKey::Oif, Field::Number(META + offset_of!(Meta, oif), 4)),
    (
        MetaKey::Iifname,
        Field::Name(META + offset_of!(Meta, iifname)),
    ),
    (
        MetaKey::Oifname,
        Field::Name(META + offset_of!(Meta, oifname)),
    ),
    (
        MetaKey::Pkttype,
        Field::Number(META + offset_of!(Meta, pkttype), 1),
    ),
    (
        MetaKey::Nfproto,
        Field::Number(META + offset_of!(Meta, nfproto), 1),
    ),
    (
        MetaKey::L4proto,
        Field::Number(LAYOUT + offset_of!(Layout, l4proto), 1),
    ),
    (
        MetaKey::Protocol,
        Field::Network16(LAYOUT + offset_of!(Layout, ethertype)),
    ),
];

/// Conntrack keys that are loaded in line, and where they lie.
const CT_FIELDS: &[(CtKey, Field)] = &[
    (
        CtKey::State,
        Field::Number(CT + offset_of!(CtView, state), 4),
    ),
    (
        CtKey::Status,
        Field::Number(CT + offset_of!(CtView, status), 4),
    ),
    (CtKey::Mark, Field::Number(CT + offset_of!(CtView, mark), 4)),
    (
        CtKey::Direction,
        Field::Number(CT + offset_of!(CtView, direction), 1),
    ),
];

const META: usize = offset_of!(Packet, meta);
const LAYOUT: usize = offset_of!(Packet, layout);
const CT: usize = offset_of!(Packet, ct);

/// Where a key of `meta` lies, if it is loaded in line.
pub(super) fn meta_field(key: MetaKey) -> Option<Field> {
    find(META_FIELDS, &key)
}

/// Where a key of `ct` lies, if it is loaded in line.
pub(super) fn ct_field(key: CtKey) -> Option<Field> {
    find(CT_FIELDS, &key)
}

/// The row of a key.
fn find<K: PartialEq>(fields: &[(K, Field)], key: &K) -> Option<Field> {
    fields
        .iter()
        .find(|(k, _)| k == key)
        .map(|&(_, field)| field)
}
