//! How long an entry lives, and what of it was not reported yet.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::status;

/// What decides how long an entry lives, and what of it was not reported yet.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Life {
    /// Confirmed: when it expires, in nanoseconds since 1970. Before that: the time to live. Low half, high half: the entry has no place for more
    /// than four bytes of alignment here.
    deadline: [u32; 2],
    /// Bits of [`status`]; all of them lie in the lower half.
    status: u16,
    /// Bits of [`change`](super::change) since the last event.
    pub(super) changes: u16,
}

impl Life {
    /// That of an entry which was never confirmed.
    pub(super) const fn new() -> Self {
        Self {
            deadline: [0; 2],
            status: 0,
            changes: 0,
        }
    }

    /// Bits of [`status`].
    pub(super) const fn status(&self) -> u32 {
        self.status as u32
    }

    /// Sets status bits that no event tells of.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no status bit lies in the upper half"
    )]
    pub(super) const fn add(&mut self, bits: u32) {
        self.status |= bits as u16;
    }

    /// Whether any of these [`status`] bits is set.
    pub(super) const fn has(&self, bits: u32) -> bool {
        self.status() & bits != 0
    }

    /// Whether the entry is in the table, or was.
    pub(super) const fn is_confirmed(&self) -> bool {
        self.has(status::CONFIRMED)
    }

    /// Sets a status bit; `change` is reported when it was not set before.
    pub(super) const fn set(&mut self, bit: u32, change: u16) {
        if !self.has(bit) {
            self.add(bit);
            self.changes |= change;
        }
    }

    /// Time to live from `now` on.
    pub(super) fn remaining(&self, now: Instant) -> Duration {
        if self.is_confirmed() {
            self.deadline().since(now)
        } else {
            Duration::from_nanos(self.deadline().as_nanos())
        }
    }

    /// Whether its time is over.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.is_confirmed() && self.deadline() <= now
    }

    /// Gives it `timeout` from `now` on, whatever it had.
    pub(super) fn set_timeout(&mut self, now: Instant, timeout: Duration) {
        let start = if self.is_confirmed() {
            now
        } else {
            Instant::default()
        };
        let deadline = (start + timeout).as_nanos();
        self.deadline = [low(deadline), low(deadline >> 32)];
    }

    /// When it expires; meaningful once it is confirmed.
    pub(super) const fn deadline(&self) -> Instant {
        let [low, high] = self.deadline;
        Instant::from_nanos(low as u64 | (high as u64) << 32)
    }

    /// Into the table: from here on the deadline is a moment.
    pub(super) fn confirm(&mut self, now: Instant) {
        let timeout = self.remaining(now);
        self.add(status::CONFIRMED);
        self.set_timeout(now, timeout);
    }
}

/// The lower half of a number.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
const fn low(number: u64) -> u32 {
    number as u32
}

const _: () = assert!(status::NAT_CLASH <= 0xffff && status::FIXED_TIMEOUT <= 0xffff);
