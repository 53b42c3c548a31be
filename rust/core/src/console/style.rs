//! How records look: what to show, the colours of levels, the local time.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use super::neutral;
use crate::clock::{parse_rfc3339, rfc3339};

const RESET: &[u8] = b"\x1b[0m";
const DIM: &[u8] = b"\x1b[2m";

/// How to show records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    pub colour: bool,
    /// Canonical lines as they are, for programs.
    pub json: bool,
    /// Source lines in tracebacks, read from the files they name.
    pub sources: bool,
}

/// Puts colours around text, or does not.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    pub fn level(self, level: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let colour: &[u8] = match level {
            "TRACE" => b"\x1b[90m",
            "DEBUG" => b"\x1b[36m",
            "INFO" | "NOTICE" => b"\x1b[32m",
            "WARNING" => b"\x1b[33m",
            "ERROR" => b"\x1b[31m",
            "CRITICAL" => b"\x1b[35m",
            "SECURITY" => b"\x1b[37;41m",
            "AUDIT" => b"\x1b[37;44m",
            _ => b"",
        };
        self.around(colour, out, write);
    }

    pub fn key(self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.around(DIM, out, write);
    }

    fn around(self, colour: &[u8], out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.colour || colour.is_empty() {
            return write(out);
        }
        out.extend_from_slice(colour);
        write(out);
        out.extend_from_slice(RESET);
    }
}

/// Appends `2026-11-21 10:30:45` where this process is; what is no timestamp, as it is.
pub fn push_local_time(timestamp: &str, out: &mut Vec<u8>) {
    let Some(timestamp_ns) = parse_rfc3339(timestamp) else {
        return neutral::push_text(timestamp, out);
    };
    let seconds = timestamp_ns / 1_000_000_000;
    let local = seconds.saturating_add_signed(offset(seconds)).min(u64::MAX / 1_000_000_000);
    let text = rfc3339(local * 1_000_000_000);
    out.extend_from_slice(&text.as_bytes()[..10]);
    out.push(b' ');
    out.extend_from_slice(&text.as_bytes()[11..19]);
}

const QUARTER_SECONDS: i64 = 900;
const OFFSET_BITS: u32 = 18;
const OFFSET_BIAS: i64 = 1 << (OFFSET_BITS - 1);

/// Seconds east of UTC at a time. Zones change their offset at quarters of an hour, so one quarter
/// is remembered: `localtime_r` takes a lock of the C library, and a child forked while this thread
/// holds it would wait forever.
pub(crate) fn offset(seconds: u64) -> i64 {
    /// Quarter + 1 above, offset + bias below; 0 is nothing yet.
    static REMEMBERED: AtomicI64 = AtomicI64::new(0);

    let Ok(time) = libc::time_t::try_from(seconds) else {
        return 0;
    };
    let quarter = time / QUARTER_SECONDS + 1;
    let remembered = REMEMBERED.load(Ordering::Relaxed);
    if remembered >> OFFSET_BITS == quarter {
        return (remembered & ((1 << OFFSET_BITS) - 1)) - OFFSET_BIAS;
    }
    // SAFETY: all zeros is a valid `tm`; its only pointer is not read.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of their types.
    if unsafe { libc::localtime_r(&raw const time, &raw mut local) }.is_null() {
        return 0;
    }
    let offset = local.tm_gmtoff;
    REMEMBERED.store(quarter << OFFSET_BITS | (offset + OFFSET_BIAS), Ordering::Relaxed);
    offset
}
