//! Expressions: what loads, compares and computes.

use std::fmt::{self, Write};

use super::{operand, print_instr, set_name};
use crate::Reg;
use crate::ct::{CtKey, Direction};
use crate::instr::{
    Base, BitwiseRegOp, ByteorderOp, CmpOp, ExthdrOp, FibResult, Instr, RtKey, ShiftOp, SocketKey,
    TunnelKey, XfrmKey, fib_flags,
};
use crate::meta::MetaKey;
use crate::ruleset::Ruleset;

/// Prints an expression without its brackets; `false` when the instruction is a statement.
#[expect(clippy::too_many_lines, reason = "one row an instruction")]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other instruction is a statement"
)]
pub(super) fn print(
    ruleset: &Ruleset,
    instr: &Instr,
    out: &mut impl Write,
) -> Result<bool, fmt::Error> {
    match instr {
        Instr::PayloadLoad { .. } | Instr::ExthdrLoad { .. } | Instr::Inner { .. } => {
            packet(ruleset, instr, out)?;
        }
        Instr::MetaLoad { key, dst } => meta(*key, *dst, out)?,
        Instr::CtLoad {
            key,
            direction,
            dst,
        } => ct("load", *key, "=>", *dst, *direction, out)?,
        Instr::Cmp { op, src, data } => {
            write!(out, "cmp {} reg {}", cmp_op(*op), src.number())?;
            operand(data, out)?;
        }
        Instr::Range {
            negated,
            src,
            from,
            to,
        } => {
            write!(
                out,
                "range {} reg {}",
                if *negated { "neq" } else { "eq" },
                src.number()
            )?;
            operand(from, out)?;
            operand(to, out)?;
        }
        Instr::Bitwise { .. }
        | Instr::BitwiseShift { .. }
        | Instr::BitwiseReg { .. }
        | Instr::Byteorder { .. } => arithmetic(instr, out)?,
        Instr::Lookup {
            set,
            src,
            dst,
            inverted,
        } => {
            write!(
                out,
                "lookup reg {} set {}",
                src.number(),
                set_name(ruleset, *set)
            )?;
            if let Some(dst) = dst {
                write!(out, " dreg {}", dst.number())?;
            }
            out.write_str(if *inverted { " 0x1" } else { "" })?;
        }
        Instr::LookupVerdict { set, src } => write!(
            out,
            "lookup reg {} set {} dreg 0",
            src.number(),
            set_name(ruleset, *set)
        )?,
        Instr::Fib { flags, result, dst } => fib(*flags, *result, *dst, out)?,
        Instr::Rt { key, dst } => write!(out, "rt load {} => reg {}", rt_key(*key), dst.number())?,
        Instr::Socket { key, dst } => write!(
            out,
            "socket load {} => reg {}",
            socket_key(*key),
            dst.number()
        )?,
        Instr::Osf { dst, .. } => write!(out, "osf dreg {}", dst.number())?,
        Instr::Xfrm {
            outbound,
            spnum,
            key,
            dst,
        } => {
            let way = if *outbound { "out" } else { "in" };
            write!(
                out,
                "xfrm load {way} {spnum} {} => reg {}",
                xfrm_key(*key),
                dst.number()
            )?;
        }
        Instr::Tunnel { key, dst } => {
            let key = match key {
                TunnelKey::Path => "path",
                TunnelKey::Id => "id",
            };
            write!(out, "tunnel load {key} => reg {}", dst.number())?;
        }
        Instr::Numgen { .. } | Instr::Jhash { .. } | Instr::Symhash { .. } => {
            generator(instr, out)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
fn packet(ruleset: &Ruleset, instr: &Instr, out: &mut impl Write) -> fmt::Result {
    match instr {
        Instr::PayloadLoad {
            base,
            offset,
            len,
            dst,
        } => {
            write!(
                out,
                "payload load {len}b @ {} + {offset} => reg {}",
                base_name(*base),
                dst.number()
            )
        }
        Instr::ExthdrLoad {
            op,
            kind,
            offset,
            len,
            present,
            dst,
        } => {
            let present = if *present { " present" } else { "" };
            write!(
                out,
                "exthdr load {}{len}b @ {kind} + {offset}{present} => reg {}",
                exthdr_op(*op),
                dst.number()
            )
        }
        Instr::Inner {
            kind,
            header_size,
            flags,
            load,
        } => {
            write!(
                out,
                "inner type {kind} hdrsize {header_size} flags {flags:x} "
            )?;
            print_instr(ruleset, load, out)
        }
        _ => Ok(()),
    }
}

/// `exthdr`'s protocol and a blank; the protocols that libnftnl has no name for print none.
pub(super) const fn exthdr_op(op: ExthdrOp) -> &'static str {
    match op {
        ExthdrOp::Ipv6 => "ipv6 ",
        ExthdrOp::Tcpopt => "tcpopt ",
        ExthdrOp::Ipv4 => "ipv4 ",
        ExthdrOp::Sctp | ExthdrOp::Dccp => "",
    }
}

pub(super) const fn base_name(base: Base) -> &'static str {
    match base {
        Base::Link => "link header",
        Base::Network => "network header",
        Base::Transport => "transport header",
        Base::Inner => "inner header",
        Base::Tunnel => "unknown header",
    }
}

fn meta(key: MetaKey, dst: Reg, out: &mut impl Write) -> fmt::Result {
    write!(out, "meta load {} => reg {}", key.printed(), dst.number())
}

/// `ct load` and `ct set`.
pub(super) fn ct(
    verb: &str,
    key: CtKey,
    arrow: &str,
    reg: Reg,
    direction: Option<Direction>,
    out: &mut impl Write,
) -> fmt::Result {
    write!(
        out,
        "ct {verb} {} {arrow} reg {}",
        key.printed(),
        reg.number()
    )?;
    match direction {
        None => Ok(()),
        Some(Direction::Original) => out.write_str(" , dir original"),
        Some(Direction::Reply) => out.write_str(" , dir reply"),
    }
}

const fn cmp_op(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => "eq",
        CmpOp::Neq => "neq",
        CmpOp::Lt => "lt",
        CmpOp::Lte => "lte",
        CmpOp::Gt => "gt",
        CmpOp::Gte => "gte",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
fn arithmetic(instr: &Instr, out: &mut impl Write) -> fmt::Result {
    match instr {
        Instr::Bitwise {
            src,
            dst,
            mask,
            xor,
        } => {
            write!(
                out,
                "bitwise reg {} = ( reg {} &",
                dst.number(),
                src.number()
            )?;
            operand(mask, out)?;
            out.write_str(" ) ^")?;
            operand(xor, out)
        }
        Instr::BitwiseShift {
            op, src, dst, bits, ..
        } => {
            let sign = match op {
                ShiftOp::Left => "<<",
                ShiftOp::Right => ">>",
            };
            write!(
                out,
                "bitwise reg {} = ( reg {} {sign} 0x{bits:08x} )",
                dst.number(),
                src.number()
            )
        }
        Instr::BitwiseReg {
            op, src, src2, dst, ..
        } => {
            let sign = match op {
                BitwiseRegOp::And => "&",
                BitwiseRegOp::Or => "|",
                BitwiseRegOp::Xor => "^",
            };
            write!(
                out,
                "bitwise reg {} = ( reg {} {sign} reg {} )",
                dst.number(),
                src.number(),
                src2.number()
            )
        }
        Instr::Byteorder {
            op,
            src,
            dst,
            size,
            len,
        } => {
            let verb = match op {
                ByteorderOp::Ntoh => "ntoh",
                ByteorderOp::Hton => "hton",
            };
            write!(
                out,
                "byteorder reg {} = {verb}(reg {}, {size}, {len})",
                dst.number(),
                src.number()
            )
        }
        _ => Ok(()),
    }
}

fn fib(flags: u32, result: FibResult, dst: Reg, out: &mut impl Write) -> fmt::Result {
    const KEYS: [(u32, &str); 5] = [
        (fib_flags::SADDR, "saddr"),
        (fib_flags::DADDR, "daddr"),
        (fib_flags::MARK, "mark"),
        (fib_flags::IIF, "iif"),
        (fib_flags::OIF, "oif"),
    ];
    out.write_str("fib ")?;
    let mut separator = "";
    for (bit, word) in KEYS {
        if flags & bit != 0 {
            write!(out, "{separator}{word}")?;
            separator = " . ";
        }
    }
    let result = match result {
        FibResult::Oif => "oif",
        FibResult::Oifname => "oifname",
        FibResult::Type => "type",
    };
    let present = if flags & fib_flags::PRESENT == 0 {
        ""
    } else {
        " present"
    };
    write!(out, " {result}{present} => reg {}", dst.number())
}

const fn rt_key(key: RtKey) -> &'static str {
    match key {
        RtKey::Classid => "classid",
        RtKey::Nexthop4 => "nexthop4",
        RtKey::Nexthop6 => "nexthop6",
        RtKey::Tcpmss => "tcpmss",
        RtKey::Ipsec => "ipsec",
    }
}

const fn socket_key(key: SocketKey) -> &'static str {
    match key {
        SocketKey::Transparent => "transparent",
        SocketKey::Mark => "mark",
        SocketKey::Wildcard => "wildcard",
        SocketKey::Cgroupv2(_) => "cgroupv2",
    }
}

const fn xfrm_key(key: XfrmKey) -> &'static str {
    match key {
        XfrmKey::Reqid => "reqid",
        XfrmKey::Spi => "spi",
        XfrmKey::Saddr4 => "saddr4",
        XfrmKey::Daddr4 => "daddr4",
        XfrmKey::Saddr6 => "saddr6",
        XfrmKey::Daddr6 => "daddr6",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
fn generator(instr: &Instr, out: &mut impl Write) -> fmt::Result {
    let offset = match instr {
        Instr::Numgen {
            random,
            modulus,
            offset,
            dst,
            ..
        } => {
            let kind = if *random { "random" } else { "inc" };
            write!(out, "numgen reg {} = {kind} mod {modulus}", dst.number())?;
            *offset
        }
        Instr::Jhash {
            src,
            len,
            dst,
            seed,
            modulus,
            offset,
        } => {
            let seed = seed.unwrap_or(0);
            write!(
                out,
                "hash reg {} = jhash(reg {}, {len}, 0x{seed:x}) % mod {modulus}",
                dst.number(),
                src.number()
            )?;
            *offset
        }
        Instr::Symhash {
            dst,
            modulus,
            offset,
        } => {
            write!(out, "hash reg {} = symhash() % mod {modulus}", dst.number())?;
            *offset
        }
        _ => 0,
    };
    if offset == 0 {
        return Ok(());
    }
    write!(out, " offset {offset}")
}
