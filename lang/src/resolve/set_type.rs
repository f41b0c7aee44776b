//! What the kernel's types of sets cannot do. nft leaves these questions to the kernel, which refuses the command when rules are loaded
//! (`nf_tables_api.c: nf_tables_newset`, `nft_set_elem_expr_alloc`; `nft_dynset.c: nft_dynset_init`).

use super::Context;
use super::set_body::Declared;
use crate::ast::{Dynset, SetBody, SetBodyItem};
use crate::diag::Code;
use crate::sets::Collected;
use crate::source::Span;
use redan_vm::ids::SetId;
use redan_vm::ruleset::{Set, StateSpec, set_flags};

const RANGES: &str = "packets cannot change a set of ranges";
const COUNTS: &str = "`ct count` cannot be kept in a set whose elements time out";
const COUNTS_HELP: &str =
    "leave the timeout out: an element goes when its last connection has ended";

fn counts(exprs: &[StateSpec]) -> bool {
    exprs
        .iter()
        .any(|spec| matches!(spec, StateSpec::Connlimit { .. }))
}

/// Whether the parts of a declaration go together.
pub(super) fn check_body(cx: &mut Context<'_>, body: &SetBody, declared: &Declared) -> Option<()> {
    let is_timed = declared.flags & set_flags::TIMEOUT != 0 || declared.timeout_ms.is_some();
    let is_interval = declared.flags & set_flags::INTERVAL != 0;
    for item in &body.items {
        match item {
            SetBodyItem::Flags(words) => {
                for word in words {
                    match cx.text(*word) {
                        "constant" if is_timed => {
                            return cx.error(
                                Code::BadFlag,
                                word.span,
                                "elements of a constant set cannot time out",
                            );
                        }
                        "dynamic" if is_interval => {
                            return cx.error_help(
                                Code::BadFlag,
                                word.span,
                                RANGES,
                                "leave `interval` or `dynamic` out",
                            );
                        }
                        _ => {}
                    }
                }
            }
            SetBodyItem::GcInterval(_, span) if !is_timed => {
                return cx.error_help(
                    Code::BadFlag,
                    *span,
                    "nothing of this set ever times out",
                    "add `flags timeout`, or leave `gc-interval` out",
                );
            }
            SetBodyItem::Stmt(stmt) if is_timed && counts(&declared.exprs) => {
                return check_timed(cx, &declared.exprs, stmt.span);
            }
            SetBodyItem::Type(_)
            | SetBodyItem::Typeof(_)
            | SetBodyItem::Timeout(..)
            | SetBodyItem::GcInterval(..)
            | SetBodyItem::Size(_)
            | SetBodyItem::Policy(_)
            | SetBodyItem::AutoMerge(_)
            | SetBodyItem::Stmt(_)
            | SetBodyItem::Elements(_)
            | SetBodyItem::Comment(_)
            | SetBodyItem::Define(_)
            | SetBodyItem::Undefine(_) => {}
        }
    }
    Some(())
}

/// Whether a set can hold what elements have beside their keys.
pub(super) fn check_elements(cx: &mut Context<'_>, id: SetId, collected: &Collected) -> Option<()> {
    let set = cx.ruleset.sets.get(id.index())?;
    let is_timed = set.flags & set_flags::TIMEOUT != 0;
    for (number, extra) in &collected.extras {
        let span = collected.places.get(number).copied().unwrap_or_default();
        if !is_timed && (extra.timeout_ms.is_some() || extra.expires_ms.is_some()) {
            return without_timeouts(cx, span);
        }
        if is_timed {
            check_timed(cx, &extra.exprs, span)?;
        }
    }
    Some(())
}

/// Whether packets can put such elements into a set.
pub(crate) fn check_filled(
    cx: &mut Context<'_>,
    id: SetId,
    dynset: &Dynset,
    exprs: &[StateSpec],
) -> Option<()> {
    let flags = cx.ruleset.sets.get(id.index())?.flags;
    let span = dynset.set.span;
    if flags & set_flags::CONSTANT != 0 {
        return cx.error_help(
            Code::BadFlag,
            span,
            "packets cannot change a constant set",
            "leave `constant` out of its flags",
        );
    }
    if flags & set_flags::INTERVAL != 0 {
        return cx.error_help(
            Code::BadFlag,
            span,
            RANGES,
            "leave `interval` out of its flags",
        );
    }
    if flags & set_flags::TIMEOUT != 0 {
        return check_timed(cx, exprs, dynset.element.span);
    }
    if dynset.element.timeout_ms.is_some() {
        return without_timeouts(cx, dynset.element.span);
    }
    Some(())
}

/// Refuses `ct count` where elements time out: it decides itself when an element goes (`NFT_EXPR_GC`).
pub(crate) fn check_timed(cx: &mut Context<'_>, exprs: &[StateSpec], span: Span) -> Option<()> {
    if counts(exprs) {
        return cx.error_help(Code::BadFlag, span, COUNTS, COUNTS_HELP);
    }
    Some(())
}

fn without_timeouts(cx: &mut Context<'_>, span: Span) -> Option<()> {
    cx.error_help(
        Code::BadFlag,
        span,
        "elements of this set cannot time out",
        "add `flags timeout` to its declaration",
    )
}

/// Once all commands have run: a set whose size the kernel knows and that packets do not change is a plain hash table there, which cannot
/// count connections (`nft_set_hash.c` has `gc_init` for one that grows alone).
pub(super) fn check_counting(cx: &mut Context<'_>) {
    let is_plain = |set: &Set| {
        let sized = set.size.is_some_and(|size| size > 0)
            || set.flags & set_flags::CONSTANT != 0 && !set.elements.is_empty();
        sized && set.flags & (set_flags::EVAL | set_flags::INTERVAL | set_flags::ANONYMOUS) == 0
    };
    for at in 0..cx.ruleset.sets.len() {
        let Some(set) = cx.ruleset.sets.get(at).filter(|set| is_plain(set)) else {
            continue;
        };
        let mut carried = set.elements.extras.values();
        if !counts(&set.exprs) && !carried.any(|extra| counts(&extra.exprs)) {
            continue;
        }
        let span = cx.program.sets.get(at).map(|info| info.span);
        cx.error_help::<()>(
            Code::BadFlag,
            span.unwrap_or_default(),
            "`ct count` cannot be kept in a set of fixed size that no packet changes",
            "leave `size` and `constant` out, or add `flags dynamic`",
        );
    }
}
