//! u32 where its place in the packet is fixed; string and bpf, which nft has nothing for.

use super::super::build::{Build, number};
use super::super::module::{How, Kind, Module, Opt, Seen, a_match, opt, refused};
use super::super::nft::Value;
use super::super::source::Family;

const U32: &[Opt] = &[opt(
    &["--u32"],
    1,
    How::Exact,
    "`@nh,32,32 & 0xff == 0x1`, behind `0>>22&0x3C@` `@th`; other moves (`@`) are refused",
)];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["u32"], U32, write),
    refused(
        Kind::Match,
        &["string"],
        "nft cannot look for bytes anywhere in a packet",
    ),
    refused(Kind::Match, &["bpf"], "nft runs no bytecode of others"),
];

fn write(build: &mut Build<'_>, seen: &Seen) {
    for given in &seen.options {
        let text: String = given.value().split_whitespace().collect();
        for part in text.split("&&") {
            let done = part
                .split_once('=')
                .and_then(|(place, values)| one(build, place, values, given.not));
            if done.is_none() {
                build.refuse(given.span, format!("nft cannot say `{part}`"));
            }
        }
        if given.not && text.contains("&&") {
            build.refuse(given.span, "nft cannot negate several tests at once");
        }
    }
}

/// One test: a place with shifts and masks, and its values.
fn one(build: &mut Build<'_>, place: &str, values: &str, not: bool) -> Option<()> {
    // the length of IPv4's header: what follows counts from the transport header
    let (base, place) = match place
        .strip_prefix("0>>22&0x3C@")
        .or(place.strip_prefix("0>>22&0x3c@"))
    {
        Some(rest) if build.family == Family::V4 => ("th", rest),
        _ => ("nh", place),
    };
    let digits = place
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(place.len());
    let (start, mut rest) = place.split_at(digits);
    let offset = number(start).filter(|offset| *offset < 0x1000)?;
    // what is left of the 32 bits: (x & mask) >> shift
    let (mut mask, mut shift) = (0xffff_ffff_u64, 0_u32);
    while !rest.is_empty() {
        let (operator, after) = if let Some(after) = rest.strip_prefix('&') {
            ('&', after)
        } else {
            ('>', rest.strip_prefix(">>")?)
        };
        let digits = after
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (argument, more) = after.split_at(digits);
        let argument = number(argument)?;
        if operator == '&' {
            mask &= argument << shift;
        } else {
            shift += u32::try_from(argument).ok().filter(|shift| *shift < 32)?;
            if shift > 31 {
                return None;
            }
            mask = mask >> shift << shift;
        }
        rest = more;
    }
    let ranges: Option<Vec<(u64, u64)>> = values
        .split(',')
        .map(|text| super::super::build::span_of(text, ':', 0xffff_ffff))
        .collect();
    let ranges = ranges?;
    let bits = offset * 8;
    let field = mask >> mask.trailing_zeros().min(63);
    // a run of bits is a field of its own
    if mask != 0 && field & (field + 1) == 0 && mask.trailing_zeros() == shift {
        let len = field.count_ones();
        let start = bits + u64::from(32 - len - shift);
        let values = ranges
            .iter()
            .map(|(first, last)| Value::numbers((*first).into(), (*last).into()));
        build.compare(format!("@{base},{start},{len}"), not, values.collect());
        return Some(());
    }
    match ranges.as_slice() {
        [(first, last)] if first == last => {
            let sign = if not { "!=" } else { "==" };
            build.test(format!(
                "@{base},{bits},32 & {mask:#x} {sign} {:#x}",
                first << shift
            ));
            Some(())
        }
        _ => None,
    }
}
