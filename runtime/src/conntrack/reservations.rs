//! Which keys are taken. Translation asks before it chooses one, through a trait, so that a table of several parts can answer as one does.

use redan_vm::Instant;

use super::slab::EntryId;
use super::tuple::Tuple;

/// Knows which tuples belong to connections.
pub(super) trait Reservations {
    /// Whether answers with this tuple, in the zone of `ours`, would go to another connection than `ours`. One that began with the same packet
    /// does not count: whether they are the same is settled when `ours` is confirmed.
    fn is_taken(&self, tuple: &Tuple, ours: EntryId, now: Instant) -> bool;
}
