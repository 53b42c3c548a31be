//! Timestamps: RFC 3339 with nanoseconds, of which all but the fraction changes once a second.
#![allow(unsafe_code)]

use crate::clock::rfc3339;

/// `2026-11-21T01:18:00.123456789Z`.
pub const TIMESTAMP_BYTES: usize = 30;
const PREFIX_BYTES: usize = 20;

/// Remembers the second it last wrote.
#[derive(Debug, Clone)]
pub struct TimestampWriter {
    second: u64,
    prefix: [u8; PREFIX_BYTES],
}

impl Default for TimestampWriter {
    fn default() -> Self {
        Self { second: 0, prefix: *b"1970-01-01T00:00:00." }
    }
}

impl TimestampWriter {
    /// Writes a timestamp and returns the place after it.
    ///
    /// # Safety
    /// `out` is good for `TIMESTAMP_BYTES`.
    #[inline]
    pub unsafe fn write(&mut self, out: *mut u8, timestamp_ns: u64) -> *mut u8 {
        let second = timestamp_ns / 1_000_000_000;
        if second != self.second {
            self.turn(second);
        }
        let mut rest = (timestamp_ns % 1_000_000_000) as u32;
        // SAFETY: 20 + 9 + 1 bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(self.prefix.as_ptr(), out, PREFIX_BYTES);
            let mut at = PREFIX_BYTES + 9;
            for _ in 0..4 {
                at -= 2;
                let pair = (rest % 100) as usize * 2;
                std::ptr::copy_nonoverlapping(PAIRS.as_ptr().add(pair), out.add(at), 2);
                rest /= 100;
            }
            out.add(PREFIX_BYTES).write(b'0' + rest as u8);
            out.add(TIMESTAMP_BYTES - 1).write(b'Z');
            out.add(TIMESTAMP_BYTES)
        }
    }

    #[cold]
    fn turn(&mut self, second: u64) {
        self.second = second;
        let text = rfc3339(second.saturating_mul(1_000_000_000));
        self.prefix.copy_from_slice(&text.as_bytes()[..PREFIX_BYTES]);
    }
}

/// "00" to "99".
static PAIRS: [u8; 200] = pairs();

const fn pairs() -> [u8; 200] {
    let mut out = [0; 200];
    let mut at = 0;
    while at < 100 {
        let number = at as u8;
        out[2 * at] = b'0' + number / 10;
        out[2 * at + 1] = b'0' + number % 10;
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{TimestampWriter, TIMESTAMP_BYTES};

    #[test]
    fn agrees_with_the_plain_way_in_any_order_of_time() {
        let mut writer = TimestampWriter::default();
        for timestamp in [
            0,
            1_795_223_880_123_456_789,
            1_795_223_880_000_000_001,
            999_999_999,
            1_795_223_881_000_000_000,
        ] {
            let mut out = [0_u8; TIMESTAMP_BYTES];
            // SAFETY: exactly the room it needs.
            unsafe { writer.write(out.as_mut_ptr(), timestamp) };
            assert_eq!(String::from_utf8_lossy(&out), crate::clock::rfc3339(timestamp));
        }
    }
}
