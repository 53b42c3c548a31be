//! The log call.
//!
//! Two roads. The fast one is for a call site that is known, with fields of plain types: it computes how
//! long the line can get, reserves that in the ring, writes it there, commits. Nothing on it runs Python
//! code or lets the GIL go, so no other thread is in the ring. Everything else takes the road of
//! `record.rs`, which renders first and writes then.
#![allow(unsafe_code)]

use std::cell::Cell;

use pyo3::ffi;
use treering_core::clock::now_ns;
use treering_core::level::Level;
use treering_core::line::{
    write_bytes, write_escaped, write_float, write_int, ESCAPED_BYTES, FLOAT_BYTES, INT_BYTES,
};
use treering_core::process::fork;

use crate::context;
use crate::frame;
use crate::logger::Logger;
use crate::pipeline::{self, State};
use crate::trace;

/// Lines that may get longer than this are rendered first and copied then.
const FAST_BYTES: usize = 8 << 10;
/// Punctuation, the fixed keys of a line and its trace context, generously.
const FRAME_BYTES: usize = 96 + trace::BYTES;

type Object = *mut ffi::PyObject;

/// What one positional or keyword value needs on the fast road; `None` when it cannot go there.
#[inline]
unsafe fn bound_of(value: Object) -> Option<usize> {
    // SAFETY: `value` is a live object and the GIL is held.
    unsafe {
        let class = ffi::Py_TYPE(value);
        if class == &raw mut ffi::PyUnicode_Type {
            if ffi::PyUnicode_IS_COMPACT_ASCII(value) == 0 {
                return None;
            }
            Some(ffi::PyUnicode_GET_LENGTH(value).unsigned_abs() * ESCAPED_BYTES + 2)
        } else if class == &raw mut ffi::PyLong_Type {
            Some(INT_BYTES)
        } else if class == &raw mut ffi::PyFloat_Type {
            Some(FLOAT_BYTES)
        } else if class == &raw mut ffi::PyBool_Type || value == ffi::Py_None() {
            Some(5)
        } else {
            None
        }
    }
}

#[inline]
unsafe fn ascii<'a>(value: Object) -> &'a [u8] {
    // SAFETY: the caller has seen that `value` is compact ASCII.
    unsafe {
        let length = ffi::PyUnicode_GET_LENGTH(value).unsigned_abs();
        std::slice::from_raw_parts(ffi::PyUnicode_DATA(value).cast::<u8>(), length)
    }
}

/// Writes a value that `bound_of` accepted; null when it is an integer that does not fit.
#[inline]
unsafe fn write_value(out: *mut u8, value: Object) -> *mut u8 {
    // SAFETY: `bound_of(value)` bytes are reserved.
    unsafe {
        let class = ffi::Py_TYPE(value);
        if class == &raw mut ffi::PyUnicode_Type {
            *out = b'"';
            let end = write_escaped(out.add(1), ascii(value));
            *end = b'"';
            end.add(1)
        } else if class == &raw mut ffi::PyLong_Type {
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(value, &raw mut overflow);
            if overflow != 0 {
                return std::ptr::null_mut();
            }
            write_int(out, number)
        } else if class == &raw mut ffi::PyFloat_Type {
            write_float(out, ffi::PyFloat_AS_DOUBLE(value))
        } else if value == ffi::Py_True() {
            write_bytes(out, b"true")
        } else if value == ffi::Py_False() {
            write_bytes(out, b"false")
        } else {
            write_bytes(out, b"null")
        }
    }
}

thread_local! {
    /// This thread's kernel id as digits, and the fork it was read in.
    static THREAD: Cell<([u8; 12], u8, u32)> = const { Cell::new(([0; 12], 0, u32::MAX)) };
}

/// The kernel's id of the running thread, as digits.
#[inline]
pub fn thread_digits() -> ([u8; 12], u8) {
    let generation = fork::generation();
    let (digits, length, read_in) = THREAD.get();
    if read_in == generation {
        return (digits, length);
    }
    // SAFETY: cannot fail.
    let id = unsafe { libc::gettid() };
    let text = id.to_string();
    let mut digits = [0; 12];
    digits[..text.len()].copy_from_slice(text.as_bytes());
    let length = text.len() as u8;
    THREAD.set((digits, length, generation));
    (digits, length)
}

/// True when the record is in the ring; false asks for the other road.
#[inline]
pub unsafe fn fast(
    state: &mut State,
    logger: &Logger,
    args: *const Object,
    count: usize,
    kwnames: Object,
    level: Level,
) -> bool {
    if count != 1 || !state.is_ready() {
        return false;
    }
    // SAFETY: the GIL is held and nothing below lets it go; `args` holds `count` values and those of
    // `kwnames`, as vectorcall promises.
    unsafe {
        let message = *args;
        let Some(place) = frame::place() else {
            return false;
        };
        let Some(site) = state.sites.find(place, logger, level, kwnames) else {
            return false;
        };
        if site.is_special {
            return false;
        }
        let mut context = logger.fields.encoded();
        if let Some(ambient) = context::ambient() {
            if !context.bytes.is_empty() || !context.trace.is_empty() {
                return false;
            }
            context = ambient.fields.encoded();
        }
        if !context.is_of(state.rules_version) {
            return false;
        }
        let mut bound = FRAME_BYTES + site.head.len() + site.fields.len() + context.bytes.len();
        let is_constant = site.message.get() == message;
        if !is_constant {
            if ffi::Py_TYPE(message) != &raw mut ffi::PyUnicode_Type
                || ffi::PyUnicode_IS_COMPACT_ASCII(message) == 0
                || ascii(message).len() > state.max_message_bytes
            {
                return false;
            }
            site.message.set(std::ptr::null_mut());
            bound += ascii(message).len() * ESCAPED_BYTES;
        }
        let fields = args.add(1);
        for at in 0..site.ends.len() {
            match bound_of(*fields.add(at)) {
                Some(bytes) => bound += bytes,
                None => return false,
            }
        }
        if bound > FAST_BYTES.min(state.max_line_bytes) {
            return false;
        }
        let Some(producer) = state.producer.as_mut() else {
            return false;
        };
        let Some(begin) = producer.reserve(bound, level) else {
            return false;
        };
        let timestamp_ns = now_ns();
        let mut out = write_bytes(begin, b"{\"timestamp\":\"");
        out = state.timestamps.write(out, timestamp_ns);
        out = write_bytes(out, b"\",");
        if is_constant {
            out = write_bytes(out, &site.head);
        } else {
            out = write_bytes(out, &site.head[..site.message_begin]);
            out = write_escaped(out, ascii(message));
            out = write_bytes(out, &site.head[site.message_end..]);
        }
        let (thread, thread_length) = thread_digits();
        out = write_bytes(out, &thread[..usize::from(thread_length)]);
        out = write_context(out, &context.trace, &context.bytes);
        let mut from = 0;
        for (at, end) in site.ends.iter().enumerate() {
            out = write_bytes(out, site.fields.get_unchecked(from..*end));
            out = write_value(out, *fields.add(at));
            if out.is_null() {
                return false;
            }
            from = *end;
        }
        if from > 0 {
            out = write_bytes(out, b"}");
        }
        out = write_bytes(out, b"}");
        let length = out.offset_from(begin).unsigned_abs();
        if producer.commit(length, level, timestamp_ns) {
            if let Some(process) = &state.process {
                process.wake();
            }
        }
        if context.redactions > 0 {
            pipeline::count_redacted(context.redactions);
        }
        true
    }
}

/// # Safety
/// `out` has room for the context, as the bound counts it.
#[inline]
unsafe fn write_context(out: *mut u8, own: &[u8], fields: &[u8]) -> *mut u8 {
    // SAFETY: counted in the bound.
    unsafe {
        let mut out = out;
        if !own.is_empty() || trace::is_installed() {
            out = write_trace(out, own);
        }
        if fields.is_empty() {
            return out;
        }
        let out = write_bytes(out, b",\"context\":{");
        let out = write_bytes(out, fields);
        write_bytes(out, b"}")
    }
}

/// # Safety
/// `out` has room for `trace::BYTES`.
#[inline(never)]
unsafe fn write_trace(out: *mut u8, own: &[u8]) -> *mut u8 {
    // SAFETY: promised by the caller; nothing that `trace` makes is longer.
    trace::found(|ids| unsafe {
        let is_found = trace::is_installed() && !ids.is_empty();
        write_bytes(out, if is_found { ids } else { own })
    })
}
