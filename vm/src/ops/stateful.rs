//! Counters, limits and other expressions with a memory of their own.

use super::{Step, world};
use crate::engine::Env;
use crate::ids::StateId;
use crate::packet::Packet;
use crate::ruleset::StateSpec;
use crate::state::Stateful;

/// Counts the packet.
#[inline]
pub fn count(packet: &Packet, state: StateId, env: &mut Env<'_>) -> Step {
    match env.state.counter_mut(state) {
        Some(counter) => {
            counter.count(packet.meta.len);
            Step::Next
        }
        None => Step::Break,
    }
}

/// Runs any stateful expression or named object.
pub fn run(packet: &mut Packet, state: StateId, env: &mut Env<'_>) -> Step {
    if let Some(counter) = env.state.counter_mut(state) {
        counter.count(packet.meta.len);
        return Step::Next;
    }
    match env.state.stateful_mut(state) {
        Some(Stateful::Object(spec)) => {
            if matches!(**spec, StateSpec::Synproxy { .. }) {
                return world::synproxy(packet);
            }
            env.host.ct_object(packet, spec).step()
        }
        Some(stateful) => stateful.run(packet, env.now, env.host),
        None => Step::Break,
    }
}
