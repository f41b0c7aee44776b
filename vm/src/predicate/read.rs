//! Bytecode to tests: follows values from loads through masks and conversions to compares.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not followed makes a rule inexact, so that a new instruction is safe without an arm"
)]

use super::{Intervals, Pass, Predicate, Subject, Test, is_pure, max_of};
use crate::Data;
use crate::Reg;
use crate::ct::{CtKey, state};
use crate::datatype::DataType;
use crate::family::Family;
use crate::ids::{RuleId, SetId};
use crate::instr::{Base, ByteorderOp, CmpOp, Instr};
use crate::meta::ByteOrder;
use crate::ruleset::{Elements, Rule, Ruleset, Set, SetData, set_flags};

/// What rule `id` asks of a packet.
pub fn read(ruleset: &Ruleset, id: RuleId) -> Predicate {
    let Some(rule) = ruleset.rules.get(id.index()) else {
        return Predicate::default();
    };
    let family = ruleset
        .chains
        .get(rule.chain.index())
        .and_then(|chain| ruleset.tables.get(chain.table.index()))
        .map(|table| table.family);
    let mut reader = Reader {
        ruleset,
        ipv6: family == Some(Family::Ip6),
        values: Vec::new(),
        predicate: Predicate {
            is_exact: true,
            ..Predicate::default()
        },
    };
    reader.rule(rule);
    reader.predicate
}

/// A value in a register.
#[derive(Clone, Debug)]
struct Value {
    reg: Reg,
    subject: Subject,
    len: u8,
    order: ByteOrder,
    /// `(value & mask) ^ xor` is what the register holds.
    mask: u128,
    xor: u128,
}

struct Reader<'a> {
    ruleset: &'a Ruleset,
    ipv6: bool,
    values: Vec<Value>,
    predicate: Predicate,
}

impl Reader<'_> {
    fn rule(&mut self, rule: &Rule) {
        for (at, instr) in rule.code.iter().enumerate() {
            if !self.predicate.effects.is_empty() && is_pure(instr) {
                // A test behind an effect: the effect happens whether or not it holds.
                self.predicate.is_exact = false;
            }
            self.instr(at, instr);
        }
    }

    fn instr(&mut self, at: usize, instr: &Instr) {
        match instr {
            Instr::PayloadLoad { .. } | Instr::MetaLoad { .. } | Instr::CtLoad { .. } => {
                self.follow(instr);
            }
            Instr::Bitwise {
                src,
                dst,
                mask,
                xor,
            } => self.bitwise(*src, *dst, mask, xor),
            Instr::Byteorder { op, src, dst, .. } => self.byteorder(*op, *src, *dst),
            Instr::Cmp { op, src, data } => self.cmp(*op, *src, data),
            Instr::Range {
                negated,
                src,
                from,
                to,
            } => self.range(*negated, *src, from, to),
            Instr::Lookup {
                set,
                src,
                dst: None,
                inverted,
            } => self.lookup(*set, *src, *inverted),
            Instr::LookupVerdict { set, src } => {
                self.predicate.verdict_map = Some(*set);
                self.predicate.map_key = self.key(*set, *src);
            }
            Instr::ImmediateVerdict { verdict } => self.predicate.verdict = Some(*verdict),
            Instr::Limit { .. }
            | Instr::Quota { .. }
            | Instr::Connlimit { .. }
            | Instr::Dynset(_)
            | Instr::Objref { .. } => {
                self.predicate.effects.push(at);
                self.predicate.is_exact = false;
            }
            other if is_pure(other) => {
                if let Some(dst) = destination(other) {
                    self.load(
                        dst,
                        Subject::Other(at, format!("{other:?}")),
                        16,
                        ByteOrder::Network,
                    );
                }
                self.predicate.is_exact &= destination(other).is_some();
            }
            other => {
                self.predicate.effects.push(at);
                // What it leaves in a register is no value that is followed: a test of it makes the rule inexact.
                if let Some((reg, len)) = result(other) {
                    self.forget(reg, len);
                }
            }
        }
    }

    /// Keeps what a load puts into a register.
    fn follow(&mut self, instr: &Instr) {
        match instr {
            Instr::PayloadLoad {
                base,
                offset,
                len,
                dst,
            } => {
                self.load(
                    *dst,
                    Subject::Payload {
                        base: *base,
                        offset: *offset,
                        len: *len,
                    },
                    *len,
                    ByteOrder::Network,
                );
            }
            Instr::MetaLoad { key, dst } => {
                let order = if key.datatype() == DataType::Ifname {
                    ByteOrder::Network
                } else {
                    key.byte_order()
                };
                self.load(*dst, Subject::Meta(*key), bytes_of(key.bits()), order);
            }
            Instr::CtLoad {
                key,
                direction,
                dst,
            } => {
                let order = if *key == CtKey::Helper {
                    ByteOrder::Network
                } else {
                    key.byte_order()
                };
                self.load(
                    *dst,
                    Subject::Ct(*key, *direction),
                    bytes_of(key.bits()),
                    order,
                );
            }
            _ => {}
        }
    }

    /// Drops values of which a write to a register leaves nothing, or a part.
    fn forget(&mut self, reg: Reg, len: u8) {
        let (start, end) = (reg.offset(), reg.offset() + usize::from(len.max(1)));
        self.values.retain(|value| {
            let at = value.reg.offset();
            at >= end || at + usize::from(value.len.max(1)) <= start
        });
    }

    fn load(&mut self, reg: Reg, subject: Subject, len: u8, order: ByteOrder) {
        self.forget(reg, len);
        self.values.push(Value {
            reg,
            subject,
            len,
            order,
            mask: u128::MAX,
            xor: 0,
        });
    }

    fn value(&self, reg: Reg) -> Option<&Value> {
        self.values.iter().find(|value| value.reg == reg)
    }

    fn bitwise(&mut self, src: Reg, dst: Reg, mask: &Data, xor: &Data) {
        let Some(mut value) = self.value(src).cloned() else {
            self.predicate.is_exact = false;
            return;
        };
        let (mask, xor) = (number(mask, value.order), number(xor, value.order));
        value.mask &= mask;
        value.xor = (value.xor & mask) ^ xor;
        value.reg = dst;
        self.forget(dst, value.len);
        self.values.push(value);
    }

    fn byteorder(&mut self, op: ByteorderOp, src: Reg, dst: Reg) {
        let Some(mut value) = self.value(src).cloned() else {
            self.predicate.is_exact = false;
            return;
        };
        value.order = match op {
            ByteorderOp::Hton => ByteOrder::Network,
            ByteorderOp::Ntoh => ByteOrder::Host,
        };
        value.reg = dst;
        self.forget(dst, value.len);
        self.values.push(value);
    }

    fn cmp(&mut self, op: CmpOp, src: Reg, data: &Data) {
        let Some(value) = self.value(src).cloned() else {
            self.predicate.is_exact = false;
            return;
        };
        let bits = u32::from(value.len) * 8;
        let equal = match op {
            CmpOp::Eq => true,
            CmpOp::Neq => false,
            CmpOp::Lt | CmpOp::Lte | CmpOp::Gt | CmpOp::Gte => {
                let at = number(data, value.order);
                let pass = match op {
                    CmpOp::Lt if at == 0 => Intervals::default(),
                    CmpOp::Lt => Intervals::range(0, at - 1),
                    CmpOp::Lte => Intervals::range(0, at),
                    CmpOp::Gt if at >= max_of(bits) => Intervals::default(),
                    CmpOp::Gt => Intervals::range(at + 1, max_of(bits)),
                    CmpOp::Gte | CmpOp::Eq | CmpOp::Neq => Intervals::range(at, max_of(bits)),
                };
                return self.compare_order(value, pass);
            }
        };
        if value.mask & max_of(bits) == max_of(bits) && value.xor == 0 {
            let pass = prefix_of(data, value.len, value.order);
            return self.test(value, pass, equal);
        }
        let (mask, want) = (
            value.mask & max_of(bits),
            number(data, value.order) ^ value.xor,
        );
        self.masked(value, mask, want, equal);
    }

    /// An ordered compare, which looks at bytes: right only for values in network order.
    fn compare_order(&mut self, value: Value, pass: Intervals) {
        let whole = value.mask & max_of(u32::from(value.len) * 8)
            == max_of(u32::from(value.len) * 8)
            && value.xor == 0;
        if whole && (value.order == ByteOrder::Network || value.len == 1) {
            self.test(value, pass, true);
        } else {
            self.unknown(&value);
        }
    }

    fn range(&mut self, negated: bool, src: Reg, from: &Data, to: &Data) {
        let Some(value) = self.value(src).cloned() else {
            self.predicate.is_exact = false;
            return;
        };
        let pass = Intervals::range(number(from, value.order), number(to, value.order));
        let pass = if negated {
            pass.not(u32::from(value.len) * 8)
        } else {
            pass
        };
        self.compare_order(value, pass);
    }

    fn lookup(&mut self, id: SetId, src: Reg, inverted: bool) {
        let Some(set) = self.ruleset.sets.get(id.index()) else {
            return;
        };
        let fixed = set.flags & set_flags::ANONYMOUS != 0 && set.data == SetData::None;
        let value = self.value(src).cloned();
        match value {
            Some(value) if set.key_parts.len() < 2 && set.key_len <= 16 => {
                let whole = value.mask & max_of(u32::from(value.len) * 8)
                    == max_of(u32::from(value.len) * 8)
                    && value.xor == 0;
                match elements(set, value.order).filter(|_| fixed && whole) {
                    Some(pass) => self.test(value, pass, !inverted),
                    None if whole => self.push(
                        value.subject,
                        u32::from(value.len) * 8,
                        Pass::Set { set: id, inverted },
                    ),
                    None => self.unknown(&value),
                }
            }
            _ => {
                let subject = Subject::Concat(self.parts(src, set.key_parts.len()));
                self.push(
                    subject,
                    u32::from(set.key_len) * 8,
                    Pass::Set { set: id, inverted },
                );
            }
        }
    }

    /// What a set is asked for, where that is whole values.
    fn key(&self, id: SetId, src: Reg) -> Option<Subject> {
        let set = self.ruleset.sets.get(id.index())?;
        if set.key_parts.len() > 1 {
            let parts = self.parts(src, set.key_parts.len());
            return (parts.len() == set.key_parts.len()).then_some(Subject::Concat(parts));
        }
        let value = self.value(src)?;
        let all = max_of(u32::from(value.len) * 8);
        (value.mask & all == all && value.xor == 0).then(|| value.subject.clone())
    }

    /// The values from a register on, which make a concatenation.
    fn parts(&self, src: Reg, count: usize) -> Vec<Subject> {
        let mut parts: Vec<&Value> = self
            .values
            .iter()
            .filter(|v| v.reg.offset() >= src.offset())
            .collect();
        parts.sort_by_key(|v| v.reg.offset());
        parts
            .into_iter()
            .take(count)
            .map(|v| v.subject.clone())
            .collect()
    }

    fn masked(&mut self, value: Value, mask: u128, want: u128, equal: bool) {
        let bits = u32::from(value.len) * 8;
        if value.subject == Subject::Ct(CtKey::State, None) {
            let pass = STATES
                .iter()
                .filter(|s| (**s & mask == want) == equal)
                .map(|s| (*s, *s))
                .collect();
            return self.push(value.subject, bits, Pass::In(Intervals::from_ranges(pass)));
        }
        let low = max_of(bits) & !mask;
        let is_prefix = low & (low + u128::from(low != u128::MAX)) == 0;
        if is_prefix && mask != 0 && want & !mask == 0 {
            self.test(value, Intervals::range(want, want | low), equal);
        } else {
            self.push(value.subject, bits, Pass::Masked { mask, want, equal });
        }
    }

    /// Adds `subject in pass` (or, not `equal`, outside), cut or widened to whole fields.
    fn test(&mut self, value: Value, pass: Intervals, equal: bool) {
        let bits = u32::from(value.len) * 8;
        let Subject::Payload { base, offset, len } = value.subject else {
            let pass = if equal { pass } else { pass.not(bits) };
            return self.push(value.subject, bits, Pass::In(pass));
        };
        if let (true, [(low, high)]) = (equal, pass.ranges())
            && low == high
        {
            return self.split(base, offset, len, *low);
        }
        let pass = if equal { pass } else { pass.not(bits) };
        let (offset, len, pass) = self.widen(base, offset, len, pass);
        self.push(
            Subject::Payload { base, offset, len },
            u32::from(len) * 8,
            Pass::In(pass),
        );
    }

    /// One equality over several fields is one for each.
    fn split(&mut self, base: Base, offset: u32, len: u8, value: u128) {
        let end = offset + u32::from(len);
        let mut start = offset;
        while start < end {
            let stop = self
                .edges(base)
                .iter()
                .copied()
                .find(|edge| *edge > start)
                .unwrap_or(end)
                .min(end);
            let rest = (end - stop) * 8;
            let width = u8::try_from(stop - start).unwrap_or(len);
            let part = value.checked_shr(rest).unwrap_or(0) & max_of(u32::from(width) * 8);
            let (at, len, pass) = self.widen(base, start, width, Intervals::one(part));
            self.push(
                Subject::Payload {
                    base,
                    offset: at,
                    len,
                },
                u32::from(len) * 8,
                Pass::In(pass),
            );
            start = stop;
        }
    }

    /// A test of a field's first bytes is a test of the field.
    fn widen(&self, base: Base, offset: u32, len: u8, pass: Intervals) -> (u32, u8, Intervals) {
        let edges = self.edges(base);
        let end = edges.iter().copied().find(|edge| *edge > offset);
        match (edges.contains(&offset), end) {
            (true, Some(end)) if end > offset + u32::from(len) && end - offset <= 16 => {
                let more = (end - offset - u32::from(len)) * 8;
                let ranges = pass
                    .ranges()
                    .iter()
                    .map(|(low, high)| (low << more, high << more | max_of(more)))
                    .collect();
                (
                    offset,
                    u8::try_from(end - offset).unwrap_or(len),
                    Intervals::from_ranges(ranges),
                )
            }
            _ => (offset, len, pass),
        }
    }

    /// Where fields begin and end, in bytes from the base.
    fn edges(&self, base: Base) -> &'static [u32] {
        let ipv6 = self.ipv6
            || self.predicate.meta(crate::meta::MetaKey::Nfproto) == Some(&Intervals::one(10))
            || self.predicate.meta(crate::meta::MetaKey::Protocol) == Some(&Intervals::one(0x86dd));
        match base {
            Base::Link => &[0, 6, 12, 14, 16, 18],
            Base::Network if ipv6 => &[0, 4, 6, 7, 8, 24, 40],
            Base::Network => &[0, 1, 2, 4, 6, 8, 9, 10, 12, 16, 20],
            Base::Transport => &[0, 2, 4, 8, 12, 13, 14, 16, 18, 20],
            Base::Inner | Base::Tunnel => &[],
        }
    }

    fn unknown(&mut self, value: &Value) {
        self.predicate.is_exact = false;
        let at = self.predicate.tests.len();
        let text = format!("{:?} & {:x} ^ {:x}", value.subject, value.mask, value.xor);
        self.push(
            Subject::Other(at, text),
            128,
            Pass::Masked {
                mask: 0,
                want: 1,
                equal: false,
            },
        );
    }

    fn push(&mut self, subject: Subject, bits: u32, pass: Pass) {
        let pass = match pass {
            Pass::In(values) if subject == Subject::Ct(CtKey::State, None) => Pass::In(values.and(
                &Intervals::from_ranges(STATES.iter().map(|s| (*s, *s)).collect()),
            )),
            Pass::In(_) | Pass::Masked { .. } | Pass::Set { .. } => pass,
        };
        if let Pass::In(more) = &pass
            && let Some(Test {
                pass: Pass::In(values),
                ..
            }) = self
                .predicate
                .tests
                .iter_mut()
                .find(|test| test.subject == subject && matches!(test.pass, Pass::In(_)))
        {
            *values = values.and(more);
            return;
        }
        self.predicate.tests.push(Test {
            subject,
            bits,
            pass,
        });
    }
}

/// The only values that `ct state` takes.
const STATES: [u128; 5] = [
    state::INVALID as u128,
    state::ESTABLISHED as u128,
    state::RELATED as u128,
    state::NEW as u128,
    state::UNTRACKED as u128,
];

fn bytes_of(bits: u32) -> u8 {
    u8::try_from(bits.div_ceil(8)).unwrap_or(16)
}

fn number(data: &Data, order: ByteOrder) -> u128 {
    number_of(data.as_bytes(), order)
}

pub(super) fn number_of(bytes: &[u8], order: ByteOrder) -> u128 {
    let step = |n: u128, b: &u8| n << 8 | u128::from(*b);
    match order {
        ByteOrder::Network => bytes.iter().fold(0, step),
        ByteOrder::Host => bytes.iter().rev().fold(0, step),
    }
}

/// What passes a compare with data that may be shorter than the value: all values that begin with it.
fn prefix_of(data: &Data, len: u8, order: ByteOrder) -> Intervals {
    let rest = u32::from(len.saturating_sub(data.len())) * 8;
    let at = number(data, order);
    if rest == 0 || order == ByteOrder::Host {
        return Intervals::one(at);
    }
    Intervals::range(at << rest, at << rest | max_of(rest))
}

/// The values in a set of single keys; `None` when one has no number.
fn elements(set: &Set, order: ByteOrder) -> Option<Intervals> {
    let len = usize::from(set.key_len);
    let keys: Vec<u128> = set
        .elements
        .keys
        .chunks_exact(len.max(1))
        .map(|key| {
            number_of(
                key,
                if set.flags & set_flags::INTERVAL == 0 {
                    order
                } else {
                    ByteOrder::Network
                },
            )
        })
        .collect();
    if set
        .elements
        .flags
        .iter()
        .any(|f| f & Elements::CATCHALL != 0)
        || keys.len() != set.elements.len()
    {
        return None;
    }
    if set.flags & set_flags::INTERVAL == 0 {
        return Some(Intervals::from_ranges(
            keys.into_iter().map(|k| (k, k)).collect(),
        ));
    }
    let mut ranges = Vec::new();
    let mut start = None;
    for (key, flags) in keys.into_iter().zip(&set.elements.flags) {
        if let (Some(low), true) = (start.take(), key > 0) {
            ranges.push((low, key - 1));
        }
        start = (flags & Elements::END == 0).then_some(key);
    }
    if let Some(low) = start {
        ranges.push((low, max_of(u32::from(set.key_len) * 8)));
    }
    Some(Intervals::from_ranges(ranges))
}

/// Where an instruction that is not pure leaves a value, and how many bytes at most.
fn result(instr: &Instr) -> Option<(Reg, u8)> {
    match instr {
        Instr::Immediate { dst, data } => Some((*dst, data.len())),
        Instr::Lookup { dst: Some(dst), .. } => Some((*dst, 64)),
        Instr::Numgen { dst, .. } | Instr::Jhash { dst, .. } | Instr::Symhash { dst, .. } => {
            Some((*dst, 4))
        }
        Instr::Inner { load, .. } => match &**load {
            Instr::PayloadLoad { dst, len, .. } => Some((*dst, *len)),
            Instr::MetaLoad { dst, .. } => Some((*dst, 16)),
            other => destination(other).map(|dst| (dst, 16)),
        },
        _ => None,
    }
}

/// Where a pure instruction that is not followed further writes.
fn destination(instr: &Instr) -> Option<Reg> {
    match instr {
        Instr::BitwiseShift { dst, .. }
        | Instr::BitwiseReg { dst, .. }
        | Instr::ExthdrLoad { dst, .. }
        | Instr::Fib { dst, .. }
        | Instr::Rt { dst, .. }
        | Instr::Socket { dst, .. }
        | Instr::Osf { dst, .. }
        | Instr::Xfrm { dst, .. }
        | Instr::Tunnel { dst, .. } => Some(*dst),
        _ => None,
    }
}
