//! Sets and maps, and their elements.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::model::{Element, Expr, Kind, Set, Stmt};
use super::rule::{object_name, verdict};
use super::value::{self, Known, Style};
use crate::check::kind_words;
use crate::compile::Compiled;
use crate::datatype::{Type, decode};
use crate::typed::{Numbered, SetInfo, SetNote, Value, ValueKind};
use redan_vm::datatype::DataType;
use redan_vm::ids::SetId;
use redan_vm::meta::ByteOrder;
use redan_vm::ruleset::{self, ElementData, Elements, SetData, set_flags};

/// A named set.
pub(super) fn set(compiled: &Compiled, id: SetId) -> Option<Set> {
    let found = compiled.ruleset.sets.get(id.index())?;
    let info = compiled.program.sets.get(id.index())?;
    let empty = SetNote::default();
    let note = compiled.program.notes.sets.get(&id).unwrap_or(&empty);
    let words = |types: &[Type]| {
        types
            .iter()
            .map(|ty| type_word(ty.datatype))
            .collect::<Vec<_>>()
    };
    let kind = |values: &[Value], types: &[Type]| {
        if info.is_typeof && !values.is_empty() {
            Kind::Fields(fields(compiled, values))
        } else {
            Kind::Types(words(types))
        }
    };
    let (data, data_types) = match found.data {
        SetData::None => (None, Vec::new()),
        SetData::Value(_) => (Some(kind(&note.data, &info.data)), words(&info.data)),
        SetData::Verdict => (Some(Kind::Word("verdict")), vec!["verdict"]),
        SetData::Object(kind) => (Some(Kind::Word(kind_words(kind))), vec![kind_words(kind)]),
    };
    Some(Set {
        name: found.name.clone(),
        handle: super::handle(compiled, Numbered::Set(id)),
        key: kind(&note.key, &info.key),
        key_types: words(&info.key),
        data,
        data_types,
        data_interval: info.data_interval,
        flags: flags(found),
        per_line: per_line(&info.key),
        timeout_ms: found.timeout_ms,
        gc_interval_ms: note.gc_interval_ms,
        size: found.size,
        for_memory: note.for_memory,
        auto_merge: info.auto_merge,
        stmts: found.exprs.iter().cloned().map(Stmt::State).collect(),
        comment: note.comment.clone(),
        elements: elements(compiled, id, None),
    })
}

/// The name that a type has in listings.
fn type_word(datatype: DataType) -> &'static str {
    match datatype {
        // nft lets names for its numbers be a matter of the field
        DataType::MptcpSubtype => DataType::Integer.word(),
        other => other.word(),
    }
}

fn fields(compiled: &Compiled, values: &[Value]) -> Expr {
    let mut parts: Vec<Expr> = values
        .iter()
        .map(|found| {
            value::value(compiled, &Known::default(), found, &mut |_, _| {
                Expr::CatchAll
            })
        })
        .collect();
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        Expr::Concat(parts)
    }
}

fn flags(set: &ruleset::Set) -> Vec<&'static str> {
    const FLAGS: &[(u32, &str)] = &[
        (set_flags::CONSTANT, "constant"),
        (set_flags::INTERVAL, "interval"),
        (set_flags::EVAL, "dynamic"),
        (set_flags::TIMEOUT, "timeout"),
    ];
    let words: Vec<&str> = FLAGS
        .iter()
        .filter(|(bit, _)| set.flags & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    // a timeout says that elements time out
    if words == ["timeout"] && set.timeout_ms.is_some() {
        return Vec::new();
    }
    words
}

/// How many elements nft puts on a line.
fn per_line(key: &[Type]) -> usize {
    let [only] = key else {
        return 1;
    };
    match only.datatype {
        DataType::NfProto
        | DataType::Integer
        | DataType::ArpOp
        | DataType::InetProto
        | DataType::InetService
        | DataType::TcpFlag
        | DataType::DccpPkttype
        | DataType::Mark
        | DataType::IfaceIndex
        | DataType::Classid
        | DataType::Uid
        | DataType::Gid => 5,
        DataType::Ipv4Addr
        | DataType::CtState
        | DataType::CtDir
        | DataType::CtStatus
        | DataType::PktType => 2,
        _ => 1,
    }
}

/// The elements of a set, sorted; bit fields of anonymous sets lie as on the wire, as their key says.
pub(super) fn elements(compiled: &Compiled, id: SetId, key: Option<&Value>) -> Vec<Element> {
    let (Some(set), Some(info)) = (
        compiled.ruleset.sets.get(id.index()),
        compiled.program.sets.get(id.index()),
    ) else {
        return Vec::new();
    };
    let reader = Reader {
        compiled,
        set,
        info,
        types: types(info, key),
        styles: styles(compiled, id, info, key),
        shift: shift(info, key),
    };
    let interval = set.flags & set_flags::INTERVAL != 0;
    match (interval, info.key.as_slice()) {
        (true, [only]) => reader.ranges(reader.types.first().copied().unwrap_or(*only)),
        (_, _) => reader.keys(interval),
    }
}

fn styles(compiled: &Compiled, id: SetId, info: &SetInfo, key: Option<&Value>) -> Vec<Style> {
    let note = compiled.program.notes.sets.get(&id);
    let values: &[Value] = match (key, note) {
        (Some(key), _) => key.parts(),
        (None, Some(note)) => &note.key,
        (None, None) => &[],
    };
    info.key
        .iter()
        .enumerate()
        .map(|(at, _)| values.get(at).map_or(Style::Plain, value::style))
        .collect()
}

/// Types of the key's parts; what a set without a name is compared with may say more than the set.
fn types(info: &SetInfo, key: Option<&Value>) -> Vec<Type> {
    let parts = key.map_or(&[][..], Value::parts);
    let own = info.key.iter().enumerate();
    own.map(|(at, own)| match parts.get(at) {
        Some(part) if part.ty.bits == own.bits && own.datatype == DataType::Integer => Type {
            datatype: part.ty.datatype,
            ..*own
        },
        _ => *own,
    })
    .collect()
}

fn shift(info: &SetInfo, key: Option<&Value>) -> u32 {
    match key.map(|key| &key.kind) {
        Some(ValueKind::Load(load)) if info.in_place => {
            load.bit_field().map_or(0, |(shift, _)| shift)
        }
        _ => 0,
    }
}

struct Reader<'a> {
    compiled: &'a Compiled,
    set: &'a ruleset::Set,
    info: &'a SetInfo,
    types: Vec<Type>,
    styles: Vec<Style>,
    shift: u32,
}

impl Reader<'_> {
    fn constant(&self, at: usize, ty: Type, value: u128) -> Expr {
        let style = self.styles.get(at).copied().unwrap_or(Style::Plain);
        value::or_list(value::constant(self.compiled, ty, style, value))
    }

    fn range(&self, at: usize, ty: Type, low: u128, high: u128) -> Expr {
        let style = self.styles.get(at).copied().unwrap_or(Style::Plain);
        value::range(self.compiled, ty, style, low, high)
    }

    /// Half-open boundaries back into ranges.
    fn ranges(&self, ty: Type) -> Vec<Element> {
        let width = usize::from(self.set.key_len).max(1);
        let order = if ty.needs_swap() {
            ByteOrder::Network
        } else {
            ty.order
        };
        let elements = &self.set.elements;
        let keys: Vec<u128> = elements
            .keys
            .chunks(width)
            .map(|key| decode(key, order))
            .collect();
        let flag = |at: usize| elements.flags.get(at).copied().unwrap_or(0);
        let mut out = Vec::new();
        for (at, low) in keys.iter().enumerate() {
            if flag(at) == Elements::CATCHALL {
                out.push(self.element(at, Expr::CatchAll));
            } else if flag(at) != Elements::END {
                let next = keys
                    .get(at + 1)
                    .filter(|_| flag(at + 1) != Elements::CATCHALL);
                let high = match next {
                    Some(next) => next.saturating_sub(1) >> self.shift,
                    None => ty.max(),
                };
                let key = self.range(0, ty, low >> self.shift, high);
                out.push(self.element(at, key));
            }
        }
        out
    }

    /// Keys as they are, one range a part where they are ranges.
    fn keys(&self, interval: bool) -> Vec<Element> {
        let width = usize::from(self.set.key_len).max(1);
        let elements = &self.set.elements;
        let mut out: Vec<(Vec<u8>, Element)> = Vec::new();
        for (at, low) in elements.keys.chunks(width).enumerate() {
            if elements.flags.get(at) == Some(&Elements::CATCHALL) {
                out.push((vec![0xff; 65], self.element(at, Expr::CatchAll)));
                continue;
            }
            let high = elements.key_ends.chunks(width).nth(at).unwrap_or(low);
            let mut order = Vec::new();
            let mut parts = Vec::new();
            let mut from = 0;
            for (number, ty) in self.types.iter().enumerate() {
                let alone = self.info.key.len() == 1;
                let len = if self.info.in_place && alone {
                    width
                } else {
                    usize::from(ty.bytes())
                };
                let part = |key: &[u8]| {
                    let bytes = key.get(from..from + len).or_else(|| key.get(from..));
                    let order = if interval && ty.needs_swap() {
                        ByteOrder::Network
                    } else {
                        ty.order
                    };
                    decode(bytes.unwrap_or_default(), order) >> self.shift
                };
                let (low, high) = (part(low), part(high));
                let alone = self.info.key.len() == 1;
                order.extend_from_slice(&sort_bytes(*ty, sort_value(*ty, low), alone));
                if ty.base() == crate::datatype::Base::Bitmask {
                    order.extend_from_slice(&sort_bytes(*ty, !low & ty.max(), alone));
                }
                parts.push(if interval {
                    self.range(number, *ty, low, high)
                } else {
                    self.constant(number, *ty, low)
                });
                from += usize::from(ty.padded_bytes());
            }
            let key = if parts.len() == 1 {
                parts.remove(0)
            } else {
                order.reverse();
                Expr::Concat(parts)
            };
            if interval {
                order = u32::try_from(at).unwrap_or(0).to_be_bytes().to_vec();
            }
            out.push((order, self.element(at, key)));
        }
        if !interval {
            out.sort_by(|left, right| left.0.cmp(&right.0));
            out.dedup_by(|later, earlier| later.1.key == earlier.1.key);
        }
        out.into_iter().map(|(_, element)| element).collect()
    }

    fn element(&self, at: usize, key: Expr) -> Element {
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        let extra = self.set.elements.extras.get(&index);
        let stmts = match extra {
            Some(extra) if !extra.exprs.is_empty() => &extra.exprs,
            _ => &self.set.exprs,
        };
        Element {
            key,
            stmts: stmts.iter().cloned().map(Stmt::State).collect(),
            timeout_ms: extra.and_then(|extra| extra.timeout_ms),
            comment: extra.and_then(|extra| extra.comment.clone()),
            data: self
                .set
                .elements
                .data
                .get(at)
                .and_then(|data| self.data(*data)),
        }
    }

    fn data(&self, data: ElementData) -> Option<Expr> {
        match data {
            ElementData::None => None,
            ElementData::Verdict(found) => {
                let (word, chain) = verdict(self.compiled, found);
                Some(Expr::Verdict(word, chain))
            }
            ElementData::Object(state) => Some(Expr::Quoted(object_name(self.compiled, state))),
            ElementData::Value(value) => Some(self.values(value.as_bytes())),
            ElementData::Wide(values) => {
                let bytes: Vec<u8> = values
                    .iter()
                    .flat_map(|part| part.as_bytes().to_vec())
                    .collect();
                Some(self.values(&bytes))
            }
        }
    }

    /// A map's data: one value, several side by side, lower ends before upper ends.
    fn values(&self, bytes: &[u8]) -> Expr {
        let compiled = self.compiled;
        let types = &self.info.data;
        let total: usize = types.iter().map(|ty| usize::from(ty.padded_bytes())).sum();
        let mut parts = Vec::new();
        let mut from = 0;
        for ty in types {
            let len = usize::from(ty.bytes());
            let part = |at: usize| {
                let bytes = bytes.get(at..at + len).or_else(|| bytes.get(at..));
                decode(bytes.unwrap_or_default(), ty.order)
            };
            let low = part(from);
            parts.push(if self.info.data_interval {
                let high = part(from + total);
                if low == high && types.len() == 1 && value::has_prefixes(ty.datatype) {
                    value::prefix(compiled, *ty, Style::Plain, low, ty.bits)
                } else {
                    value::range(compiled, *ty, Style::Plain, low, high)
                }
            } else {
                value::constant(compiled, *ty, Style::Plain, low)
            });
            from += usize::from(ty.padded_bytes());
        }
        if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::Concat(parts)
        }
    }
}

/// The number by which nft sorts: of several bits the lowest.
fn sort_value(ty: Type, value: u128) -> u128 {
    if ty.base() == crate::datatype::Base::Bitmask {
        value & value.wrapping_neg()
    } else {
        value
    }
}

/// Bytes by which nft sorts: numbers by size, strings from their end.
fn sort_bytes(ty: Type, value: u128, alone: bool) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let len = usize::from(ty.bytes()).min(16);
    let mut own = bytes.get(16 - len..).unwrap_or_default().to_vec();
    let host = ty.base() == crate::datatype::Base::String || !alone && ty.order == ByteOrder::Host;
    if host && (alone || ty.base() != crate::datatype::Base::String) {
        own.reverse();
    }
    own
}
