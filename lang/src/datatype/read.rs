//! Values from text: numbers with their range, words by their type's symbols, strings.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::{Base, Type, addr, info, mask, time};
use crate::diag::did_you_mean;
use redan_vm::datatype::DataType;

/// What reading values needs to know of the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Seconds that local time is ahead of UTC at the moment; hours in rules are local time.
    pub utc_offset_secs: i32,
    /// The same at another moment, in seconds since 1970, for dates; without it, the difference never changes.
    pub offset_at: Option<fn(i64) -> i32>,
}

impl Clock {
    /// A clock that is ahead of UTC by the same in every season.
    pub fn fixed(utc_offset_secs: i32) -> Self {
        Self {
            utc_offset_secs,
            offset_at: None,
        }
    }

    /// Seconds that local time is ahead of UTC at a moment.
    pub(super) fn offset(self, secs: i64) -> i64 {
        i64::from(self.offset_at.map_or(self.utc_offset_secs, |at| at(secs)))
    }
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        let at = |clock: &Self| clock.offset_at.map(|at| at as usize);
        self.utc_offset_secs == other.utc_offset_secs && at(self) == at(other)
    }
}

impl Eq for Clock {}

/// Why a text is no value of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// Too big a number.
    Range {
        /// The number.
        value: u128,
        /// The greatest that fits.
        max: u128,
    },
    /// A word that the type does not know.
    Unknown {
        /// What the type is.
        what: &'static str,
        /// The nearest word that it knows.
        nearest: Option<&'static str>,
    },
    /// A host name where an address belongs.
    HostName,
    /// A name that only a running system knows.
    NeedsSystem(&'static str),
    /// A string that is empty or too long.
    Length {
        /// The most bytes.
        max: usize,
    },
    /// Text that should be a date, hour or span of time.
    Time(&'static str),
}

/// A number as a value of a type.
pub fn read_number(ty: Type, value: u128, clock: Clock) -> Result<u128, ValueError> {
    let fits = |value: u128, max: u128| {
        if value <= max {
            Ok(value)
        } else {
            Err(ValueError::Range { value, max })
        }
    };
    match ty.datatype {
        DataType::CtLabel => fits(value, 127).map(|bit| 1 << bit),
        DataType::Day => fits(value, 6),
        DataType::DateTime => {
            fits(value, mask(64) / 1_000_000_000).map(|secs| secs * 1_000_000_000)
        }
        DataType::Time => fits(value, mask(64) / 1000).and_then(|secs| fits(secs * 1000, ty.max())),
        DataType::Boolean => fits(value, 1),
        DataType::String | DataType::Ifname => read_str(ty, &value.to_string(), clock),
        _ if info(ty.datatype).base == Base::Verdict => Err(ValueError::Unknown {
            what: "verdict",
            nearest: None,
        }),
        _ => fits(value, ty.max()),
    }
}

/// A bare word as a value of a type.
pub fn read_symbol(ty: Type, text: &str, clock: Clock) -> Result<u128, ValueError> {
    let known = info(ty.datatype);
    if let Some(symbol) = known.symbols.iter().find(|symbol| symbol.name == text) {
        return Ok(u128::from(symbol.value));
    }
    match ty.datatype {
        DataType::String
        | DataType::Ifname
        | DataType::Day
        | DataType::DateTime
        | DataType::Hour
        | DataType::Time => read_str(ty, text, clock),
        DataType::Ipv4Addr => addr::read_ipv4(text).ok_or(ValueError::HostName),
        DataType::Ipv6Addr => addr::read_ipv6(text).ok_or(ValueError::HostName),
        DataType::EtherAddr => addr::read_mac(text).ok_or(unknown(ty.datatype, text)),
        DataType::Classid => read_classid(text).ok_or(unknown(ty.datatype, text)),
        DataType::InetProto => read_any_case(ty.datatype, text),
        DataType::CtLabel => Err(ValueError::NeedsSystem("connection label")),
        DataType::Uid => Err(ValueError::NeedsSystem("user")),
        DataType::Gid => Err(ValueError::NeedsSystem("group")),
        DataType::Cgroupsv2 => Err(ValueError::NeedsSystem("control group")),
        _ => Err(unknown(ty.datatype, text)),
    }
}

/// A string in quotes as a value of a type.
pub fn read_str(ty: Type, text: &str, clock: Clock) -> Result<u128, ValueError> {
    match ty.datatype {
        DataType::String | DataType::Ifname => {
            let room = usize::from(ty.bytes().min(16));
            if text.is_empty() || text.len() >= room.max(1) {
                return Err(ValueError::Length {
                    max: room.saturating_sub(1),
                });
            }
            Ok(string_value(text.as_bytes(), room))
        }
        DataType::DateTime => time::read_date(text, clock)
            .ok_or(ValueError::Time("date such as \"2026-01-31 12:00:00\"")),
        DataType::Hour => time::read_hour(text, clock.utc_offset_secs)
            .ok_or(ValueError::Time("time of day such as \"17:00\"")),
        DataType::Day => time::read_day(text).ok_or(unknown(ty.datatype, text)),
        DataType::Time => Err(ValueError::Time("span of time such as 1h30m")),
        _ => match text.parse::<u128>() {
            Ok(number) => read_number(ty, number, clock),
            Err(_) => read_symbol(ty, text, clock),
        },
    }
}

/// A string's bytes as a value of `room` bytes.
pub(crate) fn string_value(bytes: &[u8], room: usize) -> u128 {
    (0..room).fold(0, |value, at| {
        value << 8 | u128::from(bytes.get(at).copied().unwrap_or(0))
    })
}

fn unknown(datatype: DataType, text: &str) -> ValueError {
    let info = info(datatype);
    ValueError::Unknown {
        what: info.description,
        nearest: did_you_mean(text, info.symbols.iter().map(|symbol| symbol.name)),
    }
}

fn read_any_case(datatype: DataType, text: &str) -> Result<u128, ValueError> {
    let found = info(datatype)
        .symbols
        .iter()
        .find(|symbol| symbol.name.eq_ignore_ascii_case(text));
    found
        .map(|symbol| u128::from(symbol.value))
        .ok_or_else(|| unknown(datatype, text))
}

/// A traffic class: `root`, `none`, or `major:minor` in hexadecimal.
fn read_classid(text: &str) -> Option<u128> {
    match text {
        "root" => Some(0xffff_ffff),
        "none" => Some(0),
        _ => {
            let (major, minor) = text.split_once(':')?;
            let part = |text: &str| {
                if text.is_empty() {
                    Some(0)
                } else {
                    u16::from_str_radix(text, 16).ok()
                }
            };
            Some(u128::from(part(major)?) << 16 | u128::from(part(minor)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(datatype: DataType, text: &str) -> Option<u128> {
        read_symbol(Type::of(datatype), text, Clock::default()).ok()
    }

    #[test]
    fn words_mean_what_their_type_says() {
        assert_eq!(symbol(DataType::InetService, "ssh"), Some(22));
        assert_eq!(symbol(DataType::IcmpType, "echo-request"), Some(8));
        assert_eq!(symbol(DataType::Icmpv6Type, "echo-request"), Some(128));
        assert_eq!(symbol(DataType::EtherType, "ip"), Some(0x0800));
        assert_eq!(symbol(DataType::InetProto, "TCP"), Some(6));
        assert_eq!(symbol(DataType::Classid, "1:2345"), Some(0x1_2345));
        assert_eq!(
            symbol(DataType::Ifname, "lo"),
            Some(u128::from(u16::from_be_bytes(*b"lo")) << 112)
        );
        assert_eq!(symbol(DataType::CtState, "established"), Some(2));
    }

    #[test]
    fn wrong_words_name_the_nearest() {
        let error = read_symbol(Type::of(DataType::CtState), "establishd", Clock::default());
        assert_eq!(
            error,
            Err(ValueError::Unknown {
                what: "conntrack state",
                nearest: Some("established")
            })
        );
        assert_eq!(symbol(DataType::Ipv4Addr, "example.org"), None);
        assert_eq!(symbol(DataType::Ifname, "sixteen-bytes-xx"), None);
    }

    #[test]
    fn numbers_have_ranges() {
        let number = |datatype, value| read_number(Type::of(datatype), value, Clock::default());
        assert_eq!(
            number(DataType::InetProto, 256),
            Err(ValueError::Range {
                value: 256,
                max: 255
            })
        );
        assert_eq!(number(DataType::CtLabel, 127), Ok(1 << 127));
        assert!(number(DataType::CtLabel, 128).is_err());
        assert_eq!(
            number(DataType::DateTime, 12_341_234),
            Ok(12_341_234_000_000_000)
        );
    }
}
