//! What packets change: counters, limits, quotas, and the elements of dynamic sets.

/// The changing half of a ruleset; the [`Ruleset`](crate::Ruleset) itself stays as it was loaded.
#[derive(Debug, Default)]
pub struct State {}
