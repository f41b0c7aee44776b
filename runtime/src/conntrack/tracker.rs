//! What protocol trackers get and give.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::Direction;

use super::reason::InvalidReason;
use super::transport::Transport;
use super::tunables::Tunables;

/// A packet as a tracker sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Time of the packet.
    pub(super) now: Instant,
    /// The packet.
    pub(super) packet: Transport<'a>,
    /// Which way it goes.
    pub(super) direction: Direction,
    /// Whether its checksum is to be verified.
    pub(super) is_verified: bool,
    /// The settings.
    pub(super) tunables: &'a Tunables,
}

/// What a tracker makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tracked {
    /// The packet counts, and the entry lives on for this long.
    Refresh(Duration),
    /// The packet passes; the entry stays as it is, uncounted.
    Ignore,
    /// The packet counts and passes, and the entry is gone.
    Kill,
    /// The entry is gone; the packet starts over without it.
    Restart,
    /// INVALID.
    Invalid(InvalidReason),
}
