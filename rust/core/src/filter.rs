//! Which records a reader wants.

use serde_json::{Map, Value};

use crate::level::{self, Level};

/// Conditions on canonical lines; all that are set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Least level.
    pub level: Option<Level>,
    /// A component and everything below it; `auth*` for everything that begins so.
    pub component: Option<String>,
    pub category: Option<String>,
    /// First and last-but-one nanosecond since the epoch.
    pub since_ns: Option<u64>,
    pub until_ns: Option<u64>,
    /// Text that the line holds somewhere, whatever its case.
    pub grep: Option<String>,
    /// Field and value as text. A dotted path from the top, or a key of metadata or context.
    pub fields: Vec<(String, String)>,
    /// Show what the journal says about itself, too.
    pub journal: bool,
}

const JOURNAL_MARK: &[u8] = b"\"component\":\"treering.journal\"";

impl Filter {
    #[must_use]
    pub fn matches(&self, line: &[u8]) -> bool {
        let of_journal = memchr::memmem::find(line, JOURNAL_MARK).is_some();
        if of_journal && !self.journal && !self.asks_for_journal() {
            return false;
        }
        if self.grep.as_ref().is_some_and(|wanted| !holds(line, wanted)) {
            return false;
        }
        if !self.needs_record() {
            return true;
        }
        match serde_json::from_slice(line) {
            Ok(Value::Object(record)) => self.matches_record(&record),
            _ => false,
        }
    }

    fn asks_for_journal(&self) -> bool {
        self.component.as_ref().is_some_and(|component| component.starts_with("treering"))
    }

    fn needs_record(&self) -> bool {
        self.level.is_some()
            || self.component.is_some()
            || self.category.is_some()
            || self.since_ns.is_some()
            || self.until_ns.is_some()
            || !self.fields.is_empty()
    }

    fn matches_record(&self, record: &Map<String, Value>) -> bool {
        let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
        self.level.is_none_or(|least| level::parse(text("level")).is_some_and(|level| level >= least))
            && self.component.as_ref().is_none_or(|wanted| is_below(text("component"), wanted))
            && self.category.as_ref().is_none_or(|wanted| text("category") == wanted)
            && self.matches_time(text("timestamp"))
            && self.fields.iter().all(|(key, wanted)| field_is(record, key, wanted))
    }

    fn matches_time(&self, timestamp: &str) -> bool {
        if self.since_ns.is_none() && self.until_ns.is_none() {
            return true;
        }
        parse_rfc3339(timestamp).is_some_and(|at| {
            self.since_ns.is_none_or(|since| at >= since)
                && self.until_ns.is_none_or(|until| at < until)
        })
    }
}

fn is_below(component: &str, wanted: &str) -> bool {
    if let Some(prefix) = wanted.strip_suffix('*') {
        return component.starts_with(prefix);
    }
    component
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn holds(line: &[u8], wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let text = String::from_utf8_lossy(line).to_lowercase();
    text.contains(&wanted)
}

fn field_is(record: &Map<String, Value>, key: &str, wanted: &str) -> bool {
    let is = |value: &Value| match value {
        Value::String(text) => text == wanted,
        other => other.to_string() == wanted,
    };
    let part = |name: &str| record.get(name).and_then(Value::as_object);
    let bare = ["metadata", "context", "performance_data"]
        .iter()
        .find_map(|name| part(name).and_then(|fields| fields.get(key)));
    if let Some(value) = bare.or_else(|| record.get(key)) {
        return is(value);
    }
    let mut steps = key.split('.');
    let mut at = steps.next().and_then(|step| record.get(step));
    for step in steps {
        at = at.and_then(|value| value.get(step));
    }
    at.is_some_and(is)
}

/// Nanoseconds since the epoch of an RFC 3339 time; a space for the `T` and a missing zone (UTC) pass.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = bytes.get(from..to)?;
        digits.iter().all(u8::is_ascii_digit).then(|| {
            digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
        })
    };
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if !separators.iter().all(|(at, byte)| bytes.get(*at) == Some(byte)) {
        return None;
    }
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &text[19..];
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        for place in 0..9 {
            let digit = if place < length { fraction.as_bytes()[place] - b'0' } else { 0 };
            nanoseconds = nanoseconds * 10 + u64::from(digit);
        }
        rest = &fraction[length..];
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = match rest.as_bytes() {
        [] | [b'Z' | b'z'] => seconds,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            if ![h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            let two = |tens: &u8, ones: &u8| u64::from(tens - b'0') * 10 + u64::from(ones - b'0');
            let offset = two(h1, h2) * 3600 + two(m1, m2) * 60;
            if *sign == b'+' { seconds.checked_sub(offset)? } else { seconds + offset }
        }
        _ => return None,
    };
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// Days since 1970-01-01 (Howard Hinnant, `days_from_civil`).
#[must_use]
pub fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::{parse_rfc3339, Filter};
    use crate::clock::rfc3339;
    use crate::level::WARNING;
    use proptest::prelude::*;

    const LINE: &[u8] = br#"{"timestamp":"2026-11-21T10:30:45.5Z","level":"ERROR","category":"api","component":"shop.till","message":"Card refused","context":{"user":{"id":7}},"metadata":{"order":42,"card":"visa"}}"#;

    fn with(change: impl FnOnce(&mut Filter)) -> bool {
        let mut filter = Filter::default();
        change(&mut filter);
        filter.matches(LINE)
    }

    #[test]
    fn each_condition_counts() {
        assert!(with(|_| {}));
        assert!(with(|filter| filter.level = Some(WARNING)));
        assert!(!with(|filter| filter.level = Some(50)));
        for (component, matches) in [("shop", true), ("shop.till", true), ("sho*", true), ("sho", false)] {
            assert_eq!(with(|filter| filter.component = Some(component.into())), matches, "{component}");
        }
        assert!(!with(|filter| filter.category = Some("web".into())));
        assert!(with(|filter| filter.grep = Some("card REFUSED".into())));
        assert!(!with(|filter| filter.grep = Some("accepted".into())));
        for (key, value, matches) in [
            ("order", "42", true),
            ("card", "visa", true),
            ("context.user.id", "7", true),
            ("order", "4", false),
            ("nothing", "", false),
        ] {
            assert_eq!(with(|filter| filter.fields = vec![(key.into(), value.into())]), matches, "{key}");
        }
        let at = parse_rfc3339("2026-11-21T10:30:45.5Z");
        assert!(with(|filter| filter.since_ns = at));
        assert!(!with(|filter| filter.until_ns = at));
    }

    #[test]
    fn what_the_journal_says_about_itself_is_shown_when_asked_for() {
        let line = br#"{"level":"AUDIT","component":"treering.journal","message":"journal created"}"#;
        assert!(!Filter::default().matches(line));
        assert!(Filter { journal: true, ..Filter::default() }.matches(line));
        assert!(Filter { component: Some("treering".into()), ..Filter::default() }.matches(line));
    }

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        let expected = parse_rfc3339("2026-11-21T10:30:45Z");
        for text in ["2026-11-21 10:30:45", "2026-11-21T11:30:45+01:00", "2026-11-21t09:30:45-0100"] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
        for text in ["", "yesterday", "2026-13-21T10:30:45Z", "2026-11-21T10:30:45X", "2026-11-21T25:30:45Z"] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back(timestamp_ns in any::<u64>()) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(timestamp_ns)), Some(timestamp_ns));
        }

        #[test]
        fn no_text_makes_the_parser_fall_over(text in any::<String>()) {
            let _ = parse_rfc3339(&text);
        }
    }
}
