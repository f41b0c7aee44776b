//! How far local time is from UTC, which dates and hours in rules need: at the moment for hours of every day, on its day for a date.
#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "the C library knows the time zone (TZ, /etc/localtime)"
    )
)]

use redan_lang::datatype::Clock;
#[cfg(unix)]
use redan_runtime::clock;

/// The time zone of the moment.
#[cfg(unix)]
pub(crate) fn zone() -> Clock {
    let secs = clock::Clock::start().now().as_nanos() / 1_000_000_000;
    let now = i64::try_from(secs).unwrap_or(0);
    Clock {
        utc_offset_secs: offset_at(now),
        offset_at: Some(offset_at),
    }
}

/// Seconds that local time is ahead of UTC at a moment.
#[cfg(unix)]
fn offset_at(secs: i64) -> i32 {
    let at = libc::time_t::from(secs);
    // SAFETY: `tm` is plain data for which zeros are valid.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call, which fills `local` or returns null.
    let known = unsafe { libc::localtime_r(&raw const at, &raw mut local) };
    let offset = if known.is_null() { 0 } else { local.tm_gmtoff };
    i32::try_from(offset).unwrap_or(0)
}

/// The time zone of the moment: UTC, since there is no C library to ask.
#[cfg(not(unix))]
pub(crate) fn zone() -> Clock {
    Clock::default()
}
