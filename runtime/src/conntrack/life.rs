//! How long an entry lives, and what of it was not reported yet.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::status;

/// What decides how long an entry lives, and what of it was not reported yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// Bits of [`status`].
    pub(super) status: u32,
    /// Bits of [`change`](super::change) since the last event.
    pub(super) changes: u16,
    /// Packets under way that hold the entry while it is not in the table: not yet confirmed, or dead already.
    pub(super) holders: u8,
    /// Whether traffic is counted.
    pub(super) is_counted: bool,
    /// Confirmed: when it expires. Before that: the time to live as nanoseconds since 1970.
    deadline: Instant,
}

impl Life {
    /// That of an entry which one packet holds.
    pub(super) const fn new() -> Self {
        Self {
            status: 0,
            changes: 0,
            holders: 1,
            is_counted: false,
            deadline: Instant::from_secs(0),
        }
    }

    /// Whether any of these [`status`] bits is set.
    pub(super) const fn has(&self, bits: u32) -> bool {
        self.status & bits != 0
    }

    /// Whether the entry is in the table, or was.
    pub(super) const fn is_confirmed(&self) -> bool {
        self.has(status::CONFIRMED)
    }

    /// Sets a status bit; `change` is reported when it was not set before.
    pub(super) const fn set(&mut self, bit: u32, change: u16) {
        if !self.has(bit) {
            self.status |= bit;
            self.changes |= change;
        }
    }

    /// Time to live from `now` on.
    pub(super) fn remaining(&self, now: Instant) -> Duration {
        if self.is_confirmed() {
            self.deadline.since(now)
        } else {
            Duration::from_nanos(self.deadline.as_nanos())
        }
    }

    /// Whether its time is over.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.is_confirmed() && self.deadline <= now
    }

    /// Gives it `timeout` from `now` on, whatever it had.
    pub(super) fn set_timeout(&mut self, now: Instant, timeout: Duration) {
        let start = if self.is_confirmed() {
            now
        } else {
            Instant::default()
        };
        self.deadline = start + timeout;
    }

    /// When it expires; meaningful once it is confirmed.
    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Into the table: from here on the deadline is a moment.
    pub(super) fn confirm(&mut self, now: Instant) {
        let timeout = self.remaining(now);
        self.status |= status::CONFIRMED;
        self.set_timeout(now, timeout);
    }
}
