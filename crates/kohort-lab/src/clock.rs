//! Times for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-01-31 12:00 UTC`.
pub(crate) fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3_600 % 24, seconds / 60 % 60)
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years are counted from March, so
/// that the leap day is a year's last (after H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// `0.4 s`, `37 s`, `2 min 05 s`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 99.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        let at = |days: u64| utc(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 43_260));
        assert_eq!(at(0), "1970-01-01 12:01 UTC");
        assert_eq!(at(11_016), "2000-02-29 12:01 UTC");
        assert_eq!(at(11_017), "2000-03-01 12:01 UTC");
        assert_eq!(at(20_818), "2026-12-31 12:01 UTC");
    }
}
