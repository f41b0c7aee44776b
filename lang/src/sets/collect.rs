//! Set literals, element by element.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::{DataShape, Shape};
use crate::ast::{Element as Written, Expr, ExprKind, PlainToken, PlainTokenKind, SetItem, SetLit};
use crate::check::{Constant, stateful_specs};
use crate::datatype::{Type, encode};
use crate::diag::Code;
use crate::resolve::Context;
use crate::source::{SourceId, Span};
use redan_vm::Data;
use redan_vm::datatype::DataType;
use redan_vm::ruleset::{Element, ElementData};
use std::collections::BTreeMap;

/// Elements of a literal. A list of a million addresses is common, so that keys lie flat, and places are kept only where overlaps may have to be shown.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// First and last value of each key, in sets of ranges of single values.
    pub(crate) bounds: Vec<(u128, u128)>,
    /// Keys of all other sets, or their lower ends, as they lie in registers.
    pub(crate) lows: Vec<u8>,
    /// Upper ends of concatenated ranges.
    pub(crate) highs: Vec<u8>,
    /// Where the elements of `bounds` stand.
    pub(crate) spans: Vec<Span>,
    /// What each maps to.
    pub(crate) data: Vec<ElementData>,
    /// What few have beside.
    pub(crate) extras: BTreeMap<u32, Element>,
    /// Which one is `*`.
    pub(crate) catchall: Option<u32>,
    /// The constant of the last element whose key is a single one.
    pub(crate) only: Option<Constant>,
    count: u32,
}

impl Collected {
    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// Adds a key that is a single constant.
    pub(crate) fn push_single(&mut self, shape: &Shape, ty: Type, constant: Constant, span: Span) {
        let (low, high) = constant.bounds(ty);
        self.only = Some(constant);
        self.count += 1;
        if shape.interval {
            self.bounds.push((low << shape.shift, high << shape.shift));
            self.spans.push(span);
        } else {
            let kept = shape.key_type(ty);
            let key = encode(low << shape.shift, kept.bytes(), kept.order);
            self.lows.extend_from_slice(key.as_bytes());
        }
    }

    /// Adds the element that matches whatever no other one matches.
    fn push_catchall(&mut self, shape: &Shape, span: Span) {
        self.catchall = Some(self.count);
        self.count += 1;
        if shape.interval && !shape.is_concat() {
            self.bounds.push((0, 0));
            self.spans.push(span);
        } else {
            let width = usize::from(shape.key_bytes());
            self.lows.extend(std::iter::repeat_n(0, width));
            if shape.interval {
                self.highs.extend(std::iter::repeat_n(0, width));
            }
        }
    }

    /// Adds a key of several parts.
    fn push_parts(&mut self, shape: &Shape, parts: impl Iterator<Item = (Type, (u128, u128))>) {
        self.count += 1;
        for (ty, (low, high)) in parts {
            let kept = shape.key_type(ty);
            push_padded(&mut self.lows, kept, low);
            if shape.interval {
                push_padded(&mut self.highs, kept, high);
            }
        }
    }
}

impl<'a> Context<'a> {
    /// Whether a literal, or its data, has ranges or prefixes, so that it needs a set that can hold them.
    pub(crate) fn has_ranges(&mut self, lit: &SetLit, of_data: bool) -> bool {
        let text = self.sources.whole(lit.span.source);
        let plain = |tokens: &[PlainToken]| {
            tokens.iter().any(|token| match token.kind {
                PlainTokenKind::Slash | PlainTokenKind::Dash | PlainTokenKind::WildcardWord => true,
                PlainTokenKind::Str => is_wildcard(
                    text.get(token.start as usize..token.start as usize + usize::from(token.len))
                        .unwrap_or_default(),
                ),
                _ => false,
            })
        };
        lit.items.iter().any(|item| match item {
            SetItem::Plain { first, count } => !of_data && plain(lit.plain(*first, *count)),
            SetItem::Full(element) => {
                let expr = if of_data {
                    element.data.as_ref()
                } else {
                    Some(&element.key)
                };
                expr.is_some_and(|expr| self.is_ranged(expr, of_data))
            }
        })
    }

    fn is_ranged(&mut self, expr: &Expr, of_data: bool) -> bool {
        match &expr.kind {
            ExprKind::Range(_) | ExprKind::Prefix(_) | ExprKind::WildcardWord(_) => true,
            ExprKind::Str(text) => text.wildcard,
            ExprKind::Concat(items) => items.iter().any(|item| self.is_ranged(item, of_data)),
            ExprKind::Set(lit) => self.has_ranges(lit, of_data),
            ExprKind::Var(_) => match self.scopes_peek(expr) {
                Some(found) => self.is_ranged(found, of_data),
                None => false,
            },
            _ => false,
        }
    }

    /// Reads a literal's elements.
    pub(crate) fn collect(&mut self, lit: &'a SetLit, shape: &Shape) -> Option<Collected> {
        let mut out = Collected::default();
        if shape.interval && !shape.is_concat() {
            out.bounds.reserve(lit.len());
            out.spans.reserve(lit.len());
        } else {
            out.lows.reserve(lit.len() * usize::from(shape.key_bytes()));
        }
        self.collect_into(lit, shape, &mut out).then_some(out)
    }

    fn collect_into(&mut self, lit: &'a SetLit, shape: &Shape, out: &mut Collected) -> bool {
        if self.too_deep() {
            self.error::<()>(Code::TooDeep, lit.span, "sets nest too deeply");
            return false;
        }
        let mut sound = true;
        let text = self.sources.whole(lit.span.source);
        for at in 0..lit.items.len() {
            if let Some(SetItem::Plain { first, count }) = lit.items.get(at) {
                let tokens = lit.plain(*first, *count);
                if matches!(shape.data, DataShape::None)
                    && fast_element(tokens, text, lit.span.source, shape, out)
                {
                    continue;
                }
            }
            sound &= self.collect_one(lit, at, shape, out).is_some();
        }
        sound
    }

    fn collect_one(
        &mut self,
        lit: &'a SetLit,
        at: usize,
        shape: &Shape,
        out: &mut Collected,
    ) -> Option<()> {
        match lit.items.get(at)? {
            SetItem::Full(element) => self.element(element, shape, out),
            SetItem::Plain { .. } => {
                let element = lit.element(at, self.sources)?.into_owned();
                self.simple_element(&element, shape, out)
            }
        }
    }

    fn element(&mut self, element: &'a Written, shape: &Shape, out: &mut Collected) -> Option<()> {
        let before = self.scope;
        let (key, scope) = self.resolve(&element.key)?;
        if let ExprKind::Set(nested) = &key.kind {
            self.scope = scope;
            let sound = self.collect_into(nested, shape, out);
            self.scope = before;
            return sound.then_some(());
        }
        self.simple_element(element, shape, out)
    }

    /// An element whose key is no set.
    fn simple_element(
        &mut self,
        element: &Written,
        shape: &Shape,
        out: &mut Collected,
    ) -> Option<()> {
        let number = out.count;
        if matches!(element.key.kind, ExprKind::CatchAll) {
            out.push_catchall(shape, element.span);
        } else if shape.is_concat() {
            self.concat_element(&element.key, shape, out)?;
        } else {
            let ty = *shape.key.first()?;
            let constant = self.constant(&element.key, ty)?;
            self.check_interval(constant, shape, element.key.span)?;
            out.push_single(shape, ty, constant, element.span);
        }
        let data = self.element_data(element, shape)?;
        out.data.extend(data);
        let exprs = stateful_specs(self, &element.stmts)?;
        let comment = element
            .comment
            .map(|comment| comment.text(self.sources).to_owned());
        let extra = Element {
            timeout_ms: element.timeout_ms,
            expires_ms: element.expires_ms,
            comment,
            exprs,
        };
        if extra != Element::default() {
            out.extras.insert(number, extra);
        }
        Some(())
    }

    /// Ranges need a set that can hold them.
    pub(crate) fn check_interval(
        &mut self,
        constant: Constant,
        shape: &Shape,
        span: Span,
    ) -> Option<()> {
        match constant {
            Constant::Value(_) => Some(()),
            Constant::Range(..) | Constant::Prefix { .. } if shape.interval => Some(()),
            Constant::Range(..) | Constant::Prefix { .. } => self.error_help(
                Code::IntervalFlagMissing,
                span,
                "you must add `flags interval` to the set's declaration to hold ranges and prefixes",
                "add the line `flags interval` to the set",
            ),
        }
    }

    fn concat_element(&mut self, key: &Expr, shape: &Shape, out: &mut Collected) -> Option<()> {
        let resolved = self.resolve(key)?;
        let before = std::mem::replace(&mut self.scope, resolved.1);
        let done = self.concat_parts(resolved.0, shape, out);
        self.scope = before;
        done
    }

    fn concat_parts(&mut self, key: &Expr, shape: &Shape, out: &mut Collected) -> Option<()> {
        let mut items: Vec<(&Expr, crate::resolve::Scope)> = Vec::new();
        self.flatten_concat(key, &mut items)?;
        if items.len() != shape.key.len() {
            let message = format!(
                "the key has {} parts, the element {}",
                shape.key.len(),
                items.len()
            );
            return self.error(Code::WrongType, key.span, message);
        }
        let mut sound = true;
        let mut bounds = Vec::with_capacity(items.len());
        let before = self.scope;
        for ((item, scope), ty) in items.into_iter().zip(&shape.key) {
            self.scope = scope;
            let constant = self.constant(item, *ty).and_then(|constant| {
                self.check_interval(constant, shape, item.span)
                    .map(|()| constant)
            });
            self.scope = before;
            match constant {
                Some(constant) => bounds.push((*ty, constant.bounds(*ty))),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        out.push_parts(shape, bounds.into_iter());
        Some(())
    }

    /// The parts of a concatenation; a variable may hold several of them.
    fn flatten_concat<'e>(
        &mut self,
        expr: &'e Expr,
        out: &mut Vec<(&'e Expr, crate::resolve::Scope)>,
    ) -> Option<()>
    where
        'a: 'e,
    {
        let (expr, scope) = self.resolve(expr)?;
        let ExprKind::Concat(items) = &expr.kind else {
            out.push((expr, scope));
            return Some(());
        };
        let before = std::mem::replace(&mut self.scope, scope);
        let sound = items
            .iter()
            .map(|item| self.flatten_concat(item, out))
            .filter(Option::is_none)
            .count()
            == 0;
        self.scope = before;
        sound.then_some(())
    }

    /// What an element maps to; `Some(None)` in sets.
    fn element_data(&mut self, element: &Written, shape: &Shape) -> Option<Option<ElementData>> {
        match (&element.data, &shape.data) {
            (None, DataShape::None) => Some(None),
            (Some(data), DataShape::None) => self.error(
                Code::DataMismatch,
                data.span,
                "a set's elements have no data; only those of maps do",
            ),
            (None, _) => self.error(
                Code::DataMismatch,
                element.span,
                "an element of a map needs data: `key : data`",
            ),
            (Some(data), DataShape::Verdict) => self
                .verdict_data(data, shape)
                .map(|verdict| Some(ElementData::Verdict(verdict))),
            (Some(data), DataShape::Object(kind)) => self
                .object_data(data, *kind, shape.table)
                .map(|state| Some(ElementData::Object(state))),
            (Some(data), DataShape::Values { types, interval }) => {
                self.value_data(data, types, *interval).map(Some)
            }
        }
    }

    fn value_data(&mut self, data: &Expr, types: &[Type], interval: bool) -> Option<ElementData> {
        let mut items = Vec::new();
        self.flatten_concat(data, &mut items)?;
        if items.len() != types.len() {
            let message = format!(
                "the map's data has {} parts, the element's {}",
                types.len(),
                items.len()
            );
            return self.error(Code::WrongType, data.span, message);
        }
        let single = types.len() == 1 && !interval;
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        let before = self.scope;
        for ((item, scope), ty) in items.into_iter().zip(types) {
            self.scope = scope;
            let constant = self.constant(item, *ty);
            self.scope = before;
            let constant = constant?;
            if !interval && !matches!(constant, Constant::Value(_)) {
                return self.error(
                    Code::NotConstant,
                    item.span,
                    "a range cannot stand here, a single value is wanted",
                );
            }
            let (low, high) = constant.bounds(*ty);
            if single {
                return Some(ElementData::Value(ty.encode(low)));
            }
            push_padded(&mut lows, *ty, low);
            push_padded(&mut highs, *ty, high);
        }
        if interval {
            lows.extend_from_slice(&highs);
        }
        Some(wide(&lows))
    }
}

/// Bytes of a map's data as one or several registers.
fn wide(bytes: &[u8]) -> ElementData {
    if let Some(data) = Data::new(bytes) {
        return ElementData::Value(data);
    }
    let mut parts = [Data::zero(0); 4];
    for (part, chunk) in parts.iter_mut().zip(bytes.chunks(16)) {
        *part = Data::new(chunk).unwrap_or(Data::zero(0));
    }
    ElementData::Wide(parts)
}

/// Appends a part of a concatenation, padded to 4 bytes.
fn push_padded(out: &mut Vec<u8>, ty: Type, value: u128) {
    let data = encode(value, ty.bytes(), ty.order);
    out.extend_from_slice(data.as_bytes());
    let pad = usize::from(ty.padded_bytes())
        - usize::from(data.len()).min(usize::from(ty.padded_bytes()));
    out.extend(std::iter::repeat_n(0, pad));
}

/// Elements of the commonest kind: addresses, prefixes and numbers, by themselves or side by side. `false` where the long way must be gone.
fn fast_element(
    tokens: &[PlainToken],
    text: &str,
    source: SourceId,
    shape: &Shape,
    out: &mut Collected,
) -> bool {
    if shape.shift != 0 {
        return false;
    }
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return false;
    };
    if let [ty] = shape.key.as_slice() {
        let Some(constant) = fast_part(tokens, text, *ty, shape.interval) else {
            return false;
        };
        let span = Span::new(source, first.start, last.start + u32::from(last.len));
        out.push_single(shape, *ty, constant, span);
        return true;
    }
    let mut bounds = [(Type::of(DataType::Mark), (0, 0)); 16];
    let mut count = 0;
    for part in tokens.split(|token| token.kind == PlainTokenKind::Dot) {
        let (Some(ty), Some(slot)) = (shape.key.get(count), bounds.get_mut(count)) else {
            return false;
        };
        let Some(constant) = fast_part(part, text, *ty, shape.interval) else {
            return false;
        };
        *slot = (*ty, constant.bounds(*ty));
        count += 1;
    }
    if count != shape.key.len() {
        return false;
    }
    out.push_parts(shape, bounds.into_iter().take(count));
    true
}

/// One part of a plain element.
fn fast_part(tokens: &[PlainToken], text: &str, ty: Type, interval: bool) -> Option<Constant> {
    match tokens {
        [only] => fast_value(*only, text, ty).map(Constant::Value),
        [value, sign, len] if sign.kind == PlainTokenKind::Slash && interval => {
            let value = fast_value(*value, text, ty)?;
            let len = body(*len, text)
                .parse::<u32>()
                .ok()
                .filter(|len| *len <= ty.bits)?;
            let value = value & !crate::datatype::mask(ty.bits - len);
            Some(Constant::Prefix { value, len })
        }
        [low, sign, high] if sign.kind == PlainTokenKind::Dash && interval => {
            let (low, high) = (fast_value(*low, text, ty)?, fast_value(*high, text, ty)?);
            (low <= high).then_some(Constant::Range(low, high))
        }
        _ => None,
    }
}

fn body(token: PlainToken, text: &str) -> &str {
    let start = token.start as usize;
    text.get(start..start + usize::from(token.len))
        .unwrap_or_default()
}

fn fast_value(token: PlainToken, text: &str, ty: Type) -> Option<u128> {
    let body = body(token, text);
    match (token.kind, ty.datatype) {
        (PlainTokenKind::Ipv4, DataType::Ipv4Addr) => fast_ipv4(body).map(u128::from),
        (PlainTokenKind::Ipv6, DataType::Ipv6Addr) => {
            body.parse::<std::net::Ipv6Addr>().ok().map(u128::from)
        }
        (PlainTokenKind::Number, DataType::InetService | DataType::Mark) => {
            body.parse::<u128>().ok().filter(|value| *value <= ty.max())
        }
        _ => None,
    }
}

/// Whether a string in quotes ends in an unescaped star.
fn is_wildcard(quoted: &str) -> bool {
    quoted
        .strip_suffix("*\"")
        .is_some_and(|body| !body.ends_with('\\'))
}

/// Four decimal numbers with dots; `None` for anything unusual.
fn fast_ipv4(text: &str) -> Option<u32> {
    let mut value: u32 = 0;
    let mut part: u32 = 0;
    let mut digits = 0;
    let mut dots = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                part = part * 10 + u32::from(byte - b'0');
                digits += 1;
                if digits > 3 || part > 255 || (digits > 1 && part < 10) {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                value = value << 8 | part;
                (part, digits) = (0, 0);
                dots += 1;
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(value << 8 | part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_read_by_hand() {
        assert_eq!(fast_ipv4("10.0.0.1"), Some(0x0a00_0001));
        assert_eq!(fast_ipv4("255.255.255.255"), Some(u32::MAX));
        for bad in [
            "10.0.0",
            "10.0.0.256",
            "10.0.0.1.2",
            "a.b.c.d",
            "",
            "1..2.3",
            "010.0.0.1",
        ] {
            assert_eq!(fast_ipv4(bad), None, "{bad}");
        }
    }

    #[test]
    fn parts_are_padded_to_words() {
        let mut out = Vec::new();
        push_padded(&mut out, Type::of(DataType::InetService), 22);
        push_padded(&mut out, Type::of(DataType::Mark), 1);
        assert_eq!(out, [0, 22, 0, 0, 1, 0, 0, 0]);
    }
}
