//! The log call.
//!
//! Two roads. The fast one is for a call site that is known, with fields of plain types: it computes how
//! long the line can get, reserves that in the ring, writes it there, commits. Nothing on it runs Python
//! code or lets the GIL go, so no other thread is in the ring. Everything else takes the road of
//! `record.rs`, which renders first and writes then.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::ffi;
use pyo3::prelude::*;
use treering_core::clock::now_ns;
use treering_core::level::{self, Level};
use treering_core::line::{
    write_bytes, write_escaped, write_float, write_int, ESCAPED_BYTES, FLOAT_BYTES, INT_BYTES,
};
use treering_core::process::fork;

use crate::context::{self, Ambient};
use crate::frame;
use crate::logger::Logger;
use crate::pipeline::{self, State};
use crate::record;

/// Lines that may get longer than this are rendered first and copied then.
const FAST_BYTES: usize = 8 << 10;
/// Punctuation and the fixed keys of a line, generously.
const FRAME_BYTES: usize = 96;

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
unsafe fn fast(
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
        let ambient = context::ambient();
        let mut bound = FRAME_BYTES + site.head.len() + site.fields.len() + logger.context.len();
        if let Some(ambient) = ambient {
            if !logger.context.is_empty() {
                return false;
            }
            bound += ambient.context.len();
        }
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
        out = write_context(out, logger, ambient);
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
        true
    }
}

#[inline]
unsafe fn write_context(out: *mut u8, logger: &Logger, ambient: Option<&Ambient>) -> *mut u8 {
    let fields = match ambient {
        Some(ambient) => &ambient.context,
        None => &logger.context,
    };
    if fields.is_empty() {
        return out;
    }
    // SAFETY: counted in the bound.
    unsafe {
        let out = write_bytes(out, b",\"context\":{");
        let out = write_bytes(out, fields);
        write_bytes(out, b"}")
    }
}

/// Logs. True unless the level is disabled.
#[inline]
unsafe fn log(
    slf: Object,
    args: *const Object,
    count: usize,
    kwnames: Object,
    level: Level,
    exc_info: bool,
) -> bool {
    // SAFETY: the descriptor has checked that `slf` is a Logger; the GIL is held.
    unsafe {
        let py = Python::assume_attached();
        let slf = Borrowed::<PyAny>::from_ptr(py, slf);
        let logger = slf.cast_unchecked::<Logger>();
        let logger = logger.get();
        if !logger.is_enabled(level) {
            return false;
        }
        let logged = !exc_info && fast(pipeline::state(), logger, args, count, kwnames, level);
        if !logged {
            record::log(py, logger, args, count, kwnames, level, exc_info);
        }
        true
    }
}

/// One of the five borders that catch everything: counts, never raises.
#[inline]
unsafe fn guarded(
    slf: Object,
    args: *const Object,
    nargs: ffi::Py_ssize_t,
    kwnames: Object,
    level: Level,
    exc_info: bool,
) -> bool {
    // `PY_VECTORCALL_ARGUMENTS_OFFSET` is not set in what METH_FASTCALL functions get.
    let count = nargs.unsigned_abs();
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as our caller, the interpreter, promises.
        unsafe { log(slf, args, count, kwnames, level, exc_info) }
    }));
    result.unwrap_or_else(|_| {
        pipeline::count_lost();
        true
    })
}

unsafe fn none() -> Object {
    // SAFETY: the GIL is held.
    unsafe {
        ffi::Py_INCREF(ffi::Py_None());
        ffi::Py_None()
    }
}

macro_rules! method {
    ($name:ident, $level:expr, $exc_info:expr) => {
        unsafe extern "C" fn $name(
            slf: Object,
            args: *mut Object,
            nargs: ffi::Py_ssize_t,
            kwnames: Object,
        ) -> Object {
            // SAFETY: called by the interpreter as a METH_FASTCALL | METH_KEYWORDS method.
            unsafe {
                guarded(slf, args, nargs, kwnames, $level, $exc_info);
                none()
            }
        }
    };
}

method!(trace, level::TRACE, false);
method!(debug, level::DEBUG, false);
method!(info, level::INFO, false);
method!(warning, level::WARNING, false);
method!(error, level::ERROR, false);
method!(critical, level::CRITICAL, false);
method!(security, level::SECURITY, false);
method!(exception, level::ERROR, true);

/// Logs at AUDIT, then waits until the record is durable; gives the receipt.
unsafe extern "C" fn audit(
    slf: Object,
    args: *mut Object,
    nargs: ffi::Py_ssize_t,
    kwnames: Object,
) -> Object {
    // SAFETY: as `method!`.
    unsafe {
        let logged = guarded(slf, args, nargs, kwnames, level::AUDIT, false);
        let py = Python::assume_attached();
        let receipt = py
            .import("treering._logger")
            .and_then(|module| module.getattr("_receipt")?.call1((logged,)));
        match receipt {
            Ok(receipt) => receipt.into_ptr(),
            Err(_) => none(),
        }
    }
}

/// `log(level, message, …)`.
unsafe extern "C" fn log_at(
    slf: Object,
    args: *mut Object,
    nargs: ffi::Py_ssize_t,
    kwnames: Object,
) -> Object {
    // SAFETY: as `method!`; the first value exists when `nargs` is positive.
    unsafe {
        let py = Python::assume_attached();
        let level = (nargs > 0)
            .then(|| crate::errors::level_number(&Borrowed::<PyAny>::from_ptr(py, *args)))
            .and_then(Result::ok);
        match level {
            Some(level) => {
                guarded(slf, args.add(1), nargs - 1, kwnames, level, false);
            }
            None => pipeline::count_lost(),
        }
        none()
    }
}

/// Does nothing at the price of a call: what stripped methods become, and what disabled ones are measured by.
unsafe extern "C" fn noop(_: Object, _: *mut Object, _: ffi::Py_ssize_t, _: Object) -> Object {
    // SAFETY: the GIL is held.
    unsafe { none() }
}

type Method = unsafe extern "C" fn(Object, *mut Object, ffi::Py_ssize_t, Object) -> Object;

/// Puts a method with this calling convention on a class.
unsafe fn descriptor(
    class: &Bound<'_, pyo3::types::PyType>,
    name: &'static std::ffi::CStr,
    method: Method,
) -> PyResult<Py<PyAny>> {
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        // SAFETY: the flags below name exactly this convention.
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: unsafe {
                std::mem::transmute::<Method, ffi::PyCFunctionFastWithKeywords>(method)
            },
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: std::ptr::null(),
    }));
    // SAFETY: the definition lives for ever; a new reference or an exception.
    unsafe {
        let made = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Ok(Bound::from_owned_ptr_or_err(class.py(), made)?.unbind())
    }
}

/// Gives `Logger` its logging methods, and the module the native no-op.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<Logger>();
    let methods: [(&std::ffi::CStr, Method); 12] = [
        (c"trace", trace),
        (c"debug", debug),
        (c"info", info),
        (c"warning", warning),
        (c"warn", warning),
        (c"error", error),
        (c"critical", critical),
        (c"fatal", critical),
        (c"security", security),
        (c"exception", exception),
        (c"audit", audit),
        (c"log", log_at),
    ];
    for (name, method) in methods {
        // SAFETY: every method has the convention of `descriptor`.
        let descriptor = unsafe { descriptor(&class, name, method)? };
        class.setattr(name.to_str().unwrap_or_default(), descriptor)?;
    }
    // SAFETY: as above.
    module.add("noop", unsafe { descriptor(&class, c"noop", noop)? })
}
