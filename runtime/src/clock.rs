//! The only reader of the system's clocks.

use redan_vm::Instant;

/// The system's time: nanoseconds since 1970, never going back between two calls of one clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
    start_ns: u64,
}

impl Clock {
    /// A clock that starts at the system's wall-clock time and goes on with its monotonic one.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads the clocks"
    )]
    pub fn start() -> Self {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
            });
        Self {
            start: std::time::Instant::now(),
            start_ns: wall,
        }
    }

    /// Now.
    pub fn now(&self) -> Instant {
        Instant::from_nanos(self.start_ns.saturating_add(ns_since(self.start)))
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads the clocks"
    )]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Nanoseconds since the start.
    pub fn elapsed_ns(&self) -> u64 {
        ns_since(self.0)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the file that reads the clocks"
)]
fn ns_since(start: std::time::Instant) -> u64 {
    u64::try_from(
        std::time::Instant::now()
            .saturating_duration_since(start)
            .as_nanos(),
    )
    .unwrap_or(u64::MAX)
}
