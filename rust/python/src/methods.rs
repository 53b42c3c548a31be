//! The methods of `Logger` that log, with the calling convention that builds no tuple and no dict.
#![allow(unsafe_code)]

use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::ffi;
use pyo3::prelude::*;
use treering_core::level::{self, Level};

use crate::call::fast;
use crate::logger::Logger;
use crate::{pipeline, record, trace};

type Object = *mut ffi::PyObject;

/// Logs. True unless the level is disabled.
///
/// # Safety
/// As the interpreter calls a method: `slf` is a Logger, `args` has `count` values and those of `kwnames`.
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
        if trace::is_installed() {
            trace::refresh(py);
        }
        let logged = !exc_info && fast(pipeline::state(), logger, args, count, kwnames, level);
        if !logged {
            record::log(py, logger, args, count, kwnames, level, exc_info);
        }
        true
    }
}

/// One of the five borders that catch everything: counts, never raises.
///
/// # Safety
/// As `log`.
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
        let before = pipeline::position();
        let logged = guarded(slf, args, nargs, kwnames, level::AUDIT, false);
        let py = Python::assume_attached();
        let line = logged.then(|| pipeline::audited_since(before)).flatten();
        let line = line.map(|line| pyo3::types::PyBytes::new(py, &line));
        let receipt = py
            .import("treering._logger")
            .and_then(|module| module.getattr("_receipt")?.call1((line,)));
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
