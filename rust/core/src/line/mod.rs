//! The canonical line: primitives that write JSON the one way Treering writes it.
//!
//! Strings escape what JSON demands, and besides U+007F to U+009F, U+2028 and U+2029, so that no value
//! can end a line for any tool or reach a terminal as a control sequence. Floats read as Python's `repr`.
//!
//! The `unsafe` functions write to raw memory of which the caller has made sure; they are the hot road.

mod number;
mod string;
mod timestamp;

pub use number::{grouped, push_float, push_int, write_float, write_int, FLOAT_BYTES, INT_BYTES};
pub use string::{push_string, read_string, visible, write_escaped, ESCAPED_BYTES};
pub use timestamp::{TimestampWriter, TIMESTAMP_BYTES};

/// Appends through a raw cursor.
///
/// # Safety
/// `out` is good for `bytes.len()` bytes.
#[inline]
#[allow(unsafe_code)]
pub unsafe fn write_bytes(out: *mut u8, bytes: &[u8]) -> *mut u8 {
    // SAFETY: promised by the caller.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, bytes.len());
        out.add(bytes.len())
    }
}
