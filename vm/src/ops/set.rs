//! Sets and maps: lookups, and changes from the packet path (`nft_lookup.c`, `nft_dynset.c`, `nft_objref.c`).

use super::{Step, stateful};
use crate::engine::Env;
use crate::ids::SetId;
use crate::instr::{Dynset, DynsetOp, Verdict};
use crate::packet::Packet;
use crate::regs::Regs;
use crate::ruleset::{ElementData, SetData};
use crate::set::Value;
use crate::{Data, Reg};

/// Operands of `lookup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The set.
    pub set: SetId,
    /// The key.
    pub src: Reg,
    /// Where a map's data goes.
    pub dst: Option<Reg>,
    /// Breaks on a hit, not on a miss.
    pub inverted: bool,
}

/// Looks a key up; a hit runs the element's expressions.
pub fn lookup(packet: &Packet, ask: Lookup, regs: &mut Regs, env: &mut Env<'_>) -> Step {
    let Some(set) = env.state.set_mut(ask.set) else {
        return Step::Break;
    };
    set.collect(env.now, env.host);
    let key = regs.get(ask.src, set.table.key_len());
    let Some(hit) = set.table.lookup(key, env.now) else {
        return Step::when(ask.inverted);
    };
    if ask.inverted {
        return Step::Break;
    }
    let element = hit.element;
    if let (Some(dst), Value::Bytes(bytes)) = (ask.dst, hit.data) {
        regs.set(dst, bytes);
    }
    set.run_element(element, packet, env.now, env.host)
}

/// Looks a key up in a verdict map; a hit runs the element's expressions and decides.
pub fn lookup_verdict(
    packet: &Packet,
    set: SetId,
    src: Reg,
    regs: &Regs,
    env: &mut Env<'_>,
) -> Step {
    let Some(set) = env.state.set_mut(set) else {
        return Step::Break;
    };
    set.collect(env.now, env.host);
    let key = regs.get(src, set.table.key_len());
    let Some(hit) = set.table.lookup(key, env.now) else {
        return Step::Break;
    };
    let Value::Verdict(verdict) = hit.data else {
        return Step::Break;
    };
    let element = hit.element;
    match set.run_element(element, packet, env.now, env.host) {
        // "Go on" is what the register holds anyway: the rest of the rule follows (`nf_tables_core.c: nft_do_chain`).
        Step::Next if verdict == Verdict::Continue => Step::Next,
        Step::Next => Step::Verdict(verdict),
        step @ (Step::Break | Step::Verdict(_) | Step::Final(_)) => step,
    }
}

/// Runs the stateful object that a map gives for a key.
pub fn objref(packet: &mut Packet, set: SetId, src: Reg, regs: &Regs, env: &mut Env<'_>) -> Step {
    let Some(set) = env.state.set_mut(set) else {
        return Step::Break;
    };
    set.collect(env.now, env.host);
    let key = regs.get(src, set.table.key_len());
    let Some(hit) = set.table.lookup(key, env.now) else {
        return Step::Break;
    };
    let Value::Object(state) = hit.data else {
        return Step::Break;
    };
    stateful::run(packet, state, env)
}

/// Adds, refreshes or removes an element; what was added stays when the rule breaks later.
pub fn dynset(packet: &Packet, dynset: &Dynset, regs: &Regs, env: &mut Env<'_>) -> Step {
    let (state, lists) = env.state.set_and_lists(dynset.set);
    let Some(set) = state else {
        return Step::Break;
    };
    set.collect(env.now, env.host);
    let key = regs.get(dynset.key, set.table.key_len());
    let refresh = match dynset.op {
        DynsetOp::Delete => {
            if let Some(element) = set.table.remove(key, env.now) {
                set.end_element(element, env.host);
            }
            return Step::Next;
        }
        DynsetOp::Add => false,
        DynsetOp::Update => true,
    };
    let data = dynset
        .data
        .and_then(|reg| element_data(reg, set.data, regs));
    let Some(changed) = set
        .table
        .add(key, data, dynset.timeout_ms, refresh, env.now)
    else {
        return Step::Break;
    };
    if changed.created {
        set.start_element(changed.element, &dynset.exprs, lists, env.host);
    }
    set.run_element(changed.element, packet, env.now, env.host)
}

/// A map's data from registers.
fn element_data(reg: Reg, data: SetData, regs: &Regs) -> Option<ElementData> {
    let SetData::Value(len) = data else {
        return None;
    };
    let bytes = regs.get(reg, usize::from(len));
    if bytes.len() <= 16 {
        return Data::new(bytes).map(ElementData::Value);
    }
    let mut parts = [Data::zero(0); 4];
    for (part, chunk) in parts.iter_mut().zip(bytes.chunks(16)) {
        *part = Data::new(chunk)?;
    }
    Some(ElementData::Wide(parts))
}
