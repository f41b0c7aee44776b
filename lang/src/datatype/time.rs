//! Dates, weekdays and times of day.

use super::{Clock, Type, symbols};
use redan_vm::datatype::DataType;

symbols! {
    /// `day`.
    DAY { "Sunday" = 0, "Monday" = 1, "Tuesday" = 2, "Wednesday" = 3, "Thursday" = 4, "Friday" = 5, "Saturday" = 6, }
}

const DAY_SECS: i64 = 86_400;

/// `YYYY-MM-DD`, then optionally `hh:mm` or `hh:mm:ss`, as local time of that day: nanoseconds since 1970. `None` where the text is no date.
pub(super) fn read_date(text: &str, clock: Clock) -> Option<u128> {
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    if parts.next().is_some()
        || !(1970..=2500).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
    {
        return None;
    }
    let local = days_since_1970(year, month, day) * DAY_SECS + read_clock(time)?;
    // near a change of the offset, the first guess is of the wrong side
    let near = local - clock.offset(local);
    let secs = local - clock.offset(near);
    u128::try_from(secs).ok().map(|secs| secs * 1_000_000_000)
}

/// `hh:mm` or `hh:mm:ss` as local time: seconds of the UTC day.
pub(super) fn read_hour(text: &str, utc_offset_secs: i32) -> Option<u128> {
    local_to_utc(read_clock(text)?, utc_offset_secs)
}

/// Seconds of the local day as seconds of the UTC day.
pub(crate) fn local_to_utc(secs: i64, utc_offset_secs: i32) -> Option<u128> {
    u128::try_from((secs - i64::from(utc_offset_secs)).rem_euclid(DAY_SECS)).ok()
}

/// A date or hour as a local clock shows it.
pub(crate) fn to_local(ty: Type, value: u128, clock: Clock) -> u128 {
    let value = i128::try_from(value).unwrap_or(i128::MAX);
    let local = if ty.datatype == DataType::Hour {
        value
            .saturating_add(clock.utc_offset_secs.into())
            .rem_euclid(i128::from(DAY_SECS))
    } else {
        let secs = i64::try_from(value / 1_000_000_000).unwrap_or(i64::MAX);
        value.saturating_add(i128::from(clock.offset(secs)) * 1_000_000_000)
    };
    u128::try_from(local).unwrap_or(0)
}

/// A weekday by its name or at least three letters of it, in any case.
pub(super) fn read_day(text: &str) -> Option<u128> {
    let known = |name: &str| {
        text.len() >= 3
            && name
                .get(..text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    DAY.iter()
        .find(|day| known(day.name))
        .map(|day| u128::from(day.value))
}

fn read_clock(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':').map(str::parse::<i64>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().map_or(Some(0), Result::ok)?;
    let fits = parts.next().is_none()
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..61).contains(&second);
    fits.then(|| hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`read_date`], in UTC.
pub(super) fn write_date(ns: u128) -> String {
    let secs = i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX);
    let days = secs.div_euclid(DAY_SECS) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let left = secs.rem_euclid(DAY_SECS);
    let (hour, minute, second) = (left / 3600, left / 60 % 60, left % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `hh:mm`, or `hh:mm:ss` where there are seconds.
pub(super) fn write_clock(secs: i64) -> String {
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    if second == 0 {
        format!("{hour:02}:{minute:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_hours_are_local_time() {
        let utc = Clock::default();
        assert_eq!(
            read_date("2019-06-21 17:00:00", Clock::fixed(7200)),
            Some(1_561_129_200_000_000_000)
        );
        assert_eq!(read_date("1970-01-01", utc), Some(0));
        assert_eq!(read_date("2019-13-01", utc), None);
        assert_eq!(read_date("meh", utc), None);
        assert_eq!(read_hour("17:00", 7200), Some(54_000));
        assert_eq!(read_hour("00:01", 7200), Some(79_260));
        assert_eq!(read_hour("24:00", 0), None);
        assert_eq!(write_date(1_561_129_200_000_000_000), "2019-06-21 15:00:00");
    }

    /// Two hours ahead until 2019-10-27 01:00 UTC, then one.
    fn autumn(secs: i64) -> i32 {
        if secs < 1_572_138_000 { 7200 } else { 3600 }
    }

    #[test]
    fn dates_have_the_offset_of_their_day() {
        for now in [3600, 7200] {
            let clock = Clock {
                utc_offset_secs: now,
                offset_at: Some(autumn),
            };
            for (text, utc) in [
                ("2019-06-21 17:00:00", 1_561_129_200),
                ("2019-10-27 01:59:59", 1_572_134_399),
                ("2019-10-27 03:00:00", 1_572_141_600),
                ("2019-12-01 12:00:00", 1_575_198_000),
            ] {
                let value = read_date(text, clock).unwrap();
                assert_eq!(value, utc * 1_000_000_000, "{text}");
                let ty = Type::of(DataType::DateTime);
                assert_eq!(write_date(to_local(ty, value, clock)), text);
            }
        }
    }

    #[test]
    fn days_have_short_names() {
        assert_eq!(read_day("Saturday"), Some(6));
        assert_eq!(read_day("sun"), Some(0));
        assert_eq!(read_day("Satturday"), None);
        assert_eq!(read_day("s"), None);
    }
}
