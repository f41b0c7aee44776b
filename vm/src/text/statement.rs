//! Statements: what changes, counts, answers and decides.

use std::fmt::{self, Write};

use super::expression::{base_name, ct, exthdr_op};
use super::{object_name, operand, optional_reg, set_name, verdict};
use crate::Reg;
use crate::family::nfproto;
use crate::ids::StateId;
use crate::instr::{ChecksumKind, Dynset, DynsetOp, Instr, Log, Nat, NatKind, ObjectKind, Reject};
use crate::ruleset::{LimitSpec, Ruleset, StateSpec};

/// Prints a statement without its brackets; nothing for an expression.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other instruction is an expression"
)]
pub(super) fn print(ruleset: &Ruleset, instr: &Instr, out: &mut impl Write) -> fmt::Result {
    match instr {
        Instr::Immediate { dst, data } => {
            write!(out, "immediate reg {}", dst.number())?;
            operand(data, out)
        }
        Instr::ImmediateVerdict { verdict: value } => {
            out.write_str("immediate reg 0 ")?;
            verdict(ruleset, *value, out)
        }
        Instr::PayloadWrite { .. } | Instr::ExthdrWrite { .. } | Instr::ExthdrReset { .. } => {
            rewrite(instr, out)
        }
        Instr::MetaSet { key, src } => {
            write!(out, "meta set {} with reg {}", key.printed(), src.number())
        }
        Instr::CtSet {
            key,
            direction,
            src,
        } => ct("set", *key, "with", *src, *direction, out),
        Instr::Dynset(operands) => dynset(ruleset, operands, out),
        Instr::Counter { state }
        | Instr::Limit { state }
        | Instr::Quota { state }
        | Instr::Last { state }
        | Instr::Connlimit { state } => slot(ruleset, *state, out),
        Instr::Objref { kind, state } => write!(
            out,
            "objref type {} name {}",
            object_number(*kind),
            object_name(ruleset, *state)
        ),
        Instr::ObjrefMap { set, src } => write!(
            out,
            "objref sreg {} set {}",
            src.number(),
            set_name(ruleset, *set)
        ),
        Instr::Log(operands) => log(operands, out),
        Instr::Reject(how) => reject(*how, out),
        Instr::Nat(operands) => nat(operands, out),
        Instr::Masq {
            proto_min,
            proto_max,
            flags,
        } => port_nat("masq", *proto_min, *proto_max, *flags, out),
        Instr::Redir {
            proto_min,
            proto_max,
            flags,
        } => port_nat("redir", *proto_min, *proto_max, *flags, out),
        Instr::Tproxy {
            nfproto,
            addr,
            port,
        } => {
            write!(out, "tproxy{}", family(*nfproto))?;
            optional_reg("addr", *addr, out)?;
            optional_reg("port", *port, out)
        }
        Instr::Notrack => out.write_str("notrack"),
        Instr::Queue {
            num,
            bypass,
            fanout,
            sreg,
        } => queue(*num, *sreg, *bypass, *fanout, out),
        Instr::Dup { .. } | Instr::Fwd { .. } => forward(instr, out),
        Instr::Synproxy { mss, wscale, .. } => write!(out, "synproxy mss {mss} wscale {wscale}"),
        Instr::FlowOffload { flowtable } => write!(out, "flow_offload flowtable {flowtable}"),
        _ => Ok(()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
fn rewrite(instr: &Instr, out: &mut impl Write) -> fmt::Result {
    match instr {
        Instr::PayloadWrite {
            base,
            offset,
            len,
            src,
            csum,
            csum_offset,
            csum_flags,
        } => {
            let kind = match csum {
                ChecksumKind::None => 0,
                ChecksumKind::Inet => 1,
                ChecksumKind::Sctp => 2,
            };
            write!(
                out,
                "payload write reg {} => {len}b @ {} + {offset} ",
                src.number(),
                base_name(*base)
            )?;
            write!(
                out,
                "csum_type {kind} csum_off {csum_offset} csum_flags 0x{csum_flags:x}"
            )
        }
        Instr::ExthdrWrite {
            op,
            kind,
            offset,
            len,
            src,
        } => {
            write!(
                out,
                "exthdr write {}reg {} => {len}b @ {kind} + {offset}",
                exthdr_op(*op),
                src.number()
            )
        }
        Instr::ExthdrReset { op, kind } => write!(out, "exthdr reset {}{kind}", exthdr_op(*op)),
        _ => Ok(()),
    }
}

fn dynset(ruleset: &Ruleset, dynset: &Dynset, out: &mut impl Write) -> fmt::Result {
    let verb = match dynset.op {
        DynsetOp::Add => "add",
        DynsetOp::Update => "update",
        DynsetOp::Delete => "delete",
    };
    write!(
        out,
        "dynset {verb} reg_key {} set {}",
        dynset.key.number(),
        set_name(ruleset, dynset.set)
    )?;
    if let Some(data) = dynset.data {
        write!(out, " sreg_data {}", data.number())?;
    }
    if let Some(timeout) = dynset.timeout_ms {
        write!(out, " timeout {timeout}ms")?;
    }
    for expr in &dynset.exprs {
        out.write_str(" expr [ ")?;
        stateful(expr, out)?;
        out.write_str(" ]")?;
    }
    Ok(())
}

fn slot(ruleset: &Ruleset, state: StateId, out: &mut impl Write) -> fmt::Result {
    ruleset
        .states
        .get(state.index())
        .map_or(Ok(()), |spec| stateful(spec, out))
}

/// A stateful expression with its initial value.
fn stateful(spec: &StateSpec, out: &mut impl Write) -> fmt::Result {
    match spec {
        StateSpec::Counter { packets, bytes } => {
            write!(out, "counter pkts {packets} bytes {bytes}")
        }
        StateSpec::Limit(spec) => limit(spec, out),
        StateSpec::Quota {
            bytes,
            consumed,
            over,
        } => write!(
            out,
            "quota bytes {bytes} consumed {consumed} flags {}",
            u8::from(*over)
        ),
        StateSpec::Last { used_ms: Some(ms) } => write!(out, "last {ms}"),
        StateSpec::Last { used_ms: None } => out.write_str("last never"),
        StateSpec::Connlimit { count, over } => {
            write!(out, "connlimit count {count} flags {}", u8::from(*over))
        }
        StateSpec::Numgen
        | StateSpec::CtHelper { .. }
        | StateSpec::CtTimeout { .. }
        | StateSpec::CtExpectation { .. }
        | StateSpec::Tunnel(_)
        | StateSpec::Secmark(_)
        | StateSpec::Synproxy { .. } => Ok(()),
    }
}

fn limit(spec: &LimitSpec, out: &mut impl Write) -> fmt::Result {
    let unit = match spec.unit_secs {
        60 => "minute",
        3600 => "hour",
        86_400 => "day",
        604_800 => "week",
        _ => "second",
    };
    let kind = if spec.bytes { "bytes" } else { "packets" };
    write!(
        out,
        "limit rate {}/{unit} burst {} type {kind} flags 0x{}",
        spec.rate,
        spec.burst,
        u8::from(spec.over)
    )
}

const fn object_number(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Counter => 1,
        ObjectKind::Quota => 2,
        ObjectKind::CtHelper => 3,
        ObjectKind::Limit => 4,
        ObjectKind::Tunnel => 6,
        ObjectKind::CtTimeout => 7,
        ObjectKind::Secmark => 8,
        ObjectKind::CtExpectation => 9,
        ObjectKind::Synproxy => 10,
    }
}

fn log(log: &Log, out: &mut impl Write) -> fmt::Result {
    const FLAGS: [(u32, &str); 5] = [
        (1, "tcpseq"),
        (2, "tcpopt"),
        (4, "ipopt"),
        (8, "uid"),
        (32, "macdecode"),
    ];
    out.write_str("log")?;
    if let Some(prefix) = &log.prefix {
        write!(out, " prefix {prefix}")?;
    }
    if let Some(group) = log.group {
        let (snaplen, qthreshold) = (log.snaplen.unwrap_or(0), log.qthreshold.unwrap_or(0));
        return write!(
            out,
            " group {group} snaplen {snaplen} qthreshold {qthreshold}"
        );
    }
    if let Some(level) = log.level {
        write!(out, " level {level}")?;
    }
    for (bit, word) in FLAGS {
        if log.flags & bit != 0 {
            write!(out, " {word}")?;
        }
    }
    Ok(())
}

fn reject(how: Reject, out: &mut impl Write) -> fmt::Result {
    let (kind, code) = match how {
        Reject::Icmp(code) => (0, code),
        Reject::TcpReset => (1, 0),
        Reject::Icmpx(code) => (2, code),
    };
    write!(out, "reject type {kind} code {code}")
}

/// A blank and the word for a family, or nothing for both.
const fn family(nfproto: u8) -> &'static str {
    match nfproto {
        0 => "",
        nfproto::IPV4 => " ip",
        nfproto::IPV6 => " ip6",
        _ => " inet",
    }
}

fn nat(nat: &Nat, out: &mut impl Write) -> fmt::Result {
    let kind = match nat.kind {
        NatKind::Snat => "snat",
        NatKind::Dnat => "dnat",
    };
    write!(out, "nat {kind}{}", family(nat.nfproto))?;
    optional_reg("addr_min", nat.addr_min, out)?;
    optional_reg("addr_max", nat.addr_max, out)?;
    port_nat("", nat.proto_min, nat.proto_max, nat.flags, out)
}

fn port_nat(
    word: &str,
    min: Option<Reg>,
    max: Option<Reg>,
    flags: u32,
    out: &mut impl Write,
) -> fmt::Result {
    out.write_str(word)?;
    optional_reg("proto_min", min, out)?;
    optional_reg("proto_max", max, out)?;
    if flags == 0 {
        return Ok(());
    }
    write!(out, " flags 0x{flags:x}")
}

fn queue(
    (first, last): (u16, u16),
    sreg: Option<Reg>,
    bypass: bool,
    fanout: bool,
    out: &mut impl Write,
) -> fmt::Result {
    match sreg {
        Some(sreg) => write!(out, "queue sreg_qnum {}", sreg.number())?,
        None if first == last => write!(out, "queue num {first}")?,
        None => write!(out, "queue num {first}-{last}")?,
    }
    out.write_str(if bypass { " bypass" } else { "" })?;
    out.write_str(if fanout { " fanout" } else { "" })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over this family only"
)]
fn forward(instr: &Instr, out: &mut impl Write) -> fmt::Result {
    match instr {
        Instr::Dup { addr, dev } => {
            out.write_str("dup")?;
            if let Some(addr) = addr {
                write!(out, " sreg_addr {}", addr.number())?;
            }
            if let Some(dev) = dev {
                write!(out, " sreg_dev {}", dev.number())?;
            }
        }
        Instr::Fwd { dev, addr, nfproto } => {
            write!(out, "fwd sreg_dev {}", dev.number())?;
            if let Some(addr) = addr {
                write!(out, " sreg_addr {} nfproto {nfproto}", addr.number())?;
            }
        }
        _ => {}
    }
    Ok(())
}
