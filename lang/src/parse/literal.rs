//! Values of literal tokens.

use crate::ast::{ExprKind, Integer, PlainTokenKind, Str, Word};
use crate::source::Span;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The value that a token spells. A token that only looks like a literal (`10.0.0.256`) comes back as a symbol; where it was lexed, it has been reported.
pub fn literal(kind: PlainTokenKind, span: Span, text: &str) -> ExprKind {
    let symbol = ExprKind::Symbol(Word { span });
    match kind {
        PlainTokenKind::Number => {
            number(text).map_or(symbol, |value| ExprKind::Number(Integer::new(value)))
        }
        PlainTokenKind::Ipv4 => text
            .parse::<Ipv4Addr>()
            .map_or(symbol, |addr| ExprKind::Ipv4(addr.octets())),
        PlainTokenKind::Ipv6 => text
            .parse::<Ipv6Addr>()
            .map_or(symbol, |addr| ExprKind::Ipv6(addr.octets())),
        PlainTokenKind::Mac => mac(text).map_or(symbol, ExprKind::Mac),
        PlainTokenKind::Time => time_ms(text).map_or(symbol, ExprKind::Time),
        PlainTokenKind::Str => ExprKind::Str(string(span, text)),
        PlainTokenKind::WildcardWord => ExprKind::WildcardWord(string(span, text)),
        PlainTokenKind::Word
        | PlainTokenKind::Slash
        | PlainTokenKind::Dash
        | PlainTokenKind::Dot => symbol,
    }
}

/// Whether a token spells a value of its kind.
pub fn is_valid(kind: PlainTokenKind, text: &str) -> bool {
    match kind {
        PlainTokenKind::Number => text.len() < 20 || number(text).is_some(),
        PlainTokenKind::Ipv4 => is_ipv4(text),
        PlainTokenKind::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
        PlainTokenKind::Time => text.len() < 10 || time_ms(text).is_some(),
        PlainTokenKind::Mac
        | PlainTokenKind::Str
        | PlainTokenKind::WildcardWord
        | PlainTokenKind::Word
        | PlainTokenKind::Slash
        | PlainTokenKind::Dash
        | PlainTokenKind::Dot => true,
    }
}

/// Whether four groups of digits, as the lexer finds them, are four bytes. Sets of a million addresses come by here.
fn is_ipv4(text: &str) -> bool {
    let mut group: u32 = 0;
    let mut digits = 0;
    for byte in text.bytes() {
        if byte == b'.' {
            group = 0;
            digits = 0;
            continue;
        }
        // like the address parser, no group starts with a superfluous 0
        if digits > 0 && group == 0 {
            return false;
        }
        group = group * 10 + u32::from(byte.wrapping_sub(b'0'));
        digits += 1;
        if group > 255 {
            return false;
        }
    }
    true
}

/// A number as C reads it: `0x` is hexadecimal, another 0 in front octal. With an 8 or 9 in it, it can only be meant as decimal.
pub fn number(text: &str) -> Option<u128> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u128::from_str_radix(hex, 16).ok();
    }
    if text.starts_with('0') && !text.contains(['8', '9']) {
        return u128::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}

/// Six bytes in hex with colons; one digit a byte is allowed.
pub fn mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

/// Milliseconds of `1d2h3m4s5ms`; a number without a unit is seconds.
pub fn time_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (count, tail) = rest.split_at_checked(digits)?;
        let unit_len = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_len)?;
        let factor = match unit {
            "w" => 604_800_000,
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" | "" => 1000,
            "ms" => 1,
            _ => return None,
        };
        total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = tail;
    }
    Some(total)
}

/// A string token: quotes and a trailing unescaped `*` taken off.
pub fn string(span: Span, text: &str) -> Str {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    let (mut start, mut end) = (span.start, span.end);
    if quoted {
        start += 1;
        end -= 1;
    }
    let body = if quoted {
        text.get(1..text.len() - 1).unwrap_or_default()
    } else {
        text
    };
    let wildcard = body.ends_with('*') && !body.ends_with("\\*");
    if wildcard {
        end -= 1;
    }
    Str {
        span: Span::new(span.source, start, end),
        quoted,
        wildcard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    #[test]
    fn literals_have_values() {
        assert_eq!(number("0x10"), Some(16));
        assert_eq!(number("0022"), Some(18));
        assert_eq!(number("0080"), Some(80));
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("340282366920938463463374607431768211456"), None);
        assert_eq!(mac("0:1:2:a:b:ff"), Some([0, 1, 2, 10, 11, 255]));
        assert_eq!(time_ms("1d2h3m4s5ms"), Some(93_784_005));
        for addr in [
            "10.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "256.1.1.1",
            "1.1.1.01",
            "1.00.1.1",
            "1.1.1.999",
        ] {
            assert_eq!(is_ipv4(addr), addr.parse::<Ipv4Addr>().is_ok(), "{addr}");
        }
        assert_eq!(time_ms("30"), Some(30_000));
        assert_eq!(time_ms("99999999999999999w"), None);
        let span = Span::new(SourceId(0), 10, 16);
        let check = |text: &str, start, end, wildcard| {
            let got = string(span, text);
            assert_eq!(
                (got.span.start, got.span.end, got.wildcard),
                (start, end, wildcard),
                "{text}"
            );
        };
        check("\"eth*\"", 11, 14, true);
        check("\"et\\*\"", 11, 15, false);
        check("ethxx*", 10, 15, true);
    }
}
