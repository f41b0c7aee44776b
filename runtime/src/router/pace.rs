//! How many ICMP errors a live router sends (RFC 1812 4.3.2.8, RFC 4443 2.4 f), whoever asks for them.

use redan_vm::Instant;

/// ICMP errors a second (`net.ipv4.icmp_msgs_per_sec`).
const PER_SEC: u64 = 1000;
/// ICMP errors at once (`net.ipv4.icmp_msgs_burst`).
const BURST: u64 = 50;
/// Nanoseconds that one ICMP error takes.
const COST_NS: u64 = 1_000_000_000 / PER_SEC;

/// A token bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// When the bucket would be full again if nothing more were taken.
    full_at: Instant,
}

impl Pace {
    /// Takes one; `false` when there is none left.
    pub fn take(&mut self, now: Instant) -> bool {
        let missing = self.full_at.since(now);
        let cost = std::time::Duration::from_nanos(COST_NS);
        if missing + cost > cost * u32::try_from(BURST).unwrap_or(u32::MAX) {
            return false;
        }
        self.full_at = self.full_at.max(now) + cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let (mut pace, now) = (Pace::default(), Instant::from_secs(5));
        assert_eq!((0..100).filter(|_| pace.take(now)).count(), 50);
        assert!(!pace.take(now));
        let later = now + Duration::from_millis(10);
        assert_eq!((0..100).filter(|_| pace.take(later)).count(), 10);
        assert_eq!(
            (0..100)
                .filter(|_| pace.take(now + Duration::from_secs(9)))
                .count(),
            50
        );
    }
}
