//! When a file is rotated by the clock.

const NS: u64 = 1_000_000_000;

/// Every so often on the wall clock: every hour, every day at three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotateAt {
    pub period_s: u32,
    /// Seconds after the beginning of the period.
    pub offset_s: u32,
}

impl RotateAt {
    /// The first such moment after `time_ns`. `east_of_utc` gives the seconds a wall clock is ahead of
    /// UTC at a time.
    #[must_use]
    pub fn next(self, time_ns: u64, east_of_utc: impl Fn(u64) -> i64) -> u64 {
        let seconds = (time_ns / NS) as i64;
        let now_east = east_of_utc(seconds as u64);
        let (period, offset) = (i64::from(self.period_s), i64::from(self.offset_s));
        let since = (seconds + now_east - offset).rem_euclid(period);
        let wall = seconds + now_east - since + period;
        // Between now and then the clocks may be changed.
        let then_east = east_of_utc((wall - now_east).max(0) as u64);
        let then = (wall - then_east).max(seconds + 1);
        (then as u64).saturating_mul(NS)
    }
}

#[cfg(test)]
mod tests {
    use super::{RotateAt, NS};
    use crate::clock::parse_rfc3339;

    const MIDNIGHT: RotateAt = RotateAt { period_s: 86_400, offset_s: 0 };
    const THREE: RotateAt = RotateAt { period_s: 86_400, offset_s: 3 * 3600 };
    const HOURLY: RotateAt = RotateAt { period_s: 3600, offset_s: 0 };

    fn at(text: &str) -> u64 {
        parse_rfc3339(text).unwrap()
    }

    /// Berlin's clock around the end of summer time, 2026-10-25 01:00 UTC.
    fn berlin(seconds: u64) -> i64 {
        if seconds * NS < at("2026-10-25T01:00:00Z") {
            7200
        } else {
            3600
        }
    }

    #[test]
    fn midnight_is_the_next_midnight() {
        let next = |text: &str| MIDNIGHT.next(at(text), |_| 0);
        assert_eq!(next("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        assert_eq!(next("2026-11-21T23:59:59.9Z"), at("2026-11-22T00:00:00Z"));
        assert_eq!(next("2026-12-31T05:00:00Z"), at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn an_hour_ends_where_the_wall_clock_says() {
        assert_eq!(HOURLY.next(at("2026-11-21T10:01:00Z"), |_| 0), at("2026-11-21T11:00:00Z"));
        // India is five and a half hours ahead.
        assert_eq!(HOURLY.next(at("2026-11-21T10:01:00Z"), |_| 19_800), at("2026-11-21T10:30:00Z"));
    }

    #[test]
    fn a_time_of_day_stays_one_when_the_clocks_change() {
        assert_eq!(
            THREE.next(at("2026-10-24T03:00:00+02:00"), berlin),
            at("2026-10-25T03:00:00+01:00")
        );
        assert_eq!(
            THREE.next(at("2026-10-25T04:00:00+01:00"), berlin),
            at("2026-10-26T03:00:00+01:00")
        );
    }
}
