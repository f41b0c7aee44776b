//! Captures as they are taken on firewalls: what a replay makes of them, and whether the kernel's counters agree.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[cfg(target_os = "linux")]
mod kernel;
mod made;
#[path = "../support/mod.rs"]
mod support;
