//! The wall clock, in the one unit that records use.
#![allow(unsafe_code)]

/// Nanoseconds since the Unix epoch, UTC.
#[inline]
#[must_use]
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the struct it is given; CLOCK_REALTIME always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
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

/// Days from 1970-01-01 to a date, the inverse of `civil`; negative before.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Reads what `rfc3339` writes, and what people write for it: an offset such as `+01:00`, no
/// fraction, a space for the `T`, no zone (then UTC). Nothing before 1970.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let text = text.as_bytes();
    let (date_time, rest) = text.split_at_checked(19)?;
    let marks = [4, 7, 10, 13, 16].map(|at| date_time[at]);
    if !matches!(marks, [b'-', b'-', b'T' | b't' | b' ', b':', b':']) {
        return None;
    }
    let (year, month, day) =
        (number(&date_time[..4])?, number(&date_time[5..7])?, number(&date_time[8..10])?);
    let (hour, minute, second) =
        (number(&date_time[11..13])?, number(&date_time[14..16])?, number(&date_time[17..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second reads as the second after it.
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, zone) = fraction(rest)?;
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = u64::try_from(local - offset(zone)?).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Nanoseconds of `.123`, and what follows; digits below a nanosecond are cut.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some((b'.' | b',', digits)) = text.split_first() else {
        return Some((0, text));
    };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let (fraction, rest) = digits.split_at(count);
    let padded = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanoseconds = padded.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some((nanoseconds, rest))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, [*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_rfc3339, rfc3339};

    #[test]
    fn timestamps_read_back() {
        for timestamp_ns in [0, 951_827_696_000_000_001, 1_795_223_880_123_456_789, u64::MAX] {
            assert_eq!(parse_rfc3339(&rfc3339(timestamp_ns)), Some(timestamp_ns));
        }
    }

    #[test]
    fn usual_spellings_of_a_time_are_understood() {
        let expected = Some(1_795_223_880_000_000_000);
        for text in [
            "2026-11-21T01:18:00",
            "2026-11-21 01:18:00",
            "2026-11-21T01:18:00Z",
            "2026-11-21t01:18:00z",
            "2026-11-21T02:18:00+01:00",
            "2026-11-20T19:48:00.000-0530",
        ] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.5"), Some(500_000_000));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.0000000019Z"), Some(1));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T01:18:00.Z",
            "2026-11-21T01:18:00+1",
            "2026-11-21T01:18:00 Z",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59Z",
            "2026-11-21T01:18:0é",
            "+026-11-21T01:18:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_read_as_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(rfc3339(951_827_696_000_000_001), "2000-02-29T12:34:56.000000001Z");
        assert_eq!(rfc3339(1_795_223_880_123_456_789), "2026-11-21T01:18:00.123456789Z");
    }
}
