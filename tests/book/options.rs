//! IPv6 extension headers, IP and TCP options, SCTP chunks.

use std::fmt::Write as _;

use redan_vm::field::option::{OptionField, OptionHeader, all};
use redan_vm::instr::ExthdrOp;

use crate::code;
use crate::fields::offset;
use crate::page::{GENERATED, inline};
use crate::types::sample;

/// A kind of option: title, words before its name in rules, what it is.
const KINDS: &[(ExthdrOp, &str, &str, &str)] = &[
    (
        ExthdrOp::Ipv6,
        "IPv6 extension headers",
        "",
        "Found by walking the chain of next headers from the IPv6 header on; the number is the next header value.",
    ),
    (
        ExthdrOp::Tcpopt,
        "TCP options",
        "tcp option ",
        "The first option of the kind in the TCP header. `reset tcp option NAME` overwrites it with NOPs.",
    ),
    (
        ExthdrOp::Ipv4,
        "IPv4 options",
        "ip option ",
        "The first option of the kind in the IPv4 header.",
    ),
    (
        ExthdrOp::Sctp,
        "SCTP chunks",
        "sctp chunk ",
        "The first chunk of the type in the packet.",
    ),
];

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Extension headers, options and chunks\n\n\
         These are not at a fixed place: the machine looks for them, and a rule that asks for a field of one that is not there does not match. \
         `exists` and `missing` ask for the thing itself: `exthdr frag exists`, `tcp option timestamp missing`, `ip option rr exists`, `sctp chunk \
         data exists`. Offsets are bytes from the first byte of the header, option or chunk.\n",
    );
    for &(op, title, words, about) in KINDS {
        _ = write!(out, "\n## {title}\n\n{about}\n\n");
        out.push_str("| field | number | bits | offset | type | loads | example |\n|---|---|---|---|---|---|---|\n");
        for option in all(op) {
            presence(&mut out, op, words, option);
            for field in option.fields {
                row(&mut out, words, option, field);
            }
        }
    }
    out
}

fn presence(out: &mut String, op: ExthdrOp, words: &str, option: &OptionHeader) {
    if !option.presence {
        return;
    }
    let words = if op == ExthdrOp::Ipv6 {
        "exthdr "
    } else {
        words
    };
    let example = format!("{words}{} exists", option.word);
    let code = code::rule("inet", "", "", &example);
    _ = writeln!(
        out,
        "| {} | {} | | | | {} | {} |",
        inline(&format!("{words}{}", option.word)),
        option.kind,
        inline(&code::last_load(&code)),
        inline(&example)
    );
}

fn row(out: &mut String, words: &str, option: &OptionHeader, field: &OptionField) {
    let index = if field.stride == 0 { "" } else { "[1]" };
    let name = format!("{words}{} {}{index}", option.word, field.name);
    let example = format!(
        "{name} {}",
        sample(field.datatype, u32::from(field.bit_width))
    );
    let code = code::rule("inet", "", "", &example);
    _ = writeln!(
        out,
        "| {} | {} | {} | {} | [{}](types.md#{}) | {} | {} |",
        inline(&name),
        option.kind,
        field.bit_width,
        offset(field.bit_offset),
        field.datatype.word(),
        field.datatype.word(),
        inline(&code::last_load(&code)),
        inline(&example)
    );
}
