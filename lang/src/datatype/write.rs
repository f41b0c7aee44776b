//! Values as nft writes them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::{Base, Type, addr, decode, info, time};
use redan_vm::datatype::DataType;

/// A value's text: its symbol where it has one, else as its type is written.
pub fn write(ty: Type, value: u128) -> String {
    let known = info(ty.datatype);
    match ty.datatype {
        DataType::Ipv4Addr => addr::write_ipv4(value),
        DataType::Ipv6Addr => addr::write_ipv6(value),
        DataType::EtherAddr | DataType::LlAddr if ty.bits == 48 => addr::write_mac(value),
        DataType::InetService | DataType::Uid | DataType::Gid => value.to_string(),
        DataType::Classid => format!("{:x}:{:x}", value >> 16 & 0xffff, value & 0xffff),
        DataType::Mark | DataType::EtherType if symbol(known.symbols, value).is_none() => {
            format!("0x{value:0width$x}", width = usize::from(ty.bytes()) * 2)
        }
        DataType::Time => write_span(value),
        DataType::DateTime => format!("\"{}\"", time::write_date(value)),
        DataType::Hour => format!(
            "\"{}\"",
            time::write_clock(i64::try_from(value % 86_400).unwrap_or(0))
        ),
        DataType::CtLabel => (0..128)
            .filter(|bit| value >> bit & 1 == 1)
            .map(|bit| bit.to_string())
            .collect::<Vec<_>>()
            .join(","),
        _ => match known.base {
            Base::String => format!("\"{}\"", text_of(value, usize::from(ty.bytes().min(16)))),
            Base::Bitmask => write_bits(known.symbols, value),
            Base::Integer | Base::Verdict => {
                symbol(known.symbols, value).map_or_else(|| value.to_string(), str::to_owned)
            }
        },
    }
}

/// The text of a value that lies in a register or set key as these bytes.
pub fn write_bytes(ty: Type, bytes: &[u8]) -> String {
    write(ty, decode(bytes, ty.order))
}

fn symbol(symbols: &'static [super::Symbol], value: u128) -> Option<&'static str> {
    symbols
        .iter()
        .find(|symbol| u128::from(symbol.value) == value)
        .map(|symbol| symbol.name)
}

fn write_bits(symbols: &[super::Symbol], value: u128) -> String {
    let known = symbols
        .iter()
        .fold(0, |bits, symbol| bits | u128::from(symbol.value));
    if value == 0 || value & !known != 0 {
        return format!("0x{value:x}");
    }
    let mut names: Vec<&super::Symbol> = symbols
        .iter()
        .filter(|symbol| value & u128::from(symbol.value) != 0)
        .collect();
    names.sort_by_key(|symbol| symbol.value);
    names
        .iter()
        .map(|symbol| symbol.name)
        .collect::<Vec<_>>()
        .join(",")
}

/// A string's text, up to its first NUL.
fn text_of(value: u128, room: usize) -> String {
    let bytes = value.to_be_bytes();
    let own = bytes.get(16 - room..).unwrap_or_default();
    let end = own.iter().position(|&byte| byte == 0).unwrap_or(own.len());
    String::from_utf8_lossy(own.get(..end).unwrap_or_default()).into_owned()
}

/// A span of milliseconds as `1d2h3m4s5ms`.
fn write_span(ms: u128) -> String {
    const UNITS: &[(u128, &str)] = &[
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
        (1, "ms"),
    ];
    let mut left = ms;
    let mut text = String::new();
    for &(size, unit) in UNITS {
        if left >= size {
            text.push_str(&(left / size).to_string());
            text.push_str(unit);
            left %= size;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_nft_words() {
        let check =
            |datatype, value, text: &str| assert_eq!(write(Type::of(datatype), value), text);
        check(DataType::Ipv4Addr, 0x0a00_0001, "10.0.0.1");
        check(DataType::Ipv6Addr, 1, "::1");
        check(DataType::EtherAddr, 0x0200_0000_0102, "02:00:00:00:01:02");
        check(DataType::CtState, 6, "established,related");
        check(DataType::InetProto, 6, "tcp");
        check(DataType::InetProto, 200, "200");
        check(DataType::Mark, 1, "0x00000001");
        check(DataType::Time, 93_784_005, "1d2h3m4s5ms");
        check(
            DataType::Ifname,
            u128::from(u16::from_be_bytes(*b"lo")) << 112,
            "\"lo\"",
        );
        check(DataType::Classid, 0x1_0002, "1:2");
    }
}
