//! The wall clock, in the one unit that records use.
#![allow(unsafe_code)]

/// Nanoseconds since the Unix epoch, UTC.
#[inline]
#[must_use]
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the struct it is given; CLOCK_REALTIME always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    #[expect(clippy::cast_sign_loss, reason = "a clock before 1970 reads as the far future, harmlessly")]
    let (seconds, nanoseconds) = (now.tv_sec as u64, now.tv_nsec as u64);
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
}

/// RFC 3339 with nanoseconds, UTC, as records have it: `2026-11-21T01:18:00.123456789Z`.
#[must_use]
pub fn rfc3339(timestamp_ns: u64) -> String {
    let (seconds, nanoseconds) = (timestamp_ns / 1_000_000_000, timestamp_ns % 1_000_000_000);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, `civil_from_days`).
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #[test]
    fn timestamps_read_as_rfc_3339() {
        assert_eq!(super::rfc3339(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(super::rfc3339(951_827_696_000_000_001), "2000-02-29T12:34:56.000000001Z");
        assert_eq!(super::rfc3339(1_795_223_880_123_456_789), "2026-11-21T01:18:00.123456789Z");
    }
}
