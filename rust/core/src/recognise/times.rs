//! Times as log files write them.
#![allow(unsafe_code)]

use crate::clock::{civil, days, now_ns, parse_rfc3339};

/// What a time without a zone means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Local,
    Utc,
}

/// Broken-down time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    pub year: u64,
    pub month: u64,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
    pub nanoseconds: u64,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// 1 for `Jan`.
pub fn month(name: &str) -> Option<u64> {
    let name = name.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == name).map(|at| at as u64 + 1)
}

/// Digits after the decimal point as nanoseconds.
pub fn fraction(digits: &str) -> u64 {
    digits
        .bytes()
        .take(9)
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0').min(9)))
}

impl Parts {
    /// Nanoseconds since the epoch; `None` when there is no such time.
    pub fn timestamp_ns(&self, zone: Zone) -> Option<u64> {
        let possible = (1970..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        if !possible {
            return None;
        }
        let part = |value: u64| i64::try_from(value).unwrap_or(0);
        let day = u64::try_from(days(part(self.year), part(self.month), part(self.day))).ok()?;
        let seconds = day * 86_400 + self.hour * 3600 + self.minute * 60 + self.second;
        let seconds = match zone {
            Zone::Utc => seconds,
            Zone::Local => local_to_utc(seconds, self),
        };
        seconds.checked_mul(1_000_000_000)?.checked_add(self.nanoseconds)
    }
}

fn local_to_utc(seconds: u64, parts: &Parts) -> u64 {
    let small = |value: u64| i32::try_from(value).unwrap_or(0);
    // SAFETY: all fields that `mktime` reads are set; it cannot fail on them other than by -1.
    let utc = unsafe {
        let mut broken: libc::tm = std::mem::zeroed();
        broken.tm_year = small(parts.year) - 1900;
        broken.tm_mon = small(parts.month) - 1;
        broken.tm_mday = small(parts.day);
        broken.tm_hour = small(parts.hour);
        broken.tm_min = small(parts.minute);
        broken.tm_sec = small(parts.second);
        broken.tm_isdst = -1;
        libc::mktime(&raw mut broken)
    };
    u64::try_from(utc).unwrap_or(seconds)
}

/// The year of a time that names none: this one, or the last when that would lie in the future.
pub fn year_of(month: u64, day: u64) -> u64 {
    let (year, this_month, today) = civil(now_ns() / 86_400_000_000_000);
    if (month, day) > (this_month, today + 1) {
        year - 1
    } else {
        year
    }
}

/// RFC 3339, or the same without a zone, as the zone says.
pub fn iso(text: &str, zone: Zone) -> Option<u64> {
    let has_zone = text.get(19..)?.contains(['Z', 'z', '+', '-']);
    let utc = parse_rfc3339(text)?;
    if has_zone || zone == Zone::Utc {
        return Some(utc);
    }
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok());
    let parts = Parts {
        year: number(0, 4)?,
        month: number(5, 7)?,
        day: number(8, 10)?,
        hour: number(11, 13)?,
        minute: number(14, 16)?,
        second: number(17, 19)?,
        nanoseconds: utc % 1_000_000_000,
    };
    parts.timestamp_ns(zone)
}

/// A number as a time: seconds, milliseconds, microseconds or nanoseconds since the epoch by its size.
pub fn epoch(value: f64) -> Option<u64> {
    if !(1e8..1e20).contains(&value) {
        return None;
    }
    let factor = if value < 1e11 {
        1e9
    } else if value < 1e14 {
        1e6
    } else if value < 1e17 {
        1e3
    } else {
        1.0
    };
    Some((value * factor) as u64)
}
