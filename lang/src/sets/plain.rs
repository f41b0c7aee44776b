//! Elements that stand in set literals as bare tokens: addresses, prefixes and numbers, of which long lists are made, are read without an expression in between.

use super::Shape;
use super::collected::Collected;
use crate::ast::{PlainToken, PlainTokenKind};
use crate::check::Constant;
use crate::datatype::{Type, mask};
use crate::parse::literal::number;
use crate::source::{SourceId, Span};
use redan_vm::datatype::DataType;

/// Elements of the commonest kind: addresses, prefixes and numbers, by themselves or side by side. `false` where the long way must be gone.
pub(super) fn fast_element(
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
            let len = number(body(*len, text))
                .and_then(|len| u32::try_from(len).ok())
                .filter(|len| *len <= ty.bits)?;
            let value = value & !mask(ty.bits - len);
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
            number(body).filter(|value| *value <= ty.max())
        }
        _ => None,
    }
}

/// Whether a string in quotes ends in an unescaped star.
pub(super) fn is_wildcard(quoted: &str) -> bool {
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
}
