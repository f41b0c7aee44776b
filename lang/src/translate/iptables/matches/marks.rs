//! mark and connmark.

use super::super::build::{Build, masked};
use super::super::module::{How, Module, Opt, Seen, a_match, opt};
use super::super::nft::Value;

const MARK: &[Opt] = &[opt(
    &["--mark"],
    1,
    How::Exact,
    "`meta mark`, `meta mark & 0xff == 0x1`",
)];
const CONNMARK: &[Opt] = &[opt(
    &["--mark"],
    1,
    How::Exact,
    "`ct mark`, `ct mark & 0xff == 0x1`",
)];

/// The matches of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_match(&["mark"], MARK, |build, seen| {
        write(build, seen, "meta mark");
    }),
    a_match(&["connmark"], CONNMARK, |build, seen| {
        write(build, seen, "ct mark");
    }),
];

/// A number under a mask.
pub(in super::super) fn test(
    build: &mut Build<'_>,
    key: &str,
    not: bool,
    value: u64,
    mask: Option<u64>,
) {
    let sign = if not { "!=" } else { "==" };
    match mask {
        None | Some(0xffff_ffff) => {
            build.compare(
                key,
                not,
                vec![Value::number(value.into(), format!("{value:#x}"))],
            );
        }
        Some(mask) => build.test(format!("{key} & {mask:#x} {sign} {value:#x}")),
    }
}

fn write(build: &mut Build<'_>, seen: &Seen, key: &str) {
    for given in &seen.options {
        match masked(given.value()).filter(|(value, mask)| value | mask.unwrap_or(0) <= 0xffff_ffff)
        {
            // nothing is both cut by a mask and larger than it
            Some((value, Some(mask))) if value & !mask != 0 => {
                if !given.not {
                    build.never(given.span, "the mark has bits that the mask cuts off");
                }
            }
            Some((value, mask)) => test(build, key, given.not, value, mask),
            None => build.refuse(given.span, format!("`{}` is no mark", given.value())),
        }
    }
}
