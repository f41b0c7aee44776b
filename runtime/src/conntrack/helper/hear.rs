//! What helpers hear and say.

use std::time::Duration;

use redan_vm::ct::Direction;

use crate::conntrack::tuple::Tuple;

/// What a helper remembers of a connection: behind which sequence numbers lines have ended, by direction.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::conntrack) struct Memory {
    pub(super) lines: [[u32; 2]; 2],
    pub(super) known: [u8; 2],
}

/// A packet as a helper hears it.
pub(in crate::conntrack) struct Heard<'a> {
    /// From the transport header on.
    pub(in crate::conntrack) bytes: &'a [u8],
    /// Which way it goes.
    pub(in crate::conntrack) direction: Direction,
    /// Whether the connection has seen both ways.
    pub(in crate::conntrack) is_established: bool,
    /// The connection's tuples.
    pub(in crate::conntrack) tuples: &'a [Tuple; 2],
}

/// What a helper makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conntrack) enum Said {
    /// Nothing of note.
    Nothing,
    /// A command that has begun and does not end: it is dropped, so that it comes again in one piece.
    Partial,
    /// A connection with this original tuple is to come, from any port.
    Expect(Tuple),
}

/// A helper.
pub(in crate::conntrack) trait Helper: Sync {
    /// Its name in rules and listings.
    fn name(&self) -> &'static str;
    /// The protocol of the connections that it listens to.
    fn l4proto(&self) -> u8;
    /// Connections that one connection may have announced at one time.
    fn most(&self) -> usize {
        1
    }
    /// How long an announced connection is waited for.
    fn timeout(&self) -> Duration {
        Duration::from_mins(5)
    }
    /// Listens to a packet.
    fn hear(&self, memory: &mut Memory, heard: &Heard<'_>) -> Said;
}
