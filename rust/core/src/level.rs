//! The scale of levels and the spellings people use for it.

/// How bad a record is: the standard library's numbers, with `TRACE` below and two kinds above.
pub type Level = u16;

pub const TRACE: Level = 5;
pub const DEBUG: Level = 10;
pub const INFO: Level = 20;
pub const NOTICE: Level = 25;
pub const WARNING: Level = 30;
pub const ERROR: Level = 40;
pub const CRITICAL: Level = 50;
pub const SECURITY: Level = 60;
pub const AUDIT: Level = 70;
pub const OFF: Level = 100;

/// Every level with a name of its own, rising. `NOTICE` is syslog's (RFC 5424, severity 5).
pub const NAMED: [(Level, &str); 9] = [
    (TRACE, "TRACE"),
    (DEBUG, "DEBUG"),
    (INFO, "INFO"),
    (NOTICE, "NOTICE"),
    (WARNING, "WARNING"),
    (ERROR, "ERROR"),
    (CRITICAL, "CRITICAL"),
    (SECURITY, "SECURITY"),
    (AUDIT, "AUDIT"),
];

/// `SECURITY` and `AUDIT` are kinds as much as levels: no threshold and no overflow policy drops them.
#[inline]
#[must_use]
pub fn is_protected(level: Level) -> bool {
    level == SECURITY || level == AUDIT
}

/// The name written into a record; numbers without a name read `Level 27`, as in the standard library.
#[must_use]
pub fn name(level: Level) -> std::borrow::Cow<'static, str> {
    match NAMED.iter().find(|(number, _)| *number == level) {
        Some((_, name)) => (*name).into(),
        None => format!("Level {level}").into(),
    }
}

/// Reads a level as people write it: a name in any case, `WARN`, `FATAL`, `OFF`, `Level 27` or a number.
#[must_use]
pub fn parse(text: &str) -> Option<Level> {
    let text = text.trim();
    for (number, name) in NAMED {
        if text.eq_ignore_ascii_case(name) {
            return Some(number);
        }
    }
    if text.eq_ignore_ascii_case("WARN") {
        return Some(WARNING);
    }
    if text.eq_ignore_ascii_case("FATAL") {
        return Some(CRITICAL);
    }
    if text.eq_ignore_ascii_case("OFF") {
        return Some(OFF);
    }
    let digits = text.strip_prefix("Level ").unwrap_or(text);
    digits.parse().ok().filter(|number| *number <= OFF)
}

#[cfg(test)]
mod tests {
    use super::{name, parse, AUDIT, CRITICAL, OFF, WARNING};

    #[test]
    fn every_name_reads_back() {
        for number in 0..=OFF {
            if number != OFF {
                assert_eq!(parse(&name(number)), Some(number));
            }
        }
    }

    #[test]
    fn usual_spellings_are_understood() {
        assert_eq!(parse("warn"), Some(WARNING));
        assert_eq!(parse("Fatal"), Some(CRITICAL));
        assert_eq!(parse(" audit "), Some(AUDIT));
        assert_eq!(parse("27"), Some(27));
        assert_eq!(parse("off"), Some(OFF));
        assert_eq!(parse("loud"), None);
        assert_eq!(parse("101"), None);
    }
}
