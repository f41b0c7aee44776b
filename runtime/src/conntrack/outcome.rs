//! What the engine tells its caller of a packet.

use super::reason::InvalidReason;

/// Where conntrack meets a packet first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackHook {
    /// Arriving: checksums are verified.
    Prerouting,
    /// Made here, or arriving with a checksum that is known to be right: checksums are trusted.
    Output,
}

/// What `Conntrack::handle_packet` made of a packet; `packet.ct` holds the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Belongs to an entry, or had been seen already.
    Tracked,
    /// Left alone (`notrack`, neighbour discovery).
    Untracked,
    /// INVALID: goes on without an entry; rules decide.
    Invalid(InvalidReason),
    /// The packet must be dropped.
    Drop(CtDrop),
}

/// Why conntrack drops a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtDrop {
    /// The table is full and nothing in reach can be evicted (`ct-limit`).
    Limit,
    /// Another packet confirmed the same connection first, or the entry was deleted meanwhile (`ct-clash`).
    Clash,
    /// A helper read half a command, which is to come again in one piece, or there is no place for what a packet announces (`ct-helper`).
    Helper,
}
