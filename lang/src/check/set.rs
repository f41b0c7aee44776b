//! Sets as rules use them: which keys a named set can hold, and the anonymous sets that rules make.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::describe;
use super::rule::RuleCheck;
use crate::ast::{SetLit, Word};
use crate::datatype::{Base, Type, decode};
use crate::diag::{Code, Diagnostic};
use crate::sets::{Collected, DataShape, Shape};
use crate::source::Span;
use crate::typed::{SetInfo, Value, ValueKind, flips};
use redan_vm::datatype::DataType;
use redan_vm::ids::SetId;
use redan_vm::ruleset::{Elements, Set, SetData, set_flags};

impl RuleCheck<'_, '_> {
    /// What elements of a set for this key look like.
    pub(super) fn shape(&self, key: &Value, data: DataShape) -> Shape {
        Shape {
            key: key.types(),
            data,
            interval: false,
            shift: 0,
            wide_bits: key.ty.bits,
            flip: 0,
            in_place: false,
            table: self.place.table,
        }
    }

    /// The same for a literal, and what is looked up in it. As in nft, elements take on what a bit field's place and a last `^` do to the key, unless one of
    /// them is `*` (nft's `binop_transfer`).
    pub(super) fn literal_shape(
        &mut self,
        mut key: Value,
        lit: &SetLit,
        data: DataShape,
    ) -> (Value, Shape) {
        let mut shape = self.shape(&key, data);
        shape.interval = self.cx.has_ranges(lit, false);
        if self.cx.has_catchall(lit) {
            return (key, shape);
        }
        shape.in_place = true;
        match key.kind {
            ValueKind::Load(ref load) => {
                if let Some((shift, bits)) = load.bit_field() {
                    shape.shift = shift;
                    shape.wide_bits = (shift + bits).div_ceil(8) * 8;
                }
            }
            ValueKind::Bits { from, mask, xor } if !shape.interval => {
                let split = flips(mask, xor);
                shape.flip = if split { xor } else { 0 };
                let xor = if split { 0 } else { xor };
                let whole = from.whole_bits();
                key.kind = if split && mask == whole {
                    from.kind
                } else {
                    ValueKind::Bits { from, mask, xor }
                };
            }
            _ => {}
        }
        (key, shape)
    }

    /// Makes an anonymous set or map.
    pub(super) fn anonymous(
        &mut self,
        span: Span,
        name: &str,
        shape: &Shape,
        collected: Collected,
    ) -> Option<SetId> {
        let flags = set_flags::ANONYMOUS | set_flags::CONSTANT | shape_flags(shape);
        let info = SetInfo {
            span,
            key: shape.key.clone(),
            data: data_types(&shape.data),
            data_interval: matches!(shape.data, DataShape::Values { interval: true, .. }),
            auto_merge: matches!(shape.data, DataShape::None),
            in_place: shape.in_place,
            swapped: shape.interval,
            is_typeof: true,
            used: true,
        };
        let set = self.cx.add_set(new_set(name, flags, shape), info);
        self.sets.push(set);
        self.cx.add_elements(set, shape, collected);
        if let Some(pending) = self.cx.pending.remove(&set) {
            let before = self.cx.diagnostics.len();
            self.cx.settle(set, shape, pending);
            if self.cx.diagnostics.len() > before {
                return None;
            }
        }
        Some(set)
    }

    /// An anonymous set of plain values, for matches that a field implies.
    pub(super) fn value_set(&mut self, span: Span, ty: Type, values: &[u128]) -> SetId {
        let shape = Shape {
            key: vec![ty],
            data: DataShape::None,
            interval: false,
            shift: 0,
            wide_bits: ty.bits,
            flip: 0,
            in_place: true,
            table: self.place.table,
        };
        let mut set = new_set(
            "__set%d",
            set_flags::ANONYMOUS | set_flags::CONSTANT,
            &shape,
        );
        for value in values {
            set.elements
                .keys
                .extend_from_slice(ty.encode(*value).as_bytes());
            set.elements.flags.push(0);
        }
        let info = SetInfo {
            span,
            key: shape.key,
            data: Vec::new(),
            data_interval: false,
            auto_merge: true,
            in_place: true,
            swapped: false,
            is_typeof: true,
            used: true,
        };
        let id = self.cx.add_set(set, info);
        self.sets.push(id);
        id
    }

    /// Checks that a named set can hold a key.
    pub(super) fn check_set_key(&mut self, key: &Value, set: SetId, word: Word) -> Option<()> {
        let Some(info) = self.cx.set_info(set) else {
            return Some(());
        };
        let have = key.types();
        let fits = have.len() == info.key.len()
            && have
                .iter()
                .zip(&info.key)
                .all(|(have, want)| compatible(*have, *want));
        if fits {
            return Some(());
        }
        let (want, have) = (words(&info.key), words(&have));
        let (place, span) = (info.span, word.span);
        let name = self.cx.text(word);
        self.cx.report(
            Diagnostic::new(
                Code::WrongType,
                span,
                format!("datatype mismatch: set `{name}` holds {want}, the expression is {have}"),
            )
            .related(place, "the set"),
        );
        None
    }

    /// The single values of an anonymous set without ranges.
    pub(super) fn anonymous_values(&self, set: SetId, ty: Type) -> Vec<u128> {
        let Some(set) = self.cx.ruleset.sets.get(set.index()) else {
            return Vec::new();
        };
        let plain = set.flags & set_flags::ANONYMOUS != 0
            && set.flags & set_flags::INTERVAL == 0
            && set.key_parts.len() == 1;
        if !plain || set.elements.len() > 64 {
            return Vec::new();
        }
        let width = usize::from(set.key_len).max(1);
        set.elements
            .keys
            .chunks(width)
            .map(|key| decode(key, ty.order))
            .collect()
    }
}

/// A set without elements.
pub(crate) fn new_set(name: &str, flags: u32, shape: &Shape) -> Set {
    let parts: Vec<u8> = match shape.key.as_slice() {
        [only] => vec![shape.key_type(*only).bytes()],
        parts => parts.iter().map(|ty| ty.bytes()).collect(),
    };
    let data = match &shape.data {
        DataShape::None => SetData::None,
        DataShape::Values { .. } => SetData::Value(shape.data.bytes()),
        DataShape::Verdict => SetData::Verdict,
        DataShape::Object(kind) => SetData::Object(*kind),
    };
    Set {
        table: shape.table,
        name: name.to_owned(),
        flags,
        key_len: shape.key_bytes(),
        key_parts: parts,
        key_types: shape.key.iter().map(|ty| ty.datatype).collect(),
        data,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: Elements::default(),
    }
}

/// The flags that follow from what elements look like.
pub(crate) fn shape_flags(shape: &Shape) -> u32 {
    let keys = match (shape.interval, shape.is_concat()) {
        (false, _) => 0,
        (true, false) => set_flags::INTERVAL,
        (true, true) => set_flags::INTERVAL | set_flags::CONCAT,
    };
    let data = match shape.data {
        DataShape::None => 0,
        DataShape::Values { .. } | DataShape::Verdict => set_flags::MAP,
        DataShape::Object(_) => set_flags::OBJECT,
    };
    keys | data
}

/// Types of a map's data.
pub(crate) fn data_types(data: &DataShape) -> Vec<Type> {
    match data {
        DataShape::Values { types, .. } => types.clone(),
        DataShape::None | DataShape::Verdict | DataShape::Object(_) => Vec::new(),
    }
}

/// Whether values of one type can be looked up among those of another.
pub(crate) fn compatible(have: Type, want: Type) -> bool {
    have.datatype == want.datatype
        || (have.datatype == DataType::Integer
            && want.base() == Base::Integer
            && have.bits == want.bits)
        || (want.datatype == DataType::Integer
            && have.base() == Base::Integer
            && have.bits == want.bits)
}

fn words(types: &[Type]) -> String {
    types
        .iter()
        .map(|ty| describe(*ty))
        .collect::<Vec<_>>()
        .join(" . ")
}
