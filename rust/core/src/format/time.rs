//! Times as people write them: `strftime`, in UTC or where this process is.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use super::neutral;
use super::raw::Raw;
use super::spec::{Result, SpecError};
use super::strftime::{self, Parts, Piece};
use crate::clock::parse_rfc3339;
use crate::line::TIMESTAMP_BYTES;

/// Date and time to the second, with a dot and all digits of the fraction after it.
const SECOND_BYTES: usize = 20;

/// How a time looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat {
    pieces: Vec<Piece>,
    utc: bool,
}

/// The second that was read and formatted last.
#[derive(Debug, Default)]
pub struct TimeCache {
    /// `2026-11-21T10:30:45.` of the record.
    prefix: [u8; SECOND_BYTES],
    /// Since the epoch.
    seconds: u64,
    /// `text` and `fractions` are of this second.
    is_formatted: bool,
    /// Its text, but for the fractions.
    text: Vec<u8>,
    /// Where in `text` a fraction goes, and its digits.
    fractions: Vec<(usize, u8)>,
}

impl TimeFormat {
    /// Reads a format of `strftime`: its usual directives, and `%3f`, `%6f` and `%9f` for fractions.
    pub fn parse(format: &str, utc: bool) -> Result<Self> {
        let pieces = strftime::parse(format).map_err(|error| SpecError {
            message: format!("date_format {}", error.message),
            ..error
        })?;
        Ok(Self { pieces, utc })
    }

    /// RFC 3339 with milliseconds: `2026-11-21T10:30:45.123+01:00`.
    pub fn iso(utc: bool) -> Self {
        let pieces = strftime::parse("%Y-%m-%dT%H:%M:%S.%3f%N").unwrap_or_default();
        Self { pieces, utc }
    }

    /// A format of ours that is known to be one.
    pub fn own(format: &'static str, utc: bool) -> Self {
        Self { pieces: strftime::parse(format).unwrap_or_default(), utc }
    }

    /// Appends a record's time; what is no time, as it is; `-` when there is none.
    pub fn push(&self, timestamp: Raw<'_>, cache: &mut TimeCache, out: &mut Vec<u8>) {
        if self.push_if_time(timestamp, cache, out) {
            return;
        }
        if timestamp.is_empty() {
            out.push(b'-');
        } else {
            timestamp.push_text(out);
        }
    }

    /// Appends a record's time if it is one; says whether it is.
    pub fn push_if_time(
        &self,
        timestamp: Raw<'_>,
        cache: &mut TimeCache,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some((seconds, nanoseconds)) = cache.read(timestamp) else { return false };
        if !cache.is_formatted {
            self.fill(seconds, cache);
        }
        cache.push(nanoseconds, out);
        true
    }

    fn fill(&self, seconds: u64, cache: &mut TimeCache) {
        cache.is_formatted = true;
        cache.text.clear();
        cache.fractions.clear();
        let parts = Parts::new(seconds, if self.utc { None } else { Some(offset(seconds)) });
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => cache.text.extend_from_slice(text.as_bytes()),
                Piece::Fraction(digits) => cache.fractions.push((cache.text.len(), *digits)),
                Piece::ZoneName if !self.utc => push_zone_name(seconds, &mut cache.text),
                Piece::ZoneName => cache.text.extend_from_slice(b"UTC"),
                Piece::Field { letter, padded } => parts.push(*letter, *padded, &mut cache.text),
            }
        }
    }
}

impl TimeCache {
    /// Seconds since the epoch and nanoseconds of a record's time.
    pub fn read(&mut self, timestamp: Raw<'_>) -> Option<(u64, u32)> {
        let text = timestamp.inside().as_bytes();
        let canonical = text.len() == TIMESTAMP_BYTES && text[TIMESTAMP_BYTES - 1] == b'Z';
        if canonical && text[..SECOND_BYTES] == self.prefix {
            let nanoseconds = digits(&text[SECOND_BYTES..TIMESTAMP_BYTES - 1]);
            return nanoseconds.map(|nanoseconds| (self.seconds, nanoseconds));
        }
        let timestamp_ns = parse_rfc3339(timestamp.inside())?;
        self.seconds = timestamp_ns / 1_000_000_000;
        self.is_formatted = false;
        if canonical && text[SECOND_BYTES - 1] == b'.' {
            self.prefix.copy_from_slice(&text[..SECOND_BYTES]);
        } else {
            self.prefix = [0; SECOND_BYTES];
        }
        Some((self.seconds, (timestamp_ns % 1_000_000_000) as u32))
    }

    fn push(&self, nanoseconds: u32, out: &mut Vec<u8>) {
        let mut from = 0;
        for (at, digits) in &self.fractions {
            out.extend_from_slice(&self.text[from..*at]);
            from = *at;
            push_fraction(nanoseconds, *digits, out);
        }
        out.extend_from_slice(&self.text[from..]);
    }
}

/// Appends the first digits of a fraction of a second; what is left out is cut off, not rounded.
pub fn push_fraction(nanoseconds: u32, digits: u8, out: &mut Vec<u8>) {
    let mut unit = 100_000_000;
    for _ in 0..digits {
        out.push(b'0' + (nanoseconds / unit % 10) as u8);
        unit /= 10;
    }
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
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
    let Some(local) = local(time) else { return 0 };
    let offset = local.tm_gmtoff;
    REMEMBERED.store(quarter << OFFSET_BITS | (offset + OFFSET_BIAS), Ordering::Relaxed);
    offset
}

fn local(time: libc::time_t) -> Option<libc::tm> {
    // SAFETY: all zeros is a valid `tm`; its only pointer is not read before it is set.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of their types.
    let found = unsafe { libc::localtime_r(&raw const time, &raw mut local) };
    (!found.is_null()).then_some(local)
}

/// `CET`, or the offset where the C library has no name.
fn push_zone_name(seconds: u64, out: &mut Vec<u8>) {
    let local = libc::time_t::try_from(seconds).ok().and_then(local);
    let Some(local) = local.filter(|local| !local.tm_zone.is_null()) else {
        return;
    };
    // SAFETY: `localtime_r` set it to a zone's name, which the C library keeps for good.
    let name = unsafe { std::ffi::CStr::from_ptr(local.tm_zone) };
    neutral::push_text(&name.to_string_lossy(), out);
}
