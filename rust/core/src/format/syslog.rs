//! What the two forms of syslog, and GELF, share: facilities, severities, names.

use super::record::{Key, Record};
use super::spec::{wrong, Options, Result};
use crate::level;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Takes the option `facility`: a name or a number from 0 to 23; `user` without it.
pub fn facility(options: &mut Options) -> Result<u8> {
    let Some(text) = options.take("facility") else { return Ok(1) };
    let number = text.parse().ok().filter(|number| *number < FACILITIES.len());
    let at = number.or_else(|| FACILITIES.iter().position(|name| *name == text));
    let wanted = "a name such as user, daemon, auth or local0, or a number from 0 to 23";
    at.map(|at| at as u8).ok_or_else(|| wrong("facility", &text, wanted))
}

/// The severity of a record (RFC 5424, table 2); notice for a record without a level.
pub fn severity(record: &Record<'_>) -> u8 {
    match record.level() {
        Some(..level::INFO) => 7,
        Some(level::INFO..level::NOTICE) => 6,
        Some(level::WARNING..level::ERROR) => 4,
        Some(level::ERROR..level::CRITICAL) => 3,
        Some(level::CRITICAL..level::SECURITY) => 2,
        Some(level::SECURITY..level::AUDIT) => 4,
        None | Some(level::NOTICE..level::WARNING | level::AUDIT..) => 5,
    }
}

/// Takes the option `hostname`: printable ASCII; this host's without it.
pub fn hostname(options: &mut Options) -> Result<String> {
    Ok(word(options, "hostname", 255)?.unwrap_or_else(crate::journal::host))
}

/// Takes an option that is a header field: printable ASCII without spaces.
pub fn word(options: &mut Options, name: &str, most: usize) -> Result<Option<String>> {
    let Some(text) = options.take(name) else { return Ok(None) };
    let fits = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(Some(text));
    }
    Err(wrong(name, &text, &format!("1 to {most} printable ASCII characters without spaces")))
}

/// Appends a header field that may come from a record: what it must not hold becomes `_`, what is
/// too long is cut, and nothing is `-`.
pub fn push_word(text: &str, most: usize, out: &mut Vec<u8>) {
    if text.is_empty() {
        return out.push(b'-');
    }
    if text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return out.extend_from_slice(text.as_bytes());
    }
    let printable = |c: char| if c.is_ascii_graphic() { c as u8 } else { b'_' };
    out.extend(text.chars().take(most).map(printable));
}

/// The host that a record names, or this one.
pub fn push_host(record: &Record<'_>, hostname: &str, out: &mut Vec<u8>) {
    let host = record.get(Key::Host);
    if host.is_empty() {
        out.extend_from_slice(hostname.as_bytes());
    } else {
        push_word(&host.text(), 255, out);
    }
}
