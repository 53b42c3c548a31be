//! Colours and times.
#![allow(unsafe_code)]

use crate::filter::parse_rfc3339;
use crate::level::{self, Level};

pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const DIM: &str = "\x1b[2m";
const RESET: &[u8] = b"\x1b[0m";

/// How records are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    pub colour: bool,
    /// The record itself instead of a line for people.
    pub json: bool,
    /// Show the source lines of tracebacks where the file can be read.
    pub sources: bool,
}

/// The colour of a level; its name is always there as well.
pub(super) fn of_level(level: Level) -> &'static str {
    match level {
        level::SECURITY => "\x1b[97;41m",
        level::AUDIT => "\x1b[97;44m",
        _ if level < level::DEBUG => "\x1b[90m",
        _ if level < level::INFO => "\x1b[36m",
        _ if level < level::WARNING => "\x1b[32m",
        _ if level < level::ERROR => "\x1b[33m",
        _ if level < level::CRITICAL => "\x1b[31m",
        _ => "\x1b[35m",
    }
}

impl Style {
    /// Writes what `write` writes, in a colour if there are colours.
    pub(super) fn paint(&self, out: &mut Vec<u8>, colour: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let coloured = self.colour && !colour.is_empty();
        if coloured {
            out.extend_from_slice(colour.as_bytes());
        }
        write(out);
        if coloured {
            out.extend_from_slice(RESET);
        }
    }

    /// `2026-11-21 10:30:45` in local time, or what stands there when it is no timestamp.
    pub(super) fn time(&self, timestamp: &str) -> String {
        let Some(timestamp_ns) = parse_rfc3339(timestamp) else { return timestamp.to_owned() };
        let seconds = libc::time_t::try_from(timestamp_ns / 1_000_000_000).unwrap_or(0);
        let mut parts = std::mem::MaybeUninit::<libc::tm>::uninit();
        // SAFETY: fills the struct it is given, or returns null and leaves it.
        let parts = unsafe {
            if libc::localtime_r(&raw const seconds, parts.as_mut_ptr()).is_null() {
                return timestamp.to_owned();
            }
            parts.assume_init()
        };
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            parts.tm_year + 1900,
            parts.tm_mon + 1,
            parts.tm_mday,
            parts.tm_hour,
            parts.tm_min,
            parts.tm_sec
        )
    }
}
