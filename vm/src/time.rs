//! Time as the packet half sees it: a number that comes in as an argument.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment: nanoseconds since 1970-01-01 00:00 UTC, of a capture's clock or the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The moment `ns` nanoseconds after 1970.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// The moment `secs` seconds after 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A time in nanoseconds, without the 128 bits that `Duration::as_nanos` takes.
const fn nanos(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(wait.subsec_nanos() as u64)
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(wait)))
    }
}
