//! Counters, limits, quotas and their like: in rules, in set elements, and as named objects.

use crate::ast::{Limit, Number, Quota, Stmt, StmtKind, Synproxy, Word};
use crate::diag::Code;
use crate::resolve::{Context, every};
use redan_vm::ruleset::{LimitSpec, StateSpec};

/// What a stateful statement starts as; an error where the statement is none.
pub(crate) fn stateful_spec(cx: &mut Context<'_>, stmt: &Stmt) -> Option<StateSpec> {
    match &stmt.kind {
        StmtKind::Counter { packets, bytes } => Some(StateSpec::Counter {
            packets: packets.as_deref().map_or(0, |number| number.value),
            bytes: bytes.as_deref().map_or(0, |number| number.value),
        }),
        StmtKind::Limit(limit) => limit_spec(cx, limit).map(StateSpec::Limit),
        StmtKind::Quota(quota) => quota_spec(cx, quota),
        StmtKind::Last { used_ms } => Some(StateSpec::Last { used_ms: *used_ms }),
        StmtKind::CtCount { over, count } => {
            narrow(cx, *count, u32::MAX).map(|count| StateSpec::Connlimit { count, over: *over })
        }
        StmtKind::Match(_)
        | StmtKind::Verdict(_)
        | StmtKind::Vmap { .. }
        | StmtKind::Log(_)
        | StmtKind::Reject(_)
        | StmtKind::Nat(_)
        | StmtKind::Tproxy { .. }
        | StmtKind::Notrack
        | StmtKind::Set { .. }
        | StmtKind::ResetTcpOption { .. }
        | StmtKind::Objref { .. }
        | StmtKind::Dynset(_)
        | StmtKind::Meter(_)
        | StmtKind::Flow { .. }
        | StmtKind::Queue { .. }
        | StmtKind::Dup { .. }
        | StmtKind::Fwd { .. }
        | StmtKind::Synproxy(_)
        | StmtKind::Xt(_) => cx.error(
            Code::BadDeclaration,
            stmt.span,
            "only counter, limit, quota, last and ct count can be kept for each element",
        ),
    }
}

/// What the stateful statements of a set's element start as.
pub(crate) fn stateful_specs(cx: &mut Context<'_>, stmts: &[Stmt]) -> Option<Vec<StateSpec>> {
    every(stmts.iter().map(|stmt| stateful_spec(cx, stmt)))
}

/// A number that must not exceed a limit.
pub(crate) fn narrow(cx: &mut Context<'_>, number: Number, max: u32) -> Option<u32> {
    match u32::try_from(number.value)
        .ok()
        .filter(|value| *value <= max)
    {
        Some(value) => Some(value),
        None => cx.error(
            Code::ValueOutOfRange,
            number.span,
            format!("value {} exceeds valid range 0-{max}", number.value),
        ),
    }
}

/// A size in a unit of bytes.
fn bytes(cx: &mut Context<'_>, number: Number, unit: Word) -> Option<u64> {
    let factor: u64 = match cx.text(unit) {
        "bytes" | "byte" => 1,
        "kbytes" => 1 << 10,
        "mbytes" => 1 << 20,
        other => {
            return cx.unknown(
                Code::UnknownKeyword,
                unit.span,
                "unit",
                other,
                ["bytes", "kbytes", "mbytes"],
            );
        }
    };
    match number.value.checked_mul(factor) {
        Some(value) => Some(value),
        None => cx.error(
            Code::ValueOutOfRange,
            number.span,
            "the number of bytes does not fit 64 bits",
        ),
    }
}

/// Parameters of a token bucket.
pub(crate) fn limit_spec(cx: &mut Context<'_>, limit: &Limit) -> Option<LimitSpec> {
    let unit_secs = match cx.text(limit.per) {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        other => {
            return cx.unknown(
                Code::UnknownKeyword,
                limit.per.span,
                "unit of time",
                other,
                ["second", "minute", "hour", "day", "week"],
            );
        }
    };
    let rate = match limit.unit {
        Some(unit) => bytes(cx, limit.rate, unit)?,
        None => limit.rate.value,
    };
    let counts_bytes = limit.unit.is_some();
    if rate == 0 {
        return cx.error(
            Code::ValueOutOfRange,
            limit.rate.span,
            "the rate must be 1 or more",
        );
    }
    let burst = match limit.burst {
        None if counts_bytes => 0,
        None => 5,
        Some((number, unit)) => {
            if number.value == 0 && !counts_bytes {
                // Since nft 1.0.6; the kernel would take 5.
                return cx.error_help(
                    Code::ValueOutOfRange,
                    number.span,
                    "the burst must be 1 or more",
                    "leave it out for 5 packets",
                );
            }
            let word = unit.map_or("packets", |unit| cx.text(unit));
            let in_bytes = word != "packets";
            if in_bytes != counts_bytes {
                let span = unit.map_or(number.span, |unit| unit.span);
                return cx.error(
                    Code::BadFlag,
                    span,
                    "rate and burst must count the same: both packets or both bytes",
                );
            }
            let value = match unit {
                Some(unit) if in_bytes => bytes(cx, number, unit)?,
                _ => number.value,
            };
            match u32::try_from(value) {
                Ok(value) => value,
                Err(_) => {
                    return cx.error(
                        Code::ValueOutOfRange,
                        number.span,
                        "the burst does not fit 32 bits",
                    );
                }
            }
        }
    };
    let spec = LimitSpec {
        rate,
        unit_secs,
        burst,
        bytes: counts_bytes,
        over: limit.over,
    };
    fits_kernel(cx, &spec, limit.rate)?;
    Some(spec)
}

/// Whether the kernel can hold a bucket, in nanoseconds (`nft_limit.c: nft_limit_init`).
fn fits_kernel(cx: &mut Context<'_>, spec: &LimitSpec, place: Number) -> Option<()> {
    let nsecs = spec.unit_secs * 1_000_000_000;
    let burst = u64::from(spec.burst);
    let tokens = if spec.bytes {
        nsecs.checked_mul(spec.rate.saturating_add(burst))
    } else {
        nsecs.checked_div(spec.rate)?.checked_mul(burst)
    };
    if tokens.is_none() {
        return cx.error_help(
            Code::ValueOutOfRange,
            place.span,
            "rate, unit and burst together do not fit the kernel's 64 bits of nanoseconds",
            "count by a shorter unit, or give a smaller burst",
        );
    }
    Some(())
}

/// A byte budget.
pub(crate) fn quota_spec(cx: &mut Context<'_>, quota: &Quota) -> Option<StateSpec> {
    let size = bytes(cx, quota.size, quota.unit)?;
    let consumed = match quota.used {
        Some((number, unit)) => bytes(cx, number, unit)?,
        None => 0,
    };
    Some(StateSpec::Quota {
        bytes: size,
        consumed,
        over: quota.over,
    })
}

/// Options of synproxy: maximum segment size, window scale, flags.
pub(crate) fn synproxy_spec(cx: &mut Context<'_>, synproxy: &Synproxy) -> Option<(u16, u8, u32)> {
    let mss = match synproxy.mss {
        Some(number) => narrow(cx, number, 65535)?,
        None => 0,
    };
    let wscale = match synproxy.wscale {
        Some(number) => narrow(cx, number, 14)?,
        None => 0,
    };
    let flags = u32::from(synproxy.mss.is_some())
        | u32::from(synproxy.wscale.is_some()) << 1
        | u32::from(synproxy.sack_perm) << 2
        | u32::from(synproxy.timestamp) << 3;
    Some((
        u16::try_from(mss).unwrap_or(0),
        u8::try_from(wscale).unwrap_or(0),
        flags,
    ))
}
