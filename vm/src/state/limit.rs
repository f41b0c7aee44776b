//! The token bucket of `limit`, in integer arithmetic as the kernel does it: tokens are nanoseconds.

use crate::ruleset::LimitSpec;
use crate::time::Instant;

/// Packets that a bucket holds when the rule names no burst.
const DEFAULT_BURST: u32 = 5;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A token bucket. It starts full; only what passes is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Nanoseconds in the bucket.
    tokens: u64,
    /// Nanoseconds that fit.
    tokens_max: u64,
    /// When tokens were last added.
    last: Instant,
    /// Nanoseconds that a packet costs; unused when bytes are counted.
    cost: u64,
    /// Nanoseconds of the unit; unused when packets are counted.
    unit: u64,
    /// Bytes per unit; 0 when packets are counted.
    byte_rate: u64,
    /// Matches when exceeded.
    over: bool,
}

impl Limit {
    /// A full bucket. A rate of 0, which the verifier refuses, never passes.
    pub fn new(spec: &LimitSpec) -> Self {
        let unit = spec.unit_secs.saturating_mul(NANOS_PER_SECOND);
        let (cost, tokens_max) = if spec.bytes {
            let size = u128::from(unit) * (u128::from(spec.rate) + u128::from(spec.burst));
            let max = size.checked_div(u128::from(spec.rate)).unwrap_or(0);
            (0, u64::try_from(max).unwrap_or(u64::MAX))
        } else {
            let burst = if spec.burst == 0 {
                DEFAULT_BURST
            } else {
                spec.burst
            };
            let cost = unit.checked_div(spec.rate).unwrap_or(u64::MAX);
            let max = if spec.rate == 0 {
                0
            } else {
                cost.saturating_mul(u64::from(burst))
            };
            (cost, max)
        };
        Self {
            tokens: tokens_max,
            tokens_max,
            last: Instant::default(),
            cost,
            unit,
            byte_rate: if spec.bytes { spec.rate } else { 0 },
            over: spec.over,
        }
    }

    /// Takes over another bucket's tokens, as far as they fit.
    pub fn take_tokens(&mut self, from: &Self) {
        self.tokens = from.tokens.min(self.tokens_max);
        self.last = from.last;
    }

    /// Takes tokens for a packet of `len` bytes; whether the rule goes on.
    pub fn run(&mut self, now: Instant, len: u32) -> bool {
        let cost = if self.byte_rate == 0 {
            self.cost
        } else {
            let cost = u128::from(self.unit) * u128::from(len) / u128::from(self.byte_rate);
            u64::try_from(cost).unwrap_or(u64::MAX)
        };
        let elapsed = now.as_nanos().saturating_sub(self.last.as_nanos());
        let tokens = self.tokens.saturating_add(elapsed).min(self.tokens_max);
        // Captures may step back in time; tokens must not be added twice for it.
        self.last = self.last.max(now);
        if tokens >= cost {
            self.tokens = tokens - cost;
            !self.over
        } else {
            self.tokens = tokens;
            self.over
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(rate: u64, unit_secs: u64, burst: u32, bytes: bool, over: bool) -> LimitSpec {
        LimitSpec {
            rate,
            unit_secs,
            burst,
            bytes,
            over,
        }
    }

    /// Runs a limit at the times given, in milliseconds from a start, and says which calls passed.
    fn passes(spec: &LimitSpec, len: u32, at_ms: &[u64]) -> Vec<bool> {
        let mut limit = Limit::new(spec);
        at_ms
            .iter()
            .map(|ms| {
                limit.run(
                    Instant::from_nanos(1_700_000_000_000_000_000 + ms * 1_000_000),
                    len,
                )
            })
            .collect()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate() {
        let got = passes(
            &spec(2, 1, 3, false, false),
            60,
            &[0, 0, 0, 0, 499, 500, 501],
        );
        assert_eq!(got, [true, true, true, false, false, true, false]);
    }

    #[test]
    fn no_burst_means_five_packets() {
        assert_eq!(
            passes(&spec(1, 3600, 0, false, false), 60, &[0; 7]),
            [true, true, true, true, true, false, false]
        );
    }

    #[test]
    fn over_matches_what_exceeds() {
        assert_eq!(
            passes(&spec(1, 60, 2, false, true), 60, &[0, 0, 0, 0]),
            [false, false, true, true]
        );
    }

    #[test]
    fn bytes_have_a_second_of_the_rate_and_the_burst() {
        // 1000 bytes a second and 500 on top: the bucket holds 1500 bytes.
        let limit = spec(1000, 1, 500, true, false);
        assert_eq!(
            passes(&limit, 500, &[0, 0, 0, 0, 499, 500]),
            [true, true, true, false, false, true]
        );
        assert_eq!(passes(&limit, 1501, &[0, 5000]), [false, false]);
        assert_eq!(passes(&limit, 1500, &[0]), [true]);
    }

    #[test]
    fn a_refused_packet_is_not_charged_and_the_bucket_does_not_overflow() {
        let week = spec(1, 604_800, 1, true, false);
        assert_eq!(passes(&week, 65_535, &[0, 1]), [false, false]);
        assert_eq!(passes(&week, 2, &[0, 1]), [true, false]);
        let huge = spec(u64::MAX, 604_800, u32::MAX, true, false);
        assert_eq!(passes(&huge, u32::MAX, &[0]), [true]);
    }

    #[test]
    fn time_that_steps_back_adds_nothing() {
        assert_eq!(
            passes(
                &spec(1, 1, 1, false, false),
                60,
                &[5000, 4000, 5000, 5999, 6000]
            ),
            [true, false, false, false, true]
        );
    }
}
